//! Rules without those of one place.

use rules::{Fallback, Origin, OriginId, RuleSet};

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gone<'i> {
    /// An object with all that it says.
    Policy(&'i str),
    /// One rule of an object: the path of the element.
    Rule(&'i str, &'i str),
}

impl Gone<'_> {
    /// Whether a rule of this origin goes too.
    pub fn takes(&self, origin: &Origin) -> bool {
        match self {
            Gone::Policy(object) => origin.object == *object,
            Gone::Rule(object, path) => origin.object == *object && is_within(&origin.path, path),
        }
    }
}

/// Whether a path is that of a place or leads into it.
pub(crate) fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// What is left of some rules.
pub(crate) fn without(rules: &RuleSet, gone: &[Gone<'_>]) -> RuleSet {
    let takes: Vec<bool> = rules.origins.iter().map(|origin| gone.iter().any(|it| it.takes(origin))).collect();
    let stays = |id: &OriginId| !takes.get(id.0 as usize).copied().unwrap_or(false);
    // Why: what isolates is taken away with its object alone; a list that loses one of several rules isolates as before.
    let objects: Vec<&str> =
        gone.iter().filter_map(|it| if let Gone::Policy(object) = it { Some(*object) } else { None }).collect();
    let isolates = |id: &OriginId| rules.origin(*id).is_none_or(|origin| !objects.contains(&origin.object.as_str()));
    let mut left = rules.clone();
    for tier in &mut left.tiers {
        for level in &mut tier.levels {
            level.rules.retain(|rule| stays(&rule.origin));
        }
        tier.end = tier.end.take().map(|end| end.into_iter().filter(&isolates).collect::<Vec<_>>());
        tier.end.take_if(|end| end.is_empty());
    }
    if let Fallback::Deny(isolating) = &mut left.fallback {
        isolating.retain(isolates);
        if isolating.is_empty() {
            left.fallback = Fallback::Allow;
        }
    }
    left
}
