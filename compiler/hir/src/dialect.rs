//! Which reading of the policy language is asked for, where readings differ.

/// A reading of the language: one field for each point on which implementations differ.
///
/// Fields say what is done, not who does it. The ids in the field docs are for short: D1–D9 for NetworkPolicy (D7 is a setting of the cluster and no reading),
/// Q for upstream behaviour that upstream itself calls a bug and that only the `+exact` dialects copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dialect {
    /// The name, as on the command line.
    pub name: &'static str,
    /// D1: an `ipBlock`, or a network of a cluster-scoped policy, matches pods by their address.
    pub ip_block_matches_pods: bool,
    /// D2: an `ipBlock`, or a network of a cluster-scoped policy, matches nodes by their address.
    pub ip_block_matches_nodes: bool,
    /// D3: rules for a direction that `policyTypes` leaves out apply, and isolate it.
    pub rules_extend_policy_types: bool,
    /// D4: an egress port name means the port of each destination pod; otherwise one number for the whole cluster, and a name with
    /// two numbers matches nothing.
    pub egress_port_names_per_destination: bool,
    /// D5: a pod may always reach its own node.
    pub own_node_always_reachable: bool,
    /// D6: all labels of pods can be selected; otherwise those that identities leave out match nothing.
    pub all_labels_selectable: bool,
    /// D8: what the Normal tier leaves undecided for an isolated subject is denied there; otherwise Baseline is asked first.
    pub normal_tier_is_final: bool,
    /// D9: a pod that reaches itself through a service is subject to policy in the Admin and Baseline tiers.
    pub hairpin_is_subject: bool,
    /// T1: AdminNetworkPolicy and BaselineAdminNetworkPolicy have an effect; otherwise they are stored and nobody looks at them.
    pub admin_policies_enforced: bool,
    /// T2: A `namespaces` peer of a cluster-scoped policy means every cluster of a mesh; otherwise what the cluster's setting says.
    pub namespace_peers_span_clusters: bool,
    /// T3: A `nodes` peer means every node that it selects; otherwise never the subject's own.
    pub node_peers_include_own: bool,
    /// T4: Domain names of a cluster-scoped policy bring a rule that lets the subjects ask the cluster's DNS for them.
    pub domain_names_allow_dns: bool,
    /// The API is that of older versions: rules for Kafka and generic parsers and a non-empty `fromRequires` or `toRequires` exist, and
    /// some choices are the agent's to check; otherwise the newest, to which such fields are unknown or must be empty.
    pub removed_fields: bool,
    /// GRE, IPIP, IPV6, ESP and AH are protocols of port items; otherwise the object is rejected.
    pub tunnel_protocols: bool,
    /// A policy that selects peers by the labels of nodes is rejected unless the cluster gives nodes identities by label
    /// (`enable-node-selector-labels`); otherwise it always has its effect.
    pub node_selectors_need_setting: bool,
    /// In a cluster with one address family, outside addresses are `world` and never `world-ipv4` or `world-ipv6`.
    pub world_without_family: bool,
    /// Q1: an ingress `ipBlock` also admits the pods of the policy's namespace.
    pub ip_block_admits_own_namespace: bool,
    /// Q2: ICMP type 0 stands for every type.
    pub icmp_type_zero_is_any: bool,
    /// Q3: an explicitly empty `toFQDNs`, `toServices`, `fromGroups` or `toGroups` is read as absent, so that everybody is meant.
    pub empty_lists_are_absent: bool,
    /// Q4: `toServices` that names no existing service is read as absent.
    pub missing_services_are_absent: bool,
    /// Q5: `toServices` in a deny rule is never resolved.
    pub deny_ignores_services: bool,
    /// Q6: `cidrGroupSelector: {}` selects every peer.
    pub empty_group_selector_is_everybody: bool,
    /// Q7: negative expressions in a peer selector that names a namespace match world and nodes too.
    pub negative_selectors_match_world: bool,
    /// Q8: an `except` wider than its block is accepted.
    pub wide_except_accepted: bool,
    /// Q9: with block-matches-nodes on, a prefix of length 0 matches no node.
    pub zero_prefix_matches_no_node: bool,
    /// Q10: the allow for the own node is of the first level only, so that a deny of a later level does not beat it.
    pub localhost_beats_late_denies: bool,
    /// Q11: DNS names that a proxy allows are not widened by allows without names.
    pub dns_rules_not_widened: bool,
    /// Q12: of two container ports of one name and protocol in a pod, the last counts; otherwise all do.
    pub last_port_name_counts: bool,
    /// Q13: the node parts of all elements of an egress gateway policy's `selectors` are one list beside the pod parts.
    pub gateway_nodes_pooled: bool,
}

impl Dialect {
    /// Kubernetes as its API documentation says.
    pub const STANDARD: Dialect = Dialect {
        name: "standard",
        ip_block_matches_pods: true,
        ip_block_matches_nodes: true,
        rules_extend_policy_types: false,
        egress_port_names_per_destination: true,
        own_node_always_reachable: true,
        all_labels_selectable: true,
        normal_tier_is_final: true,
        hairpin_is_subject: true,
        admin_policies_enforced: true,
        namespace_peers_span_clusters: false,
        node_peers_include_own: true,
        domain_names_allow_dns: false,
        removed_fields: false,
        tunnel_protocols: true,
        node_selectors_need_setting: false,
        world_without_family: true,
        ip_block_admits_own_namespace: false,
        icmp_type_zero_is_any: false,
        empty_lists_are_absent: false,
        missing_services_are_absent: false,
        deny_ignores_services: false,
        empty_group_selector_is_everybody: false,
        negative_selectors_match_world: false,
        wide_except_accepted: false,
        zero_prefix_matches_no_node: false,
        localhost_beats_late_denies: false,
        dns_rules_not_widened: false,
        last_port_name_counts: false,
        gateway_nodes_pooled: false,
    };

    /// Cilium 1.20, without what upstream calls bugs.
    pub const CILIUM_1_20: Dialect = Dialect {
        name: "cilium-1.20",
        ip_block_matches_pods: false,
        ip_block_matches_nodes: false,
        rules_extend_policy_types: true,
        egress_port_names_per_destination: false,
        own_node_always_reachable: false,
        all_labels_selectable: false,
        normal_tier_is_final: false,
        hairpin_is_subject: false,
        node_selectors_need_setting: true,
        admin_policies_enforced: false,
        namespace_peers_span_clusters: true,
        node_peers_include_own: false,
        domain_names_allow_dns: true,
        ..Dialect::STANDARD
    };

    /// Cilium 1.19, without what upstream calls bugs.
    pub const CILIUM_1_19: Dialect =
        Dialect { name: "cilium-1.19", tunnel_protocols: false, removed_fields: true, ..Dialect::CILIUM_1_20 };

    /// This dialect with upstream's acknowledged bugs.
    const fn exact(self, name: &'static str) -> Dialect {
        Dialect {
            name,
            ip_block_admits_own_namespace: true,
            icmp_type_zero_is_any: true,
            empty_lists_are_absent: true,
            missing_services_are_absent: true,
            deny_ignores_services: true,
            empty_group_selector_is_everybody: true,
            negative_selectors_match_world: true,
            wide_except_accepted: true,
            zero_prefix_matches_no_node: true,
            localhost_beats_late_denies: true,
            dns_rules_not_widened: true,
            last_port_name_counts: true,
            gateway_nodes_pooled: true,
            ..self
        }
    }

    /// Cilium 1.20 as it is, bugs included.
    pub const CILIUM_1_20_EXACT: Dialect = Dialect::CILIUM_1_20.exact("cilium-1.20+exact");
    /// Cilium 1.19 as it is, bugs included.
    pub const CILIUM_1_19_EXACT: Dialect = Dialect::CILIUM_1_19.exact("cilium-1.19+exact");

    /// Every dialect, the default first.
    pub const ALL: [&'static Dialect; 5] = [
        &Dialect::STANDARD,
        &Dialect::CILIUM_1_20,
        &Dialect::CILIUM_1_19,
        &Dialect::CILIUM_1_20_EXACT,
        &Dialect::CILIUM_1_19_EXACT,
    ];

    /// The dialect of this name; `cilium` is the newest, `cilium+exact` likewise.
    ///
    /// Errors: `None` for a name that is none of [`Dialect::ALL`].
    pub fn named(name: &str) -> Option<&'static Dialect> {
        let name = match name {
            "cilium" => "cilium-1.20",
            "cilium+exact" => "cilium-1.20+exact",
            other => other,
        };
        Dialect::ALL.into_iter().find(|dialect| dialect.name == name)
    }
}

/// One point on which readings differ, as a value: so that one alone can be changed.
#[derive(Clone, Copy, Debug)]
pub struct Switch {
    /// Its id in `docs/dev/dialects.md`.
    pub id: &'static str,
    /// The field.
    pub field: &'static str,
    /// Reads it.
    pub get: fn(&Dialect) -> bool,
    /// Writes it.
    pub set: fn(&mut Dialect, bool),
}

macro_rules! switches {
    ($($id:literal $field:ident;)*) => {
        /// Every switch, in the order of the page.
        pub const SWITCHES: &[Switch] = &[$(Switch {
            id: $id,
            field: stringify!($field),
            get: |dialect| dialect.$field,
            set: |dialect, on| dialect.$field = on,
        }),*];

        // Why: a field without a line in the table does not compile.
        const _: fn(&Dialect) = |dialect| {
            let Dialect { name: _, $($field: _),* } = dialect;
        };
    };
}

switches! {
    "D1" ip_block_matches_pods;
    "D2" ip_block_matches_nodes;
    "D3" rules_extend_policy_types;
    "D4" egress_port_names_per_destination;
    "D5" own_node_always_reachable;
    "D6" all_labels_selectable;
    "D8" normal_tier_is_final;
    "D9" hairpin_is_subject;
    "T1" admin_policies_enforced;
    "T2" namespace_peers_span_clusters;
    "T3" node_peers_include_own;
    "T4" domain_names_allow_dns;
    "V1" removed_fields;
    "V3" tunnel_protocols;
    "V4" world_without_family;
    "V5" node_selectors_need_setting;
    "Q1" ip_block_admits_own_namespace;
    "Q2" icmp_type_zero_is_any;
    "Q3" empty_lists_are_absent;
    "Q4" missing_services_are_absent;
    "Q5" deny_ignores_services;
    "Q6" empty_group_selector_is_everybody;
    "Q7" negative_selectors_match_world;
    "Q8" wide_except_accepted;
    "Q9" zero_prefix_matches_no_node;
    "Q10" localhost_beats_late_denies;
    "Q11" dns_rules_not_widened;
    "Q12" last_port_name_counts;
    "Q13" gateway_nodes_pooled;
}

impl Dialect {
    /// The switches on which two readings differ.
    pub fn differing(&self, other: &Dialect) -> impl Iterator<Item = &'static Switch> {
        SWITCHES.iter().filter(|switch| (switch.get)(self) != (switch.get)(other))
    }

    /// This reading with one switch as another has it.
    pub fn with(&self, switch: &Switch, of: &Dialect) -> Dialect {
        let mut changed = self.clone();
        (switch.set)(&mut changed, (switch.get)(of));
        changed
    }
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::STANDARD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_found_by_its_name() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::named(dialect.name), Some(dialect));
        }
        assert_eq!(Dialect::named("cilium"), Some(&Dialect::CILIUM_1_20));
        assert_eq!(Dialect::named("calico"), None);
    }

    #[test]
    fn switches_have_ids_of_their_own_and_stand_on_the_page() {
        let page = include_str!("../../../docs/dev/dialects.md");
        for (at, switch) in SWITCHES.iter().enumerate() {
            assert!(SWITCHES[..at].iter().all(|other| other.id != switch.id), "{}", switch.id);
            assert!(page.contains(&format!("| {} |", switch.id)), "{} is not on the page", switch.id);
        }
    }

    #[test]
    fn all_switches_together_make_the_other_reading() {
        let (from, to) = (Dialect::STANDARD, Dialect::CILIUM_1_19_EXACT);
        let mut changed = from.clone();
        for switch in from.differing(&to) {
            changed = changed.with(switch, &to);
        }
        assert_eq!(Dialect { name: to.name, ..changed }, to);
    }
}
