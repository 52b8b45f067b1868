//! Expressions mean what they mean to RE2, whatever `regex` makes of the same text.

use proptest::prelude::*;
use request::Pattern;

fn matches(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).is_match(text).unwrap_or_else(|bad| panic!("`{pattern}`: {bad}"))
}

#[test]
fn the_whole_text_must_match() {
    assert!(matches("/api", "/api") && matches("/a|/api", "/api") && matches("", ""));
    assert!(!matches("/api", "/api/v1") && !matches("/api", "x/api") && !matches("GET", "get"));
    assert!(matches("(?i)GET", "get") && matches("/api(/.*)?", "/api/v1?x=1"));
    assert!(!matches("/api", "/api\n") && matches("a.c", "aéc"));
}

#[test]
fn what_regex_reads_otherwise_is_read_as_re2_does() {
    for (pattern, yes, no) in [
        (r"\d", "7", "٣"),
        (r"\w", "_", "é"),
        (r"\s", "\t", "\u{a0}"),
        (r"[\d-]", "-", "٣"),
        (r"[^\W]", "x", "é"),
        ("/{id}", "/{id}", "/id"),
        ("a{,2}", "a{,2}", "aa"),
        ("a{2}", "aa", "a{2}"),
        ("[[a]", "[", "b"),
        ("[a&&b]", "&", "c"),
        ("[+--]", ",", "a"),
        ("[~~a]", "~", "b"),
        ("[]a]", "]", "b"),
        ("[[:digit:]x]", "5", "d"),
        ("[[:digit]+", "[:dig", "x"),
        (r"\Qa.b*\E+", "a.b**", "axb"),
        (r"\Q.\E", ".", "x"),
        (r"\101\x41\x{41}", "AAA", "AAB"),
        (r"\_\<\/", "_</", "_/"),
        (r"\p{^Greek}", "a", "α"),
        (r"\pL", "é", "1"),
        (r"[\pN/]+", "1/2", "a"),
        (r"a\bb|a\b-", "a-", "ab"),
        ("(?P<v>a)(?<w>b)", "ab", "a"),
        ("(?s).", "\n", "ab"),
        ("(?:a|b)+?", "ab", "c"),
    ] {
        assert!(matches(pattern, yes), "`{pattern}` must match `{yes}`");
        assert!(!matches(pattern, no), "`{pattern}` must not match `{no}`");
    }
}

#[test]
fn what_re2_refuses_is_refused_with_a_reason() {
    for pattern in [
        "a**", "*a", "(*)", "a|*", "(?x)a", "a{1001}", "a{3,2}", r"\1", r"\Z", r"\y", "[a", "(a", "a)", "[b-a]",
        "(?P=a)",
    ] {
        let problem = Pattern::new(pattern).problem().cloned();
        assert!(problem.as_ref().is_some_and(|bad| !bad.why.is_empty()), "`{pattern}` must be refused");
    }
    assert_eq!(Pattern::new("(?:(?:(?:a{1000}){1000}){1000})").problem().unwrap().why, "the expression is too large");
}

#[test]
fn an_expression_is_its_text() {
    assert_eq!(Pattern::new("a"), Pattern::new("a"));
    assert!(Pattern::new("a") < Pattern::new("b") && Pattern::new("[").text() == "[");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_pattern_panic(pattern in "[-a-c0-9\\[\\](){}*+?|^$.\\\\:&~,<>PQEdwspx!é ]{0,16}", text in "[a-c]{0,4}") {
        let _ = Pattern::new(&pattern).is_match(&text);
    }

    #[test]
    fn plain_characters_match_themselves_and_nothing_else(text in "[-a-zA-Z0-9/_=&%~@!,:;<> ]{0,12}", other in "[-a-z/&]{0,12}") {
        prop_assert!(matches(&text, &text));
        prop_assert_eq!(matches(&text, &other), text == other);
    }
}
