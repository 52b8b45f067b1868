//! The words of generated objects: few enough that selectors meet labels and ports meet ports.

use crate::random::Random;
use crate::value::Value;

/// Namespaces.
pub const NAMESPACES: &[&str] = &["shop", "pay", "ops", "default", "kube-system"];
/// Nodes.
pub const NODES: &[&str] = &["n1", "n2", "n3"];
/// Labels of pods: key, values.
pub const LABELS: &[(&str, &[&str])] = &[
    ("app", &["web", "db", "cache", "kube-dns"]),
    ("tier", &["front", "back"]),
    ("app.kubernetes.io/name", &["api", "web"]),
    ("team", &["red", "blue"]),
];
/// Names of container ports.
pub const PORT_NAMES: &[&str] = &["http", "dns", "metrics", "grpc"];
/// Prefixes, nested and apart, inside the cluster and outside.
pub const PREFIXES: &[&str] = &[
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.1.0/24",
    "10.0.1.4/32",
    "10.0.2.0/30",
    "192.168.0.0/16",
    "192.168.1.1/32",
    "100.64.0.0/10",
    "100.64.7.0/24",
    "100.64.7.128/25",
    "100.64.7.200/29",
    "203.0.113.9/32",
    "::/0",
    "fd00::/8",
    "fd00:1::/64",
    "fd00:1::4/128",
    "2001:db8::/32",
    "2001:db8:1::/48",
    "2001:db8:1::5/128",
];
/// DNS names.
pub const NAMES: &[&str] = &["api.example.com", "www.example.com", "example.com", "a.b.example.org"];
/// DNS patterns.
pub const PATTERNS: &[&str] = &["*.example.com", "*", "api.*", "**.example.org", "a*.example.com", "*.b.example.org"];
/// Services.
pub const SERVICES: &[&str] = &["web", "db", "kubernetes", "kube-dns"];
/// Ports.
pub const PORTS: &[i64] = &[53, 80, 80, 81, 88, 443, 443, 8080, 9090, 1, 65535, 0];

/// A label of a pod.
pub fn label(random: &mut Random) -> (&'static str, &'static str) {
    let (key, values) = random.pick_copy(LABELS);
    (key, random.pick_copy(values))
}

/// A text that fits a field of this name more often than not.
pub fn text(field: &str, random: &mut Random) -> Value {
    let port = random.pick(PORTS).to_string();
    let choice: &[&str] = match field {
        "cidr" | "except" | "fromCIDR" | "toCIDR" | "externalCIDRs" | "networks" | "destinationCIDRs"
        | "excludedCIDRs" => PREFIXES,
        "namespace" => NAMESPACES,
        "matchName" | "serverNames" | "host" => NAMES,
        "matchPattern" | "domainNames" => {
            if random.chance(1, 2) {
                PATTERNS
            } else {
                NAMES
            }
        }
        "protocol" => &["TCP", "UDP", "SCTP", "TCP", "ANY", "ICMP"],
        "policyTypes" => &["Ingress", "Egress"],
        "operator" => &["In", "NotIn", "Exists", "DoesNotExist"],
        "port" if random.chance(1, 4) => PORT_NAMES,
        "port" | "number" | "start" | "end" => return Value::text(port),
        "namedPort" => PORT_NAMES,
        "type" => &["8", "0", "EchoRequest", "EchoReply", "DestinationUnreachable", "128", "135"],
        "method" => &["GET", "POST", "GET|PUT", "[A-Z]+"],
        "path" => &["/", "/api/.*", "/public", "/[a-z]+/x"],
        "headers" => &["X-Token: 1", "X-Any"],
        "serviceName" => SERVICES,
        "action" => &["Allow", "Accept", "Deny", "Pass"],
        "tier" => &["Admin", "Baseline"],
        "apiVersion" => &["v1", "1", "0"],
        "key" => &["app", "tier", "team", "kubernetes.io/metadata.name", "io.kubernetes.pod.namespace", "k8s:app"],
        "cidrGroupRef" => &["partners", "offices", "nobody"],
        "name" => &["web", "db", "x"],
        _ => &["a", "web", "red", "x-1", "Required", "10.0.0.0/8", "80"],
    };
    Value::text(random.pick_copy(choice))
}

/// A key of a mapping in a field of this name, and a value for it.
pub fn entry(field: &str, random: &mut Random) -> (String, Value) {
    if field == "matchLabels" || field == "selector" || field == "labels" {
        if random.chance(1, 5) {
            let (key, values): (&str, &[&str]) = random.pick_copy(&[
                ("kubernetes.io/metadata.name", NAMESPACES),
                ("k8s:io.kubernetes.pod.namespace", NAMESPACES),
                ("io.kubernetes.pod.namespace", NAMESPACES),
                ("reserved:host", &["", ""]),
                ("any:app", &["web", "db"]),
                ("k8s:app", &["web", "db"]),
                ("io.cilium.k8s.namespace.labels.team", &["red", "blue"]),
            ]);
            return (key.to_owned(), Value::text(random.pick_copy(values)));
        }
        let (key, value) = label(random);
        return (key.to_owned(), Value::text(value));
    }
    ((random.pick_copy(&["a", "b", "c"])).to_owned(), text(field, random))
}
