//! A verdict that another reading has otherwise is marked with what makes the difference.

use driver::{Database, Wish, world};
use hir::Dialect;
use reason::{Question, differences, party};

const CLUSTER: &str = "\
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDRs: [10.1.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: web, pod-template-hash: x}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}
status: {podIPs: [{ip: 10.1.0.4}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: a, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 9090}]}]}
status: {podIPs: [{ip: 10.1.0.9}]}
";

fn policy(kind: &str, spec: &str) -> String {
    let group = if kind == "NetworkPolicy" { "networking.k8s.io/v1" } else { "cilium.io/v2" };
    format!("{{apiVersion: {group}, kind: {kind}, metadata: {{name: p, namespace: a}}, spec: {spec}}}")
}

/// The marks of one flow, one line each.
fn marks(dialect: &'static Dialect, kind: &str, spec: &str, flow: [&str; 3]) -> Vec<String> {
    let mut db = Database::new();
    db.set_files([("c.yaml".into(), CLUSTER.into()), ("p.yaml".into(), policy(kind, spec).into())]);
    db.settle_dialect(Wish::Named(dialect));
    let cluster = world::cluster(&db);
    let end = |word| party::party(&cluster, "a", word).unwrap();
    let question = Question {
        source: end(flow[0]),
        destination: end(flow[1]),
        key: party::key(flow[2], None).unwrap(),
        request: None,
        road: reason::service::Road::Straight,
    };
    let trace = reason::trace(&db, &question);
    let line = |it: &reason::Difference| {
        let [refused, accepted] = [&it.refused, &it.accepted].map(|objects| objects.len());
        format!("{} {:?} {:?} -{refused} +{accepted}", it.under, it.outcome, it.because)
    };
    differences(&db, &question, &trace, true).iter().map(line).collect()
}

fn knp(spec: &str, flow: [&str; 3]) -> Vec<String> {
    marks(&Dialect::STANDARD, "NetworkPolicy", spec, flow)
}

#[test]
fn the_one_switch_that_changes_the_verdict_is_named() {
    let db = "podSelector: {matchLabels: {app: db}}";
    let d1 = knp(&format!("{{{db}, ingress: [{{from: [{{ipBlock: {{cidr: 10.1.0.0/16}}}}]}}]}}"), ["web", "db", "80"]);
    assert_eq!(d1, [r#"cilium Deny ["D1"] -0 +0"#]);
    let d2 = knp(
        &format!("{{{db}, ingress: [{{from: [{{ipBlock: {{cidr: 192.168.0.0/16}}}}]}}]}}"),
        ["node:n2", "db", "80"],
    );
    assert_eq!(d2, [r#"cilium Deny ["D2"] -0 +0"#]);
    let d3 = knp(
        &format!("{{{db}, policyTypes: [Egress], ingress: [{{from: [{{podSelector: {{matchLabels: {{x: z}}}}}}]}}]}}"),
        ["web", "db", "80"],
    );
    assert_eq!(d3, [r#"cilium Deny ["D3"] -0 +0"#]);
    let web = "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]";
    let d4 = knp(&format!("{{{web}, egress: [{{ports: [{{port: http}}]}}]}}"), ["web", "db", "9090"]);
    assert_eq!(d4, [r#"cilium Deny ["D4"] -0 +0"#]);
    let d5 = knp(&format!("{{{web}}}"), ["web", "node:n1", "80"]);
    assert_eq!(d5, [r#"cilium Deny ["D5"] -0 +0"#]);
    let d6 = knp("{podSelector: {matchLabels: {pod-template-hash: x}}}", ["db", "web", "80"]);
    assert_eq!(d6, [r#"cilium Allow ["D6"] -0 +0"#]);
}

#[test]
fn a_verdict_that_is_the_same_is_not_marked() {
    let spec = "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}";
    for dialect in Dialect::ALL {
        assert_eq!(marks(dialect, "NetworkPolicy", spec, ["web", "db", "80"]), [""; 0], "{}", dialect.name);
    }
}

#[test]
fn a_policy_that_one_reading_refuses_is_a_difference() {
    let tunnel = "toPorts: [{ports: [{port: '0', protocol: GRE}]}]";
    let spec = format!("{{endpointSelector: {{matchLabels: {{app: db}}}}, ingress: [{{{tunnel}}}]}}");
    let asked = |dialect| marks(dialect, "CiliumNetworkPolicy", &spec, ["web", "db", "80"]);
    assert_eq!(asked(&Dialect::CILIUM_1_20), [r#"cilium-1.19 Allow ["V3"] -1 +0"#]);
    assert_eq!(asked(&Dialect::CILIUM_1_19), [r#"standard Deny ["V3"] -0 +1"#, r#"cilium-1.20 Deny ["V3"] -0 +1"#]);
}

#[test]
fn two_switches_that_only_together_make_the_difference_are_both_named() {
    // The own node is reached through the block and through the built-in rule; only without both it is not.
    let spec = "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.168.0.1/32}}]}]}";
    assert_eq!(knp(spec, ["web", "node:n1", "80"]), [r#"cilium Deny ["D2", "D5"] -0 +0"#]);
}
