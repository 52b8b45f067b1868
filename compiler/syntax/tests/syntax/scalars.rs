//! Scalars mean what the API server's reader (go-yaml v2, then JSON) takes them for.

use crate::support;
use syntax::Value;

/// Each line is `text => type value`.
#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let tree = support::tree(&format!("k: {text}\n"));
        let entry = tree.get(support::root(&tree), "k").expect("k is there");
        let kind = tree.value(entry.value).kind();
        let shown = format!("{kind} {}", support::json(&tree, entry.value));
        assert_eq!(shown, *expected, "meaning of {text:?}");
        assert_eq!(support::problems(&tree), [""; 0], "problems of {text:?}");
    }
}

#[test]
fn booleans_are_those_of_yaml_1_1() {
    for text in "yes Yes YES true True TRUE on On ON".split(' ') {
        check(&[(text, "boolean true")]);
    }
    for text in "no No NO false False FALSE off Off OFF".split(' ') {
        check(&[(text, "boolean false")]);
    }
    for text in "y Y n N yEs tRUE oN nO oFF t f".split(' ') {
        check(&[(text, &format!("string {text:?}"))]);
    }
}

#[test]
fn null_has_three_words_a_sign_and_nothing() {
    for text in "~ null Null NULL".split(' ') {
        check(&[(text, "null null")]);
    }
    check(&[("", "null null"), ("nULL", "string \"nULL\"")]);
}

#[test]
fn integers_have_four_bases() {
    check(&[
        ("0", "integer 0"),
        ("-0", "integer 0"),
        ("+5", "integer 5"),
        ("-17", "integer -17"),
        ("010", "integer 8"),
        ("0o10", "integer 8"),
        ("-010", "integer -8"),
        ("0x1F", "integer 31"),
        ("0X1f", "integer 31"),
        ("0b101", "integer 5"),
        ("-0b101", "integer -5"),
        ("1_000", "integer 1000"),
        ("0x_ff", "integer 255"),
        ("9223372036854775807", "integer 9223372036854775807"),
        ("-9223372036854775808", "integer -9223372036854775808"),
        ("18446744073709551615", "integer 18446744073709551615"),
    ]);
}

#[test]
fn what_is_nearly_an_integer_is_not() {
    check(&[
        ("0x", "string \"0x\""),
        ("0b2", "string \"0b2\""),
        ("_1", "string \"_1\""),
        ("1:30", "string \"1:30\""),
        ("10.0.0.1", "string \"10.0.0.1\""),
        ("10.0.0.0/8", "string \"10.0.0.0/8\""),
        ("80/TCP", "string \"80/TCP\""),
        ("1k", "string \"1k\""),
        ("+", "string \"+\""),
        ("0x1p4", "string \"0x1p4\""),
    ]);
}

#[test]
fn floats_without_fraction_are_integers_as_json_has_no_other_form() {
    check(&[
        ("80.0", "integer 80"),
        ("8e1", "integer 80"),
        ("1.", "integer 1"),
        ("08", "integer 8"),
        ("099", "integer 99"),
        ("1e19", "integer 10000000000000000000"),
        ("!!float 5", "integer 5"),
    ]);
}

#[test]
fn other_floats_are_numbers() {
    check(&[
        ("1.5", "number 1.5"),
        (".5", "number 0.5"),
        ("+.5", "number 0.5"),
        ("-1.5e-3", "number -0.0015"),
        ("1_0.5", "number 10.5"),
        ("1e30", "number 1e30"),
        ("99999999999999999999", "number 1e20"),
        ("0xFFFFFFFFFFFFFFFFFF", "number 4.722366482869645e21"),
        ("1e400", "string \"1e400\""),
        (".", "string \".\""),
        (".e5", "string \".e5\""),
        ("1e", "string \"1e\""),
    ]);
}

#[test]
fn dates_stay_text() {
    check(&[("2001-12-14", "string \"2001-12-14\""), ("2001-12-14T21:59:43Z", "string \"2001-12-14T21:59:43Z\"")]);
}

#[test]
fn quotes_and_blocks_make_text() {
    check(&[
        ("'yes'", "string \"yes\""),
        ("\"80\"", "string \"80\""),
        ("''", "string \"\""),
        ("'it''s'", "string \"it's\""),
        ("\"a\\tb\\u00e9\"", "string \"a\\tbé\""),
        ("|\n  80", "string \"80\\n\""),
        (">-\n  yes\n  no\n", "string \"yes no\""),
        ("|+\n  a\n", "string \"a\\n\\n\""),
    ]);
}

#[test]
fn tags_are_honoured() {
    check(&[
        ("!!str 80", "string \"80\""),
        ("!!str yes", "string \"yes\""),
        ("!!str", "string \"\""),
        ("! 80", "string \"80\""),
        ("!!int \"80\"", "integer 80"),
        ("!!bool 'yes'", "boolean true"),
        ("!!null ''", "null null"),
        ("!custom 80", "string \"80\""),
        ("!<tag:yaml.org,2002:int> '7'", "integer 7"),
    ]);
}

#[test]
fn a_tag_that_does_not_fit_is_a_problem() {
    for (text, blamed) in [("!!int web", "web"), ("!!int 1.5", "1.5"), ("!!bool 1", "1"), ("!!null x", "x")] {
        let tree = support::tree(&format!("k: {text}"));
        let [problem] = support::problems(&tree).try_into().expect("one problem");
        assert!(problem.ends_with(&format!("TagMismatch {blamed:?}")), "{problem}");
    }
}

#[test]
fn numbers_that_json_cannot_hold_are_a_problem() {
    for text in [".inf", "-.Inf", "+.INF", ".nan", ".NaN"] {
        let tree = support::tree(&format!("k: {text}"));
        assert_eq!(support::problems(&tree), [format!("1:4 NotJson {text:?}")], "{text}");
    }
}

#[test]
fn keys_take_their_json_form() {
    for (text, key) in [
        ("yes", "true"),
        ("off", "false"),
        ("010", "8"),
        ("1.50", "1.5"),
        ("1e7", "1e+07"),
        ("80.0", "80"),
        ("1234567.0", "1.234567e+06"),
        ("0.00001", "1e-05"),
        ("'010'", "010"),
        ("a.b/c", "a.b/c"),
        ("\"a\\u0041\"", "aA"),
        ("!!int '12'", "12"),
    ] {
        let tree = support::tree(&format!("{text}: v\n"));
        let entry = tree.entries(support::root(&tree))[0];
        assert_eq!(tree.key(entry.key), key, "key {text:?}");
        assert_eq!(tree.get(support::root(&tree), key), Some(entry));
        assert_eq!(support::problems(&tree), [""; 0], "problems of {text:?}");
    }
}

#[test]
fn keys_that_json_cannot_name_are_a_problem() {
    for text in ["~", "null", "[a]", "{a: b}", "18446744073709551615"] {
        let tree = support::tree(&format!("? {text}\n: v\n"));
        assert_eq!(support::problems(&tree), [format!("1:3 NonStringKey {text:?}")]);
    }
}

#[test]
fn every_value_has_a_word_for_its_type() {
    let tree = support::tree("[~, yes, 1, 1.5, x, {}, []]");
    let items = tree.items(support::root(&tree));
    let kinds: Vec<&str> = items.iter().map(|id| tree.value(*id).kind()).collect();
    let expected = "null boolean integer number string mapping sequence";
    assert_eq!(kinds.join(" "), expected);
    assert_eq!(Value::UInt(u64::MAX).kind(), "integer");
}
