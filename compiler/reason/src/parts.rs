//! Questions with several answers: a range of ports, split where verdicts change; a service, by its backends; a name, by its addresses.

use crate::party::{Party, Unreadable};
use crate::service::{Frontends, Leg, legs};
use crate::trace::{Outcome, Question, Trace};
use crate::world::{Ground, World};
use driver::Db;
use flow::{Direction, L4Key, L4Set};
use hir::{L4, Ports};
use request::Request;
use std::collections::BTreeSet;

/// What is wanted to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Who opens the connection.
    pub source: Party,
    /// With whom.
    pub destination: Party,
    /// Which protocols and ports, as intervals with both ends.
    pub keys: Vec<(L4Key, L4Key)>,
    /// What is asked over the connection.
    pub request: Option<Request>,
}

/// A part of what was asked for that has one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its protocols and ports, as the destination sees them.
    pub keys: L4Set,
    /// The backend of the service, or the address of the name, where one of these was asked for.
    pub backend: Option<String>,
    /// A question of the part; all others are answered alike.
    pub question: Question,
    /// The answer.
    pub trace: Trace,
}

/// The answers to what is wanted, in the order of backends and keys.
///
/// Shape: at least one; neighbours differ. Errors: a port that the service does not have, a service or a name as source.
/// Cost: one answer for each interval between two boundaries of the rules about either end.
pub fn parts(db: &dyn Db, wanted: &Wanted) -> Result<Vec<Part>, Unreadable> {
    let ground = Ground::of(db);
    let legs = legs(&ground, &Frontends::of(db), wanted)?;
    let mut found: Vec<Part> = legs.into_iter().flat_map(|leg| split(&ground, leg)).collect();
    // Why: who asks for every protocol means those that there can be.
    if found.iter().any(|part| !part.trace.is_impossible()) {
        found.retain(|part| !part.trace.is_impossible());
    }
    Ok(found)
}

/// The answers to a leg, split where they change.
fn split(ground: &Ground<'_>, leg: Leg) -> Vec<Part> {
    let Leg { backend, keys, question } = leg;
    let world = ground.world(&question);
    let single = keys.len() == 1 && keys[0].0 == keys[0].1;
    let cuts = if single { BTreeSet::new() } else { boundaries(&world) };
    let mut found: Vec<Part> = Vec::new();
    for (low, high) in &keys {
        let inner = cuts.range(*low..=*high).copied().filter(|cut| cut != low);
        let starts: Vec<L4Key> = std::iter::once(*low).chain(inner).collect();
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).and_then(|next| L4Key::from_raw(next.raw() - 1)).unwrap_or(*high);
            let question = Question { key: *start, ..question.clone() };
            let trace = world.trace(&question);
            let here = L4Set::interval(*start, end);
            match found
                .last_mut()
                .filter(|last| last.trace == trace && last.question.key.protocol() == start.protocol())
            {
                Some(last) => last.keys = last.keys.union(&here),
                None => found.push(Part { keys: here, backend: backend.clone(), question, trace }),
            }
        }
    }
    found
}

/// Every key from which on the answer may be another: where rules about either end begin or end, and, as some of them may be about an end
/// for all that was read, where any rule does.
fn boundaries(world: &World<'_>) -> BTreeSet<L4Key> {
    let mut cuts = BTreeSet::new();
    for (end, direction) in [(0, Direction::Egress), (1, Direction::Ingress)] {
        if let Ok((class, _)) = world.class(&world.ends[end], &world.pods[end]) {
            cuts.extend(oracle::cells(world.rules(&class).direction(direction)));
        }
    }
    for entry in world.policies.iter().flat_map(|policy| &policy.sections).flat_map(|section| &section.entries) {
        let L4::Items(items) = &entry.l4 else { continue };
        for item in items {
            if let Ports::Range { protocols, low, high } = &item.ports {
                for protocol in protocols {
                    let (low, high) = (L4Key::new(*protocol, *low), L4Key::new(*protocol, *high));
                    cuts.insert(low);
                    cuts.extend(L4Key::from_raw(high.raw() + 1));
                }
            }
        }
    }
    if let Some(port) = world.cluster.config.tunnel_port() {
        let key = L4Key::new(flow::Protocol::UDP, port);
        cuts.insert(key);
        cuts.extend(L4Key::from_raw(key.raw() + 1));
    }
    cuts
}

/// What several answers come to together; `None` where they differ.
pub fn outcome(parts: &[Part]) -> Option<Outcome> {
    let first = parts.first()?.trace.outcome();
    parts.iter().all(|part| part.trace.outcome() == first).then_some(first)
}
