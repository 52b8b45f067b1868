//! ConfigMap, core/v1: only that of an agent, which tells how the cluster is set up.

mod decode;
mod set;

use crate::{Config, Enforcer, Labels};

pub(crate) use decode::settings;
pub use decode::{NAME, decode};
pub use set::{Unread, set};

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
            // Why: what cannot be read is a problem of the text, told where it is decoded.
            let _unread = set(key, value, config);
        }
        // Why: what a ConfigMap leaves out has its default, which is not the same as not knowing.
        config.cluster_policies.get_or_insert(false);
        config.tunnel.routing.get_or_insert(true);
        config.replaces_kube_proxy.get_or_insert(false);
        config.enforcer.get_or_insert(Enforcer::Cilium);
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
            let known = set(key, value, &mut config);
            assert_eq!(known.is_ok(), key == "x", "{key}");
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn truth_is_written_as_the_agent_reads_it() {
        for (word, wanted) in [("1", Some(true)), ("T", Some(true)), ("False", Some(false)), ("yes", None), ("", None)]
        {
            let mut config = Config { ipv6: wanted != Some(true), ..Config::default() };
            assert_eq!(set("enable-ipv6", word, &mut config).is_ok(), wanted.is_some(), "{word}");
            assert_eq!(config.ipv6, wanted.unwrap_or(true), "{word}");
        }
    }

    #[test]
    fn a_tunnel_has_the_port_of_its_protocol_unless_it_has_one_of_its_own() {
        for (settings, port) in [
            (vec![], Some(8472)),
            (vec![("tunnel-protocol", "geneve")], Some(6081)),
            (vec![("tunnel-protocol", "geneve"), ("tunnel-port", "7000")], Some(7000)),
            (vec![("routing-mode", "native")], None),
        ] {
            let data = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let mut config = Config::default();
            assert_eq!(config.tunnel_port(), None, "nothing is known of a tunnel");
            AgentConfig { data }.apply(&mut config);
            assert_eq!(config.tunnel_port(), port, "{settings:?}");
        }
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
