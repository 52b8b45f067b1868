//! Whether a verdict hangs on facts that were not read.
//!
//! ```text
//!  the world as read ────────────┐                      ┌─ one verdict ─────► it is known
//!  worlds that it may be instead ┼─ every assignment ──►┤
//!  selectors that may match ─────┘   of the doubts      └─ several verdicts ► unknown, and the facts that tell them apart
//! ```
//! Two kinds of doubt. *Who is this?* has few answers, each a world of its own: the address is a node's, or a pod's. *Does this match?* is
//! answered with yes and with no: a selector of namespace labels, where the namespace was not read. The meaning itself is that of the
//! ordinary stages; nothing here decides a rule.

pub mod missing;
mod part;
mod selector;
mod world;

pub use missing::{Fact, Missing};

use crate::world::World;
use flow::{Action, Auth, Direction, L4Key, PeerId};
use hir::subject::Class;
use part::Parts;
use selector::Peer;
use std::collections::BTreeSet;
use world::Instead;
pub(crate) use world::unknown_owner;

/// Assignments are tried up to this many doubts about one flow; beyond, the verdict is unknown because of all of them.
const MOST: usize = 10;

/// What a flow comes to, as far as it matters: passing, through a proxy, and what must hold first.
type Answer = (bool, bool, Option<Auth>);

/// One end of a flow that is asked, and the other.
pub(crate) struct Asked<'a> {
    pub direction: Direction,
    pub class: &'a Class,
    pub peer: PeerId,
    pub key: L4Key,
    /// Which end of the question the subject is: 0 for the source.
    pub end: usize,
}

/// The facts that would be needed to know the verdict; empty when it is known.
pub(crate) fn missing(world: &World<'_>, asked: &Asked<'_>) -> BTreeSet<Missing> {
    let mut found = BTreeSet::new();
    let here = answers(world, asked, &Peer::of(world, asked), &mut found);
    for Instead { world, class, peer, pod, because } in world::instead(world, asked) {
        let asked = Asked { class: &class, peer, ..*asked };
        let mut facts = BTreeSet::new();
        let mut other = Peer::of(&world, &asked);
        other.nobody_knows = pod.then(|| because.clone());
        let there = answers(&world, &asked, &other, &mut facts);
        if here.union(&there).count() > 1 {
            found.insert(because);
            found.extend(facts);
        }
    }
    found
}

/// Every answer that some assignment of the doubts of one world gives; the facts of those doubts that matter are added.
fn answers(world: &World<'_>, asked: &Asked<'_>, peer: &Peer, found: &mut BTreeSet<Missing>) -> BTreeSet<Answer> {
    let parts = Parts::of(world, asked, peer);
    let doubts = parts.doubts();
    if doubts.len() > MOST {
        doubts.iter().for_each(|doubt| found.extend(doubt.missing.iter().cloned()));
        return [(false, false, None), (true, false, None)].into();
    }
    let all: Vec<Answer> =
        (0..1usize << doubts.len()).map(|assignment| parts.decide(&|doubt| assignment >> doubt & 1 == 1)).collect();
    for (at, doubt) in doubts.iter().enumerate() {
        let matters = (0..all.len()).any(|assignment| all[assignment] != all[assignment ^ (1 << at)]);
        if matters {
            found.extend(doubt.missing.iter().cloned());
        }
    }
    all.into_iter().collect()
}

/// What a verdict comes to.
fn answer(verdict: flow::Verdict) -> Answer {
    let auth = Some(verdict.auth).filter(|auth| *auth != Auth::Disabled);
    (verdict.is_allowed(), matches!(verdict.action, Action::Redirect(_)), auth)
}
