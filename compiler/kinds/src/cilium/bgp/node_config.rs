//! CiliumBGPNodeConfig, which the operator writes.

use crate::cilium::fields::{ADDRESS, noted};
use crate::schema::{Field, Format, STATUS, Shape, TEXT, list, object, whole, whole32};

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[
    noted("spec", object(SPEC), "What one node does, written by the operator from the cluster's configuration.")
        .required(),
    STATUS,
];

const SPEC: &[Field] = &[noted(
    "bgpInstances",
    list(&object(BGP_INSTANCES)).least(1).most(16).unique_by(&["name"]),
    "BGP speakers of the node.",
)
.required()];

const BGP_INSTANCES: &[Field] = &[
    noted("localASN", whole(1, 4_294_967_295), "The own autonomous system."),
    noted("localPort", whole32(1, 65535), "Where the speaker listens."),
    noted("name", TEXT.least(1).most(255), "What the instance is called.").required(),
    noted("peers", list(&object(PEERS)).unique_by(&["name"]), "Whom the instance peers with."),
    noted("routerID", TEXT.format(Format::Ipv4), "The identifier of the router, in the form of an IPv4 address."),
];

const PEERS: &[Field] = &[
    noted("autoDiscovery", object(AUTO_DISCOVERY), "How the address of the peer is found."),
    noted("localAddress", TEXT.like(ADDRESS), "The own address of the peering."),
    noted("name", TEXT, "What the peer is called.").required(),
    noted("peerASN", whole(0, 4_294_967_295), "The autonomous system of the peer; 0 accepts any."),
    noted("peerAddress", TEXT.like(ADDRESS), "The address of the peer."),
    noted("peerConfigRef", object(PEER_CONFIG_REF), "How the peering behaves."),
];

const PEER_CONFIG_REF: &[Field] = &[noted("name", TEXT, "The name of a CiliumBGPPeerConfig.").required()];

const AUTO_DISCOVERY: &[Field] = &[
    noted("defaultGateway", object(DEFAULT_GATEWAY), "The default route whose gateway is the peer."),
    noted("mode", Shape::Word(&["DefaultGateway"]), "Only the default gateway so far.").required(),
];

const DEFAULT_GATEWAY: &[Field] =
    &[noted("addressFamily", Shape::Word(&["ipv4", "ipv6"]), "The family of that route.").required()];

/// As [`FIELDS`], of v2alpha1.
pub const ALPHA_FIELDS: &[Field] = &[
    noted("spec", object(ALPHA_SPEC), "What one node does, written by the operator from the cluster's configuration.")
        .required(),
    STATUS,
];

const ALPHA_SPEC: &[Field] = &[noted(
    "bgpInstances",
    list(&object(ALPHA_BGP_INSTANCES)).least(1).most(16).unique_by(&["name"]),
    "BGP speakers of the node.",
)
.required()];

const ALPHA_BGP_INSTANCES: &[Field] = &[
    noted("localASN", whole(1, 4_294_967_295), "The own autonomous system."),
    noted("localPort", whole32(1, 65535), "Where the speaker listens."),
    noted("name", TEXT.least(1).most(255), "What the instance is called.").required(),
    noted("peers", list(&object(ALPHA_PEERS)).unique_by(&["name"]), "Whom the instance peers with."),
    noted("routerID", TEXT.format(Format::Ipv4), "The identifier of the router, in the form of an IPv4 address."),
];

const ALPHA_PEERS: &[Field] = &[
    noted("localAddress", TEXT.like(ADDRESS), "The own address of the peering."),
    noted("name", TEXT, "What the peer is called.").required(),
    noted("peerASN", whole(0, 4_294_967_295), "The autonomous system of the peer; 0 accepts any."),
    noted("peerAddress", TEXT.like(ADDRESS), "The address of the peer."),
    noted("peerConfigRef", object(ALPHA_PEER_CONFIG_REF), "How the peering behaves."),
];

const ALPHA_PEER_CONFIG_REF: &[Field] = &[
    noted("group", TEXT, "The group of the object referred to.").defaulted(),
    noted("kind", TEXT, "The kind of the object referred to.").defaulted(),
    noted("name", TEXT, "The name of a CiliumBGPPeerConfig.").required(),
];
