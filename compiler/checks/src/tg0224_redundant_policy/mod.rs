//! A policy all of which other policies do.

use diag::Diagnostic;
use driver::Db;

use crate::page::{Page, page};
use crate::surplus::Said;
use crate::words::quoted;

pub const PAGE: Page = page!(224, "redundant-policy", Hint, "0.1.0", Style);

pub fn render(db: &dyn Db, said: &Said<'_>) -> Option<Diagnostic> {
    let spot = said.spot()?;
    let headline = format!("{} changes nothing: other policies do all that it does", quoted(said.object));
    let mut found = spot.say(&PAGE, headline, spot.value("metadata.name"), "adds nothing");
    let others: Vec<_> = said.deciders(db).into_iter().filter(|(origin, _)| origin.object != said.object).collect();
    for (file, span) in others.iter().filter_map(|(_, place)| *place).take(3) {
        found = found.note(file, span, "does it already");
    }
    let passes = if said.witness.passes { "passes" } else { "is dropped" };
    let why = match (said.flow(), others.first()) {
        (Some(flow), Some((by, _))) => format!("{flow}, {passes} by {} with it and without it", quoted(&by.object)),
        _ => "its subjects are isolated by other policies, and what it allows they allow too".to_owned(),
    };
    let why = format!("{why}; that holds of every pod that it could select, not only of those of now");
    Some(found.why(why).help("delete the policy: no verdict changes. Keep it, with a reason, if the others are to go"))
}
