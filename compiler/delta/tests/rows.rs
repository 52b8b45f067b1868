//! What rows say beside the flows that differ: who shows them, and what is not compared.

use delta::{Delta, Witness, diff, equal};
use driver::Database;

const CLUSTER: &str = "
{apiVersion: v1, kind: Node, metadata: {name: north}, spec: {podCIDRs: [10.1.0.0/24]}, status: {addresses: [{type: ExternalIP, address: 203.0.113.1}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: north, containers: [{name: c, image: i}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.9}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out, namespace: shop}, spec: {clusterIP: 192.0.2.1, ports: [{port: 80}]}}
";

fn database(policy: &str) -> Database {
    let mut db = Database::new();
    db.set_dialect(hir::Dialect::named("cilium-1.20").unwrap());
    db.set_file("cluster.yaml", CLUSTER);
    db.set_file("policy.yaml", policy);
    db
}

fn compare(old: &str, new: &str) -> Delta {
    diff(&database(old), &database(new)).unwrap()
}

fn from(block: &str) -> String {
    let entry = if block.is_empty() { "{}".to_owned() } else { format!("{{fromCIDR: [{block}]}}") };
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: db, namespace: shop}}, spec: {{endpointSelector: {{}}, ingress: [{entry}]}}}}"
    )
}

#[test]
fn an_address_that_shows_a_row_is_nobodys() {
    let shown = |block: &str| {
        let delta = compare(&from(""), &from(block));
        let found = delta.changes.iter().find(|it| it.world).map(|it| it.sample.source.clone());
        found.unwrap_or_default()
    };
    assert_eq!(shown("203.0.113.0/30"), "203.0.113.2", "the first one is a node's");
    assert_eq!(shown("0.0.0.0/0"), "198.51.100.1", "192.0.2.1 is a service's");
    assert_eq!(shown("10.0.0.0/15"), "10.0.0.1");
    assert_eq!(shown("10.1.0.0/23"), "10.1.1.0", "the range of pods is no part of the world");
}

#[test]
fn a_policy_of_another_engine_that_comes_goes_or_changes_is_named() {
    let foreign = |order: u8, note: &str| {
        format!(
            "{}\n---\n{{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {{name: c, namespace: shop, resourceVersion: '{note}'}}, spec: {{order: {order}, selector: all()}}, status: {{seen: '{note}'}}}}",
            from("")
        )
    };
    let differing = |old: &str, new: &str| -> Vec<String> {
        let all = compare(old, new).foreign;
        all.iter().map(|(engine, object)| format!("{engine} {object}")).collect()
    };
    let named = ["Calico NetworkPolicy shop/c".to_owned()];
    assert_eq!(differing(&from(""), &foreign(1, "a")), named);
    assert_eq!(differing(&foreign(1, "a"), &from("")), named);
    assert_eq!(differing(&foreign(1, "a"), &foreign(2, "a")), named);
    assert_eq!(differing(&foreign(1, "a"), &foreign(1, "b")), [""; 0], "what the API server notes is no change");
    let unequal = equal(&database(&from("")), &database(&foreign(1, "a")));
    assert!(matches!(unequal, Err(Witness::Unevaluated(..))), "{unequal:?}");
}

/// Policies alone, as they stand in a repository: nothing tells of namespaces or pods.
fn policies(text: &str) -> Database {
    let mut db = Database::new();
    db.set_knowledge(driver::Knowledge::Partial);
    db.set_file("policy.yaml", text);
    db
}

/// The rows between two texts of policies: what happens, to whom, from or to whom.
fn told(old: &str, new: &str) -> Vec<String> {
    let delta = diff(&policies(old), &policies(new)).unwrap();
    let said = |it: &delta::Change| format!("{:?} {} -> {}", it.kind, it.sample.source, it.sample.destination);
    delta.changes.iter().map(said).collect()
}

fn admits(from: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p, namespace: shop}}, spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{from}]}}}}"
    )
}

#[test]
fn pods_of_namespaces_that_nobody_speaks_of_gain_and_lose() {
    let (own, every) = (admits("{from: [{podSelector: {}}]}"), admits("{from: [{namespaceSelector: {}}]}"));
    assert_eq!(told(&own, &every), ["Gained pods in other namespaces -> other pods in shop"]);
    assert_eq!(told(&every, &own), ["Lost pods in other namespaces -> other pods in shop"]);
    let (web, any_web) = (
        admits("{from: [{podSelector: {matchLabels: {app: web}}}]}"),
        admits("{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}"),
    );
    assert_eq!(told(&web, &any_web), ["Gained pods app=web in other namespaces -> other pods in shop"]);
    let (but, only) = ("NotIn, values: [kube-system]", "In, values: [shop]");
    let of = |how: &str| {
        admits(&format!(
            "{{from: [{{namespaceSelector: {{matchExpressions: [{{key: kubernetes.io/metadata.name, operator: {how}}}]}}}}]}}"
        ))
    };
    assert_eq!(told(&of(but), &of(only)), ["Lost pods in other namespaces -> other pods in shop"]);
}

#[test]
fn pods_of_one_kind_reach_each_other_by_what_is_decided() {
    let nobody = admits("");
    assert_eq!(
        told(&admits("{from: [{podSelector: {}}]}"), &nobody),
        ["Lost other pods in shop -> other pods in shop"]
    );
    let baseline = "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {namespaces: {}}, ingress: [{name: d, action: Deny, from: [{namespaces: {}}]}]}}";
    assert_eq!(told(baseline, ""), ["Gained other pods in default -> other pods in default"]);
    let workload = "---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}}}\n";
    let among = admits("{from: [{podSelector: {matchLabels: {app: db}}}]}");
    let lost = told(&format!("{among}\n{workload}"), &format!("{nobody}\n{workload}"));
    assert!(lost.contains(&"Lost shop/db -> shop/db".to_owned()), "{lost:?}");
}
