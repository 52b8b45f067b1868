//! What the caller says: nodes, pods and the world, without a word on how they are wired.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::names::RunId;

/// One lab: its run, its nodes, its pods and the addresses outside.
///
/// Shape: order is kept and decides indices (see [`super::Place`]). A pod on the host network is not a [`PodSpec`]: it is
/// its node, and the caller asks about the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Whose names these are.
    pub run: RunId,
    /// At least one.
    pub nodes: Vec<NodeSpec>,
    /// May be empty.
    pub pods: Vec<PodSpec>,
    /// Addresses outside the cluster, both families; may be empty.
    pub world: Vec<IpAddr>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its name, unique among nodes.
    pub name: String,
    /// Its addresses; the first of each family is the source of what the node itself sends.
    pub addresses: Vec<IpAddr>,
    /// What listens on it when probed.
    pub ports: Vec<PortSpec>,
}

/// One pod with a network of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSpec {
    /// `namespace/name`, unique among pods.
    pub name: String,
    /// The name of its node.
    pub node: String,
    /// Its addresses, each as /32 or /128.
    pub addresses: Vec<IpAddr>,
    /// What listens in it when probed.
    pub ports: Vec<PortSpec>,
}

/// One listening port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// The port's name in the pod template, if it has one.
    pub name: Option<String>,
    /// TCP or UDP: the transports this kernel can listen on without modules.
    pub transport: Transport,
    /// Host order.
    pub number: u16,
}

/// A transport with ports that real sockets speak here. This leaves SCTP out: labs run on kernels without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// RFC 9293.
    Tcp,
    /// RFC 768.
    Udp,
}

/// Why a [`Spec`] cannot be laid out. Each is a fault of the description; nothing was touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The run id would not be safe in a file name or could be read as another's.
    #[error("run id `{0}` must be 1 to 12 lower-case letters or digits")]
    RunId(String),
    /// A lab needs somewhere to put pods.
    #[error("a lab needs at least one node")]
    NoNodes,
    /// Indices are 16 bits wide in addresses of links.
    #[error("a lab holds at most {limit} {what}, not {count}")]
    TooMany {
        /// `nodes` or `pods`.
        what: &'static str,
        /// How many were given.
        count: usize,
        /// How many fit.
        limit: usize,
    },
    /// Names must tell things apart.
    #[error("the {what} name `{name}` is given twice")]
    NameTwice {
        /// `node` or `pod`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A pod sits on a node that is not described.
    #[error("pod `{pod}` is on node `{node}`, which is not described")]
    NoSuchNode {
        /// The pod.
        pod: String,
        /// The missing node.
        node: String,
    },
    /// Two owners of one address would make every observation ambiguous.
    #[error("the address {address} belongs to both `{first}` and `{second}`")]
    AddressTwice {
        /// The address.
        address: IpAddr,
        /// Who had it first.
        first: String,
        /// Who claims it too.
        second: String,
    },
    /// Unspecified, loopback, multicast, broadcast, IPv4-mapped and link-local addresses cannot be an end here.
    #[error("`{owner}` cannot own {address}: it is not a unicast address that can be routed")]
    Unroutable {
        /// Who claims it.
        owner: String,
        /// The address.
        address: IpAddr,
    },
}

/// Nodes or pods: an index is 16 bits wide in a MAC address.
pub const LIMIT: usize = 4096;

/// Refuses what cannot be laid out.
///
/// Errors: the first fault, in the order nodes, pods, world.
pub(super) fn check(spec: &Spec) -> Result<(), SpecError> {
    if spec.nodes.is_empty() {
        return Err(SpecError::NoNodes);
    }
    for (what, count) in [("nodes", spec.nodes.len()), ("pods", spec.pods.len())] {
        if count > LIMIT {
            return Err(SpecError::TooMany { what, count, limit: LIMIT });
        }
    }
    unique("node", spec.nodes.iter().map(|node| &node.name))?;
    unique("pod", spec.pods.iter().map(|pod| &pod.name))?;
    for pod in &spec.pods {
        if !spec.nodes.iter().any(|node| node.name == pod.node) {
            return Err(SpecError::NoSuchNode { pod: pod.name.clone(), node: pod.node.clone() });
        }
    }
    addresses(spec)
}

fn unique<'a>(what: &'static str, names: impl Iterator<Item = &'a String>) -> Result<(), SpecError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(SpecError::NameTwice { what, name: name.clone() });
        }
    }
    Ok(())
}

fn addresses(spec: &Spec) -> Result<(), SpecError> {
    let nodes = spec.nodes.iter().map(|node| (node.name.as_str(), &node.addresses));
    let pods = spec.pods.iter().map(|pod| (pod.name.as_str(), &pod.addresses));
    let mut owners = std::collections::BTreeMap::new();
    for (owner, list) in nodes.chain(pods).chain([("world", &spec.world)]) {
        for &address in list {
            if !routable(address) {
                return Err(SpecError::Unroutable { owner: owner.to_string(), address });
            }
            if let Some(first) = owners.insert(address, owner) {
                let (first, second) = (first.to_string(), owner.to_string());
                return Err(SpecError::AddressTwice { address, first, second });
            }
        }
    }
    Ok(())
}

fn routable(address: IpAddr) -> bool {
    match address {
        // Class E and 0.0.0.0/8 are refused by the kernel's own source checks.
        IpAddr::V4(a) => {
            !(a.is_loopback() || a.is_multicast() || a.is_link_local() || a.octets()[0] == 0 || a.octets()[0] >= 240)
        }
        IpAddr::V6(a) => {
            !(a.is_unspecified()
                || a.is_loopback()
                || a.is_multicast()
                || a.is_unicast_link_local()
                || a.to_ipv4_mapped().is_some())
        }
    }
}
