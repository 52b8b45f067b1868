//! What can be done about findings.

use crate::world::{CLUSTER, beside};
use checks::suppress::Rules;
use diag::{Code, Fix};
use ide::{Action, ActionKind, Command, actions};
use source::Span;

const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector: {matchLabels: {app: wbe}}
";

/// What it asks of a name, nobody may ask a resolver for.
const WITHOUT_DNS: &str = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: c, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
  - toFQDNs: [{matchName: a.example}]
";

/// The text after an action.
fn done(text: &str, title: &str) -> (Vec<Action>, String) {
    let (db, at) = beside(&format!("$0{text}"), &[("cluster.yaml", CLUSTER)]);
    let all = actions(&db, at.file, Span::new(0, u32::MAX), &Rules::default());
    let Some(action) = all.iter().find(|it| it.title == title) else {
        panic!("no {title} among {:?}", all.iter().map(|it| &it.title).collect::<Vec<_>>());
    };
    let fix = Fix { title: String::new(), edits: action.edits.clone() };
    let text = fix.apply(at.file.id(&db), text).expect("its edits fit");
    (all, text)
}

#[test]
fn fixes_come_first_and_are_preferred_only_when_nothing_changes() {
    let (all, text) = done(POLICY, "write `web`");
    assert_eq!(text, POLICY.replace("wbe", "web"));
    assert_eq!((all[0].kind, all[0].is_preferred), (ActionKind::Fix, false));
    assert_eq!(all[0].solves.map(|it| it.0), Some(Code(12)));
    let explain = all.iter().find(|it| it.kind == ActionKind::Show).expect("a page can be shown");
    assert_eq!(explain.command, Some(Command::Explain(Code(12))));
}

#[test]
fn a_finding_can_be_silenced_and_then_is_once_somebody_says_why() {
    let (_, text) = done(POLICY, "do not report TG0012 here");
    assert!(text.contains("    # tidegate: ignore[TG0012] say why\n    - podSelector"), "{text}");
    let left = |text: &str| {
        let (db, at) = beside(&format!("$0{text}"), &[("cluster.yaml", CLUSTER)]);
        ide::diagnostics(&db, at.file, &Rules::default()).into_iter().map(|it| it.code).collect::<Vec<_>>()
    };
    assert_eq!(left(&text), [Code(103)]);
    assert_eq!(left(&text.replace("say why", "it comes with the next release")), []);
}

#[test]
fn a_missing_rule_for_dns_is_added_and_solves_it() {
    let (_, text) = done(WITHOUT_DNS, "add a rule for DNS");
    let (db, at) = beside(&format!("$0{text}"), &[("cluster.yaml", CLUSTER)]);
    let left = ide::diagnostics(&db, at.file, &Rules::default());
    assert!(left.iter().all(|it| it.code != Code(160)), "{left:?}");
}

#[test]
fn lines_that_are_added_end_as_their_neighbours_do() {
    let (_, text) = done(&WITHOUT_DNS.replace('\n', "\r\n"), "add a rule for DNS");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
}

#[test]
fn no_fix_of_a_policy_that_is_refused_is_preferred() {
    let fixes = |text: &str| {
        let (db, at) = beside(&format!("$0{text}"), &[("cluster.yaml", CLUSTER)]);
        let all = actions(&db, at.file, Span::new(0, u32::MAX), &Rules::default());
        all.into_iter().filter(|it| it.kind == ActionKind::Fix).map(|it| it.is_preferred).collect::<Vec<_>>()
    };
    let twice = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [ingress]
  ingress:
  - from: [{ipBlock: {cidr: 10.0.0.1/8}}]
    ports: [{protocol: tcp, port: 80}]
";
    let refused = fixes(twice);
    assert!(refused.len() > 1 && !refused.contains(&true), "{refused:?}");
    let taken = twice.replace("[ingress]", "[Ingress]").replace("tcp", "TCP");
    assert_eq!(fixes(&taken), [true, false], "host bits mean nothing, one address in their place means another");
}

#[test]
fn nothing_is_offered_outside_the_range() {
    let (db, at) = beside(&format!("$0{POLICY}"), &[("cluster.yaml", CLUSTER)]);
    assert_eq!(actions(&db, at.file, Span::new(0, 5), &Rules::default()), []);
}
