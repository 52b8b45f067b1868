//! CiliumBGPAdvertisement: what is announced.

use facts::read::At;

use crate::cilium::fields::later;
use crate::schema::{Field, Rule, Shape, TEXT, WHOLE, list, object, pattern, whole};
use crate::selector::SELECTOR;

pattern!(
    LARGE,
    r"^([0-9]|[1-9][0-9]{1,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5]):([0-9]|[1-9][0-9]{1,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5]):([0-9]|[1-9][0-9]{1,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])$"
);
pattern!(
    STANDARD,
    r"^([0-9]|[1-9][0-9]{1,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7}|429[0-3][0-9]{6}|4294[0-8][0-9]{5}|42949[0-5][0-9]{4}|429496[0-6][0-9]{3}|4294967[01][0-9]{2}|42949672[0-8][0-9]|429496729[0-5])$|^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]):([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$"
);

/// The fields beside the envelope. Source: the CustomResourceDefinition.
pub const FIELDS: &[Field] = &[later("spec", object(SPEC), "What is announced.").required()];

const SPEC: &[Field] = &[later("advertisements", list(&object(ADVERTISEMENTS)), "Announcements.").required()];

const ADVERTISEMENTS: &[Field] = &[
    later(
        "advertisementType",
        Shape::Word(&["PodCIDR", "CiliumPodIPPool", "Service", "Interface"]),
        "What kind of addresses.",
    )
    .required(),
    later("attributes", object(ATTRIBUTES), "What the announcement carries."),
    later("interface", object(INTERFACE), "Whose addresses; there exactly for the type Interface."),
    later(
        "selector",
        object(SELECTOR),
        "Which services or pools, by label; absent means none, empty means all. Not for PodCIDR.",
    ),
    later("service", object(SERVICE), "Which addresses of services; there exactly for the type Service."),
];

const SERVICE: &[Field] = &[
    later(
        "addresses",
        list(&Shape::Word(&["LoadBalancerIP", "ClusterIP", "ExternalIP"])).least(1),
        "Which of a service's addresses.",
    )
    .required(),
    later(
        "aggregationLengthIPv4",
        whole(0, 31),
        "The length of the prefix that is announced instead of each IPv4 address.",
    ),
    later(
        "aggregationLengthIPv6",
        whole(0, 127),
        "The length of the prefix that is announced instead of each IPv6 address.",
    ),
];

const INTERFACE: &[Field] = &[later("name", TEXT, "The interface of the node.").required()];

const ATTRIBUTES: &[Field] = &[
    later("communities", object(COMMUNITIES), "Communities."),
    later("localPreference", WHOLE, "The preference inside the own system."),
];

const COMMUNITIES: &[Field] = &[
    later("large", list(&TEXT.like(LARGE)), "Such as `65000:1:2`."),
    later("standard", list(&TEXT.like(STANDARD)), "Such as `65000:100`."),
    later(
        "wellKnown",
        list(&Shape::Word(&[
            "internet",
            "planned-shut",
            "accept-own",
            "route-filter-translated-v4",
            "route-filter-v4",
            "route-filter-translated-v6",
            "route-filter-v6",
            "llgr-stale",
            "no-llgr",
            "blackhole",
            "no-export",
            "no-advertise",
            "no-export-subconfed",
            "no-peer",
        ])),
        "By name.",
    ),
];

/// As [`FIELDS`], of v2alpha1.
pub const ALPHA_FIELDS: &[Field] = &[later("spec", object(ALPHA_SPEC), "What is announced.").required()];

const ALPHA_SPEC: &[Field] =
    &[later("advertisements", list(&object(ALPHA_ADVERTISEMENTS)), "Announcements.").required()];

const ALPHA_ADVERTISEMENTS: &[Field] = &[
    later("advertisementType", Shape::Word(&["PodCIDR", "CiliumPodIPPool", "Service"]), "What kind of addresses.")
        .required(),
    later("attributes", object(ALPHA_ATTRIBUTES), "What the announcement carries."),
    later(
        "selector",
        object(SELECTOR),
        "Which services or pools, by label; absent means none, empty means all. Not for PodCIDR.",
    ),
    later("service", object(ALPHA_SERVICE), "Which addresses of services; there exactly for the type Service."),
];

const ALPHA_SERVICE: &[Field] = &[
    later(
        "addresses",
        list(&Shape::Word(&["LoadBalancerIP", "ClusterIP", "ExternalIP"])).least(1),
        "Which of a service's addresses.",
    )
    .required(),
    later(
        "aggregationLengthIPv4",
        whole(0, 31),
        "The length of the prefix that is announced instead of each IPv4 address.",
    ),
    later(
        "aggregationLengthIPv6",
        whole(0, 127),
        "The length of the prefix that is announced instead of each IPv6 address.",
    ),
];

const ALPHA_ATTRIBUTES: &[Field] = &[
    later("communities", object(ALPHA_COMMUNITIES), "Communities."),
    later("localPreference", WHOLE, "The preference inside the own system."),
];

const ALPHA_COMMUNITIES: &[Field] = &[
    later("large", list(&TEXT.like(LARGE)), "Such as `65000:1:2`."),
    later("standard", list(&TEXT.like(STANDARD)), "Such as `65000:100`."),
    later(
        "wellKnown",
        list(&Shape::Word(&[
            "internet",
            "planned-shut",
            "accept-own",
            "route-filter-translated-v4",
            "route-filter-v4",
            "route-filter-translated-v6",
            "route-filter-v6",
            "llgr-stale",
            "no-llgr",
            "blackhole",
            "no-export",
            "no-advertise",
            "no-export-subconfed",
            "no-peer",
        ])),
        "By name.",
    ),
];

/// Whether a field is there exactly for one type, or for others only.
fn is(at: &At<'_>, kind: &str) -> bool {
    at.text_of("advertisementType") == Some(kind)
}

const SERVICES_SAY_WHICH: Rule = Rule {
    name: "services-say-which-addresses",
    at: &["spec.advertisements[]"],
    holds: |at| !is(at, "Service") || at.get("service").is_some(),
    says: "an advertisement of the type `Service` needs `service`",
};

const PREFIXES_ARE_NOT_SELECTED: Rule = Rule {
    name: "prefixes-are-not-selected",
    at: &["spec.advertisements[]"],
    holds: |at| !is(at, "PodCIDR") || at.get("selector").is_none(),
    says: "an advertisement of the type `PodCIDR` has no `selector`",
};

/// What no field can say.
pub const RULES: &[Rule] = &[
    SERVICES_SAY_WHICH,
    Rule {
        name: "only-services-say-which-addresses",
        at: &["spec.advertisements[]"],
        holds: |at| is(at, "Service") || at.get("service").is_none(),
        says: "only an advertisement of the type `Service` has `service`",
    },
    Rule {
        name: "interfaces-are-named",
        at: &["spec.advertisements[]"],
        holds: |at| !is(at, "Interface") || at.get("interface").is_some(),
        says: "an advertisement of the type `Interface` needs `interface`",
    },
    Rule {
        name: "only-interfaces-are-named",
        at: &["spec.advertisements[]"],
        holds: |at| is(at, "Interface") || at.get("interface").is_none(),
        says: "only an advertisement of the type `Interface` has `interface`",
    },
    PREFIXES_ARE_NOT_SELECTED,
];

/// As [`RULES`], of v2alpha1.
pub const ALPHA_RULES: &[Rule] = &[SERVICES_SAY_WHICH, PREFIXES_ARE_NOT_SELECTED];
