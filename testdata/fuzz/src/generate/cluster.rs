//! Random clusters: namespaces, nodes, pods of both families, services, and what no object tells.

use super::{policy, words};
use crate::case::Options;
use crate::random::Random;
use crate::value::Value;
use hir::Dialect;

/// The documents of a small world and its options: facts first, then policies.
pub fn world(random: &mut Random) -> (Options, Vec<Value>) {
    let options = options(random);
    let mut documents = Vec::new();
    let namespaces = random.between(1, 3);
    for name in &words::NAMESPACES[..namespaces] {
        let (key, values) = words::LABELS[3];
        let labels = [("kubernetes.io/metadata.name", *name), (key, random.pick_copy(values))];
        let metadata = Value::map([("name", Value::text(*name)), ("labels", Value::labels(labels))]);
        documents.push(Value::map([
            ("apiVersion", Value::text("v1")),
            ("kind", Value::text("Namespace")),
            ("metadata", metadata),
        ]));
    }
    let nodes = random.between(1, 3);
    documents.extend((0..nodes).map(|at| node(at, random)));
    documents.extend((0..random.between(2, 7)).map(|at| pod(at, namespaces, nodes, random)));
    documents.extend((0..random.below(3)).map(|at| extra(at, namespaces, random)));
    for at in 0..random.between(1, 6) {
        let mut made = policy(&format!("p{at}"), options.dialect, random);
        into_namespace(&mut made, namespaces, random);
        documents.push(made);
    }
    (options, documents)
}

fn options(random: &mut Random) -> Options {
    let mut options = Options { dialect: random.pick_copy(&Dialect::ALL), ..Options::default() };
    options.host_firewall = random.chance(1, 4);
    options.always = random.chance(1, 12);
    options.no_ipv6 = random.chance(1, 5);
    if random.chance(1, 2) {
        for name in words::NAMES {
            let address = random.pick_copy(&["203.0.113.9", "100.64.7.200", "2001:db8:1::5", "10.0.1.4"]);
            options.dns.push(((*name).to_owned(), address.to_owned()));
        }
    }
    options
}

/// A policy that says a namespace is in one that there is.
fn into_namespace(object: &mut Value, namespaces: usize, random: &mut Random) {
    let there = random.chance(9, 10);
    if let Some(namespace) = object.get_mut("metadata").and_then(|it| it.get_mut("namespace")).filter(|_| there) {
        *namespace = Value::text(random.pick_copy(&words::NAMESPACES[..namespaces]));
    }
}

fn node(at: usize, random: &mut Random) -> Value {
    let name = words::NODES[at];
    let mut labels = vec![("kubernetes.io/hostname", name)];
    if random.chance(1, 2) {
        labels.push(words::label(random));
    }
    let address =
        |kind: &str, address: String| Value::map([("type", Value::text(kind)), ("address", Value::text(address))]);
    let mut addresses = vec![address("InternalIP", format!("192.168.1.{}", at + 1))];
    if random.chance(1, 2) {
        addresses.push(address("InternalIP", format!("fd00:ff::{}", at + 1)));
    }
    if random.chance(1, 4) {
        addresses.push(address("ExternalIP", format!("203.0.113.{}", at + 9)));
    }
    Value::map([
        ("apiVersion", Value::text("v1")),
        ("kind", Value::text("Node")),
        ("metadata", Value::map([("name", Value::text(name)), ("labels", Value::labels(labels))])),
        (
            "spec",
            Value::map([(
                "podCIDRs",
                Value::List(vec![Value::text(format!("10.0.{at}.0/24")), Value::text(format!("fd00:{at}::/64"))]),
            )]),
        ),
        ("status", Value::map([("addresses", Value::List(addresses))])),
    ])
}

fn pod(at: usize, namespaces: usize, nodes: usize, random: &mut Random) -> Value {
    let namespace = random.pick_copy(&words::NAMESPACES[..namespaces]);
    let mut labels: Vec<(&str, &str)> = Vec::new();
    for _ in 0..random.between(0, 3) {
        let (key, value) = words::label(random);
        if labels.iter().all(|(known, _)| *known != key) {
            labels.push((key, value));
        }
    }
    let node = random.below(nodes);
    let port = |random: &mut Random| {
        Value::map([
            ("name", Value::text(random.pick_copy(words::PORT_NAMES))),
            ("containerPort", Value::Whole(random.pick_copy(&[80, 53, 8080, 443]))),
            ("protocol", Value::text(random.pick_copy(&["TCP", "TCP", "UDP", "SCTP"]))),
        ])
    };
    let ports = (0..random.below(3)).map(|_| port(random)).collect();
    let mut spec = vec![
        ("nodeName".to_owned(), Value::text(words::NODES[node])),
        (
            "containers".to_owned(),
            Value::List(vec![Value::map([("name", Value::text("c")), ("ports", Value::List(ports))])]),
        ),
    ];
    if random.chance(1, 10) {
        spec.push(("hostNetwork".to_owned(), Value::Flag(true)));
    }
    if random.chance(1, 3) {
        spec.push(("serviceAccountName".to_owned(), Value::text("robot")));
    }
    let ip = |text: String| Value::map([("ip", Value::text(text))]);
    let mut ips = vec![ip(format!("10.0.{node}.{}", at + 3))];
    if random.chance(1, 2) {
        ips.push(ip(format!("fd00:{node}::{}", at + 3)));
    }
    let phase = random.pick_copy(&["Running", "Running", "Running", "Running", "Pending", "Succeeded"]);
    Value::map([
        ("apiVersion", Value::text("v1")),
        ("kind", Value::text("Pod")),
        (
            "metadata",
            Value::map([
                ("name", Value::text(format!("pod{at}"))),
                ("namespace", Value::text(namespace)),
                ("labels", Value::labels(labels)),
            ]),
        ),
        ("spec", Value::Map(spec)),
        ("status", Value::map([("phase", Value::text(phase)), ("podIPs", Value::List(ips))])),
    ])
}

/// A service, a named set of prefixes, or the addresses of the API server.
fn extra(at: usize, namespaces: usize, random: &mut Random) -> Value {
    let namespace = random.pick_copy(&words::NAMESPACES[..namespaces]);
    match random.below(3) {
        0 => Value::map([
            ("apiVersion", Value::text("v1")),
            ("kind", Value::text("Service")),
            (
                "metadata",
                Value::map([("name", Value::text(words::SERVICES[at % 2])), ("namespace", Value::text(namespace))]),
            ),
            (
                "spec",
                Value::map([
                    ("clusterIP", Value::text(format!("10.96.0.{}", at + 1))),
                    ("selector", Value::labels([words::label(random)])),
                    (
                        "ports",
                        Value::List(vec![Value::map([
                            ("port", Value::Whole(80)),
                            ("targetPort", Value::text("http")),
                        ])]),
                    ),
                ]),
            ),
        ]),
        1 => Value::map([
            ("apiVersion", Value::text("cilium.io/v2")),
            ("kind", Value::text("CiliumCIDRGroup")),
            (
                "metadata",
                Value::map([("name", Value::text("partners")), ("labels", Value::labels([words::label(random)]))]),
            ),
            (
                "spec",
                Value::map([(
                    "externalCIDRs",
                    Value::List((0..random.between(1, 3)).map(|_| words::text("cidr", random)).collect()),
                )]),
            ),
        ]),
        _ => Value::map([
            ("apiVersion", Value::text("discovery.k8s.io/v1")),
            ("kind", Value::text("EndpointSlice")),
            (
                "metadata",
                Value::map([
                    ("name", Value::text("kubernetes")),
                    ("namespace", Value::text("default")),
                    ("labels", Value::labels([("kubernetes.io/service-name", "kubernetes")])),
                ]),
            ),
            (
                "endpoints",
                Value::List(vec![Value::map([(
                    "addresses",
                    Value::List(vec![Value::text(random.pick_copy(&["192.168.1.1", "203.0.113.9"]))]),
                )])]),
            ),
        ]),
    }
}
