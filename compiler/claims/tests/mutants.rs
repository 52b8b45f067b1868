//! Verdicts, coverage and mutants of a small cluster.

use claims::{Fate, Suite, ask, compile, coverage, database, read, score, wish};
use driver::{Database, world};
use reason::Ground;
use std::collections::BTreeSet;

const CLUSTER: &str = "\
apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDRs: [10.1.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: a, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.1.0.4}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: a, labels: {app: db}}
spec: {nodeName: n1, containers: [{name: c, image: i}]}
status: {podIPs: [{ip: 10.1.0.9}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: a}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 80}]
  - from: [{ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.128/25]}}]
";

fn suite(cases: &str) -> (Database, Suite) {
    let text = format!(
        "{{apiVersion: tidegate.io/v1alpha1, kind: PolicyTest, namespace: a, facts: all, pods: [{{name: other, labels: {{app: other}}}}], cases: [{cases}]}}"
    );
    let (suites, problems) = read(&text);
    assert_eq!(problems, []);
    let suite = suites[0].clone();
    let wish = wish("standard").unwrap();
    let (db, _) =
        database(&[("c.yaml".into(), CLUSTER.into())], ("test.yaml", &text), &suite, wish, Default::default());
    (db, suite)
}

/// Failures, percent of coverage, and the mutants that survive, one line each.
fn run(cases: &str) -> (Vec<String>, u32, Vec<String>) {
    let (db, suite) = suite(cases);
    let all: Vec<usize> = (0..suite.cases.len()).collect();
    let ground = Ground::of(&db);
    let (claims, problems) = compile(&db, &ground, &suite, &all);
    assert_eq!(problems, []);
    let answers = ask(&ground, &suite, claims);
    let failures = answers.iter().flat_map(|it| &it.failures).map(|(_, it)| format!("{it:?}")).collect();
    let score = score(&db, &ground, &suite, &answers);
    let survived = score.mutants.iter().filter(|(.., fate)| *fate == Fate::Survived);
    let survived = survived.map(|(cause, what, _)| format!("{}: {what}", cause.origin.path)).collect();
    (failures, coverage(&db, &answers).percent(), survived)
}

const GOOD: &str = "\
    {from: web, to: db, port: 80, expect: allow, by: 'a/p ingress[0]'},
    {from: web, to: db, ports: [79, 81, 80/UDP], expect: deny, by: no rule},
    {from: other, to: db, port: 80, expect: deny, by: a/p},
    {from: 203.0.113.7, to: db, ports: [80, 53/UDP], expect: allow, by: 'NetworkPolicy a/p spec.ingress[1].from[0]'},
    {from: [203.0.113.200, 198.51.100.1], to: db, port: 80, expect: deny},
    {from: db, to: web, port: 80, expect: allow, by: no rule},
    {from: other, to: web, port: 80, expect: allow}";

#[test]
fn a_good_test_leaves_nothing_out() {
    let (failures, percent, survived) = run(GOOD);
    assert_eq!(failures, [""; 0]);
    assert_eq!(percent, 100);
    assert_eq!(survived, [""; 0]);
}

#[test]
fn what_no_case_looks_at_is_named() {
    let (failures, percent, survived) = run("{from: web, to: db, port: 80, expect: allow}");
    assert_eq!(failures, [""; 0]);
    assert_eq!(percent, 33, "one of two rules and a default");
    for line in ["spec.ingress[1]: the rule is left out", "spec.ingress[0].ports[0]: port 81 is let in too"] {
        assert!(survived.contains(&line.to_owned()), "{line}: {survived:#?}");
    }
    assert!(!survived.contains(&"spec.ingress[0]: the rule is left out".to_owned()), "{survived:#?}");
}

#[test]
fn what_is_expected_otherwise_fails_and_says_how() {
    let (failures, ..) = run(
        "{from: web, to: db, port: 81, expect: allow}, {from: web, to: db, port: 80, expect: allow, by: 'a/p ingress[1]'}",
    );
    assert_eq!(failures, ["Verdict { expected: Allow, found: Deny }", "By(\"a/p ingress[1]\")"]);
}

#[test]
fn an_equivalent_mutant_changes_no_diagram_and_any_other_does() {
    let (db, suite) = suite(GOOD);
    let ground = Ground::of(&db);
    let classes: BTreeSet<_> = world::classes(&db).keys().cloned().collect();
    let score = score(&db, &ground, &suite, &[]);
    assert_eq!(score.killed(), 0, "nothing was asked");
    for policy in ground.policies() {
        for mutant in claims::mutants::mutants(policy) {
            let changed = ground.but(vec![std::sync::Arc::new(mutant.policy.clone())]);
            let same = classes.iter().all(|class| ground.agrees(&changed, class).unwrap());
            let found =
                score.mutants.iter().find(|(cause, what, _)| cause.origin.path == mutant.path && *what == mutant.what);
            assert_eq!(
                found.map(|(.., fate)| *fate == Fate::Equivalent),
                Some(same),
                "{} {}",
                mutant.path,
                mutant.what
            );
        }
    }
}

#[test]
fn what_names_nothing_is_reported() {
    let (db, suite) = suite("{from: a/wbe, to: db, ports: [80, http, 80/FOO], expect: deny, by: 'a/q ingress[0]'}");
    let (claims, problems) = compile(&db, &Ground::of(&db), &suite, &[0]);
    assert_eq!(claims, []);
    let said: Vec<&str> = problems.iter().map(|it| it.headline.as_str()).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    assert!(said[0].contains("did you mean `a/web`"), "{said:?}");
    assert!(said[3].contains("about no policy that was read"), "{said:?}");
}
