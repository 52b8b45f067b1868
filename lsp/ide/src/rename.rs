//! Renames a value or key of a label, a group of addresses, or a Service, in all manifests that agree on it.
//!
//! A name that stands nowhere yet takes the place of another everywhere, so that whatever met before meets after and nothing else does. What
//! cannot be seen to be so is refused; afterwards every policy is asked whether it selects the same pods as before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use checks::Population;
use diag::{Edit, Fix};
use driver::{Database, Db, SourceFile, text, world};
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use source::Span;
use syntax::{NodeId, ScalarStyle, Tree, Value};

use crate::At;
use crate::cursor::Step;
use crate::here::Here;
use crate::selectors::{object_name, written};
use crate::services;

/// Kinds whose selectors are of pods, but for what their fields say otherwise.
const POLICIES: [&str; 6] = [
    "NetworkPolicy",
    "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "ClusterNetworkPolicy",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
];
/// Kinds that are pods or make some, with selectors of their own pods.
const WORKLOADS: [&str; 8] =
    ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "PodDisruptionBudget"];

/// Whose labels they are: labels of one kind of objects never meet selectors of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Pods,
    Namespaces,
    Nodes,
    Groups,
    Services,
}

/// What is renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    /// The value of a key.
    Value(Whose, String, String),
    /// A key.
    Key(Whose, String),
    /// A group of addresses.
    Group(String),
}

impl Named {
    fn text(&self) -> &str {
        match self {
            Named::Value(_, _, text) | Named::Key(_, text) | Named::Group(text) => text,
        }
    }
}

/// The bytes that a rename at a place is about, and what stands there.
///
/// Errors: why nothing can be renamed there, in words.
pub fn prepare_rename(db: &Database, at: At) -> Result<(Span, String), String> {
    if let Some((span, service)) = services::named(db, at) {
        return Ok((span, service.name));
    }
    let (span, named) = named(db, at)?;
    Ok((span, named.text().to_owned()))
}

/// What gives the name at a place another text, in all files.
///
/// Errors: why that cannot be done without changing what policies mean, in words. Cost: all files are read that hold the name.
pub fn rename(db: &Database, at: At, new: &str) -> Result<Vec<Edit>, String> {
    if let Some((_, service)) = services::named(db, at) {
        return if new == service.name { Ok(Vec::new()) } else { services::rename(db, &service, new) };
    }
    let (_, named) = named(db, at)?;
    if new == named.text() {
        return Ok(Vec::new());
    }
    check_word(&named, new)?;
    let mut edits = Vec::new();
    for file in db.files() {
        let text = file.text(db).unwrap_or_default();
        if !text.contains(named.text()) && !text.contains(new) {
            continue;
        }
        let tree = text::tree(db, file);
        if tree.documents().iter().any(|it| !it.sound) {
            return Err(format!(
                "`{}` is broken, so that it cannot be seen what else would have to change",
                file.path(db)
            ));
        }
        for (node, found) in places(db, file, &tree, &named) {
            if found == new {
                return Err(format!("`{new}` is there already, in `{}`: the two would be one", file.path(db)));
            }
            if found == named.text() {
                edits.push(edit(file.id(db), &tree, node, new)?);
            }
        }
    }
    if let Some(who) = unwritten(db, &named) {
        return Err(format!("{who} has it and stands in no file"));
    }
    edits.sort();
    edits.dedup();
    selects_alike(db, &edits)?;
    Ok(edits)
}

/// What the word at a place names.
fn named(db: &Database, at: At) -> Result<(Span, Named), String> {
    let nothing = || "only labels, groups of addresses and Services can be renamed".to_owned();
    let here = Here::new(db, at).ok_or_else(nothing)?;
    let kind = here.text("kind").unwrap_or_default().to_owned();
    let raw = here.tree.raw(here.node);
    if raw.is_empty() || raw.contains('\n') {
        return Err(nothing());
    }
    let word = match here.tree.value(here.node) {
        Value::Str(text) => text.to_owned(),
        Value::Mapping(_) | Value::Sequence(_) | Value::Null => return Err(nothing()),
        _ => raw.to_owned(),
    };
    let span = inner(&here.tree, here.node);
    let path = here.path.as_slice();
    if let [.., Step::Key(key)] = path
        && (key == "cidrGroupRef" || (kind == "CiliumCIDRGroup" && here.path_text() == "metadata.name"))
    {
        return Ok((span, Named::Group(word)));
    }
    let is_key =
        here.tree.parent(here.node).is_some_and(|map| here.tree.entries(map).iter().any(|it| it.key == here.node));
    match (labels_at(path, &kind), path) {
        (Some((whose, true)), [.., Step::Key(key)]) => match is_key {
            true => Ok((span, Named::Key(whose, plain(key).to_owned()))),
            false => Ok((span, Named::Value(whose, plain(key).to_owned(), word))),
        },
        (Some((whose, false)), [expression @ .., Step::Key(field)]) if field == "key" && !expression.is_empty() => {
            Ok((span, Named::Key(whose, plain(&word).to_owned())))
        }
        (Some((whose, false)), [expression @ .., Step::Key(field), Step::Item(_)]) if field == "values" => {
            let key = here.text(&format!("{}.key", crate::cursor::spell(expression))).ok_or_else(nothing)?;
            Ok((span, Named::Value(whose, plain(key).to_owned(), word)))
        }
        _ => Err(nothing()),
    }
    .and_then(|(span, named)| known(&named).map(|()| (span, named)))
}

/// Refuses labels that a cluster gives by itself.
fn known(named: &Named) -> Result<(), String> {
    let key = match named {
        Named::Value(_, key, _) | Named::Key(_, key) => key.as_str(),
        Named::Group(_) => return Ok(()),
    };
    let is_given = key == NAMESPACE || key.starts_with(NAMESPACE_LABELS) || key.starts_with("io.cilium.");
    match is_given || key == "kubernetes.io/metadata.name" || key == "kubernetes.io/hostname" {
        true => Err(format!("`{key}` is given by the cluster")),
        false => Ok(()),
    }
}

/// Whether a path leads into labels, and whose: `true` for a mapping of labels, `false` for a condition of `matchExpressions`.
fn labels_at(path: &[Step], kind: &str) -> Option<(Whose, bool)> {
    let keys: Vec<&str> =
        path.iter().filter_map(|it| if let Step::Key(key) = it { Some(key.as_str()) } else { None }).collect();
    let has = |name: &str| keys.contains(&name);
    let holder = keys.iter().rposition(|it| ["labels", "matchLabels", "matchExpressions"].contains(it));
    let own = keys.iter().rposition(|it| *it == "selector").filter(|at| kind == "Service" && *at + 2 == keys.len());
    let at = holder.or(own)?;
    let is_map = keys[at] != "matchExpressions";
    if is_map && at + 2 != keys.len() {
        return None;
    }
    let is_own = keys[..=at] == ["metadata", "labels"];
    let whose = match kind {
        _ if has("namespaceSelector") || has("namespaces") => Whose::Namespaces,
        _ if has("nodeSelector") || has("fromNodes") || has("toNodes") || has("nodes") => Whose::Nodes,
        _ if has("cidrGroupSelector") => Whose::Groups,
        _ if has("k8sServiceSelector") => Whose::Services,
        "Namespace" if is_own => Whose::Namespaces,
        "Node" | "CiliumNode" if is_own => Whose::Nodes,
        "CiliumCIDRGroup" if is_own => Whose::Groups,
        "Service" if is_own => Whose::Services,
        "Service" => Whose::Pods,
        // Terms of an affinity to nodes, and claims of storage, speak of labels that are nobody's here.
        _ if has("nodeAffinity") || has("volumeClaimTemplates") => return None,
        _ if POLICIES.contains(&kind) || WORKLOADS.contains(&kind) => Whose::Pods,
        _ => return None,
    };
    Some((whose, is_map))
}

/// Every place of a file where a name of this sort stands, with the name there.
fn places(db: &Database, file: SourceFile, tree: &Tree, named: &Named) -> Vec<(NodeId, String)> {
    let mut found = Vec::new();
    for object in text::decoded(db, file).objects.iter() {
        let root = tree.documents().get(object.document).and_then(|it| it.root);
        let Some(root) = root.and_then(|root| tree.find(root, &object.at)) else { continue };
        walk(tree, root, &object.object.kind, named, &mut Vec::new(), &mut found);
    }
    found
}

fn walk(tree: &Tree, node: NodeId, kind: &str, named: &Named, path: &mut Vec<Step>, found: &mut Vec<(NodeId, String)>) {
    for entry in tree.entries(node) {
        let key = tree.key(entry.key).into_owned();
        path.push(Step::Key(key.clone()));
        let text = |node: NodeId| match tree.value(node) {
            Value::Str(text) => text.to_owned(),
            _ => tree.raw(node).to_owned(),
        };
        match (named, labels_at(path, kind)) {
            (Named::Value(whose, of, _), Some((it, true))) if it == *whose && plain(&key) == of => {
                found.push((entry.value, text(entry.value)));
            }
            (Named::Key(whose, _), Some((it, true))) if it == *whose => found.push((entry.key, plain(&key).to_owned())),
            (Named::Key(whose, _), Some((it, false))) if it == *whose && key == "key" => {
                found.push((entry.value, plain(&text(entry.value)).to_owned()));
            }
            (Named::Value(whose, of, _), Some((it, false))) if it == *whose && key == "values" => {
                let is_of_key = tree.get(node, "key").is_some_and(|it| plain(&text(it.value)) == of);
                found.extend(tree.items(entry.value).iter().filter(|_| is_of_key).map(|it| (*it, text(*it))));
            }
            (Named::Group(_), _) if key == "cidrGroupRef" => found.push((entry.value, text(entry.value))),
            (Named::Group(_), _) if kind == "CiliumCIDRGroup" && crate::cursor::spell(path) == "metadata.name" => {
                found.push((entry.value, text(entry.value)));
            }
            _ => {}
        }
        walk(tree, entry.value, kind, named, path, found);
        path.pop();
    }
    for (at, item) in tree.items(node).iter().enumerate() {
        path.push(Step::Item(at));
        walk(tree, *item, kind, named, path, found);
        path.pop();
    }
}

/// A key without its source.
fn plain(key: &str) -> &str {
    key.strip_prefix("k8s:").or_else(|| key.strip_prefix("any:")).unwrap_or(key)
}

/// The bytes of a scalar without its quotes, and of a key without its source.
fn inner(tree: &Tree, node: NodeId) -> Span {
    let span = tree.span(node);
    let raw = span.slice(tree.text());
    let bare = raw.trim_matches(['"', '\'']);
    let quotes = (raw.len() - bare.len()) as u32 / 2;
    let source = (bare.len() - plain(bare).len()) as u32;
    Span::new(span.start + quotes + source, span.end - quotes)
}

pub(crate) fn edit(file: source::FileId, tree: &Tree, node: NodeId, new: &str) -> Result<Edit, String> {
    let written =
        matches!(tree.style(node), ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    if !written || tree.target(node) != node {
        return Err("it is written by an alias or over several lines somewhere".into());
    }
    // Why: in quotes every word is a text, as every label is.
    let quoted = tree.style(node) != ScalarStyle::Plain;
    let is_word = syntax::parse(new, &Default::default()).documents().first().and_then(|it| it.root).is_some()
        && new.chars().next().is_some_and(|c| c.is_ascii_alphabetic())
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&new.to_lowercase().as_str());
    let replacement = if quoted || is_word { new.to_owned() } else { format!("\"{new}\"") };
    Ok(Edit { file, span: inner(tree, node), replacement })
}

/// Whether a word is one that a cluster takes.
fn check_word(named: &Named, new: &str) -> Result<(), String> {
    let is_name = |text: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        text.len() <= 63 && ends(text.chars().next()) && ends(text.chars().last()) && text.chars().all(inside)
    };
    let fits = match named {
        Named::Key(..) => {
            new.split_once('/').map_or_else(|| is_name(new), |(domain, name)| is_name(domain) && is_name(name))
        }
        Named::Value(..) => is_name(new),
        Named::Group(_) => is_name(new) && new.chars().all(|c| !c.is_ascii_uppercase() && c != '_'),
    };
    if fits { Ok(()) } else { Err(format!("`{new}` is none that a cluster takes")) }
}

/// Somebody of the snapshot with the name, whom no edit reaches.
fn unwritten(db: &Database, named: &Named) -> Option<String> {
    let cluster = db.project().cluster(db);
    match named {
        Named::Value(Whose::Pods, key, value) => {
            cluster.pods.values().find(|it| it.labels.get(key) == Some(value)).map(|it| format!("pod {}", it.name))
        }
        Named::Key(Whose::Pods, key) => {
            cluster.pods.values().find(|it| it.labels.contains_key(key)).map(|it| format!("pod {}", it.name))
        }
        Named::Value(_, key, _) | Named::Key(_, key) => {
            let namespaces = cluster.namespaces.values().map(|it| (&it.labels, format!("namespace {}", it.name)));
            let nodes = cluster.nodes.values().map(|it| (&it.labels, format!("node {}", it.name)));
            namespaces.chain(nodes).find(|(labels, _)| labels.contains_key(key)).map(|(_, who)| who)
        }
        Named::Group(name) => cluster.cidr_groups.get(name).map(|it| format!("group {}", it.name)),
    }
}

/// Whom each selector of each policy selects, by policy and path.
type Selected = BTreeMap<(String, String), BTreeSet<String>>;

/// Refuses edits after which a policy selects others than before.
fn selects_alike(db: &Database, edits: &[Edit]) -> Result<(), String> {
    let mut after = Database::new().with_stop(db.stop().clone());
    after.set_dialect(db.project().dialect(db));
    after.set_namespace(db.project().namespace(db));
    after.set_cluster((*db.project().cluster(db)).clone());
    after.set_heeded(db.project().heeded(db));
    let fix = Fix { title: String::new(), edits: edits.to_vec() };
    let mut texts = Vec::new();
    for file in db.files() {
        db.stop().check();
        let text = file.text(db).unwrap_or_default();
        let new = fix.apply(file.id(db), &text).ok_or("the places overlap")?;
        texts.push((Arc::from(file.path(db)), Arc::from(new)));
    }
    after.set_files(texts);
    for file in after.files() {
        after.stop().check();
        text::decoded(&after, file);
    }
    let (before, after) = (selected(db), selected(&after));
    match before.keys().chain(after.keys()).find(|it| before.get(*it) != after.get(*it)) {
        Some((object, path)) => Err(format!("`{path}` of {object} would select others than now")),
        None => Ok(()),
    }
}

fn selected(db: &Database) -> Selected {
    let population = Population::of(db);
    let mut found = Selected::new();
    for policy in world::index(db).values().flat_map(|policies| policies.iter()) {
        db.stop().check();
        for it in written(policy, |path| path.ends_with("Selector")).iter().filter(|it| !it.of_nodes) {
            let names = population.matching(&it.selector).map(object_name).collect();
            found.insert((policy.object.to_string(), it.path.clone()), names);
        }
    }
    found
}
