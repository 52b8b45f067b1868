//! Blocks of addresses outside the cluster: which lies in which, what some of them are called together, which address shows one.

use flow::{Family, Prefix};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Every region outside the cluster, and how they lie in each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Blocks {
    /// Ascending.
    blocks: Vec<Prefix>,
    /// Of each block the smallest one that holds it, and those that it is the smallest one of: indices into the blocks.
    above: Vec<Option<usize>>,
    below: Vec<Vec<usize>>,
    /// What inside them is no part of the outside, ascending and apart.
    reserved: Vec<Prefix>,
}

/// Some of the blocks that lie in no other of them, each with its holes.
pub(crate) type WithHoles = BTreeMap<Prefix, Vec<Prefix>>;

impl Blocks {
    /// Of regions outside the cluster, and of the ranges of its own addresses.
    pub fn of(mut blocks: Vec<Prefix>, mut reserved: Vec<Prefix>) -> Blocks {
        reserved.sort_unstable();
        reserved.dedup_by(|inner, outer| outer.covers(*inner));
        // Ordered by address, then length: what a block covers follows it without a gap.
        blocks.sort_unstable();
        blocks.dedup();
        let mut around: Vec<usize> = Vec::new();
        let (mut above, mut below) = (Vec::new(), vec![Vec::new(); blocks.len()]);
        for (at, block) in blocks.iter().enumerate() {
            while around.last().is_some_and(|it| !blocks[*it].covers(*block)) {
                around.pop();
            }
            let own: Option<usize> = around.last().copied();
            above.push(own);
            own.into_iter().for_each(|it| below[it].push(at));
            around.push(at);
        }
        Blocks { blocks, above, below, reserved }
    }

    /// Some of the blocks without those that lie in another of them. A hole is a block that is none of them and that `counts`.
    pub fn joined(&self, some: &BTreeSet<Prefix>, counts: impl Fn(Prefix) -> bool) -> WithHoles {
        let is_in = |at: &usize| some.contains(&self.blocks[*at]);
        let root_of = |mut root: usize| {
            while let Some(above) = self.above[root].filter(is_in) {
                root = above;
            }
            root
        };
        let mut found = WithHoles::new();
        for at in some.iter().filter_map(|block| self.blocks.binary_search(block).ok()) {
            let holes = self.below[at].iter().filter(|hole| !is_in(hole)).map(|hole| self.blocks[*hole]);
            found.entry(self.blocks[root_of(at)]).or_default().extend(holes.filter(|hole| counts(*hole)));
        }
        found.values_mut().for_each(|holes| holes.sort_unstable());
        found
    }

    /// An address that a block has to itself and that `is_taken` does not claim, one that is plain to see before others; `None` where there
    /// is none.
    ///
    /// Cost: one step for each smaller block and each taken address, at most.
    pub fn free(&self, block: Prefix, is_taken: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let fits = |address: &IpAddr| self.is_own(block, *address);
        let plain = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"];
        let plain = plain.iter().filter_map(|it| it.parse().ok());
        if let Some(found) = plain.filter(fits).find(|address| !is_taken(*address)) {
            return Some(found);
        }
        // Why last: nobody has the address of a whole net.
        let first = next(block.addr()).filter(|address| block.contains(*address));
        let mut at = first;
        while let Some(address) = at.filter(|address| block.contains(*address)) {
            at = match self.inside(block, address) {
                Some(smaller) => next(smaller.last()),
                None if is_taken(address) => next(address),
                None => return Some(address),
            };
        }
        Some(block.addr()).filter(fits).filter(|address| !is_taken(*address))
    }

    /// Whether an address lies in a block, in no smaller one, and in no range of the cluster.
    pub fn is_own(&self, block: Prefix, address: IpAddr) -> bool {
        block.contains(address) && self.inside(block, address).is_none()
    }

    /// What of a block is not its own and holds an address: a smaller block, or a range of the cluster.
    fn inside(&self, block: Prefix, address: IpAddr) -> Option<Prefix> {
        let at = self.blocks.binary_search(&block).ok()?;
        let below = &self.below[at];
        let after = below.partition_point(|it| self.blocks[*it].addr() <= address);
        let smaller = below[..after].last().map(|it| self.blocks[*it]).filter(|it| it.contains(address));
        let after = self.reserved.partition_point(|it| it.addr() <= address);
        let reserved = self.reserved[..after].last().copied().filter(|it| it.contains(address) && !it.covers(block));
        smaller.or(reserved)
    }
}

/// Whether a family has no hole at all.
pub(crate) fn is_whole(joined: &WithHoles, family: Family) -> bool {
    joined.get(&Prefix::all(family)).is_some_and(Vec::is_empty)
}

/// Whether some prefixes, all inside another and in order, hold every address of it.
pub(crate) fn is_covered(prefix: Prefix, inside: &[Prefix]) -> bool {
    let Some(first) = inside.first() else { return false };
    if *first == prefix {
        return true;
    }
    let Some(left) = Prefix::new(prefix.addr(), prefix.len() + 1) else { return false };
    let at = inside.partition_point(|other| left.covers(*other));
    if at == 0 || at == inside.len() {
        return false;
    }
    let right = other_half(prefix);
    is_covered(left, &inside[..at]) && is_covered(right, &inside[at..])
}

/// The upper half of a prefix that is no single address.
fn other_half(prefix: Prefix) -> Prefix {
    let (len, bits) = (prefix.len() + 1, prefix.family().bits());
    let addr = match prefix.addr() {
        IpAddr::V4(addr) => IpAddr::V4((addr.to_bits() | 1 << (bits - len)).into()),
        IpAddr::V6(addr) => IpAddr::V6((addr.to_bits() | 1 << (bits - len)).into()),
    };
    Prefix::new(addr, len).unwrap_or(prefix)
}

fn next(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_add(1).map(|it| IpAddr::V4(it.into())),
        IpAddr::V6(address) => address.to_bits().checked_add(1).map(|it| IpAddr::V6(it.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(texts: &[&str]) -> Vec<Prefix> {
        texts.iter().filter_map(|it| Prefix::parse(it)).collect()
    }

    #[test]
    fn an_address_that_shows_a_block_lies_in_no_smaller_one_and_is_nobodys() {
        let of = |all: &[&str], block: &str, taken: &[&str]| {
            let is_taken = |address: IpAddr| taken.iter().any(|it| it.parse() == Ok(address));
            let found = Blocks::of(prefixes(all), prefixes(&["172.16.0.0/16", "172.16.1.0/24"]))
                .free(Prefix::parse(block).unwrap(), is_taken);
            found.map(|address| address.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&["0.0.0.0/0", "192.0.2.0/24"], "0.0.0.0/0", &[]), some("198.51.100.1"));
        assert_eq!(of(&["0.0.0.0/0"], "0.0.0.0/0", &["192.0.2.1", "198.51.100.1"]), some("203.0.113.1"));
        assert_eq!(of(&["10.0.0.0/8", "10.0.0.0/9"], "10.0.0.0/8", &["10.128.0.0"]), some("10.128.0.1"));
        assert_eq!(of(&["10.0.0.0/29", "10.0.0.4/30"], "10.0.0.0/29", &["10.0.0.1", "10.0.0.3"]), some("10.0.0.2"));
        assert_eq!(of(&["10.0.0.0/31"], "10.0.0.0/31", &["10.0.0.1"]), some("10.0.0.0"));
        assert_eq!(of(&["10.0.0.0/31"], "10.0.0.0/31", &["10.0.0.0", "10.0.0.1"]), None);
        assert_eq!(of(&["10.0.0.7/32"], "10.0.0.7/32", &[]), some("10.0.0.7"));
        assert_eq!(of(&["255.255.255.254/31"], "255.255.255.254/31", &["255.255.255.255"]), some("255.255.255.254"));
        assert_eq!(of(&["172.16.0.0/12"], "172.16.0.0/12", &[]), some("172.17.0.0"));
        assert_eq!(of(&["::/0"], "::/0", &["2001:db8::1", "::1"]), some("::2"));
    }

    #[test]
    fn a_prefix_is_covered_by_parts_that_leave_nothing_out() {
        let of = |texts: &[&str]| -> Vec<Prefix> { texts.iter().filter_map(|text| Prefix::parse(text)).collect() };
        let whole = Prefix::parse("10.0.0.0/8").unwrap();
        assert!(is_covered(whole, &of(&["10.0.0.0/9", "10.128.0.0/9"])));
        assert!(is_covered(whole, &of(&["10.0.0.0/9", "10.64.0.0/10", "10.128.0.0/10", "10.192.0.0/10"])));
        assert!(!is_covered(whole, &of(&["10.0.0.0/9", "10.128.0.0/10"])));
        assert!(!is_covered(whole, &of(&["10.128.0.0/9"])));
        assert!(!is_covered(Prefix::parse("10.0.0.1/32").unwrap(), &[]));
    }
}
