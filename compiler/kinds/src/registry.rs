//! The table of kinds: one line each.

use facts::read::At;
use hir::Section;

use crate::context::Context;
use crate::foreign::{self, Engine};
use crate::metadata::is_dns_label;
use crate::schema::{Field, Rule, Schema, Source};
use crate::selector::is_dns_subdomain;
use crate::{
    cilium_cidr_group, cilium_clusterwide_network_policy, cilium_egress_gateway_policy, cilium_local_redirect_policy,
    cilium_network_policy, endpoint_slice, network_policy, service,
};

/// One kind whose objects are compared with a schema.
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
    /// What its objects may hold beside `apiVersion`, `kind` and `metadata`.
    pub schema: Schema,
    pub(crate) decode: Decode,
    pub(crate) validate: Validate,
    pub(crate) is_name: fn(&str) -> bool,
}

/// Reads a policy.
pub(crate) type Decode = fn(&At<'_>, &mut Context<'_>) -> Vec<Section>;
/// What the API server checks of a built-in kind by code of its own, after decoding.
pub(crate) type Validate = fn(&At<'_>, &mut Context<'_>);

/// A kind of the API server itself.
const fn built_in(fields: &'static [Field]) -> Schema {
    Schema { fields, rules: &[], source: Source::BuiltIn }
}

/// A kind with a published definition.
const fn custom(fields: &'static [Field], rules: &'static [Rule]) -> Schema {
    Schema { fields, rules, source: Source::Custom }
}

/// For kinds whose schema says all.
fn nothing_more(_: &At<'_>, _: &mut Context<'_>) {}

/// For kinds that are no policies.
fn no_sections(_: &At<'_>, _: &mut Context<'_>) -> Vec<Section> {
    Vec::new()
}

macro_rules! kinds {
    ($($group:literal $versions:tt $kind:literal $namespaced:literal $schema:expr => $decode:expr, $validate:expr, $name:expr;)*) => {
        &[$(Kind {
            group: $group,
            versions: &$versions,
            kind: $kind,
            namespaced: $namespaced,
            schema: $schema,
            decode: $decode,
            validate: $validate,
            is_name: $name,
        }),*]
    };
}

/// Every policy kind that is decoded.
pub const KINDS: &[Kind] = kinds! {
    "networking.k8s.io" ["v1"] "NetworkPolicy" true
        built_in(network_policy::FIELDS) => network_policy::decode, network_policy::validate, is_dns_subdomain;
    "cilium.io" ["v2"] "CiliumNetworkPolicy" true
        custom(cilium_network_policy::FIELDS, cilium_network_policy::RULES)
        => cilium_network_policy::decode_namespaced, cilium_network_policy::published, is_dns_subdomain;
    "cilium.io" ["v2"] "CiliumClusterwideNetworkPolicy" false
        custom(cilium_clusterwide_network_policy::FIELDS, cilium_network_policy::RULES)
        => cilium_clusterwide_network_policy::decode, cilium_network_policy::published, is_dns_subdomain;
};

/// Kinds of facts whose objects are compared with a schema all the same.
pub const FACTS: &[Kind] = kinds! {
    "" ["v1"] "Service" true built_in(service::FIELDS) => no_sections, service::validate, is_dns_label;
    "discovery.k8s.io" ["v1"] "EndpointSlice" true
        built_in(endpoint_slice::FIELDS) => no_sections, endpoint_slice::validate, is_dns_subdomain;
    "cilium.io" ["v2", "v2alpha1"] "CiliumCIDRGroup" false
        custom(cilium_cidr_group::FIELDS, &[]) => no_sections, nothing_more, is_dns_subdomain;
};

/// Kinds that say something about traffic and are compared with a schema, though nothing here enforces them yet.
pub const UNENFORCED: &[Kind] = kinds! {
    "cilium.io" ["v2"] "CiliumEgressGatewayPolicy" false
        custom(cilium_egress_gateway_policy::FIELDS, cilium_egress_gateway_policy::RULES)
        => no_sections, nothing_more, is_dns_subdomain;
    "cilium.io" ["v2"] "CiliumLocalRedirectPolicy" true
        custom(cilium_local_redirect_policy::FIELDS, &[]) => no_sections, nothing_more, is_dns_subdomain;
};

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

/// The kind of an object that is no policy, where it has a schema here.
pub(crate) fn other_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    FACTS
        .iter()
        .chain(UNENFORCED)
        .find(|known| known.group == group && known.kind == kind && known.versions.contains(&version))
}
