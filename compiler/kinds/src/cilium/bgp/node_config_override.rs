//! CiliumBGPNodeConfigOverride: what one node does differently.

use crate::cilium::fields::{ADDRESS, later};
use crate::schema::{Field, Format, TEXT, WHOLE32, list, object, whole};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] =
    &[later("spec", object(SPEC), "What one node, the one of the object's name, does differently.").required()];

const SPEC: &[Field] = &[later(
    "bgpInstances",
    list(&object(BGP_INSTANCES)).least(1).unique_by(&["name"]),
    "BGP speakers of the node, by the names that the cluster's configuration gives them.",
)
.required()];

const BGP_INSTANCES: &[Field] = &[
    later("localASN", whole(1, 4_294_967_295), "The own autonomous system."),
    later("localPort", WHOLE32, "Where the speaker listens."),
    later("name", TEXT.least(1).most(255), "The instance that is meant.").required(),
    later("peers", list(&object(PEERS)).unique_by(&["name"]), "Peerings of the instance."),
    later("routerID", TEXT.format(Format::Ipv4), "The identifier of the router, in the form of an IPv4 address."),
];

const PEERS: &[Field] = &[
    later("localAddress", TEXT.like(ADDRESS), "The own address of the peering."),
    later("localPort", WHOLE32, "The own port of the peering."),
    later("name", TEXT.least(1).most(255), "The peer that is meant.").required(),
];
