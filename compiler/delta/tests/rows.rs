//! What rows say beside the flows that differ: who shows them, and what is not compared.

use delta::{Delta, Witness, diff, equal};
use driver::Database;

const CLUSTER: &str = "
{apiVersion: v1, kind: Node, metadata: {name: north}, spec: {podCIDRs: [10.1.0.0/24]}, status: {addresses: [{type: ExternalIP, address: 203.0.113.1}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: north, containers: [{name: c, image: i}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.9}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out, namespace: shop}, spec: {clusterIP: 192.0.2.1, ports: [{port: 80}]}}
";

fn database(policy: &str) -> Database {
    let mut db = Database::new();
    db.set_dialect(hir::Dialect::named("cilium-1.20").unwrap());
    db.set_file("cluster.yaml", CLUSTER);
    db.set_file("policy.yaml", policy);
    db
}

fn compare(old: &str, new: &str) -> Delta {
    diff(&database(old), &database(new)).unwrap()
}

fn from(block: &str) -> String {
    let entry = if block.is_empty() { "{}".to_owned() } else { format!("{{fromCIDR: [{block}]}}") };
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: db, namespace: shop}}, spec: {{endpointSelector: {{}}, ingress: [{entry}]}}}}"
    )
}

#[test]
fn an_address_that_shows_a_row_is_nobodys() {
    let shown = |block: &str| {
        let delta = compare(&from(""), &from(block));
        let found = delta.changes.iter().find(|it| it.world).map(|it| it.sample.source.clone());
        found.unwrap_or_default()
    };
    assert_eq!(shown("203.0.113.0/30"), "203.0.113.2", "the first one is a node's");
    assert_eq!(shown("0.0.0.0/0"), "198.51.100.1", "192.0.2.1 is a service's");
    assert_eq!(shown("10.0.0.0/15"), "10.0.0.1");
    assert_eq!(shown("10.1.0.0/23"), "10.1.1.0", "the range of pods is no part of the world");
}

#[test]
fn a_policy_of_another_engine_that_comes_goes_or_changes_is_named() {
    let foreign = |order: u8, note: &str| {
        format!(
            "{}\n---\n{{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {{name: c, namespace: shop, resourceVersion: '{note}'}}, spec: {{order: {order}, selector: all()}}, status: {{seen: '{note}'}}}}",
            from("")
        )
    };
    let differing = |old: &str, new: &str| -> Vec<String> {
        let all = compare(old, new).foreign;
        all.iter().map(|(engine, object)| format!("{engine} {object}")).collect()
    };
    let named = ["Calico NetworkPolicy shop/c".to_owned()];
    assert_eq!(differing(&from(""), &foreign(1, "a")), named);
    assert_eq!(differing(&foreign(1, "a"), &from("")), named);
    assert_eq!(differing(&foreign(1, "a"), &foreign(2, "a")), named);
    assert_eq!(differing(&foreign(1, "a"), &foreign(1, "b")), [""; 0], "what the API server notes is no change");
    let unequal = equal(&database(&from("")), &database(&foreign(1, "a")));
    assert!(matches!(unequal, Err(Witness::Unevaluated(..))), "{unequal:?}");
}

/// Policies alone, as they stand in a repository: nothing tells of namespaces or pods.
fn policies(text: &str) -> Database {
    let mut db = Database::new();
    db.set_knowledge(driver::Knowledge::Partial);
    db.set_file("policy.yaml", text);
    db
}

/// The rows between two texts of policies: what happens, to whom, from or to whom.
fn told(old: &str, new: &str) -> Vec<String> {
    let delta = diff(&policies(old), &policies(new)).unwrap();
    let said = |it: &delta::Change| format!("{:?} {} -> {}", it.kind, it.sample.source, it.sample.destination);
    delta.changes.iter().map(said).collect()
}

fn admits(from: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p, namespace: shop}}, spec: {{podSelector: {{}}, policyTypes: [Ingress], ingress: [{from}]}}}}"
    )
}

#[test]
fn pods_of_namespaces_that_nobody_speaks_of_gain_and_lose() {
    let (own, every) = (admits("{from: [{podSelector: {}}]}"), admits("{from: [{namespaceSelector: {}}]}"));
    assert_eq!(told(&own, &every), ["Gained pods in other namespaces -> other pods in shop"]);
    assert_eq!(told(&every, &own), ["Lost pods in other namespaces -> other pods in shop"]);
    let (web, any_web) = (
        admits("{from: [{podSelector: {matchLabels: {app: web}}}]}"),
        admits("{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}]}"),
    );
    assert_eq!(told(&web, &any_web), ["Gained pods app=web in other namespaces -> other pods in shop"]);
    let (but, only) = ("NotIn, values: [kube-system]", "In, values: [shop]");
    let of = |how: &str| {
        admits(&format!(
            "{{from: [{{namespaceSelector: {{matchExpressions: [{{key: kubernetes.io/metadata.name, operator: {how}}}]}}}}]}}"
        ))
    };
    assert_eq!(told(&of(but), &of(only)), ["Lost pods in other namespaces -> other pods in shop"]);
}

#[test]
fn pods_of_one_kind_reach_each_other_by_what_is_decided() {
    let nobody = admits("");
    assert_eq!(
        told(&admits("{from: [{podSelector: {}}]}"), &nobody),
        ["Lost other pods in shop -> other pods in shop"]
    );
    let baseline = "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {subject: {namespaces: {}}, ingress: [{name: d, action: Deny, from: [{namespaces: {}}]}]}}";
    assert_eq!(told(baseline, ""), ["Gained pods in other namespaces -> pods in other namespaces"]);
    let workload = "---\n{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: shop}, spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i}]}}}}\n";
    let among = admits("{from: [{podSelector: {matchLabels: {app: db}}}]}");
    let lost = told(&format!("{among}\n{workload}"), &format!("{nobody}\n{workload}"));
    assert!(lost.contains(&"Lost shop/db -> shop/db".to_owned()), "{lost:?}");
}

/// A NetworkPolicy of namespace shop about pods of a selector, who let in whoever another selects.
fn network(subjects: &str, from: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: a, namespace: shop}}, spec: {{podSelector: {subjects}, policyTypes: [Ingress], ingress: [{{from: [{from}]}}]}}}}"
    )
}

/// A CiliumNetworkPolicy of namespace shop about all pods.
fn cilium(rest: &str) -> String {
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: a, namespace: shop}}, spec: {{endpointSelector: {{}}, {rest}}}}}"
    )
}

fn not_in(key: &str, values: &str) -> String {
    format!("{{matchExpressions: [{{key: '{key}', operator: NotIn, values: [{values}]}}]}}")
}

fn is_in(key: &str, values: &str) -> String {
    format!("{{matchExpressions: [{{key: {key}, operator: In, values: [{values}]}}]}}")
}

fn two(app: &str, env: &str) -> String {
    format!(
        "{{podSelector: {{matchExpressions: [{{key: app, operator: In, values: [{app}]}}, {{key: env, operator: In, values: [{env}]}}]}}}}"
    )
}

/// Settings with which nodes can be selected by their labels.
const SETTINGS: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}, data: {enable-node-selector-labels: 'true'}}";

#[test]
fn whoever_one_more_or_one_less_value_is_about_gains_and_loses_though_nobody_is_read() {
    let pods = |selector: String| format!("{{podSelector: {selector}}}");
    let from = |selector: String| cilium(&format!("ingress: [{{fromEndpoints: [{selector}]}}]"));
    let denied = |values: &str| {
        let rest = format!(
            "enableDefaultDeny: {{ingress: false}}, ingressDeny: [{{fromEndpoints: [{}]}}]",
            is_in("tier", values)
        );
        cilium(&rest)
    };
    let names = |pattern: &str| cilium(&format!("egress: [{{toFQDNs: [{{matchPattern: '{pattern}'}}]}}]"));
    let groups = |selector: &str| cilium(&format!("egress: [{{toCIDRSet: [{{cidrGroupSelector: {selector}}}]}}]"));
    let many = |count: u8| (1..=count).map(|at| format!("v{at}")).collect::<Vec<_>>().join(", ");
    let admin = |values: &str| {
        format!(
            "{{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {{name: a}}, spec: {{tier: Admin, priority: 5, subject: {{namespaces: {}}}, ingress: [{{name: d, action: Deny, from: [{{namespaces: {{}}}}]}}]}}}}",
            not_in("kubernetes.io/metadata.name", values)
        )
    };
    let narrow_and_wide = [
        (network("{}", &pods(not_in("tier", "batch, guest"))), network("{}", &pods(not_in("tier", "batch")))),
        (network("{}", &pods(not_in("tier", "batch, guest"))), network("{}", &pods(not_in("tier", "guest")))),
        (
            network(&not_in("tier", "x"), "{ipBlock: {cidr: 192.0.2.0/24}}"),
            network(&not_in("tier", "x, y"), "{ipBlock: {cidr: 192.0.2.0/24}}"),
        ),
        (from(not_in("tier", "batch, guest")), from(not_in("tier", "batch"))),
        (from(not_in("k8s:io.kubernetes.pod.namespace", "b, c")), from(not_in("k8s:io.kubernetes.pod.namespace", "b"))),
        (denied("a, b"), denied("a")),
        (admin("kube-system"), admin("kube-system, prod")),
        (
            cilium(&format!("egress: [{{toNodes: [{}]}}]", not_in("pool", "a, b"))),
            cilium(&format!("egress: [{{toNodes: [{}]}}]", not_in("pool", "a"))),
        ),
        (names("*.a.com"), names("**.a.com")),
        (names("a*.com"), names("*.com")),
        (names("a.*.com"), names("*.*.com")),
        (groups("{matchLabels: {x: y, z: w}}"), groups("{matchLabels: {x: y}}")),
        (groups(&is_in("x", "a")), groups(&is_in("x", "a, b"))),
        (network("{}", &pods(is_in("app", &many(16)))), network("{}", &pods(is_in("app", &many(17))))),
        (network("{}", &two("a, b, c, d", "p, q, r, s")), network("{}", &two("a, b, c, d, e", "p, q, r, s"))),
    ];
    for (narrow, wide) in narrow_and_wide {
        let database = |policy: &str| {
            let mut db = Database::new();
            db.set_dialect(hir::Dialect::named("cilium-1.20").unwrap());
            db.set_knowledge(driver::Knowledge::Partial);
            db.set_file("policy.yaml", policy);
            // Only there: where settings are read, what they leave out has its default.
            if policy.contains("toNodes") {
                db.set_file("settings.yaml", SETTINGS);
            }
            db
        };
        let (narrow, wide) = (database(&narrow), database(&wide));
        let kinds = |old: &Database, new: &Database| -> Vec<delta::Kind> {
            let found = diff(old, new).unwrap().changes;
            found.iter().filter(|it| it.end_to_end).map(|it| it.kind).collect()
        };
        let text = narrow.file_at("policy.yaml").unwrap().text(&narrow).unwrap();
        let (gained, lost) = (kinds(&narrow, &wide), kinds(&wide, &narrow));
        assert!(!gained.is_empty() && gained.iter().all(|it| *it == delta::Kind::Gained), "{text}: {gained:?}");
        assert!(!lost.is_empty() && lost.iter().all(|it| *it == delta::Kind::Lost), "{text}: {lost:?}");
        assert!(equal(&narrow, &wide).is_err(), "{text}");
    }
}

/// Policies that each let a role of their own into an application of their own.
fn many(port: u16) -> String {
    let one = |number: usize| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: n{number}, namespace: s{}}}, spec: {{podSelector: {{matchLabels: {{app: a{number}}}}}, policyTypes: [Ingress], ingress: [{{from: [{{podSelector: {{matchLabels: {{role: r{}}}}}}}], ports: [{{port: {port}}}]}}]}}}}",
            number % 10,
            number / 10
        )
    };
    (0..300).map(one).collect::<Vec<_>>().join("\n---\n")
}

#[test]
fn where_selectors_meet_in_too_many_ways_each_changed_one_is_met_and_the_rest_is_said() {
    let delta = diff(&policies(&many(80)), &policies(&many(81))).unwrap();
    let told: String = delta.changes.iter().flat_map(|it| &it.subjects.names).map(|it| format!("{it}\n")).collect();
    let missing: Vec<usize> =
        (0..300).filter(|it| !told.contains(&format!("pods app=a{it} in s{}\n", it % 10))).collect();
    assert_eq!(missing, Vec::<usize>::new());
    assert!(delta.is_cut, "30 applications times 30 roles in each of 10 namespaces");
    assert_eq!(equal(&policies(&many(80)), &policies(&many(80))), Ok(()), "nothing differs, so nobody need be met");
    assert!(matches!(equal(&policies(&many(80)), &policies(&many(81))), Err(Witness::TooManyWays)));
    let (one, none) =
        (network("{matchLabels: {app: db}}", "{podSelector: {}}"), network("{matchLabels: {app: db}}", ""));
    assert!(!diff(&policies(&one), &policies(&none)).unwrap().is_cut);
}
