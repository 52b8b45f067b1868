//! A rule that is never asked.

use diag::Diagnostic;
use driver::Db;

use crate::page::{Page, page};
use crate::surplus::Said;
use crate::words::quoted;

pub const PAGE: Page = page!(222, "unreachable-rule", Warning, "0.1.0", Correctness);

pub fn render(db: &dyn Db, said: &Said<'_>) -> Option<Diagnostic> {
    let spot = said.spot()?;
    let does = if said.allows { "allows" } else { "denies" };
    let whom = said.deciding_object().unwrap_or("what comes before".to_owned());
    let headline = format!("{} is never asked: {whom} decides first", quoted(said.path));
    let mut found = spot.say(&PAGE, headline, spot.value(said.path), "never asked");
    for (file, span) in said.deciders(db).iter().filter_map(|(_, place)| *place).take(3) {
        found = found.note(file, span, "decided here");
    }
    let passes = if said.witness.passes { "passes" } else { "is dropped" };
    let why = match said.flow() {
        Some(flow) => format!("{flow}, {passes}{} before this rule, which {does} it, is asked", said.by_whom()),
        None => format!("whatever this rule {does} is decided before it is asked"),
    };
    let help = match said.witness.passes && !said.allows {
        true => "move the deny before the allow: an earlier tier, or a smaller priority; as it stands it denies nothing",
        false => "move the rule before the other: an earlier tier, or a smaller priority; or delete it",
    };
    Some(found.why(why).help(help))
}
