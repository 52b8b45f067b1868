//! Whether another reading answers the same question otherwise, and because of which switches.

use crate::party::Party;
use crate::trace::{Outcome, Question, Side, Stand, Trace};
use crate::world::World;
use driver::text::{self, Role};
use driver::{Db, SourceFile, world};
use flow::{Action, Auth};
use hir::dialect::Switch;
use hir::subject;
use hir::{Dialect, ObjectRef, Policy};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Another reading that answers otherwise, or that takes other policies for the same ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the other reading is called: `cilium` for the newest of Cilium beside the standard one.
    pub under: &'static str,
    /// What it answers.
    pub outcome: Outcome,
    /// What it says of egress at the source and of ingress at the destination.
    pub sides: [Outcome; 2],
    /// The ids of the switches that alone make the difference; where none does alone, of a smallest set that does together.
    pub because: Vec<&'static str>,
    /// Policies about these ends that only the other reading refuses.
    pub refused: Vec<ObjectRef>,
    /// Policies about these ends that only the other reading accepts.
    pub accepted: Vec<ObjectRef>,
}

/// With which readings an answer is compared: the standard one with the newest of Cilium; a Cilium one with the standard one, and where
/// it was asked for by its name with its neighbours: the other release, and what it is without its bugs.
///
/// Shape: what each is called, and the reading.
pub fn counterparts(dialect: &Dialect, asked: bool) -> Vec<(&'static str, &'static Dialect)> {
    if *dialect == Dialect::STANDARD {
        return vec![("cilium", &Dialect::CILIUM_1_20)];
    }
    let mut others = vec![(Dialect::STANDARD.name, &Dialect::STANDARD)];
    let neighbours: [&'static Dialect; 2] = match dialect.name {
        "cilium-1.19" => [&Dialect::CILIUM_1_20; 2],
        "cilium-1.20" => [&Dialect::CILIUM_1_19; 2],
        "cilium-1.19+exact" => [&Dialect::CILIUM_1_19, &Dialect::CILIUM_1_20_EXACT],
        "cilium-1.20+exact" => [&Dialect::CILIUM_1_20, &Dialect::CILIUM_1_19_EXACT],
        _ => return others,
    };
    if asked {
        others.extend(neighbours.map(|other| (other.name, other)));
        others.dedup();
    }
    others
}

/// Every reading of [`counterparts`] that answers otherwise than `trace` does.
///
/// Cost: for each of them the policies about the two ends are decoded once more, and once for each switch where the answers differ.
pub fn differences(db: &dyn Db, question: &Question, trace: &Trace, asked: bool) -> Vec<Difference> {
    let here = db.project().dialect(db);
    let others = counterparts(here, asked).into_iter();
    others.filter_map(|(under, other)| difference(db, question, trace, (under, other))).collect()
}

fn difference(
    db: &dyn Db,
    question: &Question,
    trace: &Trace,
    (under, other): (&'static str, &'static Dialect),
) -> Option<Difference> {
    let here = db.project().dialect(db);
    let files = files_in_play(db, question, other);
    let answer = |dialect: &Dialect| {
        let policies = policies_of(db, &files, dialect);
        World::under(db, question, dialect, policies).trace(question)
    };
    let there = answer(other);
    let (refused, accepted) = acceptance(db, &files, question, other);
    let differs = |other: &Trace| signature(trace) != signature(other);
    let (outcome, sides) = (there.outcome(), [there.egress.outcome(), there.ingress.outcome()]);
    if !differs(&there) {
        let none = refused.is_empty() && accepted.is_empty();
        let because = if none { Vec::new() } else { accepting(db, &files, question, other) };
        return (!none).then_some(Difference { under, outcome, sides, because, refused, accepted });
    }
    let switches: Vec<&Switch> = here.differing(other).collect();
    let alone = |switch: &&&Switch| differs(&answer(&here.with(switch, other)));
    let mut because: Vec<&Switch> = switches.iter().filter(alone).copied().collect();
    if because.is_empty() {
        because = smallest(here, other, &switches, &|dialect| differs(&answer(dialect)));
    }
    let because = because.into_iter().map(|switch| switch.id).collect();
    Some(Difference { under, outcome, sides, because, refused, accepted })
}

/// A set of switches that makes the difference and of which none can be left out.
fn smallest<'s>(
    here: &Dialect,
    other: &Dialect,
    switches: &[&'s Switch],
    differs: &dyn Fn(&Dialect) -> bool,
) -> Vec<&'s Switch> {
    let mut kept: Vec<&Switch> = switches.to_vec();
    for switch in switches {
        let fewer: Vec<&Switch> = kept.iter().filter(|it| it.id != switch.id).copied().collect();
        if differs(&fewer.iter().fold(here.clone(), |dialect, switch| dialect.with(switch, other))) {
            kept = fewer;
        }
    }
    kept
}

/// What an answer comes to, so that answers under readings that tell other peers apart can be compared.
fn signature(trace: &Trace) -> [(Outcome, Verdicts); 2] {
    [&trace.egress, &trace.ingress].map(|side| (side.outcome(), verdicts(side)))
}

/// Whether a flow passes, whether through a proxy, and what must hold first; for each peer that the other end can be.
type Verdicts = BTreeSet<(bool, bool, Option<Auth>)>;

fn verdicts(side: &Side) -> Verdicts {
    let Stand::Decided(rows) = &side.stand else { return [(true, false, None)].into() };
    rows.iter()
        .map(|row| {
            let proxied = matches!(row.verdict.action, Action::Redirect(_));
            let auth = Some(row.verdict.auth).filter(|auth| *auth != Auth::Disabled);
            (row.verdict.is_allowed(), proxied, auth)
        })
        .collect()
}

/// The files that hold policies about an end under either reading, and those with refused ones.
fn files_in_play(db: &dyn Db, question: &Question, other: &Dialect) -> Vec<SourceFile> {
    let classes = classes(db, question, other);
    let buckets = db.project().buckets(db);
    let files = buckets.iter().flat_map(|bucket| bucket.files(db).to_vec());
    let plays = |file: &SourceFile| {
        let decoded = text::decoded(db, *file);
        let refused = decoded.objects.iter().any(|object| object.role == Role::Rejected);
        refused || decoded.policies.iter().any(|policy| about(policy, &classes))
    };
    files.filter(plays).collect()
}

/// The classes of both ends under both readings.
fn classes(db: &dyn Db, question: &Question, other: &Dialect) -> Vec<subject::Class> {
    let here = db.project().dialect(db);
    let worlds = [here, other].map(|dialect| World::under(db, question, dialect, Vec::new()));
    let ends: [&Party; 2] = [&question.source, &question.destination];
    let class = |world: &World<'_>, at: usize| world.class(ends[at], &world.pods[at]).ok().map(|(class, _)| class);
    worlds.iter().flat_map(|world| [class(world, 0), class(world, 1)]).flatten().collect()
}

fn about(policy: &Policy, classes: &[subject::Class]) -> bool {
    policy.sections.iter().any(|section| classes.iter().any(|class| subject::selects(section, class)))
}

/// The policies of some files under a reading; of an object that stands twice, the last.
fn policies_of(db: &dyn Db, files: &[SourceFile], dialect: &Dialect) -> Vec<Arc<Policy>> {
    let mut latest = BTreeMap::new();
    for file in files {
        for policy in text::decoded_under(db, *file, dialect).policies.iter() {
            latest.insert(policy.object.clone(), policy.clone());
        }
    }
    let config = &world::cluster(db).config;
    latest.into_values().filter(|policy| hir::refusal::refusals(policy, config, dialect).is_empty()).collect()
}

/// The policies about the ends that only the other reading refuses, and those that only it accepts.
fn acceptance(
    db: &dyn Db,
    files: &[SourceFile],
    question: &Question,
    other: &Dialect,
) -> (Vec<ObjectRef>, Vec<ObjectRef>) {
    let here = db.project().dialect(db);
    let classes = classes(db, question, other);
    let taken = |dialect: &Dialect| -> BTreeSet<ObjectRef> {
        let policies = policies_of(db, files, dialect).into_iter().filter(|policy| about(policy, &classes));
        policies.map(|policy| policy.object.clone()).collect()
    };
    let (mine, theirs) = (taken(here), taken(other));
    (mine.difference(&theirs).cloned().collect(), theirs.difference(&mine).cloned().collect())
}

/// The switches that alone change which policies are accepted.
fn accepting(db: &dyn Db, files: &[SourceFile], question: &Question, other: &Dialect) -> Vec<&'static str> {
    let here = db.project().dialect(db);
    let changes = |switch: &&Switch| acceptance(db, files, question, &here.with(switch, other)) != (vec![], vec![]);
    here.differing(other).filter(changes).map(|switch| switch.id).collect()
}
