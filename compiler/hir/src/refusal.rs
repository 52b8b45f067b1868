//! Objects that a cluster refuses because of how it is set up.

use facts::Config;

use crate::dialect::Dialect;
use crate::policy::{L3, L4, Parser, PeerSelector, Policy, Ports};

/// Why a cluster refuses an object, and where. The object has no effect at all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refusal {
    /// The setting that would let it in.
    pub setting: Setting,
    /// Where it is written.
    pub path: String,
}

/// A setting without which some clauses are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// Nodes can be selected by their labels.
    NodeSelectorLabels,
    /// Policies may speak of ICMP types.
    IcmpRules,
    /// Policies may have rules for a proxy.
    ProxyRules,
    /// ClusterNetworkPolicies are read at all.
    ClusterPolicies,
    /// NetworkPolicies are read at all.
    NetworkPolicies,
    /// CiliumNetworkPolicies are read at all.
    CiliumPolicies,
    /// CiliumClusterwideNetworkPolicies are read at all.
    ClusterwidePolicies,
}

impl Setting {
    /// Its key in the configuration of the agent.
    pub fn key(self) -> &'static str {
        match self {
            Setting::NodeSelectorLabels => "enable-node-selector-labels",
            Setting::IcmpRules => "enable-icmp-rules",
            Setting::ProxyRules => "enable-l7-proxy",
            Setting::ClusterPolicies => "enable-k8s-cluster-network-policy",
            Setting::NetworkPolicies => "enable-k8s-networkpolicy",
            Setting::CiliumPolicies => "enable-cilium-network-policy",
            Setting::ClusterwidePolicies => "enable-cilium-clusterwide-network-policy",
        }
    }
}

/// Everything for which a cluster refuses an object, in order of writing; empty when it takes it.
///
/// Source: `Rule.Sanitize` of Cilium's `pkg/policy/api`, which reads these settings of the agent, and its watcher of
/// ClusterNetworkPolicies, which runs only where its setting is on.
pub fn refusals(policy: &Policy, config: &Config, dialect: &Dialect) -> Vec<Refusal> {
    if let Some(setting) = unread(&policy.object.kind, config, dialect) {
        return vec![Refusal { setting, path: "kind".to_owned() }];
    }
    let nodes = !config.node_selector_labels && dialect.node_selectors_need_setting;
    if !nodes && config.icmp_rules && config.proxy_rules {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in policy.sections.iter().flat_map(|section| &section.entries) {
        let mut refuse = |setting: Setting, path: &str| found.push(Refusal { setting, path: path.to_owned() });
        let by_label = match &entry.l3 {
            L3::Any(peers) => peers.iter().find(|peer| matches!(peer.selector, PeerSelector::Nodes(_))),
            L3::Nobody | L3::Unrestricted => None,
        };
        if let Some(peer) = by_label.filter(|_| nodes) {
            refuse(Setting::NodeSelectorLabels, &peer.path);
        }
        let is_icmp =
            |l4: &L4| matches!(l4, L4::Items(items) if items.iter().any(|it| matches!(it.ports, Ports::Icmp(_))));
        if !config.icmp_rules && is_icmp(&entry.l4) {
            refuse(Setting::IcmpRules, &entry.path);
        }
        let rules = entry.l7.as_ref().filter(|l7| !matches!(l7.parser, Parser::Tls | Parser::Listener(_)));
        if rules.is_some() && !config.proxy_rules {
            refuse(Setting::ProxyRules, &entry.path);
        }
    }
    found
}

/// The setting for want of which nobody reads policies of a kind. The kinds of Kubernetes are read as documented where no agent's manners
/// are asked for.
fn unread(kind: &str, config: &Config, dialect: &Dialect) -> Option<Setting> {
    let of_agent = !dialect.admin_policies_enforced;
    let (setting, read) = match kind {
        // Why: where nothing tells how the agent is set up, whoever writes such a policy is taken to have switched it on.
        "ClusterNetworkPolicy" => (Setting::ClusterPolicies, !of_agent || config.cluster_policies != Some(false)),
        "NetworkPolicy" => (Setting::NetworkPolicies, !of_agent || config.network_policies),
        "CiliumNetworkPolicy" => (Setting::CiliumPolicies, config.cilium_policies),
        "CiliumClusterwideNetworkPolicy" => (Setting::ClusterwidePolicies, config.clusterwide_policies),
        _ => return None,
    };
    (!read).then_some(setting)
}
