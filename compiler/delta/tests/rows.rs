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
