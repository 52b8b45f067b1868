//! CiliumPodIPPool: addresses for pods.

use crate::cilium::fields::later;
use crate::schema::{Field, Format, Shape, TEXT, list, object, whole};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "A pool of addresses for pods.").required()];

const SPEC: &[Field] = &[
    later("allowFirstIP", Shape::Flag, "Whether the first address of a node's prefix is given out.").defaulted(),
    later("allowLastIP", Shape::Flag, "Whether the last address of a node's prefix is given out.").defaulted(),
    later("ipv4", object(IPV4), "Its IPv4 part."),
    later("ipv6", object(IPV6), "Its IPv6 part."),
    later("namespaceSelector", object(SELECTOR), "Namespaces whose pods get an address of it without asking."),
    later("podSelector", object(SELECTOR), "Pods that get an address of it without asking."),
];

const IPV6: &[Field] = &[
    later("cidrs", list(&TEXT.format(Format::Cidr)).least(1), "The prefixes.").required(),
    later("maskSize", whole(1, 128), "The length of the prefix that each node gets.").required(),
];

const IPV4: &[Field] = &[
    later("cidrs", list(&TEXT.format(Format::Cidr)).least(1), "The prefixes.").required(),
    later("maskSize", whole(1, 32), "The length of the prefix that each node gets.").required(),
];
