//! What a database answers: every verdict of a small world, in words that hold no peer number.

use driver::Database;
use flow::{Action, Direction, L4Key, Verdict};
use hir::subject::Subject;
use runner::engine::{Compiled, Place, World};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A flow between a subject and an address.
pub type Flow = (Subject, Direction, IpAddr, L4Key);
/// What happens to it: the verdict, and the name of the listener.
pub type Answer = (Verdict, Option<String>);

/// Addresses outside every generated cluster.
const OUTSIDE: [&str; 6] = ["8.8.8.8", "203.0.113.9", "100.64.7.201", "2001:db8::1", "2001:db8:1::5", "fd77::1"];

/// The addresses that rules of these worlds can tell apart: of pods and nodes, and the edges of every prefix that they know.
pub fn addresses(db: &Database) -> BTreeSet<IpAddr> {
    let cluster = driver::world::cluster(db);
    let pods = cluster.pods.values().flat_map(|pod| pod.ips.iter().copied());
    let nodes = cluster.nodes.values().flat_map(|node| node.ips.iter().copied());
    let outside = OUTSIDE.iter().filter_map(|text| text.parse().ok());
    let prefixes = driver::world::mentions(db).prefixes.clone();
    let edges =
        prefixes.into_iter().filter(|prefix| prefix.len() > 8).flat_map(|prefix| [prefix.addr(), next(prefix.addr())]);
    pods.chain(nodes).chain(outside).chain(edges).collect()
}

fn next(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(it) => IpAddr::V4(it.to_bits().wrapping_add(1).into()),
        IpAddr::V6(it) => IpAddr::V6(it.to_bits().wrapping_add(1).into()),
    }
}

/// The keys at which some answer of a database may change.
pub fn keys(db: &Database) -> BTreeSet<L4Key> {
    let world = World::new(db);
    let mut keys = BTreeSet::new();
    for place in world.places() {
        if let Ok(compiled) = world.compiled(&place.class) {
            keys.extend(compiled.rules.iter().flat_map(oracle::cells));
        }
    }
    keys
}

/// The answers to all flows between the subjects of a database and these addresses. Subjects without a decision are left out.
pub fn answers(db: &Database, addresses: &BTreeSet<IpAddr>, keys: &BTreeSet<L4Key>) -> BTreeMap<Flow, Answer> {
    let world = World::new(db);
    let mut all = BTreeMap::new();
    for place in world.places() {
        let Ok(compiled) = world.compiled(&place.class) else { continue };
        for direction in Direction::BOTH {
            for address in addresses {
                for key in keys {
                    let answer = ask(&world, &compiled, &place, (direction, *address, *key));
                    all.insert((place.subject.clone(), direction, *address, *key), answer);
                }
            }
        }
    }
    all
}

fn ask(
    world: &World<'_>,
    compiled: &Compiled,
    place: &Place,
    (direction, address, key): (Direction, IpAddr, L4Key),
) -> Answer {
    let slot = driver::meaning::slot(direction);
    let peer = world.peer(place.node.as_deref(), address);
    let verdict = compiled.diagrams[slot].eval(peer, key);
    let listener = match verdict.action {
        Action::Redirect(listener) => compiled.rules[slot].listeners.get(usize::from(listener.0)).cloned(),
        Action::Allow | Action::Deny => None,
    };
    // The number of a listener depends on how many others there are.
    let action = if listener.is_some() { Action::Redirect(flow::ListenerId(0)) } else { verdict.action };
    (Verdict { action, ..verdict }, listener)
}

/// The first difference between two worlds that should answer alike.
pub fn first_difference(one: &BTreeMap<Flow, Answer>, other: &BTreeMap<Flow, Answer>) -> Option<String> {
    if let Some(lost) = one.keys().find(|flow| !other.contains_key(*flow)) {
        return Some(format!("{} is answered by one only", words(lost)));
    }
    let mut pairs = one.iter().filter_map(|(flow, answer)| Some((flow, answer, other.get(flow)?)));
    let (flow, before, after) = pairs.find(|(_, before, after)| before != after)?;
    Some(format!("{}: {} and {}", words(flow), said(before), said(after)))
}

/// A flow in words.
pub fn words((subject, direction, address, key): &Flow) -> String {
    format!("{subject} {direction} {address} {key}")
}

fn said((verdict, listener): &Answer) -> String {
    match listener {
        Some(listener) => format!("{verdict} ({listener})"),
        None => verdict.to_string(),
    }
}
