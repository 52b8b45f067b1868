//! What one class lets pass, by its diagram, each distinct answer once.

use crate::stage::Stage;
use diagram::{Diagram, TooLarge};
use flow::{Action, Auth, Direction, L4Set, PeerId};
use hir::subject::Class;
use rules::{Fallback, RuleSet};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What one end lets pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Passing {
    pub all: L4Set,
    pub redirect: L4Set,
    pub auth: L4Set,
}

/// A class, bound and built, in one direction.
pub(crate) struct Direct {
    pub rules: RuleSet,
    diagram: Diagram,
    /// The answer of each class of peers: into [`Sides::passing`].
    answers: Vec<usize>,
}

impl Direct {
    /// Whether what no rule speaks of is denied.
    pub fn isolated(&self) -> bool {
        matches!(self.rules.fallback, Fallback::Deny(_))
    }
}

/// Classes by number, and every answer that they give.
pub(crate) struct Sides {
    numbers: BTreeMap<Class, usize>,
    /// By the number of the class; ingress first.
    classes: Vec<[Direct; 2]>,
    /// Every distinct answer; the first lets everything pass.
    pub passing: Vec<Passing>,
    meets: FxHashMap<(usize, usize), usize>,
    /// Every distinct answer of two ends together.
    pub met: Vec<Passing>,
}

/// The answer of an end where no policy is asked.
pub(crate) const EVERYTHING: usize = 0;

impl Sides {
    /// Binds and builds some classes.
    pub fn of<'c>(stage: &Stage<'_>, classes: impl Iterator<Item = &'c Class>) -> Result<Sides, TooLarge> {
        let everything = Passing { all: L4Set::all(), ..Passing::default() };
        let mut sides = Sides {
            numbers: BTreeMap::new(),
            classes: Vec::new(),
            passing: vec![everything.clone()],
            meets: FxHashMap::default(),
            met: Vec::new(),
        };
        let mut known: FxHashMap<Passing, usize> = FxHashMap::from_iter([(everything, EVERYTHING)]);
        for class in classes {
            stage.db.still_wanted();
            if !sides.numbers.contains_key(class) {
                sides.add(stage, class, &mut known)?;
            }
        }
        Ok(sides)
    }

    fn add(&mut self, stage: &Stage<'_>, class: &Class, known: &mut FxHashMap<Passing, usize>) -> Result<(), TooLarge> {
        let (ingress, egress) = lower::lower(&stage.bind(class));
        let peers = stage.peers.peers().count() as u32;
        let mut direct = |rules: RuleSet| -> Result<Direct, TooLarge> {
            let diagram = diagram::build(&rules, peers, stage.db.diagram_limits())?;
            let answers = diagram.maps().iter().map(|map| {
                let found = passing(map);
                let next = self.passing.len();
                let at = *known.entry(found.clone()).or_insert(next);
                if at == next {
                    self.passing.push(found);
                }
                at
            });
            let answers = answers.collect();
            Ok(Direct { rules, diagram, answers })
        };
        let both = [direct(ingress)?, direct(egress)?];
        self.numbers.insert(class.clone(), self.classes.len());
        self.classes.push(both);
        Ok(())
    }

    /// The number of a class.
    pub fn number(&self, class: &Class) -> Option<usize> {
        self.numbers.get(class).copied()
    }

    /// One direction of a class.
    pub fn direct(&self, class: usize, direction: Direction) -> &Direct {
        &self.classes[class][driver::meaning::slot(direction)]
    }

    /// What a class answers a peer: into [`Sides::passing`].
    pub fn answer(&self, class: Option<usize>, direction: Direction, peer: PeerId) -> usize {
        let Some(class) = class else { return EVERYTHING };
        let direct = self.direct(class, direction);
        direct.answers[direct.diagram.class_of(peer).0 as usize]
    }

    /// What passes two ends: into [`Sides::met`].
    pub fn meet(&mut self, egress: usize, ingress: usize, wanted: &L4Set) -> usize {
        if let Some(at) = self.meets.get(&(egress, ingress)) {
            return *at;
        }
        let (a, b) = (&self.passing[egress], &self.passing[ingress]);
        let all = a.all.intersect(&b.all).intersect(wanted);
        let of = |a: &L4Set, b: &L4Set| a.union(b).intersect(&all);
        let met = Passing { redirect: of(&a.redirect, &b.redirect), auth: of(&a.auth, &b.auth), all };
        self.met.push(met);
        self.meets.insert((egress, ingress), self.met.len() - 1);
        self.met.len() - 1
    }
}

fn passing(map: &diagram::L4Map) -> Passing {
    let passes = |verdict: flow::Verdict| verdict.is_allowed() && verdict.auth != Auth::AlwaysFail;
    let set = |wanted: &dyn Fn(flow::Verdict) -> bool| {
        let ranges = map.ranges().filter(|(.., verdict)| passes(*verdict) && wanted(*verdict));
        L4Set::from_intervals(ranges.map(|(low, high, _)| (low, high)))
    };
    Passing {
        all: set(&|_| true),
        redirect: set(&|verdict| matches!(verdict.action, Action::Redirect(_))),
        auth: set(&|verdict| verdict.auth == Auth::Required),
    }
}
