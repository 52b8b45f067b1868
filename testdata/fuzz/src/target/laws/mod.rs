//! Changes of a cluster that must not change what it means, or only in one direction.
//!
//! | law | change | what must hold |
//! | --- | --- | --- |
//! | `lists` | lists inside policies in another order | no verdict changes |
//! | `ties` | policies of equal priority exchange their names and their places | no verdict changes |
//! | `allow` | one more allow of the Normal tier | no allow of a direction that was isolated becomes a deny |
//! | `deny` | one more deny | no deny becomes an allow |
//! | `mention` | one more policy that selects nobody and mentions prefixes | no verdict changes |
//! | `identities` | a label selector becomes the list of the label sets that it selects | no verdict changes |
//! | `ranges` | a range of ports becomes its ports | no verdict changes, but of subjects whose proxies then meet on one port: a range is a port of its own to Cilium |

mod change;
mod selectors;

use super::hold;
use crate::answers::{addresses, answers, first_difference, keys, words};
use crate::case::{Options, World};
use crate::generate::{self, cluster};
use crate::random::Random;
use crate::value::Value;
use driver::Database;
use flow::Direction;
use hir::subject::Subject;
use std::collections::BTreeSet;

/// How many keys are asked of each subject and address.
const KEYS: usize = 48;

pub(super) fn generate(random: &mut Random) -> String {
    let (options, documents) = cluster::world(random);
    let documents: Vec<String> = documents.iter().map(Value::document).collect();
    World::write(&options, &documents)
}

/// A world as values, and what it answers.
struct Before {
    options: Options,
    documents: Vec<Value>,
    db: Database,
}

pub(super) fn check(text: &str) -> Result<(), String> {
    let world = World::read(text);
    let documents: Vec<Value> = world.documents.iter().map(|document| value(document)).collect();
    let before = Before { db: database(&world.options, &documents), options: world.options, documents };
    let mut random = Random::of_text(text);
    let mut shuffled = before.documents.clone();
    change::shuffle_lists(&mut shuffled, &mut random);
    same("lists", &before, shuffled)?;
    same("mention", &before, with(&before, change::mentions(&mut random)))?;
    if !before.options.dialect.negative_selectors_match_world {
        let mut listed = before.documents.clone();
        if selectors::list_identities(&mut listed) {
            same("identities", &before, listed)?;
        }
    }
    let mut expanded = before.documents.clone();
    if change::expand_ranges(&mut expanded) {
        let after = database(&before.options, &expanded);
        let (mut met, met_before) = (contradictory(&after), contradictory(&before.db));
        met.retain(|subject| !met_before.contains(subject));
        alike("ranges", &before.db, &after, &met)?;
    }
    allow(&before, &mut random)?;
    deny(&before, &mut random)?;
    ties(&before, &mut random)
}

/// How many policies of tiers a world has at least where the law of ties is asked.
const TIED: usize = 3;

fn ties(before: &Before, random: &mut Random) -> Result<(), String> {
    let added = (0..TIED).map(|at| generate::ordered_policy(&format!("tied{at}"), before.options.dialect, random));
    let mut documents = with(before, added.collect());
    change::tie(&mut documents);
    let tied = Before { db: database(&before.options, &documents), options: before.options.clone(), documents };
    let mut exchanged = tied.documents.clone();
    change::exchange_ties(&mut exchanged, random);
    same("ties", &tied, exchanged)
}

fn value(document: &str) -> Value {
    let tree = syntax::parse(document, &syntax::Limits::default());
    let root = tree.documents().first().and_then(|document| document.root);
    root.map_or(Value::Null, |root| Value::of_tree(&tree, root))
}

fn database(options: &Options, documents: &[Value]) -> Database {
    let documents: Vec<String> = documents.iter().map(Value::document).collect();
    let order: Vec<usize> = (0..documents.len()).collect();
    World { options: options.clone(), documents }.database(&order)
}

fn with(before: &Before, more: Vec<Value>) -> Vec<Value> {
    before.documents.iter().cloned().chain(more).collect()
}

/// What two worlds are asked: every key of both, thinned out where there are many.
fn questions(one: &Database, other: &Database) -> (BTreeSet<std::net::IpAddr>, BTreeSet<flow::L4Key>) {
    let keys: Vec<flow::L4Key> = keys(one).union(&keys(other)).copied().collect();
    let step = keys.len().div_ceil(KEYS).max(1);
    let addresses = addresses(one).union(&addresses(other)).copied().collect();
    (addresses, keys.into_iter().step_by(step).collect())
}

fn same(law: &str, before: &Before, documents: Vec<Value>) -> Result<(), String> {
    alike(law, &before.db, &database(&before.options, &documents), &BTreeSet::new())
}

/// Whether two worlds answer alike, subjects that are let off aside.
fn alike(law: &str, before: &Database, after: &Database, let_off: &BTreeSet<Subject>) -> Result<(), String> {
    let (addresses, keys) = questions(before, after);
    let answers = |db| {
        let mut answers = answers(db, &addresses, &keys);
        answers.retain(|(subject, ..), _| !let_off.contains(subject));
        answers
    };
    match first_difference(&answers(before), &answers(after)) {
        Some(difference) => Err(format!("{law}: {difference}")),
        None => Ok(()),
    }
}

/// The subjects whose policy cannot be computed, since clauses contradict each other.
fn contradictory(db: &Database) -> BTreeSet<Subject> {
    let world = runner::engine::World::new(db);
    let places = world.places();
    let contradicts = |place: &&runner::engine::Place| !world.bound(&place.class).conflicts.is_empty();
    places.iter().filter(contradicts).map(|place| place.subject.clone()).collect()
}

fn allow(before: &Before, random: &mut Random) -> Result<(), String> {
    let after = database(&before.options, &with(before, vec![change::one_allow(random)]));
    let (addresses, keys) = questions(&before.db, &after);
    let isolated = isolated(&before.db);
    let now = answers(&after, &addresses, &keys);
    for (flow, (verdict, _)) in answers(&before.db, &addresses, &keys) {
        let counts = verdict.is_allowed() && isolated.contains(&(flow.0.clone(), flow.1));
        let lost = counts && now.get(&flow).is_none_or(|(verdict, _)| !verdict.is_allowed());
        hold!(!lost, "allow: one more allow denies {}", words(&flow));
    }
    Ok(())
}

fn deny(before: &Before, random: &mut Random) -> Result<(), String> {
    let after = database(&before.options, &with(before, vec![change::one_deny(random)]));
    let (addresses, keys) = questions(&before.db, &after);
    let now = answers(&after, &addresses, &keys);
    for (flow, (verdict, _)) in answers(&before.db, &addresses, &keys) {
        let won = !verdict.is_allowed() && now.get(&flow).is_some_and(|(verdict, _)| verdict.is_allowed());
        hold!(!won, "deny: one more deny allows {}", words(&flow));
    }
    Ok(())
}

/// The directions that something isolates.
fn isolated(db: &Database) -> BTreeSet<(Subject, Direction)> {
    let world = runner::engine::World::new(db);
    let mut found = BTreeSet::new();
    for place in world.places() {
        let bound = world.bound(&place.class);
        for direction in Direction::BOTH {
            if !bound.direction(direction).isolated_by.is_empty() {
                found.insert((place.subject.clone(), direction));
            }
        }
    }
    found
}
