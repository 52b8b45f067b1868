//! Which namespaces the given files describe as a whole, judged by how well policies and pods fit together.

use std::collections::BTreeMap;

use hir::{L3, PeerSelector, Selector, Subjects};

use crate::find::{Finder, is_of_pods};

/// Of the selectors with conditions on pods that name one namespace: how many select a known pod, and how many there are.
pub(crate) type Described = BTreeMap<String, (usize, usize)>;

/// Counts the selectors of all policies.
pub(crate) fn described(finder: &Finder) -> Described {
    let mut found = Described::new();
    for policy in finder.others.policies.values().flat_map(|policies| policies.iter()) {
        for section in &policy.sections {
            if let Subjects::Endpoints(selector) = &section.subjects {
                count(finder, selector, &mut found);
            }
            for entry in &section.entries {
                let peers = if let L3::Any(peers) = &entry.l3 { peers.as_slice() } else { &[] };
                for peer in peers {
                    if let PeerSelector::Labels { selector, everywhere: false } = &peer.selector {
                        count(finder, selector, &mut found);
                    }
                }
            }
        }
    }
    found
}

fn count(finder: &Finder, selector: &Selector, found: &mut Described) {
    if !selector.requirements().iter().any(is_of_pods) {
        return;
    }
    let Some(known) = finder.known(selector) else { return };
    let fits = finder.matching(selector).next().is_some();
    for namespace in known.namespaces() {
        let (fitting, all) = found.entry(namespace.to_owned()).or_default();
        *fitting += usize::from(fits);
        *all += 1;
    }
}
