//! Whom a selector selects.

use std::collections::BTreeSet;
use std::sync::Arc;

use flow::{PeerId, PeerSet, Peers, Prefix};

use crate::labels::{CLUSTER, LabelSet, Operator, Requirement, Selector, Source};
use crate::peers::{HOST, HostId, HostKey, PeerKey, PeerTable, UNKNOWN};
use crate::policy::{Entity, Matching, PeerSelector};

/// The peers that a selector selects, for subjects whose own node is `host`.
///
/// Shape: [`Peers::All`] for the entity `all` only. The peer `unknown` is in no set.
/// Cost: of prefixes and labels that must be there, in the peers that are found; of all else linear in the peers. The answer depends on the keys of peers and hosts, the sets of prefixes and the cluster's name only, so
/// it may be kept while those are unchanged.
pub fn members(selector: &PeerSelector, id: HostId, table: &PeerTable) -> Peers {
    let nobody = HostKey::default();
    let host = table.hosts().get(id.0 as usize).unwrap_or(&nobody);
    match selector {
        PeerSelector::Entity(Entity::All) => Peers::All,
        PeerSelector::Entity(entity) => collect(table, host, |key| of_entity(*entity, &key.labels, table)),
        PeerSelector::Labels { selector, everywhere } => {
            let scoped = if *everywhere { selector.clone() } else { in_cluster(selector, table) };
            by_labels(table, host, &scoped)
        }
        PeerSelector::Nodes(selector) => {
            let wanted = in_cluster(selector, table).and([Requirement::reserved("remote-node")]);
            by_labels(table, host, &wanted)
        }
        PeerSelector::Services(services) => {
            let mut all = BTreeSet::new();
            for behind in table.behind(services) {
                // Only the entity of everybody is everybody, and none stands behind a service.
                if let Peers::Of(set) = members(&behind, id, table) {
                    all.extend(set.iter());
                }
            }
            Peers::Of(Arc::new(all.into_iter().collect()))
        }
        PeerSelector::CloudGroup(group) => match table.cloud_groups().get(group) {
            Some(prefixes) => of_group(table, host, prefixes.iter().copied(), &[]),
            None => Peers::Of(Arc::new(PeerSet::default())),
        },
        PeerSelector::EveryNode(selector) => collect(table, host, |key| {
            let is_node = key.labels.has_reserved("remote-node") || key.labels.has_reserved("host");
            is_node && selector.matches(&key.labels)
        }),
        PeerSelector::Fqdn(pattern) => {
            collect(table, host, |key| key.labels.get(Some(&Source::Fqdn), pattern).is_some())
        }
        PeerSelector::Cidr { prefix, except, matching } => {
            by_prefix(table, host, BTreeSet::from([*prefix]), except, *matching)
        }
        PeerSelector::CidrGroup { name, except } => match table.groups().get(name) {
            Some(group) => of_group(table, host, group.prefixes.iter().copied(), except),
            None => Peers::Of(Arc::new(PeerSet::default())),
        },
        PeerSelector::CidrGroups { selector, except } => {
            let groups = table.groups().values().filter(|group| {
                let mut labels = LabelSet::default();
                for (key, value) in &group.labels {
                    labels.insert(Source::Other("cidrgroup".to_owned()), key, value);
                }
                selector.matches(&labels)
            });
            of_group(table, host, groups.flat_map(|group| group.prefixes.iter().copied()), except)
        }
    }
}

/// The peers whose labels match, found through the labels that the selector asks to be there.
fn by_labels(table: &PeerTable, host: &HostKey, selector: &Selector) -> Peers {
    let Some(candidates) = table.candidates(selector.requirements()) else {
        return collect(table, host, |key| selector.matches(&key.labels));
    };
    let matches = |number: &PeerId| table.peer(*number).is_some_and(|info| selector.matches(&info.key.labels));
    let mut set: PeerSet = candidates.into_iter().filter(matches).collect();
    if selector.matches(&host.labels) {
        set.insert(HOST);
    }
    Peers::Of(Arc::new(set))
}

fn collect(table: &PeerTable, host: &HostKey, wanted: impl Fn(&PeerKey) -> bool) -> Peers {
    let host = PeerKey { labels: host.labels.clone(), covered_by: host.covered_by.clone(), ..PeerKey::default() };
    let selected = table.peers().filter(|(number, info)| match *number {
        UNKNOWN => false,
        HOST => wanted(&host),
        _ => wanted(&info.key),
    });
    Peers::Of(Arc::new(selected.map(|(number, _): (PeerId, _)| number).collect()))
}

/// The selector, narrowed to the own cluster when it names none and the cluster says so.
fn in_cluster(selector: &Selector, table: &PeerTable) -> Selector {
    if !table.local_by_default() || selector.mentions(CLUSTER) {
        return selector.clone();
    }
    selector.and([Requirement::k8s(CLUSTER, Operator::In(vec![table.cluster_name().to_owned()]))])
}

fn of_entity(entity: Entity, labels: &LabelSet, table: &PeerTable) -> bool {
    let any = |names: &[&str]| names.iter().any(|name| labels.has_reserved(name));
    match entity {
        Entity::All => true,
        Entity::World => any(&["world", "world-ipv4", "world-ipv6"]),
        Entity::WorldV4 => any(&["world-ipv4"]),
        Entity::WorldV6 => any(&["world-ipv6"]),
        Entity::Cluster => {
            any(&["host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"])
                || labels.get(Some(&Source::K8s), CLUSTER) == Some(table.cluster_name())
        }
        Entity::Host => any(&["host"]),
        Entity::RemoteNode => any(&["remote-node"]),
        Entity::KubeApiserver => any(&["kube-apiserver"]),
        Entity::Init => any(&["init"]),
        Entity::Health => any(&["health"]),
        Entity::Ingress => any(&["ingress"]),
        Entity::Unmanaged => any(&["unmanaged"]),
        Entity::None => false,
    }
}

/// The peers in any of some prefixes and in none of others: outside the cluster by their region, inside it by the prefixes that cover
/// them.
fn by_prefix(
    table: &PeerTable,
    host: &HostKey,
    prefixes: BTreeSet<Prefix>,
    except: &[Prefix],
    matching: Matching,
) -> Peers {
    let except: BTreeSet<Prefix> = except.iter().copied().collect();
    let is_meant = |labels: &LabelSet| matching == Matching::Address || table.prefixes_match(labels);
    let mut found: BTreeSet<PeerId> = outermost(&prefixes).flat_map(|prefix| table.regions_in(prefix)).collect();
    for region in outermost(&except).flat_map(|prefix| table.regions_in(prefix)) {
        found.remove(&region);
    }
    let mut inside: BTreeSet<PeerId> = prefixes.iter().flat_map(|prefix| table.covered_by(*prefix)).collect();
    inside.retain(|peer| {
        let key = table.peer(*peer).map(|info| &info.key);
        key.is_some_and(|key| is_meant(&key.labels) && key.covered_by.is_disjoint(&except))
    });
    found.append(&mut inside);
    let own = &host.covered_by;
    if is_meant(&host.labels) && !own.is_disjoint(&prefixes) && own.is_disjoint(&except) {
        found.insert(HOST);
    }
    Peers::Of(Arc::new(found.into_iter().collect()))
}

/// Those that no other of them covers.
fn outermost(prefixes: &BTreeSet<Prefix>) -> impl Iterator<Item = Prefix> {
    let mut last: Option<Prefix> = None;
    // Each stands before all that it covers.
    prefixes.iter().copied().filter(move |prefix| {
        let covered = last.is_some_and(|last| last.covers(*prefix));
        if !covered {
            last = Some(*prefix);
        }
        !covered
    })
}

fn of_group(table: &PeerTable, host: &HostKey, prefixes: impl Iterator<Item = Prefix>, except: &[Prefix]) -> Peers {
    by_prefix(table, host, prefixes.collect(), except, Matching::Identity)
}
