//! CiliumNodeConfig, cilium.io/v2: settings of the agent on some nodes, before those of its ConfigMap.

mod decode;

use crate::config_map::set;
use crate::{Config, Labels, Name};

pub use decode::decode;

/// Settings of the agent on some nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeConfig {
    /// Namespace and name; of those for one node the last by name wins.
    pub name: Name,
    /// Which nodes: all of these hold of their labels.
    pub nodes: Vec<NodeCondition>,
    /// `spec.defaults`: setting → text.
    pub data: Labels,
}

/// A condition on one label of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeCondition {
    /// The key.
    pub key: String,
    /// Whether the label must be there; otherwise it must not be there with one of the values, or at all where there are none.
    pub wanted: bool,
    /// Its values; empty for any.
    pub values: Vec<String>,
}

impl NodeConfig {
    /// Whether it is about a node with these labels.
    pub fn selects(&self, labels: &Labels) -> bool {
        self.nodes.iter().all(|it| {
            let holds = labels.get(&it.key).is_some_and(|value| it.values.is_empty() || it.values.contains(value));
            holds == it.wanted
        })
    }
}

/// Settings that decide about policies on each node for itself, so that one node may have others than the rest.
pub const PER_NODE: [&str; 10] = [
    "allow-localhost",
    "enable-cilium-clusterwide-network-policy",
    "enable-cilium-network-policy",
    "enable-icmp-rules",
    "enable-k8s-cluster-network-policy",
    "enable-k8s-networkpolicy",
    "enable-l7-proxy",
    "enable-node-selector-labels",
    "enable-non-default-deny-policies",
    "enable-policy",
];

/// The configuration of a node: that of the cluster with the settings of the node over it.
pub fn over(config: &Config, settings: &Labels) -> Config {
    let mut config = config.clone();
    for (key, value) in settings {
        // Why: what cannot be read is a problem of the text, told where it is decoded.
        let _unread = set(key, value, &mut config);
    }
    config
}
