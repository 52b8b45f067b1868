//! Addresses of names, groups and of the API server, where nothing resolves them.

use super::{Supposed, peers};
use crate::side::Side;
use facts::CidrGroup;
use flow::Prefix;
use hir::Entity;
use hir::policy::{PeerSelector, Policy};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Addresses of names, groups and of the API server, where nothing resolves them.
pub(super) fn addresses(old: &mut Side, new: &mut Side, supposed: &mut Supposed, policies: &[Arc<Policy>]) {
    let selectors: BTreeSet<&PeerSelector> = peers(policies).map(|(_, peer)| peer).collect();
    let mut next = 1;
    for selector in selectors {
        let address = IpAddr::V4(Ipv4Addr::new(240, 255, (next >> 8) as u8, next as u8));
        let sides = [&mut *old, &mut *new];
        let what = match selector {
            PeerSelector::Fqdn(pattern) => {
                // Why of a pattern with an asterisk too: the names that were read are not all that match it.
                let name = pattern.replace("**", "any").replace('*', "any");
                if sides.iter().any(|side| side.cluster.dns.contains_key(&hir::peers::canonical(&name))) {
                    continue;
                }
                sides.into_iter().for_each(|side| drop(side.cluster.dns.insert(name.clone(), [address].into())));
                format!("whatever `{pattern}` resolves to")
            }
            PeerSelector::CidrGroup { name, .. } => {
                if sides.iter().any(|side| side.cluster.cidr_groups.contains_key(name)) {
                    continue;
                }
                let prefixes = BTreeSet::from([Prefix::host(address)]);
                let group = CidrGroup { name: name.clone(), prefixes, ..CidrGroup::default() };
                sides.into_iter().for_each(|side| drop(side.cluster.cidr_groups.insert(name.clone(), group.clone())));
                format!("the addresses of CiliumCIDRGroup {name}")
            }
            PeerSelector::Entity(Entity::KubeApiserver) => {
                if sides.iter().any(|side| !side.cluster.kube_apiserver().is_empty()) {
                    continue;
                }
                for side in sides {
                    side.cluster.config.kube_apiserver.insert(address);
                }
                "the API server".to_owned()
            }
            _ => continue,
        };
        next += 1;
        supposed.outside.insert(address, what);
    }
}
