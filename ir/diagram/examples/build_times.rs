//! Times `build`, `columns` and equality over made-up rule sets. Run by hand: `cargo run --release --example build_times`.
//!
//! Peers carry 6 labels of differing cardinality; a rule selects by one or two of them and lists one of 24 usual ports, a
//! range, a whole protocol or everything; one rule in twenty is of an ordered tier. The last rows are hostile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diagram::{Limits, build};
use flow::{Auth, L4Set, PeerId, PeerSet, Peers, Protocol};
use rules::{Effect, Fallback, Level, Origin, OriginId, Rule, RuleSet, Tier};

/// SplitMix64 (Steele, Lea, Flood 2014): the same world on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % end
    }
}

const LABELS: [u64; 6] = [3, 5, 12, 40, 100, 400];

fn selector(random: &mut Random, labels: &[[u64; 6]]) -> Peers {
    let (a, b) = (random.below(6) as usize, random.below(6) as usize);
    let (x, y) = (random.below(LABELS[a]), random.below(LABELS[b]));
    let selected = |peer: &&[u64; 6]| peer[a] == x && (a == b || peer[b] == y);
    let all = (0..).zip(labels).filter(|(_, peer)| selected(peer));
    Peers::Of(Arc::new(all.map(|(at, _)| PeerId(at)).collect::<PeerSet>()))
}

fn ports(random: &mut Random) -> L4Set {
    let protocol = if random.below(5) == 0 { Protocol::UDP } else { Protocol::TCP };
    match random.below(100) {
        0..6 => {
            let low = 1000 + random.below(50_000) as u16;
            L4Set::ports(protocol, low, low + random.below(2000) as u16)
        }
        6..16 => L4Set::all(),
        16..20 => protocol.all_ports(),
        _ => {
            let port = 80 + 37 * random.below(24) as u16;
            L4Set::ports(protocol, port, port)
        }
    }
}

fn rule_set(tiers: Vec<Tier>) -> RuleSet {
    let origins = vec![Origin { object: "made up".into(), path: String::new() }];
    RuleSet { tiers, origins, ..RuleSet::of_fallback(Fallback::Deny(vec![OriginId(0)])) }
}

fn tier(levels: Vec<Vec<Rule>>) -> Tier {
    Tier {
        name: "tier".into(),
        levels: (0..).zip(levels).map(|(order, rules)| Level { order, rules }).collect(),
        end: None,
    }
}

fn rule(peers: Peers, l4: L4Set, effect: Effect) -> Rule {
    Rule { peers, l4, effect, origin: OriginId(0) }
}

/// The usual mixture; with `auth`, one allow in ten asks for authentication.
fn usual(count: u64, peers: u32, auth: bool) -> RuleSet {
    let mut random = Random(count);
    let labels: Vec<[u64; 6]> = (0..peers).map(|_| LABELS.map(|end| random.below(end))).collect();
    let mut admin: Vec<Vec<Rule>> = vec![Vec::new(); 50];
    let mut normal = Vec::new();
    for _ in 0..count {
        let (peers, l4) = (selector(&mut random, &labels), ports(&mut random));
        let (kind, level) = (random.below(100), random.below(50) as usize);
        match kind {
            0..2 => admin[level].push(rule(peers, l4, Effect::Deny)),
            2..4 => admin[level].push(rule(peers, l4, Effect::Pass)),
            4 => admin[level].push(rule(peers, l4, Effect::ALLOW)),
            5..8 => normal.push(rule(peers, l4, Effect::Deny)),
            8..18 if auth => {
                normal.push(rule(peers, l4, Effect::Allow { redirect: None, auth: Some(Auth::Required) }));
            }
            _ => normal.push(rule(peers, l4, Effect::ALLOW)),
        }
    }
    rule_set(vec![tier(admin), tier(vec![normal])])
}

/// Every rule has keys of its own, and names one peer, or everybody.
fn hostile(count: u32, peers: u32, everybody: bool) -> RuleSet {
    let normal = (0..count).map(|at| {
        let port = (at * 6 + 1) as u16;
        let named =
            if everybody { Peers::All } else { Peers::Of(Arc::new([PeerId(at % peers)].into_iter().collect())) };
        rule(named, L4Set::ports(Protocol::TCP, port, port + 2), Effect::ALLOW)
    });
    let mut normal: Vec<Rule> = normal.collect();
    normal.extend((0..peers).map(|peer| {
        let one = Peers::Of(Arc::new([PeerId(peer)].into_iter().collect()));
        rule(one, L4Set::ports(Protocol::UDP, peer as u16, peer as u16), Effect::ALLOW)
    }));
    rule_set(vec![tier(vec![normal])])
}

fn least(mut run: impl FnMut()) -> Duration {
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..5).map(|_| once(&mut run)).min().unwrap_or_default()
}

fn report(name: &str, rules: &RuleSet, peers: u32) {
    let limits = Limits::default();
    let built = least(|| drop(std::hint::black_box(build(rules, peers, &limits))));
    match build(rules, peers, &limits) {
        Err(error) => println!("{name:<28} {built:>10.2?}  {error}"),
        Ok(diagram) => {
            let columns = diagram.columns(&limits);
            let took = least(|| drop(std::hint::black_box(diagram.columns(&limits))));
            let columns = columns.map_or_else(|error| error.to_string(), |columns| columns.columns().to_string());
            println!("{name:<28} {built:>10.2?}  {:?} columns {columns} in {took:.2?}", diagram.counts());
        }
    }
}

fn main() {
    for (rules, peers) in [(10, 1000), (100, 1000), (1000, 1000), (10_000, 1000), (10_000, 5000), (10_000, 64_000)] {
        report(&format!("usual {rules} x {peers}"), &usual(rules, peers, false), peers);
    }
    report("with auth 10000 x 1000", &usual(10_000, 1000, true), 1000);
    report("own keys 10000 x 1000", &hostile(10_000, 1000, false), 1000);
    report("keys of all 10000 x 1000", &hostile(10_000, 1000, true), 1000);
}
