//! Hovers.

use crate::world::{CLUSTER, at, beside};
use ide::hover;

/// The marked bytes and what is said of them.
fn said(text: &str) -> Option<(String, String)> {
    let (db, at) = at(text);
    let hover = hover(&db, at)?;
    Some((hover.span.slice(&text.replacen("$0", "", 1)).to_owned(), hover.markdown))
}

const HEAD: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\n";

#[test]
fn a_field_is_explained() {
    let (span, said) = said(&format!("{HEAD}spec:\n  policyT$0ypes: [Ingress]\n")).expect("something is said");
    assert_eq!(span, "policyTypes");
    assert_eq!(
        said,
        "**policyTypes**\n\nThe directions that it affects; by default those that it has rules for, and ingress.\n\n\
         Type: list of texts."
    );
}

#[test]
fn a_value_is_explained_by_its_field() {
    let (span, said) = said(&format!("{HEAD}spec:\n  ingress: [{{ports: [{{protocol: T$0CP}}]}}]\n")).expect("said");
    assert_eq!(span, "TCP");
    assert!(said.starts_with("**protocol**"), "{said}");
}

/// What is said of the first of these words, beside pods, a Service without declared ports behind it, and two nodes.
fn told(text: &str, word: &str) -> String {
    const MORE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: prom, namespace: ops}
spec: {selector: {app: prometheus}, ports: [{port: 80, targetPort: 9090}]}
---
apiVersion: v1
kind: Node
metadata: {name: one, labels: {zone: a}}
---
apiVersion: v1
kind: Node
metadata: {name: two, labels: {zone: b}}
";
    assert!(text.contains(word), "{word}");
    let text = text.replacen(word, &format!("$0{word}"), 1);
    let (db, at) = beside(&text, &[("cluster.yaml", CLUSTER), ("more.yaml", MORE)]);
    hover(&db, at).map(|it| it.markdown).unwrap_or_default()
}

#[test]
fn lists_of_peers_say_what_their_rule_opens() {
    let text = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n  endpointSelector: {}\n  \
                ingress:\n  - fromEntities: [host]\n    toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]\n";
    let said = told(text, "fromEntities");
    assert!(said.starts_with("**allows ingress: tcp/80**\n\n- from `host`"), "{said}");
}

#[test]
fn a_selector_of_nodes_counts_those_that_it_selects() {
    let text = "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: a}\nspec:\n  \
                nodeSelector: {matchLabels: {zone: a}}\n  ingress: [{fromNodes: [{matchLabels: {zone: c}}]}]\n";
    assert!(told(text, "nodeSelector").starts_with("**selects 1 node now**: `one`"), "{}", told(text, "nodeSelector"));
    let said = told(text, "zone: c");
    assert!(said.starts_with("**selects no node now**, of 2 that are known"), "{said}");
}

#[test]
fn a_port_that_nobody_declares_names_the_service_that_leads_there() {
    let text = format!(
        "{}spec:\n  podSelector: {{matchLabels: {{app: prometheus}}}}\n  ingress: [{{ports: [{{port: 9090}}]}}]\n",
        HEAD.replace("shop", "ops")
    );
    let said = told(&text, "9090");
    assert!(said.contains("Service `ops/prom`, port 80, leads there"), "{said}");
}

#[test]
fn a_policy_says_how_many_identities_it_is_about() {
    let said = told(&format!("{HEAD}spec:\n  podSelector: {{}}\n"), "a, namespace");
    assert!(said.contains("1 pod and 1 workload, of 1 identity"), "{said}");
}

#[test]
fn nothing_is_said_of_comments() {
    assert_eq!(said(&format!("{HEAD}spec:\n  # pod$0Selector\n  podSelector: {{}}\n")), None);
}
