//! What questions are about: a compiled cluster, its subjects, and an address for every peer.

use diagram::Diagram;
use driver::meaning::{self, ClassKey};
use driver::{Database, Db};
use facts::{Cluster, Name, Pod};
use flow::{Family, PeerId, Prefix};
use hir::peers::{HEALTH, INGRESS, INIT, PeerTable, UNMANAGED};
use hir::resolve::Bound;
use hir::subject::{Class, Subject, SubjectKind, class_of_node, class_of_pod, class_of_special};
use image::{Image, Target};
use rules::RuleSet;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Peers that have no address in a cluster's facts.
const ENTITIES: [(&str, PeerId); 4] =
    [("health", HEALTH), ("ingress", INGRESS), ("init", INIT), ("unmanaged", UNMANAGED)];

/// A subject, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Who.
    pub subject: Subject,
    /// What decides for it.
    pub class: Class,
    /// Its node.
    pub node: Option<String>,
    /// Its addresses.
    pub addresses: BTreeSet<IpAddr>,
    /// What is asked is a flow that a service sent back to the pod that opened it.
    pub by_service: bool,
}

impl Place {
    /// Its first address of a family.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|address| Family::of(*address) == family)
    }

    /// Whether it is a node, or a pod that is one for policies.
    pub fn is_host(&self) -> bool {
        self.class.kind == SubjectKind::Host
    }
}

/// Everything that is compiled for one class of subjects.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Rules of both directions, ingress first; see [`driver::meaning::slot`].
    pub rules: Arc<[RuleSet; 2]>,
    /// Diagrams, likewise.
    pub diagrams: Arc<[Diagram; 2]>,
}

/// A compiled cluster.
pub struct World<'db> {
    db: &'db Database,
    cluster: Arc<Cluster>,
    peers: Arc<PeerTable>,
}

impl<'db> World<'db> {
    /// The world as a database has it now.
    pub fn new(db: &'db Database) -> World<'db> {
        World { db, cluster: driver::world::cluster(db), peers: driver::world::peers(db) }
    }

    /// The node that images are built for.
    pub fn target(&self) -> Target {
        self.db.project().target(self.db)
    }

    /// The facts.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The peers.
    pub fn peers(&self) -> &PeerTable {
        &self.peers
    }

    /// Every subject of the cluster, in order of class, then name.
    pub fn places(&self) -> Vec<Place> {
        let classes = driver::world::classes(self.db);
        let subjects = classes.values().flatten();
        let place = |subject: &Subject| match subject {
            Subject::Pod(name) => self.pod(name),
            Subject::Node(name) => self.node(name),
            Subject::Health(name) => self.special("health", name),
            Subject::Ingress(name) => self.special("ingress", name),
        };
        subjects.filter_map(place).collect()
    }

    /// A pod as a subject; `None` when it is not known or nothing is enforced for it.
    pub fn pod(&self, name: &Name) -> Option<Place> {
        let pod = self.find(name)?;
        let class = class_of_pod(pod, &self.cluster, &self.peers, self.db.project().dialect(self.db))?;
        let subject = Subject::Pod(name.clone());
        Some(Place { subject, class, node: pod.node.clone(), addresses: pod.ips.clone(), by_service: false })
    }

    /// A node as a subject; `None` when it is not known or policies of nodes are off.
    pub fn node(&self, name: &str) -> Option<Place> {
        let addresses = self.cluster.node_ips().remove(name).filter(|_| self.cluster.config.host_firewall)?;
        let class = class_of_node(name, &self.cluster, &self.peers);
        let subject = Subject::Node(name.to_owned());
        Some(Place { subject, class, node: Some(name.to_owned()), addresses, by_service: false })
    }

    /// The health endpoint (`health`) or the proxy (`ingress`) of a node as a subject; `None` when the node has none.
    pub fn special(&self, label: &str, node: &str) -> Option<Place> {
        let facts = self.cluster.cilium_nodes.get(node)?;
        let (subject, addresses) = match label {
            "health" => (Subject::Health(node.to_owned()), &facts.health),
            _ => (Subject::Ingress(node.to_owned()), &facts.ingress),
        };
        let class = class_of_special(label, node, &self.cluster, &self.peers);
        let addresses = Some(addresses.clone()).filter(|addresses| !addresses.is_empty())?;
        Some(Place { subject, class, node: Some(node.to_owned()), addresses, by_service: false })
    }

    /// The addresses of a pod of this or another cluster; none when it is unknown.
    pub fn addresses_of_pod(&self, name: &Name) -> BTreeSet<IpAddr> {
        self.find(name).map(|pod| pod.ips.clone()).unwrap_or_default()
    }

    /// The addresses of a node; none when it is unknown.
    pub fn addresses_of_node(&self, name: Option<&str>) -> BTreeSet<IpAddr> {
        name.and_then(|name| self.cluster.nodes.get(name)).map(|node| node.ips.clone()).unwrap_or_default()
    }

    fn find(&self, name: &Name) -> Option<&Pod> {
        self.cluster.pods.get(name).or_else(|| self.cluster.remote_pods.values().find_map(|pods| pods.get(name)))
    }

    /// An address of our own making for `health`, `ingress`, `init` or `unmanaged`, which stands in all address tables of this world.
    ///
    /// From 240.0.0.0/4 (RFC 1112, reserved) and the top of fd00::/8, so that no fixture names it by accident.
    pub fn entity(name: &str, family: Family) -> Option<IpAddr> {
        let (_, peer) = ENTITIES.into_iter().find(|(entity, _)| *entity == name)?;
        Some(match family {
            Family::V4 => Ipv4Addr::from_bits(0xf0ff_ff00 + peer.0).into(),
            Family::V6 => Ipv6Addr::from_bits((0xfdff << 112) + u128::from(peer.0)).into(),
        })
    }

    fn entities() -> impl Iterator<Item = (IpAddr, PeerId)> {
        let of = |(name, peer)| [Family::V4, Family::V6].map(|family| (World::entity(name, family), peer));
        ENTITIES.into_iter().flat_map(of).filter_map(|(address, peer)| Some((address?, peer)))
    }

    /// The peer that an address is to the subjects of a node.
    pub fn peer(&self, node: Option<&str>, address: IpAddr) -> PeerId {
        let entity = World::entities().find(|(own, _)| *own == address);
        entity.map_or_else(|| self.peers.lookup(node, address), |(_, peer)| peer)
    }

    /// The address tables of a node.
    pub fn addresses(&self, node: Option<&str>) -> Vec<(Prefix, PeerId)> {
        let entities = World::entities().map(|(address, peer)| (Prefix::host(address), peer));
        self.peers.addresses(node).into_iter().chain(entities).collect()
    }

    /// What holds for a class. Errors: a limit that a diagram would exceed, in words.
    pub fn compiled(&self, class: &Class) -> Result<Compiled, String> {
        let key = ClassKey::new(self.db, class.clone());
        let diagrams = meaning::diagrams(self.db, key).map_err(|limit| limit.to_string())?;
        Ok(Compiled { rules: meaning::rule_sets(self.db, key), diagrams })
    }

    /// What is asked of a place: all that holds for its class, or of a flow that a service sent back to its own pod, what counts then.
    ///
    /// Errors: a limit that a diagram would exceed, in words.
    pub fn asked(&self, place: &Place) -> Result<Compiled, String> {
        if !place.by_service {
            return self.compiled(&place.class);
        }
        let key = ClassKey::new(self.db, place.class.clone());
        let (rules, diagrams) = meaning::of_itself(self.db, key).map_err(|limit| limit.to_string())?;
        Ok(Compiled { rules: Arc::new(rules), diagrams: Arc::new(diagrams) })
    }

    /// The rules of a class before they are lowered.
    pub fn bound(&self, class: &Class) -> Arc<Bound> {
        meaning::bound(self.db, ClassKey::new(self.db, class.clone()))
    }

    /// The image of a class. Errors: why there is none, in words.
    pub fn image(&self, class: &Class) -> Result<Arc<Image>, String> {
        driver::build::image(self.db, ClassKey::new(self.db, class.clone())).map_err(|problem| problem.to_string())
    }
}

/// A target with small tables, so that a world is made in no time; for [`Database::set_target`].
pub fn small_target() -> Target {
    Target {
        endpoints_log2: 4,
        address4_pages_log2: 9,
        peers_log2: 12,
        track4_sets_log2: 13,
        track6_sets_log2: 12,
        address6_log2: 11,
        fragments_log2: 4,
        records_log2: 12,
        ..Target::default()
    }
}
