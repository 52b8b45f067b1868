//! From the name of a port to the container that has it.

use checks::{Candidate, Population};
use driver::{Database, locate, text};
use source::Span;

use crate::here::Here;
use crate::hover::{destinations, item};
use crate::selectors::object_name;
use crate::targets::{Target, labels_path, target};

/// Where the port of a name is declared: of a rule by those at its far end, of a Service by whom it selects.
pub(crate) fn definition(db: &Database, here: &Here, name: &str, origin: Span) -> Vec<Target> {
    let population = Population::of(db);
    let far: Vec<&Candidate> = match here.policy(db) {
        Some(policy) => match item(&policy, &here.path_text()) {
            Some((section, entry, _)) => destinations(&population, section, entry),
            None => return Vec::new(),
        },
        None => behind(db, here, &population),
    };
    let has = |it: &&Candidate| it.pod.ports.iter().any(|port| port.name == name);
    far.into_iter().filter(has).filter_map(|it| of_candidate(db, it, name, origin)).collect()
}

/// Whom the Service around a place selects.
fn behind<'p>(db: &Database, here: &Here, population: &'p Population) -> Vec<&'p Candidate> {
    let Some((_, object)) = here.object(db).filter(|(_, it)| it.object.kind == "Service") else { return Vec::new() };
    let name = facts::Name::new(object.object.namespace, object.object.name);
    let Some(service) = population.cluster.services.get(&name) else { return Vec::new() };
    selected(population, service).collect()
}

/// The pods that a Service selects, and those that workloads would make.
pub(crate) fn selected<'p>(
    population: &'p Population,
    service: &'p facts::Service,
) -> impl Iterator<Item = &'p Candidate> {
    population.pods().filter(|it| {
        let has = |(key, value): (&String, &String)| it.pod.labels.get(key) == Some(value);
        it.pod.name.namespace == service.name.namespace
            && !service.selector.is_empty()
            && service.selector.iter().all(has)
    })
}

fn of_candidate(db: &Database, candidate: &Candidate, name: &str, origin: Span) -> Option<Target> {
    let object = object_name(candidate);
    let (file, found) = locate::object(db, &object)?;
    let tree = text::tree(db, file);
    let root = tree.documents().get(found.document)?.root?;
    let spec = match labels_path(candidate.made_by) {
        "metadata.labels" => "spec".to_owned(),
        labels => labels.replace("metadata.labels", "spec"),
    };
    let lists = ["containers", "initContainers"].map(|list| format!("{spec}.{list}"));
    let count = |path: &str| tree.find(root, &found.path(path)).map_or(0, |it| tree.items(it).len());
    let containers = lists.iter().flat_map(|list| (0..count(list)).map(move |at| format!("{list}[{at}].ports")));
    let ports = containers.flat_map(|ports| {
        let many = count(&ports);
        (0..many).map(move |at| format!("{ports}[{at}].name"))
    });
    let is_it = |path: &String| {
        let node = tree.find(root, &found.path(path));
        node.is_some_and(|it| matches!(tree.value(it), syntax::Value::Str(text) if text.eq_ignore_ascii_case(name)))
    };
    let path = ports.into_iter().find(is_it)?;
    target(db, &object, &path, origin)
}
