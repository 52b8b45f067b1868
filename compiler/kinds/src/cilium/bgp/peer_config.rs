//! CiliumBGPPeerConfig: how a peering behaves.

use crate::cilium::fields::later;
use crate::schema::{Field, Rule, STATUS, Shape, TEXT, list, object, whole32};
use crate::selector::SELECTOR;

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "How a peering behaves.").required(), STATUS];

const SPEC: &[Field] = &[
    later("authSecretRef", TEXT, "The Secret whose entry `password` signs the segments."),
    later("ebgpMultihop", whole32(1, 255), "How many hops away a peer of another system may be; 1 by default.")
        .defaulted(),
    later(
        "families",
        list(&object(FAMILIES)),
        "Which routes are exchanged; by default unicast of both families, of which nothing is announced.",
    ),
    later("gracefulRestart", object(GRACEFUL_RESTART), "Whether routes outlive a restart."),
    later("timers", object(TIMERS), "The clocks of the peering."),
    later("transport", object(TRANSPORT), "The TCP connection."),
];

const TRANSPORT: &[Field] = &[
    later("peerPort", whole32(1, 65535), "The port of the peer; 179 by default.").defaulted(),
    later("sourceInterface", TEXT, "The interface whose address the connection comes from."),
];

const TIMERS: &[Field] = &[
    later(
        "connectRetryTimeSeconds",
        whole32(1, 2_147_483_647),
        "How long to wait before dialling again; 120 by default.",
    )
    .defaulted(),
    later("holdTimeSeconds", whole32(3, 65535), "After how much silence the peer counts as gone; 90 by default.")
        .defaulted(),
    later(
        "keepAliveTimeSeconds",
        whole32(1, 65535),
        "How often to say that one is there; 30 by default, at most the hold time.",
    )
    .defaulted(),
];

const GRACEFUL_RESTART: &[Field] = &[
    later("enabled", Shape::Flag, "Whether they do.").required(),
    later("restartTimeSeconds", whole32(1, 4095), "For how long; 120 by default.").defaulted(),
];

const FAMILIES: &[Field] = &[
    later(
        "advertisements",
        object(SELECTOR),
        "Which CiliumBGPAdvertisement objects, by their labels; absent announces nothing.",
    ),
    later("afi", Shape::Word(&["ipv4", "ipv6", "l2vpn", "ls", "opaque"]), "The address family.").required(),
    later(
        "safi",
        Shape::Word(&[
            "unicast",
            "multicast",
            "mpls_label",
            "encapsulation",
            "vpls",
            "evpn",
            "ls",
            "sr_policy",
            "mup",
            "mpls_vpn",
            "mpls_vpn_multicast",
            "route_target_constraints",
            "flowspec_unicast",
            "flowspec_vpn",
            "key_value",
        ]),
        "The kind of routes.",
    )
    .required(),
];

/// As [`FIELDS`], of v2alpha1.
pub const ALPHA_FIELDS: &[Field] = &[later("spec", object(ALPHA_SPEC), "How a peering behaves.").required(), STATUS];

const ALPHA_SPEC: &[Field] = &[
    later("authSecretRef", TEXT, "The Secret whose entry `password` signs the segments."),
    later("ebgpMultihop", whole32(1, 255), "How many hops away a peer of another system may be; 1 by default.")
        .defaulted(),
    later(
        "families",
        list(&object(ALPHA_FAMILIES)),
        "Which routes are exchanged; by default unicast of both families, of which nothing is announced.",
    ),
    later("gracefulRestart", object(ALPHA_GRACEFUL_RESTART), "Whether routes outlive a restart."),
    later("timers", object(ALPHA_TIMERS), "The clocks of the peering."),
    later("transport", object(ALPHA_TRANSPORT), "The TCP connection."),
];

const ALPHA_TRANSPORT: &[Field] = &[
    later("localPort", whole32(1, 65535), "Nothing; the port of an instance stands in its CiliumBGPClusterConfig."),
    later("peerPort", whole32(1, 65535), "The port of the peer; 179 by default.").defaulted(),
];

const ALPHA_TIMERS: &[Field] = &[
    later(
        "connectRetryTimeSeconds",
        whole32(1, 2_147_483_647),
        "How long to wait before dialling again; 120 by default.",
    )
    .defaulted(),
    later("holdTimeSeconds", whole32(3, 65535), "After how much silence the peer counts as gone; 90 by default.")
        .defaulted(),
    later(
        "keepAliveTimeSeconds",
        whole32(1, 65535),
        "How often to say that one is there; 30 by default, at most the hold time.",
    )
    .defaulted(),
];

const ALPHA_GRACEFUL_RESTART: &[Field] = &[
    later("enabled", Shape::Flag, "Whether they do.").required(),
    later("restartTimeSeconds", whole32(1, 4095), "For how long; 120 by default.").defaulted(),
];

const ALPHA_FAMILIES: &[Field] = &[
    later(
        "advertisements",
        object(SELECTOR),
        "Which CiliumBGPAdvertisement objects, by their labels; absent announces nothing.",
    ),
    later("afi", Shape::Word(&["ipv4", "ipv6", "l2vpn", "ls", "opaque"]), "The address family.").required(),
    later(
        "safi",
        Shape::Word(&[
            "unicast",
            "multicast",
            "mpls_label",
            "encapsulation",
            "vpls",
            "evpn",
            "ls",
            "sr_policy",
            "mup",
            "mpls_vpn",
            "mpls_vpn_multicast",
            "route_target_constraints",
            "flowspec_unicast",
            "flowspec_vpn",
            "key_value",
        ]),
        "The kind of routes.",
    )
    .required(),
];

/// What no field can say.
pub const RULES: &[Rule] = &[Rule {
    name: "keep-alive-within-hold-time",
    at: &["spec.timers"],
    holds: |at| {
        let seconds = |name: &str, unwritten: i64| at.get(name).map_or(Some(unwritten), |it| it.whole());
        let times = seconds("keepAliveTimeSeconds", 30).zip(seconds("holdTimeSeconds", 90));
        times.is_none_or(|(alive, hold)| alive <= hold)
    },
    says: "`keepAliveTimeSeconds` must not be above `holdTimeSeconds`",
}];
