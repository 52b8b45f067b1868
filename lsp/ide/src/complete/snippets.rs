//! Whole policies that people begin with.

use super::{Item, ItemKind, Site};
use crate::cursor::Place;

/// A policy with places for what is the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// By what it is found.
    pub label: &'static str,
    /// What it does.
    pub says: &'static str,
    /// Its text, in the syntax of snippets.
    pub text: &'static str,
}

/// Every one of them.
pub const SNIPPETS: [Snippet; 6] = [
    Snippet {
        label: "deny all ingress",
        says: "Isolates every pod of a namespace: nothing may reach them but what other policies allow.",
        text: "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${1:deny-ingress}
  namespace: ${2:default}
spec:
  podSelector: {}
  policyTypes: [Ingress]
",
    },
    Snippet {
        label: "deny all, allow DNS",
        says: "Isolates every pod of a namespace in both directions, and leaves them the resolver of the cluster.",
        text: "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${1:deny-all}
  namespace: ${2:default}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
  - to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
    ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
",
    },
    Snippet {
        label: "allow from pods",
        says: "Lets pods with a label reach others at a port.",
        text: "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${1:allow-from-pods}
  namespace: ${2:default}
spec:
  podSelector:
    matchLabels:
      ${3:app}: ${4:server}
  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector:
        matchLabels:
          ${3:app}: ${5:client}
    ports:
    - protocol: TCP
      port: ${6:8080}
",
    },
    Snippet {
        label: "allow from namespace",
        says: "Lets every pod of another namespace in.",
        text: "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ${1:allow-from-namespace}
  namespace: ${2:default}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
  - from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: ${3:monitoring}
",
    },
    Snippet {
        label: "allow names (Cilium)",
        says: "Lets pods reach hosts by their names: the rule for DNS lets the agent learn their addresses.",
        text: "apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: ${1:allow-names}
  namespace: ${2:default}
spec:
  endpointSelector:
    matchLabels:
      ${3:app}: ${4:client}
  egress:
  - toEndpoints:
    - matchLabels:
        k8s:io.kubernetes.pod.namespace: kube-system
        k8s-app: kube-dns
    toPorts:
    - ports:
      - {port: \"53\", protocol: ANY}
      rules:
        dns:
        - matchPattern: \"*\"
  - toFQDNs:
    - matchName: ${5:example.com}
    toPorts:
    - ports:
      - {port: \"443\", protocol: TCP}
",
    },
    Snippet {
        label: "allow from entities (Cilium)",
        says: "Lets a named group of peers in, such as the proxies of Ingress and Gateway.",
        text: "apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: ${1:allow-from-entities}
  namespace: ${2:default}
spec:
  endpointSelector:
    matchLabels:
      ${3:app}: ${4:server}
  ingress:
  - fromEntities:
    - ${5|ingress,cluster,host,world,kube-apiserver|}
    toPorts:
    - ports:
      - {port: \"${6:8080}\", protocol: TCP}
",
    },
];

/// All of them, where a document is still empty.
pub(super) fn items(site: &Site<'_>) -> Vec<Item> {
    let cursor = site.cursor;
    let is_empty = cursor.path.is_empty() && cursor.siblings().is_empty() && cursor.column == 0;
    if cursor.place != Place::Start || !is_empty {
        return Vec::new();
    }
    let item = |(at, it): (usize, &Snippet)| Item {
        label: it.label.to_owned(),
        kind: ItemKind::Snippet,
        detail: "policy".into(),
        documentation: it.says.to_owned(),
        span: cursor.span,
        insert: it.text.to_owned(),
        is_snippet: true,
        sort: format!("3{at:03}"),
        deprecated: false,
    };
    SNIPPETS.iter().enumerate().map(item).collect()
}
