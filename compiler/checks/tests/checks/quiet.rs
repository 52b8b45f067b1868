//! Lints stay silent where a text is right, however much it looks like a mistake.

use crate::{codes, lines, marked, project, said_of};
use hir::Dialect;

const PODS: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: monitoring, labels: {team: b}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}
spec: {serviceAccountName: web, containers: [{name: web, ports: [{name: http, containerPort: 8080}]}]}
status: {phase: Running, podIPs: [{ip: 10.244.1.5}]}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus, namespace: monitoring, labels: {app: prometheus}}
spec: {containers: [{name: prometheus}]}
status: {phase: Running, podIPs: [{ip: 10.244.2.7}]}
---
";

/// What is said of a policy in a cluster all of which is known.
pub(crate) fn in_cluster(dialect: &'static Dialect, policy: &str) -> Vec<String> {
    let mut db = project(&[("a.yaml", PODS)]);
    let cluster = (*driver::world::cluster(&db)).clone();
    db.set_files([(std::sync::Arc::from("b.yaml"), std::sync::Arc::from(policy))]);
    db.set_cluster(cluster);
    db.set_dialect(dialect);
    lines(&checks::check(&db))
}

pub(crate) fn kubernetes(spec: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a, namespace: shop}}\nspec: {spec}\n"
    )
}

pub(crate) fn cilium(spec: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: a, namespace: shop}}\nspec: {spec}\n"
    )
}

/// Source: kubescape/regolibrary#799 and janosmiko/lfk#545, tools that forgot the labels that pods get from elsewhere.
#[test]
fn labels_that_pods_get_from_their_namespace_cluster_and_account_are_labels() {
    for label in [
        "k8s:io.kubernetes.pod.namespace: monitoring",
        "io.kubernetes.pod.namespace: monitoring",
        "any:io.kubernetes.pod.namespace: monitoring",
        "k8s:io.cilium.k8s.namespace.labels.team: b",
        "io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name: monitoring",
        "io.cilium.k8s.policy.serviceaccount: web",
        "io.cilium.k8s.policy.cluster: default",
        "k8s:app: web",
        "reserved:host: ''",
    ] {
        let policy = cilium(&format!(
            "{{endpointSelector: {{}}, ingress: [{{fromEndpoints: [{{matchLabels: {{{label}}}}}]}}]}}"
        ));
        assert_eq!(in_cluster(&Dialect::CILIUM_1_20, &policy), [""; 0], "{label}");
    }
}

/// Source: derailed/popeye#202 and #259, simplified evaluation of selectors.
#[test]
fn selectors_with_expressions_and_without_conditions_are_evaluated_as_they_are() {
    for selector in [
        "{}",
        "{matchExpressions: [{key: app, operator: In, values: [web, api]}]}",
        "{matchExpressions: [{key: app, operator: NotIn, values: [api]}]}",
        "{matchExpressions: [{key: gone, operator: DoesNotExist}]}",
        "{matchExpressions: [{key: tier, operator: Exists}], matchLabels: {app: web}}",
    ] {
        for dialect in [&Dialect::STANDARD, &Dialect::CILIUM_1_20] {
            let policy =
                kubernetes(&format!("{{podSelector: {selector}, ingress: [{{from: [{{podSelector: {selector}}}]}}]}}"));
            assert_eq!(in_cluster(dialect, &policy), [""; 0], "{selector}");
        }
    }
}

#[test]
fn a_namespace_selector_is_about_labels_of_namespaces() {
    for selector in ["{}", "{matchLabels: {team: b}}", "{matchLabels: {kubernetes.io/metadata.name: monitoring}}"] {
        let peer = format!("{{namespaceSelector: {selector}, podSelector: {{matchLabels: {{app: prometheus}}}}}}");
        let policy = kubernetes(&format!("{{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}"));
        assert_eq!(in_cluster(&Dialect::STANDARD, &policy), [""; 0], "{selector}");
    }
    let unknown = kubernetes("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: c}}}]}]}");
    assert_eq!(in_cluster(&Dialect::STANDARD, &unknown), ["TG0145 no namespace is labelled `team=c`"]);
}

#[test]
fn names_that_differ_by_more_than_a_slip_are_other_namespaces() {
    let of = |name: &str| {
        kubernetes(&format!(
            "{{podSelector: {{}}, ingress: [{{from: [{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}}}]}}]}}"
        ))
    };
    // Namespaces without pods, as a repository has them: others are made elsewhere.
    let declared = PODS.split("apiVersion: v1\nkind: Pod").next().unwrap();
    for name in ["shop2", "shops", "elsewhere", "kube-system"] {
        assert_eq!(codes(&said_of(&format!("{declared}{}", of(name)))), [], "{name}");
    }
    assert_eq!(codes(&said_of(&format!("{declared}{}", of("monitorin")))), [145]);
    // With pods that run the files are what a cluster printed, and it printed all namespaces; those of every cluster may be left out.
    assert_eq!(codes(&said_of(&format!("{PODS}{}", of("elsewhere")))), [145]);
    assert_eq!(codes(&said_of(&format!("{PODS}{}", of("kube-system")))), []);
    let unlisted = PODS.replacen("name: monitoring, labels: {team: b}", "name: other, labels: {team: b}", 1);
    assert_eq!(codes(&said_of(&format!("{unlisted}{}", of("elsewhere")))), []);
}

#[test]
fn a_block_outside_the_cluster_and_the_block_of_everything_are_fine() {
    for (block, said) in [
        ("cidr: 203.0.113.0/24", vec![]),
        ("cidr: 0.0.0.0/0", vec![]),
        ("cidr: 10.0.0.0/8, except: [10.244.0.0/16]", vec![]),
        ("cidr: 10.244.0.0/16", vec!["TG0148 `10.244.0.0/16` holds pods of the cluster, and does not match them"]),
    ] {
        let policy = kubernetes(&format!("{{podSelector: {{}}, ingress: [{{from: [{{ipBlock: {{{block}}}}}]}}]}}"));
        assert_eq!(in_cluster(&Dialect::CILIUM_1_20, &policy), said, "{block}");
    }
}

#[test]
fn the_port_of_a_service_is_fine_where_pods_listen_on_it_or_the_target_is_named_too() {
    let service = |port: &str| {
        format!(
            "{PODS}apiVersion: v1\nkind: Service\nmetadata: {{name: web, namespace: shop}}\nspec: {{selector: {{app: web}}, ports: [{port}]}}\n---\n"
        )
    };
    let rule = |ports: &str| {
        kubernetes(&format!(
            "{{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{{podSelector: {{matchLabels: {{app: web}}}}}}], ports: [{ports}]}}]}}"
        ))
    };
    for (mapped, ports, said) in [
        ("{port: 80, targetPort: 8080}", "{port: 80}", vec![154]),
        ("{port: 80, targetPort: http}", "{port: 80}", vec![154]),
        ("{port: 80, targetPort: 8080}", "{port: 80}, {port: 8080}", vec![]),
        ("{port: 80, targetPort: 8080}", "{port: http}, {port: 80}", vec![]),
        ("{port: 8080}", "{port: 8080}", vec![]),
        ("{port: 80, targetPort: 8080}", "{port: 80, protocol: UDP}", vec![]),
    ] {
        assert_eq!(codes(&said_of(&format!("{}{}", service(mapped), rule(ports)))), said, "{mapped} {ports}");
    }
}

#[test]
fn a_dns_rule_of_another_policy_counts_for_the_pods_that_it_may_be_about() {
    let names =
        cilium("{endpointSelector: {matchLabels: {app: web}}, egress: [{toFQDNs: [{matchName: example.com}]}]}");
    let dns = |selector: &str, name: &str| {
        let rule = format!(
            "{{toPorts: [{{ports: [{{port: \"53\", protocol: ANY}}], rules: {{dns: [{{matchPattern: \"{name}\"}}]}}}}]}}"
        );
        let text = cilium(&format!("{{endpointSelector: {selector}, egress: [{rule}]}}"));
        text.replace("name: a,", "name: dns,")
    };
    for (selector, name, said) in [
        ("{}", "*", vec![]),
        ("{matchLabels: {tier: front}}", "example.*", vec![]),
        ("{matchLabels: {app: api}}", "*", vec![160]),
        ("{}", "*.example.org", vec![161]),
    ] {
        assert_eq!(codes(&said_of(&format!("{names}---\n{}", dns(selector, name)))), said, "{selector} {name}");
    }
}

#[test]
fn a_deny_that_leaves_something_of_an_allow_is_fine() {
    for (allow, deny, said) in [
        ("toFQDNs: [{matchName: example.com}]", "toEntities: [world]", vec![160, 170]),
        ("toCIDR: [203.0.113.0/24]", "toCIDR: [203.0.113.128/25]", vec![]),
        ("toCIDR: [203.0.113.0/24]", "toCIDRSet: [{cidr: 203.0.0.0/16, except: [203.0.113.0/26]}]", vec![]),
        (
            "toCIDR: [203.0.113.0/24]",
            "toEntities: [world], toPorts: [{ports: [{port: \"25\", protocol: TCP}]}]",
            vec![],
        ),
        ("toEndpoints: [{}]", "toEntities: [world]", vec![]),
        ("toEntities: [all]", "toEntities: [world]", vec![]),
    ] {
        let policy = cilium(&format!("{{endpointSelector: {{}}, egress: [{{{allow}}}], egressDeny: [{{{deny}}}]}}"));
        let mut found = codes(&said_of(&policy));
        found.sort_unstable();
        assert_eq!(found, said, "{allow} against {deny}");
    }
}

#[test]
fn paths_that_are_expressions_are_left_alone() {
    let rule = |http: &str| {
        cilium(&format!(
            "{{endpointSelector: {{}}, ingress: [{{toPorts: [{{ports: [{{port: \"80\", protocol: TCP}}], rules: {{http: [{{{http}}}]}}}}]}}]}}"
        ))
    };
    for http in [
        "path: '/api/.*'",
        "path: '/a/[^/]*'",
        "path: '/v[0-9]*/x'",
        "path: '/users?'",
        "path: '.*'",
        "method: 'GET|POST'",
        "host: 'a[.]b'",
    ] {
        assert_eq!(codes(&said_of(&rule(http))), [], "{http}");
    }
    for (http, code) in [
        ("path: '/api/*'", 185),
        ("path: '/find?q=.*'", 185),
        ("path: 'api/.*'", 186),
        ("method: 'get|POST'", 187),
        ("host: a.example", 188),
    ] {
        assert_eq!(codes(&said_of(&rule(http))), [code], "{http}");
    }
}

#[test]
fn a_text_without_indentation_is_explained_once_and_mended() {
    let text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\nname: web\nspec:\npodSelector:\nmatchLabels:\napp: web\n\
                # who may come\ningress:\n- from:\n- namespaceSelector: {}\npodSelector: {}\nports:\n- port: 80\n- port: 443\npolicyTypes:\n- Ingress\n";
    let found = said_of(text);
    assert_eq!((codes(&found), marked(&found[0], text)), (vec![195], "podSelector"));
    let fixed = found[0].fixes[0].apply(source::FileId(0), text).unwrap();
    assert_eq!(lines(&said_of(&fixed)), [""; 0], "{fixed}");
    assert!(
        fixed.contains(
            "\n  ingress:\n    - from:\n        - namespaceSelector: {}\n          podSelector: {}\n      ports:\n"
        ),
        "{fixed}"
    );
}

#[test]
fn one_dash_too_many_is_mended_by_taking_it_away() {
    let text = kubernetes(
        "\n  podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector:\n        matchLabels: {team: b}\n    - podSelector:\n        matchLabels: {app: prometheus}",
    );
    let found = said_of(&text);
    assert_eq!(codes(&found), [140]);
    let fixed = found[0].fixes[0].apply(source::FileId(0), &text).unwrap();
    assert!(fixed.contains("{team: b}\n      podSelector:\n        matchLabels"), "{fixed}");
    assert_eq!(lines(&said_of(&fixed)), [""; 0]);
}
