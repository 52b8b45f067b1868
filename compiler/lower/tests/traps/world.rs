//! The cluster of all cases, and one way to ask.

use std::net::IpAddr;

use facts::{Cluster, ContainerPort, Fact, Labels, Name, Namespace, Node, Pod};
use flow::{L4Key, PeerId, Prefix, Protocol};
use hir::resolve::resolve;
use hir::subject::class_of_pod;
use hir::{Dialect, Mentions, PeerTable, Policy};
use kinds::What;

pub const STANDARD: &Dialect = &Dialect::STANDARD;
pub const CILIUM: &Dialect = &Dialect::CILIUM_1_20;

fn labels(text: &str) -> Labels {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn pod(name: &str, ip: &str, node: &str, own: &str, http: Option<u16>) -> Fact {
    let (namespace, name) = name.split_once('/').unwrap();
    let port = |port| ContainerPort { name: "http".to_owned(), protocol: Protocol::TCP, port };
    Fact::Pod(Pod {
        name: Name::new(namespace, name),
        labels: labels(own),
        ips: [ip.parse().unwrap()].into(),
        node: Some(node.to_owned()),
        ports: http.map(port).into_iter().collect(),
        ..Pod::default()
    })
}

/// Nodes n1, n2 and cp, which serves the API; namespaces a, b and c; five pods.
pub fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    cluster.config.pod_ranges = [Prefix::parse("10.244.0.0/16").unwrap()].into();
    cluster.config.kube_apiserver = ["10.0.0.9".parse().unwrap()].into();
    for (name, ip) in [("n1", "10.0.0.1"), ("n2", "10.0.0.2"), ("cp", "10.0.0.9")] {
        let ips = [ip.parse().unwrap()].into();
        cluster.insert(Fact::Node(Node { name: name.to_owned(), ips, ..Node::default() }));
    }
    for (name, own) in [("a", "team=red"), ("b", "team=blue"), ("c", "")] {
        cluster.insert(Fact::Namespace(Namespace::new(name, labels(own))));
    }
    for fact in [
        pod("a/web", "10.244.1.10", "n1", "app=web pod-template-hash=5d9f", Some(8080)),
        pod("a/web2", "10.244.2.10", "n2", "app=web tier=2", Some(9090)),
        pod("a/cli", "10.244.1.11", "n1", "app=cli", None),
        pod("b/cli", "10.244.2.11", "n2", "app=cli", None),
        pod("b/db", "10.244.2.12", "n2", "app=db", None),
        pod("c/any", "10.244.2.13", "n2", "", None),
    ] {
        cluster.insert(fact);
    }
    cluster
}

/// A NetworkPolicy of namespace a about the pods with `app=web`, from the lines of its `spec`.
pub fn about_web(spec: &str) -> String {
    policy("networking.k8s.io/v1", "NetworkPolicy", "podSelector: {matchLabels: {app: web}}", spec)
}

/// A NetworkPolicy of namespace a about the pods with `app=cli`.
pub fn about_cli(spec: &str) -> String {
    policy("networking.k8s.io/v1", "NetworkPolicy", "podSelector: {matchLabels: {app: cli}}", spec)
}

/// A CiliumNetworkPolicy of namespace a about the pods with `app=web`.
pub fn cnp(spec: &str) -> String {
    policy("cilium.io/v2", "CiliumNetworkPolicy", "endpointSelector: {matchLabels: {app: web}}", spec)
}

/// A CiliumClusterwideNetworkPolicy about all pods with `app=web`.
pub fn ccnp(spec: &str) -> String {
    policy("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "endpointSelector: {matchLabels: {app: web}}", spec)
}

fn policy(api_version: &str, kind: &str, subjects: &str, spec: &str) -> String {
    format!(
        "apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: it, namespace: a}}\nspec:\n  {subjects}\n  {}\n",
        spec.trim().replace('\n', "\n  ")
    )
}

/// Decodes manifests; names the first stage that refuses each.
pub fn decode(manifests: &[String], dialect: &Dialect) -> Result<Vec<Policy>, String> {
    let mut policies = Vec::new();
    for manifest in manifests {
        let tree = syntax::parse(manifest, &syntax::Limits::default());
        assert!(tree.problems().is_empty(), "{manifest}\n{:?}", tree.problems());
        for root in tree.documents().iter().filter_map(|document| document.root) {
            for decoded in kinds::decode(&tree, root, "default", dialect) {
                for problem in &decoded.problems {
                    let place = tree.find(root, &problem.path);
                    assert!(place.is_some(), "no such place: {} of {:?} in\n{manifest}", problem.path, problem.kind);
                }
                if !decoded.accepted() {
                    let first = decoded.problems.iter().find(|it| it.consequence == kinds::Consequence::Rejected);
                    return Err(first.map_or(String::new(), |it| format!("{} at {}", it.stage.name(), it.path)));
                }
                if let What::Policy(policy) = decoded.what {
                    policies.push(policy);
                }
            }
        }
    }
    Ok(policies)
}

/// Asks `a/cli -> a/web tcp/8080`; an end is a pod, a node or an address. The answer is `allow` when both ends allow it, and else
/// `deny`, or `rejected` when a manifest is.
pub fn ask(dialect: &Dialect, manifests: &[String], query: &str) -> &'static str {
    let Ok(policies) = decode(manifests, dialect) else { return "rejected" };
    ask_in(&cluster(), dialect, &policies, query)
}

/// [`ask`] of decoded policies in another cluster.
pub fn ask_in(cluster: &Cluster, dialect: &Dialect, policies: &[Policy], query: &str) -> &'static str {
    let mut mentions = Mentions::default();
    for policy in policies {
        mentions.extend(&Mentions::of(policy));
    }
    let table = PeerTable::build(cluster, &mentions, dialect);
    let (ends, key) = query.rsplit_once(' ').unwrap();
    let (source, destination) = ends.split_once(" -> ").unwrap();
    let key = key_of(key);
    let allows = |subject: &str, other: &str, at: usize| {
        let Some(pod) = pod_of(cluster, subject) else { return true };
        let Some(class) = class_of_pod(pod, cluster, &table, dialect) else { return true };
        let bound = resolve(policies, &class, &table, &cluster.config, dialect);
        let rules = <[_; 2]>::from(lower::lower(&bound));
        let peer = peer_of(cluster, &table, other, pod.node.as_deref());
        oracle::decide(&rules[at], peer, key).verdict.is_allowed()
    };
    if allows(source, destination, 1) && allows(destination, source, 0) { "allow" } else { "deny" }
}

fn key_of(text: &str) -> L4Key {
    let (protocol, number) = text.split_once('/').unwrap();
    let (protocol, number) = (Protocol::parse(protocol).unwrap(), number.parse().unwrap());
    match protocol {
        Protocol::ICMP | Protocol::ICMPV6 => L4Key::icmp(protocol, number as u8, 0),
        _ => L4Key::new(protocol, number),
    }
}

fn pod_of<'c>(cluster: &'c Cluster, end: &str) -> Option<&'c Pod> {
    let (namespace, name) = end.split_once('/')?;
    let name = Name::new(namespace, name);
    cluster.pods.get(&name).or_else(|| cluster.remote_pods.values().find_map(|pods| pods.get(&name)))
}

fn peer_of(cluster: &Cluster, table: &PeerTable, end: &str, seen_from: Option<&str>) -> PeerId {
    let node = cluster.nodes.get(end).and_then(|node| node.ips.first().copied());
    let pod = pod_of(cluster, end).and_then(|pod| pod.ips.first().copied());
    let address: IpAddr = node.or(pod).unwrap_or_else(|| end.parse().unwrap());
    table.lookup(seen_from, address)
}

/// Asks each query, and says which answers are not as expected.
pub fn check(dialect: &Dialect, manifests: &[String], expected: &[(&str, &str)]) {
    for (query, answer) in expected {
        assert_eq!(
            ask(dialect, manifests, query),
            *answer,
            "{query} under {}\n{}",
            dialect.name,
            manifests.join("---\n")
        );
    }
}
