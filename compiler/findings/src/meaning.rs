//! Whether edited texts mean the same: the one question that tells a safe fix from another.

use crate::normal::normal;
use driver::Database;
use driver::text::{self, Decoded};
use hir::{L3, PeerSelector};
use std::sync::Arc;

/// Whether the texts mean what they meant, with these in the place of their files. The database is as before when this returns.
///
/// `false` where it is not proved. Proof is: every object says the same, whatever the cluster is; or no rule of these files speaks of
/// requests or of peers that other objects tell of, their facts are the same, and every flow is decided alike for whoever is in the files or may be there ([`delta::equal_after`]).
///
/// Without `deep` only the first proof is tried: its cost is that of reading the files; the second looks at the whole database.
pub fn equal(db: &mut Database, edited: &[(String, String)], deep: bool) -> bool {
    let before = decoded(db, edited);
    let old: Vec<(Arc<str>, Arc<str>)> = edited.iter().filter_map(|(path, _)| old_text(db, path)).collect();
    if old.len() != edited.len() {
        return false;
    }
    db.set_files(edited.iter().map(|(path, text)| (Arc::from(path.as_str()), Arc::from(text.as_str()))));
    let now = decoded(db, edited);
    db.set_files(old);
    let every = |holds: fn(&Decoded, &Decoded) -> bool| {
        before.iter().zip(&now).all(|pair| matches!(pair, (Some(before), Some(now)) if holds(before, now)))
    };
    every(says_same) || (deep && every(is_comparable) && decides_same(db, edited))
}

fn old_text(db: &Database, path: &str) -> Option<(Arc<str>, Arc<str>)> {
    Some((Arc::from(path), db.file_at(path)?.text(db)?))
}

fn decoded(db: &Database, edited: &[(String, String)]) -> Vec<Option<Arc<Decoded>>> {
    edited.iter().map(|(path, _)| Some(text::decoded(db, db.file_at(path)?))).collect()
}

/// Whether the same policies and facts are said of the same objects; what is wrong with them may differ.
fn says_same(before: &Decoded, now: &Decoded) -> bool {
    let objects = |it: &Decoded| it.objects.iter().map(|it| (it.object.clone(), it.role)).collect::<Vec<_>>();
    let policies = |it: &Decoded| it.policies.iter().flat_map(|policy| normal(policy)).collect::<Vec<_>>();
    (before.policies == now.policies || policies(before) == policies(now))
        && before.gateways == now.gateways
        && before.facts == now.facts
        && objects(before) == objects(now)
}

/// Whether nothing differs but rules about flows to whom they name themselves.
fn is_comparable(before: &Decoded, now: &Decoded) -> bool {
    let plain = |it: &Decoded| {
        let sections = it.policies.iter().flat_map(|policy| &policy.sections);
        sections.flat_map(|section| &section.entries).all(|entry| entry.l7.is_none() && names_itself(&entry.l3))
    };
    before.facts == now.facts && before.gateways == now.gateways && plain(before) && plain(now)
}

/// Whether peers are selected by labels, entities and addresses alone. Whom services, sets of prefixes and domain names stand for is told
/// by other objects, which may be in the cluster and not in these files.
fn names_itself(l3: &L3) -> bool {
    let itself = |selector: &PeerSelector| {
        matches!(selector, PeerSelector::Labels { .. } | PeerSelector::Entity(_) | PeerSelector::Cidr { .. })
    };
    !matches!(l3, L3::Any(peers) if !peers.iter().all(|peer| itself(&peer.selector)))
}

fn decides_same(db: &Database, edited: &[(String, String)]) -> bool {
    let edit = |(path, text): &(String, String)| delta::Edit { path: path.clone(), text: Some(text.clone()) };
    delta::equal_after(db, &edited.iter().map(edit).collect::<Vec<_>>()).is_ok()
}
