//! The plan: every namespace with its settings, links, addresses, routes and neighbours, as plain values.

use std::fmt;
use std::net::IpAddr;

use flow::Family;

use super::names::RunId;
use super::spec::{NodeSpec, PodSpec, Spec, SpecError};

/// An Ethernet address. Deterministic: `02:74` (locally administered), a kind, a side and an index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Somewhere a packet can start or end. Indices count in the order of the [`Spec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A node itself, not the pods on it.
    Node(usize),
    /// A pod.
    Pod(usize),
    /// Outside the cluster.
    World,
}

/// One veth pair, made by one request of the namespace that holds its host end; it never exists in the root namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VethPlan {
    /// Name on the side of the namespace that makes it.
    pub name: String,
    /// Index on that side; chosen, not found.
    pub ifindex: u32,
    /// Address of that side.
    pub mac: Mac,
    /// The namespace of the other end (index into [`Plan::namespaces`]), where it is called `eth0`.
    pub peer: usize,
    /// Address of the other end.
    pub peer_mac: Mac,
}

/// One route, always of a single address or the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The destination; `None` is everything of `family`.
    pub to: Option<IpAddr>,
    /// Whose table.
    pub family: Family,
    /// The next hop; `None` is a destination on the link.
    pub via: Option<IpAddr>,
    /// The link, by index.
    pub ifindex: u32,
    /// The source that this namespace's own packets take.
    pub source: Option<IpAddr>,
}

/// One permanent neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Who.
    pub address: IpAddr,
    /// Where.
    pub mac: Mac,
    /// On which link, by index.
    pub ifindex: u32,
}

/// One namespace, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespacePlan {
    /// Its name under `/run/netns`.
    pub name: String,
    /// Files under `/proc/sys/net` and what is written to them, in order, before any link exists.
    pub sysctls: Vec<(String, String)>,
    /// Pairs whose host end is here.
    pub veths: Vec<VethPlan>,
    /// Addresses by link index, each /32 or /128.
    pub addresses: Vec<(u32, IpAddr)>,
    /// Routes, in order.
    pub routes: Vec<Route>,
    /// Neighbours.
    pub neighbours: Vec<Neighbour>,
}

impl NamespacePlan {
    /// Whether a link of that index is one that the plan made here.
    pub(crate) fn knows(&self, ifindex: u32) -> bool {
        let uplink = self.routes.iter().any(|route| route.ifindex == ifindex);
        uplink || self.veths.iter().any(|veth| veth.ifindex == ifindex)
    }
}

/// The host side of a pod's link: where programs attach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEnd {
    /// Which node holds it.
    pub node: usize,
    /// Its name there.
    pub name: String,
    /// Its index there.
    pub ifindex: u32,
    /// Its own address: the gateway of the pod.
    pub mac: Mac,
    /// The address of the pod's `eth0`.
    pub pod_mac: Mac,
}

/// All that a lab will make. Pure: two plans of one [`Spec`] are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub(super) spec: Spec,
    pub(super) namespaces: Vec<NamespacePlan>,
}

impl Plan {
    /// Lays a description out.
    ///
    /// Errors: [`SpecError`]; nothing of the machine is read or touched.
    pub fn new(spec: Spec) -> Result<Plan, SpecError> {
        super::spec::check(&spec)?;
        let namespaces = super::build::namespaces(&spec);
        Ok(Plan { spec, namespaces })
    }

    /// Whose names these are.
    pub fn run(&self) -> &RunId {
        &self.spec.run
    }

    /// The nodes, in the order given.
    pub fn nodes(&self) -> &[NodeSpec] {
        &self.spec.nodes
    }

    /// The pods, in the order given.
    pub fn pods(&self) -> &[PodSpec] {
        &self.spec.pods
    }

    /// Every namespace: core, world, nodes, pods.
    pub fn namespaces(&self) -> &[NamespacePlan] {
        &self.namespaces
    }

    /// The namespace of a place, as an index into [`Plan::namespaces`]. `None` when there is no such node or pod.
    pub fn namespace_of(&self, place: Place) -> Option<usize> {
        super::build::namespace_of(&self.spec, place)
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<Place> {
        self.spec.nodes.iter().position(|node| node.name == name).map(Place::Node)
    }

    /// The pod of that `namespace/name`.
    pub fn pod(&self, name: &str) -> Option<Place> {
        self.spec.pods.iter().position(|pod| pod.name == name).map(Place::Pod)
    }

    /// What a place is called: a pod's `namespace/name`, a node's name, `world`; empty when there is no such place.
    pub fn name(&self, place: Place) -> &str {
        match place {
            Place::Node(index) => self.spec.nodes.get(index).map_or("", |node| &node.name),
            Place::Pod(index) => self.spec.pods.get(index).map_or("", |pod| &pod.name),
            Place::World => "world",
        }
    }

    /// The addresses of a place, in the order given.
    pub fn addresses(&self, place: Place) -> &[IpAddr] {
        match place {
            Place::Node(index) => self.spec.nodes.get(index).map_or(&[], |node| &node.addresses),
            Place::Pod(index) => self.spec.pods.get(index).map_or(&[], |pod| &pod.addresses),
            Place::World => &self.spec.world,
        }
    }

    /// The first address of a place in a family.
    pub fn address(&self, place: Place, family: Family) -> Option<IpAddr> {
        self.addresses(place).iter().copied().find(|&address| Family::of(address) == family)
    }

    /// Every place: nodes, pods, and the world where it has addresses.
    pub fn places(&self) -> Vec<Place> {
        let nodes = (0..self.spec.nodes.len()).map(Place::Node);
        let pods = (0..self.spec.pods.len()).map(Place::Pod);
        let world = if self.spec.world.is_empty() { None } else { Some(Place::World) };
        nodes.chain(pods).chain(world).collect()
    }

    /// Where the programs of a pod attach. `None` when there is no such pod.
    pub fn host_end(&self, pod: usize) -> Option<HostEnd> {
        let node = super::build::node_of(&self.spec, pod)?;
        let here = self.namespaces.get(self.namespace_of(Place::Node(node))?)?;
        let peer = self.namespace_of(Place::Pod(pod))?;
        let veth = here.veths.iter().find(|veth| veth.peer == peer)?;
        let (name, ifindex, mac, pod_mac) = (veth.name.clone(), veth.ifindex, veth.mac, veth.peer_mac);
        Some(HostEnd { node, name, ifindex, mac, pod_mac })
    }

    /// The index of a node's link to the others and to the world, in the node: its one native device.
    pub fn uplink(&self) -> u32 {
        super::build::UPLINK
    }

    /// The text to say before anything is made: what will be touched, and what will not.
    pub fn describe(&self) -> String {
        super::describe::describe(self)
    }

    /// Every setting, link, address, route and neighbour, one a line.
    pub fn listing(&self) -> String {
        super::describe::listing(self)
    }
}
