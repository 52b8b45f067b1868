//! The addresses and ports at which services are asked.

use super::backends::{At, Backend, backends};
use super::translation::{Nobody, Reached, Translation};
use crate::doubt::{Fact, Missing};
use crate::party::{self, Party};
use driver::{Db, Knowledge};
use facts::endpoint_slice::Takes;
use facts::service::ServicePort;
use facts::{Cluster, Name, Service};
use flow::{Family, L4Key, Prefix};
use hir::Entity;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// As what a service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// By its name.
    Name,
    /// By its address inside the cluster.
    ClusterIp,
    /// By an address of its load balancer.
    LoadBalancer,
    /// By one of its external addresses.
    External,
    /// By its port on a node.
    NodePort,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whence {
    /// A pod or a node.
    Inside,
    /// Outside the cluster.
    Outside,
    /// One of both.
    Either,
}

/// Who asks, as far as services care.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// Where it is.
    pub from: Whence,
    /// Its one address, where it has one and is outside.
    pub address: Option<IpAddr>,
    /// A pod, and the node that it is on; or a node.
    pub on: Option<(String, Option<String>)>,
}

impl Client {
    /// A party as a client; `unowned` says that an address that nobody has is nobody's for certain.
    pub fn of(cluster: &Cluster, party: &Party, unowned: impl FnOnce() -> bool) -> Client {
        let nowhere = |from| Client { from, address: None, on: None };
        if let Some(pod) = party::pod(cluster, party) {
            return Client { on: Some((pod.name.to_string(), pod.node)), ..nowhere(Whence::Inside) };
        }
        if let Some(node) = party::node(cluster, party) {
            return Client { on: Some((node.to_owned(), Some(node.to_owned()))), ..nowhere(Whence::Inside) };
        }
        match party {
            Party::Entity(Entity::World) => nowhere(Whence::Outside),
            Party::Entity(Entity::All) => nowhere(Whence::Either),
            Party::Prefix(prefix) if party::address(party).is_none() => {
                let inside = |ip: &IpAddr| prefix.covers(Prefix::host(*ip));
                let pods = cluster.pods.values().any(|pod| pod.ips.iter().any(inside));
                let nodes = cluster.node_ips().values().flatten().any(inside);
                nowhere(if pods || nodes { Whence::Either } else { Whence::Outside })
            }
            _ => match party::address(party) {
                Some(address) if unowned() => Client { address: Some(address), ..nowhere(Whence::Outside) },
                Some(_) => nowhere(Whence::Either),
                None => nowhere(Whence::Inside),
            },
        }
    }
}

/// A port at which a service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontend<'f> {
    /// As what.
    pub kind: Kind,
    /// The service.
    pub service: &'f Service,
    /// Its port; `None` where the address is a service's and no service has the port.
    pub port: Option<&'f ServicePort>,
}

/// Somebody who may answer at a frontend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    /// Who, and on which port; `None` where nobody answers or nobody is known.
    pub backend: Option<(Party, L4Key)>,
    /// What becomes of the flow on its way there.
    pub translation: Arc<Translation>,
}

/// Every address and port at which a service of a cluster is asked. Made once for many questions.
#[derive(Clone, Debug)]
pub struct Frontends {
    cluster: Arc<Cluster>,
    /// Nothing exists that was not read.
    complete: bool,
    /// The services of an address, on their own ports.
    addresses: BTreeMap<IpAddr, Vec<(Kind, Name)>>,
    /// The service of a port of nodes, and which of its ports that is.
    node_ports: BTreeMap<L4Key, (Name, usize)>,
    /// Who has the address of a node.
    nodes: BTreeMap<IpAddr, String>,
}

impl Frontends {
    /// Those of a database.
    pub fn of(db: &dyn Db) -> Frontends {
        Frontends::new(driver::world::cluster(db), db.project().knowledge(db) == Knowledge::Complete)
    }

    /// Those of a cluster; `complete` says that nothing exists that was not read.
    pub fn new(cluster: Arc<Cluster>, complete: bool) -> Frontends {
        let mut addresses: BTreeMap<IpAddr, Vec<(Kind, Name)>> = BTreeMap::new();
        let mut node_ports = BTreeMap::new();
        for service in cluster.services.values().filter(|it| it.has_addresses()) {
            let balanced = service.kind == "LoadBalancer";
            let of_balancer = service.load_balancer_ips.iter().filter(|_| balanced);
            let own = service.cluster_ips.iter().map(|ip| (Kind::ClusterIp, ip));
            let own = own.chain(of_balancer.map(|ip| (Kind::LoadBalancer, ip)));
            for (kind, ip) in own.chain(service.external_ips.iter().map(|ip| (Kind::External, ip))) {
                addresses.entry(*ip).or_default().push((kind, service.name.clone()));
            }
            let open = balanced || service.kind == "NodePort";
            for (at, port) in service.ports.iter().enumerate().filter(|_| open) {
                if let Some(number) = port.node_port {
                    node_ports.entry(L4Key::new(port.protocol, number)).or_insert((service.name.clone(), at));
                }
            }
        }
        addresses.values_mut().for_each(|it| it.sort());
        let nodes =
            cluster.node_ips().into_iter().flat_map(|(name, ips)| ips.into_iter().map(|ip| (ip, name.to_owned())));
        let nodes = nodes.collect();
        Frontends { cluster, complete, addresses, node_ports, nodes }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The service that is asked at a port of an address; `None` where the address is nobody's but its owner's.
    pub fn at(&self, address: IpAddr, key: L4Key) -> Option<Frontend<'_>> {
        let all = self.addresses.get(&address).into_iter().flatten();
        let all = all.filter_map(|(kind, name)| Some((*kind, self.cluster.services.get(name)?)));
        let of_key = |port: &&ServicePort| L4Key::new(port.protocol, port.port) == key;
        let mut ports = all.clone().filter_map(|(kind, service)| {
            let port = service.ports.iter().find(of_key)?;
            Some(Frontend { kind, service, port: Some(port) })
        });
        let of_nodes = || self.nodes.get(&address).and_then(|_| self.at_node(key));
        // Why: an external address may be somebody's, who answers on all other ports.
        let whole = || all.clone().find(|(kind, _)| *kind != Kind::External && !self.nodes.contains_key(&address));
        let nobody = || whole().map(|(kind, service)| Frontend { kind, service, port: None });
        ports.next().or_else(of_nodes).or_else(nobody)
    }

    /// The service that is asked at a port of every node.
    pub fn at_node(&self, key: L4Key) -> Option<Frontend<'_>> {
        let (name, at) = self.node_ports.get(&key)?;
        let service = self.cluster.services.get(name)?;
        Some(Frontend { kind: Kind::NodePort, service, port: service.ports.get(*at) })
    }

    /// Whether services are asked at an address, on whatever port.
    pub fn has(&self, address: IpAddr) -> bool {
        self.addresses.contains_key(&address) || self.nodes.contains_key(&address)
    }

    /// The keys at an address, or at a node, that a service takes.
    pub(super) fn keys(&self, address: Option<IpAddr>) -> Vec<L4Key> {
        let named = address.and_then(|address| self.addresses.get(&address)).into_iter().flatten();
        let services = named.filter_map(|(_, name)| self.cluster.services.get(name));
        let own = services.flat_map(|it| it.ports.iter().map(|port| L4Key::new(port.protocol, port.port)));
        let node = address.is_none_or(|address| self.nodes.contains_key(&address));
        own.chain(self.node_ports.keys().copied().filter(|_| node)).collect()
    }

    /// Who answers a client at a frontend, and what becomes of the flow; one entry for each that may answer, with its port.
    ///
    /// Shape: at least one. `asked` is the address, node or service that was asked, `key` the port there.
    pub fn answers(&self, frontend: Frontend<'_>, asked: &Party, key: L4Key, client: &Client) -> Vec<Answering> {
        let Frontend { kind, service, .. } = frontend;
        let address = party::address(asked);
        let node = match asked {
            Party::Node(name) => Some(name.as_str()),
            _ => address.and_then(|address| self.nodes.get(&address)).map(String::as_str),
        };
        let translation = |reached| {
            Arc::new(Translation {
                service: service.name.clone(),
                kind,
                asked: asked.clone(),
                at_node: node.is_some(),
                key,
                from: client.from,
                keeps_client: service.stays_on_node,
                no_range_of_family: range_of(kind, service, client) == Range::NoFamily,
                reached,
            })
        };
        match self.who(frontend, (address, key), node, client) {
            Ok(backends) => {
                let translation = translation(Reached::Backend);
                let answering =
                    |it: Backend| Answering { backend: Some((it.party, it.key)), translation: translation.clone() };
                backends.into_iter().map(answering).collect()
            }
            Err(reached) => vec![Answering { backend: None, translation: translation(reached) }],
        }
    }

    /// Who answers at a frontend. Errors: nobody, or what is missing.
    fn who(
        &self,
        Frontend { kind, service, port }: Frontend<'_>,
        (address, key): (Option<IpAddr>, L4Key),
        node: Option<&str>,
        client: &Client,
    ) -> Result<Vec<Backend>, Reached> {
        let name = || service.name.clone();
        let headless = kind == Kind::Name && service.is_headless();
        let at = match port {
            _ if headless => At::Asked(key),
            Some(port) => At::Target(port),
            None => {
                let known = service.ports.iter().map(|it| L4Key::new(it.protocol, it.port).to_string()).collect();
                return Err(Reached::Nobody(Nobody::NoPort(name(), known)));
            }
        };
        match range_of(kind, service, client) {
            Range::Out => return Err(Reached::Nobody(Nobody::NotInRanges(name()))),
            Range::Unsure => return Err(Reached::Missing(Missing::new(Fact::WhichAddress, "the client"))),
            Range::In | Range::NoFamily => {}
        }
        let all = backends(&self.cluster, service, at);
        match (all.is_empty(), self.complete) {
            (true, true) => return Err(Reached::Nobody(Nobody::NoBackend(name()))),
            (true, false) => return Err(Reached::Missing(Missing::new(Fact::ServiceBackends, name().to_string()))),
            (false, _) => {}
        }
        let fits = |it: &Backend| address.is_none_or(|address| it.families.contains(&Family::of(address)));
        let all: Vec<Backend> = all.into_iter().filter(fits).collect();
        let mut near = match all.is_empty() {
            true => return Err(Reached::Nobody(Nobody::NoFamily(name()))),
            // DNS names all of them, wherever the client is.
            false if headless => all,
            false => self.near(kind, service, node, client, all)?,
        };
        // Why after all else: whoever ends is chosen where none of those who could be chosen is ready.
        if near.iter().any(|it| it.takes == Takes::Always) {
            near.retain(|it| it.takes == Takes::Always);
        }
        Ok(near)
    }

    /// The backends that a client may get to where traffic stays on its node. Errors: nobody, or what is missing.
    fn near(
        &self,
        kind: Kind,
        service: &Service,
        node: Option<&str>,
        client: &Client,
        all: Vec<Backend>,
    ) -> Result<Vec<Backend>, Reached> {
        let at = match client.from {
            Whence::Inside if service.inside_stays_on_node => match &client.on {
                Some((_, Some(node))) => node.as_str(),
                Some((pod, None)) => return Err(Reached::Missing(Missing::new(Fact::PodNode, pod.as_str()))),
                None => return Ok(all),
            },
            Whence::Outside if service.stays_on_node && kind == Kind::NodePort => match node {
                Some(node) => node,
                None => return Ok(all),
            },
            _ => return Ok(all),
        };
        let homeless = all.iter().find(|it| it.node.is_none()).map(|it| it.party.to_string());
        let near: Vec<Backend> = all.into_iter().filter(|it| it.node.as_deref() == Some(at)).collect();
        match (near.is_empty(), homeless) {
            (false, _) => Ok(near),
            (true, Some(pod)) if !self.complete => Err(Reached::Missing(Missing::new(Fact::PodNode, pod))),
            (true, _) => Err(Reached::Nobody(Nobody::NotOnNode(service.name.clone(), at.to_owned()))),
        }
    }
}

/// Whether a client is in the ranges that may ask a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    In,
    Out,
    /// No range is of the client's family.
    NoFamily,
    /// Nothing tells.
    Unsure,
}

fn range_of(kind: Kind, service: &Service, client: &Client) -> Range {
    // Why: clients inside the cluster may ask whatever the ranges say.
    if kind != Kind::LoadBalancer || client.from == Whence::Inside || service.source_ranges.is_empty() {
        return Range::In;
    }
    let Some(address) = client.address else { return Range::Unsure };
    let family = |it: &&Prefix| it.family() == Family::of(address);
    if !service.source_ranges.iter().any(|it| family(&it)) {
        return if service.ranges_deny { Range::In } else { Range::NoFamily };
    }
    let covered = service.source_ranges.iter().any(|it| it.covers(Prefix::host(address)));
    if covered != service.ranges_deny { Range::In } else { Range::Out }
}
