//! Values that an operator needs, or cannot have.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted};

pub const PAGE: Page = page!(25, "values-do-not-fit-operator", Error, "0.1.0");

pub fn render_needed(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let operator = operator(spot, problem);
    let said = PAGE.says(format!("operator {} needs values at {}", quoted(operator), quoted(&problem.path)));
    let span = spot.word(&problem.path, operator);
    let said = spot.blame(said, span, "`values` is missing or empty").why(fate(spot, problem));
    said.help("add `values`; to ask only whether the label is there, write `Exists` or `DoesNotExist`")
}

pub fn render_forbidden(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let operator = operator(spot, problem);
    let said = PAGE.says(format!("operator {} takes no values at {}", quoted(operator), quoted(&problem.path)));
    let said = spot.blame(said, spot.key(&format!("{}.values", problem.path)), "not allowed here").why(fate(spot, problem));
    said.help("take `values` away; to compare values, write `In` or `NotIn`")
}

fn operator<'a>(spot: &Spot<'a>, problem: &Problem) -> &'a str {
    spot.string(&format!("{}.operator", problem.path)).unwrap_or_default()
}
