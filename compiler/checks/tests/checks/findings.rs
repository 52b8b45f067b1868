//! Findings of our own: certain where they speak, silent where facts are missing.

use crate::{codes, lines, marked, project, said_of};
use diag::Severity;
use driver::Db;
use hir::Dialect;

const PODS: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec:
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, ports: [{name: pg, containerPort: 5432}, {name: dns, containerPort: 53, protocol: UDP}]}]}
---
";

fn policy(namespace: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

fn of_shop(spec: &str) -> Vec<diag::Diagnostic> {
    said_of(&format!("{PODS}{}", policy("shop", spec)))
}

#[test]
fn a_selector_is_judged_where_pods_are_known() {
    let found = of_shop("{podSelector: {matchLabels: {app: wbe}}}");
    assert_eq!(lines(&found), ["TG0012 no pod in namespace `shop` matches `app=wbe`"]);
    assert_eq!(found[0].help.as_deref(), Some("did you mean `web`?"));
    assert_eq!(lines(&said_of(&policy("shop", "{podSelector: {matchLabels: {app: wbe}}}"))), [""; 0]);
    let elsewhere = format!("{PODS}{}", policy("other", "{podSelector: {matchLabels: {app: wbe}}}"));
    assert_eq!(lines(&said_of(&elsewhere)), [""; 0]);
}

#[test]
fn pods_that_a_workload_will_make_count() {
    assert_eq!(lines(&of_shop("{podSelector: {matchLabels: {app: db}}}")), [""; 0]);
}

#[test]
fn labels_that_controllers_add_are_not_looked_for_on_pods() {
    assert_eq!(lines(&of_shop("{podSelector: {matchLabels: {job-name: abc}}}")), [""; 0]);
    assert_eq!(codes(&of_shop("{podSelector: {matchLabels: {pod-template-hash: abc}}}")), [146]);
}

#[test]
fn a_selector_without_conditions_is_never_judged() {
    let spec = "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}, {podSelector: {}}]}]}";
    assert_eq!(lines(&of_shop(spec)), [""; 0]);
}

#[test]
fn peers_of_other_namespaces_are_judged_with_a_snapshot_only() {
    let text = format!(
        "{PODS}{}",
        policy(
            "shop",
            "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: x}}}]}]}"
        )
    );
    let mut db = project(&[("a.yaml", &text)]);
    assert_eq!(lines(&checks::check(&db)), [""; 0]);
    let snapshot = (*driver::world::cluster(&db)).clone();
    db.set_cluster(snapshot);
    let found = checks::check(&db);
    assert_eq!(lines(&found), ["TG0012 no pod matches `app=x`"]);
    assert_eq!(marked(&found[0], &text), "x");
}

#[test]
fn the_peers_of_a_cilium_policy_are_judged_in_the_namespace_that_they_name() {
    let policy = |namespace: &str, app: &str| {
        format!(
            "{PODS}apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: a, namespace: other}}\nspec:\n  \
             endpointSelector: {{}}\n  egress: [{{toEndpoints: [{{matchLabels: {{\"k8s:app\": {app}, io.kubernetes.pod.namespace: {namespace}}}}}]}}]\n"
        )
    };
    assert_eq!(codes(&said_of(&policy("shop", "dbs"))), [12]);
    assert_eq!(codes(&said_of(&policy("shop", "db"))), []);
    assert_eq!(codes(&said_of(&policy("kube-system", "dbs"))), []);
}

#[test]
fn a_port_name_is_looked_up_on_the_pods_that_it_is_about() {
    let ingress = |port: &str| {
        of_shop(&format!("{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{ports: [{{{port}}}]}}]}}"))
    };
    assert_eq!(lines(&ingress("port: pg")), [""; 0]);
    assert_eq!(lines(&ingress("port: http")), ["TG0049 no pod that the policy is about has a TCP port named `http`"]);
    let other = ingress("port: dns");
    assert_eq!(other[0].help.as_deref(), Some("the port of this name is UDP; say so with `protocol`"));
    assert_eq!(lines(&ingress("port: dns, protocol: UDP")), [""; 0]);
    let egress = |app: &str| {
        of_shop(&format!(
            "{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {{matchLabels: {{app: {app}}}}}}}], ports: [{{port: http}}]}}]}}"
        ))
    };
    assert_eq!(codes(&egress("web")), []);
    assert_eq!(codes(&egress("db")), [49]);
}

#[test]
fn a_port_name_towards_addresses_is_not_judged() {
    let spec = "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: nope}]}]}";
    assert_eq!(lines(&of_shop(spec)), [""; 0]);
}

#[test]
fn rules_outside_policy_types_are_told_by_the_dialect() {
    let text = policy("a", "{podSelector: {}, policyTypes: [Ingress], egress: [{}]}");
    let mut db = project(&[("a.yaml", &text)]);
    let standard = checks::check(&db);
    db.set_dialect(&Dialect::CILIUM_1_20);
    let cilium = checks::check(&db);
    assert_eq!((codes(&standard), codes(&cilium)), (vec![50], vec![50]));
    assert_ne!(standard[0].why, cilium[0].why);
    assert_eq!(codes(&said_of(&policy("a", "{podSelector: {}, policyTypes: [Ingress], egress: []}"))), []);
    assert_eq!(codes(&said_of(&policy("a", "{podSelector: {}, egress: [{}]}"))), [176]);
}

#[test]
fn one_empty_allow_on_its_own_is_how_everything_is_denied() {
    let cilium = |rules: &str| {
        said_of(&format!(
            "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: a}}\nspec:\n  endpointSelector: {{}}\n  {rules}\n"
        ))
    };
    assert_eq!(codes(&cilium("ingress: [{}]")), []);
    assert_eq!(codes(&cilium("ingress: [{}, {fromEntities: [world]}]")), [52]);
    assert_eq!(codes(&cilium("ingressDeny: [{}]")), [52]);
    assert_eq!(codes(&cilium("ingress: [{fromEndpoints: [], fromCIDR: [192.0.2.0/24]}]")), []);
    assert_eq!(codes(&cilium("egress: [{toFQDNs: []}]")), [52]);
    assert_eq!(codes(&cilium("ingress: [{icmps: [{fields: []}]}]")), [52]);
}

#[test]
fn an_object_that_stands_twice_is_blamed_where_it_is_lost() {
    let (first, second) = (policy("a", "{podSelector: {}}"), policy("a", "{podSelector: {}, ingress: [{}]}"));
    let db = project(&[("a.yaml", &first), ("b.yaml", &second)]);
    let found = checks::check(&db);
    assert_eq!(lines(&found), ["TG0046 `NetworkPolicy a/a` stands twice, again in `b.yaml`"]);
    let files: Vec<u32> = found[0].labels.iter().map(|label| label.file.0).collect();
    assert_eq!((files, found[0].severity), (vec![0, 1], Severity::Error));
    let same = checks::check(&project(&[("a.yaml", &first), ("b.yaml", &first)]));
    assert_eq!(same[0].severity, Severity::Warning);
    assert_eq!(
        codes(&checks::check(&project(&[
            ("a.yaml", &first),
            ("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: a}\n")
        ]))),
        []
    );
}

#[test]
fn a_policy_of_a_namespace_that_nobody_knows_is_fine() {
    let db = project(&[("a.yaml", &format!("{PODS}{}", policy("nowhere", "{podSelector: {}}")))]);
    assert_eq!(checks::check(&db as &dyn Db), []);
}

#[test]
fn a_field_at_a_wrong_depth_is_told_where_it_belongs() {
    let found = said_of(&policy("a", "{podSelector: {}, ingress: [{from: [{podSelector: {}, ports: [{port: 80}]}]}]}"));
    assert_eq!(lines(&found), ["TG0015 NetworkPolicy has no field `ports` in `spec.ingress[0].from[0]`"]);
    assert_eq!(found[0].help.as_deref(), Some("it belongs in `spec.ingress[]`; check the depth of the line"));
}

#[test]
fn a_misspelt_field_is_not_reported_as_missing_too() {
    let found = said_of(&policy("a", "{podSelector: {}, ingress: [{from: [{podSelecter: {}}]}]}"));
    assert_eq!(codes(&found), [15]);
    assert!(found[0].why.as_deref().is_some_and(|why| why.contains("refuses the whole object")), "{:?}", found[0].why);
    let kept = said_of(&policy("a", "{podSelecter: {}}"));
    assert!(kept[0].why.as_deref().is_some_and(|why| why.contains("drops the field")), "{:?}", kept[0].why);
}

#[test]
fn a_malformed_condition_is_said_once() {
    let spec = "{endpointSelector: {matchExpressions: [{key: app, operator: notin, values: [a]}, {operator: Exists}]}, ingress: [{}]}";
    let text = format!("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: a}}\nspec: {spec}\n");
    assert_eq!(codes(&said_of(&text)), [18, 16]);
}
