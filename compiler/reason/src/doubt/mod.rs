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
use driver::{Db, Knowledge};
use flow::{Action, Auth, Direction, L4Key, PeerId};
use hir::Entity;
use hir::policy::{L3, PeerSelector};
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

/// Whether nothing that was read leaves any verdict open, so that nobody need ask flow by flow. `false` may be wrong, `true` is not.
pub fn is_impossible(db: &dyn Db) -> bool {
    if !db.project().unread(db).is_empty() {
        return false;
    }
    if db.project().knowledge(db) == Knowledge::Complete {
        return true;
    }
    let cluster = driver::world::cluster(db);
    let read = cluster.node_ips();
    let placed = |pod: &facts::Pod| {
        let node = pod.node.as_deref().is_some_and(|node| read.contains_key(node));
        node && !pod.ips.is_empty() && cluster.namespaces.contains_key(&pod.name.namespace)
    };
    let sure = |peer: &hir::policy::Peer| match &peer.selector {
        PeerSelector::Labels { .. } | PeerSelector::Cidr { .. } | PeerSelector::Nodes(_) => true,
        PeerSelector::Entity(entity) => *entity != Entity::KubeApiserver,
        _ => false,
    };
    let index = driver::world::index(db);
    let policies = index.values().flat_map(|policies| policies.iter());
    let switched = cluster.config.cluster_policies.is_some() || db.project().dialect(db).admin_policies_enforced;
    if !switched && policies.clone().any(|policy| policy.object.kind == "ClusterNetworkPolicy") {
        return false;
    }
    let mut entries = policies.flat_map(|policy| &policy.sections).flat_map(|section| &section.entries);
    let names = db.project().dialect(db).egress_port_names_per_destination;
    let certain = entries.all(|entry| {
        (names || !entry.l4.names_ports()) && matches!(&entry.l3, L3::Any(peers) if peers.iter().all(sure))
            || entry.l3 == L3::Unrestricted
    });
    certain && !cluster.ranges().is_empty() && cluster.pods.values().all(placed)
}
