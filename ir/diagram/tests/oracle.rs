//! Every answer of a diagram is the oracle's, on every elementary cell and every peer.

mod common;

use common::{UNIVERSE, WIDE, rule_sets, wide_rule_sets};
use diagram::{Limits, build, difference};
use flow::{Auth, L4Key, PeerId, Peers};
use proptest::prelude::*;
use rules::{Effect, Rule, RuleSet};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diagram_answers_like_the_oracle(rules in rule_sets(), random in prop::collection::vec(0u32..1 << 24, 20)) {
        let diagram = build(&rules, UNIVERSE, &Limits::default()).unwrap();
        let columns = diagram.columns(&Limits::default()).unwrap();
        let keys = oracle::cells(&rules).into_iter().chain(random.into_iter().filter_map(L4Key::from_raw));
        let before = |key: L4Key| key.raw().checked_sub(1).and_then(L4Key::from_raw);
        for key in keys.flat_map(|key| [Some(key), before(key)]).flatten() {
            for peer in (0..UNIVERSE).map(PeerId) {
                let meant = oracle::decide(&rules, peer, key).verdict;
                prop_assert_eq!(diagram.eval(peer, key), meant, "peer {} key {}\n{}", peer, key, rules);
                prop_assert_eq!(columns.eval(diagram.class_of(peer), key), Some(meant));
            }
            // A peer that no set can hold: only rules that restrict nobody speak of it.
            let stranger = PeerId(UNIVERSE + 70_000);
            prop_assert_eq!(diagram.eval(stranger, key), oracle::decide(&rules, stranger, key).verdict);
        }
    }

    #[test]
    fn between_two_cells_no_answer_changes(rules in rule_sets(), random in prop::collection::vec(0u32..1 << 24, 40)) {
        let cells = oracle::cells(&rules);
        for key in random.into_iter().filter_map(L4Key::from_raw) {
            let cell = cells[cells.partition_point(|start| *start <= key) - 1];
            for peer in (0..UNIVERSE).map(PeerId) {
                prop_assert_eq!(oracle::decide(&rules, peer, key), oracle::decide(&rules, peer, cell));
            }
        }
    }

    #[test]
    fn diagrams_are_equal_exactly_when_every_answer_is(a in rule_sets(), b in rule_sets()) {
        let (old, new) = (build(&a, UNIVERSE, &Limits::default()).unwrap(), build(&b, UNIVERSE, &Limits::default()).unwrap());
        let keys: Vec<L4Key> = oracle::cells(&a).into_iter().chain(oracle::cells(&b)).collect();
        let peers = || (0..=UNIVERSE).map(PeerId);
        let agree = peers().all(|peer| {
            keys.iter().all(|key| oracle::decide(&a, peer, *key).verdict == oracle::decide(&b, peer, *key).verdict)
        });
        prop_assert_eq!(old == new, agree);
        prop_assert_eq!(difference(&old, &new).is_empty(), agree);
    }

    #[test]
    fn a_difference_holds_every_flow_that_changes_and_no_other(a in rule_sets(), b in rule_sets()) {
        // The new universe knows fewer peers: the rest are strangers to it.
        let known = UNIVERSE - 2;
        let (old, new) = (build(&a, UNIVERSE, &Limits::default()).unwrap(), build(&b, known, &Limits::default()).unwrap());
        let difference = difference(&old, &new);
        let keys: Vec<L4Key> = oracle::cells(&a).into_iter().chain(oracle::cells(&b)).collect();
        for peer in (0..=UNIVERSE).map(PeerId) {
            for &key in &keys {
                let found: Vec<_> = difference.changes.iter().filter(|change| {
                    let region = &difference.regions[change.region];
                    let ours = region.peers.contains(peer) || (region.others && peer.0 == UNIVERSE);
                    ours && change.low <= key && key <= change.high
                }).map(|change| (change.old, change.new)).collect();
                let (before, after) = (old.eval(peer, key), new.eval(peer, key));
                let expected = if before == after { vec![] } else { vec![(before, after)] };
                prop_assert_eq!(found, expected);
            }
        }
        for change in &difference.changes {
            let (peer, key) = difference.witness(change).unwrap();
            let peer = peer.unwrap_or(PeerId(UNIVERSE));
            prop_assert_eq!((old.eval(peer, key), new.eval(peer, key)), (change.old, change.new));
        }
    }

    #[test]
    fn a_signature_names_the_rules_that_name_a_peer_and_settles_its_class(rules in rule_sets()) {
        let diagram = build(&rules, UNIVERSE, &Limits::default()).unwrap();
        for peer in (0..=UNIVERSE).map(PeerId) {
            let signature = diagram.signature_of(peer);
            prop_assert_eq!(signature, naive_signature(&rules, peer));
            prop_assert!(diagram.signatures().contains(&(signature.into(), diagram.class_of(peer))));
        }
        prop_assert!(diagram.signatures().is_sorted_by(|(a, _), (b, _)| a < b));
        prop_assert_eq!(&diagram.signatures()[0], &(Box::from([]), diagram::ClassId::DEFAULT));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diagram_of_many_peers_and_levels_answers_like_the_oracle(
        rules in wide_rule_sets(),
        asked in prop::collection::vec((0..WIDE, any::<prop::sample::Index>()), 200),
    ) {
        let diagram = build(&rules, WIDE, &Limits::default()).unwrap();
        let cells = oracle::cells(&rules);
        for (peer, cell) in asked {
            let (peer, key) = (PeerId(peer), cells[cell.index(cells.len())]);
            prop_assert_eq!(diagram.eval(peer, key), oracle::decide(&rules, peer, key).verdict);
        }
    }
}

/// The definition, read off its words.
fn naive_signature(rules: &RuleSet, peer: PeerId) -> Vec<u32> {
    let mut signature = std::collections::BTreeSet::new();
    let mut level_begin = 0;
    for level in rules.tiers.iter().flat_map(|tier| &tier.levels) {
        let asks =
            |rule: &Rule| matches!(rule.effect, Effect::Allow { auth: Some(auth), .. } if auth != Auth::Disabled);
        let auth_counts = level.rules.iter().any(asks);
        let says = |rule: &Rule| match rule.effect {
            Effect::Allow { redirect, .. } if !auth_counts => {
                (Effect::Allow { redirect, auth: None }, rule.l4.clone(), false)
            }
            effect => (effect, rule.l4.clone(), auth_counts && rule.peers != Peers::All),
        };
        for rule in level.rules.iter().filter(|rule| rule.peers != Peers::All && rule.peers.contains(peer)) {
            let same = |other: &&Rule| says(other) == says(rule);
            if !level.rules.iter().filter(same).any(|other| other.peers == Peers::All) {
                signature.insert(level_begin + level.rules.iter().position(|other| same(&other)).unwrap() as u32);
            }
        }
        level_begin += level.rules.len() as u32;
    }
    signature.into_iter().collect()
}
