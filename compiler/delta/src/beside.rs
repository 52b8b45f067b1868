//! Policies that may be in a cluster and were not read.
//!
//! Why: a rewrite that is to hold wherever a file is applied holds beside others, too. What nothing isolates may be isolated by one of
//! them, and then every allow counts; what nothing allows may be allowed by one of them, and then every deny does.

use crate::side::Side;
use flow::Direction;
use hir::labels::Selector;
use hir::policy::{Effect, Entry, Isolation, L3, L4, Section, Subjects, Tier};
use hir::{ObjectRef, Policy};
use std::sync::Arc;

/// What stands beside a side and was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// A policy that isolates every pod both ways and allows nothing.
    Isolating,
    /// A policy that isolates every pod both ways and allows everything.
    Allowing,
}

impl Beside {
    /// Every one that can tell two sides apart. What allows everything tells only who denies.
    pub(crate) fn telling(sides: [&Side; 2]) -> Vec<Beside> {
        let mut found = vec![Beside::Nothing, Beside::Isolating];
        let mut entries = sides.into_iter().flat_map(Side::all).flat_map(|it| &it.sections).flat_map(|it| &it.entries);
        if entries.any(|it| it.effect != Effect::Allow) {
            found.push(Beside::Allowing);
        }
        found
    }

    /// The side with it.
    pub(crate) fn with(self, mut side: Side) -> Side {
        if self != Beside::Nothing {
            side.policies.entry(String::new()).or_default().push(Arc::new(self.policy()));
        }
        side
    }

    fn policy(self) -> Policy {
        let path = "spec".to_owned();
        let isolates = || Isolation::Isolates(path.clone());
        let (ingress, egress) = (isolates(), isolates());
        let subjects = Subjects::Endpoints(Selector::default());
        let entries = if self == Beside::Allowing { Direction::BOTH.map(allow).into() } else { Vec::new() };
        let section = Section { path: path.clone(), subjects, ingress, egress, requires: Vec::new(), entries };
        let object = ObjectRef { kind: "NetworkPolicy".into(), namespace: String::new(), name: "(not read)".into() };
        Policy { object, sections: vec![section] }
    }
}

fn allow(direction: Direction) -> Entry {
    let (tier, effect, l3, l4) = (Tier::Normal, Effect::Allow, L3::Unrestricted, L4::Unrestricted);
    Entry { direction, tier, order: 0, effect, l3, l4, l7: None, auth: None, path: "spec".into() }
}
