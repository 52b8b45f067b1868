//! None, or more than one, of fields that exclude each other.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, listed, quoted};

pub const PAGE: Page = page!(37, "not-exactly-one", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, of: &[&'static str]) -> Diagnostic {
    let all = listed(of.iter().copied(), "or");
    let place = of.iter().find_map(|name| problem.path.strip_suffix(&format!(".{name}"))).unwrap_or(&problem.path);
    let given: Vec<String> =
        of.iter().map(|name| format!("{place}.{name}")).filter(|path| spot.node(path).is_some()).collect();
    let said = PAGE.says(format!("{} must have exactly one of {all}, not {}", quoted(place), given.len()));
    let Some((last, others)) = given.split_last() else {
        return spot.blame(said, spot.key(place), "none of them").why(fate(problem)).help(format!("add one of {all}"));
    };
    let said = spot.blame(said, spot.key(last), "one too many").why(fate(problem));
    let said = said.help("keep one here and write the other into a list element of its own");
    others.iter().fold(said, |said, other| said.note(spot.text.id, spot.key(other), "also given"))
}
