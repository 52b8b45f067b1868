//! What needs no flow: which manifests are accepted, which directions are in force, what is out of reach.

use super::scenario::{Party, Scenario};
use crate::engine::{Place, World, small_target};
use driver::text::{self, Role};
use driver::{Database, SourceFile};
use facts::Name;
use hir::Dialect;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A database that holds a scenario: its cluster as the snapshot, each manifest as a file of its own, in their order.
pub(super) fn database(scenario: &Scenario, dialect: &'static Dialect) -> Database {
    let mut db = Database::new();
    db.set_dialect(dialect);
    db.set_target(small_target());
    db.set_cluster(scenario.cluster.clone());
    let file = |(at, text): (usize, &String)| {
        let text = if drops_fields(text, dialect) { "" } else { text.as_str() };
        (Arc::from(path(at)), Arc::from(text))
    };
    db.set_files(scenario.manifests.iter().enumerate().map(file));
    db
}

/// Whether a manifest of a custom kind has fields that an API server drops. Whoever made the tables asked for strict validation, which
/// refuses such an object, so that it takes no part.
fn drops_fields(text: &str, dialect: &Dialect) -> bool {
    let tree = syntax::parse(text, &syntax::Limits::default());
    let roots = tree.documents().iter().filter_map(|document| document.root);
    let decoded = roots.flat_map(|root| kinds::decode(&tree, root, "default", dialect));
    let dropped = |it: &kinds::Problem| matches!(it.kind, kinds::ProblemKind::UnknownField { .. });
    let custom = |it: &kinds::Decoded| it.object.kind != "NetworkPolicy";
    decoded.filter(custom).any(|it| it.problems.iter().any(dropped))
}

/// Files are read in the order of their paths, so numbers have leading zeroes.
fn path(at: usize) -> String {
    format!("{at:06}.yaml")
}

/// The fields that are right and that no stage takes yet. Empty: the scenario is within reach.
pub(super) fn out_of_reach(db: &Database) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for file in db.files() {
        for object in text::decoded(db, file).objects.iter() {
            let reach = object.problems.iter().filter(|problem| problem.stage == kinds::Stage::Reach);
            fields.extend(reach.map(|problem| format!("{} {}", object.object.kind, problem.path)));
        }
    }
    fields
}

/// Differences in what is accepted.
pub(super) fn manifests(scenario: &Scenario, db: &Database) -> Vec<String> {
    let mut wrong = Vec::new();
    if scenario.accepted.len() != scenario.manifests.len() {
        wrong.push("the table expects another number of manifests than there are".to_owned());
    }
    for (at, expected) in scenario.accepted.iter().enumerate() {
        let ours = db.file_at(&path(at)).is_some_and(|file| accepted(db, file));
        if ours != *expected {
            let words = |accepted| if accepted { "accepted" } else { "rejected" };
            wrong.push(format!("manifest {at}: expected {}, is {}", words(*expected), words(ours)));
        }
    }
    wrong
}

fn accepted(db: &Database, file: SourceFile) -> bool {
    let decoded = text::decoded(db, file);
    let rejecting = |object: &text::Object| {
        object.problems.iter().any(|problem| problem.consequence == kinds::Consequence::Rejected)
    };
    let refused = decoded.objects.iter().any(|object| object.role == Role::Rejected || rejecting(object));
    text::tree(db, file).problems().is_empty() && !decoded.objects.is_empty() && !refused
}

/// Differences in which directions are in force.
pub(super) fn enforcement(scenario: &Scenario, world: &World<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, expected) in &scenario.enforcement {
        let Some(place) = place_named(world, name) else {
            wrong.push(format!("{name}: expected `{expected}` in force, and nothing is enforced there"));
            continue;
        };
        let bound = world.bound(&place.class);
        let ours: String = [(bound.ingress.in_force, 'I'), (bound.egress.in_force, 'E')]
            .into_iter()
            .filter_map(|(in_force, letter)| in_force.then_some(letter))
            .collect();
        if ours != *expected {
            wrong.push(format!("{name}: expected `{expected}` in force, is `{ours}`"));
        }
    }
    let named = scenario.enforcement.keys().chain(&scenario.policy_errors).collect::<BTreeSet<_>>();
    for name in named {
        let failed = place_named(world, name).is_some_and(|place| !world.bound(&place.class).conflicts.is_empty());
        if failed != scenario.policy_errors.contains(name) {
            let words = if failed { "cannot be computed" } else { "is computed" };
            wrong.push(format!("{name}: expected the opposite, the policy {words}"));
        }
    }
    wrong
}

fn place_named(world: &World<'_>, name: &str) -> Option<Place> {
    match name.split_once(':')? {
        ("pod", name) => {
            let (namespace, name) = name.split_once('/')?;
            world.pod(&Name::new(namespace, name))
        }
        ("node", name) => world.node(name),
        _ => None,
    }
}

/// The subject that a party is; `None` where nothing is enforced.
pub(super) fn place(world: &World<'_>, party: &Party) -> Option<Place> {
    match party {
        Party::Pod(name) => world.pod(name),
        Party::Node(name) => world.node(name),
        Party::Address(_) | Party::Entity(_) => None,
    }
}
