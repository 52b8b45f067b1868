//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy. Source: cilium.io/v2 and Cilium's policy engine.

use std::net::IpAddr;

use facts::{Fact, Name, Pod};
use hir::Dialect;

use crate::world::{CILIUM, about_web, ask_in, ccnp, check, cluster, cnp, decode};

fn all(manifest: String, expected: &[(&str, &str)]) {
    check(CILIUM, std::slice::from_ref(&manifest), expected);
    check(&Dialect::CILIUM_1_19, &[manifest], expected);
}

#[test]
fn an_empty_rule_matches_nothing_and_isolates() {
    all(cnp("ingress: [{}]"), &[("a/cli -> a/web tcp/8080", "deny"), ("n1 -> a/web tcp/8080", "allow")]);
    all(cnp("ingressDeny: [{}]"), &[("a/cli -> a/web tcp/8080", "deny")]);
    all(cnp("ingress: []"), &[("a/cli -> a/web tcp/8080", "rejected")]);
}

#[test]
fn an_empty_peer_list_is_nobody_and_an_absent_one_everybody() {
    all(
        cnp("ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: '8080'}]}]}]"),
        &[("a/cli -> a/web tcp/8080", "deny")],
    );
    all(
        cnp("ingress: [{toPorts: [{ports: [{port: '8080'}]}]}]"),
        &[("203.0.113.7 -> a/web tcp/8080", "allow"), ("10.244.9.9 -> a/web tcp/8080", "allow")],
    );
    all(
        cnp("egress: [{toFQDNs: [], toPorts: [{ports: [{port: '443'}]}]}]"),
        &[("a/web -> 203.0.113.7 tcp/443", "deny")],
    );
    all(
        cnp("egress: [{toServices: [], toPorts: [{ports: [{port: '443'}]}]}]"),
        &[("a/web -> 203.0.113.7 tcp/443", "deny")],
    );
    check(
        &Dialect::CILIUM_1_20_EXACT,
        &[cnp("egress: [{toFQDNs: [], toPorts: [{ports: [{port: '443'}]}]}]")],
        &[("a/web -> 203.0.113.7 tcp/443", "allow")],
    );
}

#[test]
fn a_selector_means_the_own_namespace_unless_it_names_one() {
    all(
        cnp("ingress: [{fromEndpoints: [{}]}]"),
        &[("b/cli -> a/web tcp/8080", "deny"), ("a/cli -> a/web tcp/8080", "allow")],
    );
    all(
        ccnp("ingress: [{fromEndpoints: [{}]}]"),
        &[
            ("b/cli -> a/web tcp/8080", "allow"),
            ("203.0.113.7 -> a/web tcp/8080", "deny"),
            ("n2 -> a/web tcp/8080", "deny"),
        ],
    );
    let notin = "ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: NotIn, values: [db]}]}]}]";
    all(cnp(notin), &[("b/cli -> a/web tcp/8080", "deny")]);
    all(ccnp(notin), &[("203.0.113.7 -> a/web tcp/8080", "deny"), ("b/cli -> a/web tcp/8080", "allow")]);
    for key in ["k8s:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace"] {
        all(
            cnp(&format!("ingress: [{{fromEndpoints: [{{matchLabels: {{'{key}': b}}}}]}}]")),
            &[("b/cli -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/8080", "deny")],
        );
    }
    all(
        cnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.namespace.labels.team: blue}}]}]"),
        &[("b/db -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/8080", "deny")],
    );
}

#[test]
fn a_namespaced_policy_never_leaves_its_namespace_as_subject() {
    let about = |key: &str| {
        format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: it, namespace: a}}\nspec:\n  endpointSelector: {{matchLabels: {{'{key}': b}}}}\n  ingress: [{{}}]\n"
        )
    };
    all(about("k8s:io.kubernetes.pod.namespace"), &[("b/db -> a/cli tcp/1", "deny"), ("a/cli -> b/db tcp/1", "allow")]);
    all(about("io.kubernetes.pod.namespace"), &[("b/db -> a/cli tcp/1", "allow"), ("a/cli -> b/db tcp/1", "allow")]);
}

#[test]
fn port_lists() {
    let cli = "fromEndpoints: [{matchLabels: {app: cli}}]";
    let ports = |text: &str| cnp(&format!("ingress: [{{{cli}, toPorts: {text}}}]"));
    all(ports("[]"), &[("a/cli -> a/web tcp/9999", "allow"), ("a/cli -> a/web icmp/8", "allow")]);
    all(ports("[{}]"), &[("a/cli -> a/web tcp/9999", "deny")]);
    all(ports("[{ports: []}]"), &[("a/cli -> a/web tcp/9999", "deny")]);
    all(
        ports("[{ports: [{port: '8080', protocol: ANY}]}]"),
        &[
            ("a/cli -> a/web icmp/8", "deny"),
            ("a/cli -> a/web udp/8080", "allow"),
            ("a/cli -> a/web sctp/8080", "allow"),
        ],
    );
    all(
        ports("[{ports: [{port: '0', protocol: UDP}]}]"),
        &[("a/cli -> a/web udp/1234", "allow"), ("a/cli -> a/web tcp/1234", "deny")],
    );
    all(
        ports("[{ports: [{port: '8080', endPort: 80}]}]"),
        &[("a/cli -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/80", "deny")],
    );
    all(
        ports("[{ports: [{port: HTTP, protocol: TCP}]}]"),
        &[("a/cli -> a/web tcp/8080", "allow"), ("a/cli -> a/web tcp/80", "deny")],
    );
    all(ports("[{ports: [{port: 8080}]}]"), &[("a/cli -> a/web tcp/8080", "rejected")]);
    all(ports("[{ports: [{port: '010'}]}]"), &[("a/cli -> a/web tcp/8080", "rejected")]);
    all(ports("[{ports: [{protocol: TCP}]}]"), &[("a/cli -> a/web tcp/8080", "rejected")]);
}

#[test]
fn entities() {
    let from = |entity: &str| cnp(&format!("ingress: [{{fromEntities: [{entity}]}}]"));
    let mut cluster = cluster();
    cluster.config.kube_apiserver.insert("192.0.2.200".parse::<IpAddr>().unwrap());
    cluster.insert(Fact::Pod(Pod {
        name: Name::new("a", "far"),
        labels: [("app".to_owned(), "cli".to_owned())].into(),
        ips: ["10.99.0.1".parse().unwrap()].into(),
        cluster: Some("east".to_owned()),
        ..Pod::default()
    }));
    let ask = |manifest: String, expected: &[(&str, &str)]| {
        let policies = decode(&[manifest], CILIUM).unwrap();
        for (query, answer) in expected {
            assert_eq!(ask_in(&cluster, CILIUM, &policies, query), *answer, "{query}");
        }
    };
    ask(
        from("cluster"),
        &[
            ("203.0.113.7 -> a/web tcp/1", "deny"),
            ("n2 -> a/web tcp/1", "allow"),
            ("192.0.2.200 -> a/web tcp/1", "allow"),
            ("a/far -> a/web tcp/1", "deny"),
        ],
    );
    ask(
        from("world"),
        &[("192.0.2.200 -> a/web tcp/1", "allow"), ("b/db -> a/web tcp/1", "deny"), ("n2 -> a/web tcp/1", "deny")],
    );
    ask(from("world-ipv4"), &[("203.0.113.7 -> a/web tcp/1", "allow"), ("2001:db8::7 -> a/web tcp/1", "deny")]);
    ask(from("none"), &[("a/cli -> a/web tcp/1", "deny")]);
    ask(from("host"), &[("n1 -> a/web tcp/1", "allow"), ("n2 -> a/web tcp/1", "deny")]);
    ask(
        cnp("egress: [{toEntities: [kube-apiserver]}]"),
        &[("a/web -> cp tcp/10250", "allow"), ("a/web -> n2 tcp/1", "deny")],
    );
    ask(cnp("egress: [{toEntities: [remote-node]}]"), &[("a/web -> cp tcp/6443", "allow")]);
    ask(
        cnp("egress: [{toEntities: [all]}]"),
        &[("a/web -> 203.0.113.7 icmp/8", "allow"), ("a/web -> 10.244.9.9 tcp/1", "allow")],
    );
    // A selector means this cluster; one that names the cluster's key means what it says.
    let cli = "fromEndpoints: [{matchLabels: {app: cli}";
    ask(
        cnp(&format!("ingress: [{{{cli}}}]}}]")),
        &[("a/far -> a/web tcp/1", "deny"), ("a/cli -> a/web tcp/1", "allow")],
    );
    let every = "matchExpressions: [{key: io.cilium.k8s.policy.cluster, operator: Exists}]";
    ask(cnp(&format!("ingress: [{{{cli}, {every}}}]}}]")), &[("a/far -> a/web tcp/1", "allow")]);
}

#[test]
fn in_a_cluster_of_one_family_the_world_has_no_family() {
    let mut cluster = cluster();
    cluster.config.ipv6 = false;
    let policies = decode(&[cnp("egress: [{toEntities: [world-ipv4]}]")], CILIUM).unwrap();
    assert_eq!(ask_in(&cluster, CILIUM, &policies, "a/web -> 203.0.113.7 tcp/1"), "deny");
}

#[test]
fn the_api_server_on_the_own_node_is_the_host_and_the_api_server() {
    let mut cluster = cluster();
    cluster.config.kube_apiserver = ["10.0.0.1".parse().unwrap()].into();
    let policies = decode(&[cnp("egress: [{toEntities: [kube-apiserver]}]")], CILIUM).unwrap();
    for (query, answer) in
        [("a/web -> n1 tcp/1", "allow"), ("a/web2 -> n1 tcp/1", "allow"), ("a/web2 -> n2 tcp/1", "deny")]
    {
        assert_eq!(ask_in(&cluster, CILIUM, &policies, query), answer, "{query}");
    }
}

#[test]
fn prefixes_are_of_the_world_only() {
    all(
        cnp("egress: [{toCIDR: [0.0.0.0/0]}]"),
        &[
            ("a/web -> 203.0.113.7 tcp/1", "allow"),
            ("a/web -> b/db tcp/1", "deny"),
            ("a/web -> n2 tcp/1", "deny"),
            ("a/web -> 2001:db8::7 tcp/1", "deny"),
        ],
    );
    let set = "toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.0/25]}]";
    all(
        cnp(&format!("egress: [{{{set}}}]")),
        &[("a/web -> 203.0.113.7 tcp/1", "deny"), ("a/web -> 203.0.113.200 tcp/1", "allow")],
    );
    all(cnp(&format!("egress: [{{{set}}}, {{toCIDR: [203.0.113.7/32]}}]")), &[("a/web -> 203.0.113.7 tcp/1", "allow")]);
    all(cnp("egress: [{toCIDRSet: [{cidr: 203.0.113.7}]}]"), &[("a/web -> 203.0.113.7 tcp/1", "rejected")]);
    let bare = cnp("egress: [{toCIDR: [203.0.113.7]}]");
    // Why: the definition of the kind gives these texts the format of a prefix, so the API server refuses them before any agent sees them.
    all(bare, &[("a/web -> 203.0.113.7 tcp/1", "rejected")]);
    all(
        cnp("ingress: [{fromCIDRSet: [{cidrGroupRef: missing}], toPorts: [{ports: [{port: '8080'}]}]}]"),
        &[("203.0.113.7 -> a/web tcp/8080", "deny")],
    );
    all(cnp("ingress: [{fromCIDRSet: [{cidrGroupSelector: {}}]}]"), &[("b/cli -> a/web tcp/1", "deny")]);
}

#[test]
fn a_deny_beats_every_allow() {
    all(
        cnp("ingress: [{fromCIDR: [203.0.113.7/32]}]\ningressDeny: [{fromCIDR: [203.0.113.0/24]}]"),
        &[("203.0.113.7 -> a/web tcp/1", "deny")],
    );
    let cli = "fromEndpoints: [{matchLabels: {app: cli}}]";
    let port = "toPorts: [{ports: [{port: '8080'}]}]";
    all(
        cnp(&format!("ingress: [{{{cli}}}]\ningressDeny: [{{{cli}, {port}}}]")),
        &[("a/cli -> a/web tcp/8080", "deny"), ("a/cli -> a/web tcp/9090", "allow")],
    );
    all(
        cnp(&format!("ingress: [{{{cli}, {port}}}]\ningressDeny: [{{fromEntities: [all]}}]")),
        &[("a/cli -> a/web tcp/8080", "deny"), ("n1 -> a/web tcp/8080", "deny")],
    );
    let allow = about_web("ingress: [{from: [{podSelector: {matchLabels: {app: cli}}}]}]");
    let deny = ccnp("ingressDeny: [{fromEndpoints: [{matchLabels: {app: cli}}]}]");
    all(format!("{allow}---\n{deny}"), &[("a/cli -> a/web tcp/8080", "deny")]);
    all(cnp("ingressDeny: [{fromEntities: [host]}]"), &[("n1 -> a/web tcp/1", "deny")]);
}

#[test]
fn one_isolating_policy_is_enough_and_none_can_undo_it() {
    let deny = "ingressDeny: [{fromEndpoints: [{matchLabels: {app: db, 'k8s:io.kubernetes.pod.namespace': b}}]}]";
    all(cnp(deny), &[("a/cli -> a/web tcp/1", "deny")]);
    let open = format!("{deny}\nenableDefaultDeny: {{ingress: false}}");
    all(cnp(&open), &[("a/cli -> a/web tcp/1", "allow"), ("b/db -> a/web tcp/1", "deny")]);
    let other = cnp("ingress: [{}]").replace("name: it", "name: other");
    all(format!("{}---\n{other}", cnp(&open)), &[("a/cli -> a/web tcp/1", "deny")]);
}

#[test]
fn icmp_types() {
    all(
        cnp("ingress: [{icmps: [{fields: [{type: EchoRequest}]}]}]"),
        &[("a/cli -> a/web icmp/8", "allow"), ("a/cli -> a/web icmpv6/128", "deny"), ("a/cli -> a/web tcp/8", "deny")],
    );
    all(
        cnp("ingress: [{icmps: [{fields: [{type: 0}]}]}]"),
        &[("a/cli -> a/web icmp/8", "deny"), ("a/cli -> a/web icmp/0", "allow")],
    );
    check(
        &Dialect::CILIUM_1_20_EXACT,
        &[cnp("ingress: [{icmps: [{fields: [{type: 0}]}]}]")],
        &[("a/cli -> a/web icmp/8", "allow")],
    );
    all(cnp("ingress: [{icmps: [{fields: []}]}]"), &[("a/cli -> a/web icmp/8", "deny")]);
}

#[test]
fn names_select_what_dns_gave() {
    let mut cluster = cluster();
    cluster.dns.entry("a.example.com".to_owned()).or_default().insert("203.0.113.7".parse().unwrap());
    cluster.dns.entry("db.example.com".to_owned()).or_default().insert("10.244.2.12".parse().unwrap());
    let names = "egress: [{toFQDNs: [{matchPattern: '*.example.com'}]}]";
    for (spec, query, answer) in [
        (names.to_owned(), "a/web -> 203.0.113.7 tcp/1", "allow"),
        (names.to_owned(), "a/web -> 203.0.113.8 tcp/1", "deny"),
        (names.to_owned(), "a/web -> b/db tcp/1", "deny"),
        (format!("{names}\negressDeny: [{{toCIDR: [203.0.113.0/24]}}]"), "a/web -> 203.0.113.7 tcp/1", "deny"),
        ("egress: [{toFQDNs: [{matchName: 'A.Example.com.'}]}]".to_owned(), "a/web -> 203.0.113.7 tcp/1", "allow"),
    ] {
        let policies = decode(&[cnp(&spec)], CILIUM).unwrap();
        assert_eq!(ask_in(&cluster, CILIUM, &policies, query), answer, "{spec}");
    }
}

#[test]
fn what_is_out_of_reach_closes_an_allow_and_widens_a_deny() {
    let group = "toGroups: [{aws: {region: x}}]";
    all(cnp(&format!("egress: [{{{group}}}]")), &[("a/web -> a/cli tcp/1", "deny")]);
    let port = "toPorts: [{ports: [{port: '443'}]}]";
    all(
        cnp(&format!("egress: [{{toEntities: [all]}}]\negressDeny: [{{{group}, {port}}}]")),
        &[("a/web -> a/cli tcp/443", "deny"), ("a/web -> a/cli tcp/80", "allow")],
    );
}

#[test]
fn forged_labels_are_stripped() {
    let mut cluster = cluster();
    let pod = cluster.pods.get_mut(&Name::new("a", "cli")).unwrap();
    pod.labels.insert("io.cilium.k8s.policy.serviceaccount".to_owned(), "admin".to_owned());
    let manifest = cnp("ingress: [{fromEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: admin}}]}]");
    let policies = decode(&[manifest], CILIUM).unwrap();
    assert_eq!(ask_in(&cluster, CILIUM, &policies, "a/cli -> a/web tcp/1"), "deny");
}

#[test]
fn modes_of_enforcement() {
    let mut cluster = cluster();
    cluster.config.enforcement = facts::Enforcement::Always;
    assert_eq!(ask_in(&cluster, CILIUM, &[], "a/cli -> a/web tcp/1"), "deny");
    cluster.config.enforcement = facts::Enforcement::Never;
    let policies = decode(&[cnp("ingressDeny: [{fromEntities: [all]}]")], CILIUM).unwrap();
    assert_eq!(ask_in(&cluster, CILIUM, &policies, "a/cli -> a/web tcp/1"), "allow");
}

#[test]
fn what_the_agent_refuses_has_no_effect() {
    for spec in [
        "ingress: [{fromEndpoints: [{}], fromCIDR: [10.0.0.0/8]}]",
        "egress: [{toCIDR: [10.0.0.0/8], toFQDNs: [{matchName: a.io}]}]",
        "ingress: [{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80'}]}]}]",
        "ingress: [{icmps: [{fields: [{type: Nonsense}]}]}]",
        "ingress: [{fromEntities: [planet]}]",
        "ingress: [{toPorts: [{ports: [{port: '80', protocol: QUIC}]}]}]",
        "ingress: [{toPorts: [{ports: [{port: '65536'}]}]}]",
        "ingress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchPattern: '*'}]}}]}]",
        "egress: [{toPorts: [{ports: [{port: '53', endPort: 60, protocol: UDP}], rules: {dns: [{matchPattern: '*'}]}}]}]",
        "ingress: [{toPorts: [{ports: [{port: '80'}], rules: {http: [{}]}}]}]",
        "ingress: [{toPorts: [{ports: [{port: '0', protocol: TCP}], rules: {http: [{}]}}]}]",
        "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}], dns: [{matchPattern: '*'}]}}]}]",
        "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], serverNames: [a.io], rules: {http: [{}]}}]}]",
        "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {envoyConfig: {name: a}, name: b}}]}]",
        "egress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/16]}]}]",
        "egress: [{toCIDRSet: [{cidr: 10.0.0.0/16, except: [10.0.0.0/8]}]}]",
        "egress: [{toCIDRSet: [{cidr: 10.0.0.0/16, cidrGroupRef: a}]}]",
        "egress: [{toCIDRSet: [{except: [10.0.0.0/8]}]}]",
        "egress: [{toFQDNs: [{matchName: a.io, matchPattern: '*'}]}]",
        "ingress: [{authentication: {mode: maybe}, fromEndpoints: [{}]}]",
        "ingress: [{fromEndpoints: [{matchLabels: {'reserved:host': x}}]}]",
        "ingress: [{fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]}]",
        "nodeSelector: {}\ningress: [{fromEntities: [all]}]",
    ] {
        all(cnp(spec), &[("a/cli -> a/web tcp/8080", "rejected")]);
    }
}

#[test]
fn one_bad_member_of_specs_refuses_the_object() {
    let object = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: it, namespace: a}\nspecs:\n- endpointSelector: {}\n  ingress: [{fromEntities: [all]}]\n- endpointSelector: {}\n  ingress: []\n";
    all(object.to_owned(), &[("a/cli -> a/web tcp/1", "rejected")]);
}

#[test]
fn requirements_narrow_label_peers_of_all_policies_and_allow_nothing() {
    let requires = cnp("ingress: [{fromRequires: [{matchLabels: {tier: '2'}}]}]").replace("name: it", "name: other");
    let manifests = [about_web("ingress: [{from: [{podSelector: {}}]}]"), requires.clone()];
    check(&Dialect::CILIUM_1_19, &manifests, &[("a/cli -> a/web tcp/1", "deny"), ("a/web2 -> a/web tcp/1", "allow")]);
    check(&Dialect::CILIUM_1_19, std::slice::from_ref(&requires), &[("a/web2 -> a/web tcp/1", "deny")]);
    check(CILIUM, &[requires], &[("a/web2 -> a/web tcp/1", "rejected")]);
}
