//! A verdict that hangs on what was not read is unknown and says on what; never a guess.

use driver::{Database, Knowledge, Wish, world};
use hir::Dialect;
use reason::party;
use reason::trace::Outcome;
use reason::{Question, Trace};

/// One object a text, so that any can be left out.
const SHOP: &[(&str, &str)] = &[
    (
        "node n1",
        "{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRs: [10.1.0.0/24]}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}",
    ),
    (
        "node n2",
        "{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDRs: [10.2.0.0/24]}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}",
    ),
    ("namespace a", "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: red}}}"),
    ("namespace b", "{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: blue}}}"),
    (
        "pod a/web",
        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.4}]}}",
    ),
    (
        "pod a/db",
        "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a, labels: {app: db}}, spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: pg, containerPort: 5432}]}]}, status: {podIPs: [{ip: 10.1.0.9}]}}",
    ),
    (
        "pod b/cli",
        "{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: b, labels: {app: cli}}, spec: {nodeName: n2, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.2.0.5}]}}",
    ),
    (
        "pod b/job",
        "{apiVersion: v1, kind: Pod, metadata: {name: job, namespace: b, labels: {app: job}}, spec: {nodeName: n2, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.2.0.6}]}}",
    ),
    (
        "service a/db",
        "{apiVersion: v1, kind: Service, metadata: {name: db, namespace: a}, spec: {clusterIP: 10.96.0.7, selector: {app: db}, ports: [{port: 5432}]}}",
    ),
    (
        "slice kubernetes",
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}, addressType: IPv4, endpoints: [{addresses: [192.168.0.9]}], ports: [{port: 6443}]}",
    ),
    (
        "group vpn",
        "{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: vpn}, spec: {externalCIDRs: [203.0.113.0/24]}}",
    ),
];

const POLICIES: &str = "
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: a}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}, {ipBlock: {cidr: 10.1.0.4/32}}], ports: [{port: pg}]}]}}
---
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: web, namespace: a}, spec: {endpointSelector: {matchLabels: {app: web}}, egress: [{toCIDRSet: [{cidrGroupRef: vpn}]}, {toEntities: [kube-apiserver]}, {toEndpoints: [{matchLabels: {app: db}}], toPorts: [{ports: [{port: pg, protocol: TCP}]}]}], ingress: [{fromEntities: [remote-node]}]}}
---
{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: cli, namespace: b}, spec: {endpointSelector: {matchLabels: {app: cli}}, egress: [{toEntities: [world]}], ingress: [{fromEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: a, k8s:io.cilium.k8s.namespace.labels.team: red}}]}]}}
";

const FLOWS: &[[&str; 3]] = &[
    ["b/cli", "a/db", "5432"],
    ["b/job", "a/db", "5432"],
    ["b/job", "a/db", "80"],
    ["b/job", "b/cli", "80"],
    ["a/web", "a/db", "5432"],
    ["a/web", "203.0.113.7", "443"],
    ["a/web", "198.51.100.7", "443"],
    ["a/web", "192.168.0.9", "6443"],
    ["a/web", "10.96.0.7", "5432"],
    ["192.168.0.1", "a/web", "80"],
    ["192.168.0.2", "a/web", "80"],
    ["192.168.0.1", "a/db", "80"],
    ["192.168.0.2", "a/db", "80"],
    ["10.2.0.5", "a/db", "5432"],
    ["10.2.0.5", "a/web", "80"],
    ["10.1.0.4", "a/db", "5432"],
    ["10.1.0.4", "b/cli", "80"],
    ["a/web", "b/cli", "80"],
    ["b/cli", "192.168.0.1", "22"],
    ["b/cli", "10.1.0.9", "22"],
    ["b/cli", "198.51.100.7", "443"],
];

fn database<'t>(texts: impl IntoIterator<Item = &'t str>, dialect: &'static Dialect) -> Database {
    let mut db = Database::new();
    let names = (0..).map(|at| format!("{at:03}.yaml"));
    db.set_files(names.zip(texts).map(|(name, text)| (name.into(), text.into())));
    db.set_knowledge(Knowledge::Partial);
    db.settle_dialect(Wish::Named(dialect));
    db
}

/// The answer; `None` where an end is not among what was read, which is said and no guess.
fn ask(db: &Database, flow: &[&str; 3]) -> Option<Trace> {
    let cluster = world::cluster(db);
    let end = |word| party::party(&cluster, "a", word).ok();
    let key = party::key(flow[2], None).unwrap();
    let question = Question {
        source: end(flow[0])?,
        destination: end(flow[1])?,
        key,
        request: None,
        road: reason::service::Road::Straight,
    };
    Some(reason::trace(db, &question))
}

fn shown(trace: &Trace) -> String {
    let missing: Vec<String> = trace.missing().iter().map(ToString::to_string).collect();
    match missing.as_slice() {
        [] => format!("{:?}", trace.outcome()),
        missing => format!("{:?}: {}", trace.outcome(), missing.join(", ")),
    }
}

#[test]
fn with_everything_read_nothing_is_unknown_but_services_before_translation() {
    for dialect in Dialect::ALL {
        let db = database(SHOP.iter().map(|it| it.1).chain([POLICIES]), dialect);
        for flow in FLOWS {
            let said = shown(&ask(&db, flow).unwrap());
            let service = flow[1] == "10.96.0.7";
            assert_eq!(said.contains("Unknown"), service, "{} {flow:?}: {said}", dialect.name);
        }
    }
}

#[test]
fn leaving_out_any_one_object_gives_the_same_verdict_or_unknown_and_never_another() {
    let mut seen = 0;
    for dialect in Dialect::ALL {
        let whole = database(SHOP.iter().map(|it| it.1).chain([POLICIES]), dialect);
        for (left_out, _) in SHOP {
            let rest = SHOP.iter().filter(|it| it.0 != *left_out).map(|it| it.1);
            let part = database(rest.chain([POLICIES]), dialect);
            for flow in FLOWS {
                let (before, Some(after)) = (ask(&whole, flow).unwrap(), ask(&part, flow)) else { continue };
                let guessed = before.outcome() != Outcome::Unknown
                    && after.outcome() != Outcome::Unknown
                    && after.outcome() != before.outcome();
                assert!(
                    !guessed,
                    "{} without {left_out}: {flow:?} {} is {}",
                    dialect.name,
                    shown(&before),
                    shown(&after)
                );
                seen += usize::from(after.outcome() == Outcome::Unknown && before.outcome() != Outcome::Unknown);
                let reasons = after.missing();
                assert_eq!(after.outcome() == Outcome::Unknown, !reasons.is_empty(), "{flow:?}");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// What one flow hangs on without one object.
fn without(left_out: &str, flow: [&str; 3], dialect: &'static Dialect) -> String {
    let rest = SHOP.iter().filter(|it| it.0 != left_out).map(|it| it.1);
    shown(&ask(&database(rest.chain([POLICIES]), dialect), &flow).unwrap())
}

#[test]
fn the_missing_fact_is_named_and_no_other() {
    let cilium = |left_out, flow| without(left_out, flow, &Dialect::CILIUM_1_20);
    let standard = |left_out, flow| without(left_out, flow, &Dialect::STANDARD);
    assert_eq!(standard("namespace b", ["b/job", "a/db", "5432"]), "Unknown: namespace-labels b");
    assert_eq!(standard("namespace b", ["b/job", "a/db", "80"]), "Deny");
    assert_eq!(standard("namespace a", ["a/db", "b/cli", "80"]), "Unknown: namespace-labels a");
    assert_eq!(cilium("group vpn", ["a/web", "203.0.113.7", "443"]), "Unknown: cidr-group vpn");
    assert_eq!(standard("node n2", ["192.168.0.2", "a/web", "80"]), "Unknown: node n2");
    assert_eq!(standard("node n1", ["192.168.0.1", "a/db", "80"]), "Unknown: node n1");
    assert_eq!(cilium("slice kubernetes", ["a/web", "192.168.0.9", "6443"]), "Unknown: api-server default/kubernetes");
    assert_eq!(standard("pod b/cli", ["10.2.0.5", "a/db", "5432"]), "Unknown: address-owner 10.2.0.5");
    assert_eq!(standard("service a/db", ["a/web", "a/db", "5432"]), "Allow");
}

#[test]
fn what_does_not_matter_is_not_asked_for() {
    let everybody = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: all, namespace: a}, spec: {podSelector: {}, ingress: [{}]}}";
    let denied = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: nobody, namespace: a}, spec: {endpointSelector: {}, ingressDeny: [{fromEntities: [all]}]}}";
    let some = SHOP.iter().filter(|it| !it.0.starts_with("namespace")).map(|it| it.1);
    let ask_with = |more: &'static str| {
        let db = database(some.clone().chain([POLICIES, more]), &Dialect::STANDARD);
        shown(&ask(&db, &["b/job", "a/db", "5432"]).unwrap())
    };
    assert_eq!(ask_with(everybody), "Allow");
    assert_eq!(ask_with(denied), "Deny");
}

#[test]
fn names_without_answers_are_missing_until_one_is_known() {
    let policy = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: out, namespace: b}, spec: {endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: '*.example.com'}]}]}}";
    let mut db = database(SHOP.iter().map(|it| it.1).chain([policy]), &Dialect::CILIUM_1_20);
    let flow = ["b/cli", "198.51.100.7", "443"];
    assert_eq!(shown(&ask(&db, &flow).unwrap()), "Unknown: dns-names *.example.com");
    let mut answered = |address: &str| {
        let mut cluster = facts::Cluster::default();
        cluster.dns.insert("api.example.com".into(), [address.parse().unwrap()].into());
        db.set_cluster(cluster);
        shown(&ask(&db, &flow).unwrap())
    };
    assert_eq!(answered("198.51.100.7"), "Allow");
    assert_eq!(answered("198.51.100.8"), "Deny");
}

#[test]
fn a_complete_world_has_no_unread_objects() {
    let rest = SHOP.iter().filter(|it| !it.0.starts_with("namespace")).map(|it| it.1);
    let mut db = database(rest.chain([POLICIES]), &Dialect::STANDARD);
    db.set_knowledge(Knowledge::Complete);
    assert_eq!(shown(&ask(&db, &["b/job", "a/db", "5432"]).unwrap()), "Deny");
}

#[test]
fn a_pod_that_is_not_scheduled_may_be_on_any_node_and_have_any_address() {
    let pending = "{apiVersion: v1, kind: Pod, metadata: {name: new, namespace: a, labels: {app: db}}, spec: {containers: [{name: c, image: i}]}, status: {phase: Pending}}";
    let blocks = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: blocks, namespace: b}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}]}}";
    let db = database(SHOP.iter().map(|it| it.1).chain([pending, POLICIES, blocks]), &Dialect::STANDARD);
    assert_eq!(shown(&ask(&db, &["192.168.0.1", "a/new", "80"]).unwrap()), "Unknown: pod-node a/new");
    assert_eq!(shown(&ask(&db, &["a/new", "b/job", "80"]).unwrap()), "Unknown: pod-address a/new");
    let db = database(SHOP.iter().map(|it| it.1).chain([pending, POLICIES, blocks]), &Dialect::CILIUM_1_20);
    assert_eq!(shown(&ask(&db, &["a/new", "b/job", "80"]).unwrap()), "Deny");
}
