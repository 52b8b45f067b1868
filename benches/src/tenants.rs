//! A cluster of many small tenants, as text: the shape of <https://github.com/cilium/cilium/issues/32940>.
//!
//! 21,000 namespaces with one Cilium policy each, 15,000 pods, at most one a namespace, so that no two pods share a class; some policies
//! of the whole cluster. Policies say what such policies usually say: the own namespace, an ingress controller, DNS through the proxy,
//! the world on port 443, addresses and names.

use crate::world::Files;
use std::fmt::Write;

/// Namespaces, each with a policy.
pub const NAMESPACES: usize = 21_000;
/// Nodes; the pods of a node are of many namespaces.
const NODES: usize = 60;
/// Teams, names of hosts and blocks of addresses that policies choose from.
const TEAMS: usize = 40;

/// How many pods there are; the first so many namespaces have one.
fn pods(namespaces: usize) -> usize {
    namespaces * 5 / 7
}

/// Two files a namespace: what it is, and its policy; beside them nodes, shared services and policies of the whole cluster.
pub fn world(namespaces: usize) -> Files {
    let mut files = vec![
        ("cluster/nodes.yaml".to_owned(), nodes()),
        ("cluster/shared.yaml".to_owned(), shared()),
        ("policies/cluster.yaml".to_owned(), CLUSTERWIDE.to_owned()),
    ];
    for number in 0..namespaces {
        files.push((format!("tenants/t-{number}/cluster.yaml"), tenant(number, number < pods(namespaces))));
        files.push((format!("tenants/t-{number}/policy.yaml"), policy(number)));
    }
    files
}

/// The names of the pods of the first node, as (namespace, name).
pub fn first_node(namespaces: usize) -> Vec<(String, String)> {
    (0..pods(namespaces)).step_by(NODES).map(|number| (format!("t-{number}"), "app-0".to_owned())).collect()
}

fn nodes() -> String {
    let mut text = String::new();
    for node in 0..NODES {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Node\nmetadata:\n  name: node-{node}\n  labels: {{kubernetes.io/hostname: node-{node}}}\n\
             spec:\n  podCIDR: 10.{}.0.0/16\nstatus:\n  addresses:\n    - {{type: InternalIP, address: 192.168.0.{}}}\n",
            128 + node,
            1 + node
        );
    }
    text
}

/// What every tenant talks to.
fn shared() -> String {
    let mut text = String::new();
    let shared =
        [("kube-system", "kube-dns", 53), ("ingress-nginx", "ingress-nginx", 8443), ("monitoring", "prometheus", 9090)];
    for (at, (namespace, app, port)) in shared.into_iter().enumerate() {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: {namespace}\n  labels: {{kubernetes.io/metadata.name: {namespace}}}\n\
             ---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {app}-0\n  namespace: {namespace}\n  labels: {{k8s-app: {app}, app: {app}}}\nspec:\n  \
             nodeName: node-{at}\n  containers:\n    - name: main\n      ports: [{{name: main, containerPort: {port}}}]\nstatus:\n  phase: Running\n  \
             podIPs: [{{ip: 10.{}.255.{}}}]\n",
            128 + at,
            1 + at
        );
    }
    text
}

fn tenant(number: usize, has_pod: bool) -> String {
    let mut text = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: t-{number}\n  labels:\n    kubernetes.io/metadata.name: t-{number}\n    team: team-{}\n",
        number % TEAMS
    );
    if has_pod {
        let (node, place) = (number % NODES, number / NODES);
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: app-0\n  namespace: t-{number}\n  labels:\n    app: app\n    tier: {}\n    version: v{}\n\
             spec:\n  nodeName: node-{node}\n  serviceAccountName: default\n  containers:\n    - name: app\n      image: registry.example.com/app:{}\n      \
             ports:\n        - {{name: http, containerPort: 8080, protocol: TCP}}\nstatus:\n  phase: Running\n  podIP: 10.{}.{}.{}\n  \
             podIPs: [{{ip: 10.{}.{}.{}}}]\n",
            if number.is_multiple_of(2) { "front" } else { "back" },
            number % 3,
            number % 3,
            128 + node,
            place / 250,
            1 + place % 250,
            128 + node,
            place / 250,
            1 + place % 250,
        );
    }
    text
}

fn policy(number: usize) -> String {
    let mut text = format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: tenant\n  namespace: t-{number}\nspec:\n  endpointSelector: {{}}\n  \
         ingress:\n    - fromEndpoints:\n        - {{}}\n    - fromEndpoints:\n        - matchLabels:\n            k8s:io.kubernetes.pod.namespace: \
         ingress-nginx\n            app: ingress-nginx\n      toPorts:\n        - ports:\n            - {{port: \"8080\", protocol: TCP}}\n  egress:\n    \
         - toEndpoints:\n        - {{}}\n    - toEndpoints:\n        - matchLabels:\n            k8s:io.kubernetes.pod.namespace: kube-system\n            \
         k8s-app: kube-dns\n      toPorts:\n        - ports:\n            - {{port: \"53\", protocol: ANY}}\n          rules:\n            dns:\n              \
         - matchPattern: \"*\"\n"
    );
    text += &match number % 4 {
        0 => "    - toEntities: [world]\n      toPorts:\n        - ports:\n            - {port: \"443\", protocol: TCP}\n".to_owned(),
        1 => format!(
            "    - toCIDRSet:\n        - cidr: 100.{}.0.0/16\n          except: [100.{}.{}.0/24]\n      toPorts:\n        - ports:\n            \
             - {{port: \"5432\", protocol: TCP}}\n",
            64 + number % TEAMS,
            64 + number % TEAMS,
            number % 16
        ),
        2 => format!(
            "    - toFQDNs:\n        - matchName: api-{}.example.com\n      toPorts:\n        - ports:\n            - {{port: \"443\", protocol: TCP}}\n",
            number % TEAMS
        ),
        _ => format!(
            "    - toEndpoints:\n        - matchLabels:\n            io.cilium.k8s.namespace.labels.team: team-{}\n            tier: back\n      toPorts:\n        \
             - ports:\n            - {{port: \"8080\", protocol: TCP}}\n",
            number % TEAMS
        ),
    };
    text
}

/// Policies of the whole cluster.
const CLUSTERWIDE: &str = "\
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: no-metadata-service}
spec:
  endpointSelector: {}
  egressDeny:
    - toCIDR: [169.254.169.254/32]
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: metrics}
spec:
  endpointSelector: {}
  ingress:
    - fromEndpoints:
        - matchLabels: {\"k8s:io.kubernetes.pod.namespace\": monitoring, app: prometheus}
      toPorts:
        - ports: [{port: \"9100\", protocol: TCP}]
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: probes}
spec:
  endpointSelector: {}
  ingress:
    - fromEntities: [host, health]
---
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: no-tenant-reaches-the-api}
spec:
  endpointSelector: {matchLabels: {tier: back}}
  egressDeny:
    - toEntities: [kube-apiserver]
";

#[cfg(test)]
mod tests {
    use super::*;
    use driver::{Database, text};

    #[test]
    fn every_object_of_a_tenant_is_accepted() {
        let mut db = Database::new();
        db.set_files(world(NAMESPACES).into_iter().take(43).map(|(path, text)| (path.into(), text.into())));
        for file in db.files() {
            for object in text::decoded(&db, file).objects.iter() {
                let taken = object.role == text::Role::Policy || object.role == text::Role::Fact;
                assert!(taken && object.fact_problems.is_empty(), "{:?}: {:?}", object.object, object.problems);
            }
        }
        let policies: usize = db.files().map(|file| text::policies_of(&db, file).len()).sum();
        assert_eq!(policies, 4 + 20);
    }

    #[test]
    fn a_node_has_250_pods() {
        assert_eq!(first_node(NAMESPACES).len(), 250);
    }
}
