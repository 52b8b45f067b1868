//! Answers of the compiled programs in user space.

use driver::Database;
use lab::RunId;
use lab::topology::Plan;
use rehearsal::{Fault, in_user_space, questions, spec};
use std::collections::BTreeSet;

const CLUSTER: &str = r"
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
status: {phase: Running, podIPs: [{ip: 10.8.1.10}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cli, namespace: shop, labels: {app: cli}}
status: {phase: Running, podIPs: [{ip: 10.8.1.11}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
status: {phase: Running, podIPs: [{ip: 10.8.1.12}]}
";

const POLICY: &str = r"
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 5432}]
";

/// How many answers differ from what is expected. Errors: as [`in_user_space`].
fn differing(policies: &str, fault: Fault) -> Result<usize, String> {
    let mut db = Database::new();
    db.set_file("cluster.yaml", CLUSTER);
    db.set_file("policies.yaml", policies);
    let run = RunId::new("user").expect("a plain run id");
    let plan = Plan::new(spec::spec(&driver::world::cluster(&db), run, &BTreeSet::new())).expect("a plan");
    let (questions, _) = questions(&db, &plan, 0);
    let answers = in_user_space(&db, &plan, &questions, fault)?;
    Ok(answers.iter().filter(|answer| !answer.agrees()).count())
}

#[test]
fn a_wrong_image_shows_whatever_the_seed() {
    assert_eq!(differing(POLICY, Fault::None), Ok(0));
    for seed in 0..4 {
        assert!(differing(POLICY, Fault::WrongImage(seed)).is_ok_and(|differing| differing > 0), "{seed}");
    }
}

#[test]
fn where_nothing_is_decided_nothing_can_be_made_wrong() {
    let error = differing("", Fault::WrongImage(0)).expect_err("no image decides");
    assert!(error.contains("no image can be made wrong"), "{error}");
}
