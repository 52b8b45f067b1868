//! A container port that cannot be.

use diag::Diagnostic;
use facts::decode::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(45, "bad-container-port", Warning, "0.1.0");

pub fn render_protocol(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is no protocol of a port", quoted(found)));
    spot.blame(said, spot.word(&problem.path, found), "unknown protocol")
        .why(WHY)
        .help("one of `TCP`, `UDP` and `SCTP`")
}

pub fn render_number(spot: &Spot<'_>, problem: &Problem, found: i64) -> Diagnostic {
    let said = PAGE.says(format!("`{found}` is no port"));
    spot.blame(said, spot.value(&problem.path), "1 to 65535").why(WHY).help("write a number from 1 to 65535")
}

const WHY: &str = "the port is left out: rules that name it match nothing here";
