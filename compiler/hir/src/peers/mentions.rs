//! What policies mention that splits the world into peers.

use std::collections::BTreeSet;

use flow::Prefix;

use crate::policy::{L3, L4, Matching, PeerSelector, Policy, Ports, ServiceSelector};

/// Everything in policies that can tell two addresses apart without labels.
///
/// Mentions of many policies are joined with [`Mentions::extend`]; the order does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mentions {
    /// Every prefix, exceptions included.
    pub prefixes: BTreeSet<Prefix>,
    /// Those that match pods and nodes by address too.
    pub by_address: BTreeSet<Prefix>,
    /// Names of ports.
    pub port_names: BTreeSet<String>,
    /// Patterns of DNS names.
    pub names: BTreeSet<String>,
    /// Whether named sets of prefixes are mentioned.
    pub groups: bool,
    /// Whether nodes are selected by their labels.
    pub node_labels: bool,
    /// The services that are spoken of.
    pub services: BTreeSet<ServiceSelector>,
    /// Whether a subject's own node is selected by its labels, too.
    pub own_node_labels: bool,
}

impl Mentions {
    /// What one policy mentions.
    pub fn of(policy: &Policy) -> Mentions {
        let mut mentions = Mentions::default();
        for entry in policy.sections.iter().flat_map(|section| &section.entries) {
            if let L4::Items(items) = &entry.l4 {
                mentions.port_names.extend(items.iter().filter_map(|item| match &item.ports {
                    Ports::Name { name, .. } => Some(name.clone()),
                    Ports::Range { .. } | Ports::Icmp(_) => None,
                }));
            }
            if let L3::Any(peers) = &entry.l3 {
                for peer in peers {
                    mentions.add(&peer.selector);
                }
            }
        }
        mentions
    }

    /// Adds what another mentions.
    pub fn extend(&mut self, other: &Mentions) {
        self.prefixes.extend(&other.prefixes);
        self.by_address.extend(&other.by_address);
        self.port_names.extend(other.port_names.iter().cloned());
        self.names.extend(other.names.iter().cloned());
        self.groups |= other.groups;
        self.node_labels |= other.node_labels;
        self.services.extend(other.services.iter().cloned());
        self.own_node_labels |= other.own_node_labels;
    }

    fn add(&mut self, selector: &PeerSelector) {
        match selector {
            PeerSelector::Cidr { prefix, except, matching } => {
                self.prefixes.insert(*prefix);
                self.prefixes.extend(except);
                if *matching == Matching::Address {
                    self.by_address.insert(*prefix);
                    self.by_address.extend(except);
                }
            }
            PeerSelector::CidrGroup { except, .. } | PeerSelector::CidrGroups { except, .. } => {
                self.groups = true;
                self.prefixes.extend(except);
            }
            PeerSelector::Fqdn(pattern) => {
                self.names.insert(pattern.clone());
            }
            PeerSelector::Nodes(_) => self.node_labels = true,
            PeerSelector::EveryNode(_) => {
                self.node_labels = true;
                self.own_node_labels = true;
            }
            PeerSelector::Services(services) => {
                self.services.insert(services.clone());
            }
            PeerSelector::CloudGroup(_) => self.groups = true,
            PeerSelector::Labels { .. } | PeerSelector::Entity(_) => {}
        }
    }
}
