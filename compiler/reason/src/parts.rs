//! Questions with several answers: a range of ports, split where verdicts change; a service, by its backends; a name, by its addresses.

use crate::doubt::{Fact, Missing};
use crate::party::{self, Party, Unreadable};
use crate::trace::{Outcome, Question, Side, Stand, Trace};
use crate::world::{Ground, World};
use driver::Db;
use facts::service::{ServicePort, TargetPort};
use facts::{Cluster, Name, Pod, Service};
use flow::{Direction, L4Key, L4Set};
use hir::peers::NamedPorts;
use hir::{L4, Ports};
use request::Request;
use std::collections::{BTreeMap, BTreeSet};

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
/// The address of a service is that service where its backends are known: packets are translated before policies see them.
///
/// Shape: at least one; neighbours differ. Errors: a port that the service does not have, a service or a name as source.
/// Cost: one answer for each interval between two boundaries of the rules about either end.
pub fn parts(db: &dyn Db, wanted: &Wanted) -> Result<Vec<Part>, Unreadable> {
    match &wanted.source {
        Party::Service(name) => return Err(Unreadable::Source(name.to_string())),
        Party::Dns(name) => return Err(Unreadable::SourceName(name.clone())),
        _ => {}
    }
    let cluster = driver::world::cluster(db);
    let service = match &wanted.destination {
        Party::Dns(name) => return Ok(named(db, wanted, &cluster, name)),
        Party::Service(name) => match cluster.services.get(name) {
            Some(service) => service,
            None => return Err(Unreadable::Unknown { word: name.to_string(), near: vec![] }),
        },
        other => match service_at(&cluster, other) {
            Some(service) => return Ok(at_address(db, wanted, other, service)),
            None => return Ok(split(db, wanted, other.clone(), &wanted.keys, Chosen::Asked)),
        },
    };
    let ports = asked_ports(service, &wanted.keys)?;
    let mut found = Vec::new();
    for port in ports {
        let backends = backends(&cluster, service, port);
        if backends.is_empty() {
            let key = L4Key::new(port.protocol, port.port);
            let missing = Missing::new(Fact::ServiceBackends, service.name.to_string());
            found.push(unanswered(wanted, &[(key, key)], missing, true));
        }
        for (party, key) in backends {
            found.extend(split(db, wanted, party, &[(key, key)], Chosen::ByService));
        }
    }
    Ok(found)
}

/// Who chose the destination that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chosen {
    /// Whoever asks.
    Asked,
    /// A service.
    ByService,
    /// DNS.
    ByName,
}

/// The answers for each address of a name.
fn named(db: &dyn Db, wanted: &Wanted, cluster: &Cluster, name: &str) -> Vec<Part> {
    let addresses = party::addresses_of_name(cluster, name);
    if addresses.is_empty() {
        return vec![unanswered(wanted, &wanted.keys, Missing::new(Fact::DnsNames, name), false)];
    }
    addresses.into_iter().flat_map(|it| split(db, wanted, it, &wanted.keys, Chosen::ByName)).collect()
}

/// The service that has an address.
fn service_at<'c>(cluster: &'c Cluster, party: &Party) -> Option<&'c Service> {
    let address = party::address(party)?;
    cluster.services.values().find(|it| it.cluster_ips.contains(&address))
}

/// The answers for the address of a service: its ports are translated where somebody is known behind them, all others reach the address
/// as it stands.
fn at_address(db: &dyn Db, wanted: &Wanted, party: &Party, service: &Service) -> Vec<Part> {
    let cluster = driver::world::cluster(db);
    let known = |port: &ServicePort| {
        let behind = backends(&cluster, service, port);
        (!behind.is_empty()).then(|| (L4Key::new(port.protocol, port.port), behind))
    };
    let translated: BTreeMap<L4Key, Vec<(Party, L4Key)>> = service.ports.iter().filter_map(known).collect();
    let mut found = Vec::new();
    for &(low, high) in &wanted.keys {
        let mut from = low.raw();
        let plain = |from: u32, to: u32| {
            let (Some(low), Some(high)) = (L4Key::from_raw(from), L4Key::from_raw(to)) else { return Vec::new() };
            split(db, wanted, party.clone(), &[(low, high)], Chosen::Asked)
        };
        for (key, behind) in translated.range(low..=high) {
            if from < key.raw() {
                found.extend(plain(from, key.raw() - 1));
            }
            for (party, key) in behind {
                found.extend(split(db, wanted, party.clone(), &[(*key, *key)], Chosen::ByService));
            }
            from = key.raw() + 1;
        }
        if from <= high.raw() {
            found.extend(plain(from, high.raw()));
        }
    }
    found
}

/// The ports of a service that are asked for.
fn asked_ports<'s>(service: &'s Service, keys: &[(L4Key, L4Key)]) -> Result<Vec<&'s ServicePort>, Unreadable> {
    let key = |port: &ServicePort| L4Key::new(port.protocol, port.port);
    let asked = |port: &&ServicePort| keys.iter().any(|(low, high)| (*low..=*high).contains(&key(port)));
    let found: Vec<&ServicePort> = service.ports.iter().filter(asked).collect();
    if found.is_empty() {
        let port = L4Set::from_intervals(keys.iter().copied()).to_string();
        let known = service.ports.iter().map(|port| key(port).to_string()).collect();
        return Err(Unreadable::NoPort { service: service.name.to_string(), port, known });
    }
    Ok(found)
}

/// Who answers at a port of a service, and where: pods that are ready or not, or what its EndpointSlices name.
fn backends(cluster: &Cluster, service: &Service, port: &ServicePort) -> Vec<(Party, L4Key)> {
    if service.selector.is_empty() {
        let slices = cluster.endpoint_slices.values();
        let mine = slices.filter(|slice| slice.service_name().as_ref() == Some(&service.name));
        let addresses: BTreeSet<_> =
            mine.flat_map(|it| &it.endpoints).flat_map(|it| it.addresses.iter().copied()).collect();
        let number = match port.target {
            TargetPort::Number(number) => number,
            TargetPort::Name(_) => port.port,
        };
        return addresses.into_iter().map(|it| (Party::Address(it), L4Key::new(port.protocol, number))).collect();
    }
    let selected = |pod: &&Pod| {
        pod.name.namespace == service.name.namespace
            && !pod.phase.is_over()
            && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    };
    let from = Name::new(service.name.namespace.clone(), String::new());
    let pods =
        cluster.pods.range(from..).map(|(_, pod)| pod).take_while(|pod| pod.name.namespace == service.name.namespace);
    let key = |pod: &Pod| match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => NamedPorts::of(&pod.ports, false).get(name, port.protocol).next(),
    };
    let found = pods.filter(selected).filter_map(|pod| Some((Party::Pod(pod.name.clone()), key(pod)?)));
    found.map(|(party, number)| (party, L4Key::new(port.protocol, number))).collect()
}

/// The answer where nothing tells who answers.
fn unanswered(wanted: &Wanted, keys: &[(L4Key, L4Key)], missing: Missing, by_service: bool) -> Part {
    let side = |direction, subject: &Party, other: &Party| Side {
        direction,
        subject: subject.to_string(),
        other: other.to_string(),
        stand: Stand::Unknown([missing.clone()].into()),
        conflicts: Vec::new(),
    };
    let (source, destination) = (&wanted.source, &wanted.destination);
    let (egress, ingress) =
        (side(Direction::Egress, source, destination), side(Direction::Ingress, destination, source));
    Part {
        keys: L4Set::from_intervals(keys.iter().copied()),
        backend: None,
        question: question(wanted, destination.clone(), keys.first().map_or(L4Key::MIN, |it| it.0), by_service),
        trace: Trace { egress, ingress },
    }
}

fn question(wanted: &Wanted, destination: Party, key: L4Key, by_service: bool) -> Question {
    Question { source: wanted.source.clone(), destination, key, request: wanted.request.clone(), by_service }
}

/// The answers to a range of keys, split where they change.
fn split(db: &dyn Db, wanted: &Wanted, destination: Party, keys: &[(L4Key, L4Key)], chosen: Chosen) -> Vec<Part> {
    let Some((first, _)) = keys.first() else { return Vec::new() };
    let backend = (chosen != Chosen::Asked).then(|| destination.to_string());
    let by_service = chosen == Chosen::ByService;
    let ground = Ground::of(db);
    let world = ground.world(&question(wanted, destination.clone(), *first, by_service));
    let single = keys.len() == 1 && keys[0].0 == keys[0].1;
    let cuts = if single { BTreeSet::new() } else { boundaries(&world) };
    let mut found: Vec<Part> = Vec::new();
    for (low, high) in keys {
        let inner = cuts.range(*low..=*high).copied().filter(|cut| cut != low);
        let starts: Vec<L4Key> = std::iter::once(*low).chain(inner).collect();
        for (at, start) in starts.iter().enumerate() {
            let end = starts.get(at + 1).and_then(|next| L4Key::from_raw(next.raw() - 1)).unwrap_or(*high);
            let question = question(wanted, destination.clone(), *start, by_service);
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
