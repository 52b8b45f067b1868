//! Whether edited texts mean the same: the one question that tells a safe fix from another.

use crate::normal::normal;
use crate::part::part;
use driver::text::{self, Decoded, Role};
use driver::{Database, Db, Knowledge, world};
use hir::{Dialect, L3, Matching, ObjectRef, PeerSelector, Policy};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A file whose text an edit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub path: String,
    pub old: Arc<str>,
    pub new: Arc<str>,
}

/// Texts with an edit, cut down to the documents that it is about.
pub(crate) struct Edited {
    /// By file: the documents before, and after.
    parts: Vec<(String, String)>,
}

/// What is found of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Every object says the same.
    Said,
    /// Every flow is decided alike, as long as the policies that may be about its subjects stay as they are.
    Decided(Vec<ObjectRef>),
    /// It is not proved that the meaning stays; these policies may be others then.
    Other(Vec<ObjectRef>),
    /// Likewise, and what is told of the cluster may be another.
    Facts,
    /// The proof would need a policy of the database that is another by now.
    Stale,
}

impl Found {
    /// Whether the texts mean what they meant.
    pub fn is_same(&self) -> bool {
        matches!(self, Found::Said | Found::Decided(_))
    }
}

impl Edited {
    pub fn of(changes: &[Change]) -> Edited {
        let part = |it: &Change| {
            let (old, new) = part(&it.old, &it.new);
            (old.to_owned(), new.to_owned())
        };
        Edited { parts: changes.iter().map(part).collect() }
    }

    /// How many bytes have to be read.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|(old, new)| old.len() + new.len()).sum()
    }

    /// Whether the texts mean what they meant.
    ///
    /// Proof is: every object says the same, whatever the cluster is; or no rule of these documents speaks of requests or of peers that
    /// other objects tell of, their facts are the same, and every flow is decided alike for whoever is there or may be there
    /// ([`delta::equal_after`]).
    ///
    /// `deep` is what may be spent on the second proof, counted in policies and pods that are looked at: those policies that may be about a
    /// subject of an edited one decide its flows, and no others do. `stale` are policies that the database has as they no longer are.
    pub fn judge(&self, db: &Database, stale: &BTreeSet<ObjectRef>, deep: &mut usize) -> Found {
        self.judge_under(db.dialect(), db, stale, deep)
    }

    /// The same as another reading has it.
    pub fn judge_under(
        &self,
        reading: &'static Dialect,
        db: &Database,
        stale: &BTreeSet<ObjectRef>,
        deep: &mut usize,
    ) -> Found {
        let mut old = beside(db, reading);
        old.set_files(self.files(|(old, _)| old));
        let mut new = beside(db, reading);
        new.set_files(self.files(|(_, new)| new));
        let said = |db: &Database| db.files().map(|file| text::decoded(db, file)).collect::<Vec<_>>();
        let (before, after) = (said(&old), said(&new));
        let every = |holds: fn(&Decoded, &Decoded) -> bool| before.iter().zip(&after).all(|(old, new)| holds(old, new));
        if every(says_same) {
            return Found::Said;
        }
        if !every(|old, new| old.facts == new.facts && old.gateways == new.gateways) {
            return Found::Facts;
        }
        let both = [&before[..], &after[..]].concat();
        let objects = both.iter().flat_map(|it| it.objects.iter()).map(|it| it.object.clone()).collect();
        if !every(is_comparable) {
            return Found::Other(objects);
        }
        match self.decides_same(db, old, &both, stale, deep) {
            None => Found::Stale,
            Some(true) => Found::Decided(objects),
            Some(false) => Found::Other(objects),
        }
    }

    fn files(&self, side: impl Fn(&(String, String)) -> &String) -> Vec<(Arc<str>, Arc<str>)> {
        let file = |(at, part): (usize, &(String, String))| {
            (Arc::from(format!("edited-{at}")), Arc::from(side(part).as_str()))
        };
        self.parts.iter().enumerate().map(file).collect()
    }

    /// `near` holds the documents as they were. `None` where a policy that has a say is stale.
    fn decides_same(
        &self,
        db: &Database,
        mut near: Database,
        edited: &[Arc<Decoded>],
        stale: &BTreeSet<ObjectRef>,
        deep: &mut usize,
    ) -> Option<bool> {
        // Why first: looking for those that have a say reads every policy, for each of perhaps a thousand fixes.
        if *deep == 0 {
            return Some(false);
        }
        let policies: Vec<&Policy> = edited.iter().flat_map(|it| it.policies.iter()).map(|it| &**it).collect();
        let cluster = world::cluster(db);
        let others = others(db, &policies, stale)?;
        let cost = 1 + others.len() + cluster.pods.len() + cluster.workloads.len();
        let left = deep.checked_sub(cost);
        *deep = left.unwrap_or(0);
        if left.is_none() {
            return Some(false);
        }
        near.set_cluster((*cluster).clone());
        let others = others.into_iter().enumerate();
        near.set_files(others.map(|(at, text)| (Arc::from(format!("other-{at}")), Arc::from(text))));
        let edits = self.files(|(_, new)| new).into_iter();
        let edits = edits.map(|(path, text)| delta::Edit { path: path.to_string(), text: Some(text.to_string()) });
        Some(delta::equal_after(&near, &edits.collect::<Vec<_>>()).is_ok())
    }
}

/// A database without files that holds objects without a namespace to be where another does.
fn beside(db: &Database, reading: &'static Dialect) -> Database {
    let project = db.project();
    let mut other = Database::new().with_stop(db.stop().clone());
    other.set_namespace(project.namespace(db));
    other.set_dialect(reading);
    other.set_knowledge(Knowledge::Partial);
    other
}

/// The documents of the policies that may be about a subject of some policies, each once; not those of these policies themselves.
/// `None` where one of them is stale.
fn others(db: &Database, policies: &[&Policy], stale: &BTreeSet<ObjectRef>) -> Option<Vec<String>> {
    let shares = |other: &Policy, policy: &Policy| {
        let [a, b] = [other, policy].map(|it| it.object.namespace.as_str());
        let here = a.is_empty() || b.is_empty() || a == b;
        let sections = || other.sections.iter().flat_map(|one| policy.sections.iter().map(move |it| (one, it)));
        here && sections().any(|(one, it)| checks::may_share(&one.subjects, &it.subjects))
    };
    let mut found = Vec::new();
    for file in db.files() {
        db.stop().check();
        let decoded = text::decoded(db, file);
        let objects = decoded.objects.iter().filter(|object| object.role == Role::Policy);
        let near = objects.zip(decoded.policies.iter()).filter(|(_, other)| {
            let edited = policies.iter().any(|policy| policy.object == other.object);
            !edited && policies.iter().any(|policy| shares(other, policy))
        });
        let near: Vec<_> = near.map(|(object, _)| object).collect();
        if near.iter().any(|object| stale.contains(&object.object)) {
            return None;
        }
        let mut documents: Vec<usize> = near.iter().map(|object| object.document).collect();
        documents.dedup();
        if documents.is_empty() {
            continue;
        }
        let (tree, text) = (text::tree(db, file), file.text(db).unwrap_or_default());
        let spans = documents.iter().filter_map(|at| Some(tree.documents().get(*at)?.span));
        found.extend(spans.map(|span| span.slice(&text).to_owned()));
    }
    Some(found)
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
    plain(before) && plain(now) && matches_alike(before, now)
}

/// Whether blocks of addresses mean the same parties before and after. Kinds of policies differ on pods and nodes in a block, and of those
/// that nobody read none is supposed there.
fn matches_alike(before: &Decoded, now: &Decoded) -> bool {
    let matched = |it: &Decoded| {
        let sections = it.policies.iter().flat_map(|policy| &policy.sections);
        let peers = sections.flat_map(|section| &section.entries).filter_map(|entry| match &entry.l3 {
            L3::Any(peers) => Some(peers),
            _ => None,
        });
        let matching = peers.flatten().filter_map(|peer| match &peer.selector {
            PeerSelector::Cidr { matching, .. } => Some(*matching == Matching::Address),
            _ => None,
        });
        matching.collect::<BTreeSet<bool>>()
    };
    let (before, now) = (matched(before), matched(now));
    before == now || before.union(&now).count() < 2
}

/// Whether peers are selected by labels, entities and addresses alone. Whom services, sets of prefixes and domain names stand for is told
/// by other objects, which may be in the cluster and not in these files.
fn names_itself(l3: &L3) -> bool {
    let itself = |selector: &PeerSelector| {
        matches!(selector, PeerSelector::Labels { .. } | PeerSelector::Entity(_) | PeerSelector::Cidr { .. })
    };
    !matches!(l3, L3::Any(peers) if !peers.iter().all(|peer| itself(&peer.selector)))
}
