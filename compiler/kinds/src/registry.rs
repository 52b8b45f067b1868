//! The table of kinds: one line each.

use facts::read::At;
use hir::Section;

use crate::context::Context;
use crate::foreign::{self, Engine};
use crate::problem::{Consequence, Stage};
use crate::schema::{Field, Shape, Strictness};
use crate::{cilium_clusterwide_network_policy, cilium_network_policy, network_policy};

/// One policy kind.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its API group.
    pub group: &'static str,
    /// Its versions.
    pub versions: &'static [&'static str],
    /// Its name.
    pub kind: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Its fields beside `apiVersion`, `kind`, `metadata` and `status`.
    pub fields: &'static [Field],
    /// What follows from text that its schema does not allow.
    pub strictness: Strictness,
    pub(crate) decode: fn(&At<'_>, &mut Context<'_>) -> Vec<Section>,
}

/// A built-in kind: the API server drops unknown fields, and values of a wrong type cannot be decoded.
const BUILT_IN: Strictness = Strictness { unknown_field: Consequence::Dropped, types: Stage::Decode };
/// A custom kind: a schema refuses both.
const CUSTOM: Strictness = Strictness { unknown_field: Consequence::Rejected, types: Stage::Schema };

const NETWORK_POLICY: &[Field] = &[Field::new(
    "spec",
    Shape::Object(network_policy::FIELDS),
    "What the policy says; absent, it isolates ingress of all pods.",
)];

macro_rules! kinds {
    ($($group:literal $versions:tt $kind:literal $namespaced:literal $strictness:ident $fields:expr => $decode:expr;)*) => {
        /// Every policy kind that is decoded.
        pub const KINDS: &[Kind] = &[$(Kind {
            group: $group,
            versions: &$versions,
            kind: $kind,
            namespaced: $namespaced,
            fields: $fields,
            strictness: $strictness,
            decode: $decode,
        }),*];
    };
}

kinds! {
    "networking.k8s.io" ["v1"] "NetworkPolicy" true BUILT_IN NETWORK_POLICY => network_policy::decode;
    "cilium.io" ["v2"] "CiliumNetworkPolicy" true CUSTOM cilium_network_policy::FIELDS => cilium_network_policy::decode_namespaced;
    "cilium.io" ["v2"] "CiliumClusterwideNetworkPolicy" false CUSTOM cilium_clusterwide_network_policy::FIELDS => cilium_clusterwide_network_policy::decode;
}

/// Kinds of policy API groups that say something about traffic and are not decoded yet.
const NOT_YET: &[(&str, &str)] = &[
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("cilium.io", "CiliumEgressGatewayPolicy"),
    ("cilium.io", "CiliumLocalRedirectPolicy"),
    ("cilium.io", "CiliumEnvoyConfig"),
    ("cilium.io", "CiliumClusterwideEnvoyConfig"),
];

/// Kinds of policy API groups that say nothing about which traffic is allowed.
const NO_POLICY: &[(&str, &str)] = &[
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("cilium.io", "CiliumBGPAdvertisement"),
    ("cilium.io", "CiliumBGPClusterConfig"),
    ("cilium.io", "CiliumBGPNodeConfig"),
    ("cilium.io", "CiliumBGPNodeConfigOverride"),
    ("cilium.io", "CiliumBGPPeerConfig"),
    ("cilium.io", "CiliumDatapathPlugin"),
    ("cilium.io", "CiliumEndpoint"),
    ("cilium.io", "CiliumEndpointSlice"),
    ("cilium.io", "CiliumGatewayClassConfig"),
    ("cilium.io", "CiliumIdentity"),
    ("cilium.io", "CiliumL2AnnouncementPolicy"),
    ("cilium.io", "CiliumLoadBalancerIPPool"),
    ("cilium.io", "CiliumNode"),
    ("cilium.io", "CiliumNodeConfig"),
    ("cilium.io", "CiliumPodIPPool"),
];

/// API groups all of whose kinds must be known, because an unknown one may be a policy.
const POLICY_GROUPS: &[&str] = &["networking.k8s.io", "policy.networking.k8s.io", "cilium.io"];

/// A kind that no cluster of today has any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Removed {
    /// Its API group.
    pub group: &'static str,
    /// Its name.
    pub kind: &'static str,
    /// Who dropped it.
    pub by: &'static str,
    /// The `apiVersion` of its successors.
    pub api_version: &'static str,
    /// The kinds that say the same today.
    pub successors: &'static [&'static str],
}

/// Kinds that existed. Source: Cilium's upgrade guide.
const REMOVED: &[Removed] = &[
    Removed {
        group: "cilium.io",
        kind: "CiliumBGPPeeringPolicy",
        by: "Cilium",
        api_version: "cilium.io/v2",
        successors: &["CiliumBGPClusterConfig", "CiliumBGPPeerConfig", "CiliumBGPAdvertisement"],
    },
    Removed {
        group: "cilium.io",
        kind: "CiliumEgressNATPolicy",
        by: "Cilium",
        api_version: "cilium.io/v2",
        successors: &["CiliumEgressGatewayPolicy"],
    },
];

/// What an object is, by its `apiVersion` and `kind`.
#[derive(Clone, Copy, Debug)]
pub enum Class {
    /// A policy that is decoded.
    Policy(&'static Kind),
    /// A fact about the cluster.
    Fact(facts::decode::Decoder),
    /// A list of objects; its members are objects of their own.
    List,
    /// A policy of a kind that is not decoded yet.
    NotYet,
    /// A kind of a policy API group that does not exist, or a version of a known one that does not.
    Unknown,
    /// A kind that no cluster of today has any more.
    Removed(&'static Removed),
    /// A policy of another engine.
    Foreign(Engine),
    /// Nothing that matters here.
    Other,
}

/// Says what an object is.
pub fn classify(api_version: &str, kind: &str) -> Class {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if let Some(known) = KINDS.iter().find(|known| known.group == group && known.kind == kind) {
        return if known.versions.contains(&version) { Class::Policy(known) } else { Class::Unknown };
    }
    if let Some(decoder) = facts::decode::decoder(api_version, kind) {
        return Class::Fact(decoder);
    }
    if let Some(engine) = foreign::engine(group, kind) {
        return Class::Foreign(engine);
    }
    if let Some(removed) = REMOVED.iter().find(|known| known.group == group && known.kind == kind) {
        return Class::Removed(removed);
    }
    let is = |table: &[(&str, &str)]| table.contains(&(group, kind));
    match () {
        _ if kind.ends_with("List") && !kind.starts_with("Cilium") && group.is_empty() => Class::List,
        _ if is(NOT_YET) => Class::NotYet,
        _ if is(NO_POLICY) => Class::Other,
        _ if POLICY_GROUPS.contains(&group) => Class::Unknown,
        // Why: a policy kind under a mistyped group would otherwise vanish without a word.
        _ if KINDS.iter().any(|known| known.kind == kind) => Class::Unknown,
        _ => Class::Other,
    }
}

/// Every kind of a policy API group that exists: its group and name.
pub fn existing() -> impl Iterator<Item = (&'static str, &'static str)> {
    let decoded = KINDS.iter().map(|known| (known.group, known.kind));
    let facts = facts::decode::KINDS.iter().map(|(group, kind, _)| (*group, *kind));
    let all = decoded.chain(facts).chain(NOT_YET.iter().copied()).chain(NO_POLICY.iter().copied());
    all.filter(|(group, _)| POLICY_GROUPS.contains(group))
}
