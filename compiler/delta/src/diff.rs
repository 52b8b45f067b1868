//! The whole comparison of two databases.

use crate::ends::rows;
use crate::group::group;
use crate::guess::{Guess, guesses};
use crate::names::Names;
use crate::rows::{Change, sort};
use crate::side::{Edit, Side, policies_of_nodes_differ};
use crate::suppose::{differing, suppose};
use crate::world::World;
use diagram::TooLarge;
use driver::Database;
use hir::ObjectRef;
use kinds::Engine;
use std::collections::BTreeSet;

/// What would have to be known of whether nodes enforce policies.
const HOST_FIREWALL: &str = "setting enable-host-firewall";

/// Everything that two sides decide otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// The worst first; empty exactly when nothing changes.
    pub changes: Vec<Change>,
    /// Whoever only one side has.
    pub apart: Apart,
    /// Policies that a cluster refuses: on the old side, on the new one.
    pub rejected: [Vec<ObjectRef>; 2],
    /// Clauses that differ and that this build does not evaluate, each as object and path.
    pub unevaluated: Vec<(ObjectRef, String)>,
    /// Policies of other engines that differ: they may allow or deny anything, and are not evaluated.
    pub foreign: Vec<(Engine, ObjectRef)>,
    /// Policies of egress gateways that differ: they choose routes, which are not compared.
    pub gateways: Vec<ObjectRef>,
    /// Whether selectors can meet on a pod that no file tells of in more ways than were compared.
    pub is_cut: bool,
    /// How many policies take part: on the old side, on the new one.
    pub policies: [usize; 2],
}

/// Subjects that one side alone has. Their flows are compared as if both had them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// Those of the old side.
    pub only_old: Vec<String>,
    /// Those of the new side.
    pub only_new: Vec<String>,
}

/// Compares two databases.
///
/// Errors: a limit of diagrams. Cost: what is read, once a side; of classes of subjects only those whose policies differ.
pub fn diff(old: &Database, new: &Database) -> Result<Delta, TooLarge> {
    let (old, new) = std::thread::scope(|scope| {
        let other = old.clone();
        let old = scope.spawn(move || Side::of(&other));
        let new = Side::of(new);
        // A panic over there is one here.
        (old.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), new)
    });
    between(old, new)
}

/// Compares what a database would hold with other texts of some files, the old side, with what it holds.
///
/// Errors: as [`diff`].
pub fn diff_from(old: &[Edit], new: &Database) -> Result<Delta, TooLarge> {
    between(Side::after(new, old), Side::of(new))
}

fn between(old: Side, new: Side) -> Result<Delta, TooLarge> {
    let mut delta = Delta {
        rejected: [old.rejected.clone(), new.rejected.clone()],
        policies: [old.all().count(), new.all().count()],
        unevaluated: unevaluated(&old, &new),
        foreign: foreign(&old, &new),
        gateways: gateways(&old, &new),
        ..Delta::default()
    };
    let guesses = guesses(&old, &new);
    let others: Vec<(Side, Side)> = guesses.iter().map(|guess| (guess.made(&old), guess.made(&new))).collect();
    let nodes = with_nodes(&old, &new);
    let (names, changes) = compare(old, new)?;
    (delta.apart, delta.is_cut) = (apart(&names), names.supposed.is_cut);
    let mut worlds = Vec::new();
    for (old, new) in others {
        worlds.push(compare(old, new)?.1);
    }
    delta.changes = joined(changes, worlds, &guesses);
    if let Some((old, new)) = nodes {
        let found = found(old, new, |unit, world| world.is_host(unit))?.1;
        let missing = || BTreeSet::from([HOST_FIREWALL.to_owned()]);
        delta.changes.extend(found.into_iter().map(|change| Change { missing: missing(), ..change }));
        sort(&mut delta.changes);
    }
    Ok(delta)
}

/// Both sides with nodes that enforce policies, where policies of nodes differ and no file says whether nodes do.
fn with_nodes(old: &Side, new: &Side) -> Option<(Side, Side)> {
    let unsaid = |side: &Side| side.partial && !side.cluster.config.host_firewall;
    let is_asked = unsaid(old) && unsaid(new) && policies_of_nodes_differ(old, new);
    is_asked.then(|| (old.clone().with_host_firewall(), new.clone().with_host_firewall()))
}

pub(crate) fn compare(old: Side, new: Side) -> Result<(Names, Vec<Change>), TooLarge> {
    found(old, new, |_, _| true)
}

/// What differs for the units that are wanted.
fn found(
    mut old: Side,
    mut new: Side,
    wanted: impl Fn(usize, &World) -> bool,
) -> Result<(Names, Vec<Change>), TooLarge> {
    let supposed = suppose(&mut old, &mut new);
    let world = World::of(old, new, supposed);
    let mut rows = rows(&world, false)?;
    rows.retain(|row| wanted(row.unit, &world));
    let changes = group(&world, rows);
    Ok((world.names, changes))
}

fn apart(names: &Names) -> Apart {
    let side = |wanted: bool| {
        let pods = names.supposed.one_sided.iter().filter(|(_, new)| **new == wanted);
        let labels: BTreeSet<String> = pods.map(|(name, _)| names.subject(&hir::Subject::Pod(name.clone()))).collect();
        labels.into_iter().collect()
    };
    Apart { only_old: side(false), only_new: side(true) }
}

/// Clauses that are not evaluated, of policies that differ.
fn unevaluated(old: &Side, new: &Side) -> Vec<(ObjectRef, String)> {
    if old.closed.is_empty() && new.closed.is_empty() {
        return Vec::new();
    }
    let differing: BTreeSet<ObjectRef> = differing(old, new).iter().map(|policy| policy.object.clone()).collect();
    let closed = old.closed.iter().chain(&new.closed).filter(|(object, _)| differing.contains(object));
    closed.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The policies of other engines that are not the same on both sides.
pub(crate) fn foreign(old: &Side, new: &Side) -> Vec<(Engine, ObjectRef)> {
    let named: BTreeSet<_> = old.foreign.keys().chain(new.foreign.keys()).collect();
    named.into_iter().filter(|it| old.foreign.get(*it) != new.foreign.get(*it)).cloned().collect()
}

/// The policies of egress gateways that are not the same on both sides.
pub(crate) fn gateways(old: &Side, new: &Side) -> Vec<ObjectRef> {
    let differs = |one: &Side, other: &Side| -> Vec<ObjectRef> {
        let gone = one.gateways.iter().filter(|policy| !other.gateways.contains(policy));
        gone.map(|policy| policy.object.clone()).collect()
    };
    let both: BTreeSet<ObjectRef> = differs(old, new).into_iter().chain(differs(new, old)).collect();
    both.into_iter().collect()
}

/// Joins what is found with what would be found if namespaces had some labels: what is not found everywhere is uncertain.
fn joined(mut changes: Vec<Change>, worlds: Vec<Vec<Change>>, guesses: &[Guess]) -> Vec<Change> {
    let mut seen: Vec<Change> = changes.clone();
    for (world, guess) in worlds.into_iter().zip(guesses) {
        let missing = || guess.missing();
        for change in changes.iter_mut().filter(|change| !world.contains(change) && !is_supposed(change)) {
            // Compared without what is missing: that is empty in every world.
            let plain = Change { missing: BTreeSet::new(), ..change.clone() };
            if !world.contains(&plain) {
                change.missing.extend(missing());
            }
        }
        for change in world {
            if !seen.contains(&change) && !is_supposed(&change) {
                seen.push(change.clone());
                changes.push(Change { missing: missing().into_iter().collect(), ..change });
            }
        }
    }
    sort(&mut changes);
    changes
}

fn is_supposed(change: &Change) -> bool {
    change.subjects.supposed || change.peers.supposed
}
