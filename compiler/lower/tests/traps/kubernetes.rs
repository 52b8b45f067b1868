//! NetworkPolicy. Source: networking.k8s.io/v1 and the concept page; where Cilium differs, both are asked.

use crate::world::{CILIUM, STANDARD, about_cli, about_web, ask_in, check, cluster, decode};

const EXT: &str = "203.0.113.7";

fn both(manifest: String, expected: &[(&str, &str)]) {
    check(STANDARD, std::slice::from_ref(&manifest), expected);
    check(CILIUM, &[manifest], expected);
}

fn apart(manifest: String, expected: &[(&str, &str, &str)]) {
    for (query, standard, cilium) in expected {
        check(STANDARD, std::slice::from_ref(&manifest), &[(query, standard)]);
        check(CILIUM, std::slice::from_ref(&manifest), &[(query, cilium)]);
    }
}

#[test]
fn isolation_without_rules_denies_all_but_the_own_node() {
    both(
        about_web("policyTypes: [Ingress]"),
        &[
            ("b/cli -> a/web tcp/8080", "deny"),
            ("n1 -> a/web tcp/8080", "allow"),
            ("n2 -> a/web tcp/8080", "deny"),
            ("a/web -> 203.0.113.7 tcp/443", "allow"),
        ],
    );
}

#[test]
fn an_empty_rule_means_everybody_and_an_empty_list_of_rules_nobody() {
    both(about_web("ingress: [{}]"), &[("203.0.113.7 -> a/web tcp/8080", "allow")]);
    both(about_web("ingress: [{from: []}]"), &[("203.0.113.7 -> a/web tcp/8080", "allow")]);
    both(about_web("ingress: [{from: null}]"), &[("203.0.113.7 -> a/web tcp/8080", "allow")]);
    both(about_web("ingress: []"), &[("a/cli -> a/web tcp/8080", "deny")]);
}

#[test]
fn types_default_to_ingress_and_to_egress_where_it_has_rules() {
    both(
        about_web("egress: [{to: [{podSelector: {}}]}]"),
        &[("b/cli -> a/web tcp/8080", "deny"), ("a/web -> a/cli tcp/1", "allow")],
    );
    both(about_web("egress: []"), &[("a/web -> 203.0.113.7 tcp/443", "allow")]);
}

#[test]
fn rules_outside_the_types_count_in_cilium_only() {
    apart(
        about_web("policyTypes: [Egress]\ningress: [{from: [{podSelector: {matchLabels: {app: cli}}}]}]"),
        &[("b/cli -> a/web tcp/8080", "allow", "deny")],
    );
    apart(
        about_web("policyTypes: [Ingress]\negress: [{to: [{ipBlock: {cidr: 198.51.100.0/24}}]}]"),
        &[("a/web -> 203.0.113.7 tcp/443", "allow", "deny")],
    );
}

#[test]
fn selectors_of_one_element_are_joined_by_and_elements_by_or() {
    let (blue, cli) = ("namespaceSelector: {matchLabels: {team: blue}}", "podSelector: {matchLabels: {app: cli}}");
    both(
        about_web(&format!("ingress: [{{from: [{{{blue}, {cli}}}]}}]")),
        &[
            ("b/db -> a/web tcp/8080", "deny"),
            ("b/cli -> a/web tcp/8080", "allow"),
            ("a/cli -> a/web tcp/8080", "deny"),
        ],
    );
    both(
        about_web(&format!("ingress: [{{from: [{{{blue}}}, {{{cli}}}]}}]")),
        &[("b/db -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/8080", "allow")],
    );
    both(about_web(&format!("ingress: [{{from: [{{{cli}}}]}}]")), &[("b/cli -> a/web tcp/8080", "deny")]);
}

#[test]
fn all_namespaces_are_pods_only() {
    both(
        about_web("ingress: [{from: [{namespaceSelector: {}}]}]"),
        &[
            ("203.0.113.7 -> a/web tcp/8080", "deny"),
            ("n2 -> a/web tcp/8080", "deny"),
            ("b/db -> a/web tcp/8080", "allow"),
        ],
    );
}

#[test]
fn negative_expressions_hold_for_namespaces_without_the_key() {
    let with =
        |operator: &str| format!("ingress: [{{from: [{{namespaceSelector: {{matchExpressions: [{operator}]}}}}]}}]");
    both(
        about_web(&with("{key: team, operator: NotIn, values: [red]}")),
        &[
            ("c/any -> a/web tcp/8080", "allow"),
            ("a/cli -> a/web tcp/8080", "deny"),
            ("203.0.113.7 -> a/web tcp/8080", "deny"),
            ("n2 -> a/web tcp/8080", "deny"),
        ],
    );
    both(about_web(&with("{key: team, operator: Exists}")), &[("c/any -> a/web tcp/8080", "deny")]);
}

#[test]
fn a_port_item_is_tcp_unless_it_says_otherwise() {
    both(
        about_web("ingress: [{ports: [{}]}]"),
        &[("a/cli -> a/web udp/53", "deny"), ("a/cli -> a/web tcp/1", "allow"), ("a/cli -> a/web icmp/8", "deny")],
    );
    both(about_web("ingress: [{ports: [{protocol: UDP}]}]"), &[("a/cli -> a/web udp/5000", "allow")]);
    both(about_web("ingress: [{ports: [{port: 8080, protocol: SCTP}]}]"), &[("a/cli -> a/web tcp/8080", "deny")]);
    both(about_web("ingress: [{from: [{podSelector: {}}]}]"), &[("a/cli -> a/web icmp/8", "allow")]);
    both(about_web("ingress: [{ports: [], from: [{podSelector: {}}]}]"), &[("a/cli -> a/web udp/9", "allow")]);
}

#[test]
fn ranges_include_their_end() {
    both(
        about_web("ingress: [{ports: [{port: 32000, endPort: 32768}]}]"),
        &[("a/cli -> a/web tcp/32768", "allow"), ("a/cli -> a/web tcp/32769", "deny")],
    );
    both(
        about_web("ingress: [{ports: [{port: 8080, endPort: 8080}]}]"),
        &[("a/cli -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/8081", "deny")],
    );
}

#[test]
fn an_ingress_port_name_is_that_of_each_subject() {
    both(
        about_web("ingress: [{ports: [{port: http}]}]"),
        &[
            ("a/cli -> a/web2 tcp/8080", "deny"),
            ("a/cli -> a/web2 tcp/9090", "allow"),
            ("a/cli -> a/web tcp/8080", "allow"),
        ],
    );
    both(about_web("ingress: [{ports: [{port: http, protocol: UDP}]}]"), &[("a/cli -> a/web udp/8080", "deny")]);
    both(about_web("ingress: [{ports: [{port: nosuch}]}]"), &[("a/cli -> a/web tcp/8080", "deny")]);
}

#[test]
fn an_egress_port_name_is_that_of_each_destination_or_one_for_all() {
    apart(
        about_cli(
            "policyTypes: [Egress]\negress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: http}]}]",
        ),
        &[
            ("a/cli -> a/web tcp/8080", "allow", "deny"),
            ("a/cli -> a/web2 tcp/9090", "allow", "deny"),
            ("a/cli -> a/web tcp/9090", "deny", "deny"),
        ],
    );
    // With one number for the name, Cilium lets even an address without pod use it.
    let manifest =
        about_cli("policyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: http}]}]");
    let mut small = cluster();
    small.pods.retain(|name, _| name.name != "web2");
    for (dialect, answer) in [(STANDARD, "deny"), (CILIUM, "allow")] {
        let policies = decode(std::slice::from_ref(&manifest), dialect).unwrap();
        assert_eq!(ask_in(&small, dialect, &policies, &format!("a/cli -> {EXT} tcp/8080")), answer, "{}", dialect.name);
    }
}

#[test]
fn blocks_match_pods_and_nodes_by_address_in_kubernetes_only() {
    apart(
        about_web("ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16}}]}]"),
        &[("b/cli -> a/web tcp/8080", "allow", "deny")],
    );
    apart(
        about_web("ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]"),
        &[
            ("b/cli -> a/web tcp/8080", "allow", "deny"),
            ("203.0.113.7 -> a/web tcp/8080", "allow", "allow"),
            ("2001:db8::7 -> a/web tcp/8080", "deny", "deny"),
            ("n2 -> a/web tcp/8080", "allow", "deny"),
        ],
    );
    apart(
        about_web("ingress: [{from: [{ipBlock: {cidr: 10.0.0.2/32}}]}]"),
        &[("n2 -> a/web tcp/8080", "allow", "deny"), ("cp -> a/web tcp/8080", "deny", "deny")],
    );
    both(about_web("ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]"), &[("a/cli -> a/web tcp/8080", "deny")]);
}

#[test]
fn exceptions_of_a_block_cut_pods_out_too() {
    apart(
        about_web("ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16, except: [10.244.2.12/32]}}]}]"),
        &[("b/cli -> a/web tcp/8080", "allow", "deny"), ("b/db -> a/web tcp/8080", "deny", "deny")],
    );
}

#[test]
fn an_exception_cuts_its_own_block_only() {
    both(
        about_web(
            "ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [203.0.113.0/24]}}, {ipBlock: {cidr: 203.0.113.7/32}}]}]",
        ),
        &[("203.0.113.7 -> a/web tcp/8080", "allow"), ("203.0.113.8 -> a/web tcp/8080", "deny")],
    );
}

#[test]
fn an_unexplained_address_of_the_pod_range_is_nobody() {
    both(
        about_web("ingress: [{from: [{ipBlock: {cidr: 10.244.9.0/24}}]}]"),
        &[("10.244.9.9 -> a/web tcp/8080", "deny")],
    );
    both(about_web("ingress: [{ports: [{port: 8080}]}]"), &[("10.244.9.9 -> a/web tcp/8080", "allow")]);
}

#[test]
fn both_ends_must_allow() {
    let web = about_web("ingress: [{from: [{podSelector: {matchLabels: {app: cli}}}]}]");
    let cli = about_cli(
        "policyTypes: [Egress]\negress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]",
    );
    both(format!("{web}---\n{cli}"), &[("a/cli -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/80", "deny")]);
    both(format!("{}---\n{cli}", about_web("ingress: []")), &[("a/cli -> a/web tcp/8080", "deny")]);
    both(format!("{web}---\n{}", about_cli("policyTypes: [Egress]")), &[("a/cli -> a/web tcp/8080", "deny")]);
}

#[test]
fn egress_to_the_own_node_is_free_in_kubernetes_only() {
    apart(
        about_web("policyTypes: [Egress]"),
        &[("a/web -> n1 tcp/10250", "allow", "deny"), ("a/web -> n2 tcp/10250", "deny", "deny")],
    );
}

#[test]
fn labels_that_identities_leave_out_are_selectable_in_kubernetes_only() {
    let hash = "podSelector: {matchLabels: {pod-template-hash: 5d9f}}";
    let manifest = format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: it, namespace: a}}\nspec: {{{hash}}}\n"
    );
    apart(manifest, &[("a/cli -> a/web tcp/8080", "deny", "allow")]);
    apart(
        about_cli(&format!("ingress: [{{from: [{{{hash}}}]}}]")),
        &[("a/web -> a/cli tcp/1", "allow", "deny"), ("a/web2 -> a/cli tcp/1", "deny", "deny")],
    );
}

#[test]
fn policies_add_up() {
    let allow = about_web("ingress: [{from: [{podSelector: {matchLabels: {app: cli}}}]}]");
    both(
        format!("{allow}---\n{}", about_web("ingress: []").replace("name: it", "name: other")),
        &[("a/cli -> a/web tcp/8080", "allow")],
    );
}

#[test]
fn a_pod_on_the_host_network_is_its_node() {
    let mut cluster = cluster();
    for pod in cluster.pods.values_mut().filter(|pod| pod.name.namespace == "b") {
        pod.host_network = true;
        pod.ips = ["10.0.0.2".parse().unwrap()].into();
    }
    for dialect in [STANDARD, CILIUM] {
        let policies = decode(&[about_web("ingress: [{from: [{namespaceSelector: {}}]}]")], dialect).unwrap();
        assert_eq!(ask_in(&cluster, dialect, &policies, "b/cli -> a/web tcp/8080"), "deny");
    }
}

#[test]
fn a_finished_pod_owns_no_address() {
    let mut cluster = cluster();
    let old = cluster.pods.get(&facts::Name::new("a", "cli")).unwrap().clone();
    let job = facts::Pod {
        name: facts::Name::new("a", "aaa-job"),
        labels: [("app".to_owned(), "job".to_owned())].into(),
        phase: facts::Phase::Succeeded,
        ..old
    };
    cluster.insert(facts::Fact::Pod(job));
    for dialect in [STANDARD, CILIUM] {
        let policies =
            decode(&[about_web("ingress: [{from: [{podSelector: {matchLabels: {app: job}}}]}]")], dialect).unwrap();
        assert_eq!(ask_in(&cluster, dialect, &policies, "a/cli -> a/web tcp/8080"), "deny");
    }
}

#[test]
fn labels_of_namespaces_are_live() {
    let mut cluster = cluster();
    cluster.namespaces.get_mut("b").unwrap().labels.remove("team");
    let policies =
        decode(&[about_web("ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}]}]")], STANDARD)
            .unwrap();
    assert_eq!(ask_in(&cluster, STANDARD, &policies, "b/db -> a/web tcp/8080"), "deny");
}

#[test]
fn what_the_api_server_refuses_has_no_effect() {
    for spec in [
        "ingress: [{from: [{}]}]",
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]",
        "ingress: [{from: [{ipBlock: {}}]}]",
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]",
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.0.0/16]}}]}]",
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [10.0.0.0/8]}}]}]",
        "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16, except: [11.0.0.0/24]}}]}]",
        "ingress: [{ports: [{endPort: 90}]}]",
        "ingress: [{ports: [{port: http, endPort: 90}]}]",
        "ingress: [{ports: [{port: 90, endPort: 80}]}]",
        "ingress: [{ports: [{port: '8080'}]}]",
        "ingress: [{ports: [{port: Http}]}]",
        "ingress: [{ports: [{port: a--b}]}]",
        "ingress: [{ports: [{port: a-name-that-is-too-long}]}]",
        "ingress: [{ports: [{port: 0}]}]",
        "ingress: [{ports: [{port: 65536}]}]",
        "ingress: [{ports: [{port: 80, endPort: 65536}]}]",
        "ingress: [{ports: [{port: 80, protocol: ICMP}]}]",
        "policyTypes: [Both]",
        "policyTypes: [Ingress, Egress, Ingress]",
        "ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: In}]}}]}]",
        "ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}]}]",
        "ingress: [{from: [{podSelector: {matchExpressions: [{key: a, operator: Like, values: [b]}]}}]}]",
        "ingress: [{from: [{podSelector: {matchLabels: {'a b': c}}}]}]",
        "ingress: [{from: [{podSelector: {matchLabels: {a: 'c d'}}}]}]",
        "ingress: [{from: [{podSelector: {matchLabels: {'k8s:a': c}}}]}]",
    ] {
        both(about_web(spec), &[("b/cli -> a/web tcp/8080", "rejected")]);
    }
}

#[test]
fn upstreams_stray_peer_of_a_block_is_copied_in_exact_dialects_only() {
    let manifest = about_web("ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}]");
    let exact = &hir::Dialect::CILIUM_1_20_EXACT;
    check(exact, &[manifest], &[("a/cli -> a/web tcp/8080", "allow"), ("b/cli -> a/web tcp/8080", "deny")]);
}

#[test]
fn the_address_of_a_service_is_not_the_world() {
    let mut cluster = cluster();
    cluster.insert(facts::Fact::Service(facts::Service {
        name: facts::Name::new("a", "web"),
        cluster_ips: ["10.96.0.10".parse().unwrap()].into(),
        ..facts::Service::default()
    }));
    for dialect in [STANDARD, CILIUM] {
        for cidr in ["10.96.0.0/12", "10.96.0.10/32", "0.0.0.0/0"] {
            let spec = format!("policyTypes: [Egress]\negress: [{{to: [{{ipBlock: {{cidr: {cidr}}}}}]}}]");
            let policies = decode(&[about_cli(&spec)], dialect).unwrap();
            assert_eq!(ask_in(&cluster, dialect, &policies, "a/cli -> 10.96.0.10 tcp/80"), "deny", "{cidr}");
        }
        let policies = decode(&[about_cli("policyTypes: [Egress]\negress: [{ports: [{port: 80}]}]")], dialect).unwrap();
        assert_eq!(ask_in(&cluster, dialect, &policies, "a/cli -> 10.96.0.10 tcp/80"), "allow");
    }
}
