//! A selector whose conditions contradict each other.

use diag::Diagnostic;
use hir::Requirement;
use hir::labels::NAMESPACE;

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::{Spot, Written};
use crate::words::{condition, quoted};

pub const PAGE: Page = page!(141, "selector-never-matches", Error, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let selectors = spot.selectors();
    let clashes = selectors.iter().filter_map(|it| Some((it, cover::contradiction(it.selector)?)));
    // Why: a subject in another namespace has a code of its own.
    let here = |(it, (one, _)): &(&Written<'_>, (&Requirement, &Requirement))| !it.is_subject || one.key != NAMESPACE;
    clashes.filter(here).map(|(it, (one, other))| render(spot, it, one, other)).collect()
}

fn render(spot: &Spot<'_>, written: &Written<'_>, one: &Requirement, other: &Requirement) -> Diagnostic {
    let (one_text, other_text) = (condition(one), condition(other));
    let headline = format!("{} and {} never hold of one pod", quoted(&one_text), quoted(&other_text));
    let said = spot.say(&PAGE, headline, spot.condition(&written.path, &one.key), "contradicts another condition");
    let said = said.why(match written.is_subject {
        true => {
            "all conditions of a selector must hold; no pod can ever be a subject of this policy, so it isolates nobody"
        }
        false => {
            "all conditions of a selector must hold; no pod can ever be this peer, so the rule does nothing for it"
        }
    });
    said.help("to mean either value, write `operator: In` with both `values`, or two selectors")
}
