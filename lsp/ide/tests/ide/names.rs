//! Completion of what the workspace has: labels, namespaces, services, ports, names.

use crate::world::{CLUSTER, beside};
use driver::Database;
use ide::{Item, complete};

const HEAD: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\n";
const CILIUM: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\n";

fn items(text: &str) -> Vec<Item> {
    let (db, at) = beside(text, &[("cluster.yaml", CLUSTER)]);
    complete(&db, at)
}

fn labels(text: &str) -> Vec<String> {
    items(text).into_iter().map(|item| item.label).collect()
}

#[test]
fn keys_of_labels_are_those_of_pods_of_the_namespace() {
    let text = format!("{HEAD}spec:\n  podSelector:\n    matchLabels:\n      $0\n");
    assert_eq!(labels(&text), ["app", "tier"]);
    assert_eq!(items(&text)[0].insert, "app: $1");
    assert_eq!(items(&text)[0].detail, "2 pods");
    assert_eq!(labels(&format!("{HEAD}spec:\n  podSelector: {{matchLabels: {{ap$0}}}}\n")), ["app", "tier"]);
}

#[test]
fn values_are_those_of_the_key() {
    assert_eq!(labels(&format!("{HEAD}spec:\n  podSelector:\n    matchLabels:\n      app: $0\n")), ["db", "web"]);
    let text =
        format!("{HEAD}spec:\n  podSelector:\n    matchExpressions:\n    - {{key: app, operator: In, values: [$0]}}\n");
    assert_eq!(labels(&text), ["db", "web"]);
    let text = format!("{HEAD}spec:\n  podSelector:\n    matchExpressions:\n    - key: $0\n");
    assert_eq!(labels(&text), ["app", "tier"]);
}

#[test]
fn a_peer_is_sought_where_its_namespaces_are() {
    let peer = |rest: &str| format!("{HEAD}spec:\n  ingress:\n  - from:\n    - {rest}\n");
    let other = "namespaceSelector: {matchLabels: {team: platform}}\n      podSelector: {matchLabels: {app: $0}}";
    assert_eq!(labels(&peer(other)), ["prometheus"]);
    assert_eq!(labels(&peer("namespaceSelector: {matchLabels: {$0}}")), ["kubernetes.io/metadata.name", "team"]);
    assert_eq!(labels(&peer("namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: $0}}")), ["ops", "shop"]);
    let cilium =
        "spec:\n  ingress:\n  - fromEndpoints:\n    - matchLabels: {k8s:io.kubernetes.pod.namespace: ops, app: $0}\n";
    assert_eq!(labels(&format!("{CILIUM}{cilium}")), ["prometheus"]);
}

#[test]
fn namespaces_services_and_groups_are_offered_by_name() {
    assert_eq!(
        labels("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  namespace: $0\n"),
        ["ops", "shop"]
    );
    let rule = |rest: &str| format!("{CILIUM}spec:\n  endpointSelector: {{}}\n  egress:\n  - {rest}\n");
    assert_eq!(labels(&rule("toServices: [{k8sService: {namespace: shop, serviceName: $0}}]")), ["db"]);
    assert_eq!(labels(&rule("toServices: [{k8sService: {namespace: ops, serviceName: $0}}]")), [""; 0]);
    assert_eq!(labels(&rule("toCIDRSet: [{cidrGroupRef: $0}]")), ["offices"]);
    let names = format!("{}\n---\n{}", rule("toFQDNs: [{matchName: a.example}]"), rule("toFQDNs: [{matchName: $0}]"));
    assert_eq!(labels(&names), ["a.example"]);
}

#[test]
fn ports_are_those_of_the_far_end() {
    let ingress = "spec:\n  podSelector: {matchLabels: {app: web}}\n  ingress:\n  - ports: [{port: $0}]\n";
    assert_eq!(labels(&format!("{HEAD}{ingress}")), ["http", "8080"]);
    let egress = "spec:\n  egress:\n  - to: [{podSelector: {matchLabels: {app: db}}}]\n    ports: [{port: $0}]\n";
    assert_eq!(labels(&format!("{HEAD}{egress}")), ["pg", "5432"]);
    let cilium =
        "spec:\n  endpointSelector: {matchLabels: {app: web}}\n  ingress:\n  - toPorts: [{ports: [{port: $0}]}]\n";
    let items = items(&format!("{CILIUM}{cilium}"));
    assert_eq!(items.iter().map(|it| it.insert.as_str()).collect::<Vec<_>>(), ["http", "\"8080\""]);
}

#[test]
fn whole_policies_are_offered_in_an_empty_document() {
    let labels = labels(&format!("{HEAD}spec: {{}}\n---\n$0\n"));
    assert!(labels.contains(&"deny all ingress".to_owned()) && labels.contains(&"apiVersion".to_owned()), "{labels:?}");
}

/// The text of a snippet with what its places hold.
fn filled(snippet: &str) -> String {
    let mut out = String::new();
    let mut rest = snippet;
    while let Some((before, after)) = rest.split_once("${") {
        let (place, after) = after.split_once('}').expect("a place ends");
        let held = match place.split_once(':') {
            Some((_, word)) => word,
            None => place.split_once('|').and_then(|(_, words)| words.split(',').next()).expect("a choice has words"),
        };
        out = out + before + held;
        rest = after;
    }
    out + rest
}

#[test]
fn whole_policies_are_clean() {
    for snippet in ide::SNIPPETS {
        let mut db = Database::new();
        db.set_file("a.yaml", &filled(snippet.text));
        let found = checks::check(&db);
        assert_eq!(found.iter().map(|it| it.headline.as_str()).collect::<Vec<_>>(), [""; 0], "{}", snippet.label);
        let objects = driver::text::decoded(&db, db.file_at("a.yaml").expect("it was set"));
        assert_eq!(objects.policies.len(), 1, "{}", snippet.label);
    }
}
