//! Whether a selector may answer otherwise once more is known.

use super::{Asked, Fact, Missing};
use crate::world::World;
use flow::{PeerId, Prefix};
use hir::labels::{self, LabelSet, Requirement, Selector, Source};
use hir::peers::{Backends, ServiceInfo, name_matches};
use hir::policy::{ServiceSelector, Which};
use hir::{Matching, PeerSelector};
use std::collections::BTreeSet;

/// The other end of a flow, with what is not known of it.
pub(super) struct Peer {
    pub number: PeerId,
    labels: LabelSet,
    /// The addresses that it stands for, when it is outside the cluster.
    region: Option<Prefix>,
    /// It is a pod without an address, which stands at an address that no pod has.
    unplaced: Option<String>,
    /// It is a pod of which nothing is known but its address; this is what is missing.
    pub nobody_knows: Option<Missing>,
}

impl Peer {
    pub fn of(world: &World<'_>, asked: &Asked<'_>) -> Peer {
        let info = world.peers.peer(asked.peer);
        let pod = world.pods[1 - asked.end].as_ref().filter(|pod| pod.ips.iter().any(|it| world.is_stand_in(*it)));
        Peer {
            number: asked.peer,
            labels: info.map(|info| info.key.labels.clone()).unwrap_or_default(),
            region: info.and_then(|info| info.key.region),
            unplaced: pod.map(|pod| pod.name.to_string()),
            nobody_knows: None,
        }
    }
}

/// What would have to be known to be sure of whether a selector selects the peer; empty when it is sure.
pub(super) fn doubt(world: &World<'_>, selector: &PeerSelector, peer: &Peer) -> BTreeSet<Missing> {
    let one = |fact, of: &str| BTreeSet::from([Missing::new(fact, of)]);
    let none = BTreeSet::new();
    match selector {
        PeerSelector::Labels { selector, .. } => match &peer.nobody_knows {
            Some(missing) if may_be_pod(selector) => [missing.clone()].into(),
            _ => of_labels(world, selector, &peer.labels),
        },
        PeerSelector::Cidr { prefix, except, matching: Matching::Address } => match &peer.unplaced {
            Some(pod) if world.dialect.ip_block_matches_pods && (prefix.len() > 0 || !except.is_empty()) => {
                one(Fact::PodAddress, pod)
            }
            _ => none,
        },
        PeerSelector::Fqdn(pattern) if peer.region.is_some() => {
            let known = world.cluster.dns.keys().any(|name| name_matches(pattern, name));
            if known { none } else { one(Fact::DnsNames, pattern) }
        }
        PeerSelector::CidrGroup { name, .. } if peer.region.is_some() => {
            if world.cluster.cidr_groups.contains_key(name) { none } else { one(Fact::CidrGroup, name) }
        }
        PeerSelector::CidrGroups { selector, .. } if peer.region.is_some() => {
            let matches = |group: &facts::CidrGroup| {
                let mut labels = LabelSet::default();
                for (key, value) in &group.labels {
                    labels.insert(Source::Other("cidrgroup".to_owned()), key, value);
                }
                selector.matches(&labels)
            };
            if world.cluster.cidr_groups.values().any(matches) {
                none
            } else {
                one(Fact::CidrGroup, &selector.to_string())
            }
        }
        PeerSelector::Services(services) => of_services(world, services),
        PeerSelector::CloudGroup(group) if peer.region.is_some() => {
            if world.cluster.cloud_groups.contains_key(group) {
                none
            } else {
                one(Fact::CloudGroup, group)
            }
        }
        PeerSelector::CloudGroup(_)
        | PeerSelector::Entity(_)
        | PeerSelector::Cidr { .. }
        | PeerSelector::CidrGroup { .. }
        | PeerSelector::CidrGroups { .. }
        | PeerSelector::Fqdn(_)
        | PeerSelector::Nodes(_)
        | PeerSelector::EveryNode(_) => none,
    }
}

/// What would have to be known to be sure of whether labels meet a condition.
pub(super) fn of_labels(world: &World<'_>, selector: &Selector, labels: &LabelSet) -> BTreeSet<Missing> {
    let Some(namespace) = unread_namespace(world, labels) else { return BTreeSet::new() };
    let (unsure, sure): (Vec<&Requirement>, Vec<&Requirement>) =
        selector.requirements().iter().partition(|it| asks_namespace(it));
    if unsure.is_empty() || !sure.into_iter().all(|it| it.matches(labels)) {
        return BTreeSet::new();
    }
    [Missing::new(Fact::NamespaceLabels, namespace)].into()
}

/// What would have to be known to be sure of what stands behind services.
pub(super) fn of_services(world: &World<'_>, services: &ServiceSelector) -> BTreeSet<Missing> {
    let meant = world.peers.services().iter().filter(|(name, info)| services.selects(name, &info.labels));
    let empty = |info: &ServiceInfo| info.backends == Backends::default();
    let outside = |name: &facts::Name| world.cluster.services.get(name).is_some_and(|it| it.kind == "ExternalName");
    let mut found: BTreeSet<Missing> = BTreeSet::new();
    let mut any = false;
    for (name, info) in meant {
        any = true;
        if empty(info) && !outside(name) {
            found.insert(Missing::new(Fact::Service, name.to_string()));
        }
    }
    if !any {
        let namespace = services.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
        let which = match &services.which {
            Which::Named(name) => name.clone(),
            Which::Labelled(selector) => selector.to_string(),
        };
        found.insert(Missing::new(Fact::Service, format!("{namespace}{which}")));
    }
    found
}

/// The namespace of these labels, when its object was not read.
fn unread_namespace<'l>(world: &World<'_>, labels: &'l LabelSet) -> Option<&'l str> {
    let ours = labels.get(Some(&Source::K8s), labels::CLUSTER) == Some(world.peers.cluster_name());
    let namespace = labels.get(Some(&Source::K8s), labels::NAMESPACE).filter(|_| ours)?;
    (!world.cluster.namespaces.contains_key(namespace)).then_some(namespace)
}

/// Whether a requirement asks for a label of the namespace that cannot be known without its object.
fn asks_namespace(requirement: &Requirement) -> bool {
    let label = requirement.key.strip_prefix(labels::NAMESPACE_LABELS);
    let of_k8s = requirement.source.as_ref().is_none_or(|source| *source == Source::K8s);
    of_k8s && label.is_some_and(|label| label != "kubernetes.io/metadata.name")
}

/// Whether a pod could meet a condition: none does where a reserved label is asked for.
fn may_be_pod(selector: &Selector) -> bool {
    !selector.requirements().iter().any(|it| it.source == Some(Source::Reserved) && !it.matches(&LabelSet::default()))
}
