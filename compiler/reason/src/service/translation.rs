//! What becomes of a flow on its way through a service, and whom policies see of it.

use super::frontend::{Kind, Whence};
use crate::doubt::Missing;
use crate::party::Party;
use facts::{Config, Name};
use flow::{Family, L4Key};
use std::fmt;
use std::sync::Arc;

/// How a flow gets to its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Road {
    /// As it is named: no service has a say.
    Straight,
    /// It was sent to a service; the destination of the question is who answers, where somebody does.
    Service(Arc<Translation>),
    /// Nothing tells who has the name of the destination.
    Unanswered(Missing),
}

/// A flow that was sent to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The service.
    pub service: Name,
    /// As what it was asked.
    pub kind: Kind,
    /// The address, the node or the service that was asked.
    pub asked: Party,
    /// Whether that is a node.
    pub at_node: bool,
    /// The port that was asked.
    pub key: L4Key,
    /// Where the client is.
    pub from: Whence,
    /// Whether a client from outside keeps its address (`externalTrafficPolicy: Local`).
    pub keeps_client: bool,
    /// Whether the ranges of clients have no word for the family of this one, which agents and kube-proxy read differently.
    pub no_range_of_family: bool,
    /// Who answers.
    pub reached: Reached,
}

/// Who answers at a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The destination of the question.
    Backend,
    /// Nobody, for certain.
    Nobody(Nobody),
    /// Nobody knows.
    Missing(Missing),
}

/// Why nobody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nobody {
    /// The service has no such port; these it has. The packet stays as it is.
    NoPort(Name, Vec<String>),
    /// Nobody stands behind the service.
    NoBackend(Name),
    /// Nobody behind it has an address of the family that was asked.
    NoFamily(Name),
    /// It keeps traffic on this node, where none of its backends is.
    NotOnNode(Name, String),
    /// Its own address is not reached from outside.
    NotFromOutside(Name),
    /// Its ranges leave the client out.
    NotInRanges(Name),
    /// One end, by its name in reports, has no address of the family that the protocol is of. No service has a say.
    NoAddress(String, Family),
}

impl fmt::Display for Nobody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody answers: ")?;
        match self {
            Nobody::NoPort(service, known) if known.is_empty() => write!(f, "service {service} has no port at all"),
            Nobody::NoPort(service, known) => {
                write!(f, "service {service} has no such port; it has {}", known.join(", "))
            }
            Nobody::NoBackend(service) => write!(f, "nothing stands behind service {service}"),
            Nobody::NoFamily(service) => {
                write!(f, "no backend of service {service} has an address of the family that is asked")
            }
            Nobody::NotOnNode(service, node) => {
                write!(f, "service {service} keeps traffic on node {node}, and none of its backends is there")
            }
            Nobody::NotFromOutside(service) => {
                write!(f, "the cluster address of service {service} is not reached from outside")
            }
            Nobody::NotInRanges(service) => {
                write!(f, "the loadBalancerSourceRanges of service {service} leave the client out")
            }
            Nobody::NoAddress(end, family) => {
                write!(f, "{end} has no IPv{} address", if *family == Family::V4 { 4 } else { 6 })
            }
        }
    }
}

/// Whom the policies at both ends may see.
///
/// Shape: never empty; several where nothing tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What the client's policies may see as its peer.
    pub egress: Vec<To>,
    /// What the backend's policies may see as its peer.
    pub ingress: Vec<As>,
}

/// What the policies of a client see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum To {
    /// The backend: packets are translated before.
    Backend,
    /// The address that was asked: they are translated elsewhere.
    Frontend,
}

/// What the policies of a backend see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum As {
    /// The client.
    Client,
    /// A node that put its own address in the place of the client's.
    Node,
    /// The world, whatever the client's address: a tunnel tells no more of it.
    World,
}

impl Translation {
    /// Whom policies see, as far as the settings of the agent tell it. Errors: nobody answers.
    ///
    /// Sources: Cilium's socket and device load balancers; the chains of kube-proxy, which put the node's address in the place of the
    /// client's wherever a packet may have to come back through it.
    pub fn seen(&self, config: &Config) -> Result<Seen, Nobody> {
        if self.no_range_of_family && config.replaces_kube_proxy == Some(true) {
            return Err(Nobody::NotInRanges(self.service.clone()));
        }
        let mut seen = Seen { egress: Vec::new(), ingress: Vec::new() };
        if matches!(self.from, Whence::Inside | Whence::Either) {
            self.see_from_inside(config, &mut seen);
        }
        if matches!(self.from, Whence::Outside | Whence::Either) {
            match self.seen_from_outside(config) {
                Some(ingress) => seen.ingress.extend(ingress),
                None if self.from == Whence::Outside => return Err(Nobody::NotFromOutside(self.service.clone())),
                None => {}
            }
            seen.egress.push(To::Backend);
        }
        seen.egress.sort();
        seen.egress.dedup();
        seen.ingress.sort();
        seen.ingress.dedup();
        Ok(seen)
    }

    fn see_from_inside(&self, config: &Config, seen: &mut Seen) {
        let replaced = config.replaces_kube_proxy == Some(true);
        let (egress, ingress): (&[To], &[As]) = match self.kind {
            // Every translator turns these into backends before anything else sees them.
            Kind::Name | Kind::ClusterIp => (&[To::Backend], &[As::Client]),
            Kind::NodePort | Kind::LoadBalancer if replaced => (&[To::Backend], &[As::Client]),
            // Why: at the socket an address that is not the node's own is left alone, lest a service capture what it has no right to.
            Kind::External if replaced && !self.at_node => (&[To::Frontend], &[As::Client, As::Node]),
            _ => (&[To::Backend, To::Frontend], &[As::Client, As::Node]),
        };
        seen.egress.extend(egress);
        seen.ingress.extend(ingress);
    }

    /// Whom a backend sees of a client from outside; `None` where none gets here.
    fn seen_from_outside(&self, config: &Config) -> Option<Vec<As>> {
        let replaced = config.replaces_kube_proxy == Some(true);
        let public = !matches!(self.kind, Kind::ClusterIp);
        if replaced && !public {
            return None;
        }
        let mut seen = vec![As::Client];
        if self.keeps_client && public {
            return Some(seen);
        }
        seen.push(As::Node);
        if replaced && config.tunnel.routing != Some(false) {
            seen.push(As::World);
        }
        Some(seen)
    }
}
