//! What policies cost, counted by hand.

use driver::Database;

const CLUSTER: &str = "
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
status: {phase: Running, podIPs: [{ip: 10.1.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: job}}
status: {phase: Running, podIPs: [{ip: 10.1.0.3}]}
";

fn policy(name: &str, from: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  policyTypes: [Ingress]
  ingress:
    - from: [{from}]
      ports: [{{port: 5432}}, {{port: 8080, endPort: 8090}}]
"
    )
}

fn entries_of_db(policies: &[String]) -> (usize, Vec<(usize, usize)>) {
    let mut db = Database::new();
    db.set_file("cluster.yaml", CLUSTER);
    for (at, text) in policies.iter().enumerate() {
        db.set_file(&format!("p{at}.yaml"), text);
    }
    let costs = cost::costs(&db);
    let of_db = costs.classes.iter().find(|it| it.subjects[0].to_string() == "pod shop/db").unwrap();
    let rules = costs.rules.iter().filter(|it| it.origin.object.starts_with("NetworkPolicy"));
    (of_db.entries, rules.map(|it| (it.identities, it.entries)).collect())
}

#[test]
fn entries_are_identities_times_blocks_of_ports() {
    // Two of three identities carry one of the labels; 5432 is a block and 8080-8090 are three. Egress is open: one entry; and the own
    // node reaches the pod: one entry.
    let everybody = policy("a", "{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, job]}]}}");
    assert_eq!(entries_of_db(&[everybody]), (2 * 4 + 1 + 1, vec![(2, 8)]));
}

#[test]
fn an_entry_of_two_rules_is_one_entry_and_counts_for_both() {
    let web = "{podSelector: {matchLabels: {app: web}}}";
    let (entries, rules) = entries_of_db(&[policy("a", web), policy("b", web)]);
    assert_eq!((entries, rules), (4 + 1 + 1, vec![(1, 4), (1, 4)]));
}
