//! What no object tells, one setting a line.
//!
//! ```text
//! dialect standard cilium-1.19+exact    # the test runs once for each
//! families ipv4                         # or: ipv4 ipv6 (the default)
//! enforcement always                    # or: default, never
//! cluster-name west
//! peers-in-every-cluster                # a selector that names no cluster means all of a mesh
//! host-policies                         # policies about nodes are enforced
//! agent policy-audit-mode true          # any setting of an agent, as its ConfigMap writes it
//! ```

use facts::{Config, Enforcement};
use hir::Dialect;

/// Settings of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The test runs once for each; never empty.
    pub dialects: Vec<&'static Dialect>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { dialects: vec![&Dialect::STANDARD] }
    }
}

impl Settings {
    /// Applies one line.
    ///
    /// Errors: what is not understood.
    pub fn apply(&mut self, line: &str, config: &mut Config) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match &words[..] {
            ["dialect", names @ ..] if !names.is_empty() => {
                self.dialects = names.iter().map(|name| dialect(name)).collect::<Result<_, _>>()?;
            }
            ["families", names @ ..] if names.iter().all(|name| ["ipv4", "ipv6"].contains(name)) => {
                config.ipv4 = names.contains(&"ipv4");
                config.ipv6 = names.contains(&"ipv6");
            }
            ["enforcement", "default"] => config.enforcement = Enforcement::Default,
            ["enforcement", "always"] => config.enforcement = Enforcement::Always,
            ["enforcement", "never"] => config.enforcement = Enforcement::Never,
            ["cluster-name", name] => config.cluster_name = (*name).to_owned(),
            ["peers-in-every-cluster"] => config.policy_default_local_cluster = false,
            ["host-policies"] => config.host_firewall = true,
            ["agent", key, value @ ..] => facts::config_map::set(key, &value.join(" "), config)
                .map_err(|unread| format!("`{line}`: the agent knows {}", unread.wanted))?,
            _ => return Err(format!("`{line}` is no setting")),
        }
        Ok(())
    }
}

/// The dialect of a name.
///
/// Errors: a name that none has.
pub fn dialect(name: &str) -> Result<&'static Dialect, String> {
    Dialect::named(name).ok_or_else(|| format!("there is no dialect `{name}`"))
}
