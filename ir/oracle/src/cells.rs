//! The finite set of questions that settles every question.

use std::collections::BTreeSet;

use flow::{L4Key, L4Set};
use rules::{Effect, RuleSet};

/// The first key of every elementary cell: between one and the next, no peer's answer can change.
///
/// Shape: ascending, distinct, begins with [`L4Key::MIN`]. An answer changes only where an interval of some rule begins, or
/// just behind its end; and, since authentication looks at port blocks, where a block of an allow begins or ends, in levels
/// where some rule speaks of authentication. Cost: linear in intervals, times up to 46 blocks each in such levels.
pub fn cells(rules: &RuleSet) -> Vec<L4Key> {
    let mut starts = BTreeSet::from([L4Key::MIN]);
    for level in rules.tiers.iter().flat_map(|tier| &tier.levels) {
        let by_block = level.rules.iter().any(|rule| matches!(rule.effect, Effect::Allow { auth: Some(_), .. }));
        for rule in &level.rules {
            for &(low, high) in rule.l4.intervals() {
                starts.insert(low);
                starts.extend(after(high));
            }
            if by_block && matches!(rule.effect, Effect::Allow { .. }) {
                add_blocks(&rule.l4, &mut starts);
            }
        }
    }
    starts.into_iter().collect()
}

/// Adds the starts of the aligned blocks that a set falls into.
fn add_blocks(set: &L4Set, starts: &mut BTreeSet<L4Key>) {
    for (low, high) in set.intervals() {
        let (mut at, end) = (low.raw(), high.raw() + 1);
        while at < end {
            starts.extend(L4Key::from_raw(at));
            // The greatest block that begins here: as aligned as `at` is, and not beyond the end.
            let mut size = 1;
            while at % (size * 2) == 0 && at + size * 2 <= end {
                size *= 2;
            }
            at += size;
        }
    }
}

fn after(key: L4Key) -> Option<L4Key> {
    L4Key::from_raw(key.raw() + 1)
}
