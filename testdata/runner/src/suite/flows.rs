//! From a row to the flows that it speaks of.

use super::ask::Asked;
use super::cluster::World as Facts;
use super::end::{self, End};
use super::row::{Ask, Row};
use crate::engine::{Place, Question, World};
use flow::{Direction, Family};
use std::net::IpAddr;

/// The flows of a row: each source with each destination and key, once for each family that both have.
///
/// Errors: an end that names nobody, a service without its backend, a flow of which no packet can be.
pub fn of_row(facts: &Facts, world: &World<'_>, line: usize, row: &Row) -> Result<Vec<Asked>, String> {
    let mut flows = Vec::new();
    for source in &row.sources {
        for destination in &row.destinations {
            for ask in &row.keys {
                let from = end::named(facts, source)?;
                let (to, ask) = of_destination(facts, destination, row.via.as_deref(), *ask)?;
                let found = one(world, row, &from, &to, ask)?;
                let words = |key: String| format!("{source} -> {destination} {key}");
                flows.extend(found.into_iter().map(|(key, ends)| Asked {
                    line,
                    words: words(key),
                    expected: row.expected.clone(),
                    ends,
                }));
            }
        }
    }
    Ok(flows)
}

/// The end that a word stands for, and the key there: a service is its backend and the backend's port.
fn of_destination(facts: &Facts, word: &str, via: Option<&str>, ask: Ask) -> Result<(End, Ask), String> {
    match (word.strip_prefix("service:"), via) {
        (Some(service), Some(via)) => {
            let backend = end::named(facts, via)?;
            let ask = end::translated(facts, service, &backend, ask)?;
            Ok((backend, ask))
        }
        (None, None) => Ok((end::named(facts, word)?, ask)),
        _ => Err("a service wants `via BACKEND`, and nothing else does".to_owned()),
    }
}

type Ends = [Option<(Place, Question)>; 2];

/// What is asked at both ends of one flow, for each family that both ends have.
fn one(world: &World<'_>, row: &Row, from: &End, to: &End, ask: Ask) -> Result<Vec<(String, Ends)>, String> {
    let itself = from.is_same_pod(to);
    if itself && row.via.is_none() {
        return Ok(vec![("inside the pod".to_owned(), [None, None])]);
    }
    let mut found = Vec::new();
    for (family, source, destination) in shared(&from.addresses(world), &to.addresses(world)) {
        let Some(key) = ask.key(family) else { continue };
        let end = |mine: &End, peer: IpAddr, direction: Direction| -> Result<Option<(Place, Question)>, String> {
            if row.only.is_some_and(|only| only != direction) {
                return Ok(None);
            }
            match mine.place(world) {
                None if row.only.is_some() => Err("nothing is enforced at that end".to_owned()),
                place => {
                    Ok(place.map(|place| (Place { by_service: itself, ..place }, Question { direction, peer, key })))
                }
            }
        };
        let egress = end(from, destination, Direction::Egress)?;
        let ingress = end(to, source, Direction::Ingress)?;
        found.push((key.to_string(), [egress, ingress]));
    }
    if found.is_empty() { Err("no packet can be of this flow: the families differ".to_owned()) } else { Ok(found) }
}

/// Pairs of addresses of one family.
fn shared(from: &[IpAddr], to: &[IpAddr]) -> Vec<(Family, IpAddr, IpAddr)> {
    let with = |a: IpAddr| to.iter().filter(move |b| b.is_ipv4() == a.is_ipv4()).map(move |b| (Family::of(a), a, *b));
    from.iter().flat_map(|a| with(*a)).collect()
}
