//! Random rule sets: tiers, levels, passes, denies, redirects, authentication, tier ends, edges of ports, ICMP.

#![allow(dead_code, reason = "each test file uses its own share")]

use std::sync::Arc;

use flow::{Auth, L4Key, L4Set, ListenerId, PeerId, PeerSet, Peers, Protocol};
use proptest::prelude::*;
use rules::{Effect, Fallback, Level, Origin, OriginId, Redirect, Rule, RuleSet, Tier};

/// How many peers the random rules speak of.
pub const UNIVERSE: u32 = 7;
/// How many origins every random rule set has.
pub const ORIGINS: u32 = 5;

// Why boxed throughout: nested strategies are nested values, too large for the stack of a test thread.

/// Ports where mistakes live.
fn port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(0), Just(1), Just(80), Just(443), Just(1023), Just(1024), Just(65534), Just(65535), any::<u16>()]
}

pub fn l4() -> BoxedStrategy<L4Set> {
    let protocol = prop_oneof![Just(Protocol::TCP), Just(Protocol::UDP), Just(Protocol::SCTP)];
    let item = prop_oneof![
        2 => Just(L4Set::all()),
        2 => protocol.clone().prop_map(Protocol::all_ports),
        6 => (protocol.clone(), port()).prop_map(|(p, low)| L4Set::ports(p, low, low)),
        2 => (protocol.clone(), 78..84u16, 0..6u16).prop_map(|(p, low, more)| L4Set::ports(p, low, low + more)),
        4 => (protocol, port(), port()).prop_map(|(p, a, b)| L4Set::ports(p, a.min(b), a.max(b))),
        1 => any::<u8>().prop_map(|kind| L4Set::icmp_type(Protocol::ICMP, kind)),
        1 => Just(L4Set::interval(L4Key::icmp(Protocol::ICMPV6, 128, 0), L4Key::icmp(Protocol::ICMPV6, 128, 0))),
        1 => (0u32..1 << 24, 0u32..1 << 24).prop_map(|(a, b)| {
            L4Set::interval(L4Key::from_raw(a.min(b)).unwrap(), L4Key::from_raw(a.max(b)).unwrap())
        }),
        1 => Just(L4Set::default()),
    ]
    .boxed();
    prop_oneof![4 => item.clone(), 1 => (item.clone(), item).prop_map(|(a, b)| a.union(&b))].boxed()
}

pub fn peers() -> BoxedStrategy<Peers> {
    let set = prop::collection::vec(0..UNIVERSE, 0..5)
        .prop_map(|peers| Peers::Of(Arc::new(peers.into_iter().map(PeerId).collect::<PeerSet>())));
    prop_oneof![1 => Just(Peers::All), 3 => set].boxed()
}

pub fn effect() -> BoxedStrategy<Effect> {
    let redirect = (0..3u16, prop_oneof![Just(1), Just(100), Just(126)]).prop_map(|(listener, priority)| Redirect {
        listener: ListenerId(listener),
        priority,
        requests: None,
    });
    let auth = prop_oneof![Just(Auth::Disabled), Just(Auth::Required), Just(Auth::AlwaysFail)];
    prop_oneof![
        1 => Just(Effect::Deny),
        1 => Just(Effect::Pass),
        2 => Just(Effect::ALLOW),
        3 => (prop::option::of(redirect), prop::option::of(auth)).prop_map(|(redirect, auth)| Effect::Allow { redirect, auth }),
    ]
    .boxed()
}

pub fn rule() -> BoxedStrategy<Rule> {
    (peers(), l4(), effect(), 0..ORIGINS)
        .prop_map(|(peers, l4, effect, origin)| Rule { peers, l4, effect, origin: OriginId(origin) })
        .boxed()
}

fn tier() -> BoxedStrategy<Tier> {
    let level = prop::collection::vec(rule(), 0..5);
    let end = prop::option::weighted(0.2, prop::collection::vec((0..ORIGINS).prop_map(OriginId), 0..3));
    (prop::collection::vec(level, 0..4), end)
        .prop_map(|(levels, end)| Tier {
            name: "tier".into(),
            levels: levels.into_iter().zip(0..).map(|(rules, order)| Level { order, rules }).collect(),
            end,
        })
        .boxed()
}

pub fn rule_sets() -> BoxedStrategy<RuleSet> {
    let fallback = prop_oneof![
        Just(Fallback::Allow),
        prop::collection::vec((0..ORIGINS).prop_map(OriginId), 0..3).prop_map(Fallback::Deny)
    ];
    (prop::collection::vec(tier(), 0..4), fallback)
        .prop_map(|(tiers, fallback)| RuleSet {
            tiers,
            fallback,
            origins: (0..ORIGINS)
                .map(|n| Origin { object: format!("policy {n}"), path: format!("rules[{n}]") })
                .collect(),
            listeners: vec!["a".into(), "b".into(), "c".into()],
            requests: vec![],
            names_by_port: false,
        })
        .boxed()
}

/// How many peers [`wide_rule_sets`] speak of.
pub const WIDE: u32 = 130;

/// Many peers, many sets, and more levels than a machine word has bits.
pub fn wide_rule_sets() -> BoxedStrategy<RuleSet> {
    let set = prop::collection::vec(0..WIDE, 0..60)
        .prop_map(|peers| Peers::Of(Arc::new(peers.into_iter().map(PeerId).collect::<PeerSet>())));
    let level = (set, l4(), effect()).prop_map(|(peers, l4, effect)| {
        let rule = Rule { peers, l4, effect, origin: OriginId(0) };
        Level { order: 0, rules: vec![rule] }
    });
    let tier = prop::collection::vec(level, 0..150).prop_map(|levels| Tier { name: "tier".into(), levels, end: None });
    prop::collection::vec(tier, 1..3)
        .prop_map(|tiers| RuleSet {
            tiers,
            fallback: Fallback::Allow,
            origins: vec![Origin { object: "policy".into(), path: String::new() }],
            listeners: vec!["a".into(), "b".into(), "c".into()],
            requests: vec![],
            names_by_port: false,
        })
        .boxed()
}
