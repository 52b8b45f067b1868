//! Printing and parsing are inverse, and mistakes are answered by line.

use std::sync::Arc;

use flow::{Auth, L4Key, L4Set, ListenerId, PeerId, PeerSet, Peers};
use proptest::prelude::*;
use request::{
    DnsRule, HeaderRule, HttpRule, KafkaApi, KafkaRole, KafkaRule, Mismatch, Pattern, Requests, Rules, Wanted,
};
use rules::{Effect, Fallback, Level, Origin, OriginId, Redirect, RequestRules, RequestsId, Rule, RuleSet, Tier};

const EXAMPLE: &str = r#"listener l0 shop/envoy/http
listener l1 "two words"
requests q0 http terminates names *.example.com, a.example.com by "CiliumNetworkPolicy shop/web" spec.http
  request
  request method "GET|POST" path "/api(/.*)?" host "[a-z]+\\.shop" header x-a header x-b is "two words" header x-c secret shop/key else 1 log
requests q1 kafka observes by "CiliumNetworkPolicy shop/web" spec.kafka
  request role consume api fetch version 2 client c topic orders
requests q2 dns by "CiliumNetworkPolicy shop/web" spec.dns
  request name a.example.com pattern *.example.com
requests q3 generic memcache by "CiliumNetworkPolicy shop/web" spec.l7
  request cmd get key "two words"
requests q4 any own names a by "CiliumNetworkPolicy shop/web" spec
names by port
origin "NetworkPolicy shop/web" spec
tier admin
  level 5
    pass peers {3,7-9} l4 any by "ClusterNetworkPolicy ops" spec.ingress[0]
    deny peers any l4 tcp/25 by "ClusterNetworkPolicy ops" spec.ingress[1]
tier ""
  level 0
    allow peers {} l4 icmp/8.0-8.255,tcp/80,udp/1000-2000 redirect l1 priority 101 requests q0 auth required by "NetworkPolicy shop/db" ""
    allow peers {3} l4 none auth always-fail by "a \"quoted\"\nname # no comment" ""
  end deny by "NetworkPolicy shop/db" "", "NetworkPolicy shop/db" spec
tier empty
  end deny
fallback deny by "NetworkPolicy shop/db" spec
"#;

#[test]
fn a_text_in_printed_form_prints_as_itself() {
    assert_eq!(RuleSet::parse(EXAMPLE).unwrap().to_string(), EXAMPLE);
}

#[test]
fn blanks_and_comments_mean_nothing() {
    let loose = "\n# all of it\n\ttier\tadmin # first\nlevel 5\n deny peers { 9, 7-8 } l4 tcp/25 , tcp/24 by a b\n\nfallback allow";
    let printed = "tier admin\n  level 5\n    deny peers {7-9} l4 tcp/24-25 by a b\nfallback allow\n";
    assert_eq!(RuleSet::parse(loose).unwrap().to_string(), printed);
}

#[test]
fn a_mistake_is_answered_with_its_line_and_what_was_expected() {
    let cases = [
        ("", "line 1: expected `fallback allow` or `fallback deny`, found the end of the text"),
        ("level 5", "line 1: expected `tier` first, since no tier is open here, found `level`"),
        ("tier a\nend deny\nlevel 5", "line 3: expected `tier` first, since no tier is open here, found `level`"),
        ("tier a\ndeny", "line 2: expected `level` first, since no level is open here, found `deny`"),
        ("tier a\nlevel x", "line 2: expected an order number below 2^32, found `x`"),
        (
            "tier a\nlevel 1\ndeny peers x",
            "line 3: expected `any` or peer numbers below 2^24 such as `{3,7-9}`, found `x`",
        ),
        (
            "tier a\nlevel 1\ndeny peers {16777216}",
            "line 3: expected `any` or peer numbers below 2^24 such as `{3,7-9}`, found `{16777216}`",
        ),
        (
            "tier a\nlevel 1\ndeny peers any l4 tcp",
            "line 3: expected `any`, `none` or keys such as `tcp/80,udp/1000-2000`, found `tcp`",
        ),
        ("tier a\nlevel 1\ndeny peers any l4 any auth required by a b", "line 3: expected `by`, found `auth`"),
        (
            "tier a\nlevel 1\nallow peers any l4 any redirect l0 priority 1 by a b",
            "line 3: expected a listener that is declared above, such as `l0`, found `l0`",
        ),
        (
            "listener l0 x\ntier a\nlevel 1\nallow peers any l4 any redirect l0 priority 1 requests q0 by a b",
            "line 4: expected requests that are declared above, such as `q0`, found `q0`",
        ),
        ("requests q1 any by a b", "line 1: expected `q0`, the next requests, found `q1`"),
        ("requests q0 ftp by a b", "line 1: expected `any`, `http`, `kafka`, `dns` or `generic`, found `ftp`"),
        ("request method GET", "line 1: expected `requests` first, since none are open here, found `request`"),
        ("requests q0 any by a b\nrequest", "line 2: expected a family that has rules, found `request`"),
        (
            "requests q0 http by a b\nrequest verb GET",
            "line 2: expected `method`, `path`, `host` or `header`, found `verb`",
        ),
        ("requests q0 kafka by a b\nrequest api x", "line 2: expected a Kafka API key such as `fetch`, found `x`"),
        ("requests q0 dns by a b\nrequest name", "line 2: expected a name, found the end of the line"),
        ("names by peer", "line 1: expected `port`, found `peer`"),
        ("listener l1 x", "line 1: expected `l0`, the next listener, found `l1`"),
        ("fallback allow\ntier a", "line 2: expected nothing after the fallback, found `tier`"),
        ("fallback allow x", "line 1: expected the end of the line, found `x`"),
        ("fallback", "line 1: expected `allow` or `deny`, found the end of the line"),
        ("tier é", "line 1: expected a word; other characters need quotes, found `é`"),
    ];
    for (text, message) in cases {
        assert_eq!(RuleSet::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn equal_peer_sets_are_read_once() {
    let rules =
        RuleSet::parse("tier a\nlevel 1\ndeny peers {1} l4 any by a b\npass peers {1} l4 any by a b\nfallback allow");
    let rules = rules.unwrap();
    let sets: Vec<&Arc<PeerSet>> = rules
        .rules()
        .filter_map(|rule| match &rule.peers {
            Peers::Of(set) => Some(set),
            Peers::All => None,
        })
        .collect();
    assert!(Arc::ptr_eq(sets[0], sets[1]));
}

/// How many sets of request rules every random rule set has.
const REQUESTS: usize = 2;

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z./\\[\\]0-9]{0,6}", "\\PC{0,4}", any::<String>()]
}

fn l4() -> impl Strategy<Value = L4Set> {
    let key = || (0u32..1 << 24, prop_oneof![Just(0u32), Just(0xffff), 0..=0xffffu32], any::<bool>());
    let key = move || key().prop_map(|(raw, low, edge)| if edge { raw & 0xff0000 | low } else { raw });
    let interval =
        (key(), key()).prop_map(|(a, b)| (L4Key::from_raw(a.min(b)).unwrap(), L4Key::from_raw(a.max(b)).unwrap()));
    prop_oneof![Just(L4Set::all()), prop::collection::vec(interval, 0..4).prop_map(L4Set::from_intervals)]
}

fn http_rule() -> impl Strategy<Value = HttpRule> {
    let wanted = prop_oneof![
        Just(Wanted::Present),
        word().prop_map(Wanted::Value),
        (word(), prop::option::of(word())).prop_map(|(name, otherwise)| Wanted::Secret { name, otherwise }),
    ];
    let action = prop::sample::select(Mismatch::ALL.as_slice());
    let header = (word(), wanted, action).prop_map(|(name, wanted, (_, mismatch))| HeaderRule {
        name: name.to_ascii_lowercase(),
        wanted,
        mismatch,
    });
    let pattern = || prop::option::of(word().prop_map(|text| Pattern::new(&text)));
    (pattern(), pattern(), pattern(), prop::collection::vec(header, 0..3))
        .prop_map(|(method, path, host, headers)| HttpRule { method, path, host, headers })
}

fn kafka_rule() -> impl Strategy<Value = KafkaRule> {
    let role = prop_oneof![Just(KafkaRole::Produce), Just(KafkaRole::Consume)];
    let text = || prop::option::of(word());
    let api = prop::option::of(any::<u8>().prop_map(KafkaApi));
    (prop::option::of(role), api, any::<Option<u16>>(), text(), text())
        .prop_map(|(role, api, version, client, topic)| KafkaRule { role, api, version, client, topic })
}

fn requests(origins: u32) -> impl Strategy<Value = RequestRules> {
    let text = || prop::option::of(word());
    let dns = (text(), text()).prop_map(|(name, pattern)| DnsRule { name, pattern });
    let record = prop::collection::btree_map(word(), word(), 0..3);
    let generic = (word(), prop::collection::vec(record, 0..3));
    let rules = prop_oneof![
        Just(Rules::Any),
        prop::collection::vec(http_rule(), 0..3).prop_map(Rules::Http),
        prop::collection::vec(kafka_rule(), 0..3).prop_map(Rules::Kafka),
        prop::collection::vec(dns, 0..3).prop_map(Rules::Dns),
        generic.prop_map(|(parser, rules)| Rules::Generic { parser, rules }),
    ];
    let names = prop::collection::btree_set(word(), 0..3).prop_map(|names| names.into_iter().collect());
    (names, any::<[bool; 3]>(), rules, 0..origins).prop_map(
        |(server_names, [own, terminates, observes], rules, origin)| RequestRules {
            origin: OriginId(origin),
            requests: Requests { server_names, own, terminates, observes, rules },
        },
    )
}

fn rule(origins: u32, listeners: u16) -> impl Strategy<Value = Rule> {
    let set = prop::collection::vec(prop_oneof![0..9u32, 0..100_000u32], 0..6);
    let peers = prop::option::of(set).prop_map(|set| match set {
        Some(set) => Peers::Of(Arc::new(set.into_iter().map(PeerId).collect())),
        None => Peers::All,
    });
    let asked = prop::option::of((0..REQUESTS as u32).prop_map(RequestsId));
    let redirect = (0..listeners, any::<u8>(), asked).prop_map(|(listener, priority, requests)| Redirect {
        listener: ListenerId(listener),
        priority,
        requests,
    });
    let auth = prop_oneof![Just(Auth::Disabled), Just(Auth::Required), Just(Auth::AlwaysFail)];
    let allow = (prop::option::of(redirect), prop::option::of(auth));
    let allow = allow.prop_map(|(redirect, auth)| Effect::Allow { redirect, auth });
    let effect = prop_oneof![Just(Effect::Deny), Just(Effect::Pass), allow];
    (peers, l4(), effect, 0..origins).prop_map(|(peers, l4, effect, origin)| Rule {
        peers,
        l4,
        effect,
        origin: OriginId(origin),
    })
}

fn rule_sets() -> impl Strategy<Value = RuleSet> {
    let origin = (word(), word()).prop_map(|(object, path)| Origin { object, path });
    let origins = prop::collection::btree_set(origin, 1..5);
    let listeners = prop::collection::vec(word(), 1..3);
    (origins, listeners).prop_flat_map(|(origins, listeners)| {
        let (count, doors) = (origins.len() as u32, listeners.len() as u16);
        let ids = move || prop::collection::btree_set((0..count).prop_map(OriginId), 0..3);
        let ids = move || ids().prop_map(|ids| ids.into_iter().collect::<Vec<_>>());
        let level = (any::<u32>(), prop::collection::vec(rule(count, doors), 0..4))
            .prop_map(|(order, rules)| Level { order, rules });
        let tier = (word(), prop::collection::vec(level, 0..3), prop::option::of(ids()))
            .prop_map(|(name, levels, end)| Tier { name, levels, end });
        let fallback = prop::option::of(ids()).prop_map(|ids| ids.map_or(Fallback::Allow, Fallback::Deny));
        let origins: Vec<Origin> = origins.into_iter().collect();
        let requests = prop::collection::vec(requests(count), REQUESTS);
        let rest = (prop::collection::vec(tier, 0..3), fallback, requests, any::<bool>());
        rest.prop_map(move |(tiers, fallback, requests, names_by_port)| RuleSet {
            tiers,
            fallback,
            origins: origins.clone(),
            listeners: listeners.clone(),
            requests,
            names_by_port,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printing_and_parsing_are_inverse(rules in rule_sets()) {
        let printed = rules.to_string();
        let read = RuleSet::parse(&printed);
        prop_assert_eq!(read.as_ref(), Ok(&rules), "{}", printed);
    }

    #[test]
    fn no_text_makes_the_parser_panic(
        lines in prop::collection::vec(0..EXAMPLE.lines().count(), 0..9),
        junk in any::<String>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text: String = lines.iter().flat_map(|line| EXAMPLE.lines().nth(*line)).flat_map(|line| [line, "\n"]).collect();
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        text.insert_str(places[cut.index(places.len())], &junk);
        if let Ok(rules) = RuleSet::parse(&text) {
            prop_assert_eq!(RuleSet::parse(&rules.to_string()), Ok(rules));
        }
    }
}
