//! Records counted by what they say.

use crate::Time;
use crate::record::{End, Point, Record, Recorded, Unasked};
use flow::{Direction, L4Key};
use request::Request;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many broken lines are kept with their words; all are counted.
const KEPT: usize = 20;
/// How many forms of ends are remembered before they are forgotten and read anew.
const REMEMBERED: usize = 30_000;
/// Nanoseconds of a minute.
const MINUTE: i64 = 60_000_000_000;

/// An index into [`Tally::ends`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndId(pub u32);

/// What records of one kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Who opened the connection.
    pub source: EndId,
    /// With whom.
    pub destination: EndId,
    /// Protocol and port.
    pub key: L4Key,
    /// At which end it was recorded.
    pub direction: Option<Direction>,
    /// Where on its way it was recorded.
    pub point: Point,
    /// What became of it.
    pub recorded: Recorded,
    /// An index into [`Tally::requests`].
    pub request: Option<u32>,
}

/// How often, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many records.
    pub records: u64,
    /// The earliest time of one.
    pub first: Option<Time>,
    /// The latest.
    pub last: Option<Time>,
}

impl Seen {
    /// Adds one record.
    pub fn add(&mut self, time: Option<Time>) {
        self.merge(&Seen { records: 1, first: time, last: time });
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: &Seen) {
        self.records += other.records;
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
    }
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Broken {
    /// The file as its user named it.
    pub file: Arc<str>,
    /// From 1.
    pub line: u64,
    /// Why, for people.
    pub why: String,
}

/// Everything that records say, each thing once, with how often it was said.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Every end, in the order of meeting.
    pub ends: Vec<End>,
    /// Every request, in the order of meeting.
    pub requests: Vec<Request>,
    /// What was said, how often.
    pub groups: FxHashMap<Group, Seen>,
    /// What cannot be asked about.
    pub unasked: BTreeMap<Unasked, Seen>,
    /// Everything that was read, broken lines left out.
    pub seen: Seen,
    /// How many lines could not be read.
    pub broken_lines: u64,
    /// The first of them, by file and line.
    pub broken: Vec<Broken>,
    /// Events that the recorder says it lost.
    pub lost: u64,
    /// Minutes since 1970 in which something was recorded.
    pub minutes: FxHashSet<i64>,
    /// Some records are Hubble's, so that Cilium enforces where they were made.
    pub from_hubble: bool,
    known_ends: FxHashMap<End, EndId>,
    known_requests: FxHashMap<Request, u32>,
    /// Ends by the bytes that described them.
    forms: FxHashMap<Box<[u8]>, EndId>,
}

impl Tally {
    /// The number of an end that is described by these bytes; `make` reads them where they are new.
    ///
    /// Errors: those of `make`.
    pub fn end_of<E>(&mut self, form: &[u8], make: impl FnOnce() -> Result<End, E>) -> Result<EndId, E> {
        if let Some(id) = self.forms.get(form) {
            return Ok(*id);
        }
        let id = self.end(make()?);
        if self.forms.len() >= REMEMBERED {
            self.forms.clear();
        }
        self.forms.insert(form.into(), id);
        Ok(id)
    }

    /// The number of an end.
    pub fn end(&mut self, mut end: End) -> EndId {
        end.labels.sort();
        end.names.sort();
        end.names.dedup();
        if let Some(id) = self.known_ends.get(&end) {
            return *id;
        }
        let id = EndId(self.ends.len() as u32);
        self.known_ends.insert(end.clone(), id);
        self.ends.push(end);
        id
    }

    fn request(&mut self, request: Request) -> u32 {
        if let Some(id) = self.known_requests.get(&request) {
            return *id;
        }
        let id = self.requests.len() as u32;
        self.known_requests.insert(request.clone(), id);
        self.requests.push(request);
        id
    }

    /// Counts one record.
    pub fn add(&mut self, record: Record<EndId>) {
        let Record { time, source, destination, key, direction, point, reply, recorded, request } = record;
        self.see(time);
        let empty = |id: EndId| self.ends.get(id.0 as usize).is_none_or(is_nobody);
        let unasked = match key {
            _ if reply => Some(Unasked::Reply),
            None => Some(Unasked::NoPort),
            _ if empty(source) || empty(destination) => Some(Unasked::NoEnd),
            _ => None,
        };
        match (unasked, key) {
            (None, Some(key)) => {
                let request = request.map(|request| self.request(request));
                // Why not of a pod: nothing is translated any more, and one form of what was said is enough.
                let point = if self.ends.get(destination.0 as usize).is_some_and(End::is_address) {
                    point
                } else {
                    Point::Unsaid
                };
                let group = Group { source, destination, key, direction, point, recorded, request };
                self.groups.entry(group).or_default().add(time);
            }
            (unasked, _) => self.unasked.entry(unasked.unwrap_or(Unasked::NoPort)).or_default().add(time),
        }
    }

    /// Counts a record that is of no flow.
    pub fn add_other(&mut self, time: Option<Time>) {
        self.see(time);
        self.unasked.entry(Unasked::NotAFlow).or_default().add(time);
    }

    /// Counts a line that could not be read.
    pub fn add_broken(&mut self, broken: Broken) {
        self.broken_lines += 1;
        self.keep(broken);
    }

    fn keep(&mut self, broken: Broken) {
        let at = self.broken.partition_point(|known| *known <= broken);
        if at < KEPT {
            self.broken.insert(at, broken);
            self.broken.truncate(KEPT);
        }
    }

    fn see(&mut self, time: Option<Time>) {
        self.seen.add(time);
        if let Some(time) = time {
            self.minutes.insert(time.0.div_euclid(MINUTE));
        }
    }

    /// Adds what another tally counted.
    pub fn merge(&mut self, other: Tally) {
        let ends: Vec<EndId> = other.ends.into_iter().map(|end| self.end(end)).collect();
        let requests: Vec<u32> = other.requests.into_iter().map(|request| self.request(request)).collect();
        for (group, seen) in other.groups {
            let group = Group {
                source: ends[group.source.0 as usize],
                destination: ends[group.destination.0 as usize],
                request: group.request.map(|at| requests[at as usize]),
                ..group
            };
            self.groups.entry(group).or_default().merge(&seen);
        }
        for (why, seen) in other.unasked {
            self.unasked.entry(why).or_default().merge(&seen);
        }
        self.seen.merge(&other.seen);
        self.broken_lines += other.broken_lines;
        other.broken.into_iter().for_each(|broken| self.keep(broken));
        self.lost += other.lost;
        self.minutes.extend(other.minutes);
        self.from_hubble |= other.from_hubble;
    }

    /// The groups in an order that follows from what they say, not from when they were met.
    pub fn sorted(&self) -> Vec<(Group, Seen)> {
        let end = |id: EndId| &self.ends[id.0 as usize];
        let request = |at: Option<u32>| at.map(|at| &self.requests[at as usize]);
        let mut groups: Vec<(Group, Seen)> = self.groups.iter().map(|(group, seen)| (*group, *seen)).collect();
        groups.sort_by(|(a, _), (b, _)| {
            let of = |it: &Group| (it.key, it.direction, it.point, it.recorded);
            (end(a.source), end(a.destination), of(a), request(a.request)).cmp(&(
                end(b.source),
                end(b.destination),
                of(b),
                request(b.request),
            ))
        });
        groups
    }
}

/// Whether nothing tells who an end is.
fn is_nobody(end: &End) -> bool {
    let unknown = end.labels.iter().all(|label| label == "reserved:unknown");
    unknown && end.pod.is_empty() && end.workload.is_empty() && end.address.is_none()
}
