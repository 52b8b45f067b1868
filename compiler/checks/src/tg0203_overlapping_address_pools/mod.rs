//! Two pools of addresses for load balancers that share addresses: the one that is added later gives out none.

use std::net::IpAddr;

use diag::Diagnostic;
use driver::{Db, text};
use flow::{Family, Prefix};
use source::{FileId, Span};

use crate::page::{Page, page};
use crate::place::{Spot, Text};
use crate::words::quoted;

pub const PAGE: Page = page!(203, "overlapping-address-pools", Warning, "0.1.0", Correctness);

/// The kind of a pool.
pub(crate) const KIND: &str = "CiliumLoadBalancerIPPool";

/// One block of a pool.
struct Block {
    pool: String,
    /// When the pool was made, where a cluster says so.
    made: Option<String>,
    low: IpAddr,
    high: IpAddr,
    place: (FileId, Span),
}

/// Every pair of pools that share an address, once.
pub fn find(db: &dyn Db) -> Vec<Diagnostic> {
    let mut blocks: Vec<Block> = Vec::new();
    for file in crate::files(db) {
        if text::decoded(db, file).objects.iter().any(|it| it.object.kind == KIND) {
            let text = Text::new(db, file);
            blocks.extend(text.spots().filter(|spot| spot.is_of_cilium(KIND)).flat_map(|spot| blocks_of(&spot)));
        }
    }
    // In the order of their first addresses only those that begin before one ends can meet it.
    blocks.sort_by(|a, b| (a.low, a.high, &a.pool).cmp(&(b.low, b.high, &b.pool)));
    let mut found: Vec<((String, String), Diagnostic)> = Vec::new();
    for (at, one) in blocks.iter().enumerate() {
        let same = |it: &&Block| it.low <= one.high && Family::of(it.low) == Family::of(one.low);
        for other in blocks[at + 1..].iter().take_while(same).filter(|it| it.pool != one.pool) {
            let mut pair = [one, other];
            pair.sort_by(|a, b| (&a.made, &a.pool).cmp(&(&b.made, &b.pool)));
            let [first, later] = pair;
            let names = (first.pool.clone(), later.pool.clone());
            if !found.iter().any(|(known, _)| *known == names) {
                found.push((names, render(first, later, other.low)));
            }
        }
    }
    found.into_iter().map(|(_, said)| said).collect()
}

fn render(first: &Block, later: &Block, shared: IpAddr) -> Diagnostic {
    let (one, other) = (quoted(&first.pool), quoted(&later.pool));
    let known = first.made.is_some() && later.made.is_some() && first.made != later.made;
    let said = PAGE.says(format!("the pools {one} and {other} share addresses, such as {}", quoted(&shared.to_string())));
    let said = said.blame(later.place.0, later.place.1, "shared").note(first.place.0, first.place.1, "with this");
    let said = said.why(match known {
        true => format!("of pools that share addresses the one added later, {other}, is marked with a conflict and gives out no address at all; {one} keeps working"),
        false => "of pools that share addresses the one added later is marked with a conflict and gives out no address at all; the first keeps working".to_owned(),
    });
    said.help("take the shared addresses out of one of them")
}

fn blocks_of(spot: &Spot<'_>) -> Vec<Block> {
    let mut found = Vec::new();
    for path in spot.items("spec.blocks") {
        let address = |field: &str| spot.string(&format!("{path}.{field}"))?.parse::<IpAddr>().ok();
        let range = match spot.string(&format!("{path}.cidr")).map(Prefix::parse) {
            Some(prefix) => prefix.map(|prefix| (prefix.addr(), prefix.last())),
            None => address("start").map(|start| (start, address("stop").unwrap_or(start))),
        };
        let Some((low, high)) = range else { continue };
        found.push(Block {
            pool: spot.object.object.name.clone(),
            made: spot.string("metadata.creationTimestamp").map(str::to_owned),
            low,
            high,
            place: (spot.text.id, spot.text.first_line(spot.value(&path))),
        });
    }
    found
}
