//! The cluster of the soak: nodes, each with one pod of every role, in both families.

use std::fmt::Write;

/// What a pod is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Opens connections; its egress is ruled, and its ingress closed.
    Web,
    /// Is connected to; its ingress is ruled, and its egress closed.
    Db,
    /// Lets the outside in by a policy that never changes, while the prefixes of other policies split what it is to it.
    Gate,
    /// Has a policy in some states and none in others.
    Late,
    /// Never has a policy.
    Free,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 5] = [Role::Web, Role::Db, Role::Gate, Role::Late, Role::Free];

    /// The value of the label `app`.
    pub fn name(self) -> &'static str {
        match self {
            Role::Web => "web",
            Role::Db => "db",
            Role::Gate => "gate",
            Role::Late => "late",
            Role::Free => "free",
        }
    }
}

/// The outside address of IPv4 (RFC 5737).
pub const WORLD4: &str = "203.0.113.7";
/// The outside address of IPv6 (RFC 3849).
pub const WORLD6: &str = "2001:db8::7";

/// The lab's name of the pod of a role on a node.
pub fn pod(role: Role, node: usize) -> String {
    format!("soak/{}-{node}", role.name())
}

/// So many nodes, the namespace and pods as YAML.
pub fn text(nodes: usize) -> String {
    let mut text = String::new();
    let mut line = |it: std::fmt::Arguments| {
        // Writing into a String never fails.
        let _ = writeln!(text, "{it}");
    };
    line(format_args!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: soak, labels: {{team: t0}}}}"));
    for node in 0..nodes {
        line(format_args!("---\napiVersion: v1\nkind: Node\nmetadata: {{name: n{node}}}"));
        line(format_args!("status: {{addresses: [{{type: InternalIP, address: 10.9.0.{}}}]}}", node + 1));
        for (at, role) in Role::ALL.into_iter().enumerate() {
            let name = role.name();
            line(format_args!("---\napiVersion: v1\nkind: Pod"));
            line(format_args!(
                "metadata: {{name: {name}-{node}, namespace: soak, labels: {{app: {name}, tier: t{at}}}}}"
            ));
            line(format_args!("spec: {{nodeName: n{node}, containers: [{{name: c, image: c}}]}}"));
            let (v4, v6) = (format!("10.8.{node}.{}", at + 10), format!("fd00:8:{node}::{}", at + 10));
            line(format_args!("status: {{phase: Running, podIPs: [{{ip: {v4}}}, {{ip: '{v6}'}}]}}"));
        }
    }
    text
}
