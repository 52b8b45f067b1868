//! A part of a Cilium rule that is there and empty, so that the rule matches nothing.

use diag::Diagnostic;
use driver::text::Role;
use syntax::Value;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(52, "rule-matches-nothing", Warning, "0.1.0", Correctness);

/// Lists of peers whose emptiness means nobody.
const PEERS: [&str; 10] = [
    "fromEndpoints",
    "toEndpoints",
    "fromEntities",
    "toEntities",
    "fromCIDR",
    "toCIDR",
    "fromCIDRSet",
    "toCIDRSet",
    "fromNodes",
    "toNodes",
];
/// Lists of peers whose emptiness some agents take for absence, which means everybody.
const AMBIGUOUS: [&str; 4] = ["toFQDNs", "toServices", "fromGroups", "toGroups"];

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let is_cilium =
        ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"].contains(&spot.object.object.kind.as_str());
    if spot.object.role != Role::Policy || !is_cilium {
        return Vec::new();
    }
    let sections = std::iter::once("spec".to_owned()).chain(spot.items("specs"));
    let mut found = Vec::new();
    for section in sections {
        for (list, denies) in [("ingress", false), ("egress", false), ("ingressDeny", true), ("egressDeny", true)] {
            let rules: Vec<String> = spot.items(&format!("{section}.{list}")).collect();
            for rule in &rules {
                of_rule(spot, finder, rule, rules.len() == 1, denies, &mut found);
            }
        }
    }
    found
}

fn of_rule(spot: &Spot<'_>, finder: &Finder, rule: &str, alone: bool, denies: bool, found: &mut Vec<Diagnostic>) {
    let says_nothing = |path: &str| match spot.value_at(path) {
        Some(Value::Mapping(entries)) => entries.is_empty(),
        Some(_) => false,
        None => true,
    };
    if says_nothing(rule) {
        // Why: one empty allow on its own is how everything is denied; an empty deny, or one beside others, does nothing at all.
        if denies {
            found.push(render(spot, rule, "an empty deny rule denies nothing", "matches nothing", ISOLATES));
        } else if !alone {
            found.push(render(spot, rule, "an empty rule beside others allows nothing", "matches nothing", BESIDE));
        }
        return;
    }
    let is_empty_list = |path: &str| matches!(spot.value_at(path), Some(Value::Sequence([])));
    let has_peers = PEERS.iter().chain(&AMBIGUOUS).any(|name| spot.items(&format!("{rule}.{name}")).next().is_some());
    let has_ports = ["toPorts", "icmps"].iter().any(|name| spot.items(&format!("{rule}.{name}")).next().is_some());
    for name in PEERS.iter().filter(|_| !has_peers) {
        let path = format!("{rule}.{name}");
        if is_empty_list(&path) {
            let headline = format!("{} is empty, so the rule matches nobody", quoted(name));
            found.push(render(spot, &path, &headline, "nobody", LIST));
        }
    }
    for name in AMBIGUOUS.iter().filter(|_| !has_peers) {
        let path = format!("{rule}.{name}");
        if is_empty_list(&path) {
            let (headline, label) = match finder.dialect.empty_lists_are_absent && has_ports {
                true => (format!("{} is empty, which is read as absent", quoted(name)), "everybody"),
                false => (format!("{} is empty, so the rule matches nobody", quoted(name)), "nobody"),
            };
            found.push(render(spot, &path, &headline, label, DIFFERS));
        }
    }
    for (list, inner) in [("toPorts", "ports"), ("icmps", "fields")] {
        for element in spot.items(&format!("{rule}.{list}")) {
            if spot.items(&format!("{element}.{inner}")).next().is_none() {
                let headline = format!("{} has no {}, so it matches nothing", quoted(&element), quoted(inner));
                found.push(render(spot, &element, &headline, "matches nothing", LIST));
            }
        }
    }
}

const ISOLATES: &str = "unless `enableDefaultDeny` says otherwise, it isolates the direction all the same: what no \
    other rule allows is dropped";
const BESIDE: &str = "in a NetworkPolicy an empty rule allows everything; here it allows nothing, so it has no \
    effect beside other rules";
const LIST: &str = "a list that is there and empty matches nothing; a list that is absent puts no condition at all";
const DIFFERS: &str = "agents differ: some take the empty list for an absent one, and the rule then means everybody";

fn render(spot: &Spot<'_>, path: &str, headline: &str, label: &str, why: &str) -> Diagnostic {
    let help = match label {
        "everybody" | "nobody" => "name the peers, or delete the list to put no condition on peers",
        _ => "say what it should match, or delete it",
    };
    let node = spot.node(path).map(|node| spot.tree().style(node));
    let span = if node == Some(syntax::ScalarStyle::Flow) { spot.value(path) } else { spot.key(path) };
    spot.blame(PAGE.says(headline), span, label).why(why).help(help)
}
