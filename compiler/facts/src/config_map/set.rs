//! One setting of the agent, from its text.

use flow::Prefix;

use crate::cluster::TunnelProtocol;
use crate::{Config, Enforcement, LabelFilter};

/// A setting whose text says nothing that the agent knows: what would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unread {
    /// For people: "`true` or `false`".
    pub wanted: &'static str,
}

const TRUTH: Unread = Unread { wanted: "`true` or `false`" };

/// Writes one setting of the agent over a configuration. Unknown settings change nothing.
///
/// Errors: [`Unread`], and the configuration stays as it was.
pub fn set(key: &str, value: &str, config: &mut Config) -> Result<(), Unread> {
    let value = value.trim();
    if let Some(field) = flag(key, config) {
        *field = truth(value)?;
        return Ok(());
    }
    match key {
        "cluster-name" if !value.is_empty() => value.clone_into(&mut config.cluster_name),
        "cluster-name" => return Err(Unread { wanted: "a name" }),
        "enable-policy" => {
            config.enforcement = match value {
                "default" => Enforcement::Default,
                "always" => Enforcement::Always,
                "never" => Enforcement::Never,
                _ => return Err(Unread { wanted: "`default`, `always` or `never`" }),
            }
        }
        "policy-cidr-match-mode" => {
            if words(value).any(|word| !["nodes", "pods"].contains(&word)) {
                return Err(Unread { wanted: "`nodes`, `pods`, both or nothing" });
            }
            config.prefixes_match_nodes = words(value).any(|word| word == "nodes");
            config.prefixes_match_pods = words(value).any(|word| word == "pods");
        }
        "allow-localhost" => {
            config.own_node_reaches_pods = match value {
                // Why: `auto` is `always` wherever Kubernetes is in use.
                "auto" | "always" => true,
                "policy" => false,
                _ => return Err(Unread { wanted: "`auto`, `always` or `policy`" }),
            }
        }
        "enable-k8s-cluster-network-policy" => config.cluster_policies = Some(truth(value)?),
        "kube-proxy-replacement" => {
            config.replaces_kube_proxy = Some(match value {
                // Why: older agents knew these words, and newer ones take them for the truth values.
                "strict" => true,
                "disabled" | "partial" | "probe" => false,
                _ => truth(value)?,
            })
        }
        "labels" => config.labels = LabelFilter::parse(value),
        "node-labels" => config.node_labels = LabelFilter::parse(value),
        "cluster-pool-ipv4-cidr" | "cluster-pool-ipv6-cidr" => {
            let ranges: Option<Vec<Prefix>> = words(value).map(Prefix::parse).collect();
            config.pod_ranges.extend(ranges.ok_or(Unread { wanted: "prefixes such as `10.0.0.0/8`" })?);
        }
        "routing-mode" | "tunnel-protocol" | "tunnel-port" => tunnel(key, value, config)?,
        _ => {}
    }
    Ok(())
}

/// The settings that are a truth value.
fn flag<'c>(key: &str, config: &'c mut Config) -> Option<&'c mut bool> {
    Some(match key {
        "enable-ipv4" => &mut config.ipv4,
        "enable-ipv6" => &mut config.ipv6,
        "enable-host-firewall" => &mut config.host_firewall,
        "policy-default-local-cluster" => &mut config.policy_default_local_cluster,
        "policy-audit-mode" => &mut config.audit,
        "enable-node-selector-labels" => &mut config.node_selector_labels,
        "enable-non-default-deny-policies" => &mut config.open_policies,
        "enable-icmp-rules" => &mut config.icmp_rules,
        "enable-l7-proxy" => &mut config.proxy_rules,
        "enable-k8s-networkpolicy" => &mut config.network_policies,
        "enable-cilium-network-policy" => &mut config.cilium_policies,
        "enable-cilium-clusterwide-network-policy" => &mut config.clusterwide_policies,
        "enable-ipv4-fragment-tracking" => &mut config.fragments4,
        "enable-ipv6-fragment-tracking" => &mut config.fragments6,
        _ => return None,
    })
}

fn tunnel(key: &str, value: &str, config: &mut Config) -> Result<(), Unread> {
    let tunnel = &mut config.tunnel;
    match (key, value) {
        ("routing-mode", "tunnel") => tunnel.routing = Some(true),
        ("routing-mode", "native") => tunnel.routing = Some(false),
        ("routing-mode", _) => return Err(Unread { wanted: "`tunnel` or `native`" }),
        ("tunnel-protocol", "vxlan") => tunnel.protocol = TunnelProtocol::Vxlan,
        ("tunnel-protocol", "geneve") => tunnel.protocol = TunnelProtocol::Geneve,
        ("tunnel-protocol", _) => return Err(Unread { wanted: "`vxlan` or `geneve`" }),
        // Source: the agent takes 0 for the port of the protocol.
        (_, number) => tunnel.port = number.parse().map_err(|_| Unread { wanted: "a port from 0 to 65535" })?,
    }
    Ok(())
}

/// A truth value as Go's `strconv.ParseBool`, which the agent uses, reads it.
fn truth(value: &str) -> Result<bool, Unread> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(TRUTH),
    }
}

fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ' ']).filter(|word| !word.is_empty())
}
