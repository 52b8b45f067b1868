//! A CiliumNodeConfig with a setting that verdicts depend on.

use diag::{Diagnostic, Severity};
use facts::node_config::PER_NODE;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{listed, quoted};

pub const PAGE: Page = page!(208, "setting-of-some-nodes", Warning, "0.1.0", Correctness);

/// Settings that are read for the whole cluster, because what they decide is shared between nodes or is no policy of an endpoint.
const WHOLE: [&str; 15] = [
    "cluster-name",
    "enable-host-firewall",
    "enable-ipv4",
    "enable-ipv4-fragment-tracking",
    "enable-ipv6",
    "enable-ipv6-fragment-tracking",
    "labels",
    "node-labels",
    "policy-audit-mode",
    "policy-cidr-match-mode",
    "policy-default-local-cluster",
    "routing-mode",
    "tunnel-port",
    "tunnel-protocol",
    "cluster-pool-ipv4-cidr",
];

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    if !spot.is_of_cilium("CiliumNodeConfig") {
        return Vec::new();
    }
    let Some(defaults) = spot.node("spec.defaults") else { return Vec::new() };
    let keys = spot.tree().entries(defaults).iter().map(|entry| spot.tree().key(entry.key).into_owned());
    keys.filter_map(|key| check(spot, finder, &key)).collect()
}

fn check(spot: &Spot<'_>, finder: &Finder, key: &str) -> Option<Diagnostic> {
    let path = match key.contains('.') {
        true => format!("spec.defaults[\"{key}\"]"),
        false => format!("spec.defaults.{key}"),
    };
    let span = spot.key(&path);
    if PER_NODE.contains(&key) {
        let said = PAGE.says_as(Severity::Hint, format!("the setting {} holds for {} only", quoted(key), nodes(spot, finder)));
        let said = spot.blame(said, span, "of some nodes");
        let why = "endpoints on these nodes are decided by it, and may be answered otherwise than the same endpoints elsewhere";
        return Some(said.why(why).help("nothing, if that is meant; else set it in the ConfigMap `cilium-config`"));
    }
    if !WHOLE.contains(&key) {
        return None;
    }
    let headline = format!("the setting {} is not read for single nodes", quoted(key));
    let said = spot.say(&PAGE, headline, span, "not applied here");
    let why = format!("what is said here of {} is by the settings of the whole cluster, which the agents there do not have", nodes(spot, finder));
    Some(said.why(why).help("ask about these nodes with the setting in the ConfigMap `cilium-config` of a copy"))
}

/// Which nodes it is about, as far as they are known.
fn nodes(spot: &Spot<'_>, finder: &Finder) -> String {
    let object = &spot.object.object;
    let config = finder.cluster.node_configs.get(&facts::Name::new(&*object.namespace, &*object.name));
    let known = finder.cluster.nodes.values().filter(|node| config.is_some_and(|it| it.selects(&node.labels)));
    let names: Vec<&str> = known.map(|node| node.name.as_str()).take(3).collect();
    match names.len() {
        0 => "the nodes that it selects".to_owned(),
        1 => format!("node {}", listed(names, "and")),
        _ => format!("nodes such as {}", listed(names, "and")),
    }
}
