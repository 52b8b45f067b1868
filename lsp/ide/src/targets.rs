//! Where a word is defined, and where what it names is used.

use checks::Population;
use driver::locate::{self, Place};
use driver::{Database, world};
use hir::{L3, Operator, PeerSelector, Policy, Selector, Which};
use rules::Origin;
use source::{FileId, Span};

use crate::At;
use crate::cursor::Step;
use crate::here::Here;
use crate::selectors::{around, object_name, written};
use crate::{labelled, ports};

/// Where something is defined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The file.
    pub file: FileId,
    /// The object, or the part of it that is meant.
    pub full: Span,
    /// The bytes to go to.
    pub focus: Span,
    /// The bytes that lead there, in the file of the question.
    pub origin: Span,
}

/// How many places are shown.
const MOST: usize = 200;

/// Where the word at a place is defined: of a selector the pods and templates that it selects, of a label in it their labels; of a
/// reference the object that it names.
pub fn definition(db: &Database, at: At) -> Vec<Target> {
    let Some(here) = Here::new(db, at) else { return Vec::new() };
    let origin = here.span();
    let to = |object: String, path: &str| target(db, &object, path, origin);
    let mut found: Vec<Target> = match (here.path.as_slice(), word(&here)) {
        ([.., Step::Key(key)], Some(name)) if key == "cidrGroupRef" => {
            to(format!("CiliumCIDRGroup {name}"), "metadata.name").into_iter().collect()
        }
        ([.., Step::Key(key)], Some(name)) if key == "serviceName" => services_named(db, &here, name)
            .into_iter()
            .filter_map(|name| to(format!("Service {name}"), "metadata.name"))
            .collect(),
        ([.., Step::Key(key)], Some(name)) if ["port", "targetPort"].contains(&key.as_str()) => {
            ports::definition(db, &here, name, origin)
        }
        _ => [of_selector(db, &here, origin), labelled::definition(db, &here, origin)].concat(),
    };
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found
}

fn word(here: &Here) -> Option<&str> {
    here.text(&here.path_text())
}

fn services_named(db: &Database, here: &Here, name: &str) -> Vec<facts::Name> {
    let beside = format!("{}.namespace", here.path_text().trim_end_matches(".serviceName"));
    let namespace = here.text(&beside).filter(|it| !it.is_empty());
    let cluster = world::cluster(db);
    let fits = |it: &&facts::Name| it.name == name && namespace.is_none_or(|there| there == it.namespace);
    cluster.services.keys().filter(fits).cloned().collect()
}

/// The pods and workloads that the selector around a place selects.
fn of_selector(db: &Database, here: &Here, origin: Span) -> Vec<Target> {
    let Some(policy) = here.policy(db) else { return Vec::new() };
    let Some(selector) = around(here, &policy).filter(|it| !it.of_nodes) else { return Vec::new() };
    let label = match here.path.as_slice() {
        [.., Step::Key(labels), Step::Key(key)] if labels == "matchLabels" => {
            Some(key.split_once(':').map_or(key.as_str(), |(_, key)| key))
        }
        _ => None,
    };
    let population = Population::of(db);
    let mut found = Vec::new();
    for it in population.matching(&selector.selector).take(MOST) {
        let labels = labels_path(it.made_by);
        let path = match label.filter(|key| it.pod.labels.contains_key(*key)) {
            Some(key) => format!("{labels}[\"{key}\"]"),
            None => "metadata.name".into(),
        };
        found.extend(target(db, &object_name(it), &path, origin));
    }
    found
}

/// Where the labels of pods stand in an object that is one or makes them.
pub(crate) fn labels_path(made_by: Option<facts::WorkloadKind>) -> &'static str {
    match made_by {
        None => "metadata.labels",
        Some(facts::WorkloadKind::CronJob) => "spec.jobTemplate.spec.template.metadata.labels",
        Some(_) => "spec.template.metadata.labels",
    }
}

/// A place of an object; `None` for one that stands in no file.
pub(crate) fn target(db: &Database, object: &str, path: &str, origin: Span) -> Option<Target> {
    let (file, found) = locate::object(db, object)?;
    let focus = locate::place(db, file, &found, path);
    let tree = driver::text::tree(db, file);
    let root = tree.documents().get(found.document)?.root?;
    let full = tree.span(tree.find(root, &found.at)?);
    Some(Target { file: focus.file, full: full.join(focus.span), focus: focus.span, origin })
}

/// Where what the word at a place names is used: of a label of a pod or template, and of its name, the selectors that select it; of a
/// group of addresses or a Service the rules that name it. In the order of files and places.
pub fn references(db: &Database, at: At, include_declaration: bool) -> Vec<Place> {
    let Some(here) = Here::new(db, at) else { return Vec::new() };
    let Some((_, object)) = here.object(db) else { return Vec::new() };
    let name = facts::Name::new(object.object.namespace.clone(), object.object.name.clone());
    let is_name = here.path_text() == "metadata.name";
    let mut found: Vec<Place> = match object.object.kind.as_str() {
        "CiliumCIDRGroup" if is_name => {
            uses(db, |peer| matches!(peer, PeerSelector::CidrGroup { name, .. } if *name == object.object.name))
        }
        "Service" if is_name => uses(db, |peer| match peer {
            PeerSelector::Services(it) => {
                it.which == Which::Named(name.name.clone())
                    && it.namespace.as_ref().is_none_or(|it| it.is_empty() || *it == name.namespace)
            }
            _ => false,
        }),
        _ => selecting(db, &here, &object.object, is_name),
    };
    found.extend(labelled::references(db, &here, &object.object));
    if include_declaration {
        found.push(Place { file: here.file.id(db), span: here.span() });
    }
    found.sort();
    found.dedup();
    found
}

/// The peers of all policies that are wanted.
pub(crate) fn uses(db: &Database, wanted: impl Fn(&PeerSelector) -> bool) -> Vec<Place> {
    let mut found = Vec::new();
    for policy in world::index(db).values().flat_map(|policies| policies.iter()) {
        for entry in policy.sections.iter().flat_map(|section| &section.entries) {
            let L3::Any(peers) = &entry.l3 else { continue };
            let named = peers.iter().filter(|peer| wanted(&peer.selector));
            found.extend(named.filter_map(|peer| place(db, policy, &peer.path)));
        }
    }
    found
}

/// The selectors that select the pods of an object; of a label those that ask for it.
fn selecting(db: &Database, here: &Here, object: &hir::ObjectRef, is_name: bool) -> Vec<Place> {
    let population = Population::of(db);
    let display = object.to_string();
    let Some(pod) = population.pods().find(|it| object_name(it) == display) else { return Vec::new() };
    let key = match here.path.as_slice() {
        [.., Step::Key(labels), Step::Key(key)] if labels == "labels" => Some(key.as_str()),
        _ => None,
    };
    if key.is_none() && !is_name {
        return Vec::new();
    }
    let asks = |selector: &Selector| {
        let named = selector.requirements().iter().any(|it| {
            key.is_none_or(|key| it.key == key) && !matches!(it.operator, Operator::NotIn(_) | Operator::DoesNotExist)
        });
        (named || key.is_none()) && selector.matches(&pod.labels)
    };
    let mut found = Vec::new();
    for policy in world::index(db).values().flat_map(|policies| policies.iter()) {
        let all = written(policy, |path| path.ends_with("Selector") && exists(db, policy, path));
        let meant = all.iter().filter(|it| !it.of_nodes && asks(&it.selector));
        found.extend(meant.filter_map(|it| place(db, policy, &it.path)));
    }
    found
}

pub(crate) fn exists(db: &Database, policy: &Policy, path: &str) -> bool {
    let Some((file, object)) = locate::object(db, &policy.object.to_string()) else { return false };
    let tree = driver::text::tree(db, file);
    let root = tree.documents().get(object.document).and_then(|it| it.root);
    root.is_some_and(|root| tree.find(root, &object.path(path)).is_some())
}

pub(crate) fn place(db: &Database, policy: &Policy, path: &str) -> Option<Place> {
    locate::locate(db, &Origin { object: policy.object.to_string(), path: path.to_owned() })
}
