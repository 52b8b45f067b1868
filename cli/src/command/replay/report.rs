//! What `replay` reports, as JSON.

use crate::cluster::ClusterEntry;
use crate::report::{API_VERSION, DialectEntry, Incomplete, Place, TraceCause};
use driver::{Choice, Database};
use flow::Direction;
use replay::outcome::{Change, Said, Step};
use replay::record::Unasked;
use replay::tally::Seen;
use replay::{Outcome, Time};
use schemars::JsonSchema;
use serde::Serialize;

/// What `replay` found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `ReplayReport`.
    pub kind: &'static str,
    /// The reading under which the policies were judged.
    pub dialect: DialectEntry,
    /// The reading of the policies that they were compared with, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_dialect: Option<DialectEntry>,
    /// With what the verdicts were compared: `recorded` or `policies`.
    pub compared_with: String,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// How much the answer rests on.
    pub coverage: Coverage,
    /// Counts of changed records.
    pub summary: ReplaySummary,
    /// Every changed verdict; what is lost comes first, then by how many records.
    pub changes: Vec<ReplayChange>,
}

/// How much of a log could be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Records that could be read.
    pub records: u64,
    /// The earliest time of a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Records that were decided and compared.
    pub decided: u64,
    /// Of those, how many pass under the judged policies.
    pub passing: u64,
    /// All others by reason, most records first.
    pub undecidable: Vec<Undecidable>,
    /// Lines that could not be read.
    pub broken_lines: u64,
    /// The first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenLine>,
    /// Events that the recorder says it lost.
    pub lost_events: u64,
    /// Stretches of ten minutes and more without a record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Records that were not decided, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undecidable {
    /// `reply`, `no-port`, `no-end`, `not-a-flow`, `no-verdict`, `other-drop`, or the kind of a missing fact.
    pub reason: String,
    /// How many.
    pub records: u64,
    /// The first few things that it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<String>,
    /// What it means, or what would supply the fact.
    pub means: String,
    /// The earliest time of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrokenLine {
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// A stretch without a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The first minute without.
    pub from: String,
    /// The next minute with one.
    pub to: String,
}

/// Counts of changed records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplaySummary {
    /// Records whose verdict changes.
    pub changed: u64,
    /// They passed and do not any more.
    pub lost: u64,
    /// They were denied and are not any more.
    pub gained: u64,
    /// They pass before and after, but not alike.
    pub altered: u64,
    /// Records of changes beyond the greatest number that is told apart.
    pub further: u64,
}

/// Records with one changed verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayChange {
    /// `lost`, `gained` or `altered`.
    pub change: String,
    /// The workload, node or region that opened the connection.
    pub source: String,
    /// The other end.
    pub destination: String,
    /// Protocol and port.
    pub port: String,
    /// What was asked over the connection, where a proxy recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// At which end it was recorded: `ingress` or `egress`; absent where both ends were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// How many records.
    pub records: u64,
    /// The earliest time of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// The verdict before, or what was recorded.
    pub old: ReplayStep,
    /// The verdict of the judged policies.
    pub new: ReplayStep,
}

/// A verdict with what made it so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayStep {
    /// `allow`, `redirect`, `auth`, `deny`; of records also `deny (audited)`.
    pub verdict: String,
    /// `rule`, `default` or `recorded`.
    pub because: String,
    /// What made it so; for a default deny, what isolates the subject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<TraceCause>,
}

impl ReplayReport {
    /// The report of an outcome. `choices` are the readings of both sets, the judged one first.
    pub fn of(
        db: &Database,
        choices: &[Choice],
        cluster: Option<ClusterEntry>,
        compared: bool,
        outcome: &Outcome,
    ) -> ReplayReport {
        let mut changes: Vec<ReplayChange> = outcome.changes.iter().map(|(change, seen)| row(change, seen)).collect();
        let rank = |it: &ReplayChange| {
            (["lost", "gained", "altered"].iter().position(|kind| *kind == it.change), u64::MAX - it.records)
        };
        changes.sort_by_key(rank);
        ReplayReport {
            api_version: API_VERSION,
            kind: "ReplayReport",
            dialect: DialectEntry::of(&choices[0]),
            old_dialect: choices.get(1).filter(|old| **old != choices[0]).map(DialectEntry::of),
            compared_with: if compared { "policies" } else { "recorded" }.into(),
            incomplete: Incomplete::of(db),
            cluster,
            coverage: coverage(outcome),
            summary: ReplaySummary {
                changed: outcome.changed(),
                lost: outcome.lost_flows,
                gained: outcome.gained,
                altered: outcome.altered,
                further: outcome.further,
            },
            changes,
        }
    }
}

fn time(time: Option<Time>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// What the counts of a log say.
pub fn coverage(outcome: &Outcome) -> Coverage {
    let mut undecidable: Vec<Undecidable> = Vec::new();
    let mut add = |reason: &str, seen: &Seen, of: Vec<String>, means: &str| {
        undecidable.push(Undecidable {
            reason: reason.into(),
            records: seen.records,
            of,
            means: means.into(),
            from: time(seen.first),
            to: time(seen.last),
        });
    };
    for (why, seen) in &outcome.unasked {
        add(Unasked::name(*why), seen, Vec::new(), why.means());
    }
    for (recorded, seen) in &outcome.unrecorded {
        match recorded {
            replay::record::Recorded::DroppedOtherwise => {
                add("other-drop", seen, Vec::new(), "it was dropped, but not because of a policy");
            }
            _ => add("no-verdict", seen, Vec::new(), "the record says of no verdict; `--against` compares without"),
        }
    }
    for (fact, undecided) in &outcome.undecided {
        let of = undecided.of.iter().cloned().collect();
        add(fact.name(), &undecided.seen, of, &format!("supplied by {}", fact.supplied_by()));
    }
    undecidable.sort_by_key(|it| u64::MAX - it.records);
    let broken = outcome.broken.iter();
    Coverage {
        records: outcome.seen.records,
        from: time(outcome.seen.first),
        to: time(outcome.seen.last),
        decided: outcome.decided.records,
        passing: outcome.passing,
        undecidable,
        broken_lines: outcome.broken_lines,
        broken: broken.map(|it| BrokenLine { file: it.file.to_string(), line: it.line, why: it.why.clone() }).collect(),
        lost_events: outcome.lost,
        gaps: outcome.gaps().iter().map(|(from, to)| Gap { from: from.to_string(), to: to.to_string() }).collect(),
    }
}

fn row(change: &Change, seen: &Seen) -> ReplayChange {
    let kind = match (change.old.said.passes(), change.new.said.passes()) {
        (true, false) => "lost",
        (false, true) => "gained",
        _ => "altered",
    };
    ReplayChange {
        change: kind.into(),
        source: change.source.clone(),
        destination: change.destination.clone(),
        port: change.key.to_string(),
        request: change.request.clone(),
        direction: change.direction.map(|it: Direction| it.to_string()),
        records: seen.records,
        first: time(seen.first),
        last: time(seen.last),
        old: step(&change.old),
        new: step(&change.new),
    }
}

fn step(step: &Step) -> ReplayStep {
    let because = match (step.said, step.by_default) {
        (Said::Recorded(_), _) => "recorded",
        (_, true) => "default",
        (_, false) => "rule",
    };
    let cause = |it: &replay::outcome::Cause| TraceCause {
        object: it.object.clone(),
        path: it.path.clone(),
        place: it.place.as_ref().map(|(file, line, column)| Place { file: file.clone(), line: *line, column: *column }),
    };
    ReplayStep { verdict: step.said.to_string(), because: because.into(), by: step.by.iter().map(cause).collect() }
}
