//! What `replay` reports of packet captures, as JSON.

use super::gather::{Flow, FlowName, Gathered, Listed, MOST_PACKETS};
use crate::cluster::ClusterEntry;
use crate::command::replay::report::Undecidable;
use crate::render;
use crate::report::{API_VERSION, DialectEntry, Incomplete, TraceCause};
use crate::session::Session;
use driver::{Database, locate};
use rehearsal::packets::{Crossing, Reasoned};
use replay::Time;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the programs say of captured packets.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `PacketReport`.
    pub kind: &'static str,
    /// The reading under which the policies were judged.
    pub dialect: DialectEntry,
    /// The reading of the policies that they were compared with, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_dialect: Option<DialectEntry>,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Counts of packets.
    pub summary: PacketSummary,
    /// Packets that were not decided, by reason, most packets first.
    pub undecided: Vec<Undecidable>,
    /// Decided packets by flow: changed ones first, then dropped ones, then by how many packets.
    pub flows: Vec<PacketFlow>,
    /// Decided packets one by one, in the order of the files; at most ten thousand.
    pub packets: Vec<PacketRow>,
}

/// Counts of packets.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketSummary {
    /// Packets that were read.
    pub packets: u64,
    /// The earliest time of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Packets that the programs decided.
    pub decided: u64,
    /// Of those, how many pass under the judged policies.
    pub passed: u64,
    /// And how many are dropped, for whatever reason.
    pub dropped: u64,
    /// Whether two sets of policies were compared.
    pub compared: bool,
    /// Packets whose verdict changes.
    pub changed: u64,
    /// They passed and do not any more.
    pub lost: u64,
    /// They were dropped and are not any more.
    pub gained: u64,
    /// Decided packets of flows beyond the greatest number that is told apart.
    pub further: u64,
}

/// The packets of one flow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketFlow {
    /// `lost`, `gained`, or `same`.
    pub change: String,
    /// Who opened it, as far as the capture shows.
    pub source: String,
    /// The other end.
    pub destination: String,
    /// Protocol and port; absent where headers could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// How many packets.
    pub packets: u64,
    /// How many of them are answers.
    pub answers: u64,
    /// The earliest time of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Under the policies that were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<PacketFate>,
    /// Under the judged policies.
    pub new: PacketFate,
}

/// What becomes of the packets of a flow, and why.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketFate {
    /// How many pass.
    pub passed: u64,
    /// How many are dropped, by the end and the reason, such as `ingress policy`.
    pub dropped: BTreeMap<String, u64>,
    /// What the rules of each end say.
    pub sides: Vec<PacketSide>,
}

/// What the rules of one end say of a flow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketSide {
    /// `egress` or `ingress`.
    pub direction: String,
    /// `allow` or `deny`.
    pub verdict: String,
    /// `rule` or `default`.
    pub because: String,
    /// The rules; for a default deny, what isolates the end.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<TraceCause>,
}

/// One packet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketRow {
    /// The capture.
    pub file: String,
    /// Its number in it, from 1.
    pub number: u64,
    /// When it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Who opened the flow.
    pub source: String,
    /// The other end.
    pub destination: String,
    /// Protocol and port; absent where headers could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Whether it is an answer.
    pub answer: bool,
    /// What became of it under the policies that were compared with: `pass`, or the end and the reason of the drop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// Under the judged policies.
    pub new: String,
}

impl PacketReport {
    /// The report of what was gathered; `dbs` and sessions are the judged set first, then that which is compared with.
    pub fn of(gathered: &Gathered, dbs: &[&Database], new: &Session, old: Option<&Session>) -> PacketReport {
        let mut flows: Vec<PacketFlow> = gathered
            .flows
            .iter()
            .filter(|(_, flow)| flow.seen.records > 0)
            .map(|(name, flow)| flow_row(name, flow, dbs))
            .collect();
        let rank = |it: &PacketFlow| {
            let changed = ["lost", "gained", "same"].iter().position(|kind| *kind == it.change);
            (changed, it.new.dropped.is_empty(), u64::MAX - it.packets)
        };
        flows.sort_by_key(rank);
        PacketReport {
            api_version: API_VERSION,
            kind: "PacketReport",
            dialect: DialectEntry::of(&new.choice),
            old_dialect: old.map(|it| &it.choice).filter(|it| **it != new.choice).map(DialectEntry::of),
            incomplete: Incomplete::of(&new.db),
            cluster: new.cluster.clone(),
            summary: summary(gathered, old.is_some()),
            undecided: undecided(gathered),
            flows,
            packets: gathered.listed.iter().map(packet_row).collect(),
        }
    }

    /// How many decided packets are not listed one by one.
    pub fn unlisted(&self) -> u64 {
        if self.packets.len() < MOST_PACKETS { 0 } else { self.summary.decided - self.packets.len() as u64 }
    }
}

fn time(time: Option<Time>) -> Option<String> {
    time.map(|time| time.to_string())
}

fn passes(fate: &[Crossing]) -> bool {
    fate.iter().all(|crossing| crossing.dropped.is_none())
}

fn summary(gathered: &Gathered, compared: bool) -> PacketSummary {
    let (mut passed, mut dropped, mut lost, mut gained) = (0, 0, 0, 0);
    for (fate, packets) in gathered.flows.values().flat_map(|flow| &flow.fates) {
        let now = fate.first().is_none_or(|it| passes(it));
        *(if now { &mut passed } else { &mut dropped }) += packets;
        match fate.get(1).map(|it| passes(it)) {
            Some(true) if !now => lost += packets,
            Some(false) if now => gained += packets,
            _ => {}
        }
    }
    PacketSummary {
        packets: gathered.packets,
        from: time(gathered.seen.first),
        to: time(gathered.seen.last),
        decided: passed + dropped,
        passed,
        dropped,
        compared,
        changed: lost + gained,
        lost,
        gained,
        further: gathered.further,
    }
}

fn undecided(gathered: &Gathered) -> Vec<Undecidable> {
    let mut rows: Vec<Undecidable> = gathered
        .undecided
        .iter()
        .map(|(why, seen)| {
            let (reason, means) = why.worded();
            let of = match why {
                super::gather::Undecided::Facts => gathered.missing.iter().take(3).map(|it| it.of.clone()).collect(),
                _ => Vec::new(),
            };
            let (from, to) = (time(seen.first), time(seen.last));
            Undecidable { reason: reason.into(), records: seen.records, of, means: means.into(), from, to }
        })
        .collect();
    rows.sort_by_key(|it| u64::MAX - it.records);
    rows
}

fn flow_row(name: &FlowName, flow: &Flow, dbs: &[&Database]) -> PacketFlow {
    let mut kinds =
        flow.fates.keys().map(|fate| (fate.get(1).map(|it| passes(it)), fate.first().is_none_or(|it| passes(it))));
    let change = match (kinds.clone().any(|it| it == (Some(true), false)), kinds.any(|it| it == (Some(false), true))) {
        (true, _) => "lost",
        (_, true) => "gained",
        _ => "same",
    };
    let fate = |set: usize| dbs.get(set).map(|db| fate(flow, set, db));
    PacketFlow {
        change: change.into(),
        source: name.0.clone(),
        destination: name.1.clone(),
        port: name.2.map(|key| key.to_string()),
        packets: flow.seen.records,
        answers: flow.answers,
        first: time(flow.seen.first),
        last: time(flow.seen.last),
        old: fate(1),
        new: fate(0).unwrap_or(PacketFate { passed: 0, dropped: BTreeMap::new(), sides: Vec::new() }),
    }
}

fn fate(flow: &Flow, set: usize, db: &Database) -> PacketFate {
    let mut fate = PacketFate { passed: 0, dropped: BTreeMap::new(), sides: Vec::new() };
    for (crossings, packets) in &flow.fates {
        let Some(crossings) = crossings.get(set) else { continue };
        match crossings.iter().find(|it| it.dropped.is_some()) {
            Some(it) => *fate.dropped.entry(worded(it)).or_default() += packets,
            None => fate.passed += packets,
        }
    }
    fate.sides = flow.why.get(set).into_iter().flatten().map(|side| side_row(side, db)).collect();
    fate
}

fn side_row(side: &Reasoned, db: &Database) -> PacketSide {
    let cause = |origin: &rules::Origin| {
        let place = locate::locate(db, origin);
        let place = place.and_then(|place| Some(render::place_of(db, db.file(place.file)?, place.span)));
        TraceCause { object: origin.object.clone(), path: origin.path.clone(), place }
    };
    PacketSide {
        direction: side.direction.to_string(),
        verdict: if side.verdict.is_allowed() { "allow" } else { "deny" }.into(),
        because: if side.by_default { "default" } else { "rule" }.into(),
        by: side.by.iter().map(cause).collect(),
    }
}

/// What a program said of a packet.
fn worded(crossing: &Crossing) -> String {
    match crossing.dropped {
        Some(reason) => format!("{} {}", crossing.direction, reason.name()),
        None if crossing.audited => format!("pass ({} audited)", crossing.direction),
        None => "pass".into(),
    }
}

fn packet_row(it: &Listed) -> PacketRow {
    let fate = |set: usize| {
        let crossings = it.fate.get(set)?;
        let telling = crossings.iter().find(|it| it.dropped.is_some() || it.audited);
        Some(telling.map_or_else(|| "pass".to_owned(), worded))
    };
    PacketRow {
        file: it.file.to_string(),
        number: it.number,
        time: time(it.time),
        source: it.flow.0.clone(),
        destination: it.flow.1.clone(),
        port: it.flow.2.map(|key| key.to_string()),
        answer: it.answer,
        old: fate(1),
        new: fate(0).unwrap_or_else(|| "pass".into()),
    }
}
