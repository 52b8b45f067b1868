//! What must not change an answer, and which way an answer may change.

mod common;

use std::sync::Arc;

use common::{UNIVERSE, l4, peers, rule, rule_sets};
use diagram::{Diagram, Limits, build, difference};
use flow::{Auth, L4Key, L4Set, PeerId, PeerSet, Peers};
use proptest::prelude::*;
use proptest::sample::Index;
use rules::{Effect, Level, Rule, RuleSet};

fn diagram(rules: &RuleSet) -> Diagram {
    build(rules, UNIVERSE, &Limits::default()).unwrap()
}

/// One level of a rule set, or `None` when it has none.
fn pick<'a>(rules: &'a mut RuleSet, at: &Index) -> Option<&'a mut Level> {
    let mut levels: Vec<&mut Level> = rules.tiers.iter_mut().flat_map(|tier| &mut tier.levels).collect();
    if levels.is_empty() { None } else { Some(levels.swap_remove(at.index(levels.len()))) }
}

fn says_nothing_of_auth(level: &Level) -> bool {
    level.rules.iter().all(|rule| !matches!(rule.effect, Effect::Allow { auth: Some(_), .. }))
}

/// Replaces every rule by several.
fn replace_rules(rules: &RuleSet, by: impl Fn(&Level, &Rule) -> Vec<Rule>) -> RuleSet {
    let mut out = rules.clone();
    for level in out.tiers.iter_mut().flat_map(|tier| &mut tier.levels) {
        level.rules = level.rules.iter().flat_map(|rule| by(level, rule)).collect();
    }
    out
}

/// The aligned blocks of a set, found by halving: those that lie in it whole.
fn blocks(set: &L4Set) -> Vec<L4Set> {
    let mut out = Vec::new();
    let mut todo = vec![(0u32, 1u32 << 24)];
    while let Some((low, size)) = todo.pop() {
        let block = L4Set::interval(L4Key::from_raw(low).unwrap(), L4Key::from_raw(low + size - 1).unwrap());
        let inside = set.intersect(&block);
        if inside == block {
            out.push(block);
        } else if !inside.is_empty() {
            todo.extend([(low, size / 2), (low + size / 2, size / 2)]);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_and_the_number_of_equal_rules_mean_nothing(rules in rule_sets(), at in any::<Index>()) {
        let mut shuffled = replace_rules(&rules, |_, rule| vec![rule.clone(), rule.clone()]);
        for level in shuffled.tiers.iter_mut().flat_map(|tier| &mut tier.levels) {
            level.rules.reverse();
            let len = level.rules.len();
            if len > 0 {
                level.rules.rotate_left(at.index(len));
            }
        }
        let (before, after) = (diagram(&rules), diagram(&shuffled));
        prop_assert_eq!(&before, &after);
        prop_assert_eq!(before.columns(&Limits::default()), after.columns(&Limits::default()));
        for key in oracle::cells(&rules) {
            for peer in (0..UNIVERSE).map(PeerId) {
                prop_assert_eq!(oracle::decide(&rules, peer, key), oracle::decide(&shuffled, peer, key));
            }
        }
    }

    #[test]
    fn an_allow_more_never_turns_allow_into_deny(rules in rule_sets(), peers in peers(), l4 in l4(), auth in any::<bool>(), at in any::<Index>()) {
        let mut more = rules.clone();
        let effect = Effect::Allow { redirect: None, auth: auth.then_some(Auth::Required) };
        if let Some(level) = pick(&mut more, &at) {
            level.rules.push(Rule { peers, l4, effect, origin: rules::OriginId(0) });
        }
        for change in difference(&diagram(&rules), &diagram(&more)).changes {
            prop_assert!(change.new.is_allowed(), "{}", change);
        }
    }

    #[test]
    fn a_deny_more_never_turns_deny_into_allow(rules in rule_sets(), peers in peers(), l4 in l4(), at in any::<Index>()) {
        let mut more = rules.clone();
        if let Some(level) = pick(&mut more, &at) {
            level.rules.push(Rule { peers, l4, effect: Effect::Deny, origin: rules::OriginId(0) });
        }
        for change in difference(&diagram(&rules), &diagram(&more)).changes {
            prop_assert!(!change.new.is_allowed(), "{}", change);
        }
    }

    #[test]
    fn a_rule_that_names_nobody_changes_nothing(rules in rule_sets(), rule in rule(), at in any::<Index>()) {
        let mut more = rules.clone();
        if let Some(level) = pick(&mut more, &at) {
            level.rules.push(Rule { peers: Peers::Of(Arc::default()), ..rule });
        }
        prop_assert_eq!(diagram(&rules), diagram(&more));
    }

    #[test]
    fn a_rule_means_the_same_as_one_rule_for_each_of_its_peers(rules in rule_sets()) {
        let split = replace_rules(&rules, |_, rule| match &rule.peers {
            Peers::All => vec![rule.clone()],
            Peers::Of(set) => set
                .iter()
                .map(|peer| Rule { peers: Peers::Of(Arc::new(PeerSet::from_iter([peer]))), ..rule.clone() })
                .collect(),
        });
        prop_assert_eq!(diagram(&rules), diagram(&split));
    }

    #[test]
    fn a_rule_means_the_same_as_one_rule_for_each_aligned_block_of_its_keys(rules in rule_sets()) {
        let split = replace_rules(&rules, |_, rule| {
            blocks(&rule.l4).into_iter().map(|l4| Rule { l4, ..rule.clone() }).collect()
        });
        prop_assert_eq!(diagram(&rules), diagram(&split));
    }

    #[test]
    fn where_nothing_is_said_of_authentication_keys_may_be_split_anywhere(rules in rule_sets(), raw in 1u32..1 << 24) {
        let low = L4Set::interval(L4Key::MIN, L4Key::from_raw(raw - 1).unwrap());
        let split = replace_rules(&rules, |level, rule| {
            if says_nothing_of_auth(level) {
                let halves = [rule.l4.intersect(&low), rule.l4.intersect(&low.complement())];
                halves.map(|l4| Rule { l4, ..rule.clone() }).into()
            } else {
                vec![rule.clone()]
            }
        });
        prop_assert_eq!(diagram(&rules), diagram(&split));
    }

    #[test]
    fn other_numbers_for_the_same_peers_give_the_same_classes(
        rules in rule_sets(),
        names in Just((0..UNIVERSE).collect::<Vec<u32>>()).prop_shuffle(),
    ) {
        let rename = |peer: PeerId| PeerId(names[peer.0 as usize]);
        let renamed = replace_rules(&rules, |_, rule| match &rule.peers {
            Peers::All => vec![rule.clone()],
            Peers::Of(set) => vec![Rule { peers: Peers::Of(Arc::new(set.iter().map(rename).collect())), ..rule.clone() }],
        });
        let (before, after) = (diagram(&rules), diagram(&renamed));
        prop_assert_eq!(before.maps(), after.maps());
        prop_assert_eq!(before.signatures(), after.signatures());
        for peer in (0..UNIVERSE).map(PeerId) {
            prop_assert_eq!(before.class_of(peer), after.class_of(rename(peer)));
        }
    }

    #[test]
    fn classes_have_distinct_maps_and_the_default_comes_first(rules in rule_sets()) {
        let diagram = diagram(&rules);
        prop_assert!(diagram.maps()[1..].is_sorted_by(|a, b| a < b));
        prop_assert!(!diagram.maps()[1..].contains(&diagram.maps()[0]));
        prop_assert_eq!(diagram.class_of(PeerId(UNIVERSE)), diagram::ClassId::DEFAULT);
        let verdicts = diagram.maps().iter().flat_map(|map| map.intervals()).map(|(_, verdict)| verdict);
        let first = diagram.eval(PeerId(0), L4Key::MIN);
        prop_assert_eq!(diagram.is_constant(), verdicts.clone().all(|verdict| *verdict == first));
    }

    #[test]
    fn columns_are_distinct_and_hold_what_the_maps_hold(rules in rule_sets()) {
        let diagram = diagram(&rules);
        let columns = diagram.columns(&Limits::default()).unwrap();
        let ids = || (0..columns.columns() as u32).map(diagram::ColumnId);
        for a in ids() {
            prop_assert!(ids().all(|b| a == b || columns.column(a) != columns.column(b)));
            prop_assert!(columns.cuts().iter().any(|(_, used)| *used == a));
        }
        prop_assert_eq!(columns.cuts().len(), diagram.cuts());
        for &(start, column) in columns.cuts() {
            for (class, map) in diagram.maps().iter().enumerate() {
                prop_assert_eq!(columns.verdict(column, diagram::ClassId(class as u32)), Some(map.eval(start)));
            }
        }
    }

    #[test]
    fn what_exceeds_a_limit_is_refused(rules in rule_sets()) {
        let counts = diagram(&rules).counts();
        let cells = (diagram(&rules).cuts() * counts.classes) as u64;
        let under = |limit: u64| Limits { cells: limit, ..Limits::default() };
        prop_assert!(diagram(&rules).columns(&under(cells)).is_ok());
        prop_assert!(diagram(&rules).columns(&under(cells - 1)).is_err());
        let intervals = counts.intervals as u64;
        let under = |intervals: u64| Limits { intervals, ..Limits::default() };
        prop_assert!(build(&rules, UNIVERSE, &under(intervals)).is_ok());
        prop_assert!(build(&rules, UNIVERSE, &under(intervals - 1)).is_err());
    }
}
