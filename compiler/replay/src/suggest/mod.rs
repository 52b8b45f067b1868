//! Policies that allow what was recorded, and as little else as can be said.
//!
//! ```text
//!  groups of a tally ─gather─► who asks whom, on which ports of pods ─write─► policies ─check─► what they do not allow
//!        facts ─► stable labels, services translated, DNS              (the same engine decides)
//! ```

mod gather;
pub mod labels;
mod stable;
mod translate;
mod write;

pub use gather::{Gathered, Peer, Subject, gather};
pub use stable::{Workload, is_stable};

use crate::judge::Judge;
use crate::place::{Place, Places};
use crate::record::Recorded;
use crate::roads::Roads;
use crate::tally::{Group, Seen, Tally};
use driver::{Database, Knowledge, Wish};
use facts::Cluster;
use hir::Dialect;
use std::collections::BTreeMap;
use std::sync::Arc;
use translate::Translated;

/// Of which kind suggested policies are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// NetworkPolicy: pods and address blocks.
    NetworkPolicy,
    /// CiliumNetworkPolicy: also names, nodes and ICMP.
    CiliumNetworkPolicy,
}

impl Kind {
    /// The kind in manifests.
    pub fn name(self) -> &'static str {
        match self {
            Kind::NetworkPolicy => "NetworkPolicy",
            Kind::CiliumNetworkPolicy => "CiliumNetworkPolicy",
        }
    }
}

/// What is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Of which kind.
    pub kind: Kind,
    /// Also allow what was dropped.
    pub include_dropped: bool,
    /// Whether what was not read may exist.
    pub knowledge: Knowledge,
    /// The reading of the language.
    pub wish: Wish,
}

/// One suggested policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The manifest, comments included; ends with a line break.
    pub text: String,
    /// How many records it stands for.
    pub records: u64,
}

/// Records that a suggestion does not cover.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Who opened the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// Protocol and port.
    pub port: String,
    /// Why.
    pub why: String,
    /// How many records.
    pub records: u64,
}

/// Suggested policies and what they leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion {
    /// By namespace and name.
    pub policies: Vec<Policy>,
    /// Records that are allowed by what is suggested, as the engine decides.
    pub covered: u64,
    /// Records that are meant to be allowed.
    pub wanted: u64,
    /// What cannot be said in policies of this kind, or that the engine does not allow.
    pub left: Vec<Left>,
    /// Records that were dropped and are not asked for.
    pub dropped: u64,
}

/// Suggests policies for the flows of a tally, and has the engine decide each flow under them.
pub fn suggest(tally: &Tally, cluster: &Cluster, options: Options) -> Suggestion {
    let mut suggestion = Suggestion::default();
    let mut wanted = tally.clone();
    wanted.groups.retain(|group, seen| {
        let asked = match group.recorded {
            Recorded::Passed | Recorded::Unsaid => true,
            Recorded::Denied | Recorded::Audited | Recorded::DroppedOtherwise => options.include_dropped,
        };
        *(if asked { &mut suggestion.wanted } else { &mut suggestion.dropped }) += seen.records;
        asked
    });
    let original = wanted;
    let Translated { tally: wanted, groups, untranslated } = translated(&original, cluster, options);
    let Places { places, added, .. } = Places::of(&wanted.ends, cluster);
    let all = crate::place::join(cluster.clone(), &added);
    let dialect = reading(&all, tally, options.wish);
    let gathered = gather(&wanted, &places, &untranslated, &all, options.kind, dialect);
    suggestion.policies = write::policies(&gathered, options.kind);
    // Why the original: so flows are judged as `replay` judges them, by whoever may answer.
    let undecided = check(&original, cluster, &suggestion.policies, options);
    let mut left: BTreeMap<(String, String, String, String), u64> = BTreeMap::new();
    for (group, seen) in original.sorted() {
        let became = groups.get(&group).into_iter().flatten();
        let why = match (became.filter_map(|it| gathered.left.get(it)).next(), undecided.get(&group)) {
            (_, None) if !gather::is_portless(group.key) => {
                suggestion.covered += seen.records;
                continue;
            }
            (Some(why), _) => why.clone(),
            (None, None) => gather::PORTLESS.to_owned(),
            (None, Some(Verdict::Denied)) => "the suggested policies do not allow it".to_owned(),
            (None, Some(Verdict::Unknown)) => "whether they allow it hangs on facts that were not read".to_owned(),
        };
        let name = |id| gather::called(&wanted.ends, &places, id);
        let port = group.key.to_string();
        *left.entry((name(group.source), name(group.destination), port, why)).or_default() += seen.records;
    }
    suggestion.left = left
        .into_iter()
        .map(|((source, destination, port, why), records)| Left { source, destination, port, why, records })
        .collect();
    suggestion
}

/// A tally with those behind services in the place of their addresses.
fn translated(tally: &Tally, cluster: &Cluster, options: Options) -> Translated {
    let mut places = Places::of(&tally.ends, cluster);
    let complete = options.knowledge == Knowledge::Complete;
    let roads = Roads::find(tally, &tally.sorted(), &mut places, cluster, complete, &mut |_| true);
    let all = crate::place::join(cluster.clone(), &places.added);
    translate::translate(tally, &places, &roads, &all)
}

/// What the engine says of a flow that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Denied,
    Unknown,
}

/// The groups that policies do not allow at both ends.
fn check(tally: &Tally, cluster: &Cluster, policies: &[Policy], options: Options) -> BTreeMap<Group, Verdict> {
    let mut db = Database::new();
    db.set_knowledge(options.knowledge);
    db.set_cluster(cluster.clone());
    db.set_files([(Arc::from("suggested.yaml"), Arc::from(text(policies)))]);
    db.settle_dialect(options.wish);
    let decided = Judge::new(db, None, options.wish).allows(tally);
    let others = decided.into_iter().filter_map(|(group, allowed)| match allowed {
        Some(true) => None,
        Some(false) => Some((group, Verdict::Denied)),
        None => Some((group, Verdict::Unknown)),
    });
    others.collect()
}

/// The policies as one stream of documents.
pub fn text(policies: &[Policy]) -> String {
    policies.iter().map(|policy| policy.text.as_str()).collect::<Vec<_>>().join("---\n")
}

/// The reading under which the suggestion will be judged.
fn reading(cluster: &Cluster, tally: &Tally, wish: Wish) -> &'static Dialect {
    match wish {
        Wish::Named(dialect) => dialect,
        Wish::Auto if tally.from_hubble && cluster.enforcer().is_none() => &Dialect::CILIUM_1_20,
        Wish::Auto => driver::dialect::of_cluster(cluster).dialect,
    }
}

/// Whether an end is a pod; the others have no policies of their own here.
fn is_pod(place: &Place) -> bool {
    matches!(place, Place::Pod { .. })
}

/// How often something was seen, for comments: `12 flows`.
fn flows(seen: &Seen) -> String {
    if seen.records == 1 { "1 flow".to_owned() } else { format!("{} flows", seen.records) }
}
