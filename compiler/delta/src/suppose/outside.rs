//! Addresses of names, groups and of the API server, where nothing resolves them.

use super::{Supposed, peers};
use crate::side::Side;
use crate::ways::ways_of;
use facts::{CidrGroup, Labels};
use flow::Prefix;
use hir::Entity;
use hir::labels::{LabelSet, Selector, Source};
use hir::policy::{PeerSelector, Policy};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Addresses of names, groups and of the API server, where nothing resolves them.
pub(super) fn addresses(old: &mut Side, new: &mut Side, supposed: &mut Supposed, policies: &[Arc<Policy>]) {
    let selectors: BTreeSet<&PeerSelector> = peers(policies).map(|(_, peer)| peer).collect();
    let mut maker = Maker { sides: [old, new], supposed, next: 1 };
    for selector in &selectors {
        match selector {
            // Why of a pattern with an asterisk too: the names that were read are not all that match it.
            PeerSelector::Fqdn(pattern) => maker.name(&filled(pattern, "any"), pattern),
            PeerSelector::CidrGroup { name, .. } => maker.group(name, Labels::new()),
            PeerSelector::Entity(Entity::KubeApiserver) => maker.server(),
            _ => {}
        }
    }
    maker.telling_names(&selectors);
    maker.labelled_groups(&selectors);
}

/// A name that a pattern means, with a word for each asterisk.
fn filled(pattern: &str, word: &str) -> String {
    pattern.replace("**", word).replace('*', word)
}

struct Maker<'s> {
    sides: [&'s mut Side; 2],
    supposed: &'s mut Supposed,
    /// The number of the next address.
    next: u16,
}

impl Maker<'_> {
    /// An address that nobody has, which stands for this.
    fn address(&mut self, what: String) -> IpAddr {
        let [high, low] = self.next.to_be_bytes();
        let address = IpAddr::V4(Ipv4Addr::new(240, 255, high, low));
        self.next = self.next.saturating_add(1);
        self.supposed.outside.insert(address, what);
        address
    }

    /// An address of a name, unless one was read.
    fn name(&mut self, name: &str, pattern: &str) {
        if self.sides.iter().any(|side| side.cluster.dns.contains_key(&hir::peers::canonical(name))) {
            return;
        }
        let address = self.address(format!("whatever `{pattern}` resolves to"));
        self.sides.iter_mut().for_each(|side| drop(side.cluster.dns.insert(name.to_owned(), [address].into())));
    }

    fn group(&mut self, name: &str, labels: Labels) {
        if self.sides.iter().any(|side| side.cluster.cidr_groups.contains_key(name)) {
            return;
        }
        let prefixes = BTreeSet::from([Prefix::host(self.address(format!("the addresses of CiliumCIDRGroup {name}")))]);
        let group = CidrGroup { name: name.to_owned(), labels, prefixes };
        self.sides.iter_mut().for_each(|side| drop(side.cluster.cidr_groups.insert(name.to_owned(), group.clone())));
    }

    fn server(&mut self) {
        if self.sides.iter().any(|side| !side.cluster.kube_apiserver().is_empty()) {
            return;
        }
        let address = self.address("the API server".to_owned());
        for side in &mut self.sides {
            side.cluster.config.kube_apiserver.insert(address);
        }
    }

    /// Further names of patterns, where the patterns that mean one are other than those that mean any name so far: one pattern may mean
    /// names with another beginning, or of more labels, than its neighbour.
    fn telling_names(&mut self, selectors: &BTreeSet<&PeerSelector>) {
        let pattern =
            |it: &&PeerSelector| if let PeerSelector::Fqdn(pattern) = it { Some(pattern.clone()) } else { None };
        let patterns: Vec<String> = selectors.iter().filter_map(pattern).collect();
        let meant = |name: &str| -> Vec<bool> { patterns.iter().map(|it| request::name::matches(it, name)).collect() };
        let known = self.sides.iter().flat_map(|side| side.cluster.dns.keys());
        let mut known: BTreeSet<Vec<bool>> = known.map(|name| meant(name)).collect();
        for pattern in patterns.iter().filter(|it| it.contains('*')) {
            let deeper = filled(&pattern.replacen("**", "any.**", 1), "any");
            for name in [filled(pattern, "0-0"), filled(pattern, ""), deeper] {
                let fits = !name.is_empty() && !name.starts_with('.') && request::name::matches(pattern, &name);
                if fits && known.insert(meant(&name)) {
                    self.name(&name, &name);
                }
            }
        }
    }

    /// Groups of labels that entries ask for, where no group so far is selected by the same of them.
    fn labelled_groups(&mut self, selectors: &BTreeSet<&PeerSelector>) {
        let selector = |it: &&PeerSelector| match it {
            PeerSelector::CidrGroups { selector, .. } => Some(selector.clone()),
            _ => None,
        };
        let selectors: Vec<Selector> = selectors.iter().filter_map(selector).collect();
        let source = Source::Other("cidrgroup".to_owned());
        let selected = |labels: &Labels| -> Vec<bool> {
            let mut all = LabelSet::default();
            labels.iter().for_each(|(key, value)| all.insert(source.clone(), key.as_str(), value.as_str()));
            selectors.iter().map(|it| it.matches(&all)).collect()
        };
        let known = self.sides.iter().flat_map(|side| side.cluster.cidr_groups.values());
        let mut known: BTreeSet<Vec<bool>> = known.map(|group| selected(&group.labels)).collect();
        for labels in selectors.iter().flat_map(|it| ways_of(it, &source)) {
            if known.insert(selected(&labels)) {
                let shown: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                self.group(&format!("of {}", shown.join(",")), labels);
            }
        }
    }
}
