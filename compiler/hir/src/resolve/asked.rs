//! Whom an entry asks for, once services are replaced by what stands behind them.

use std::borrow::Cow;

use crate::dialect::Dialect;
use crate::peers::PeerTable;
use crate::policy::{Effect, Entry, L3, L4, PeerSelector};

/// The selectors of an entry with their paths; `None` stands for everybody, unknown peers included.
pub(super) fn asked<'e>(
    entry: &'e Entry,
    table: &PeerTable,
    dialect: &Dialect,
) -> Vec<(Option<Cow<'e, PeerSelector>>, &'e str)> {
    let L3::Any(peers) = &entry.l3 else {
        let everybody = entry.l3 == L3::Unrestricted;
        return if everybody { vec![(None, &entry.path)] } else { Vec::new() };
    };
    let denies = entry.effect == Effect::Deny;
    let of_services = peers.iter().all(|peer| matches!(peer.selector, PeerSelector::Services(_)));
    if of_services && denies && dialect.deny_ignores_services {
        return without_peers(entry);
    }
    let mut found = Vec::new();
    for peer in peers {
        let path = peer.path.as_str();
        match &peer.selector {
            PeerSelector::Services(services) => {
                found.extend(table.behind(services).into_iter().map(|behind| (Some(Cow::Owned(behind)), path)));
            }
            // Why: as long as nobody says whom the cloud means, nobody can, and a deny must let none of them through.
            PeerSelector::CloudGroup(group) if denies && !table.cloud_groups().contains_key(group) => {
                found.push((None, path))
            }
            selector => found.push((Some(Cow::Borrowed(selector)), path)),
        }
    }
    if of_services && found.is_empty() && dialect.missing_services_are_absent {
        return without_peers(entry);
    }
    found
}

/// What an entry without a list of peers asks for: with ports everybody, without them nobody.
fn without_peers(entry: &Entry) -> Vec<(Option<Cow<'_, PeerSelector>>, &str)> {
    match entry.l4 {
        L4::Unrestricted => Vec::new(),
        L4::Items(_) => vec![(None, &entry.path)],
    }
}
