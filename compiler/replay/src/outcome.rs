//! What came out: how much could be said, and which verdicts change.

use crate::Time;
use crate::judge::first_of_each;
use crate::record::{Recorded, Unasked};
use crate::tally::{Broken, Group, Seen, Tally};
use flow::{Direction, L4Key};
use reason::{Fact, Missing};
use request::Request;
use rustc_hash::FxHashSet;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How many changes are told apart; records of further ones are counted together.
pub const MOST_CHANGES: usize = 100_000;
/// Minutes without a record that make a gap.
const GAP: i64 = 10;

/// What becomes of a flow. Ascending in how much stands in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Said {
    /// It passes.
    Allow,
    /// It passes through a proxy.
    Redirect,
    /// It passes once both ends are authenticated.
    Authenticated,
    /// It is denied.
    Deny,
    /// What the record says, which is all that is known.
    Recorded(Recorded),
}

impl Said {
    /// Whether the flow may pass.
    pub fn passes(self) -> bool {
        match self {
            Said::Allow | Said::Redirect | Said::Authenticated => true,
            Said::Deny => false,
            Said::Recorded(recorded) => recorded.allowed() == Some(true),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Said::Allow => f.write_str("allow"),
            Said::Redirect => f.write_str("redirect"),
            Said::Authenticated => f.write_str("auth"),
            Said::Deny => f.write_str("deny"),
            Said::Recorded(recorded) => recorded.fmt(f),
        }
    }
}

/// A line that made a verdict so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    /// Kind and name.
    pub object: String,
    /// The path in it.
    pub path: String,
    /// File, line and column; `None` for what stands in no file.
    pub place: Option<(String, u32, u32)>,
}

/// A verdict with what made it so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The verdict.
    pub said: Said,
    /// No rule made it so: `by` is what isolates the subject, and where that is nothing, nothing does.
    pub by_default: bool,
    /// What made it so, sorted.
    pub by: Vec<Cause>,
}

/// What records of a changed verdict have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// The workload, node or region that opened the connection.
    pub source: String,
    /// The other end.
    pub destination: String,
    /// Protocol and port.
    pub key: L4Key,
    /// What was asked over the connection, where a proxy recorded it.
    pub request: Option<String>,
    /// At which end it was recorded; `None` where both ends were asked.
    pub direction: Option<Direction>,
    /// The verdict before, or what was recorded.
    pub old: Step,
    /// The verdict of the judged policies.
    pub new: Step,
}

/// Records that could not be decided, for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undecided {
    /// How many, and when.
    pub seen: Seen,
    /// What is missing, for example: the first few, in order.
    pub of: BTreeSet<String>,
}

/// Everything that a replay finds.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// All records that could be read.
    pub seen: Seen,
    /// Records that ask nothing of policies.
    pub unasked: BTreeMap<Unasked, Seen>,
    /// Records whose verdict hangs on facts that were not read, by the first kind of fact.
    pub undecided: BTreeMap<Fact, Undecided>,
    /// Records that were decided, but that say of no verdict to compare with.
    pub unrecorded: BTreeMap<Recorded, Seen>,
    /// Records that were decided and compared.
    pub decided: Seen,
    /// Of those, how many pass under the judged policies.
    pub passing: u64,
    /// Lines that could not be read.
    pub broken_lines: u64,
    /// The first of them.
    pub broken: Vec<Broken>,
    /// Events that the recorder lost.
    pub lost: u64,
    /// Every changed verdict, how often.
    pub changes: BTreeMap<Change, Seen>,
    /// Records of changes beyond [`MOST_CHANGES`].
    pub further: u64,
    /// Records that were denied and are not any more.
    pub gained: u64,
    /// Records that passed and do not any more.
    pub lost_flows: u64,
    /// Records that pass before and after, but not alike.
    pub altered: u64,
    minutes: FxHashSet<i64>,
}

impl Outcome {
    /// Records whose verdict changes.
    pub fn changed(&self) -> u64 {
        self.gained + self.lost_flows + self.altered
    }

    /// Records that are in no comparison, replies included.
    pub fn undecidable(&self) -> u64 {
        let undecided = self.undecided.values().map(|it| it.seen.records);
        let others = self.unasked.values().chain(self.unrecorded.values()).map(|seen| seen.records);
        undecided.chain(others).sum()
    }

    /// Adds what a part of a log says of itself.
    pub(crate) fn add_coverage(&mut self, tally: &Tally) {
        self.seen.merge(&tally.seen);
        for (why, seen) in &tally.unasked {
            self.unasked.entry(*why).or_default().merge(seen);
        }
        self.broken_lines += tally.broken_lines;
        self.broken.extend(tally.broken.iter().cloned());
        self.broken.sort();
        self.broken.truncate(20);
        self.lost += tally.lost;
        self.minutes.extend(&tally.minutes);
    }

    pub(crate) fn add_undecided(&mut self, missing: &BTreeSet<Missing>, seen: &Seen) {
        // Why only the first kind: every record is in exactly one count.
        let (fact, of) = first_of_each(missing).into_iter().next().unwrap_or((Fact::NotEvaluated, ""));
        let undecided = self.undecided.entry(fact).or_default();
        undecided.seen.merge(seen);
        undecided.of.insert(of.to_owned());
        if undecided.of.len() > 5 {
            undecided.of.pop_last();
        }
    }

    pub(crate) fn add_unrecorded(&mut self, recorded: Recorded, seen: &Seen) {
        self.unrecorded.entry(recorded).or_default().merge(seen);
    }

    pub(crate) fn add_decided(&mut self, seen: &Seen, said: Said) {
        self.decided.merge(seen);
        if said.passes() {
            self.passing += seen.records;
        }
    }

    pub(crate) fn add_change(
        &mut self,
        [source, destination]: [String; 2],
        group: &Group,
        request: Option<&Request>,
        old: Step,
        new: Step,
        seen: &Seen,
    ) {
        *match (old.said.passes(), new.said.passes()) {
            (false, true) => &mut self.gained,
            (true, false) => &mut self.lost_flows,
            _ => &mut self.altered,
        } += seen.records;
        let request = request.map(ToString::to_string);
        let change = Change { source, destination, key: group.key, request, direction: group.direction, old, new };
        if self.changes.len() >= MOST_CHANGES && !self.changes.contains_key(&change) {
            self.further += seen.records;
            return;
        }
        self.changes.entry(change).or_default().merge(seen);
    }

    /// Stretches of ten minutes and more in which nothing was recorded, in order: from and to.
    pub fn gaps(&self) -> Vec<(Time, Time)> {
        let mut minutes: Vec<i64> = self.minutes.iter().copied().collect();
        minutes.sort_unstable();
        let minute = |at: i64| Time(at.saturating_mul(60_000_000_000));
        let pairs = minutes.windows(2).filter(|pair| pair[1] - pair[0] > GAP);
        pairs.map(|pair| (minute(pair[0] + 1), minute(pair[1]))).collect()
    }
}
