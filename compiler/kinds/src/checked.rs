//! The table of kinds that are known and compared with their definitions, and that nobody here enforces.

use facts::read::At;
use hir::gateway::GatewayPolicy;

use crate::cilium::{addresses, agent, bgp, envoy};
use crate::context::Context;
use crate::registry::{Kind, custom, known};
use crate::{cilium_egress_gateway_policy, cilium_local_redirect_policy};

/// What a kind is to those who ask which traffic passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It moves traffic elsewhere, or has a proxy decide about it.
    Steers,
    /// It arranges addresses, routes or settings; which traffic is allowed does not depend on it.
    Arranges,
    /// Controllers write it for each other; nobody applies it.
    Records,
}

/// One of these kinds, in some of its versions.
#[derive(Clone, Copy, Debug)]
pub struct Checked {
    /// The kind.
    pub kind: Kind,
    /// What it is to those who ask which traffic passes.
    pub role: Role,
    /// Reads by which node packets leave, where the kind says so.
    pub(crate) gateway: Option<ReadGateway>,
}

/// Reads a policy of egress gateways.
pub(crate) type ReadGateway = fn(&At<'_>, &mut Context<'_>) -> GatewayPolicy;

macro_rules! checked {
    ($($role:ident $versions:tt $kind:literal $namespaced:literal $fields:expr, $rules:expr $(=> $gateway:expr)?;)*) => {
        &[$(Checked {
            kind: known("cilium.io", &$versions, $kind, $namespaced, custom($fields, $rules)),
            role: Role::$role,
            gateway: checked!(@gateway $($gateway)?),
        }),*]
    };
    (@gateway) => { None };
    (@gateway $gateway:expr) => { Some($gateway) };
}

/// Every such kind.
pub const CHECKED: &[Checked] = checked! {
    Steers ["v2"] "CiliumEgressGatewayPolicy" false cilium_egress_gateway_policy::FIELDS, cilium_egress_gateway_policy::RULES
        => cilium_egress_gateway_policy::decode;
    Steers ["v2"] "CiliumLocalRedirectPolicy" true cilium_local_redirect_policy::FIELDS, &[];
    Steers ["v2"] "CiliumEnvoyConfig" true envoy::config::FIELDS, &[];
    Steers ["v2"] "CiliumClusterwideEnvoyConfig" false envoy::clusterwide_config::FIELDS, &[];
    Steers ["v2alpha1"] "CiliumDatapathPlugin" false agent::datapath_plugin::FIELDS, &[];
    Arranges ["v2"] "CiliumBGPClusterConfig" false bgp::cluster_config::FIELDS, &[];
    Arranges ["v2alpha1"] "CiliumBGPClusterConfig" false bgp::cluster_config::ALPHA_FIELDS, &[];
    Arranges ["v2"] "CiliumBGPPeerConfig" false bgp::peer_config::FIELDS, bgp::peer_config::RULES;
    Arranges ["v2alpha1"] "CiliumBGPPeerConfig" false bgp::peer_config::ALPHA_FIELDS, bgp::peer_config::RULES;
    Arranges ["v2"] "CiliumBGPAdvertisement" false bgp::advertisement::FIELDS, bgp::advertisement::RULES;
    Arranges ["v2alpha1"] "CiliumBGPAdvertisement" false bgp::advertisement::ALPHA_FIELDS, bgp::advertisement::ALPHA_RULES;
    Arranges ["v2", "v2alpha1"] "CiliumBGPNodeConfigOverride" false bgp::node_config_override::FIELDS, &[];
    Records ["v2"] "CiliumBGPNodeConfig" false bgp::node_config::FIELDS, &[];
    Records ["v2alpha1"] "CiliumBGPNodeConfig" false bgp::node_config::ALPHA_FIELDS, &[];
    Arranges ["v2", "v2alpha1"] "CiliumLoadBalancerIPPool" false addresses::load_balancer_ip_pool::FIELDS, &[];
    Arranges ["v2alpha1"] "CiliumL2AnnouncementPolicy" false addresses::l2_announcement_policy::FIELDS, &[];
    Arranges ["v2alpha1"] "CiliumPodIPPool" false addresses::pod_ip_pool::FIELDS, &[];
    Arranges ["v2alpha1"] "CiliumGatewayClassConfig" true agent::gateway_class_config::FIELDS, &[];
    Records ["v2"] "CiliumEndpoint" true agent::endpoint::FIELDS, &[];
    Records ["v2alpha1"] "CiliumEndpointSlice" false agent::endpoint_slice::FIELDS, &[];
    Records ["v2"] "CiliumIdentity" false agent::identity::FIELDS, &[];
};

/// A version of a kind that the API server warns of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deprecated {
    /// Its group.
    pub group: &'static str,
    /// The version.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The version to write instead, where there is one.
    pub successor: Option<&'static str>,
}

/// Versions that the API server warns of. Source: `deprecated` in the CustomResourceDefinitions of cilium.io.
const DEPRECATED: &[(&str, Option<&str>)] = &[
    ("CiliumBGPAdvertisement", Some("v2")),
    ("CiliumBGPClusterConfig", Some("v2")),
    ("CiliumBGPNodeConfig", Some("v2")),
    ("CiliumBGPNodeConfigOverride", Some("v2")),
    ("CiliumBGPPeerConfig", Some("v2")),
    ("CiliumCIDRGroup", Some("v2")),
    ("CiliumDatapathPlugin", None),
    ("CiliumLoadBalancerIPPool", Some("v2")),
];

/// What is to be said of the version of an object; `None` when nothing is.
pub fn deprecated(api_version: &str, kind: &str) -> Option<Deprecated> {
    let alpha = api_version == "cilium.io/v2alpha1";
    let (kind, successor) = DEPRECATED.iter().find(|(known, _)| alpha && *known == kind)?;
    Some(Deprecated { group: "cilium.io", version: "v2alpha1", kind, successor: *successor })
}
