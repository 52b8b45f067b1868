//! Broken text: what is reported where, and what is kept.

use crate::support;

/// Problems as `line:column Kind "blamed text"`, documents as JSON.
#[track_caller]
fn check(text: &str, problems: &[&str], documents: &[&str]) {
    let tree = support::tree(text);
    assert_eq!(support::problems(&tree), problems, "problems of {text:?}");
    assert_eq!(support::documents(&tree), documents, "documents of {text:?}");
}

#[test]
fn a_half_typed_key_costs_its_line_only() {
    check("a: 1\nb\nc: 2\n", &["2:1 Syntax \"b\""], &["{a:1 c:2}"]);
    check(
        "spec:\n  podSelector:\n    matchLabels\n      app: x\n  ingress: []\n",
        &["4:10 Syntax \":\""],
        &["{spec:{podSelector:\"matchLabels\" ingress:[]}}"],
    );
}

#[test]
fn a_tab_is_named_as_a_tab() {
    check("a:\n\tb: 2\nc: 3\n", &["2:1 Tab \"\\t\""], &["{a:null c:3}"]);
    check("a: 1\n\tb: 2\nc: 3\n", &["2:1 Tab \"\\t\""], &["{a:1 c:3}"]);
}

#[test]
fn an_unclosed_bracket_is_blamed_where_it_opens() {
    check("a: [1, 2\nb: 3\nc: 4\n", &["1:1 Syntax \"a: [1, 2\""], &["{b:3 c:4}"]);
    check("a: [1,\n  2,\n  3,\n  4,\n  5,\n  6,\n  7\nb: 3\n", &["1:1 Syntax \"a: [1,\""], &["{b:3}"]);
}

#[test]
fn an_unclosed_quote_is_blamed_where_it_opens() {
    check("a: 'x\nb: 1\nc: 2\n", &["1:1 Syntax \"a: 'x\""], &["{b:1 c:2}"]);
    check("a: \"x\n  b\n  c\n  d\n  e\n  f\n  g\nh: 2\n", &["1:1 Syntax \"a: \\\"x\""], &["{h:2}"]);
}

#[test]
fn a_wrong_indent_costs_its_line_only() {
    check("a:\n    b: 1\n  c: 2\nd: 3\n", &["3:3 Syntax \"c\""], &["{a:{b:1} d:3}"]);
    check("- a\nb: 1\n- c\n", &["2:1 Syntax \"b\""], &["[\"a\" \"c\"]"]);
    check("a:\n-x\nb: 1\n", &["2:1 Syntax \"-\""], &["{a:null b:1}"]);
}

#[test]
fn a_stray_indicator_costs_its_line_only() {
    check("a: b: c\nd: 1\n", &["1:5 Syntax \":\""], &["{d:1}"]);
    check("a: }\nb: 1\n", &["1:4 Syntax \"}\""], &["{b:1}"]);
    check("a: @x\nb: 1\n", &["1:4 Syntax \"@\""], &["{b:1}"]);
    check("a: *\nb: 1\n", &["1:4 Syntax \"*\""], &["{b:1}"]);
    check("a: \"\\q\"\nb: 1\n", &["1:4 Syntax \"\\\"\""], &["{b:1}"]);
    check("ä: ö: ü\nb: 1\n", &["1:5 Syntax \":\""], &["{b:1}"]);
}

#[test]
fn a_missing_json_value_costs_its_line_only() {
    check("{\"a\": 1,\n \"b\": \n \"c\": 2}\n", &["2:2 Syntax \"\\\"b\\\":\""], &["{a:1 c:2}"]);
}

#[test]
fn a_control_character_is_named() {
    check("a: 1\nb: x\u{7}y\nc: 2\n", &["2:5 ControlCharacter \"\\u{7}\""], &["{a:1 c:2}"]);
    check("a: 1\nb: \"x\0\"\nc: 2\n", &["2:6 ControlCharacter \"\\0\""], &["{a:1 c:2}"]);
}

#[test]
fn a_comment_inside_a_plain_value_is_refused() {
    check("a: 1\n\t # c\n  b\nc: 2\n", &["2:3 Syntax \"# c\""], &["{a:\"1\\nb\" c:2}"]);
}

#[test]
fn several_faults_are_all_reported() {
    check(
        "a: b: c\nd: 1\ne: }\nf: 2\n\tg: 3\nh: 4\n",
        &["1:5 Syntax \":\"", "3:4 Syntax \"}\"", "5:1 Tab \"\\t\""],
        &["{d:1 f:2 h:4}"],
    );
}

#[test]
fn a_broken_document_costs_its_neighbours_nothing() {
    let text = "a: 1\n---\nb: [\n---\nc: 'x\n---\nd: 1\n";
    check(text, &["3:4 Syntax \"[\"", "5:1 Syntax \"c: 'x\""], &["{a:1}", "null", "null", "{d:1}"]);
    let tree = support::tree(text);
    let sound: Vec<bool> = tree.documents().iter().map(|d| d.sound).collect();
    assert_eq!(sound, [true, false, false, true]);
}

#[test]
fn documents_cover_the_text_in_order() {
    let text = "# head\na: 1\n---\nb: [\n--- c\n";
    let tree = support::tree(text);
    let spans = tree.documents().iter().map(|d| d.span.slice(text));
    let spans: Vec<&str> = spans.collect();
    assert_eq!(spans, ["# head\na: 1\n", "---\nb: [\n", "--- c\n"]);
}

#[test]
fn unrendered_templates_give_one_problem_of_their_own() {
    check(
        "name: {{ .Values.x }}\nb: 1\n",
        &["1:7 UnrenderedTemplate \"{{ .Values.x }}\""],
        &["{name:\"{{ .Values.x }}\" b:1}"],
    );
    check(
        "{{- if .on }}\nname: {{ .x }}-y\nlabels:\n  {{- toYaml . | nindent 4 }}\nq: \"{{ .a }}\"\n{{- end }}\n---\nc: 1\n",
        &["1:1 UnrenderedTemplate \"{{- if .on }}\""],
        &["{name:\"{{ .x }}-y\" labels:null q:\"{{ .a }}\"}", "{c:1}"],
    );
}

#[test]
fn braces_that_are_text_are_no_template() {
    check("a: web-{{ x }}\n", &[], &["{a:\"web-{{ x }}\"}"]);
    check("a: \"{{ x }}\"\n", &[], &["{a:\"{{ x }}\"}"]);
    check("a: {b: {}}\n", &[], &["{a:{b:{}}}"]);
    check("a: '{{ x }}'\nb: c: d\n", &["2:5 Syntax \":\""], &["{a:\"{{ x }}\"}"]);
}

#[test]
fn an_error_names_the_place_where_the_parser_gave_up() {
    let tree = support::tree("a: 'x\nb: 1\n");
    let related = tree.problems()[0].related.map(|span| span.start);
    assert_eq!(related, Some(6));
}
