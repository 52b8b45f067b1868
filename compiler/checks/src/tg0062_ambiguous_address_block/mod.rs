//! An address block that parsers read differently.

use diag::Diagnostic;
use flow::Prefix;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0152_host_bits_set::either;
use crate::words::quoted;

pub const PAGE: Page = page!(62, "ambiguous-address-block", Warning, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str) -> Diagnostic {
    let said = PAGE.says(format!("{} is an address block that not everybody reads alike", quoted(found)));
    let said = spot
        .blame(said, spot.word(&problem.path, found), "ambiguous")
        .why("API servers before 1.36 take it and mean the block around the address; newer ones refuse the object");
    let parsed = Prefix::parse(found).filter(|block| found.split_once('/').is_some_and(|it| it.0 != block.addr().to_string()));
    parsed.and_then(|block| either(spot, said.clone(), &problem.path, found, &block)).unwrap_or_else(|| {
        said.help("write the block's first address, without leading zeros and not in the form `::ffff:10.0.0.0`")
    })
}
