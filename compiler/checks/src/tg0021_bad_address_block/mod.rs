//! A text that is no address block.

use std::net::IpAddr;

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted, replace};

pub const PAGE: Page = page!(21, "bad-address-block", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let span = spot.word(&problem.path, found);
    let said = PAGE.says(format!("{} is no address block", quoted(found)));
    let said = spot.blame(said, span, "wants `address/length`").why(fate(spot, problem));
    let bits = found.parse::<IpAddr>().ok().map(|address| if address.is_ipv4() { 32 } else { 128 });
    match bits.filter(|_| span.slice(spot.tree().text()).contains(found)) {
        Some(bits) => {
            let right =
                spot.tree().text()[span.start as usize..span.end as usize].replace(found, &format!("{found}/{bits}"));
            let title = format!("add `/{bits}`, which means this one address");
            said.help(title.clone()).fix(replace(spot.text.id, span, right, title))
        }
        None => said.help("write an address and a length, for example `10.0.0.0/8` or `2001:db8::/32`"),
    }
}
