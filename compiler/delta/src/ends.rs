//! Where each unit of subjects decides otherwise, and whether that changes anything from end to end.

use crate::boxes::{Deciders, Difference, Half, Named, differences, may_differ, passing, slot};
use crate::fates::Decided;
use crate::rows::Kind;
use crate::suppose::ELSEWHERE;
use crate::world::{Group, World};
use diagram::TooLarge;
use flow::{Direction, Family, L4Set, Protocol};
use hir::subject::Subject;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What changes for one unit and some groups of peers.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub unit: usize,
    pub direction: Direction,
    /// Indices into the groups of the world.
    pub groups: Vec<usize>,
    /// Groups of whoever is supposed, of which the same holds; they are named only where that says it shorter.
    pub beside: Vec<usize>,
    /// No rule of either side names the groups.
    pub unnamed: bool,
    pub kind: Kind,
    /// Whether the flow changes from end to end; otherwise the other end keeps it closed.
    pub end_to_end: bool,
    pub l4: L4Set,
    pub old: Decided,
    pub new: Decided,
}

/// Every row of every unit, in their order. Ends at the first one that is found with `first_only`.
///
/// Errors: a limit of diagrams.
pub(crate) fn rows(world: &World, first_only: bool) -> Result<Vec<Row>, TooLarge> {
    let deciders = Deciders::new(world);
    let units = shown(world);
    let next = AtomicUsize::new(0);
    let found: Mutex<BTreeMap<usize, Result<Vec<Row>, TooLarge>>> = Mutex::default();
    let locked = || found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let work = || {
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            world.stop().check();
            let rows = of_unit(world, &deciders, *unit);
            if rows.as_ref().is_ok_and(Vec::is_empty) {
                continue;
            }
            locked().insert(*unit, rows);
            if first_only {
                next.store(units.len(), Ordering::Relaxed);
            }
        }
    };
    if units.len() < 64 {
        work();
    } else {
        std::thread::scope(|scope| {
            let other = scope.spawn(work);
            work();
            // What ends it over there ends it here.
            other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
    }
    let found = std::mem::take(&mut *locked());
    let mut all = Vec::new();
    for rows in found.into_values() {
        all.extend(rows?);
    }
    Ok(all)
}

/// The units that are asked: all but those of whom one pod of the files tells.
fn shown(world: &World) -> Vec<usize> {
    let supposed = &world.names.supposed;
    let is_twin = |it: &Subject| matches!(it, Subject::Pod(name) if supposed.twins.contains(name));
    (0..world.units.len()).filter(|unit| !world.units[*unit].members.iter().all(is_twin)).collect()
}

fn of_unit(world: &World, deciders: &Deciders<'_>, unit: usize) -> Result<Vec<Row>, TooLarge> {
    let classes = world.units[unit].classes;
    if deciders.surely_equal(classes) {
        return Ok(Vec::new());
    }
    let (old, new) = (deciders.of(0, classes[0])?, deciders.of(1, classes[1])?);
    let mut rows = Vec::new();
    for direction in Direction::BOTH {
        let (old, new) = (&old[slot(direction)], &new[slot(direction)]);
        if world.alike && !may_differ(old, new) {
            continue;
        }
        rows.extend(Asking { world, deciders, unit, direction }.rows(old, new)?);
    }
    Ok(rows)
}

struct Asking<'a> {
    world: &'a World,
    deciders: &'a Deciders<'a>,
    unit: usize,
    direction: Direction,
}

impl Asking<'_> {
    fn rows(&self, old: &Half, new: &Half) -> Result<Vec<Row>, TooLarge> {
        let (by_old, by_new) = (Named::of(&old.rules), Named::of(&new.rules));
        let name = |at: usize| (by_old.by(self.world.groups[at].old), by_new.by(self.world.groups[at].new));
        let is_other = |at: usize| {
            !self.world.is_itself(self.unit, &self.world.groups[at])
                && self.world.meets(self.unit, &self.world.groups[at])
        };
        let named = self.world.groups_of(0, by_old.peers()).chain(self.world.groups_of(1, by_new.peers()));
        let mut buckets: BTreeMap<(u32, u32), Vec<usize>> = BTreeMap::new();
        for at in named.collect::<BTreeSet<usize>>().into_iter().filter(|at| is_other(*at)) {
            buckets.entry(name(at)).or_default().push(at);
        }
        // Why last and on demand: nearly every group is one that no rule names, and most often nothing changes for all of them.
        let unnamed = |at: &usize| name(*at) == (0, 0) && is_other(*at) && !self.world.is_of_no_address(*at);
        let rest: Vec<usize> = match (0..self.world.groups.len()).find(unnamed) {
            Some(first) if !self.differences(old, new, first).is_empty() => {
                (first..self.world.groups.len()).filter(unnamed).collect()
            }
            _ => Vec::new(),
        };
        let mut others = FxHashMap::default();
        let mut rows = Vec::new();
        for groups in buckets.into_values().chain([rest]).filter(|groups| !groups.is_empty()) {
            let unnamed = name(groups[0]) == (0, 0);
            for difference in self.differences(old, new, groups[0]) {
                self.split(difference, &groups, unnamed, &mut others, &mut rows)?;
            }
        }
        Ok(rows)
    }

    fn differences(&self, old: &Half, new: &Half, group: usize) -> Vec<Difference> {
        let group = &self.world.groups[group];
        differences(old, new, group.old, group.new)
    }

    /// Splits what changes at this end by what the other end lets through.
    fn split(
        &self,
        difference: Difference,
        groups: &[usize],
        unnamed: bool,
        others: &mut Others,
        rows: &mut Vec<Row>,
    ) -> Result<(), TooLarge> {
        let Difference { kind, l4, old, new } = difference;
        let mut by_effect: BTreeMap<(L4Set, L4Set), Vec<usize>> = BTreeMap::new();
        for at in groups {
            let family = self.world.groups[*at].family;
            let possible = l4.intersect(&possible(family));
            if possible.is_empty() {
                continue;
            }
            let [before, after] = self.other(*at, others)?;
            let lets = match kind {
                Kind::Gained => after,
                Kind::Lost => before,
                Kind::Widened | Kind::Altered | Kind::Tightened => before.union(&after),
            };
            // Why of `l4`: where a flow can be at all, keys that no packet of the family has are not worth a hole.
            let (open, closed) = (l4.intersect(&lets), l4.intersect(&lets.complement()));
            let kept = |set: L4Set| if set.intersect(&possible).is_empty() { L4Set::default() } else { set };
            by_effect.entry((kept(open), kept(closed))).or_default().push(*at);
        }
        for ((open, closed), groups) in by_effect {
            // Why: whoever is real shows what becomes of whoever is supposed where he is, named by the same rules, and let through alike at
            // the other end.
            let real: Vec<&Group> = groups.iter().map(|at| &self.world.groups[*at]).filter(|it| !it.supposed).collect();
            let inhabited: BTreeSet<&str> = real.iter().flat_map(|it| it.namespaces()).collect();
            let is_told = |namespace: &str| match namespace {
                ELSEWHERE => inhabited.len() > 1,
                namespace => inhabited.contains(namespace),
            };
            let is_beside = |it: &Group| it.supposed && !real.is_empty() && it.namespaces().all(is_told);
            let (beside, groups): (Vec<usize>, Vec<usize>) =
                groups.iter().partition(|at| is_beside(&self.world.groups[**at]));
            for (end_to_end, l4) in [(true, open), (false, closed)] {
                if !l4.is_empty() && !groups.is_empty() {
                    let (unit, direction, old, new) = (self.unit, self.direction, old.clone(), new.clone());
                    let (groups, beside) = (groups.clone(), beside.clone());
                    rows.push(Row { unit, direction, groups, beside, unnamed, kind, end_to_end, l4, old, new });
                }
            }
        }
        Ok(())
    }

    /// What the other end lets through, on each side.
    fn other(&self, group: usize, others: &mut Others) -> Result<[L4Set; 2], TooLarge> {
        let group = &self.world.groups[group];
        let unit = &self.world.units[self.unit];
        let at = usize::from(group.family == Some(Family::V6));
        let all = || [L4Set::all(), L4Set::all()];
        let Some(peer) = unit.peers[at].or(unit.peers[0]).or(unit.peers[1]) else { return Ok(all()) };
        let Some(other) = self.world.other(self.unit, group) else { return Ok(all()) };
        let classes = self.world.units[other].classes;
        if let Some(known) = others.get(&(classes, at)) {
            return Ok(known.clone());
        }
        let opposite = match self.direction {
            Direction::Ingress => Direction::Egress,
            Direction::Egress => Direction::Ingress,
        };
        let half = |side: usize| self.deciders.of(side, classes[side]).map(|halves| &halves[slot(opposite)]);
        let lets = [passing(half(0)?, peer.0), passing(half(1)?, peer.1)];
        others.insert((classes, at), lets.clone());
        Ok(lets)
    }
}

/// What other ends let through, by their classes and the family.
type Others = FxHashMap<([usize; 2], usize), [L4Set; 2]>;

/// The keys that packets of a family can have.
pub(crate) fn possible(family: Option<Family>) -> L4Set {
    match family {
        Some(Family::V4) => Protocol::ICMPV6.all_ports().complement(),
        Some(Family::V6) => Protocol::ICMP.all_ports().complement(),
        None => L4Set::all(),
    }
}
