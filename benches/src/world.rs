//! A cluster as text: namespaces of teams, deployments with replicas, several policies a namespace.
//!
//! Twenty pods and twenty policies a namespace: five deployments of four replicas; a default deny, the way to DNS, who may ask whom by
//! label, by namespace and by named port, ranges of addresses with holes, and Cilium policies. Addresses and choices depend on the number
//! of policies alone.

use crate::random::Random;
use std::fmt::Write;

/// Pods and policies a namespace.
pub const A_NAMESPACE: usize = 20;
/// Pods a node.
pub const A_NODE: usize = 250;
/// Deployments of a namespace: application, tier, port.
const APPS: [(&str, &str, u16); 5] = [
    ("web", "front", 8080),
    ("api", "middle", 8000),
    ("db", "back", 5432),
    ("cache", "back", 6379),
    ("worker", "middle", 9000),
];
/// How many teams own the namespaces.
const TEAMS: usize = 20;

/// Texts by path.
pub type Files = Vec<(String, String)>;

/// The world of `n` policies and `n` pods: one file of facts a namespace, one file a policy.
pub fn world(n: usize) -> Files {
    let mut files = vec![("cluster/nodes.yaml".to_owned(), nodes(n)), ("cluster/system.yaml".to_owned(), system())];
    for namespace in 0..n.div_ceil(A_NAMESPACE) {
        let pods = (n - namespace * A_NAMESPACE).min(A_NAMESPACE);
        files.push((format!("cluster/ns-{namespace}.yaml"), namespace_text(namespace, pods, nodes_for(n))));
    }
    files.extend((0..n).map(|number| (policy_path(number), policy(number, 0))));
    files
}

/// The file of a policy.
pub fn policy_path(number: usize) -> String {
    format!("policies/ns-{}/p-{}.yaml", number / A_NAMESPACE, number % A_NAMESPACE)
}

/// How many nodes there are. The pods of a node are of many namespaces.
fn nodes_for(n: usize) -> usize {
    n.div_ceil(A_NODE)
}

/// The names of the pods of the first node, as (namespace, name).
pub fn first_node(n: usize) -> Vec<(String, String)> {
    (0..n).step_by(nodes_for(n)).map(|pod| (format!("ns-{}", pod / A_NAMESPACE), pod_name(pod))).collect()
}

fn pod_name(pod: usize) -> String {
    let (app, ..) = APPS[pod % A_NAMESPACE / 4];
    format!("{app}-{}", pod % 4)
}

fn nodes(n: usize) -> String {
    let mut text = String::new();
    for node in 0..nodes_for(n) {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: node-{node}\n  labels: {{kubernetes.io/hostname: node-{node}}}\n\
             spec:\n  podCIDR: 10.{}.{}.0/24\nstatus:\n  addresses:\n    - {{type: InternalIP, address: 192.168.{}.{}}}\n",
            128 + node / 256,
            node % 256,
            node / 250,
            1 + node % 250
        );
    }
    text
}

fn system() -> String {
    let mut text = String::new();
    for (namespace, app, port, name) in
        [("kube-system", "kube-dns", 53, "dns"), ("monitoring", "prometheus", 9090, "metrics")]
    {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  \
             labels: {{kubernetes.io/metadata.name: {namespace}, team: platform}}\n"
        );
        text += &pod_text(
            namespace,
            app,
            &format!("{app}-0"),
            ("system", 1),
            "node-0",
            [10, 127, 0, port as u8],
            (name, port),
        );
    }
    text
}

/// The facts of a namespace.
pub fn namespace_text(namespace: usize, pods: usize, nodes: usize) -> String {
    let name = format!("ns-{namespace}");
    let mut text = format!(
        "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  \
         labels: {{kubernetes.io/metadata.name: {name}, team: team-{}}}\n",
        namespace % TEAMS
    );
    for pod in namespace * A_NAMESPACE..namespace * A_NAMESPACE + pods {
        let (app, tier, port) = APPS[pod % A_NAMESPACE / 4];
        // A deployment is of one version at a time; namespaces differ in how far they are.
        let version = 1 + namespace % 3;
        let node = pod % nodes;
        let address = [10, 128 + (pod >> 16) as u8, (pod >> 8) as u8, pod as u8];
        text +=
            &pod_text(&name, app, &pod_name(pod), (tier, version), &format!("node-{node}"), address, ("http", port));
    }
    text
}

/// A pod that joins the first deployment of a namespace.
pub fn joined(namespace: usize, extra: u16) -> String {
    let ((app, tier, port), version) = (APPS[0], 1 + namespace % 3);
    let address = [10, 126, (extra >> 8) as u8, extra as u8];
    pod_text(
        &format!("ns-{namespace}"),
        app,
        &format!("{app}-new-{extra}"),
        (tier, version),
        "node-0",
        address,
        ("http", port),
    )
}

fn pod_text(
    namespace: &str,
    app: &str,
    name: &str,
    (tier, version): (&str, usize),
    node: &str,
    [a, b, c, d]: [u8; 4],
    (port_name, port): (&str, u16),
) -> String {
    format!(
        "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  labels:\n    app: {app}\n    tier: {tier}\n    \
         version: v{version}\nspec:\n  nodeName: {node}\n  serviceAccountName: default\n  containers:\n    - name: {app}\n      \
         image: registry.example.com/{app}:{version}\n      ports:\n        - {{name: {port_name}, containerPort: {port}, protocol: TCP}}\n        \
         - {{name: metrics, containerPort: 9100, protocol: TCP}}\nstatus:\n  phase: Running\n  podIP: {a}.{b}.{c}.{d}\n  \
         podIPs: [{{ip: {a}.{b}.{c}.{d}}}]\n"
    )
}

/// A policy. `edition` changes a port of it, or of a policy without ports an address.
pub fn policy(number: usize, edition: u16) -> String {
    let (namespace, place) = (number / A_NAMESPACE, number % A_NAMESPACE);
    let mut random = Random::new(number as u64);
    let (app, _, port) = APPS[place % 5];
    let (other, ..) = APPS[(place + 1 + random.below(4)) % 5];
    let team = random.below(TEAMS);
    let edited = 9000 + edition;
    let metadata = format!("metadata:\n  name: p-{place}\n  namespace: ns-{namespace}\nspec:\n");
    let kubernetes = format!("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{metadata}");
    let cilium = format!("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n{metadata}");
    let of_app = format!("  podSelector: {{matchLabels: {{app: {app}}}}}\n");
    let port_list = format!(
        "      ports:\n        - {{protocol: TCP, port: {port}}}\n        - {{protocol: TCP, port: http}}\n        \
         - {{protocol: TCP, port: {edited}}}\n"
    );
    let cidr = format!("100.{}.{}.0/24", 64 + namespace % 64, random.below(256));
    match place {
        0 => format!("{kubernetes}  podSelector: {{}}\n  policyTypes: [Ingress, Egress]\n"),
        1 => format!(
            "{kubernetes}  podSelector: {{}}\n  policyTypes: [Egress]\n  egress:\n    - to:\n        - namespaceSelector: {{matchLabels: \
             {{kubernetes.io/metadata.name: kube-system}}}}\n          podSelector: {{matchLabels: {{app: kube-dns}}}}\n      ports:\n        \
             - {{protocol: UDP, port: 53}}\n        - {{protocol: TCP, port: 53}}\n        - {{protocol: TCP, port: {edited}}}\n"
        ),
        2 => format!(
            "{kubernetes}  podSelector: {{}}\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - namespaceSelector: {{matchLabels: \
             {{team: platform}}}}\n          podSelector: {{matchLabels: {{app: prometheus}}}}\n      ports:\n        \
             - {{protocol: TCP, port: metrics}}\n        - {{protocol: TCP, port: {edited}}}\n"
        ),
        3..=8 => format!(
            "{kubernetes}{of_app}  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - podSelector: {{matchLabels: {{app: {other}}}}}\n\
             {port_list}"
        ),
        9..=12 => format!(
            "{kubernetes}{of_app}  policyTypes: [Egress]\n  egress:\n    - to:\n        - podSelector: {{matchExpressions: [{{key: app, \
             operator: In, values: [{other}, {app}]}}]}}\n{port_list}"
        ),
        13 | 14 => format!(
            "{kubernetes}{of_app}  policyTypes: [Ingress]\n  ingress:\n    - from:\n        - namespaceSelector: {{matchLabels: {{team: \
             team-{team}}}}}\n          podSelector: {{matchLabels: {{tier: front}}}}\n{port_list}"
        ),
        15 | 16 => format!(
            "{kubernetes}{of_app}  policyTypes: [Egress]\n  egress:\n    - to:\n        - ipBlock: {{cidr: {cidr}, except: [{}]}}\n      \
             ports:\n        - {{protocol: TCP, port: 443}}\n        - {{protocol: TCP, port: {edited}, endPort: {}}}\n",
            cidr.replace(".0/24", ".128/28"),
            edited + 50
        ),
        17 => format!(
            "{cilium}  endpointSelector: {{matchLabels: {{app: {app}}}}}\n  ingress:\n    - fromEndpoints:\n        - matchLabels: {{app: \
             {other}}}\n      toPorts:\n        - ports: [{{port: \"{port}\", protocol: TCP}}, {{port: \"{edited}\", protocol: UDP}}]\n"
        ),
        18 => format!(
            "{cilium}  endpointSelector: {{matchLabels: {{app: {app}}}}}\n  egress:\n    - toEntities: [world]\n      toPorts:\n        \
             - ports: [{{port: \"443\", protocol: TCP}}, {{port: \"{edited}\", protocol: TCP}}]\n"
        ),
        _ => format!(
            "{cilium}  endpointSelector: {{matchLabels: {{tier: back}}}}\n  ingressDeny:\n    - fromCIDRSet: [{{cidr: {cidr}}}]\n      \
             toPorts:\n        - ports: [{{port: \"{edited}\", protocol: TCP}}]\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use driver::{Database, text};

    #[test]
    fn every_object_of_the_world_is_accepted() {
        let mut db = Database::new();
        db.set_files(world(45).into_iter().map(|(path, text)| (path.into(), text.into())));
        for file in db.files() {
            for object in text::decoded(&db, file).objects.iter() {
                assert!(object.problems.is_empty(), "{:?}: {:?}", object.object, object.problems);
                assert!(object.fact_problems.is_empty(), "{:?}: {:?}", object.object, object.fact_problems);
            }
        }
        let policies: usize = db.files().map(|file| text::policies_of(&db, file).len()).sum();
        assert_eq!(policies, 45);
        assert_eq!(driver::world::cluster(&db).pods.len(), 45 + 2);
    }

    #[test]
    fn an_edition_changes_a_policy_that_names_ports() {
        assert_eq!(policy(7, 0), policy(7, 0));
        assert_ne!(policy(7, 0), policy(7, 1));
    }
}
