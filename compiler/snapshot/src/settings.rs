//! The configuration of a cluster as the settings of its agent.

use facts::{Config, Enforcement, Enforcer, LabelFilter};
use flow::Prefix;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The settings that give this configuration, as `data` of the agent's ConfigMap; `None` where no agent told any.
///
/// Only what differs from the default is written.
pub fn of(config: &Config) -> Option<Value> {
    let Config {
        cluster_name,
        ipv4,
        ipv6,
        enforcement,
        policy_default_local_cluster,
        host_firewall,
        pod_ranges,
        // Why left out: no setting says these three; nodes and EndpointSlices do.
        node_ranges: _,
        kube_apiserver: _,
        enforcer,
        node_selector_labels,
        prefixes_match_nodes,
        prefixes_match_pods,
        audit,
        open_policies,
        own_node_reaches_pods,
        icmp_rules,
        proxy_rules,
        cluster_policies,
        network_policies,
        cilium_policies,
        clusterwide_policies,
        fragments4,
        fragments6,
        tunnel,
        replaces_kube_proxy,
        labels,
        node_labels,
    } = config;
    if cluster_policies.is_none() && *enforcer != Some(Enforcer::Cilium) {
        return None;
    }
    let usual = Config::default();
    let mut data = Map::new();
    let mut flag = |name: &str, value: bool, usual: bool| {
        if value != usual {
            data.insert(name.to_owned(), json!(value.to_string()));
        }
    };
    flag("enable-ipv4", *ipv4, usual.ipv4);
    flag("enable-ipv6", *ipv6, usual.ipv6);
    flag("policy-default-local-cluster", *policy_default_local_cluster, usual.policy_default_local_cluster);
    flag("enable-host-firewall", *host_firewall, usual.host_firewall);
    flag("enable-node-selector-labels", *node_selector_labels, usual.node_selector_labels);
    flag("policy-audit-mode", *audit, usual.audit);
    flag("enable-non-default-deny-policies", *open_policies, usual.open_policies);
    flag("enable-icmp-rules", *icmp_rules, usual.icmp_rules);
    flag("enable-l7-proxy", *proxy_rules, usual.proxy_rules);
    flag("enable-k8s-cluster-network-policy", cluster_policies.unwrap_or(false), false);
    flag("enable-k8s-networkpolicy", *network_policies, usual.network_policies);
    flag("enable-cilium-network-policy", *cilium_policies, usual.cilium_policies);
    flag("enable-cilium-clusterwide-network-policy", *clusterwide_policies, usual.clusterwide_policies);
    flag("enable-ipv4-fragment-tracking", *fragments4, usual.fragments4);
    flag("enable-ipv6-fragment-tracking", *fragments6, usual.fragments6);
    flag("kube-proxy-replacement", replaces_kube_proxy.unwrap_or(false), false);
    let mut text = |name: &str, value: String, usual: &str| {
        if value != usual {
            data.insert(name.to_owned(), json!(value));
        }
    };
    text("cluster-name", cluster_name.clone(), &usual.cluster_name);
    let word = match enforcement {
        Enforcement::Default => "",
        Enforcement::Always => "always",
        Enforcement::Never => "never",
    };
    text("enable-policy", word.to_owned(), "");
    text("allow-localhost", if *own_node_reaches_pods { "" } else { "policy" }.to_owned(), "");
    let modes = [("nodes", *prefixes_match_nodes), ("pods", *prefixes_match_pods)];
    let modes: Vec<&str> = modes.iter().filter(|(_, on)| *on).map(|(word, _)| *word).collect();
    text("policy-cidr-match-mode", modes.join(","), "");
    let routing = if tunnel.routing == Some(false) { "native" } else { "" };
    text("routing-mode", routing.to_owned(), "");
    let protocol = if tunnel.protocol == facts::cluster::TunnelProtocol::Geneve { "geneve" } else { "" };
    text("tunnel-protocol", protocol.to_owned(), "");
    text("tunnel-port", tunnel.port.to_string(), "0");
    text("labels", patterns(labels), "");
    text("node-labels", patterns(node_labels), "");
    text("cluster-pool-ipv4-cidr", ranges(pod_ranges, true), "");
    text("cluster-pool-ipv6-cidr", ranges(pod_ranges, false), "");
    Some(Value::Object(data))
}

fn ranges(ranges: &BTreeSet<Prefix>, ipv4: bool) -> String {
    let of_family = ranges.iter().map(ToString::to_string).filter(|text| text.contains(':') != ipv4);
    of_family.collect::<Vec<_>>().join(" ")
}

fn patterns(filter: &LabelFilter) -> String {
    let pattern = |it: &facts::LabelPattern| {
        let not = if it.leaves_out { "!" } else { "" };
        let source = if it.source.is_empty() && !it.key.contains(':') { "" } else { ":" };
        format!("{not}{}{source}{}", it.source, it.key)
    };
    filter.patterns.iter().map(pattern).collect::<Vec<_>>().join(" ")
}
