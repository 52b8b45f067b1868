//! The shapes that the three kinds share. Source: the CustomResourceDefinitions of policy.networking.k8s.io, experimental channel.

use facts::read::At;

use crate::schema::{Field, Rule, Shape, TEXT, list, object, pattern, rule, whole32};
use crate::selector::LOOSE_SELECTOR;

/// A label selector.
pub const SELECTOR: Shape = object(LOOSE_SELECTOR);

/// A port.
pub const PORT: Shape = whole32(1, 65535);

/// What a rule is called.
pub const NAME: Field = Field::new("name", TEXT.most(100), "What the rule is called in reports.").no_effect();

pattern!(DOMAIN, r"^(\*\.)?([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$");

/// Pods by the labels of their namespace.
pub const NAMESPACES: Field =
    Field::new("namespaces", SELECTOR, "Every pod of the namespaces with these labels; empty means all namespaces.");

/// Nodes by their labels.
pub const NODES: Field =
    Field::new("nodes", SELECTOR, "The addresses of the nodes with these labels; empty means all nodes.");

/// Addresses.
pub const NETWORKS: Field = Field::new(
    "networks",
    list(&TEXT.most(43)).least(1).most(25).unique(),
    "Addresses by prefix, those of pods and nodes inside it among them.",
);

/// Names.
pub const DOMAIN_NAMES: Field = Field::new(
    "domainNames",
    list(&TEXT.like(DOMAIN)).least(1).most(25).unique(),
    "The addresses that DNS gives for these names; `*.` stands for one or more labels. Only where the action lets traffic through.",
);

/// The rule that every prefix is one.
pub const ARE_PREFIXES: Rule = Rule {
    name: "networks-are-prefixes",
    at: &["spec.egress[].to[].networks[]"],
    holds: |at| at.text().is_none_or(rule::is_cidr),
    says: "a network must be a prefix such as `10.0.0.0/8`",
};

/// Whether a rule of egress names a port where a peer has no port names.
pub fn names_ports_of_addresses(at: &At<'_>, items: &str, name: &str) -> bool {
    let no_names = ["networks", "nodes", "domainNames"];
    let addresses = at.list("to").any(|peer| no_names.iter().any(|field| peer.get(field).is_some()));
    addresses && at.list(items).any(|item| item.get(name).is_some())
}
