//! Definitions, references, symbols, folds, selections.

use crate::world::{CLUSTER, at, beside, text_at};
use ide::{definition, folds, references, selections, symbols, workspace_symbols};

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from:
    - podSelector:
        matchLabels: {app: web}
    ports: [{port: pg}]
";

const CILIUM: &str = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {}
  egress:
  - toServices: [{k8sService: {serviceName: db, namespace: shop}}]
  - toCIDRSet: [{cidrGroupRef: offices}]
";

/// A text with the cursor before the first of these words.
fn marked(text: &str, word: &str) -> String {
    assert!(text.contains(word), "{word}");
    text.replacen(word, &format!("$0{word}"), 1)
}

fn defined(text: &str, word: &str) -> Vec<String> {
    let (db, at) = beside(&marked(text, word), &[("cluster.yaml", CLUSTER)]);
    definition(&db, at).iter().map(|it| text_at(&db, it.file, it.focus)).collect()
}

#[test]
fn a_selector_leads_to_the_pods_and_templates_that_it_selects() {
    assert_eq!(defined(POLICY, "podSelector: {match"), ["name"]);
    assert_eq!(defined(POLICY, "app: db"), ["app"]);
    assert_eq!(defined(POLICY, "web}"), ["app"]);
}

#[test]
fn references_lead_to_what_they_name() {
    assert_eq!(defined(CILIUM, "db, namespace"), ["name"]);
    assert_eq!(defined(CILIUM, "offices"), ["name"]);
}

/// A group and a Service with labels, and who asks for those.
const LABELLED: &str = "\
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: homes, labels: {where: home}}
spec: {externalCIDRs: [198.51.100.0/24]}
---
apiVersion: v1
kind: Service
metadata: {name: store, namespace: shop, labels: {part: store}}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: pg}]}
";

const ASKING: &str = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {}
  ingress:
  - fromEndpoints: [{matchLabels: {k8s:io.cilium.k8s.namespace.labels.team: platform}}]
  - fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: ops}}]
  egress:
  - toServices: [{k8sServiceSelector: {selector: {matchLabels: {part: store}}, namespace: shop}}]
  - toCIDRSet: [{cidrGroupSelector: {matchLabels: {where: home}}}]
";

#[test]
fn the_name_of_a_port_leads_to_the_container_that_has_it() {
    assert_eq!(defined(POLICY, "pg}"), ["name"]);
    let (db, at) = beside(&marked(LABELLED, "pg}"), &[("cluster.yaml", CLUSTER)]);
    assert_eq!(definition(&db, at).iter().map(|it| text_at(&db, it.file, it.focus)).collect::<Vec<_>>(), ["name"]);
}

#[test]
fn selectors_of_groups_and_services_and_those_of_services_lead_to_whom_they_select() {
    let found = |text: &str, word: &str| {
        let (db, at) = beside(&marked(text, word), &[("cluster.yaml", CLUSTER), ("labelled.yaml", LABELLED)]);
        definition(&db, at).iter().map(|it| text_at(&db, it.file, it.full)).collect::<Vec<_>>()
    };
    let groups = found(ASKING, "home}");
    assert!(groups.len() == 1 && groups[0].contains("name: homes"), "{groups:?}");
    let services = found(ASKING, "store}");
    assert!(services.len() == 1 && services[0].contains("name: store"), "{services:?}");
    let pods = found(LABELLED, "db}");
    assert!(pods.len() == 1 && pods[0].contains("kind: Deployment"), "{pods:?}");
}

#[test]
fn who_asks_for_labels_of_namespaces_groups_and_services_is_found() {
    let found = |text: &str, word: &str| {
        let files = [("cluster.yaml", CLUSTER), ("labelled.yaml", LABELLED)];
        let files: Vec<_> = files.into_iter().filter(|(_, it)| *it != text).chain([("asking.yaml", ASKING)]).collect();
        let (db, at) = beside(&marked(text, word), &files);
        references(&db, at, false).len()
    };
    assert_eq!(found(CLUSTER, "platform}"), 1);
    assert_eq!(found(CLUSTER, "ops, labels"), 1, "not all that are there");
    assert_eq!(found(CLUSTER, "shop, labels"), 0);
    assert_eq!(found(LABELLED, "home}"), 1);
    assert_eq!(found(LABELLED, "store}"), 1);
}

#[test]
fn what_selects_a_pod_is_found_from_its_labels_and_its_name() {
    let cluster = marked(CLUSTER, "web, tier: front");
    let (db, at) = beside(&cluster, &[("policy.yaml", POLICY)]);
    let found: Vec<String> = references(&db, at, false).iter().map(|it| text_at(&db, it.file, it.span)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    let (db, at) = beside(&marked(CLUSTER, "web, namespace"), &[("policy.yaml", POLICY)]);
    assert_eq!(references(&db, at, true).len(), 2);
}

#[test]
fn users_of_groups_and_services_are_found() {
    let (db, at) = beside(&marked(CLUSTER, "offices}"), &[("policy.yaml", CILIUM)]);
    assert_eq!(references(&db, at, false).len(), 1);
    let (db, at) = beside(
        &CLUSTER.replace("kind: Service\nmetadata: {name: db", "kind: Service\nmetadata: {name: $0db"),
        &[("policy.yaml", CILIUM)],
    );
    assert_eq!(references(&db, at, false).len(), 1);
}

#[test]
fn objects_and_their_rules_are_symbols() {
    let (db, at) = beside(&format!("$0{POLICY}---\n{CILIUM}"), &[("cluster.yaml", CLUSTER)]);
    let all = symbols(&db, at.file);
    let told: Vec<String> = all.iter().map(|it| format!("{} {} {}", it.detail, it.name, it.children.len())).collect();
    assert_eq!(told, ["NetworkPolicy shop/db 1", "CiliumNetworkPolicy shop/c 2"]);
    assert_eq!(all[0].children[0].name, "ingress[0]");
    assert_eq!(all[1].children[1].detail, "toCIDRSet");
    let found = workspace_symbols(&db, "deploydb");
    assert_eq!(found.iter().map(|(it, _)| it.name.as_str()).collect::<Vec<_>>(), ["shop/db"]);
}

#[test]
fn what_reaches_over_lines_folds() {
    let (db, at) = at(&format!("$0# a\n# b\n{POLICY}"));
    let text = at.file.text(&db).expect("a text");
    let first = |span: source::Span| span.slice(&text).lines().next().unwrap_or_default().to_owned();
    let found: Vec<String> = folds(&db, at.file).iter().map(|it| first(it.span)).collect();
    assert_eq!(
        found,
        ["# a", "apiVersion: networking.k8s.io/v1", "spec:", "ingress:", "from:", "from:", "podSelector:"]
    );
}

#[test]
fn selections_grow_from_the_word_to_the_file() {
    let (db, at) = at(&marked(POLICY, "web}"));
    let text = at.file.text(&db).expect("a text");
    let all = selections(&db, at);
    let found: Vec<&str> = all.iter().take(4).map(|it| it.slice(&text)).collect();
    assert_eq!(found, ["web", "app: web", "{app: web}", "matchLabels: {app: web}"]);
    assert_eq!(all.last().map(|it| it.len() as usize), Some(text.len()));
    assert!(all.windows(2).all(|pair| pair[1].covers(pair[0]) && pair[0] != pair[1]));
}
