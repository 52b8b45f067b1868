//! None, or more than one, of fields that exclude each other.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, listed, quoted};

pub const PAGE: Page = page!(37, "not-exactly-one", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, of: &[&'static str]) -> Diagnostic {
    let holder = problem.path.as_str();
    let path = |name: &str| format!("{holder}.{name}");
    let given: Vec<&str> = of.iter().copied().filter(|name| spot.node(&path(name)).is_some()).collect();
    let Some((last, others)) = given.split_last() else {
        let said = PAGE.says(format!("{} has none of {}", quoted(holder), listed(of.iter().copied(), "and")));
        let said = spot.blame(said, spot.key(holder), "needs one of them").why(fate(spot, problem));
        return said.help(format!("add one of {}", listed(of.iter().copied(), "or")));
    };
    let said =
        PAGE.says(format!("{} has {}, and may have one only", quoted(holder), listed(given.iter().copied(), "and")));
    let said = spot.blame(said, spot.key(&path(last)), "one too many").why(fate(spot, problem));
    let said = said.help("keep one here and write the other into a list element of its own");
    others.iter().fold(said, |said, other| said.note(spot.text.id, spot.key(&path(other)), "also given"))
}
