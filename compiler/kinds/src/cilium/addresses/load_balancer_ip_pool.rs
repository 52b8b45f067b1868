//! CiliumLoadBalancerIPPool: addresses for services.

use crate::cilium::fields::later;
use crate::schema::{Field, Format, STATUS, Shape, TEXT, list, object};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] =
    &[later("spec", object(SPEC), "A pool of addresses for services of the type LoadBalancer.").required(), STATUS];

const SPEC: &[Field] = &[
    later(
        "allowFirstLastIPs",
        Shape::Word(&["Yes", "No"]),
        "Whether the first and last address of a prefix are given out; they are by default.",
    ),
    later("blocks", list(&object(BLOCKS)), "The addresses."),
    later("disabled", Shape::Flag, "No new address is given out; services keep those that they have.").defaulted(),
    later("serviceSelector", object(SELECTOR), "Which services may have an address; absent means all."),
];

const BLOCKS: &[Field] = &[
    later("cidr", TEXT.format(Format::Cidr), "A prefix; not beside `start`."),
    later("start", TEXT, "The first address of a range."),
    later("stop", TEXT, "The last address of a range; absent means the first alone."),
];
