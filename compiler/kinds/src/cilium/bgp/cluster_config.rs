//! CiliumBGPClusterConfig: which nodes peer with whom.

use crate::cilium::fields::{ADDRESS, later};
use crate::schema::{Field, STATUS, Shape, TEXT, list, object, whole, whole32};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "Which nodes speak BGP, and with whom.").required(), STATUS];

const SPEC: &[Field] = &[
    later(
        "bgpInstances",
        list(&object(BGP_INSTANCES)).least(1).most(16).unique_by(&["name"]),
        "BGP speakers on each of the nodes.",
    )
    .required(),
    later(
        "nodeSelector",
        object(SELECTOR),
        "The nodes by their labels; absent means every node. A node of two objects is in conflict.",
    ),
];

const BGP_INSTANCES: &[Field] = &[
    later(
        "localASN",
        whole(1, 4_294_967_295),
        "The own autonomous system; needed here or in a CiliumBGPNodeConfigOverride.",
    ),
    later("localPort", whole32(1, 65535), "Where the speaker listens; absent means that it only dials out."),
    later("name", TEXT.least(1).most(255), "What the instance is called; unique in the object.").required(),
    later("peers", list(&object(PEERS)).unique_by(&["name"]), "Whom the instance peers with."),
];

const PEERS: &[Field] = &[
    later("autoDiscovery", object(AUTO_DISCOVERY), "How the address of the peer is found."),
    later("name", TEXT.least(1).most(255), "What the peer is called; unique in the instance.").required(),
    later("peerASN", whole(0, 4_294_967_295), "The autonomous system of the peer; 0 accepts any.").defaulted(),
    later("peerAddress", TEXT.like(ADDRESS), "The address of the peer; not beside autoDiscovery."),
    later("peerConfigRef", object(PEER_CONFIG_REF), "How the peering behaves; absent means defaults."),
];

const PEER_CONFIG_REF: &[Field] = &[later("name", TEXT, "The name of a CiliumBGPPeerConfig.").required()];

const AUTO_DISCOVERY: &[Field] = &[
    later("defaultGateway", object(DEFAULT_GATEWAY), "The default route whose gateway is the peer."),
    later("mode", Shape::Word(&["DefaultGateway"]), "Only the default gateway so far.").required(),
];

const DEFAULT_GATEWAY: &[Field] =
    &[later("addressFamily", Shape::Word(&["ipv4", "ipv6"]), "The family of that route.").required()];

/// As [`FIELDS`], of v2alpha1.
pub const ALPHA_FIELDS: &[Field] =
    &[later("spec", object(ALPHA_SPEC), "Which nodes speak BGP, and with whom.").required(), STATUS];

const ALPHA_SPEC: &[Field] = &[
    later(
        "bgpInstances",
        list(&object(ALPHA_BGP_INSTANCES)).least(1).most(16).unique_by(&["name"]),
        "BGP speakers on each of the nodes.",
    )
    .required(),
    later(
        "nodeSelector",
        object(SELECTOR),
        "The nodes by their labels; absent means every node. A node of two objects is in conflict.",
    ),
];

const ALPHA_BGP_INSTANCES: &[Field] = &[
    later(
        "localASN",
        whole(1, 4_294_967_295),
        "The own autonomous system; needed here or in a CiliumBGPNodeConfigOverride.",
    ),
    later("localPort", whole32(1, 65535), "Where the speaker listens; absent means that it only dials out."),
    later("name", TEXT.least(1).most(255), "What the instance is called; unique in the object.").required(),
    later("peers", list(&object(ALPHA_PEERS)).unique_by(&["name"]), "Whom the instance peers with."),
];

const ALPHA_PEERS: &[Field] = &[
    later("name", TEXT.least(1).most(255), "What the peer is called; unique in the instance.").required(),
    later("peerASN", whole(0, 4_294_967_295), "The autonomous system of the peer; 0 accepts any.").defaulted(),
    later("peerAddress", TEXT.like(ADDRESS), "The address of the peer; not beside autoDiscovery."),
    later("peerConfigRef", object(ALPHA_PEER_CONFIG_REF), "How the peering behaves; absent means defaults."),
];

const ALPHA_PEER_CONFIG_REF: &[Field] = &[
    later("group", TEXT, "The group of the object referred to.").defaulted(),
    later("kind", TEXT, "The kind of the object referred to.").defaulted(),
    later("name", TEXT, "The name of a CiliumBGPPeerConfig.").required(),
];
