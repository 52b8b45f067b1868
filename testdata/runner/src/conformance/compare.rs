//! Engines against the oracle, on flows of our own choosing: no table has a say here.
//!
//! All subjects × all peers with an address × keys on both sides of boundaries of the scenario's diagrams.

use super::ask::count;
use super::report::{Report, Wrong};
use crate::engine::{Engine, Kind, Outcome, Place, Question, World};
use flow::{Direction, Family, L4Key, Prefix, Protocol};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The questions of a world and the oracle's answers, by subject.
pub(super) struct Comparison {
    places: Vec<(Place, Vec<Question>, Vec<Outcome>)>,
}

impl Comparison {
    /// Chooses the flows, with at most about `boundaries` keys from the ends of stretches, and asks the oracle. Errors: the oracle's.
    pub fn new(world: &World<'_>, oracle: &mut dyn Engine, boundaries: usize) -> Result<Comparison, String> {
        let keys = keys(world, boundaries)?;
        let peers = peers(world);
        let mut places = Vec::new();
        for place in world.places() {
            let mut questions = Vec::new();
            for direction in Direction::BOTH {
                for &peer in peers.iter().filter(|peer| place.address(Family::of(**peer)).is_some()) {
                    questions.extend(keys.iter().map(|&key| Question { direction, peer, key }));
                }
            }
            let replies = oracle.ask(&place, &questions)?;
            let answers = replies.into_iter().map(|reply| reply.map(|answer| answer.outcome));
            let answers =
                answers.collect::<Result<Vec<_>, _>>().map_err(|why| format!("the oracle was not asked: {why}"))?;
            places.push((place, questions, answers));
        }
        Ok(Comparison { places })
    }

    /// Asks an engine the same.
    pub fn ask(&self, kind: Kind, engine: &mut dyn Engine, scenario: &str, dialect: &'static str) -> Report {
        let mut report = Report::default();
        let wrong = |what: String| Wrong { scenario: scenario.to_owned(), dialect, what };
        for (place, questions, answers) in &self.places {
            let replies = match engine.ask(place, questions) {
                Ok(replies) => replies,
                Err(why) => {
                    report.wrong.push(wrong(format!("{}: {why}", place.subject)));
                    continue;
                }
            };
            for ((question, expected), reply) in questions.iter().zip(answers).zip(replies) {
                match reply {
                    Err(why) => count(&mut report.not_compared, why),
                    Ok(answer) => {
                        report.compared += 1;
                        if answer.outcome != *expected {
                            let Question { direction, peer, key } = question;
                            let (subject, outcome) = (&place.subject, answer.outcome);
                            report.wrong.push(wrong(format!(
                                "{subject} {direction} {peer} {key}: the oracle says {expected}, {kind} says {outcome}"
                            )));
                        }
                    }
                }
            }
        }
        report
    }
}

/// A key of every protocol, and the first and last of every stretch on which some diagram does not change; of more than `boundaries`
/// of those, evenly spread ones.
fn keys(world: &World<'_>, boundaries: usize) -> Result<Vec<L4Key>, String> {
    let ports = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];
    let messages = [L4Key::icmp(Protocol::ICMP, 8, 0), L4Key::icmp(Protocol::ICMPV6, 128, 0)];
    let mut ends: BTreeSet<L4Key> = BTreeSet::new();
    for class in world.places().into_iter().map(|place| place.class).collect::<BTreeSet<_>>() {
        for map in world.compiled(&class)?.diagrams.iter().flat_map(|diagram| diagram.maps()) {
            for (low, high, _) in map.ranges() {
                ends.extend([low, high]);
            }
        }
    }
    ends.retain(|key| ports.contains(&key.protocol()) || [Protocol::ICMP, Protocol::ICMPV6].contains(&key.protocol()));
    let step = ends.len().div_ceil(boundaries.max(1)).max(1);
    let usual = ports.into_iter().map(|protocol| L4Key::new(protocol, 80)).chain(messages);
    let chosen: BTreeSet<L4Key> = ends.into_iter().step_by(step).chain(usual).collect();
    Ok(chosen.into_iter().collect())
}

/// Every address that belongs to somebody, the first of every prefix, one of the world, and the reserved peers.
fn peers(world: &World<'_>) -> Vec<IpAddr> {
    let first = |(prefix, _): (Prefix, _)| prefix.addr();
    let named = ["health", "ingress", "init", "unmanaged"];
    let entities = named.iter().flat_map(|name| [Family::V4, Family::V6].map(|family| World::entity(name, family)));
    let outside =
        [IpAddr::V4(Ipv4Addr::new(233, 252, 0, 9)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 9))];
    let mut peers: BTreeSet<IpAddr> = world.addresses(None).into_iter().map(first).collect();
    peers.extend(entities.flatten().chain(outside));
    peers.retain(|peer| !peer.is_unspecified());
    peers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::inspect::database;
    use crate::conformance::scenario::{Scenario, parse};
    use crate::engine::{Faulty, faulty};
    use hir::Dialect;

    /// Two pods; the first may be reached by the second at one port.
    fn scenario() -> Scenario {
        parse(include_str!("../../tests/small.json")).expect("the test's own scenario is well-formed")
    }

    #[test]
    fn an_image_with_a_seeded_fault_is_caught() {
        let db = database(&scenario(), &Dialect::STANDARD);
        let world = World::new(&db);
        let mut oracle = Kind::Oracle.open(&world).expect("the oracle is always there");
        let comparison = Comparison::new(&world, oracle.as_mut(), 16).expect("the oracle answers");
        let wrong = |fault| comparison.ask(Kind::Vm, faulty(&world, fault).as_mut(), "small", "standard").wrong.len();
        assert_eq!(wrong(Faulty::Nothing), 0);
        for fault in [Faulty::Leaves, Faulty::Classes, Faulty::Addresses] {
            assert!(wrong(fault) > 0, "{fault:?}");
        }
    }
}
