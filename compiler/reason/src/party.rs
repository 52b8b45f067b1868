//! The two ends of a flow, as people name them.

use facts::{Cluster, Name, Pod, Workload, WorkloadKind};
use flow::{L4Key, Prefix, Protocol};
use hir::Entity;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// One end of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Party {
    /// A pod that exists.
    Pod(Name),
    /// The pods of a workload, whether or not one exists.
    Workload(WorkloadKind, Name),
    /// A node.
    Node(String),
    /// An address.
    Address(IpAddr),
    /// Every address of a prefix.
    Prefix(Prefix),
    /// A named group.
    Entity(Entity),
    /// A service, whose backends answer.
    Service(Name),
    /// A DNS name, lower case and without final dot; whoever has its addresses answers.
    Dns(String),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Pod(name) => write!(f, "{name}"),
            Party::Workload(kind, name) => write!(f, "{} {name}", kind.name()),
            Party::Node(name) => write!(f, "node {name}"),
            Party::Address(address) => write!(f, "{address}"),
            Party::Prefix(prefix) => write!(f, "{prefix}"),
            Party::Entity(entity) => f.write_str(entity_name(*entity)),
            Party::Service(name) => write!(f, "service {name}"),
            Party::Dns(name) => write!(f, "DNS name {name}"),
        }
    }
}

/// The name of an entity in manifests.
pub fn entity_name(entity: Entity) -> &'static str {
    Entity::ALL.into_iter().find(|(_, known)| *known == entity).map_or("none", |(name, _)| name)
}

/// Why a word names no end of a flow, or no port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Nothing has this name; these come near.
    Unknown {
        /// As written.
        word: String,
        /// Pods and workloads with a similar name, best first.
        near: Vec<String>,
    },
    /// Not `PORT/PROTOCOL`.
    Port(String),
    /// A port that a service does not have; these it has.
    NoPort {
        /// The service.
        service: String,
        /// The port that was asked for.
        port: String,
        /// Its ports.
        known: Vec<String>,
    },
    /// A service where none can be.
    Source(String),
    /// A DNS name where none can be.
    SourceName(String),
    /// A port that names a protocol, beside another protocol.
    TwoProtocols {
        /// As written.
        word: String,
        /// The other.
        protocol: Protocol,
    },
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Unknown { word, near } if near.is_empty() => {
                write!(f, "`{word}` is no pod, workload, node, address, CIDR or entity of the files read")
            }
            Unreadable::Unknown { word, near } => {
                write!(f, "`{word}` is not in the files read; did you mean `{}`?", near.join("` or `"))
            }
            Unreadable::Port(word) => {
                write!(
                    f,
                    "`{word}` is no port; write for example `8080/TCP`, `8000-9000/TCP`, `53/UDP`, `ICMP`, `8/ICMP` (the type) or `any`"
                )
            }
            Unreadable::NoPort { service, port, known } if known.is_empty() => {
                write!(f, "service {service} has no port {port}; it has none at all")
            }
            Unreadable::NoPort { service, port, known } => {
                write!(f, "service {service} has no port {port}; it has {}", known.join(", "))
            }
            Unreadable::Source(service) => {
                write!(f, "service {service} opens no connection; name one of its pods as the source")
            }
            Unreadable::SourceName(name) => {
                write!(
                    f,
                    "who opens a connection is known by an address, not by the DNS name {name}; name the address as the source"
                )
            }
            Unreadable::TwoProtocols { word, protocol } => {
                write!(f, "`{word}` and the protocol {protocol} contradict each other; name one protocol")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

/// Reads one end: `namespace/name` (a pod before a workload), `kind/namespace/name`, `node:NAME`, `service:NAMESPACE/NAME`, `dns:NAME`, an address, a
/// CIDR, or an entity. The DNS name of a service that is known is that service.
/// A name without namespace is looked for in `namespace`.
///
/// Errors: [`Unreadable::Unknown`] with names that come near.
pub fn party(cluster: &Cluster, namespace: &str, word: &str) -> Result<Party, Unreadable> {
    if let Ok(address) = word.parse() {
        return Ok(Party::Address(address));
    }
    if let Some(prefix) = Prefix::parse(word) {
        return Ok(Party::Prefix(prefix));
    }
    if let Some(service) = word.strip_prefix("service:") {
        let (namespace, name) = service.split_once('/').unwrap_or((namespace, service));
        let name = Name::new(namespace, name);
        let known = cluster.services.contains_key(&name);
        let services = || cluster.services.keys().map(|it| format!("service:{it}"));
        return match known {
            true => Ok(Party::Service(name)),
            false => {
                Err(Unreadable::Unknown { word: word.to_owned(), near: near(&format!("service:{name}"), services()) })
            }
        };
    }
    if let Some(name) = word.strip_prefix("dns:").and_then(dns_name) {
        let service =
            name.strip_suffix(".svc.cluster.local").or(name.strip_suffix(".svc")).and_then(|it| it.split_once('.'));
        let service = service.map(|(name, namespace)| Name::new(namespace, name));
        let service = service.filter(|name| cluster.services.contains_key(name));
        return Ok(service.map_or(Party::Dns(name), Party::Service));
    }
    if let Some(node) = word.strip_prefix("node:").filter(|node| cluster.nodes.contains_key(*node)) {
        return Ok(Party::Node(node.to_owned()));
    }
    let parts: Vec<&str> = word.split('/').collect();
    let found = match parts[..] {
        [name] => named(cluster, &Name::new(namespace, name)).or_else(|| Entity::named(name).map(Party::Entity)),
        [namespace, name] => named(cluster, &Name::new(namespace, name)),
        [kind, namespace, name] => {
            let name = Name::new(namespace, name);
            match kind.eq_ignore_ascii_case("pod") {
                true => cluster.pods.contains_key(&name).then_some(Party::Pod(name)),
                false => workload(cluster, &name, |it| it.kind.name().eq_ignore_ascii_case(kind)),
            }
        }
        _ => None,
    };
    found.ok_or_else(|| Unreadable::Unknown { word: word.to_owned(), near: near(word, ends(cluster)) })
}

/// A name as the table of DNS answers has it; `None` for what no query can ask for.
fn dns_name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    name.split('.').all(is_label).then_some(name)
}

/// The addresses that answers gave for a name, each as a party; none where no answer is known.
pub fn addresses_of_name(cluster: &Cluster, name: &str) -> Vec<Party> {
    cluster.dns.get(name).into_iter().flatten().map(|it| Party::Address(*it)).collect()
}

fn named(cluster: &Cluster, name: &Name) -> Option<Party> {
    if cluster.pods.contains_key(name) {
        return Some(Party::Pod(name.clone()));
    }
    workload(cluster, name, |_| true)
}

fn workload(cluster: &Cluster, name: &Name, wanted: impl Fn(&Workload) -> bool) -> Option<Party> {
    let found = cluster.workloads.values().find(|it| it.name == *name && wanted(it));
    found.map(|it| Party::Workload(it.kind, it.name.clone()))
}

/// Everything that a word can name.
fn ends(cluster: &Cluster) -> impl Iterator<Item = String> {
    let pods = cluster.pods.keys().map(Name::to_string);
    let workloads = cluster.workloads.values().map(|it| it.name.to_string());
    let nodes = cluster.nodes.keys().map(|name| format!("node:{name}"));
    let services = cluster.services.keys().map(|name| format!("service:{name}"));
    pods.chain(workloads).chain(nodes).chain(services).chain(Entity::ALL.into_iter().map(|(name, _)| name.to_owned()))
}

/// Those of some names that share the most with a word which is none of them: at most three, the nearest first.
pub fn near(word: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let suffix = format!("/{word}");
    let distance = |name: &str| match name.len().abs_diff(word.len()) {
        more if name.ends_with(&suffix) => Some(more),
        // Comparing costs the product of both lengths, and names whose lengths differ by more bytes than this differ by more letters
        // than are forgiven.
        more if more > 8 => None,
        _ => Some(strsim::osa_distance(word, name)).filter(|distance| *distance <= 2),
    };
    let mut near: Vec<(usize, String)> = names.into_iter().filter_map(|name| Some((distance(&name)?, name))).collect();
    near.sort();
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// Reads `8080/TCP`, `TCP/8080`, `8080` (TCP), `ICMP` (an echo request) or `8/ICMP`; `protocol` is that of a port which names
/// none.
///
/// Errors: [`Unreadable::Port`], [`Unreadable::TwoProtocols`].
pub fn key(word: &str, protocol: Option<Protocol>) -> Result<L4Key, Unreadable> {
    let bad = || Unreadable::Port(word.to_owned());
    let (number, named) = match word.split_once('/') {
        Some((left, right)) if left.starts_with(|c: char| c.is_ascii_digit()) => (left, Some(right)),
        Some((left, right)) => (right, Some(left)),
        None if word.starts_with(|c: char| c.is_ascii_digit()) => (word, None),
        None => ("", Some(word)),
    };
    let named = named.map(|named| Protocol::parse(named).ok_or_else(bad)).transpose()?;
    if let (Some(named), Some(protocol)) = (named, protocol)
        && named != protocol
    {
        return Err(Unreadable::TwoProtocols { word: word.to_owned(), protocol });
    }
    let protocol = named.or(protocol).unwrap_or(Protocol::TCP);
    match protocol {
        Protocol::ICMP | Protocol::ICMPV6 => {
            let echo = if protocol == Protocol::ICMP { 8 } else { 128 };
            let kind = if number.is_empty() { echo } else { number.parse().map_err(|_| bad())? };
            Ok(L4Key::icmp(protocol, kind, 0))
        }
        _ => number.parse().map(|port| L4Key::new(protocol, port)).map_err(|_| bad()),
    }
}

/// Reads what [`key`] reads, a range such as `8000-9000/TCP`, `any/TCP` for every port, or `any` for every protocol that policies know.
///
/// Shape: intervals of keys, both ends included, ascending. Errors: as [`key`].
pub fn keys(word: &str, protocol: Option<Protocol>) -> Result<Vec<(L4Key, L4Key)>, Unreadable> {
    let bad = || Unreadable::Port(word.to_owned());
    let of = |protocol: Protocol, low: u16, high: u16| (L4Key::new(protocol, low), L4Key::new(protocol, high));
    let every = |protocol: Protocol| match protocol {
        Protocol::ICMP | Protocol::ICMPV6 => (L4Key::icmp(protocol, 0, 0), L4Key::icmp(protocol, u8::MAX, u8::MAX)),
        _ => of(protocol, 1, u16::MAX),
    };
    let (ports, named) = word.split_once('/').map_or((word, None), |(ports, named)| (ports, Some(named)));
    let named = named.map(|named| Protocol::parse(named).ok_or_else(bad)).transpose();
    if ports.eq_ignore_ascii_case("any") {
        let all = [Protocol::ICMP, Protocol::TCP, Protocol::UDP, Protocol::ICMPV6, Protocol::SCTP];
        return Ok(match named?.or(protocol) {
            Some(protocol) => vec![every(protocol)],
            None => all.map(every).to_vec(),
        });
    }
    let Some((low, high)) = ports.split_once('-').filter(|(low, _)| low.starts_with(|c: char| c.is_ascii_digit()))
    else {
        return key(word, protocol).map(|key| vec![(key, key)]);
    };
    let named = named?;
    if let (Some(named), Some(protocol)) = (named, protocol)
        && named != protocol
    {
        return Err(Unreadable::TwoProtocols { word: word.to_owned(), protocol });
    }
    let (low, high): (u16, u16) = (low.parse().map_err(|_| bad())?, high.parse().map_err(|_| bad())?);
    let range = of(named.or(protocol).unwrap_or(Protocol::TCP), low, high);
    let icmp = matches!(range.0.protocol(), Protocol::ICMP | Protocol::ICMPV6);
    if low > high || icmp { Err(bad()) } else { Ok(vec![range]) }
}

/// The pod that stands for a party as a subject, when a pod does: itself, or one of a workload's pods, or one as it would be made, or the
/// owner of an address.
pub fn pod(cluster: &Cluster, party: &Party) -> Option<Pod> {
    match party {
        Party::Pod(name) => cluster.pods.get(name).cloned(),
        Party::Workload(kind, name) => {
            let workload = cluster.workloads.get(&(*kind, name.clone()))?;
            let made = |pod: &&Pod| {
                pod.name.namespace == workload.name.namespace
                    && !pod.phase.is_over()
                    && workload.labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
            };
            Some(cluster.pods.values().find(made).cloned().unwrap_or_else(|| as_made(workload)))
        }
        _ => {
            let address = address(party)?;
            let owns = |pod: &&Pod| !pod.phase.is_over() && pod.own_ips().any(|it| it == address);
            cluster.pods.values().find(owns).cloned()
        }
    }
}

/// The node that a party is: by its name, or by one of its addresses.
pub(crate) fn node<'c>(cluster: &'c Cluster, party: &'c Party) -> Option<&'c str> {
    if let Party::Node(name) = party {
        return Some(name);
    }
    let address = address(party)?;
    cluster.nodes.iter().find(|(_, node)| node.ips.contains(&address)).map(|(name, _)| name.as_str())
}

/// The one address that a party is, when it is one.
pub(crate) fn address(party: &Party) -> Option<IpAddr> {
    match party {
        Party::Address(address) => Some(*address),
        Party::Prefix(prefix) if prefix.len() == if prefix.addr().is_ipv4() { 32 } else { 128 } => Some(prefix.addr()),
        _ => None,
    }
}

/// The cluster with one pod for each workload that has none, and an address for every pod that has none: what would be, once all of it
/// runs. 240.0.0.0/4 is reserved, so that no real pod has such an address.
pub fn planned(cluster: &Cluster) -> Cluster {
    let mut planned = cluster.clone();
    for workload in cluster.workloads.values() {
        let made = |pod: &Pod| {
            pod.name.namespace == workload.name.namespace
                && workload.labels.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
        };
        if !cluster.pods.values().any(made) {
            planned.pods.entry(workload.name.clone()).or_insert_with(|| as_made(workload));
        }
    }
    let mut next = 0u32;
    for pod in planned.pods.values_mut().filter(|pod| pod.ips.is_empty() && !pod.host_network) {
        next += 1;
        let [_, a, b, c] = next.to_be_bytes();
        pod.ips.insert(IpAddr::V4(Ipv4Addr::new(240, a, b, c)));
    }
    planned
}

fn as_made(workload: &Workload) -> Pod {
    Pod {
        name: workload.name.clone(),
        labels: workload.labels.clone(),
        ports: workload.ports.clone(),
        probes: workload.probes.clone(),
        service_account: workload.service_account.clone(),
        host_network: workload.host_network,
        ..Pod::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_people_write_them() {
        let tcp = |port| Ok(L4Key::new(Protocol::TCP, port));
        assert_eq!(key("8080/TCP", None), tcp(8080));
        assert_eq!(key("tcp/8080", None), tcp(8080));
        assert_eq!(key("8080", None), tcp(8080));
        assert_eq!(key("53", Some(Protocol::UDP)), Ok(L4Key::new(Protocol::UDP, 53)));
        assert_eq!(key("icmp", None), Ok(L4Key::icmp(Protocol::ICMP, 8, 0)));
        assert_eq!(key("3/ICMPv6", None), Ok(L4Key::icmp(Protocol::ICMPV6, 3, 0)));
        let two = Unreadable::TwoProtocols { word: "80/TCP".into(), protocol: Protocol::UDP };
        assert_eq!(key("80/TCP", Some(Protocol::UDP)), Err(two));
        assert_eq!(key("80/TCP", Some(Protocol::TCP)), tcp(80));
        assert_eq!(
            keys("8000-9000/TCP", None),
            Ok(vec![(L4Key::new(Protocol::TCP, 8000), L4Key::new(Protocol::TCP, 9000))])
        );
        assert_eq!(
            keys("53", Some(Protocol::UDP)),
            Ok(vec![(L4Key::new(Protocol::UDP, 53), L4Key::new(Protocol::UDP, 53))])
        );
        assert_eq!(keys("any/UDP", None).map(|it| it.len()), Ok(1));
        assert_eq!(keys("any", None).map(|it| it.len()), Ok(5));
        for word in ["9000-8000/TCP", "1-2/ICMP", "1-/TCP", "1-70000/TCP"] {
            assert_eq!(keys(word, None), Err(Unreadable::Port(word.into())), "{word}");
        }
        for word in ["", "http", "70000/TCP", "80/FOO", "TCP/"] {
            assert_eq!(key(word, None), Err(Unreadable::Port(word.into())), "{word}");
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_near_one() {
        let mut cluster = Cluster::default();
        cluster.insert(facts::Fact::Pod(Pod { name: Name::new("shop", "web"), ..Pod::default() }));
        let error = party(&cluster, "default", "shop/wbe").unwrap_err();
        assert_eq!(error.to_string(), "`shop/wbe` is not in the files read; did you mean `shop/web`?");
        assert_eq!(party(&cluster, "shop", "web"), Ok(Party::Pod(Name::new("shop", "web"))));
        assert_eq!(party(&cluster, "shop", "world"), Ok(Party::Entity(Entity::World)));
    }
}
