//! The one shape that every policy kind is decoded into.
//!
//! ```text
//!  Policy ─┬─ Section (spec, specs[0] …) ─┬─ subjects: who it is about
//!          │                              ├─ isolation per direction
//!          │                              ├─ requires per direction
//!          │                              └─ Entry ─ direction, tier, order, effect, L3 × L4, L7, auth
//!          └─ …
//! ```

use std::fmt;
use std::sync::Arc;

use flow::{Auth, Direction, Family, Prefix, Protocol};
use request::Requests;

use crate::labels::Selector;

/// The object that something was written in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind, for example `NetworkPolicy`.
    pub kind: String,
    /// Its namespace; empty for kinds of the whole cluster.
    pub namespace: String,
    /// Its name; may be empty when the text has none.
    pub name: String,
}

impl fmt::Display for ObjectRef {
    /// `NetworkPolicy shop/db`, or `CiliumClusterwideNetworkPolicy lockdown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// A place in an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The object. Shared by all that was written in it.
    pub object: Arc<ObjectRef>,
    /// The path in it, for example `spec.ingress[0].from[1]`; empty for the object itself.
    pub path: String,
}

/// One accepted policy object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The object.
    pub object: ObjectRef,
    /// One for each rule with subjects of its own: `spec`, or the members of `specs`.
    pub sections: Vec<Section>,
}

/// Rules that share their subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Where it is, for example `spec` or `specs[1]`.
    pub path: String,
    /// Who it is about.
    pub subjects: Subjects,
    /// What it does to ingress apart from its entries.
    pub ingress: Isolation,
    /// What it does to egress apart from its entries.
    pub egress: Isolation,
    /// Conditions that narrow the label peers of every allow of a subject, over all policies (`fromRequires`, `toRequires`).
    pub requires: Vec<Requires>,
    /// The rules; their order means nothing.
    pub entries: Vec<Entry>,
}

impl Section {
    /// What the section does to a direction apart from its entries.
    pub fn isolation(&self, direction: Direction) -> &Isolation {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// What a section does to a direction of its subjects apart from its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// It says nothing of the direction.
    #[default]
    Absent,
    /// It has rules but leaves traffic that no rule matches to others.
    Open,
    /// Traffic that no rule matches is denied, because of what stands at this path.
    Isolates(String),
}

/// Who a section is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subjects {
    /// Pods and the special endpoints, never nodes.
    Endpoints(Selector),
    /// The host endpoint of nodes.
    Nodes(Selector),
}

/// A condition on every label peer of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requires {
    /// For which direction.
    pub direction: Direction,
    /// For deny entries instead of allow entries.
    pub of_denies: bool,
    /// What the peer must be.
    pub selector: Selector,
    /// Where it is.
    pub path: String,
}

/// One rule in normal form: L3 and L4 must both match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which way.
    pub direction: Direction,
    /// The tier it stands in.
    pub tier: Tier,
    /// Its place in the tier, smaller first. Units: hundredths of a priority, so that a rule of an object keeps its own place.
    pub order: u32,
    /// What it does.
    pub effect: Effect,
    /// Who is on the other side.
    pub l3: L3,
    /// Which protocols and ports.
    pub l4: L4,
    /// An allow goes through a proxy that applies these. Shared: it is large, most entries have none, and every class has its own copy of
    /// the rule.
    pub l7: Option<Arc<L7>>,
    /// Authentication that an allow needs; `None` when unwritten.
    pub auth: Option<Auth>,
    /// Where it is, for example `spec.ingress[0]` or `spec.ingress[0].toPorts[1]`.
    pub path: String,
}

/// The tier of an entry, in order of evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// ClusterNetworkPolicy tier Admin, AdminNetworkPolicy.
    Admin,
    /// NetworkPolicy, CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy.
    Normal,
    /// ClusterNetworkPolicy tier Baseline, BaselineAdminNetworkPolicy.
    Baseline,
}

/// What an entry does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Drop.
    Deny,
    /// Let through.
    Allow,
    /// Leave the decision to the next tier.
    Pass,
}

/// Who is on the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum L3 {
    /// Nobody: a list that is there and empty, or a part that cannot be enforced in an allow.
    Nobody,
    /// Everybody, unknown peers included.
    Unrestricted,
    /// Whoever one of these selects. Shape: never empty; the selected peers may be none.
    Any(Vec<Peer>),
}

/// One peer selector and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// Whom it selects.
    pub selector: PeerSelector,
    /// Where it is, for example `spec.ingress[0].from[1]`.
    pub path: String,
}

/// Selects peers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerSelector {
    /// By labels. A selector that mentions no cluster is narrowed to the own one when the cluster says so, unless `everywhere`.
    Labels {
        /// The condition.
        selector: Selector,
        /// The narrowing does not apply.
        everywhere: bool,
    },
    /// A named group.
    Entity(Entity),
    /// By address prefix.
    Cidr {
        /// The prefix.
        prefix: Prefix,
        /// Carved out of this prefix only.
        except: Vec<Prefix>,
        /// Whose addresses count.
        matching: Matching,
    },
    /// By the prefixes of one named set; an unknown name selects nobody.
    CidrGroup {
        /// Its name.
        name: String,
        /// Carved out.
        except: Vec<Prefix>,
    },
    /// By the prefixes of all sets with such labels.
    CidrGroups {
        /// A condition on the labels of the set.
        selector: Selector,
        /// Carved out.
        except: Vec<Prefix>,
    },
    /// Addresses learned from DNS for names that match. Canonical: lower case, no final dot; `*` stays within one label.
    Fqdn(String),
    /// Nodes by their labels, those of this cluster when the selector names none and the cluster says so. Never the own node.
    Nodes(Selector),
    /// Nodes by their labels, the subject's own among them.
    EveryNode(Selector),
    /// What stands behind services, whatever their ports.
    Services(ServiceSelector),
    /// Addresses that a cloud would have to be asked for; nobody here can. The text names what is asked for, as JSON.
    CloudGroup(String),
}

/// Services by name or by label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceSelector {
    /// Their namespace; `None` for every one.
    pub namespace: Option<String>,
    /// Which services of it.
    pub which: Which,
}

/// Which services.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// That of this name.
    Named(String),
    /// Those with such labels; the source of a key does not count.
    Labelled(Selector),
}

/// Whose addresses an address prefix matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matching {
    /// Every address inside, pods and nodes included.
    Address,
    /// Only addresses outside the cluster: pods and nodes have an identity, not an address.
    Identity,
}

/// A named group of peers. Source: Cilium's entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// Everybody, unknown peers included.
    All,
    /// Addresses outside the cluster.
    World,
    /// Those of IPv4, where both families are in use.
    WorldV4,
    /// Those of IPv6, where both families are in use.
    WorldV6,
    /// All that is inside the cluster.
    Cluster,
    /// The subject's own node.
    Host,
    /// Other nodes.
    RemoteNode,
    /// The addresses of the API server.
    KubeApiserver,
    /// Endpoints whose labels are not known yet.
    Init,
    /// Health endpoints.
    Health,
    /// Proxies of Ingress and Gateway.
    Ingress,
    /// Addresses inside the cluster that nobody manages.
    Unmanaged,
    /// Nobody.
    None,
}

impl Entity {
    /// Every entity with its name in manifests.
    pub const ALL: [(&'static str, Entity); 13] = [
        ("all", Entity::All),
        ("world", Entity::World),
        ("world-ipv4", Entity::WorldV4),
        ("world-ipv6", Entity::WorldV6),
        ("cluster", Entity::Cluster),
        ("host", Entity::Host),
        ("remote-node", Entity::RemoteNode),
        ("kube-apiserver", Entity::KubeApiserver),
        ("init", Entity::Init),
        ("health", Entity::Health),
        ("ingress", Entity::Ingress),
        ("unmanaged", Entity::Unmanaged),
        ("none", Entity::None),
    ];

    /// The entity of this name.
    pub fn named(name: &str) -> Option<Entity> {
        Entity::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, entity)| entity)
    }
}

/// Which protocols and ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum L4 {
    /// Every protocol and port, ICMP included.
    Unrestricted,
    /// Any of these; an empty list matches nothing.
    Items(Vec<PortItem>),
}

impl L4 {
    /// Whether an item names a port, so that its number depends on the destination.
    pub fn names_ports(&self) -> bool {
        matches!(self, L4::Items(items) if items.iter().any(|item| matches!(item.ports, Ports::Name { .. })))
    }
}

/// One port or ICMP item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortItem {
    /// What it matches.
    pub ports: Ports,
    /// Where it is, for example `spec.ingress[0].ports[0]`.
    pub path: String,
}

/// What a port item matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ports {
    /// Ports of some protocols, both ends included.
    Range {
        /// Ascending, without duplicates.
        protocols: Vec<Protocol>,
        /// The first port.
        low: u16,
        /// The last port.
        high: u16,
    },
    /// A port by its name on the destination.
    Name {
        /// The protocols that the port may have.
        protocols: Vec<Protocol>,
        /// The name, lower case.
        name: String,
    },
    /// Messages of ICMP or ICMPv6.
    Icmp(Icmp),
}

/// Messages of one ICMP type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Icmp {
    /// ICMP or ICMPv6.
    pub family: Family,
    /// The type; `None` for every type.
    pub kind: Option<u8>,
}

/// What a proxy applies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct L7 {
    /// Which proxy.
    pub parser: Parser,
    /// What is asked of requests.
    pub requests: Requests,
    /// Where its rules are, for example `spec.ingress[0].toPorts[0].rules.http`: rule `n` stands at `[n]`. The server names, or the whole
    /// member of `toPorts`, when it has no rules.
    pub path: String,
    /// How clients see the proxy; with it the proxy reads inside TLS.
    pub terminating: Option<TlsContext>,
    /// How servers see the proxy.
    pub originating: Option<TlsContext>,
    /// Precedence among redirects, 1 to 126, the smaller wins.
    pub priority: u8,
}

/// Keys and certificates for one side of a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsContext {
    /// Where they are kept: a Secret as `namespace/name`.
    pub secret: String,
    /// The entry with authorities to trust; `ca.crt` by default.
    pub trusted_ca: Option<String>,
    /// The entry with the certificate; `tls.crt` by default.
    pub certificate: Option<String>,
    /// The entry with the private key; `tls.key` by default.
    pub private_key: Option<String>,
}

/// A family of proxies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parser {
    /// HTTP and gRPC.
    Http,
    /// Kafka.
    Kafka,
    /// DNS.
    Dns,
    /// TLS server names, without looking inside.
    Tls,
    /// A generic parser of this name.
    Generic(String),
    /// A listener of the user, by its qualified name.
    Listener(String),
}

impl Parser {
    /// The precedence among redirects when the rule names none. Source: the default listener priorities of Cilium's `pkg/policy`.
    pub fn default_priority(&self) -> u8 {
        match self {
            Parser::Http => 101,
            Parser::Kafka => 106,
            Parser::Generic(_) => 111,
            Parser::Tls => 116,
            Parser::Dns => 121,
            Parser::Listener(_) => 126,
        }
    }
}

impl fmt::Display for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Parser::Http => f.write_str("http"),
            Parser::Kafka => f.write_str("kafka"),
            Parser::Dns => f.write_str("dns"),
            Parser::Tls => f.write_str("tls"),
            Parser::Generic(name) => write!(f, "generic/{name}"),
            Parser::Listener(name) => write!(f, "listener/{name}"),
        }
    }
}
