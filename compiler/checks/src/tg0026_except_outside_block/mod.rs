//! An exception that is not inside its block.

use diag::Diagnostic;
use flow::Prefix;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::fate;

pub const PAGE: Page = page!(26, "except-outside-block", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, except: Prefix, block: Prefix) -> Diagnostic {
    let said = match except == block {
        true => PAGE.says(format!("exception `{except}` leaves nothing of its block")),
        false => PAGE.says(format!("exception `{except}` is not inside `{block}`")),
    };
    let said = spot.blame(said, spot.value(&problem.path), "not strictly inside the block").why(fate(spot, problem));
    let said = said.help("write a part of the block, or take the exception away: it cuts from this block only");
    match problem.path.rsplit_once(".except[") {
        Some((holder, _)) => said.note(spot.text.id, spot.value(&format!("{holder}.cidr")), "the block"),
        None => said,
    }
}
