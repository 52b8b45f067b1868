//! Completion.

use crate::world::{at, beside};
use ide::{Item, complete};

fn items(text: &str) -> Vec<Item> {
    let (db, at) = at(text);
    complete(&db, at)
}

fn labels(text: &str) -> Vec<String> {
    items(text).into_iter().map(|item| item.label).collect()
}

/// The text after the item of this label is taken.
fn taken(text: &str, label: &str) -> String {
    let items = items(text);
    let Some(item) = items.iter().find(|item| item.label == label) else {
        panic!("no {label} among {:?}", items.iter().map(|item| &item.label).collect::<Vec<_>>());
    };
    let plain = text.replacen("$0", "", 1);
    let (before, after) = (&plain[..item.span.start as usize], &plain[item.span.end as usize..]);
    format!("{before}{}{after}", item.insert)
}

const HEAD: &str = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: shop}\n";

fn policy(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

const CILIUM: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\n";

#[test]
fn fields_that_are_there_are_not_offered_again() {
    assert_eq!(labels(&policy("spec:\n  podSelector: {}\n  $0\n")), ["policyTypes", "ingress", "egress"]);
}

#[test]
fn a_half_typed_key_is_replaced_as_a_whole() {
    let text = policy("spec:\n  podS$0el\n");
    assert_eq!(taken(&text, "podSelector"), policy("spec:\n  podSelector:\n    matchLabels:\n      $1\n"));
}

#[test]
fn a_key_with_its_colon_keeps_what_follows() {
    let text = policy("spec:\n  pod$0: {}\n");
    assert_eq!(taken(&text, "podSelector"), policy("spec:\n  podSelector: {}\n"));
}

#[test]
fn the_source_of_a_label_that_was_typed_stays() {
    use crate::world::{CLUSTER, beside};
    for typed in ["k8s:", "k8s:a"] {
        let text = format!("{CILIUM}spec:\n  endpointSelector:\n    matchLabels:\n      {typed}$0\n");
        let (db, at) = beside(&text, &[("cluster.yaml", CLUSTER)]);
        let found = complete(&db, at);
        let app = found.iter().find(|it| it.label == "k8s:app");
        let app = app.unwrap_or_else(|| panic!("{typed}: {:?}", found.iter().map(|it| &it.label).collect::<Vec<_>>()));
        assert_eq!((app.span.len() as usize, app.insert.as_str()), (typed.len(), "k8s:app: $1"));
    }
}

#[test]
fn a_selector_can_be_written_on_the_line_of_its_key() {
    let text = policy("spec:\n  podSelector: $0\n");
    assert_eq!(labels(&text), ["{}", "{matchLabels: …}"]);
    assert_eq!(taken(&text, "{}"), policy("spec:\n  podSelector: {}\n"));
}

#[test]
fn an_item_of_a_list_begins_behind_its_dash() {
    let text = policy("spec:\n  podSelector: {}\n  ingress:\n  - from:\n    - $0\n");
    assert_eq!(labels(&text), ["podSelector", "namespaceSelector", "ipBlock"]);
    let wanted = policy("spec:\n  podSelector: {}\n  ingress:\n  - from:\n    - ipBlock:\n        $1\n");
    assert_eq!(taken(&text, "ipBlock"), wanted);
}

#[test]
fn a_dash_without_space_gets_one() {
    let text = policy("spec:\n  ingress:\n  -$0\n");
    assert_eq!(taken(&text, "from"), policy("spec:\n  ingress:\n  - from:\n    - $1\n"));
}

#[test]
fn below_the_key_of_a_list_dashes_are_offered() {
    let text = policy("spec:\n  ingress:\n    $0\n");
    assert_eq!(labels(&text), ["- from", "- ports"]);
    assert_eq!(taken(&text, "- from"), policy("spec:\n  ingress:\n    - from:\n      - $1\n"));
}

#[test]
fn words_are_offered_in_brackets_and_behind_dashes() {
    assert_eq!(labels(&policy("spec:\n  policyTypes: [Ingress, $0]\n")), ["Egress"]);
    assert_eq!(labels(&policy("spec:\n  policyTypes: [Ing$0\n")), ["Ingress", "Egress"]);
    assert_eq!(labels(&policy("spec:\n  policyTypes:\n  - $0\n")), ["Ingress", "Egress"]);
    let entities = labels(&format!("{CILIUM}spec:\n  egress:\n  - toEntities:\n    - world\n    - $0\n"));
    assert!(entities.contains(&"kube-apiserver".to_owned()) && !entities.contains(&"world".to_owned()));
}

#[test]
fn a_value_right_behind_the_colon_gets_a_space() {
    let text = policy("spec:\n  ingress:\n  - ports:\n    - protocol:$0\n");
    assert_eq!(taken(&text, "UDP"), policy("spec:\n  ingress:\n  - ports:\n    - protocol: UDP\n"));
}

#[test]
fn flow_style_stays_flow_style() {
    let text = policy("spec: {podSelector: {}, ingress: [{$0}]}\n");
    assert_eq!(taken(&text, "from"), policy("spec: {podSelector: {}, ingress: [{from: [$1]}]}\n"));
}

#[test]
fn windows_line_ends_change_nothing() {
    let text = policy("spec:\n  podSelector: {}\n  $0\n").replace('\n', "\r\n");
    assert_eq!(labels(&text), ["policyTypes", "ingress", "egress"]);
}

#[test]
fn what_is_broken_elsewhere_costs_nothing_here() {
    let wanted = ["from", "ports"];
    assert_eq!(labels(&policy("spec:\n  podSelector: {}\n  ingress:\n  - $0\n  egress: [{to: [\n")), wanted);
    assert_eq!(labels(&policy("spec:\n  podSelector: {a\n  ingress:\n  - $0\n")), wanted);
    assert_eq!(labels(&policy("spec:\n  half typed\n  ingress:\n  - $0\n")), wanted);
    assert_eq!(labels(&policy("spec:\n\tpodSelector: {}\n  ingress:\n  - $0\n")), wanted);
}

#[test]
fn only_the_document_around_the_cursor_counts() {
    let text = format!("{CILIUM}spec: [}}\n---\n{HEAD}spec:\n  $0\n---\n{CILIUM}spec:\n");
    assert_eq!(labels(&text), ["podSelector", "policyTypes", "ingress", "egress"]);
}

#[test]
fn members_of_lists_are_objects() {
    let member = policy("spec:\n  $0\n").replace('\n', "\n  ");
    assert_eq!(labels(&format!("apiVersion: v1\nkind: List\nitems:\n- {}", member.trim_end())).len(), 4);
}

#[test]
fn comments_and_texts_of_several_lines_are_left_alone() {
    assert_eq!(labels(&policy("spec:\n  # pod$0\n")), [""; 0]);
    assert_eq!(labels(&policy("spec:\n  podSelector: {} # a $0\n")), [""; 0]);
    assert_eq!(labels(&format!("{CILIUM}spec:\n  description: |\n    so\n    $0\n")), [""; 0]);
}

#[test]
fn kinds_fit_the_version() {
    assert_eq!(labels("apiVersion: networking.k8s.io/v1\nkind: $0\n"), ["NetworkPolicy"]);
    assert!(labels("apiVersion: $0\nkind: CiliumNetworkPolicy\n").contains(&"cilium.io/v2".to_owned()));
}

#[test]
fn fields_that_exclude_each_other_are_not_offered_together() {
    let text = format!("{CILIUM}spec:\n  egress:\n  - toFQDNs:\n    - matchName: a.org\n      $0\n");
    assert_eq!(labels(&text), [""; 0]);
    let text = format!("{CILIUM}spec:\n  endpointSelector: {{}}\n  $0\n");
    assert!(!labels(&text).contains(&"nodeSelector".to_owned()));
}

#[test]
fn what_must_be_there_comes_first() {
    let text = format!("{CILIUM}spec:\n  endpointSelector:\n    matchExpressions:\n    - $0\n");
    assert_eq!(labels(&text), ["key", "operator", "values"]);
    let text = "$0";
    let (db, at) = beside(text, &[]);
    assert_eq!(
        complete(&db, at).iter().map(|it| it.label.as_str()).take(3).collect::<Vec<_>>(),
        ["apiVersion", "kind", "metadata"]
    );
}
