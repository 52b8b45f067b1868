//! From what changes for each unit to few rows for people.

use crate::ends::Row;
use crate::fates::{Decided, Step};
use crate::numbered::{Numbered, Set};
use crate::rows::{Change, Kind, sort};
use crate::spell::spelled;
use crate::world::World;
use flow::{Direction, L4Set};
use std::collections::BTreeMap;

/// What makes rows one, whoever is at their ends and whichever ports they are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reason {
    pub kind: Kind,
    pub end_to_end: bool,
    pub direction: Direction,
    pub old: Decided,
    pub new: Decided,
    pub of_supposed: bool,
    pub with_supposed: bool,
}

/// Who is on the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Others {
    pub all: Set,
    /// Supposed ones, of whom the same holds.
    pub beside: Set,
    /// Whoever no rule names is among them.
    pub unnamed: bool,
}

impl Others {
    fn extend(&mut self, other: &Others) {
        self.all.add(&other.all);
        self.beside.add(&other.beside);
        self.unnamed |= other.unnamed;
    }
}

/// One row in the making.
pub(crate) struct Draft {
    pub reason: Reason,
    pub subjects: Set,
    pub others: Others,
    pub l4: L4Set,
}

/// Groups rows: ports first, then peers, then subjects.
pub(crate) fn group(world: &World, rows: Vec<Row>) -> Vec<Change> {
    let everybody = Numbered::of(world);
    let mut by_ends: BTreeMap<(Reason, Set, Others), L4Set> = BTreeMap::new();
    for it in rows.into_iter().map(|row| draft(world, &everybody, row)) {
        world.stop().check();
        let l4 = by_ends.entry((it.reason, it.subjects, it.others)).or_default();
        *l4 = l4.union(&it.l4);
    }
    let mut by_subject: BTreeMap<(Reason, Set, L4Set), Others> = BTreeMap::new();
    for ((reason, subjects, others), l4) in by_ends {
        by_subject.entry((reason, subjects, l4)).or_default().extend(&others);
    }
    let mut by_peer: BTreeMap<(Reason, Set, L4Set), (Set, Others)> = BTreeMap::new();
    for ((reason, subjects, l4), others) in by_subject {
        let known = by_peer.entry((reason, others.all.clone(), l4)).or_default();
        known.0.add(&subjects);
        known.1.extend(&others);
    }
    let draft = |((reason, _, l4), (subjects, others))| Draft { reason, subjects, others, l4 };
    let drafts = by_peer.into_iter().map(draft).collect();
    let mut changes = spelled(world, &everybody, without_echoes(joined(&everybody, drafts)));
    sort(&mut changes);
    changes
}

/// Joins rows of the same peers and ports that change alike and because of the same rules.
///
/// Nobody is a peer of his own, so what isolates many is apart for each of them but for himself; that keeps none apart. Nor does it that
/// some are isolated by more than others: what isolates all of them is named.
fn joined(everybody: &Numbered<'_>, rows: Vec<Draft>) -> Vec<Draft> {
    let with_own = |row: &Draft| row.others.all.iter().chain(everybody.own(&row.subjects)).collect();
    joined_by(joined_by(rows, with_own), |row| row.others.all.clone())
}

/// Joins rows that are alike but for whose they are and for what isolates, where something isolates all of them; `peers` says whom a row
/// is about when it is one of several.
fn joined_by(rows: Vec<Draft>, peers: impl Fn(&Draft) -> Set) -> Vec<Draft> {
    let mut alike: BTreeMap<(Reason, Set, L4Set), Vec<Draft>> = BTreeMap::new();
    for row in rows {
        let all = peers(&row);
        let known = alike.entry((row.reason.bare(), all.clone(), row.l4.clone())).or_default();
        let joint = known.iter_mut().find_map(|it| {
            let (old, new) = (common(&it.reason.old, &row.reason.old)?, common(&it.reason.new, &row.reason.new)?);
            Some((it, old, new))
        });
        match joint {
            Some((it, old, new)) => {
                (it.reason.old, it.reason.new) = (old, new);
                it.others.extend(&row.others);
                it.others.all = all;
                it.subjects.add(&row.subjects);
            }
            None => known.push(row),
        }
    }
    alike.into_values().flatten().collect()
}

impl Reason {
    /// It without what isolates.
    fn bare(&self) -> Reason {
        Reason { old: bare(&self.old), new: bare(&self.new), ..self.clone() }
    }
}

/// What decides, without what isolates.
fn bare(decided: &Decided) -> Decided {
    let by = if decided.step == Step::Isolated { Vec::new() } else { decided.by.clone() };
    Decided { by, fate: decided.fate.clone(), step: decided.step }
}

/// What decides for both of two that are alike but for what isolates; `None` where nothing isolates both.
fn common(one: &Decided, other: &Decided) -> Option<Decided> {
    if one == other {
        return Some(one.clone());
    }
    let by: Vec<_> = one.by.iter().filter(|it| other.by.contains(it)).cloned().collect();
    (!by.is_empty()).then(|| Decided { by, ..one.clone() })
}

/// Leaves out rows about whoever is supposed, at one end, where one about real ones says the same of the same other end, of more ports even.
fn without_echoes(drafts: Vec<Draft>) -> Vec<Draft> {
    let plain = |it: &Draft| Reason { of_supposed: false, with_supposed: false, ..it.reason.bare() };
    let mut alike: BTreeMap<Reason, Vec<&Draft>> = BTreeMap::new();
    for draft in &drafts {
        alike.entry(plain(draft)).or_default().push(draft);
    }
    let is_echo = |it: &Draft| {
        let supposed = it.reason.of_supposed || it.reason.with_supposed;
        supposed && alike.get(&plain(it)).is_some_and(|others| others.iter().any(|other| says_more(it, other)))
    };
    let is_echo: Vec<bool> = drafts.iter().map(is_echo).collect();
    drafts.into_iter().zip(is_echo).filter(|(_, is_echo)| !is_echo).map(|(draft, _)| draft).collect()
}

/// Whether a row about real ones at one end says all that one about supposed ones there says.
fn says_more(it: &Draft, other: &Draft) -> bool {
    let (one, real) = (&it.reason, &other.reason);
    let at_peers = one.with_supposed && !real.with_supposed && one.of_supposed == real.of_supposed;
    let at_subjects = one.of_supposed && !real.of_supposed && one.with_supposed == real.with_supposed;
    let same_rules = common(&one.old, &real.old).is_some() && common(&one.new, &real.new).is_some();
    let same_end =
        at_peers && other.subjects.holds(&it.subjects) || at_subjects && other.others.all.holds(&it.others.all);
    same_end && same_rules && it.l4.intersect(&other.l4) == it.l4
}

fn draft(world: &World, everybody: &Numbered<'_>, row: Row) -> Draft {
    let (all, beside) = (everybody.groups(&row.groups), everybody.groups(&row.beside));
    Draft {
        reason: Reason {
            kind: row.kind,
            end_to_end: row.end_to_end,
            direction: row.direction,
            old: row.old,
            new: row.new,
            of_supposed: world.units[row.unit].supposed,
            with_supposed: row.groups.iter().all(|at| world.groups[*at].supposed),
        },
        subjects: everybody.unit(row.unit).clone(),
        others: Others { all, beside, unnamed: row.unnamed },
        l4: row.l4,
    }
}
