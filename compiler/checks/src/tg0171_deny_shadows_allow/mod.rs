//! An allow that a deny of the same policy takes back entirely.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0170_deny_cancels_outside_allow::{Cancelled, cancelled, deny_place, rule, witness};
use crate::words::quoted;

pub const PAGE: Page = page!(171, "deny-shadows-allow", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let inside = cancelled(spot, finder).into_iter().filter(|it| it.whole && !it.is_outside());
    inside.map(|it| render(spot, finder, &it)).collect()
}

fn render(spot: &Spot<'_>, finder: &Finder, it: &Cancelled<'_>) -> Diagnostic {
    let headline = format!("{} never allows anything: {} denies it all", quoted(rule(it.allow)), quoted(rule(it.deny)));
    let said =
        spot.say(&PAGE, headline, spot.value(it.peer.map_or(rule(it.allow), |peer| &peer.path)), "without effect");
    let said = said.note(spot.text.id, spot.value(&deny_place(it.deny)), "denied here");
    said.why(format!("{}; a deny wins over every allow", witness(finder, it)))
        .help("narrow the deny, or delete the allow")
}
