//! Labels of namespaces, groups of addresses and Services: where selectors of them lead, and which selectors ask for them.

use checks::Population;
use driver::locate::Place;
use driver::text::Role;
use driver::{Database, world};
use facts::Labels;
use hir::labels::{LabelSet, NAMESPACE, NAMESPACE_LABELS};
use hir::{L3, ObjectRef, Operator, PeerSelector, Selector, ServiceSelector, Source, Which};
use source::Span;

use crate::cursor::Step;
use crate::here::Here;
use crate::ports::selected;
use crate::selectors::{is_within, object_name, written};
use crate::targets::{Target, exists, labels_path, place, target, uses};

/// The label that the API server gives each namespace.
const NAME: &str = "kubernetes.io/metadata.name";

/// Where what a selector of groups or Services, or that of a Service, selects stands.
pub(crate) fn definition(db: &Database, here: &Here, origin: Span) -> Vec<Target> {
    let to = |object: String| target(db, &object, "metadata.name", origin);
    let cluster = world::cluster(db);
    if here.text("kind") == Some("Service") && here.path_text().starts_with("spec.selector") {
        return behind(db, here, origin);
    }
    match peer(db, here) {
        Some(PeerSelector::CidrGroups { selector, .. }) => {
            let groups = cluster.cidr_groups.values().filter(|it| selector.matches(&of_group(&it.labels)));
            groups.filter_map(|it| to(format!("CiliumCIDRGroup {}", it.name))).collect()
        }
        Some(PeerSelector::Services(wanted)) => {
            let services = cluster.services.values().filter(|it| asks_for(&wanted, it));
            services.filter_map(|it| to(format!("Service {}", it.name))).collect()
        }
        _ => Vec::new(),
    }
}

/// The peer around a place of a policy.
fn peer(db: &Database, here: &Here) -> Option<PeerSelector> {
    let (policy, path) = (here.policy(db)?, here.path_text());
    let entries = policy.sections.iter().flat_map(|section| &section.entries);
    let mut peers = entries.filter_map(|it| if let L3::Any(peers) = &it.l3 { Some(peers) } else { None }).flatten();
    peers.find(|it| is_within(&path, &it.path)).map(|it| it.selector.clone())
}

fn behind(db: &Database, here: &Here, origin: Span) -> Vec<Target> {
    let Some((_, object)) = here.object(db).filter(|(_, it)| it.role == Role::Fact) else { return Vec::new() };
    let population = Population::of(db);
    let name = facts::Name::new(object.object.namespace, object.object.name);
    let Some(service) = population.cluster.services.get(&name) else { return Vec::new() };
    let key = match here.path.as_slice() {
        [_, _, Step::Key(key)] => Some(key.as_str()),
        _ => None,
    };
    let pods = selected(&population, service).filter_map(|it| {
        let path = match key {
            Some(key) => format!("{}[\"{key}\"]", labels_path(it.made_by)),
            None => "metadata.name".into(),
        };
        target(db, &object_name(it), &path, origin)
    });
    pods.collect()
}

/// Labels of a group, as its selectors see them.
fn of_group(labels: &Labels) -> LabelSet {
    with_source(labels, &Source::Other("cidrgroup".into()))
}

fn with_source(labels: &Labels, source: &Source) -> LabelSet {
    let mut all = LabelSet::default();
    labels.iter().for_each(|(key, value)| all.insert(source.clone(), key.as_str(), value.as_str()));
    all
}

/// Whether a peer asks for a Service.
fn asks_for(wanted: &ServiceSelector, service: &facts::Service) -> bool {
    let here = wanted.namespace.as_ref().is_none_or(|it| *it == service.name.namespace);
    here && match &wanted.which {
        Which::Named(name) => *name == service.name.name,
        Which::Labelled(selector) => selector.matches(&with_source(&service.labels, &Source::K8s)),
    }
}

/// The selectors that ask for a label of a namespace, a group or a Service, and those that ask for a namespace by its name.
pub(crate) fn references(db: &Database, here: &Here, object: &ObjectRef) -> Vec<Place> {
    let label = match here.path.as_slice() {
        [Step::Key(metadata), Step::Key(labels), Step::Key(key)] if metadata == "metadata" && labels == "labels" => {
            Some(key.as_str())
        }
        _ => None,
    };
    let cluster = world::cluster(db);
    match (object.kind.as_str(), label) {
        ("Namespace", Some(key)) => {
            let value = cluster.namespaces.get(&object.name).and_then(|it| it.labels.get(key));
            value.map_or(Vec::new(), |value| of_namespace(db, &format!("{NAMESPACE_LABELS}{key}"), value))
        }
        ("Namespace", None) if here.path_text() == "metadata.name" => {
            let named = format!("{NAMESPACE_LABELS}{NAME}");
            [of_namespace(db, NAMESPACE, &object.name), of_namespace(db, &named, &object.name)].concat()
        }
        ("CiliumCIDRGroup", Some(key)) => {
            let Some(group) = cluster.cidr_groups.get(&object.name) else { return Vec::new() };
            let labels = of_group(&group.labels);
            uses(
                db,
                |peer| matches!(peer, PeerSelector::CidrGroups { selector, .. } if asks(selector, key) && selector.matches(&labels)),
            )
        }
        ("Service", Some(key)) => {
            let name = facts::Name::new(object.namespace.clone(), object.name.clone());
            let Some(service) = cluster.services.get(&name) else { return Vec::new() };
            uses(db, |peer| match peer {
                PeerSelector::Services(it) => {
                    matches!(&it.which, Which::Labelled(selector) if asks(selector, key)) && asks_for(it, service)
                }
                _ => false,
            })
        }
        _ => Vec::new(),
    }
}

/// Whether a selector wants a key to be there.
fn asks(selector: &Selector, key: &str) -> bool {
    let is_wanted = |operator: &Operator| matches!(operator, Operator::In(_) | Operator::Exists);
    selector.requirements().iter().any(|it| it.key == key && is_wanted(&it.operator))
}

/// The selectors of pods that want a label of a namespace to have a value, and say so: every policy of a namespace asks for its own.
fn of_namespace(db: &Database, key: &str, value: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for policy in world::index(db).values().flat_map(|policies| policies.iter()) {
        let all = written(policy, |path| path.ends_with("Selector") && exists(db, policy, path));
        let wants = |selector: &Selector| {
            let of_key =
                |it: &&hir::Requirement| it.key == key && matches!(it.operator, Operator::In(_) | Operator::Exists);
            selector.requirements().iter().filter(of_key).any(|it| it.operator.holds(Some(value)))
        };
        let places = all.iter().filter(|it| wants(&it.selector)).filter_map(|it| place(db, policy, &it.path));
        found.extend(places.filter(|it| says(db, it, key, value)));
    }
    found
}

/// Whether the text of a selector has the words that it asks for.
fn says(db: &Database, place: &Place, key: &str, value: &str) -> bool {
    let Some(file) = db.file(place.file) else { return false };
    let tree = driver::text::tree(db, file);
    // A place is a key where there is one: what is asked stands behind it.
    let node = tree.nodes().find(|it| tree.span(*it) == place.span);
    let whole = node.and_then(|node| {
        let holder = tree.parent(node)?;
        let entry = tree.entries(holder).iter().find(|it| it.key == node)?;
        Some(tree.span(entry.value))
    });
    let text = whole.unwrap_or(place.span).slice(tree.text());
    text.contains(value) || (key != NAMESPACE && text.contains(key.trim_start_matches(NAMESPACE_LABELS)))
}
