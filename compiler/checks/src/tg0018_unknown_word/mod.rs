//! A word that is none of those allowed.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, listed, nearest, quoted, replace};

pub const PAGE: Page = page!(18, "unknown-word", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str, allowed: &[&'static str]) -> Diagnostic {
    let span = spot.word(&problem.path, found);
    let said = PAGE.says(format!("{} is not allowed at {}", quoted(found), quoted(&problem.path)));
    let near = nearest(found, allowed.iter().copied());
    let label = near.map_or_else(|| "unknown word".to_owned(), |near| format!("did you mean `{near}`?"));
    let said = spot
        .blame(said, span, label)
        .why(fate(spot, problem))
        .help(format!("one of {}", listed(allowed.iter().copied(), "and")));
    match near.filter(|_| span.slice(spot.tree().text()).trim_matches(['"', '\'']) == found && !found.is_empty()) {
        Some(near) => said.fix(replace(spot.text.id, span, near, format!("write `{near}`"))),
        None => said,
    }
}
