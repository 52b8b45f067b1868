//! Renames.

use crate::world::{CLUSTER, beside, text_at};
use driver::Database;
use ide::{prepare_rename, rename};

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from:
    - podSelector: {matchExpressions: [{key: app, operator: In, values: [web, \"db\"]}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {matchLabels: {k8s:app: db}}
  egress: [{toCIDRSet: [{cidrGroupRef: offices}]}]
";

fn renamed(word: &str, new: &str) -> Result<Vec<String>, String> {
    let text = POLICY.replacen(word, &format!("$0{word}"), 1);
    let (db, at) = beside(&text, &[("cluster.yaml", CLUSTER)]);
    let edits = rename(&db, at, new)?;
    Ok(edits.iter().map(|it| format!("{} -> {}", text_at(&db, it.file, it.span), it.replacement)).collect())
}

#[test]
fn a_value_is_renamed_wherever_pods_and_selectors_agree_on_it() {
    // In the policies thrice, in the workload, and in the selector of the Service.
    assert_eq!(renamed("db}}\n  ingress", "store"), Ok(vec!["db -> store".to_owned(); 5]));
}

#[test]
fn a_key_is_renamed_with_its_source_left_alone() {
    let found = renamed("app: db", "part").expect("it can be");
    assert_eq!(found, vec!["app -> part".to_owned(); 7]);
}

#[test]
fn a_group_is_renamed_with_its_users() {
    assert_eq!(renamed("offices", "branches"), Ok(vec!["offices -> branches".to_owned(); 2]));
}

#[test]
fn what_would_become_one_with_another_is_refused() {
    assert_eq!(
        renamed("db}}\n  ingress", "web").unwrap_err(),
        "`web` is there already, in `a.yaml`: the two would be one"
    );
    assert!(renamed("db}}\n  ingress", "no good").unwrap_err().contains("none that a cluster takes"));
}

#[test]
fn what_cannot_be_seen_is_refused() {
    let text = POLICY.replacen("db}}\n  ingress", "$0db}}\n  ingress", 1);
    let (db, at) = beside(&text, &[("broken.yaml", "a: [db\n")]);
    assert!(rename(&db, at, "store").unwrap_err().contains("`broken.yaml` is broken"));
    let (mut db, at) = beside(&text, &[]);
    let mut other = Database::new();
    other.set_file("cluster.yaml", CLUSTER.replace("app: web", "app: db").as_str());
    db.set_cluster((*driver::world::cluster(&other)).clone());
    assert_eq!(rename(&db, at, "store").unwrap_err(), "pod shop/web has it and stands in no file");
}

#[test]
fn only_labels_and_groups_have_names_to_change() {
    let (db, at) = beside(&POLICY.replacen("podSelector", "pod$0Selector", 1), &[]);
    assert!(prepare_rename(&db, at).is_err());
    let (db, at) = beside(&POLICY.replacen("web,", "we$0b,", 1), &[]);
    assert_eq!(prepare_rename(&db, at).map(|it| it.1), Ok("web".to_owned()));
}
