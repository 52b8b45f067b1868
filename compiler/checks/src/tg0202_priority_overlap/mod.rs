//! Two cluster-scoped policies of one tier and priority that answer one connection differently.

mod witness;

use diag::Diagnostic;
use driver::{Db, locate};
use flow::Direction;
use hir::{Effect, Entry, Policy, Section, Tier};
use source::{FileId, Span};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;
use witness::{Witness, witnesses};

pub const PAGE: Page = page!(202, "priority-overlap", Warning, "0.1.0", Correctness);

/// How many places a priority has, as the kinds are decoded.
const PLACES: u32 = 100;

/// The rules of one object.
pub(crate) struct Object<'p> {
    policy: &'p Policy,
    section: &'p Section,
    tier: Tier,
    priority: u32,
}

/// Every pair of objects that is at odds in a direction, once.
///
/// Cost: of each pair of one tier and priority, the pairs of its rules.
pub fn find(db: &dyn Db, finder: &Finder) -> Vec<Diagnostic> {
    let everywhere = finder.others.policies.get("");
    let objects: Vec<Object<'_>> = everywhere.into_iter().flat_map(|it| it.iter()).filter_map(|it| object(it, finder)).collect();
    let mut found = Vec::new();
    for (at, one) in objects.iter().enumerate() {
        let rivals = objects[at + 1..].iter().filter(|it| (it.tier, it.priority) == (one.tier, one.priority));
        for other in rivals {
            let both = Direction::BOTH.map(|direction| at_odds(finder, &objects, [one, other], direction));
            found.extend(both.iter().flatten().filter_map(|odds| render(db, [one, other], odds)));
        }
    }
    found
}

fn object<'p>(policy: &'p Policy, finder: &Finder) -> Option<Object<'p>> {
    let kind = policy.object.kind.as_str();
    let read = kind == "ClusterNetworkPolicy"
        || finder.dialect.admin_policies_enforced && ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy"].contains(&kind);
    let refused = !hir::refusals(policy, &finder.cluster.config, finder.dialect).is_empty();
    let section = policy.sections.first().filter(|_| read && !refused)?;
    let first = section.entries.first()?;
    Some(Object { policy, section, tier: first.tier, priority: first.order / PLACES })
}

/// What two objects are at odds about: the rule of each that decides, and a connection.
struct Odds<'p> {
    rules: [&'p Entry; 2],
    witness: Witness,
    direction: Direction,
}

fn at_odds<'p>(
    finder: &Finder,
    all: &[Object<'p>],
    pair: [&Object<'p>; 2],
    direction: Direction,
) -> Option<Odds<'p>> {
    let rules = pair.map(|it| {
        it.section.entries.iter().filter(|rule| rule.direction == direction && rule.l7.is_none()).collect::<Vec<_>>()
    });
    let before = |it: &&Object<'_>| it.tier == pair[0].tier && it.priority < pair[0].priority;
    for one in &rules[0] {
        for other in rules[1].iter().filter(|other| other.effect != one.effect) {
            for witness in witnesses(finder, [pair[0].section, pair[1].section], [*one, *other]) {
                // Why: the first rule of an object that matches decides for it, and what an earlier object decides is decided.
                let [first, second] = pair.map(|it| witness.decides(it.section, direction));
                let decided = all.iter().filter(before).any(|it| witness.decides(it.section, direction).is_some());
                match (first, second) {
                    (Some(a), Some(b)) if a.effect != b.effect && !decided => {
                        return Some(Odds { rules: [a, b], witness, direction });
                    }
                    _ => {}
                }
            }
        }
    }
    None
}

fn render(db: &dyn Db, [one, other]: [&Object<'_>; 2], odds: &Odds<'_>) -> Option<Diagnostic> {
    let names = [one, other].map(|it| quoted(&it.policy.object.to_string()));
    let words = odds.rules.map(|rule| word(rule.effect));
    let [first, second] = [(one, odds.rules[0]), (other, odds.rules[1])].map(|(it, rule)| place(db, it, rule));
    let (first, second) = (first?, second?);
    let said = PAGE.says(format!(
        "{} and {} of one priority answer one connection with {} and {}",
        names[0], names[1], words[0], words[1]
    ));
    let said = said.blame(second.0, second.1, words[1]).note(first.0, first.1, words[0]);
    let why = format!(
        "{}; which of two objects of one priority is asked first is undefined, so that it may change with any release of what enforces \
         them. Here deny goes before accept, and accept before pass",
        odds.witness.words(odds.direction)
    );
    let free = if one.tier == Tier::Baseline { "in the tier Baseline" } else { "in the tier Admin" };
    Some(said.why(why).help(format!("give one of them a priority of its own {free}; the smaller is asked first")))
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Deny => "deny",
        Effect::Allow => "accept",
        Effect::Pass => "pass",
    }
}

fn place(db: &dyn Db, object: &Object<'_>, rule: &Entry) -> Option<(FileId, Span)> {
    let origin = rules_origin(object, rule);
    let place = locate::locate_bound(db, &origin)?;
    let file = crate::files(db).into_iter().find(|file| file.id(db) == place.file)?;
    Some((place.file, Text::new(db, file).first_line(place.span)))
}

fn rules_origin(object: &Object<'_>, rule: &Entry) -> hir::Origin {
    let object = std::sync::Arc::new(object.policy.object.clone());
    hir::Origin { object, path: format!("{}.action", rule.path) }
}
