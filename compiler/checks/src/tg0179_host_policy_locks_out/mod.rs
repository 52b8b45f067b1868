//! A host policy that closes nodes to the rest of the cluster.

use diag::Diagnostic;
use flow::Direction;
use hir::{Isolation, Section, Subjects};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(179, "host-policy-locks-out", Error, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let sections = spot.policy.iter().flat_map(|policy| &policy.sections);
    sections
        .flat_map(|section| Direction::BOTH.map(|direction| check(spot, finder, section, direction)))
        .flatten()
        .collect()
}

fn check(spot: &Spot<'_>, finder: &Finder, section: &Section, direction: Direction) -> Option<Diagnostic> {
    let isolates = matches!(section.isolation(direction), Isolation::Isolates(_));
    if !matches!(section.subjects, Subjects::Nodes(_)) || !isolates {
        return None;
    }
    let slot = usize::from(direction == Direction::Egress);
    if finder.others.near("", &section.subjects).any(|brief| brief.admits_nodes[slot]) {
        return None;
    }
    let (headline, why) = match direction {
        Direction::Ingress => (
            "ingress of these nodes is closed to other nodes and to the API server",
            "a packet from any other node to these nodes, tcp/10250, is dropped: the API server cannot reach the kubelet (no logs, no exec, no webhooks on the host network), health checks fail, and \
             tunnels between nodes break",
        ),
        Direction::Egress => (
            "egress of these nodes is closed to other nodes and to the API server",
            "a packet from these nodes to the API server, tcp/6443, is dropped: the kubelet cannot report, so the nodes go NotReady and their pods are moved; the change cannot be \
             taken back from there",
        ),
    };
    let said = spot.say(&PAGE, headline, spot.key(&format!("{}.nodeSelector", section.path)), "these nodes");
    Some(
        said.why(why)
            .help("allow the entities `kube-apiserver` and `remote-node`, and try the policy in audit mode first"),
    )
}
