//! The shape of lowered rule sets, and what the tiers mean.

use std::sync::Arc;

use flow::{L4Key, L4Set, PeerId, Peers, Protocol};
use hir::resolve::{BoundDirection, BoundRule};
use hir::{Effect, L7, ObjectRef, Origin, Parser, Tier};
use request::{HttpRule, Pattern, Request, Requests, Rules};
use rules::{Fallback, RuleSet};

const P: PeerId = PeerId(10);
const Q: PeerId = PeerId(11);
const DNS: PeerId = PeerId(12);

fn origin(path: &str) -> Origin {
    Origin {
        object: Arc::new(ObjectRef { kind: "Policy".to_owned(), namespace: "a".to_owned(), name: "x".to_owned() }),
        path: path.to_owned(),
    }
}

fn rule(tier: Tier, order: u32, effect: Effect, peer: Option<PeerId>, l4: L4Set) -> BoundRule {
    let peers = peer.map_or(Peers::All, |peer| Peers::Of(Arc::new([peer].into_iter().collect())));
    BoundRule {
        tier,
        order,
        effect,
        peers,
        selector: format!("{peer:?}"),
        l4,
        l7: None,
        auth: None,
        origin: origin(&format!("{tier:?}[{order}]")),
    }
}

fn tcp(port: u16) -> L4Set {
    L4Set::ports(Protocol::TCP, port, port)
}

/// The worked example of the network-policy-api: passes, denies and accepts of three tiers around one isolating policy.
fn example(isolated: bool, normal_tier_is_final: bool) -> RuleSet {
    let mut rules = vec![
        rule(Tier::Baseline, 1000, Effect::Allow, Some(Q), tcp(443)),
        rule(Tier::Admin, 500, Effect::Pass, Some(P), L4Set::all()),
        rule(Tier::Admin, 501, Effect::Deny, None, tcp(25)),
        rule(Tier::Admin, 2000, Effect::Allow, Some(DNS), L4Set::ports(Protocol::UDP, 53, 53)),
        rule(Tier::Normal, 0, Effect::Allow, Some(P), tcp(443)),
        rule(Tier::Baseline, 1001, Effect::Deny, None, L4Set::all()),
    ];
    rules.sort();
    let isolated_by = isolated.then(|| origin("spec")).into_iter().collect();
    lower::lower_direction(&BoundDirection { normal_tier_is_final, isolated_by, ..isolating(rules) })
}

fn allows(rules: &RuleSet, peer: PeerId, protocol: Protocol, port: u16) -> bool {
    oracle::decide(rules, peer, L4Key::new(protocol, port)).verdict.is_allowed()
}

#[test]
fn a_pass_leaves_the_decision_to_the_policies_that_isolate() {
    let rules = example(true, true);
    assert!(!allows(&rules, P, Protocol::TCP, 25));
    assert!(allows(&rules, P, Protocol::TCP, 443));
    assert!(!allows(&rules, Q, Protocol::TCP, 25));
    assert!(allows(&rules, DNS, Protocol::UDP, 53));
    assert!(!allows(&rules, Q, Protocol::TCP, 443));
}

#[test]
fn baseline_is_asked_only_where_the_normal_tier_does_not_end_the_walk() {
    assert!(!allows(&example(true, true), Q, Protocol::TCP, 443));
    assert!(allows(&example(true, false), Q, Protocol::TCP, 443));
    assert!(allows(&example(false, true), Q, Protocol::TCP, 443));
    assert!(!allows(&example(false, true), Q, Protocol::TCP, 80));
}

#[test]
fn tiers_and_levels_ascend_and_every_origin_is_kept() {
    let rules = example(true, true);
    let shape: Vec<(&str, Vec<u32>, bool)> = rules
        .tiers
        .iter()
        .map(|tier| (tier.name.as_str(), tier.levels.iter().map(|it| it.order).collect(), tier.end.is_some()))
        .collect();
    assert_eq!(
        shape,
        [("admin", vec![500, 501, 2000], false), ("normal", vec![0], true), ("baseline", vec![1000, 1001], false)]
    );
    assert_eq!(rules.origins.len(), 7);
    assert!(rules.origins.is_sorted());
}

#[test]
fn nothing_in_force_is_an_empty_set_that_allows() {
    let rules = lower::lower_direction(&BoundDirection { normal_tier_is_final: true, ..BoundDirection::default() });
    assert_eq!((rules.tiers.len(), rules.fallback), (0, Fallback::Allow));
}

#[test]
fn what_isolates_without_rules_is_named_by_the_denial() {
    let isolated_by = [origin("spec.policyTypes")].into();
    let bound = BoundDirection { isolated_by, ..isolating(Vec::new()) };
    let rules = lower::lower_direction(&bound);
    let decision = oracle::decide(&rules, P, L4Key::new(Protocol::TCP, 80));
    let by: Vec<&str> = decision.by.iter().map(|it| rules.origins[it.0 as usize].path.as_str()).collect();
    assert_eq!((decision.verdict.is_allowed(), by), (false, vec!["spec.policyTypes"]));
}

#[test]
fn redirects_share_a_listener_for_each_kind_of_proxy() {
    let through = |parser: Parser, port: u16| BoundRule {
        l7: Some(proxy(parser, Requests::default()).into()),
        ..rule(Tier::Normal, 0, Effect::Allow, None, tcp(port))
    };
    let rules = vec![through(Parser::Tls, 443), through(Parser::Http, 80), through(Parser::Http, 443)];
    let rules = lower::lower_direction(&isolating(rules));
    assert_eq!(rules.listeners, ["http", "tls"]);
    let verdict = |port| oracle::decide(&rules, P, L4Key::new(Protocol::TCP, port)).verdict.to_string();
    assert_eq!([verdict(80), verdict(443), verdict(22)], ["redirect l0", "redirect l0", "deny"]);
}

fn proxy(parser: Parser, requests: Requests) -> L7 {
    let path = "spec.http".to_owned();
    L7 { priority: parser.default_priority(), parser, requests, path, terminating: None, originating: None }
}

fn isolating(rules: Vec<BoundRule>) -> BoundDirection {
    BoundDirection {
        rules,
        isolated_by: [origin("spec")].into(),
        in_force: true,
        normal_tier_is_final: true,
        dns_rules_not_widened: false,
        requests_observed: false,
    }
}

#[test]
fn rules_for_requests_only_observe_where_nothing_isolates() {
    let get = HttpRule { method: Some(Pattern::new("GET")), ..HttpRule::default() };
    let requests = Requests { rules: Rules::Http(vec![get]), ..Requests::default() };
    let rule = BoundRule {
        l7: Some(proxy(Parser::Http, requests).into()),
        ..rule(Tier::Normal, 0, Effect::Allow, None, tcp(80))
    };
    for (isolates, passes) in [(true, false), (false, true)] {
        let mut bound = isolating(vec![rule.clone()]);
        bound.requests_observed = !isolates;
        let rules = lower::lower_direction(&bound);
        let post = Request::http("POST", "/");
        let decision = oracle::decide_request(&rules, P, L4Key::new(Protocol::TCP, 80), &post);
        assert_eq!(decision.outcome.passes(), passes);
        assert_eq!(decision.by[0].path, "spec.http");
    }
}

#[test]
fn a_server_name_that_one_rule_wants_is_wanted_by_all_of_its_peers_and_port() {
    let names = |name: &str| Requests { server_names: vec![name.to_owned()], ..Requests::default() };
    let through = |requests, selector: &str| BoundRule {
        l7: requests,
        selector: selector.to_owned(),
        ..rule(Tier::Normal, 0, Effect::Allow, None, tcp(443))
    };
    let wants = |name: &str| Some(proxy(Parser::Tls, names(name)).into());
    let asked = |rules: Vec<BoundRule>, name: Option<&str>| {
        let rules = lower::lower_direction(&isolating(rules));
        oracle::decide_request(&rules, P, L4Key::new(Protocol::TCP, 443), &Request::tls(name)).outcome.passes()
    };
    let same = || vec![through(wants("a"), "x"), through(wants("b"), "x"), through(None, "x")];
    assert_eq!([Some("a"), Some("b"), Some("c"), None].map(|name| asked(same(), name)), [true, true, false, false]);
    let other = || vec![through(wants("a"), "x"), through(None, "y")];
    assert_eq!([Some("a"), Some("c"), None].map(|name| asked(other(), name)), [true; 3]);
}
