//! A text that names no port.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted, replace};

pub const PAGE: Page = page!(23, "bad-port", Error, "0.1.0");

/// A port name of a NetworkPolicy.
pub fn render_name(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let span = spot.word(&problem.path, found);
    let number = found.parse::<u16>().is_ok_and(|number| number > 0) && found.bytes().all(|byte| byte.is_ascii_digit());
    if number {
        let said =
            PAGE.says(format!("port {} is quoted, which makes it a port name, and names need a letter", quoted(found)));
        let said = spot.blame(said, span, "text, not a number").why(fate(spot, problem)).help("take the quotes away");
        return match span.slice(spot.tree().text()).trim_matches(['"', '\'']) == found {
            true => said.fix(replace(spot.text.id, span, found, "take the quotes away")),
            false => said,
        };
    }
    let said = PAGE.says(format!("{} is no port name", quoted(found)));
    let said = spot.blame(said, span, "not a port name").why(fate(spot, problem));
    said.help(
        "a name is at most 15 of `a` to `z`, `0` to `9` and `-`, with a letter and no `-` at an end or beside another",
    )
}

/// A port of a policy of Cilium.
pub fn render_text(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    if found.is_empty() {
        let said = PAGE.says(format!("{} names no port", quoted(&problem.path)));
        let said = spot.blame(said, spot.key(&problem.path), "`port` is missing").why(fate(spot, problem));
        return said
            .help("add `port: \"0\"` for every port of the protocol, or leave `toPorts` away for every protocol");
    }
    let digits = found.bytes().all(|byte| byte.is_ascii_digit());
    let said = PAGE.says(format!("{} is no port", quoted(found)));
    let help = match digits && found.starts_with('0') {
        true => "take the leading zeros away: some readers take such a number for octal",
        false => "write a number from 0 to 65535 in quotes, or a port name of at most 15 letters, digits and `-`",
    };
    spot.blame(said, spot.word(&problem.path, found), "not a port").why(fate(spot, problem)).help(help)
}
