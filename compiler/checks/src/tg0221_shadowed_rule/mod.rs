//! An allow that denies take back entirely.

use diag::Diagnostic;
use driver::Db;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::surplus::Said;
use crate::tg0170_deny_cancels_outside_allow::{cancelled, rule};
use crate::words::quoted;

pub const PAGE: Page = page!(221, "shadowed-rule", Warning, "0.1.0", Correctness);

pub fn render(db: &dyn Db, finder: &Finder, said: &Said<'_>) -> Option<Diagnostic> {
    let spot = said.spot()?;
    // Where one deny of the same policy does it, TG0170 and TG0171 say so.
    if cancelled(&spot, finder).iter().any(|it| rule(it.allow) == said.path) {
        return None;
    }
    let whom = said.deciding_object().map_or("other rules deny".to_owned(), |by| format!("{by} denies"));
    let headline = format!("{} never allows anything: {whom} it all", quoted(said.path));
    let mut found = spot.say(&PAGE, headline, spot.value(said.path), "without effect");
    for (file, span) in said.deciders(db).iter().filter_map(|(_, place)| *place).take(3) {
        found = found.note(file, span, "denied here");
    }
    let why = match said.flow() {
        Some(flow) => format!("{flow}, is allowed here and dropped{} all the same", said.by_whom()),
        None => "everything that it allows is denied by rules that win".to_owned(),
    };
    let why = format!("{why}; a deny wins over every allow of its own priority and of later ones");
    Some(found.why(why).help("narrow the deny, or delete this rule so that nobody takes it for open"))
}
