//! CiliumL2AnnouncementPolicy: which node answers for which service on a local network.

use crate::cilium::fields::later;
use crate::schema::{Field, STATUS, Shape, TEXT, list, object};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] =
    &[later("spec", object(SPEC), "Which nodes answer ARP and neighbour discovery for which services."), STATUS];

const SPEC: &[Field] = &[
    later("externalIPs", Shape::Flag, "Whether they answer for external addresses; by default not."),
    later("interfaces", list(&TEXT), "On which interfaces, by regular expression; absent means all."),
    later("loadBalancerIPs", Shape::Flag, "Whether they answer for addresses of load balancers; by default not."),
    later("nodeSelector", object(SELECTOR), "The nodes; absent means every node."),
    later("serviceSelector", object(SELECTOR), "The services; absent means all."),
];
