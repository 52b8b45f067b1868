//! The table of kinds: one line each.

use facts::read::At;
use hir::Section;

use crate::checked::{CHECKED, Checked};
use crate::context::Context;
use crate::foreign::{self, Engine};
use crate::metadata::is_dns_label;
use crate::schema::{Field, Rule, Schema, Source};
use crate::selector::is_dns_subdomain;
use crate::{
    admin_network_policy, baseline_admin_network_policy, cilium, cilium_cidr_group, cilium_clusterwide_network_policy,
    cilium_network_policy, cluster_network_policy, endpoint_slice, network_policy, service,
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
pub(crate) const fn custom(fields: &'static [Field], rules: &'static [Rule]) -> Schema {
    Schema { fields, rules, source: Source::Custom }
}

/// For kinds whose schema says all.
fn nothing_more(_: &At<'_>, _: &mut Context<'_>) {}

/// For kinds that are no policies.
fn no_sections(_: &At<'_>, _: &mut Context<'_>) -> Vec<Section> {
    Vec::new()
}

/// A kind whose definition says all that there is to say.
pub(crate) const fn known(
    group: &'static str,
    versions: &'static [&'static str],
    kind: &'static str,
    namespaced: bool,
    schema: Schema,
) -> Kind {
    let (decode, validate, is_name) = (no_sections as Decode, nothing_more as Validate, is_dns_subdomain);
    Kind { group, versions, kind, namespaced, schema, decode, validate, is_name }
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
    "policy.networking.k8s.io" ["v1alpha2"] "ClusterNetworkPolicy" false
        custom(cluster_network_policy::FIELDS, cluster_network_policy::RULES)
        => cluster_network_policy::decode, nothing_more, is_dns_subdomain;
    "policy.networking.k8s.io" ["v1alpha1"] "AdminNetworkPolicy" false
        custom(admin_network_policy::FIELDS, admin_network_policy::RULES)
        => admin_network_policy::decode, nothing_more, is_dns_subdomain;
    "policy.networking.k8s.io" ["v1alpha1"] "BaselineAdminNetworkPolicy" false
        custom(baseline_admin_network_policy::FIELDS, baseline_admin_network_policy::RULES)
        => baseline_admin_network_policy::decode, nothing_more, is_dns_subdomain;
};

/// Kinds of facts whose objects are compared with a schema all the same.
pub const FACTS: &[Kind] = kinds! {
    "" ["v1"] "Service" true built_in(service::FIELDS) => no_sections, service::validate, is_dns_label;
    "discovery.k8s.io" ["v1"] "EndpointSlice" true
        built_in(endpoint_slice::FIELDS) => no_sections, endpoint_slice::validate, is_dns_subdomain;
    "cilium.io" ["v2", "v2alpha1"] "CiliumCIDRGroup" false
        custom(cilium_cidr_group::FIELDS, &[]) => no_sections, nothing_more, is_dns_subdomain;
    "cilium.io" ["v2"] "CiliumNode" false
        custom(cilium::agent::node::FIELDS, &[]) => no_sections, nothing_more, is_dns_subdomain;
    "cilium.io" ["v2"] "CiliumNodeConfig" true
        custom(cilium::agent::node_config::FIELDS, &[]) => no_sections, nothing_more, is_dns_subdomain;
};

/// Kinds of policy API groups that say nothing about which traffic is allowed, and that are not looked into.
const NO_POLICY: &[(&str, &str)] = &[
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("cilium.io", "CiliumNode"),
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
    /// An object that is compared with its definition and has no effect here.
    Checked(&'static Checked),
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
    let mut versions = CHECKED.iter().filter(|known| known.kind.group == group && known.kind.kind == kind).peekable();
    if versions.peek().is_some() {
        return versions.find(|known| known.kind.versions.contains(&version)).map_or(Class::Unknown, Class::Checked);
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
        _ if is(NO_POLICY) => Class::Other,
        _ if POLICY_GROUPS.contains(&group) => Class::Unknown,
        // Why: a policy kind under a mistyped group would otherwise vanish without a word.
        _ if home(kind).is_some() => Class::Unknown,
        _ => Class::Other,
    }
}

/// The `apiVersion` under which a kind of a policy API group is known.
pub fn home(kind: &str) -> Option<String> {
    let known = KINDS.iter().chain(CHECKED.iter().map(|known| &known.kind)).find(|known| known.kind == kind)?;
    Some(format!("{}/{}", known.group, known.versions[0]))
}

/// Every kind of a policy API group that exists: its group and name.
pub fn existing() -> impl Iterator<Item = (&'static str, &'static str)> {
    let decoded = KINDS.iter().map(|known| (known.group, known.kind));
    let facts = facts::decode::KINDS.iter().map(|(group, kind, _)| (*group, *kind));
    let checked = CHECKED.iter().map(|known| (known.kind.group, known.kind.kind));
    let all = decoded.chain(checked).chain(facts).chain(NO_POLICY.iter().copied());
    all.filter(|(group, _)| POLICY_GROUPS.contains(group))
}

/// The kind of a fact, where it has a schema here.
pub(crate) fn fact_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    FACTS.iter().find(|known| known.group == group && known.kind == kind && known.versions.contains(&version))
}
