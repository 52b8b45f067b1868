//! Every case of a table, put to engines.

use super::inspect::place;
use super::report::{Report, Wrong};
use super::requests;
use super::scenario::{Case, Expect, Expected, Party, Scenario};
use crate::engine::{Answer, Engine, Kind, NotAsked, Outcome, Place, Question, World};
use flow::{Action, Auth, Direction, Family, Protocol};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Which column of the table is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The verdicts of the reference.
    Reference,
    /// Those of plain Kubernetes where the table has one; only who passes is compared. Kubernetes knows no reserved peers.
    Kubernetes,
}

/// One side of a case in one family, on its way to an engine.
struct Asked<'s> {
    case: usize,
    direction: Direction,
    expect: &'s Expect,
    question: Question,
    second: bool,
}

/// The questions of a table, by subject; and what is wrong before any engine is asked.
#[derive(Default)]
pub(super) struct Plan<'s> {
    places: BTreeMap<Place, Vec<Asked<'s>>>,
    rows: usize,
    /// Sides without a packet, such as a party without address.
    pub wrong: Vec<String>,
}

/// Turns a table into questions.
pub(super) fn plan<'s>(scenario: &'s Scenario, world: &World<'_>, reading: Reading) -> Plan<'s> {
    let mut plan = Plan::default();
    let special = |party: &Party| matches!(party, Party::Entity(_));
    for (at, case) in scenario.cases.iter().enumerate() {
        if reading == Reading::Kubernetes && (special(&case.src) || special(&case.dst)) {
            continue;
        }
        plan.rows += 1;
        for direction in Direction::BOTH {
            plan.side(at, case, direction, world, reading);
        }
    }
    plan
}

impl<'s> Plan<'s> {
    fn side(&mut self, at: usize, case: &'s Case, direction: Direction, world: &World<'_>, reading: Reading) {
        let (subject, other) = case.sides(direction);
        let expect = case.expect(direction);
        match (place(world, subject), expect.verdict) {
            (None, None) => {}
            (None, Some(expected)) => {
                self.wrong.push(format!("{case} {direction}: expected {expected}, and nothing is enforced there"));
            }
            (Some(_), None) => self.wrong.push(format!("{case} {direction}: expected nothing to be enforced")),
            (Some(place), Some(_)) => {
                let addresses = addresses(world, other);
                let mut peers = usable(&place, &addresses, case.protocol);
                if reading == Reading::Kubernetes {
                    // Why: blocks match pods and nodes by address there, so the families of one peer may differ, and a row is
                    // about the first.
                    peers.truncate(1);
                }
                if peers.is_empty() {
                    self.wrong.push(format!("{case} {direction}: {other} has no address"));
                }
                let asked = peers.into_iter().enumerate().map(|(nth, peer)| Asked {
                    case: at,
                    direction,
                    expect,
                    question: Question { direction, peer, key: case.key() },
                    second: nth > 0,
                });
                self.places.entry(place).or_default().extend(asked);
            }
        }
    }

    /// Asks an engine everything.
    pub fn ask(
        &self,
        kind: Kind,
        engine: &mut dyn Engine,
        scenario: &Scenario,
        world: &World<'_>,
        reading: Reading,
        dialect: &'static str,
    ) -> Report {
        let mut report = Report::default();
        let mut silent: BTreeSet<usize> = BTreeSet::new();
        let mut answered: BTreeSet<usize> = BTreeSet::new();
        let wrong = |what: String| Wrong { scenario: scenario.name.clone(), dialect, what };
        for (place, asked) in &self.places {
            let questions: Vec<Question> = asked.iter().map(|asked| asked.question).collect();
            let replies = match engine.ask(place, &questions) {
                Ok(replies) => replies,
                Err(why) => {
                    report.wrong.push(wrong(format!(
                        "{}: {} questions without an answer: {why}",
                        place.subject,
                        questions.len()
                    )));
                    continue;
                }
            };
            for (asked, reply) in asked.iter().zip(replies) {
                match reply {
                    Err(why) => {
                        silent.insert(asked.case);
                        *report.not_asked.entry(why).or_default() += 1;
                    }
                    Ok(answer) => {
                        answered.insert(asked.case);
                        report.answers += 1;
                        report.second_family += usize::from(asked.second);
                        let difference = difference(kind, asked, &answer, reading)
                            .or_else(|| l7_difference(kind, world, place, asked, &answer, reading));
                        if let Some(difference) = difference {
                            let case = &scenario.cases[asked.case];
                            let (direction, peer) = (asked.direction, asked.question.peer);
                            report.wrong.push(wrong(format!("{case} {direction} (peer {peer}): {difference}")));
                        }
                    }
                }
            }
        }
        // A row counts as asked unless every enforcing side of it was refused.
        let rows = self.rows - silent.difference(&answered).count();
        match reading {
            Reading::Reference => report.cases = rows,
            Reading::Kubernetes => report.standard_cases = rows,
        }
        report
    }
}

/// Every address of a party, IPv4 first.
fn addresses(world: &World<'_>, party: &Party) -> Vec<IpAddr> {
    match party {
        Party::Pod(name) => world.addresses_of_pod(name).into_iter().collect(),
        Party::Node(name) => world.cluster().nodes.get(name).into_iter().flat_map(|node| node.ips.clone()).collect(),
        Party::Address(address) => vec![*address],
        Party::Entity(name) => {
            [Family::V4, Family::V6].into_iter().filter_map(|family| World::entity(name, family)).collect()
        }
    }
}

/// The address that a question is about: the first of each family that both sides have and that the protocol belongs to. Where there
/// is none, the first address of the other side, of which no packet exists.
fn usable(place: &Place, addresses: &[IpAddr], protocol: Protocol) -> Vec<IpAddr> {
    let fits = |family: Family| match protocol {
        Protocol::ICMP => family == Family::V4,
        Protocol::ICMPV6 => family == Family::V6,
        _ => true,
    };
    let both = [Family::V4, Family::V6].into_iter().filter(|family| fits(*family) && place.address(*family).is_some());
    let found: Vec<IpAddr> =
        both.filter_map(|family| addresses.iter().copied().find(|address| Family::of(*address) == family)).collect();
    if found.is_empty() { addresses.iter().copied().take(1).collect() } else { found }
}

/// What is wrong with an answer, in words.
fn difference(kind: Kind, asked: &Asked<'_>, answer: &Answer, reading: Reading) -> Option<String> {
    let expect = asked.expect;
    let expected = expect.verdict?;
    let passes = match (reading, expect.kubernetes) {
        (Reading::Kubernetes, Some(passes)) => passes,
        _ => expected.passes(),
    };
    let outcome = answer.outcome;
    let said =
        |wanted: &dyn std::fmt::Display| Some(format!("expected {wanted}, {kind} says {outcome}{}", details(answer)));
    if matches!(outcome, Outcome::Other(_)) || outcome.passes() != passes {
        return if reading == Reading::Kubernetes && passes != expected.passes() {
            said(&if passes { "allow (Kubernetes)" } else { "deny (Kubernetes)" })
        } else {
            said(&expected)
        };
    }
    if reading == Reading::Kubernetes || !passes {
        let by_rule = answer.decision.as_ref().map(|it| matches!(it.because, oracle::Because::Rule { .. }));
        let other = by_rule.is_some_and(|by_rule| by_rule != (expected == Expected::Deny));
        return if reading == Reading::Reference && other { said(&expected) } else { None };
    }
    if (outcome == Outcome::Auth) != expect.auth.is_some() {
        return said(&format!("authentication {}", expect.auth.as_deref().unwrap_or("none")));
    }
    match answer.verdict {
        None => {
            let redirect = outcome == Outcome::Redirect;
            let other = outcome != Outcome::Auth && redirect != (expected == Expected::Redirect);
            if other { said(&expected) } else { None }
        }
        Some(verdict) => {
            let auth = match verdict.auth {
                Auth::Disabled => None,
                Auth::Required => Some("required"),
                Auth::AlwaysFail => Some("test-always-fail"),
            };
            let redirect = matches!(verdict.action, Action::Redirect(_));
            let other = redirect != (expected == Expected::Redirect);
            if other || auth != expect.auth.as_deref() || !goes_to(answer.listener.as_deref(), expect.proxy.as_deref())
            {
                said(&format!("{expected} {:?} {:?}", expect.proxy, expect.auth))
            } else {
                None
            }
        }
    }
}

/// Whether the listener of a redirect is one of those that the table names (`http+tls`: rules ask for both, one of them wins).
fn goes_to(listener: Option<&str>, proxies: Option<&str>) -> bool {
    match (listener, proxies) {
        (Some(listener), Some(proxies)) => proxies.split('+').any(|proxy| proxy == listener),
        (listener, proxies) => listener == proxies,
    }
}

fn details(answer: &Answer) -> String {
    let peer = answer.peer.map(|peer| format!(" for peer {peer}")).unwrap_or_default();
    let verdict = answer.verdict.map(|verdict| format!(" ({verdict})")).unwrap_or_default();
    let listener = answer.listener.as_ref().map(|listener| format!(" to {listener}")).unwrap_or_default();
    format!("{verdict}{listener}{peer}")
}

/// The L7 rules that apply to peer and port are part of what was bound, not of a verdict, so they are compared once: with the oracle,
/// which is also asked requests.
fn l7_difference(
    kind: Kind,
    world: &World<'_>,
    place: &Place,
    asked: &Asked<'_>,
    answer: &Answer,
    reading: Reading,
) -> Option<String> {
    let verdict = answer.verdict.filter(|_| kind == Kind::Oracle && reading == Reading::Reference)?;
    let peer = answer.peer.filter(|_| matches!(verdict.action, Action::Redirect(_)))?;
    let bound = world.bound(&place.class);
    let matching = bound.direction(asked.direction).rules.iter();
    let matching = matching.filter(|rule| rule.peers.contains(peer) && rule.l4.contains(asked.question.key));
    requests::difference(matching, asked.expect)
        .or_else(|| requests::asked(world, place, &asked.question, asked.expect).err())
}

/// Adds counts of what could not be asked.
pub(super) fn count(into: &mut BTreeMap<NotAsked, usize>, why: NotAsked) {
    *into.entry(why).or_default() += 1;
}
