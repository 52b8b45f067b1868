//! A world small enough to ask everything: 3 peers, 8 keys, every rule set of up to 3 rules of a small vocabulary.
//!
//! The 8 keys are the first of the 8 equal blocks of the key space, or else the 8 least keys; every interval of the
//! vocabulary is made of such blocks, or such keys.

use std::collections::HashMap;
use std::sync::Arc;

use diagram::{Diagram, Limits, build, difference};
use flow::{Auth, L4Key, L4Set, ListenerId, PeerId, Peers, Verdict};
use rules::{Effect, Fallback, Level, Origin, OriginId, Redirect, Rule, RuleSet, Tier};

const PEERS: u32 = 3;

/// How far apart the keys are: `1 << shift`.
#[derive(Clone, Copy)]
struct Scale(u32);

const BLOCKS: Scale = Scale(21);
const SINGLES: Scale = Scale(0);

impl Scale {
    fn key(self, at: u32) -> L4Key {
        L4Key::from_raw(at << self.0).unwrap()
    }

    /// The 8 keys, and one for all behind them where there are any.
    fn keys(self) -> impl Iterator<Item = L4Key> {
        (0..=8).filter_map(move |at| L4Key::from_raw(at << self.0))
    }

    fn sets(self, bounds: &[(u32, u32)]) -> Vec<L4Set> {
        let last = |high: u32| L4Key::from_raw(((high + 1) << self.0) - 1).unwrap();
        bounds.iter().map(|&(low, high)| L4Set::interval(self.key(low), last(high))).collect()
    }
}

/// The rules of the world with the number of their tier, 0 or 1.
fn vocabulary(l4s: &[L4Set], sets: &[&[u32]], effects: &[Effect]) -> Vec<(usize, Rule)> {
    let named = sets.iter().map(|set| Peers::Of(Arc::new(set.iter().copied().map(PeerId).collect())));
    let mut out = Vec::new();
    for peers in named.chain([Peers::All]) {
        for l4 in l4s {
            for &effect in effects {
                let rule = Rule { peers: peers.clone(), l4: l4.clone(), effect, origin: OriginId(0) };
                out.extend([(0, rule.clone()), (1, rule)]);
            }
        }
    }
    out
}

/// Asks everything of one rule set, and that equal answers make equal diagrams.
fn check(scale: Scale, rules: &RuleSet, seen: &mut HashMap<Vec<Verdict>, Diagram>) {
    let diagram = build(rules, PEERS, &Limits::default()).unwrap();
    let mut answers = Vec::with_capacity(36);
    for peer in (0..=PEERS).map(PeerId) {
        for key in scale.keys() {
            let meant = oracle::decide(rules, peer, key).verdict;
            assert_eq!(diagram.eval(peer, key), meant, "{peer} {key}\n{rules}");
            answers.push(meant);
        }
    }
    // Unequal answers cannot make equal diagrams: the diagrams gave those answers just now.
    let known = seen.entry(answers).or_insert_with(|| diagram.clone());
    assert!(*known == diagram && difference(known, &diagram).is_empty(), "{rules}");
}

/// Checks every set of at most `most` rules, each with both fallbacks and with and without an end of the first tier.
fn check_all(scale: Scale, vocabulary: &[(usize, Rule)], most: usize) -> usize {
    let origins = vec![Origin { object: "a".into(), path: String::new() }];
    let empty = |name: &str| Tier { name: name.into(), levels: vec![Level { order: 0, rules: Vec::new() }], end: None };
    let mut rules = RuleSet {
        tiers: vec![empty("0"), empty("1")],
        fallback: Fallback::Allow,
        origins,
        listeners: vec!["l".into()],
        requests: vec![],
        names_by_port: false,
    };
    let mut seen = HashMap::new();
    let mut asked = 0;
    // A stack of indices, strictly ascending: each set of rules once.
    let mut chosen: Vec<usize> = Vec::new();
    loop {
        for tier in &mut rules.tiers {
            tier.levels[0].rules.clear();
        }
        for &at in &chosen {
            let (tier, rule) = &vocabulary[at];
            rules.tiers[*tier].levels[0].rules.push(rule.clone());
        }
        for (end, fallback) in
            [(None, Fallback::Allow), (None, Fallback::Deny(vec![])), (Some(vec![]), Fallback::Allow)]
        {
            (rules.tiers[0].end, rules.fallback) = (end, fallback);
            check(scale, &rules, &mut seen);
            asked += 1;
        }
        let next = chosen.last().map_or(0, |last| last + 1);
        if chosen.len() < most && next < vocabulary.len() {
            chosen.push(next);
            continue;
        }
        while chosen.last().is_some_and(|last| last + 1 == vocabulary.len()) {
            chosen.pop();
        }
        match chosen.last_mut() {
            Some(last) => *last += 1,
            None => return asked,
        }
    }
}

const REQUIRE: Effect = Effect::Allow { redirect: None, auth: Some(Auth::Required) };
const REDIRECT: Effect =
    Effect::Allow { redirect: Some(Redirect { listener: ListenerId(0), priority: 1, requests: None }), auth: None };

#[test]
fn every_set_of_two_rules_means_what_the_oracle_says() {
    let l4s = BLOCKS.sets(&[(0, 7), (0, 0), (7, 7), (1, 6), (4, 5)]);
    let effects = [Effect::Deny, Effect::Pass, REQUIRE, REDIRECT];
    let vocabulary = vocabulary(&l4s, &[&[], &[0], &[0, 1], &[1, 2]], &effects);
    assert_eq!(vocabulary.len(), 200);
    assert_eq!(check_all(BLOCKS, &vocabulary, 2), 3 * (1 + 200 + 200 * 199 / 2));
}

#[test]
fn every_set_of_three_rules_of_one_tier_merges_as_the_oracle_says() {
    let disable = Effect::Allow { redirect: None, auth: Some(Auth::Disabled) };
    for scale in [BLOCKS, SINGLES] {
        let l4s = scale.sets(&[(0, 7), (1, 6), (4, 5), (4, 4)]);
        let vocabulary = vocabulary(&l4s, &[&[0, 1]], &[Effect::ALLOW, disable, REQUIRE, REDIRECT]);
        // One tier is enough: what a level merges, no other tier sees.
        let vocabulary: Vec<_> = vocabulary.into_iter().filter(|(tier, _)| *tier == 0).collect();
        assert_eq!(vocabulary.len(), 32);
        assert_eq!(check_all(scale, &vocabulary, 3), 3 * (1 + 32 + 32 * 31 / 2 + 32 * 31 * 30 / 6));
    }
}

#[test]
fn every_set_of_three_rules_means_what_the_oracle_says() {
    let l4s = BLOCKS.sets(&[(0, 7), (2, 5), (4, 7)]);
    let vocabulary = vocabulary(&l4s, &[&[0, 1]], &[Effect::Deny, Effect::Pass, Effect::ALLOW, REDIRECT]);
    assert_eq!(vocabulary.len(), 48);
    assert_eq!(check_all(BLOCKS, &vocabulary, 3), 3 * (1 + 48 + 48 * 47 / 2 + 48 * 47 * 46 / 6));
}
