//! What is said to hold all of another does, and what people write is decided.

use proptest::prelude::*;
use request::{DnsRule, HeaderRule, HttpRule, KafkaApi, KafkaRole, KafkaRule, Mismatch, Pattern, Request, Requests};
use request::{Rules, covers, judge, reads_alike};

fn http(rules: &[HttpRule]) -> Requests {
    Requests { rules: Rules::Http(rules.to_vec()), ..Requests::default() }
}

fn rule(method: &str, path: &str) -> HttpRule {
    let pattern = |text: &str| (!text.is_empty()).then(|| Pattern::new(text));
    HttpRule { method: pattern(method), path: pattern(path), ..HttpRule::default() }
}

/// Which of two holds the other: `=`, `>`, `<`, or `?` for neither.
fn relation(one: &[HttpRule], other: &[HttpRule]) -> char {
    let (one, other) = (http(one), http(other));
    match (covers(&[Some(&one)], &[Some(&other)]), covers(&[Some(&other)], &[Some(&one)])) {
        (true, true) => '=',
        (true, false) => '>',
        (false, true) => '<',
        (false, false) => '?',
    }
}

#[test]
fn expressions_that_people_write_are_told_apart() {
    for (one, expected, other) in [
        ("/a", '=', "/a"),
        ("/a", '?', "/b"),
        (".*", '>', "/a"),
        ("/api/.*", '>', "/api/v1"),
        ("/api/.*", '>', "/api/v1/.*"),
        ("/api/.*", '>', "/api/v[12]/.*"),
        ("/api/.*", '?', "/ap"),
        ("/api/.*", '?', "/api"),
        ("^/api/.*$", '=', "/api/.*"),
        ("/a|/b", '>', "/a"),
        ("(/a|/b)", '=', "/b|/a"),
        ("^(/a|/b)$", '>', "/b"),
        ("(?:/a|/b)", '=', "/a|/b"),
        ("/v1\\.0/.*", '>', "/v1\\.0/x"),
        ("/v1.0/x", '>', "/v1\\.0/x"),
        // A part that may be missing begins nothing.
        ("/api.*", '?', "/api?x"),
        ("/api.*", '?', "/api{0}x"),
        ("/a.*", '?', "/ab|x"),
        ("/a.*", '?', "/a(b|c)|x"),
        ("/a.*", '>', "/a(b|c)"),
        ("/A.*", '?', "(?i)/a"),
        ("/a[b|]c.*", '>', "/a[b|]c.*d"),
        // Other words for the same.
        ("/api/v[12]/.*", '=', "/api/v1/.*|/api/v2/.*"),
        ("/a(b|c)?", '=', "/a|/ab|/ac"),
        ("/(a|b)+", '>', "/(ab)+"),
        ("/x{2,3}", '=', "/xx(x)?"),
        ("/\\d+", '=', "/[0-9][0-9]*"),
        ("[\\s\\S]*", '=', ".*"),
        // Too large to be decided, but for its own text.
        ("/(a{900}b?){900}", '=', "/(a{900}b?){900}"),
        ("/(a{900}b?){900}", '?', "/(a{900}b?){901}"),
        ("(", '=', "("),
        ("/x", '?', "("),
    ] {
        assert_eq!(relation(&[rule("", one)], &[rule("", other)]), expected, "{one} {other}");
    }
    assert_eq!(relation(&[HttpRule::default()], &[rule("GET", "")]), '>');
    assert_eq!(relation(&[rule(".*", ".*")], &[HttpRule::default()]), '=');
    assert_eq!(relation(&[rule("GET", "/a.*"), rule("POST", "/b")], &[rule("GET", "/ab")]), '>');
    assert_eq!(relation(&[rule("GET|HEAD", "")], &[rule("HEAD", ""), rule("GET", "")]), '=');
    assert_eq!(relation(&[rule("GET", "/a"), rule("GET", "/.*")], &[rule("GET", "/.*")]), '=');
    let each = [rule("GET", "/a"), rule("GET", "/b"), rule("POST", "/a|/b")];
    assert_eq!(relation(&each, &[rule("GET|POST", "/[ab]")]), '=', "several rules cover one together");
    assert_eq!(relation(&each[..2], &[rule("GET|POST", "/[ab]")]), '<');
}

#[test]
fn hosts_and_headers_count() {
    let host = |text: &str| HttpRule { host: Some(Pattern::new(text)), ..rule("GET", "") };
    assert_eq!(relation(&[rule("GET", "")], &[host("a.example")]), '>');
    assert_eq!(relation(&[host(".*")], &[rule("GET", "")]), '<', "a request may have no authority");
    let with = |texts: &[&str]| HttpRule {
        headers: texts.iter().map(|it| HeaderRule::of_text(it)).collect(),
        ..HttpRule::default()
    };
    assert_eq!(relation(&[with(&["x-a"])], &[with(&["x-a: 1"])]), '>');
    assert_eq!(relation(&[with(&["x-a"])], &[with(&["x-a 1", "x-b"])]), '>');
    assert_eq!(relation(&[with(&["x-a 1"])], &[with(&["x-a 2"])]), '?');
    assert_eq!(relation(&[with(&["x-a"]), with(&["x-b"])], &[with(&["x-b", "x-a"])]), '>');
    let adds = |mut rule: HttpRule| {
        rule.headers.iter_mut().for_each(|it| it.mismatch = Mismatch::Add);
        rule
    };
    assert_eq!(relation(&[adds(with(&["x-a 1"]))], &[HttpRule::default()]), '?', "another request arrives");
}

#[test]
fn what_a_set_asks_beside_its_rules_counts() {
    let get = http(&[rule("GET", "")]);
    let names = |of: &Requests, names: &[&str]| Requests {
        server_names: names.iter().map(|it| (*it).to_owned()).collect(),
        terminates: true,
        ..of.clone()
    };
    let of = |wide: &Requests, narrow: &Requests| covers(&[Some(wide)], &[Some(narrow)]);
    let any = Requests::default();
    assert!(covers(&[None], &[Some(&get), None]) && covers(&[Some(&any)], &[None]));
    assert!(!covers(&[Some(&get)], &[None]) && !covers(&[], &[Some(&get)]) && covers(&[Some(&get)], &[]));
    assert!(of(&names(&get, &["*.example.com"]), &names(&get, &["a.example.com"])));
    assert!(of(&names(&get, &["**.example.com"]), &names(&get, &["*.b.example.com"])));
    assert!(!of(&names(&get, &["*.example.com"]), &names(&get, &["*.b.example.com"])));
    assert!(!of(&names(&get, &["*.example.com"]), &get));
    assert!(of(&names(&any, &["*"]), &names(&get, &["*.example.com"])));
    assert!(!of(&get, &names(&get, &[])), "what is inside TLS is not read");
    assert!(of(&names(&get, &[]), &get));
    assert!(reads_alike(&get, &http(&[])) && !reads_alike(&get, &names(&get, &[])) && !reads_alike(&get, &any));
    let own = Requests { own: true, ..get.clone() };
    assert!(of(&own, &own) && !of(&get, &own) && !of(&own, &get));
    let observes = Requests { observes: true, ..get.clone() };
    assert!(of(&observes, &http(&[rule("POST", "")])) && !of(&get, &observes));
}

#[test]
fn names_and_topics_are_compared_too() {
    let dns = |of: &[(&str, &str)]| {
        let one = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let rules = of.iter().map(|(name, pattern)| DnsRule { name: one(name), pattern: one(pattern) });
        Requests { rules: Rules::Dns(rules.collect()), ..Requests::default() }
    };
    let of = |wide: &Requests, narrow: &Requests| covers(&[Some(wide)], &[Some(narrow)]);
    assert!(of(&dns(&[("", "*")]), &dns(&[("a.example.com", ""), ("", "*.example.com")])));
    assert!(of(&dns(&[("", "*.example.com")]), &dns(&[("A.example.com.", "")])));
    assert!(!of(&dns(&[("a.example.com", "")]), &dns(&[("", "*.example.com")])));
    assert!(of(&dns(&[("b.c", ""), ("", "**.b.c"), ("", "x*")]), &dns(&[("", "**.b.c"), ("b.c", "")])));
    assert!(of(&dns(&[("", "*.c"), ("", "**.*.c")]), &dns(&[("", "**.c")])), "one label, or more of them");
    assert!(!of(&dns(&[("", "**.*.c")]), &dns(&[("", "**.c")])));
    assert!(!of(&dns(&[("a", "")]), &dns(&[("", "")])) && of(&dns(&[("", "")]), &dns(&[("", "")])));
    let kafka = |rules: Vec<KafkaRule>| Requests { rules: Rules::Kafka(rules), ..Requests::default() };
    let produce = KafkaRule { role: Some(KafkaRole::Produce), ..KafkaRule::default() };
    let api = KafkaRule { api: KafkaApi::named("produce"), ..KafkaRule::default() };
    let topic = KafkaRule { topic: Some("t".into()), ..produce.clone() };
    assert!(of(&kafka(vec![produce.clone()]), &kafka(vec![api.clone(), topic.clone()])));
    let each =
        ["produce", "metadata", "apiversions"].map(|it| KafkaRule { api: KafkaApi::named(it), ..KafkaRule::default() });
    assert!(
        of(&kafka(each.to_vec()), &kafka(vec![produce.clone()]))
            && !of(&kafka(each[1..].to_vec()), &kafka(vec![produce.clone()]))
    );
    assert!(!of(&kafka(vec![topic]), &kafka(vec![produce])));
    assert!(of(&kafka(vec![api]), &http(&[])), "who admits nothing admits no more than anybody");
}

fn rules() -> impl Strategy<Value = Rules> {
    let paths = ["", "/a", "/ab", "/a.*", "/ab?", "/a|/b", "(/a|/ab)", ".*", "/b.*", "/a[bc]", "^/a$", "(?i)/A"];
    let http = (prop::sample::select(vec!["", "GET", "GET|POST", ".*"]), prop::sample::select(paths.to_vec()), 0..4u8);
    let http = http.prop_map(|(method, path, headers)| HttpRule {
        headers: (0..headers).map(|at| HeaderRule::of_text(["x-a", "x-a 1", "x-b"][usize::from(at)])).take(1).collect(),
        ..rule(method, path)
    });
    let names = prop::sample::select(vec!["", "*", "a.b", "*.b", "**.b", "*.a.b"]);
    let dns = names.prop_map(|it| DnsRule { name: None, pattern: (!it.is_empty()).then(|| it.to_owned()) });
    let kafka =
        (prop::sample::select(vec![None, Some("t"), Some("u")]), any::<bool>()).prop_map(|(topic, all)| KafkaRule {
            topic: topic.map(str::to_owned),
            api: if all { None } else { KafkaApi::named("fetch") },
            ..KafkaRule::default()
        });
    prop_oneof![
        Just(Rules::Any),
        prop::collection::vec(http, 0..3).prop_map(Rules::Http),
        prop::collection::vec(dns, 0..3).prop_map(Rules::Dns),
        prop::collection::vec(kafka, 0..3).prop_map(Rules::Kafka),
    ]
}

fn sets() -> impl Strategy<Value = Vec<Option<Requests>>> {
    let names = prop::sample::subsequence(vec!["a.b".to_owned(), "*.b".to_owned()], 0..2);
    let set = (names, any::<bool>(), prop::bool::weighted(0.2), rules());
    let set = set.prop_map(|(server_names, terminates, observes, rules)| Requests {
        server_names,
        terminates,
        observes,
        rules,
        own: false,
    });
    prop::collection::vec(prop::option::weighted(0.9, set), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn whatever_is_held_passes(wide in sets(), narrow in sets()) {
        let wide: Vec<Option<&Requests>> = wide.iter().map(Option::as_ref).collect();
        let narrow: Vec<Option<&Requests>> = narrow.iter().map(Option::as_ref).collect();
        if covers(&wide, &narrow) {
            for text in [
                "http GET /a", "http GET /ab", "http POST /a header x-a:1", "http PUT /b/c", "http GET /ac header x-b:2",
                "http GET /A", "http GET /ab tls a.b", "http POST / tls c.b", "tls a.b", "tls c.b", "tls -",
                "dns a.b", "dns c.a.b", "dns .", "raw", "kafka fetch topic t", "kafka produce topic t topic u", "kafka fetch",
            ] {
                let request = Request::parse(text).unwrap();
                prop_assert!(!judge(&narrow, &request).is_admitted() || judge(&wide, &request).is_admitted(), "{}", text);
            }
        }
    }
}

/// Requests with every target of up to four of some letters, and a few headers.
fn enumerated() -> Vec<Request> {
    let mut targets = vec![String::new()];
    for length in 0..4 {
        let longer = targets
            .iter()
            .filter(|it| it.len() == length)
            .flat_map(|it| ["/", "a", "b", "c", "A"].map(|next| format!("{it}{next}")));
        let longer: Vec<String> = longer.collect();
        targets.extend(longer);
    }
    let (methods, headers) =
        (["GET", "POST", "PUT"], ["", " header x-a:1", " header x-a:2", " header x-b:1", " header x-a:1 header x-b:1"]);
    let of = |target: &String| {
        let asked = methods.iter().flat_map(|method| headers.map(|headers| (method, headers)));
        asked
            .map(|(method, headers)| Request::parse(&format!("http {method} /{target}{headers}")).unwrap())
            .collect::<Vec<_>>()
    };
    targets.iter().flat_map(of).collect()
}

#[test]
fn what_is_said_of_requests_is_what_their_enumeration_says() {
    use proptest::strategy::ValueTree;
    let all = enumerated();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut held, mut not) = (0, 0);
    for _ in 0..400 {
        let mut draw = || rules().new_tree(&mut runner).unwrap().current();
        let (wide, narrow) = (draw(), draw());
        if !matches!((&wide, &narrow), (Rules::Http(_), Rules::Http(_))) {
            continue;
        }
        let [wide, narrow] = [wide, narrow].map(|rules| Requests { rules, ..Requests::default() });
        let said = covers(&[Some(&wide)], &[Some(&narrow)]);
        let passes = |of: &Requests, request: &Request| judge(&[Some(of)], request).is_admitted();
        let is = all.iter().all(|request| !passes(&narrow, request) || passes(&wide, request));
        assert_eq!(said, is, "{wide:?} {narrow:?}");
        *(if said { &mut held } else { &mut not }) += 1;
    }
    assert!(held > 5 && not > 5, "{held} held, {not} not");
}
