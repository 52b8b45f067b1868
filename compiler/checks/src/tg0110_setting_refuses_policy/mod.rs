//! A clause for which the cluster, as it is set up, refuses the whole object.

use diag::Diagnostic;
use hir::{Setting, refusals};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(110, "setting-refuses-policy", Error, "0.1.0");

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let Some(policy) = &spot.policy else { return Vec::new() };
    let refusals = refusals(policy, &finder.cluster.config, finder.dialect);
    refusals.into_iter().map(|refusal| words(spot, refusal.setting, &refusal.path)).collect()
}

fn words(spot: &Spot<'_>, setting: Setting, path: &str) -> Diagnostic {
    let (what, instead) = match setting {
        Setting::NodeSelectorLabels => {
            ("peers by the labels of nodes", "select nodes by an entity or by their addresses")
        }
        Setting::IcmpRules => ("ICMP types", "take the rule out"),
        Setting::ProxyRules => ("rules for a proxy", "take them out and keep the ports"),
        Setting::NetworkPolicies => ("policies of this kind", "write a CiliumNetworkPolicy"),
        Setting::CiliumPolicies | Setting::ClusterwidePolicies => ("policies of this kind", "write a NetworkPolicy"),
        Setting::ClusterPolicies => ("policies of this kind", "write a CiliumClusterwideNetworkPolicy"),
    };
    let key = quoted(setting.key());
    let said = PAGE.says(format!("the agent's setting {key} is off, and {what} need it"));
    spot.blame(said, spot.value(path), "refused")
        .why("the agent refuses the object as a whole: none of its rules has any effect, and it isolates nobody")
        .help(format!("set {key} to `true` in the ConfigMap `cilium-config`, or {instead}"))
}
