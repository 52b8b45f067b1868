//! What policies decide of the groups of a tally.

mod bench;
mod named;
mod services;

use crate::outcome::{Outcome, Said, Step};
use crate::place::{self, Place, Places};
use crate::roads::Roads;
use crate::tally::{Group, Seen, Tally};
use driver::{Choice, Database, Wish, world};
use facts::{Cluster, Enforcer};
use reason::{Fact, Inquiry, Missing, Party};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bench::Bench;

/// Policies that records are held against, once or beside others.
pub struct Judge {
    sets: Vec<Set>,
    wish: Wish,
    shared: Cluster,
}

/// One set of policies.
struct Set {
    db: Database,
    /// The facts of its own files.
    own: Arc<Cluster>,
}

impl Judge {
    /// Holds records against `new`: beside what `old` says, or beside what they themselves say where there is none.
    ///
    /// Both sets share the facts of each; of an object that both describe, each keeps its own.
    pub fn new(new: Database, old: Option<Database>, wish: Wish) -> Judge {
        let set = |db: Database| Set { own: world::cluster(&db), db };
        let sets: Vec<Set> = [Some(new), old].into_iter().flatten().map(set).collect();
        let shared = sets.iter().skip(1).fold((*sets[0].own).clone(), |all, set| place::join(all, &set.own));
        Judge { sets, wish, shared }
    }

    /// The facts of both sets together.
    pub fn cluster(&self) -> &Cluster {
        &self.shared
    }

    /// The set that is judged.
    pub fn db(&self) -> &Database {
        &self.sets[0].db
    }

    /// The reading of each set, that of the judged one first; settled by [`Judge::fold`].
    pub fn choices(&mut self) -> Vec<Choice> {
        self.sets.iter_mut().map(|set| set.db.settle_dialect(self.wish)).collect()
    }

    /// Decides every group of a tally and adds what follows. Called for parts of a log one after the other, the parts need not agree on
    /// anything.
    pub fn fold(&mut self, tally: &Tally, outcome: &mut Outcome) {
        let laid = self.lay(tally);
        outcome.add_coverage(tally);
        let mut benches: Vec<Bench<'_>> = self.sets.iter().map(|set| Bench::new(&set.db, &laid, &tally.ends)).collect();
        for (group, seen) in &laid.groups {
            decide(&mut benches, tally, group, seen, outcome);
        }
    }

    /// Places the ends of a tally and finds who answers for services; gives each set what it has to know.
    fn lay(&mut self, tally: &Tally) -> Laid {
        let mut places = Places::of(&tally.ends, &self.shared);
        self.prepare(places.added.clone(), tally.from_hubble);
        let groups = tally.sorted();
        let (known, complete) = (places.added.pods.len(), is_complete(&self.sets[0].db));
        let roads = {
            let mut inquiry = Inquiry::new(&self.sets[0].db);
            let mut unowned = |address| inquiry.unknown_owner(&Party::Address(address)).is_none();
            Roads::find(tally, &groups, &mut places, &self.shared, complete, &mut unowned)
        };
        if places.added.pods.len() > known {
            self.prepare(places.added, tally.from_hubble);
        }
        Laid { places: places.places, roads, groups }
    }

    /// Gives each set what the other sets and the records know.
    pub(crate) fn prepare(&mut self, added: Cluster, from_hubble: bool) {
        let enforcer = (from_hubble && self.shared.enforcer().is_none()).then_some(Enforcer::Cilium);
        for set in &mut self.sets {
            let mut snapshot = place::join(self.shared.clone(), &added);
            snapshot.config.enforcer = snapshot.config.enforcer.take().or_else(|| enforcer.clone());
            set.db.set_cluster(snapshot);
            set.db.settle_dialect(self.wish);
        }
    }

    /// Whether the judged set allows each group of a tally at both of its ends, whatever end it was recorded at; in the order of
    /// [`Tally::sorted`]. `None` where that cannot be known.
    pub fn allows(&mut self, tally: &Tally) -> Vec<(Group, Option<bool>)> {
        let laid = self.lay(tally);
        let mut bench = Bench::new(&self.sets[0].db, &laid, &tally.ends);
        let allowed = laid.groups.iter().map(|(group, _)| {
            let request = group.request.map(|at| &tally.requests[at as usize]);
            let both = Group { direction: None, ..*group };
            (*group, bench.answer(&both, request).ok().map(|verdict| verdict.said.passes()))
        });
        allowed.collect()
    }
}

/// A tally with everything that is found about it before it is judged.
pub(crate) struct Laid {
    /// By the number of the end, those that only roads have included.
    pub places: Vec<Place>,
    pub roads: Roads,
    /// As [`Tally::sorted`] has them.
    pub groups: Vec<(Group, Seen)>,
}

fn decide(benches: &mut [Bench<'_>], tally: &Tally, group: &Group, seen: &Seen, outcome: &mut Outcome) {
    let request = group.request.map(|at| &tally.requests[at as usize]);
    let new = match benches[0].answer(group, request) {
        Ok(new) => new,
        Err(missing) => return outcome.add_undecided(&missing, seen),
    };
    let old = match benches.get_mut(1) {
        Some(bench) => match bench.answer(group, request) {
            Ok(old) => Some(old),
            Err(missing) => return outcome.add_undecided(&missing, seen),
        },
        None => None,
    };
    let differs = match (&old, group.recorded.allowed()) {
        (Some(old), _) => old.said != new.said,
        (None, Some(allowed)) => allowed != new.said.passes(),
        (None, None) => return outcome.add_unrecorded(group.recorded, seen),
    };
    outcome.add_decided(seen, new.said);
    if differs {
        let before = match &old {
            Some(old) => benches[1].step(old),
            None => Step { said: Said::Recorded(group.recorded), by_default: false, by: Vec::new() },
        };
        let after = benches[0].step(&new);
        let ends = [benches[0].name(group.source), benches[0].destination(group)];
        outcome.add_change(ends, group, request, before, after, seen);
    }
}

/// Whether nothing exists that a database does not have.
fn is_complete(db: &Database) -> bool {
    driver::Db::project(db).knowledge(db) == driver::Knowledge::Complete
}

/// How often each missing fact is in the way; only the first of each kind is named.
pub(crate) fn first_of_each(missing: &BTreeSet<Missing>) -> BTreeMap<Fact, &str> {
    let mut first = BTreeMap::new();
    for it in missing {
        first.entry(it.fact).or_insert(it.of.as_str());
    }
    first
}
