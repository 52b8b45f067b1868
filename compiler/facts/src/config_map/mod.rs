//! ConfigMap, core/v1: only that of an agent, which tells how the cluster is set up.

mod decode;

use flow::Prefix;

use crate::{Config, Enforcement, Enforcer, LabelFilter, Labels};

pub use decode::{NAME, decode};

/// How a cluster's own agent is set up. Source: the ConfigMap `kube-system/cilium-config`, as the agent of Cilium 1.19 and 1.20 reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentConfig {
    /// `data`: setting → text.
    pub data: Labels,
}

impl AgentConfig {
    /// Writes what the settings say over a configuration; what they do not mention, or say in words that nobody knows, stays.
    pub fn apply(&self, config: &mut Config) {
        for (key, value) in &self.data {
            set(key, value.trim(), config);
        }
        // Why: what a ConfigMap leaves out is off by default, which is not the same as not knowing.
        config.cluster_policies.get_or_insert(false);
        config.enforcer.get_or_insert(Enforcer::Cilium);
    }
}

/// Writes one setting of the agent over a configuration. Unknown settings and words change nothing.
pub fn set(key: &str, value: &str, config: &mut Config) {
    let flag = |field: &mut bool| {
        if let "true" | "false" = value {
            *field = value == "true";
        }
    };
    let words = || value.split([',', ' ']).filter(|word| !word.is_empty());
    match key {
        "cluster-name" if !value.is_empty() => value.clone_into(&mut config.cluster_name),
        "enable-ipv4" => flag(&mut config.ipv4),
        "enable-ipv6" => flag(&mut config.ipv6),
        "enable-policy" => match value {
            "default" => config.enforcement = Enforcement::Default,
            "always" => config.enforcement = Enforcement::Always,
            "never" => config.enforcement = Enforcement::Never,
            _ => {}
        },
        "enable-host-firewall" => flag(&mut config.host_firewall),
        "policy-default-local-cluster" => flag(&mut config.policy_default_local_cluster),
        "policy-audit-mode" => flag(&mut config.audit),
        "policy-cidr-match-mode" => {
            config.prefixes_match_nodes = words().any(|word| word == "nodes");
            config.prefixes_match_pods = words().any(|word| word == "pods");
        }
        // Why: `auto` is `always` wherever Kubernetes is in use.
        "allow-localhost" => config.own_node_reaches_pods = value != "policy",
        "enable-node-selector-labels" => flag(&mut config.node_selector_labels),
        "enable-non-default-deny-policies" => flag(&mut config.open_policies),
        "enable-icmp-rules" => flag(&mut config.icmp_rules),
        "enable-l7-proxy" => flag(&mut config.proxy_rules),
        "enable-k8s-cluster-network-policy" => {
            flag(config.cluster_policies.get_or_insert(false));
        }
        "labels" => config.labels = LabelFilter::parse(value),
        "node-labels" => config.node_labels = LabelFilter::parse(value),
        "cluster-pool-ipv4-cidr" | "cluster-pool-ipv6-cidr" => {
            config.pod_ranges.extend(words().filter_map(Prefix::parse));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_nobody_knows_change_nothing() {
        let mut config = Config::default();
        for (key, value) in [("enable-policy", "sometimes"), ("enable-ipv4", "no"), ("cluster-name", ""), ("x", "true")]
        {
            set(key, value, &mut config);
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn each_setting_reaches_its_field() {
        let mut config = Config::default();
        let data = [("cluster-name", "west"), ("enable-ipv6", "false"), ("policy-cidr-match-mode", "nodes")];
        let data = data.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        AgentConfig { data }.apply(&mut config);
        assert_eq!((config.cluster_name.as_str(), config.ipv6), ("west", false));
        assert_eq!((config.prefixes_match_nodes, config.prefixes_match_pods), (true, false));
        assert_eq!(config.cluster_policies, Some(false));
        assert_eq!(config.enforcer, Some(Enforcer::Cilium));
    }
}
