//! Service, core/v1.

mod decode;

use std::collections::BTreeSet;
use std::net::IpAddr;

use flow::{Prefix, Protocol};

use crate::{Labels, Name};

pub use decode::decode;

/// A service, as far as policies see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Namespace and name.
    pub name: Name,
    /// Its labels.
    pub labels: Labels,
    /// `spec.selector`; empty when the service has none.
    pub selector: Labels,
    /// `spec.clusterIPs`, `spec.clusterIP`; empty for headless services.
    pub cluster_ips: BTreeSet<IpAddr>,
    /// Whether it has no address by wish (`spec.clusterIP: None`), and not because none was given yet.
    pub no_cluster_ip: bool,
    /// `spec.ports`.
    pub ports: Vec<ServicePort>,
    /// `spec.type`; `ClusterIP` when unwritten.
    pub kind: String,
    /// The annotation `lbipam.cilium.io/sharing-key`: services of one key may share an address. Empty when unwritten.
    pub sharing_key: String,
    /// The annotation `lbipam.cilium.io/sharing-cross-namespace`: namespaces whose services may share, or `*`.
    pub shares_with: BTreeSet<String>,
    /// Whether traffic from outside stays on the node that it reaches (`externalTrafficPolicy: Local`).
    pub stays_on_node: bool,
    /// Whether traffic from inside stays on its node (`internalTrafficPolicy: Local`).
    pub inside_stays_on_node: bool,
    /// `spec.externalIPs`.
    pub external_ips: BTreeSet<IpAddr>,
    /// The addresses of its load balancer whose traffic nodes take (`status.loadBalancer.ingress`, those of `ipMode: Proxy` left out); where
    /// the status names none, the one that is asked for (`spec.loadBalancerIP`).
    pub load_balancer_ips: BTreeSet<IpAddr>,
    /// `spec.loadBalancerSourceRanges`: who may come from outside to the addresses of its load balancer. Everybody where it is empty.
    pub source_ranges: BTreeSet<Prefix>,
    /// Whether the ranges name who may not instead (annotation `service.cilium.io/src-ranges-policy: deny`).
    pub ranges_deny: bool,
}

/// The label of services that are headless whatever address they have.
const HEADLESS: &str = "service.kubernetes.io/headless";

/// Why two services of one sharing key share no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Neither permits the namespace of the other.
    Namespaces,
    /// Only one does.
    OneSided {
        /// The one that does not.
        silent: Name,
    },
    /// Both use this port.
    Port(Protocol, u16),
    /// What becomes of traffic from outside differs.
    TrafficPolicy,
    /// Traffic stays on its node, and they are not served by the same pods.
    Selectors,
}

impl Service {
    /// Whether it has addresses of its own: neither headless by its label, nor a name for something else.
    pub fn has_addresses(&self) -> bool {
        self.kind != "ExternalName" && !self.labels.contains_key(HEADLESS)
    }

    /// Whether its name stands for those behind it and nothing translates a port: `clusterIP: None`, or the label that says so.
    pub fn is_headless(&self) -> bool {
        self.kind != "ExternalName" && (self.no_cluster_ip || self.labels.contains_key(HEADLESS))
    }

    /// Why two services that ask to share an address do not; `None` where they may, or where they do not ask.
    ///
    /// Source: the conditions of Cilium's LB IPAM.
    pub fn apart(&self, other: &Service) -> Option<Apart> {
        let asks = |it: &Service| it.kind == "LoadBalancer" && !it.sharing_key.is_empty();
        if !asks(self) || !asks(other) || self.sharing_key != other.sharing_key || self.name == other.name {
            return None;
        }
        match (self.permits(other), other.permits(self)) {
            (true, true) => {}
            (false, false) => return Some(Apart::Namespaces),
            (true, false) => return Some(Apart::OneSided { silent: other.name.clone() }),
            (false, true) => return Some(Apart::OneSided { silent: self.name.clone() }),
        }
        let used =
            |port: &&ServicePort| other.ports.iter().any(|it| (it.protocol, it.port) == (port.protocol, port.port));
        if let Some(port) = self.ports.iter().find(used) {
            return Some(Apart::Port(port.protocol, port.port));
        }
        match (self.stays_on_node, other.stays_on_node) {
            (false, false) => None,
            (true, true) => (self.selector != other.selector || self.selector.is_empty()).then_some(Apart::Selectors),
            _ => Some(Apart::TrafficPolicy),
        }
    }

    fn permits(&self, other: &Service) -> bool {
        let (mine, theirs) = (&self.name.namespace, &other.name.namespace);
        mine == theirs || self.shares_with.iter().any(|it| it == "*" || it == theirs)
    }
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicePort {
    /// Its name; empty when unwritten.
    pub name: String,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port that clients ask.
    pub port: u16,
    /// The port of the backends.
    pub target: TargetPort,
    /// The port on every node, when there is one.
    pub node_port: Option<u16>,
}

/// `targetPort` of a service port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetPort {
    /// A number.
    Number(u16),
    /// The name of a container port.
    Name(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(namespace: &str, name: &str, port: u16, shares_with: &[&str]) -> Service {
        Service {
            name: Name::new(namespace, name),
            kind: "LoadBalancer".into(),
            sharing_key: "edge".into(),
            shares_with: shares_with.iter().map(|it| (*it).to_owned()).collect(),
            ports: vec![ServicePort {
                name: String::new(),
                protocol: Protocol::TCP,
                port,
                target: TargetPort::Number(port),
                node_port: None,
            }],
            ..Service::default()
        }
    }

    #[test]
    fn one_key_shares_an_address_where_no_port_is_used_twice() {
        let web = service("shop", "web", 80, &[]);
        assert_eq!(web.apart(&service("shop", "api", 443, &[])), None);
        assert_eq!(web.apart(&service("shop", "api", 80, &[])), Some(Apart::Port(Protocol::TCP, 80)));
        assert_eq!(
            web.apart(&Service { stays_on_node: true, ..service("shop", "api", 1, &[]) }),
            Some(Apart::TrafficPolicy)
        );
        assert_eq!(web.apart(&web), None);
    }

    #[test]
    fn across_namespaces_both_sides_have_to_permit_it() {
        let (web, api) = (service("shop", "web", 80, &["billing"]), service("billing", "api", 443, &[]));
        assert_eq!(web.apart(&api), Some(Apart::OneSided { silent: api.name.clone() }));
        assert_eq!(web.apart(&Service { shares_with: ["*".to_owned()].into(), ..api.clone() }), None);
        assert_eq!(Service { shares_with: BTreeSet::new(), ..web }.apart(&api), Some(Apart::Namespaces));
    }
}
