//! A rule that other rules say already.

use diag::Diagnostic;
use driver::Db;

use crate::page::{Page, page};
use crate::surplus::Said;
use crate::tg0175_rule_twice::twice;
use crate::words::quoted;

pub const PAGE: Page = page!(220, "redundant-rule", Hint, "0.1.0", Style);

pub fn render(db: &dyn Db, said: &Said<'_>) -> Option<Diagnostic> {
    // Where a rule stands twice in one list, TG0175 says so.
    if twice(said.policy).iter().any(|(path, _)| *path == said.path) {
        return None;
    }
    let spot = said.spot()?;
    let does = if said.allows { "allows" } else { "denies" };
    let headline = format!("{} {does} nothing that other rules leave out", quoted(said.path));
    let mut found = spot.say(&PAGE, headline, spot.value(said.path), "adds nothing");
    let deciders = said.deciders(db);
    for (file, span) in deciders.iter().filter_map(|(_, place)| *place).take(3) {
        found = found.note(file, span, "says it already");
    }
    let passes = if said.witness.passes { "passes" } else { "is dropped" };
    let why = match (said.flow(), said.decider_in_words()) {
        (Some(flow), Some(by)) => format!("{flow}, {passes} by {by} with this rule and without it"),
        _ => "other rules decide every packet that it is about, and decide alike".to_owned(),
    };
    let why = format!("{why}; that holds of every pod that the rule could select, not only of those of now");
    Some(found.why(why).help("delete the rule: no verdict changes. Keep it, with a reason, if the other rule is to go"))
}
