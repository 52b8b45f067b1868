//! Which requests pass, a law a test.

use std::collections::BTreeSet;

use proptest::prelude::*;
use request::{
    DnsRule, HeaderRule, HttpRule, KafkaApi, KafkaRole, KafkaRule, Mismatch, Missing, Pattern, Refusal, Request,
    Requests, Rules, Stopped, Wanted, judge, stopped, unread,
};

fn http(rules: &[HttpRule]) -> Requests {
    Requests { rules: Rules::Http(rules.to_vec()), ..Requests::default() }
}

fn rule(method: &str, path: &str) -> HttpRule {
    let pattern = |text: &str| (!text.is_empty()).then(|| Pattern::new(text));
    HttpRule { method: pattern(method), path: pattern(path), ..HttpRule::default() }
}

fn names(patterns: &[&str]) -> Requests {
    Requests { server_names: patterns.iter().map(|it| (*it).to_owned()).collect(), ..Requests::default() }
}

/// The answer of some sets: `pass`, or how the refusal looks.
fn answer(sets: &[Option<&Requests>], request: &str) -> String {
    let judgement = judge(sets, &Request::parse(request).unwrap());
    if judgement.is_admitted() { "pass".to_owned() } else { judgement.refusal.to_string() }
}

#[test]
fn one_rule_that_matches_admits_and_is_named() {
    let set = http(&[rule("POST", ""), rule("GET", "/api"), rule("", "/api")]);
    let judgement = judge(&[Some(&set)], &Request::http("GET", "/api"));
    assert_eq!(judgement.admitted.iter().map(|it| (it.set, it.rule)).collect::<Vec<_>>(), [(0, Some(1)), (0, Some(2))]);
    for refused in ["http GET /api/v1", "http GET /api?x=1", "http get /x", "http GET /x"] {
        assert_eq!(answer(&[Some(&set)], refused), "HTTP 403", "{refused}");
    }
}

#[test]
fn an_allow_without_rules_admits_every_request() {
    let set = http(&[rule("GET", "")]);
    assert_eq!(answer(&[Some(&set)], "http POST /"), "HTTP 403");
    assert_eq!(answer(&[Some(&set), None], "http POST /"), "pass");
    assert_eq!(answer(&[Some(&set), Some(&http(&[HttpRule::default()]))], "http POST /"), "pass");
}

#[test]
fn rules_that_only_observe_admit_what_the_proxy_can_read() {
    let set = Requests { observes: true, ..http(&[rule("GET", "")]) };
    assert_eq!(answer(&[Some(&set)], "http POST /"), "pass");
    assert_eq!(answer(&[Some(&set)], "raw"), "a closed connection");
}

#[test]
fn a_header_is_wanted_by_presence_or_by_value() {
    let with = |text: &str| http(&[HttpRule { headers: vec![HeaderRule::of_text(text)], ..HttpRule::default() }]);
    let request = "http GET / header \"X-A: 2\" host shop.example";
    for (text, passes) in [
        ("X-A", true),
        ("x-a", true),
        ("X-A 1", false),
        ("X-A 2", true),
        ("X-A: 2", true),
        ("X-A::  2", false),
        ("X-A:", false),
        ("X-B", false),
        ("Host shop.example", true),
        (":method GET", true),
    ] {
        assert_eq!(answer(&[Some(&with(text))], request) == "pass", passes, "{text}");
    }
    let repeated = "http GET / header X-A:1 header x-a:2";
    assert_eq!(answer(&[Some(&with("X-A 1,2"))], repeated), "pass");
}

#[test]
fn only_a_mismatch_without_action_refuses() {
    for (name, mismatch) in Mismatch::ALL {
        let header = HeaderRule { name: "x-a".to_owned(), wanted: Wanted::Value("1".to_owned()), mismatch };
        let set = http(&[HttpRule { headers: vec![header], ..HttpRule::default() }]);
        let refused = answer(&[Some(&set)], "http GET / header X-A:2") != "pass";
        assert_eq!(refused, name == "fail", "{name}");
    }
}

#[test]
fn a_secret_that_is_not_read_never_matches_and_is_named() {
    let secret = |otherwise: Option<&str>| HeaderRule {
        name: "x-key".to_owned(),
        wanted: Wanted::Secret { name: "shop/key".to_owned(), otherwise: otherwise.map(str::to_owned) },
        mismatch: Mismatch::Fail,
    };
    let with = |header| http(&[HttpRule { headers: vec![header], ..rule("GET", "") }]);
    let named = BTreeSet::from([Missing::Secret("shop/key".to_owned())]);
    let asked = |set: &Requests, request| judge(&[Some(set)], &Request::parse(request).unwrap());
    let judgement = asked(&with(secret(None)), "http GET / header X-Key:7");
    assert_eq!((judgement.is_admitted(), &judgement.missing), (false, &named));
    let judgement = asked(&with(secret(Some("7"))), "http GET / header X-Key:7");
    assert_eq!((judgement.is_admitted(), &judgement.missing), (true, &named));
    // The method settles it, so nothing is missing.
    assert_eq!(asked(&with(secret(None)), "http POST /").missing, BTreeSet::new());
}

#[test]
fn an_expression_that_is_none_matches_nothing_and_is_named() {
    let judgement = judge(&[Some(&http(&[rule("GET", "/[")]))], &Request::http("GET", "/["));
    assert_eq!((judgement.is_admitted(), judgement.missing.len()), (false, 1));
}

#[test]
fn a_name_is_asked_by_name_or_pattern() {
    let dns = |name: Option<&str>, pattern: Option<&str>| Requests {
        rules: Rules::Dns(vec![DnsRule { name: name.map(str::to_owned), pattern: pattern.map(str::to_owned) }]),
        ..Requests::default()
    };
    for (set, passing, refused) in [
        (dns(Some("a.b"), None), "dns A.b.", "dns x.a.b"),
        (dns(None, Some("*.b")), "dns a.b", "dns b"),
        (dns(Some("a"), Some("*.b")), "dns a", "dns b"),
        (dns(None, Some("*")), "dns a.b.c", "raw"),
        (dns(None, None), "dns .", "dns a"),
    ] {
        assert_eq!(answer(&[Some(&set)], passing), "pass", "{passing}");
        assert_ne!(answer(&[Some(&set)], refused), "pass", "{refused}");
    }
    assert_eq!(answer(&[Some(&dns(None, None))], "dns a"), "DNS REFUSED");
}

#[test]
fn every_topic_of_a_kafka_request_must_be_allowed() {
    let set = |rules: &[KafkaRule]| Requests { rules: Rules::Kafka(rules.to_vec()), ..Requests::default() };
    let produce = |topic: &str| KafkaRule {
        role: Some(KafkaRole::Produce),
        topic: Some(topic.to_owned()),
        ..KafkaRule::default()
    };
    let both = set(&[produce("a"), produce("b")]);
    for (request, passes) in [
        ("kafka produce topic a", true),
        ("kafka produce topic a topic b", true),
        ("kafka produce topic a topic c", false),
        ("kafka fetch topic a", false),
        // All topics are meant where none is named.
        ("kafka metadata", false),
        ("kafka metadata topic a", true),
        ("kafka apiversions", true),
    ] {
        assert_eq!(answer(&[Some(&both)], request) == "pass", passes, "{request}");
    }
    assert_eq!(answer(&[Some(&both)], "kafka produce topic c"), "a Kafka authorisation error");
    let (a, b) = (set(&[produce("a")]), set(&[produce("b")]));
    assert_eq!(answer(&[Some(&a), Some(&b)], "kafka produce topic a topic b"), "pass");
    let narrow = KafkaRule {
        api: KafkaApi::named("Fetch"),
        version: Some(2),
        client: Some("c".to_owned()),
        ..KafkaRule::default()
    };
    assert_eq!(answer(&[Some(&set(std::slice::from_ref(&narrow)))], "kafka fetch version 2 client c topic x"), "pass");
    assert_ne!(answer(&[Some(&set(&[narrow]))], "kafka fetch version 3 client c topic x"), "pass");
}

#[test]
fn a_record_has_every_key_that_a_rule_names() {
    let rules = vec![[("cmd".to_owned(), "get".to_owned())].into_iter().collect()];
    let set =
        |rules| Requests { rules: Rules::Generic { parser: "memcache".to_owned(), rules }, ..Requests::default() };
    let (narrow, parsing) = (set(rules), set(Vec::new()));
    assert_eq!(answer(&[Some(&narrow)], "generic memcache cmd=get key=x"), "pass");
    for refused in ["generic memcache cmd=set", "generic memcache", "generic r2d2 cmd=get"] {
        assert_eq!(answer(&[Some(&narrow)], refused), "a closed connection", "{refused}");
    }
    assert_eq!(answer(&[Some(&parsing)], "generic memcache cmd=set"), "pass");
}

#[test]
fn a_server_name_is_asked_for_in_tls_or_the_connection_is_reset() {
    let set = names(&["*.example.com"]);
    assert_eq!(answer(&[Some(&set)], "tls a.example.com"), "pass");
    for refused in ["tls a.b.example.com", "tls -", "http GET /", "raw"] {
        assert_eq!(answer(&[Some(&set)], refused), "a connection reset", "{refused}");
    }
}

#[test]
fn a_proxy_reads_inside_tls_only_where_it_ends_it() {
    let closed = http(&[rule("GET", "")]);
    let ending = Requests { terminates: true, ..names(&["a.example.com"]) };
    let ending = Requests { rules: closed.rules.clone(), ..ending };
    assert_eq!(answer(&[Some(&closed)], "http GET / tls a.example.com"), "a connection reset");
    assert_eq!(answer(&[Some(&ending)], "http GET / tls a.example.com"), "pass");
    assert_eq!(answer(&[Some(&ending)], "http POST / tls a.example.com"), "HTTP 403");
    assert_eq!(answer(&[Some(&ending)], "tls a.example.com"), "pass");
    assert_ne!(answer(&[Some(&ending)], "http GET /"), "pass");
}

#[test]
fn a_proxy_stops_what_it_cannot_read_and_methods_that_no_rule_takes() {
    let get = http(&[rule("GET", "")]);
    let plain = || Stopped::Other("plain HTTP");
    assert_eq!(stopped(&get, &[Some(&get)]), [plain(), Stopped::Connect, Stopped::Grpc]);
    assert_eq!(stopped(&get, &[Some(&get), None]), [plain()]);
    let post = http(&[rule("POST|CONNECT", "")]);
    assert_eq!(stopped(&post, &[Some(&post)]), [plain(), Stopped::WebSocket]);
    assert_eq!(stopped(&names(&["a"]), &[]), [Stopped::Other("TLS")]);
}

#[test]
fn what_a_proxy_cannot_read_ends_as_its_transport_ends() {
    let get = http(&[rule("GET", "")]);
    let ending = Requests { terminates: true, ..get.clone() };
    let dns = Requests { rules: Rules::Dns(vec![DnsRule::default()]), ..Requests::default() };
    let (reset, closed) = (Some(Refusal::Reset), Some(Refusal::Closed));
    for (reading, request, expected) in [
        (&get, "http POST /", None),
        (&get, "dns a", closed),
        (&get, "raw", closed),
        (&get, "tls a", reset),
        (&get, "http GET / tls a", reset),
        (&ending, "tls a", None),
        (&ending, "http GET / tls a", None),
        (&ending, "dns a", closed),
        (&dns, "dns a", None),
        (&dns, "http GET /", closed),
        (&dns, "tls a", reset),
        (&names(&["a"]), "tls b", None),
        (&names(&["a"]), "http GET /", reset),
        (&Requests::default(), "raw", None),
    ] {
        assert_eq!(unread(reading, &Request::parse(request).unwrap()), expected, "{request} by {reading:?}");
    }
}

#[test]
fn a_request_reads_back_as_it_prints() {
    for text in [
        "http GET /api?x=1 host shop.example header \"X-A: 1 2\" tls shop.example",
        "http GET \"/a b\"",
        "dns www.example.com",
        "kafka produce version 2 client c topic a topic b",
        "generic memcache cmd=get \"key=two \\\"words\\\"\"",
        "tls a.example.com",
        "tls -",
        "raw",
    ] {
        assert_eq!(Request::parse(text).unwrap().to_string(), text);
    }
    for text in
        ["", "http GET", "ftp /", "dns", "kafka x", "http GET / header x", "http GET / host", "dns a b c", "raw \""]
    {
        assert!(Request::parse(text).is_err(), "{text}");
    }
}

fn sets() -> impl Strategy<Value = Requests> {
    let text = prop_oneof![Just(""), Just("GET"), Just("POST"), Just(".*"), Just("/a"), Just("[")];
    let http = prop::collection::vec((text.clone(), text), 0..3)
        .prop_map(|rules| Rules::Http(rules.into_iter().map(|(method, path)| rule(method, path)).collect()));
    let rules = prop_oneof![Just(Rules::Any), http, Just(Rules::Dns(vec![DnsRule::default()]))];
    let names = prop_oneof![Just(vec![]), Just(vec!["a".to_owned()]), Just(vec!["*".to_owned()])];
    (names, any::<bool>(), any::<bool>(), rules).prop_map(|(server_names, terminates, observes, rules)| Requests {
        server_names,
        own: false,
        terminates,
        observes,
        rules,
    })
}

proptest! {
    #[test]
    fn more_sets_never_admit_less(sets in prop::collection::vec(prop::option::of(sets()), 1..5), cut in 0..4usize) {
        for text in ["http GET /a", "http POST / tls a", "tls a", "tls -", "dns .", "raw", "kafka fetch topic t"] {
            let request = Request::parse(text).unwrap();
            let all: Vec<Option<&Requests>> = sets.iter().map(Option::as_ref).collect();
            let some = &all[..cut.min(all.len())];
            prop_assert!(!judge(some, &request).is_admitted() || judge(&all, &request).is_admitted());
            prop_assert!(judge(&all, &request).refusal != Refusal::KafkaError);
        }
    }
}
