//! Renames a Service with the rules that name it, where nothing else may.
//!
//! Objects of any kind can name a Service, in fields of their own and within addresses. Those of policies are known; wherever else the name
//! stands and could be meant, it is refused, with the place.

use diag::Edit;
use driver::{Database, Db, SourceFile, text, world};
use facts::Name;
use source::Span;
use syntax::{NodeId, Tree, Value};

use crate::At;
use crate::cursor::{Step, spell};
use crate::here::Here;
use crate::rename::edit;

/// The label by which an EndpointSlice names its Service.
const OF_SERVICE: &str = "kubernetes.io/service-name";
/// Fields that name something else, whatever object they are in.
const OTHERS: [&str; 5] = ["namespace", "image", "kind", "apiVersion", "serviceAccountName"];

/// The Service that the word at a place names, with its bytes.
pub(crate) fn named(db: &Database, at: At) -> Option<(Span, Name)> {
    let here = Here::new(db, at)?;
    let (_, object) = here.object(db)?;
    let name = here.text(&here.path_text())?.to_owned();
    let is_key =
        here.tree.parent(here.node).is_some_and(|it| here.tree.entries(it).iter().any(|it| it.key == here.node));
    if is_key || here.tree.raw(here.node) != name {
        return None;
    }
    if object.object.kind == "Service" && here.path_text() == "metadata.name" {
        return Some((here.span(), Name::new(object.object.namespace, name)));
    }
    let [.., Step::Key(of), Step::Key(key)] = here.path.as_slice() else { return None };
    let namespace = here.text(&format!("{}.namespace", here.path_text().trim_end_matches(".serviceName")));
    let is_it = |it: &&Name| it.name == name && namespace.is_none_or(|there| there.is_empty() || there == it.namespace);
    let cluster = world::cluster(db);
    let mut services = cluster.services.keys().filter(is_it);
    let (found, other) = (services.next()?, services.next());
    (of == "k8sService" && key == "serviceName" && other.is_none()).then(|| (here.span(), found.clone()))
}

/// What gives a Service another name. Errors: why that cannot be done, in words. Cost: all files are read that hold the name.
pub(crate) fn rename(db: &Database, service: &Name, new: &str) -> Result<Vec<Edit>, String> {
    let is_short = new.len() <= 63 && new.starts_with(|c: char| c.is_ascii_lowercase()) && !new.ends_with('-');
    if !is_short || !new.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err(format!("`{new}` is none that a cluster takes"));
    }
    let taken = Name::new(service.namespace.clone(), new);
    if world::cluster(db).services.contains_key(&taken) {
        return Err(format!("Service {}/{new} is there already: the two would be one", service.namespace));
    }
    if db.project().cluster(db).services.contains_key(service) {
        return Err(format!("Service {service} is in the cluster and would stay"));
    }
    let mut edits = Vec::new();
    for file in db.files() {
        db.stop().check();
        for node in seek(db, file, service)? {
            edits.push(edit(file.id(db), &text::tree(db, file), node, new)?);
        }
        if !seek(db, file, &taken)?.is_empty() {
            return Err(format!("`{new}` is there already, in `{}`: the two would be one", file.path(db)));
        }
    }
    edits.sort();
    edits.dedup();
    Ok(edits)
}

/// Where a file names a Service, be it there or not. Errors: where that cannot be told.
fn seek(db: &Database, file: SourceFile, service: &Name) -> Result<Vec<NodeId>, String> {
    let name = &service.name;
    if !mentions(&file.text(db).unwrap_or_default(), name) {
        return Ok(Vec::new());
    }
    let (tree, decoded, path) = (text::tree(db, file), text::decoded(db, file), file.path(db));
    let unseen = || format!("`{path}` holds `{name}`, and it cannot be seen what it means there");
    let mut found = Vec::new();
    for (at, document) in tree.documents().iter().enumerate() {
        if !document.sound {
            return Err(unseen());
        }
        let Some(root) = document.root else { continue };
        let objects: Vec<_> = decoded.objects.iter().filter(|it| it.document == at).collect();
        let mut seeker = Seeker { db, tree: &tree, service, found: Vec::new(), doubt: None };
        for object in &objects {
            if let Some(node) = tree.find(root, &object.at) {
                seeker.walk(node, &object.object, &mut Vec::new());
            }
        }
        if objects.is_empty() && mentions(document.span.slice(tree.text()), name) {
            return Err(unseen());
        }
        if let Some((object, place)) = seeker.doubt {
            return Err(format!("`{place}` of {object} in `{path}` may mean Service {service}, too"));
        }
        found.extend(seeker.found);
    }
    Ok(found)
}

/// Whether a text holds a word.
fn mentions(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').any(|it| it == word)
}

/// Looks for the name of a Service in an object.
struct Seeker<'a> {
    db: &'a Database,
    tree: &'a Tree,
    service: &'a Name,
    /// Where it is meant.
    found: Vec<NodeId>,
    /// Where it may be meant: the object, and the path.
    doubt: Option<(String, String)>,
}

impl Seeker<'_> {
    fn walk(&mut self, node: NodeId, object: &hir::ObjectRef, path: &mut Vec<Step>) {
        let tree = self.tree;
        match tree.value(node) {
            Value::Mapping(entries) => {
                for entry in entries {
                    path.push(Step::Key(tree.key(entry.key).into_owned()));
                    self.walk(entry.value, object, path);
                    path.pop();
                }
            }
            Value::Sequence(items) => {
                for (at, item) in items.iter().enumerate() {
                    path.push(Step::Item(at));
                    self.walk(*item, object, path);
                    path.pop();
                }
            }
            Value::Str(text) if mentions(text, &self.service.name) => self.judge(node, object, path),
            _ => {}
        }
    }

    /// What the name means at a path of an object.
    fn judge(&mut self, node: NodeId, object: &hir::ObjectRef, path: &[Step]) {
        let keys: Vec<&str> =
            path.iter().filter_map(|it| if let Step::Key(key) = it { Some(key.as_str()) } else { None }).collect();
        let text = spell(path);
        let is_own =
            object.kind == "Service" && object.namespace == self.service.namespace && object.name == self.service.name;
        match keys.as_slice() {
            ["metadata", "name"] if is_own => self.found.push(node),
            // Those are named after their Service.
            ["metadata", "name"] if !["Endpoints", "EndpointSlice"].contains(&object.kind.as_str()) => {}
            [.., "k8sService", "serviceName"] => match self.of_policy(node) {
                Some(true) => self.found.push(node),
                Some(false) => {}
                None => self.doubt = Some((object.to_string(), text)),
            },
            ["metadata", "labels", OF_SERVICE]
                if object.kind == "EndpointSlice" && object.namespace != self.service.namespace => {}
            [.., OF_SERVICE] => self.doubt = Some((object.to_string(), text)),
            [.., "containers" | "initContainers" | "ports" | "volumes", "name"] => {}
            [.., "metadata", "labels", _] | [.., "matchLabels", _] | [.., "matchExpressions", "key" | "values"] => {}
            ["spec", "selector", _] if object.kind == "Service" => {}
            [.., last] if OTHERS.contains(last) => {}
            _ => self.doubt = Some((object.to_string(), text)),
        }
    }

    /// Whether a rule names this Service; `None` where it names one of every namespace, and there are others.
    fn of_policy(&self, node: NodeId) -> Option<bool> {
        let holder = self.tree.parent(node)?;
        let namespace = self.tree.get(holder, "namespace").map(|it| self.tree.value(it.value));
        match namespace {
            Some(Value::Str(namespace)) if !namespace.is_empty() => Some(namespace == self.service.namespace),
            _ => {
                let cluster = world::cluster(self.db);
                let others = cluster.services.keys().filter(|it| it.name == self.service.name && *it != self.service);
                (others.count() == 0).then_some(true)
            }
        }
    }
}
