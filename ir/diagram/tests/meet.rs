//! Laws of the diagram between two diagrams, and of other peer numbers.

mod common;

use common::rule_sets;
use diagram::{Diagram, Limits, build, meet};
use flow::{L4Key, PeerId, Verdict};
use proptest::prelude::*;
use rules::RuleSet;

const PEERS: u32 = 6;

fn diagram(rules: &RuleSet) -> Diagram {
    build(rules, PEERS, &Limits::default()).expect("the sets are small")
}

/// Keys at which either changes, and those just before.
fn keys(rules: &[&RuleSet]) -> Vec<L4Key> {
    let cells = rules.iter().flat_map(|rules| oracle::cells(rules));
    cells.flat_map(|key| [Some(key), key.raw().checked_sub(1).and_then(L4Key::from_raw)]).flatten().collect()
}

proptest! {
    #[test]
    fn the_meet_denies_what_either_denies_and_else_says_what_the_new_one_says(old in rule_sets(), new in rule_sets()) {
        let (a, b) = (diagram(&old), diagram(&new));
        let between = meet(&a, &b);
        for peer in (0..PEERS + 1).map(PeerId) {
            for key in keys(&[&old, &new]) {
                let both = if a.eval(peer, key).is_allowed() { b.eval(peer, key) } else { Verdict::DENY };
                prop_assert_eq!(between.eval(peer, key), both);
            }
        }
        prop_assert_eq!(meet(&b, &b), b);
    }

    #[test]
    fn other_numbers_do_not_change_what_is_meant(rules in rule_sets(), of in prop::collection::vec(0..PEERS + 2, 0..10)) {
        let before = diagram(&rules);
        let after = before.renumber(of.len() as u32, |peer| PeerId(of[peer.0 as usize]));
        for (peer, was) in (0..).zip(&of) {
            for key in keys(&[&rules]) {
                prop_assert_eq!(after.eval(PeerId(peer), key), before.eval(PeerId(*was), key));
            }
        }
        prop_assert_eq!(before.renumber(PEERS, |peer| peer), before);
    }
}
