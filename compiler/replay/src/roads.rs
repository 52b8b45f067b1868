//! Groups that went to a service: who answers there, found once for each kind of flow.
//!
//! ```text
//!  address of the record ─┐
//!  service that it names ─┼─ reason::service ─► legs: a backend and its port each, or why there is none
//!  where it was recorded ─┘
//! ```

use crate::place::{self, Place, Places};
use crate::record::{End, Point};
use crate::tally::{EndId, Group, Seen, Tally};
use facts::{Cluster, Name, Pod};
use flow::L4Key;
use reason::service::{Answering, Client, Frontend, Frontends, Kind, Translation, Whence};
use reason::{Fact, Missing, Party};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Who may answer a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    /// Each of these may. Never empty.
    Legs(Vec<Leg>),
    /// The record names a service that the facts do not have.
    Unread(Missing),
}

/// One of those who may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    /// Who, and on which port; `None` where nobody answers or nobody is known.
    pub backend: Option<(EndId, L4Key)>,
    /// What becomes of the flow on its way.
    pub translation: Arc<Translation>,
}

/// The roads of the groups of a tally, and the ends that only they have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roads {
    /// Ends whose numbers follow those of the tally.
    pub ends: Vec<End>,
    by_group: FxHashMap<(EndId, EndId, L4Key), Arc<Road>>,
}

impl Roads {
    /// The road of a group; `None` where no service has a say.
    pub fn of(&self, group: &Group) -> Option<Arc<Road>> {
        self.by_group.get(&(group.source, group.destination, group.key)).cloned()
    }

    /// Finds the roads of groups. `complete` says that nothing exists that was not read, `unowned` that an address that nobody of the facts
    /// has is outside for certain. Adds those who answer to the places, and to what the records add to the facts.
    ///
    /// Cost: a look-up for each group; those behind a service are found once for each port and kind of client.
    pub fn find(
        tally: &Tally,
        groups: &[(Group, Seen)],
        places: &mut Places,
        cluster: &Cluster,
        complete: bool,
        unowned: &mut dyn FnMut(IpAddr) -> bool,
    ) -> Roads {
        let mut roads = Roads::default();
        let asked =
            groups.iter().map(|(group, _)| group).filter(|group| tally.ends[group.destination.0 as usize].is_address());
        let asked: Vec<&Group> = asked.collect();
        let named = |group: &&&Group| !tally.ends[group.destination.0 as usize].service.is_empty();
        if asked.is_empty() || cluster.services.is_empty() && !asked.iter().any(|group| named(&group)) {
            return roads;
        }
        let frontends = Frontends::new(Arc::new(place::join(cluster.clone(), &places.added)), complete);
        let (backends, known) = (BTreeMap::new(), FxHashMap::default());
        let mut finding = Finding { tally, places, cluster, frontends: &frontends, backends, known, ends: Vec::new() };
        for group in asked {
            let form = (group.source, group.destination, group.key);
            if !roads.by_group.contains_key(&form)
                && let Some(road) = finding.road(group, unowned)
            {
                roads.by_group.insert(form, road);
            }
        }
        roads.ends = finding.ends;
        roads
    }
}

struct Finding<'a> {
    tally: &'a Tally,
    places: &'a mut Places,
    cluster: &'a Cluster,
    frontends: &'a Frontends,
    /// Backends that have an end, by their names in reports.
    backends: BTreeMap<String, EndId>,
    /// What was found for a destination, a port and a kind of client.
    known: FxHashMap<(EndId, L4Key, Client), Arc<Road>>,
    ends: Vec<End>,
}

impl Finding<'_> {
    fn road(&mut self, group: &Group, unowned: &mut dyn FnMut(IpAddr) -> bool) -> Option<Arc<Road>> {
        let end = &self.tally.ends[group.destination.0 as usize];
        let address = end.address?;
        let frontends = self.frontends;
        let is_node = matches!(self.places.places[group.destination.0 as usize], Place::Node(..) | Place::Reserved(..));
        let frontend = frontends.at(address, group.key);
        let frontend = frontend.or_else(|| is_node.then(|| frontends.at_node(group.key)).flatten());
        let frontend = match (frontend, end.service.split_once('/')) {
            (Some(frontend), _) => frontend,
            (None, Some((namespace, name))) if group.point != Point::Behind => {
                let name = Name::new(namespace, name);
                let Some(service) = frontends.cluster().services.get(&name) else {
                    return Some(Arc::new(Road::Unread(Missing::new(Fact::Service, name.to_string()))));
                };
                if service.is_headless() {
                    // Nothing was translated: whoever has the address answers, and where nobody has it, who that was is not known.
                    let unknown = matches!(
                        self.places.places[group.destination.0 as usize],
                        Place::Address(_) | Place::Outside(_) | Place::Nobody
                    );
                    let missing = Missing::new(Fact::ServiceBackends, name.to_string());
                    return unknown.then(|| Arc::new(Road::Unread(missing)));
                }
                let of_key = |port: &&facts::service::ServicePort| L4Key::new(port.protocol, port.port) == group.key;
                Frontend { kind: Kind::ClusterIp, service, port: Some(service.ports.iter().find(of_key)?) }
            }
            (None, _) => return None,
        };
        let mut client = self.client(group.source, unowned);
        // Of a client counts only what the service looks at, so that all others are one.
        client.on = client.on.filter(|_| frontend.service.inside_stays_on_node);
        client.address = client.address.filter(|_| !frontend.service.source_ranges.is_empty());
        let form = (group.destination, group.key, client);
        if let Some(known) = self.known.get(&form) {
            return Some(known.clone());
        }
        let client = &form.2;
        let answers = frontends.answers(frontend, &Party::Address(address), group.key, client);
        let legs = answers.into_iter().map(|Answering { backend, translation }| Leg {
            backend: backend.map(|(party, key)| (self.end(&party), key)),
            translation,
        });
        let road = Arc::new(Road::Legs(legs.collect()));
        self.known.insert(form, road.clone());
        Some(road)
    }

    fn client(&self, source: EndId, unowned: &mut dyn FnMut(IpAddr) -> bool) -> Client {
        let pods = &self.frontends.cluster().pods;
        let nowhere = |from| Client { from, address: None, on: None };
        match &self.places.places[source.0 as usize] {
            Place::Pod { name, .. } => {
                let node = pods.get(name).and_then(|pod| pod.node.clone());
                Client { on: Some((name.to_string(), node)), ..nowhere(Whence::Inside) }
            }
            Place::Node(name, _) if name.is_empty() => nowhere(Whence::Inside),
            Place::Node(name, _) => Client { on: Some((name.clone(), Some(name.clone()))), ..nowhere(Whence::Inside) },
            Place::Reserved(..) => nowhere(Whence::Inside),
            Place::Outside(address) => Client { address: Some(*address), ..nowhere(Whence::Outside) },
            Place::Address(address) if unowned(*address) => {
                Client { address: Some(*address), ..nowhere(Whence::Outside) }
            }
            Place::Address(_) | Place::Nobody => nowhere(Whence::Either),
        }
    }

    /// The end of a backend.
    fn end(&mut self, party: &Party) -> EndId {
        let named = party.to_string();
        if let Some(known) = self.backends.get(&named) {
            return *known;
        }
        let cluster = self.frontends.cluster();
        let (place, end) = match party {
            Party::Address(address) => {
                let pod =
                    cluster.pods.values().find(|pod| !pod.phase.is_over() && pod.own_ips().any(|ip| ip == *address));
                let node = cluster
                    .node_ips()
                    .into_iter()
                    .find(|(_, ips)| ips.contains(address))
                    .map(|(name, _)| name.to_owned());
                let place = match (pod, node) {
                    (Some(pod), _) => Place::Pod { name: pod.name.clone(), address: Some(*address), ports_known: true },
                    (None, Some(node)) => Place::Node(node, Some(*address)),
                    (None, None) => Place::Address(*address),
                };
                (place, End { address: Some(*address), ..End::default() })
            }
            _ => match reason::party::pod(cluster, party) {
                Some(pod) => self.pod(pod),
                None => (Place::Nobody, End::default()),
            },
        };
        let id = EndId((self.tally.ends.len() + self.ends.len()) as u32);
        self.places.places.push(place);
        self.ends.push(end);
        self.backends.insert(named, id);
        id
    }

    fn pod(&mut self, pod: Pod) -> (Place, End) {
        let end = End { namespace: pod.name.namespace.clone(), pod: pod.name.name.clone(), ..End::default() };
        if pod.host_network {
            return (Place::Node(pod.node.unwrap_or_default(), pod.ips.first().copied()), end);
        }
        let has_address = pod.own_ips().next().is_some();
        let name = match has_address {
            true => pod.name,
            false => self.places.suppose(self.cluster, pod),
        };
        (Place::Pod { name, address: None, ports_known: true }, end)
    }
}
