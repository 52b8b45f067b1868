//! More than a million verdicts: diagrams against the oracle, on random rules over nested prefixes and nested ranges of ports.
//!
//! A peer is an address of a small space, and a rule names the addresses of a prefix, with or without an inner prefix carved out: so rules
//! nest, cover and overlap as CIDR rules do. The generator is seeded, so that a failure is found again: `SEED=… cargo test`.

use std::sync::Arc;

use diagram::{Diagram, Limits, build};
use flow::{Auth, L4Key, L4Set, ListenerId, PeerId, PeerSet, Peers, Protocol, Verdict};
use rules::{Effect, Fallback, Level, Origin, OriginId, Redirect, Rule, RuleSet, Tier};

/// Addresses have this many bits.
const BITS: u32 = 7;
/// How many peers there are.
const PEERS: u32 = 1 << BITS;
/// How many verdicts are compared at least.
const VERDICTS: usize = 3_000_000;
/// The seed of the usual run. Any other is right too.
const SEED: u64 = 0x7469_6465_6761_7465;

/// Numbers that look random and are the same for the same seed (SplitMix64, by Steele, Lea and Flood).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end)) as u32
    }

    fn one_in(&mut self, of: u32) -> bool {
        self.below(of) == 0
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }
}

/// The addresses of a prefix of some length that holds `address`.
fn prefix(address: u32, length: u32) -> std::ops::Range<u32> {
    let size = 1 << (BITS - length);
    let low = address / size * size;
    low..low + size
}

fn peers(numbers: &mut Numbers) -> Peers {
    if numbers.one_in(6) {
        return Peers::All;
    }
    // Few addresses, so that prefixes nest instead of missing each other.
    let address = numbers.below(4) * 37 % PEERS;
    let length = numbers.below(BITS + 1);
    let outer = prefix(address, length);
    let inner = match length < BITS && numbers.one_in(3) {
        true => prefix(address ^ numbers.below(2), length + 1 + numbers.below(BITS - length)),
        false => 0..0,
    };
    Peers::Of(Arc::new(outer.filter(|peer| !inner.contains(peer)).map(PeerId).collect::<PeerSet>()))
}

fn l4(numbers: &mut Numbers) -> L4Set {
    let protocol = numbers.of(&[Protocol::TCP, Protocol::UDP]);
    match numbers.below(8) {
        0 => L4Set::all(),
        1 => protocol.all_ports(),
        2 | 3 => {
            let port = numbers.of(&[0, 53, 80, 443, 8080, 65535]);
            L4Set::ports(protocol, port, port)
        }
        _ => {
            // A block of ports, perhaps without its ends: ranges nest like prefixes.
            let bits = numbers.below(17);
            let low = 8080u32 >> bits << bits;
            let high = (low + (1 << bits) - 1).min(65535);
            let (more, less) = (numbers.below(2), numbers.below(2));
            L4Set::ports(protocol, (low + more).min(high) as u16, (high - less).max(low) as u16)
        }
    }
}

fn effect(numbers: &mut Numbers, with_auth: bool) -> Effect {
    let redirect = |numbers: &mut Numbers| Redirect {
        listener: ListenerId(numbers.below(3) as u16),
        priority: numbers.of(&[1, 101, 126]),
        requests: None,
    };
    match numbers.below(10) {
        0..3 => Effect::Deny,
        3 => Effect::Pass,
        _ => Effect::Allow {
            redirect: numbers.one_in(3).then(|| redirect(numbers)),
            auth: match with_auth && numbers.one_in(2) {
                true => Some(numbers.of(&[Auth::Disabled, Auth::Required, Auth::AlwaysFail])),
                false => None,
            },
        },
    }
}

fn rule_set(numbers: &mut Numbers) -> RuleSet {
    let mut rules = RuleSet::of_fallback(match numbers.one_in(3) {
        true => Fallback::Allow,
        false => Fallback::Deny(vec![OriginId(0)]),
    });
    rules.origins = vec![Origin { object: "p".to_owned(), path: String::new() }];
    rules.listeners = ["a", "b", "c"].map(str::to_owned).to_vec();
    for tier in 0..1 + numbers.below(3) {
        let levels = (0..1 + numbers.below(3)).map(|order| {
            let with_auth = numbers.one_in(3);
            let count = numbers.below(7);
            let rule = |numbers: &mut Numbers| Rule {
                peers: peers(numbers),
                l4: l4(numbers),
                effect: effect(numbers, with_auth),
                origin: OriginId(0),
            };
            Level { order, rules: (0..count).map(|_| rule(numbers)).collect() }
        });
        let levels = levels.collect();
        let end = numbers.one_in(6).then(|| vec![OriginId(0)]);
        rules.tiers.push(Tier { name: tier.to_string(), levels, end });
    }
    rules
}

/// A flow on which diagram and oracle differ, and both answers.
fn difference(rules: &RuleSet, asked: &mut usize) -> Option<(PeerId, L4Key, Verdict, Verdict)> {
    let diagram: Diagram = build(rules, PEERS, &Limits::default()).expect("small rule sets are within the limits");
    let cells = oracle::cells(rules);
    // The first and the last key of every cell, and of the peers both sides of every prefix that can be named.
    let ends = cells.iter().skip(1).filter_map(|key| L4Key::from_raw(key.raw() - 1));
    let keys: Vec<L4Key> = cells.iter().copied().chain(ends).chain([L4Key::MAX]).collect();
    let edges = (0..4u32).map(|at| at * 37 % PEERS).flat_map(|address| {
        (0..=BITS).flat_map(move |length| [prefix(address, length).start, prefix(address, length).end - 1])
    });
    let mut peers: Vec<u32> = edges.chain([PEERS + 9]).collect();
    peers.sort_unstable();
    peers.dedup();
    for key in keys {
        for peer in peers.iter().copied().map(PeerId) {
            *asked += 1;
            let (meant, found) = (oracle::decide(rules, peer, key).verdict, diagram.eval(peer, key));
            if meant != found {
                return Some((peer, key, meant, found));
            }
        }
    }
    None
}

/// Takes rules away as long as a fault remains: first half of them at a time, then less, in the end one by one.
fn smallest(mut rules: RuleSet, faulty: impl Fn(&RuleSet) -> bool) -> RuleSet {
    let count = |rules: &RuleSet| rules.rules().count();
    let mut step = count(&rules).div_ceil(2).max(1);
    loop {
        let mut from = 0;
        while from < count(&rules) {
            let mut fewer = rules.clone();
            let mut at = 0;
            for level in fewer.tiers.iter_mut().flat_map(|tier| &mut tier.levels) {
                level.rules.retain(|_| {
                    at += 1;
                    !(from..from + step).contains(&(at - 1))
                });
            }
            match faulty(&fewer) {
                true => rules = fewer,
                false => from += step,
            }
        }
        if step == 1 {
            return rules;
        }
        step /= 2;
    }
}

#[test]
fn a_million_verdicts_of_diagrams_are_those_of_the_oracle() {
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED);
    let mut numbers = Numbers(seed);
    let (mut asked, mut sets) = (0, 0);
    while asked < VERDICTS {
        let rules = rule_set(&mut numbers);
        sets += 1;
        if let Some(found) = difference(&rules, &mut asked) {
            let small = smallest(rules, |rules| difference(rules, &mut 0).is_some());
            let left = difference(&small, &mut 0);
            panic!(
                "seed {seed}, rule set {sets}: {found:?} (peer, key, oracle, diagram); at its smallest {left:?} in\n{small}"
            );
        }
    }
    assert!(asked >= VERDICTS && sets > 100, "{asked} verdicts of {sets} rule sets");
}

#[test]
fn a_failure_is_made_small() {
    let mut numbers = Numbers(SEED);
    let denies = |rules: &RuleSet| rules.rules().filter(|rule| rule.effect == Effect::Deny).count();
    let rules = std::iter::repeat_with(|| rule_set(&mut numbers)).find(|rules| denies(rules) > 2).unwrap();
    let small = smallest(rules, |rules| denies(rules) >= 2);
    assert_eq!((small.rules().count(), denies(&small)), (2, 2));
}

/// GHSA-3wwx-63fv-pfq6: a deny of a prefix wider than one address, beside an allow of an address inside it and an allow of everybody, or no
/// default deny, must deny what it covers. Peer 0 is the allowed address, peers 0 to 3 are the denied prefix.
#[test]
fn a_wide_deny_holds_beside_a_narrower_allow_and_an_allow_of_everybody() {
    for wide in ["allow peers any l4 any by p all", "allow peers {0} l4 any by p all", "pass peers {9} l4 any by p all"]
    {
        for fallback in ["allow", "deny by p deny"] {
            for narrow in ["peers {0} l4 any", "peers {0} l4 tcp/80", "peers {0-1} l4 tcp/0-65535"] {
                for denied in ["any", "tcp/0-65535", "tcp/1-1024"] {
                    let text = format!(
                        "tier normal\nlevel 0\nallow {narrow} by p narrow\n{wide}\ndeny peers {{0-3}} l4 {denied} by p deny\nfallback {fallback}"
                    );
                    let rules = RuleSet::parse(&text).unwrap();
                    assert_eq!(difference(&rules, &mut 0), None, "{text}");
                    let diagram = build(&rules, PEERS, &Limits::default()).unwrap();
                    for peer in (0..4).map(PeerId) {
                        assert_eq!(
                            diagram.eval(peer, L4Key::new(Protocol::TCP, 80)),
                            Verdict::DENY,
                            "peer {peer}\n{text}"
                        );
                    }
                }
            }
        }
    }
}
