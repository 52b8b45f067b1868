//! From what is asked to questions that have one destination each.

use super::frontend::{Answering, Client, Frontend, Frontends, Kind, Whence};
use super::translation::Road;
use crate::doubt::{self, Fact, Missing};
use crate::parts::Wanted;
use crate::party::{self, Party, Unreadable};
use crate::trace::Question;
use crate::world::Ground;
use facts::Service;
use facts::service::ServicePort;
use flow::{L4Key, L4Set};

/// A part of what is asked that goes to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Who was chosen, where a service or DNS chose.
    pub backend: Option<String>,
    /// Its protocols and ports there, as intervals with both ends.
    pub keys: Vec<(L4Key, L4Key)>,
    /// The question about the first of them.
    pub question: Question,
}

/// What is asked, by destinations: a service by its backends, a name by its addresses, an address or a node by the services that are asked
/// there.
///
/// Shape: at least one. Errors: a port that a service asked by name does not have, a service or a name as source.
pub fn legs(ground: &Ground<'_>, frontends: &Frontends, wanted: &Wanted) -> Result<Vec<Leg>, Unreadable> {
    match &wanted.source {
        Party::Service(name) => return Err(Unreadable::Source(name.to_string())),
        Party::Dns(name) => return Err(Unreadable::SourceName(name.clone())),
        _ => {}
    }
    let cluster = frontends.cluster();
    let unowned = || {
        let world = ground.world(&Question::straight(wanted.source.clone(), wanted.source.clone(), L4Key::MIN));
        doubt::unknown_owner(&world, 0).is_none()
    };
    let asking = Asking { frontends, wanted, client: Client::of(cluster, &wanted.source, unowned) };
    match &wanted.destination {
        Party::Dns(name) => Ok(asking.named(name)),
        Party::Service(name) => match cluster.services.get(name) {
            Some(service) => asking.service(service),
            None => Err(Unreadable::Unknown { word: name.to_string(), near: vec![] }),
        },
        other => Ok(asking.at(other)),
    }
}

struct Asking<'a> {
    frontends: &'a Frontends,
    wanted: &'a Wanted,
    client: Client,
}

impl Asking<'_> {
    fn leg(&self, destination: Party, keys: Vec<(L4Key, L4Key)>, road: Road, backend: Option<String>) -> Leg {
        let key = keys.first().map_or(L4Key::MIN, |(low, _)| *low);
        let (source, request) = (self.wanted.source.clone(), self.wanted.request.clone());
        Leg { backend, keys, question: Question { source, destination, key, request, road } }
    }

    /// The legs for each address of a name.
    fn named(&self, name: &str) -> Vec<Leg> {
        let addresses = party::addresses_of_name(self.frontends.cluster(), name);
        if addresses.is_empty() {
            let road = Road::Unanswered(Missing::new(Fact::DnsNames, name));
            return vec![self.leg(self.wanted.destination.clone(), self.wanted.keys.clone(), road, None)];
        }
        let each = addresses.into_iter().flat_map(|address| {
            let of_address = |leg: Leg| Leg { backend: leg.backend.or_else(|| Some(address.to_string())), ..leg };
            self.at(&address).into_iter().map(of_address).collect::<Vec<Leg>>()
        });
        each.collect()
    }

    /// The legs to a service that is asked by its name.
    fn service(&self, service: &Service) -> Result<Vec<Leg>, Unreadable> {
        if service.is_headless() {
            return Ok(self.headless(service));
        }
        let ports = asked_ports(service, &self.wanted.keys)?;
        let each = ports.into_iter().flat_map(|port| {
            // By its name it is asked at its own address from inside, and from outside at what it has for those there.
            let kind = match (self.client.from, service.kind.as_str()) {
                (Whence::Inside | Whence::Either, _) => Kind::Name,
                (Whence::Outside, "LoadBalancer") => Kind::LoadBalancer,
                (Whence::Outside, "NodePort") => Kind::NodePort,
                (Whence::Outside, _) => Kind::ClusterIp,
            };
            let frontend = Frontend { kind, service, port: Some(port) };
            let key = L4Key::new(port.protocol, port.port);
            self.behind(frontend, (key, key), &self.wanted.destination)
        });
        Ok(each.collect())
    }

    /// The legs to a service without an address: its name stands for the addresses of those behind it, so that whatever port is asked is
    /// theirs and not translated.
    fn headless(&self, service: &Service) -> Vec<Leg> {
        let (asked, keys) = (&self.wanted.destination, &self.wanted.keys);
        let key = keys.first().map_or(L4Key::MIN, |(low, _)| *low);
        let frontend = Frontend { kind: Kind::Name, service, port: None };
        let answers = self.frontends.answers(frontend, asked, key, &self.client);
        let leg = |Answering { backend, translation }: Answering| match backend {
            Some((party, _)) => {
                let name = party.to_string();
                self.leg(party, keys.clone(), Road::Straight, Some(name))
            }
            None => self.leg(asked.clone(), keys.clone(), Road::Service(translation), None),
        };
        answers.into_iter().map(leg).collect()
    }

    /// The legs to any other party: its ports that services take are translated, all others reach it as it stands.
    fn at(&self, party: &Party) -> Vec<Leg> {
        let address = party::address(party);
        let node = matches!(party, Party::Node(_));
        if !node && !address.is_some_and(|address| self.frontends.has(address)) {
            return vec![self.leg(party.clone(), self.wanted.keys.clone(), Road::Straight, None)];
        }
        let frontend = |key: L4Key| match address {
            Some(address) => self.frontends.at(address, key),
            None => self.frontends.at_node(key),
        };
        let mut taken = self.frontends.keys(address);
        taken.sort_unstable();
        taken.dedup();
        let mut found = Vec::new();
        for &(low, high) in &self.wanted.keys {
            let mut from = low.raw();
            let plain = |from: u32, to: u32, found: &mut Vec<Leg>| {
                let (Some(low), Some(high)) = (L4Key::from_raw(from), L4Key::from_raw(to)) else { return };
                match frontend(low) {
                    Some(taken) => found.extend(self.behind(taken, (low, high), party)),
                    None => found.push(self.leg(party.clone(), vec![(low, high)], Road::Straight, None)),
                }
            };
            let inside = taken.iter().copied().filter(|key| (low..=high).contains(key));
            for key in inside {
                if from < key.raw() {
                    plain(from, key.raw() - 1, &mut found);
                }
                plain(key.raw(), key.raw(), &mut found);
                from = key.raw() + 1;
            }
            if from <= high.raw() {
                plain(from, high.raw(), &mut found);
            }
        }
        found
    }

    /// The legs to those behind a frontend; to what was asked where nobody is known there.
    fn behind(&self, frontend: Frontend<'_>, keys: (L4Key, L4Key), asked: &Party) -> Vec<Leg> {
        let answers = self.frontends.answers(frontend, asked, keys.0, &self.client);
        let leg = |Answering { backend, translation }: Answering| {
            let road = Road::Service(translation);
            match backend {
                Some((party, key)) => {
                    let name = party.to_string();
                    self.leg(party, vec![(key, key)], road, Some(name))
                }
                None => self.leg(asked.clone(), vec![keys], road, None),
            }
        };
        answers.into_iter().map(leg).collect()
    }
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
