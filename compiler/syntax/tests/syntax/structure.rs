//! Spans, comments, aliases, merges, duplicates, documents.

use syntax::{NodeId, ScalarStyle, Tree};

use crate::support::{self, documents, json, problems, root, tree};

fn raw_of<'t>(tree: &'t Tree, path: &str) -> &'t str {
    let node = tree.find(root(tree), path).expect("the path exists");
    tree.raw(node)
}

#[track_caller]
fn check_meaning(text: &str, expected: &[&str]) {
    let tree = tree(text);
    assert_eq!(documents(&tree), expected, "meaning of {text:?}");
    assert_eq!(problems(&tree), [""; 0], "problems of {text:?}");
}

#[test]
fn a_span_is_the_value_without_anchor_tag_and_comment() {
    let text = "a: &x !!str 1 # c\nb: 'q' # c\nc: *x\nd: &m\n  e: 1\n  f: 2  # c\n\n# c\ng: !!map {h: 1 } # c\ni:\nj:\n# c\n- 1\n-   k: 2\n\n";
    let tree = tree(text);
    assert_eq!(raw_of(&tree, "a"), "1");
    assert_eq!(raw_of(&tree, "b"), "'q'");
    assert_eq!(raw_of(&tree, "c"), "*x");
    assert_eq!(raw_of(&tree, "d"), "e: 1\n  f: 2");
    assert_eq!(raw_of(&tree, "g"), "{h: 1 }");
    assert_eq!(raw_of(&tree, "i"), "");
    assert_eq!(raw_of(&tree, "j"), "- 1\n-   k: 2");
    assert_eq!(raw_of(&tree, "j[1]"), "k: 2");
    let absent = tree.find(root(&tree), "i").expect("i exists");
    assert!(text[..tree.span(absent).start as usize].ends_with("i:"));
}

#[test]
fn a_sequence_starts_at_its_first_dash() {
    let tree = tree("--- # - c\n- - a\n  - b\n-\n  - &x-y !<t> c\n");
    let text = tree.raw(root(&tree));
    assert_eq!(text, "- - a\n  - b\n-\n  - &x-y !<t> c");
    let inner = tree.items(root(&tree)).iter().map(|id| tree.raw(*id));
    let inner: Vec<&str> = inner.collect();
    assert_eq!(inner, ["- a\n  - b", "- &x-y !<t> c"]);
}

#[test]
fn a_block_scalar_reaches_from_its_header_to_its_last_line() {
    let tree = tree("a: &x | # c > d\n    one\n\n      two\n\n\nb: >-\n  three\n\n# c\nc: |+\n  four\n\nd: |\n");
    assert_eq!(raw_of(&tree, "a"), "| # c > d\n    one\n\n      two\n");
    assert_eq!(raw_of(&tree, "b"), ">-\n  three\n");
    assert_eq!(raw_of(&tree, "c"), "|+\n  four\n\n");
    let styles = ["a", "b"].map(|path| tree.style(tree.find(root(&tree), path).expect("exists")));
    assert_eq!(styles, [ScalarStyle::Literal, ScalarStyle::Folded]);
}

#[test]
fn every_comment_has_a_span() {
    let text = "# one\na: 1 # two\n# three\n---\n# four\n'#': \"# no\" # fünf\nb: | # six\n  # no\n";
    let tree = tree(text);
    let comments = tree.comments().iter().map(|c| c.span.slice(text));
    let comments: Vec<&str> = comments.collect();
    assert_eq!(comments, ["# one", "# two", "# three", "# four", "# fünf", "# six"]);
}

#[test]
fn a_file_of_comments_is_one_document_without_value() {
    assert_eq!(documents(&tree("# only\n")), ["-"]);
    assert_eq!(documents(&tree("\n \n")), [""; 0]);
    assert_eq!(documents(&tree("")), [""; 0]);
}

#[test]
fn one_text_holds_many_documents() {
    check_meaning("a: 1\n---\nb: 2\n...\n", &["{a:1}", "{b:2}"]);
    check_meaning("---\na: 1\n--- {b: 2}\n", &["{a:1}", "{b:2}"]);
    check_meaning("%YAML 1.1\n---\na: 1\n", &["{a:1}"]);
    check_meaning("a: |\n  x\n---\nb: 1\n", &["{a:\"x\\n\"}", "{b:1}"]);
    check_meaning("a: 1\n...\nb: 2\n", &["{a:1}", "{b:2}"]);
}

#[test]
fn json_is_yaml() {
    check_meaning(
        "{\n\t\"a\": [1, \"x\\u0041\\/\", true, null],\n\t\"b\": {\"c\": -1.5e3}\n}\n",
        &["{a:[1 \"xA/\" true null] b:{c:-1500}}"],
    );
    let long = format!("{{\"a\":\"{}\",\"b\":{{\"c\":1}}}}", "x".repeat(5000));
    assert_eq!(problems(&tree(&long)), [""; 0]);
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    check_meaning(
        "\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: [1,\r\n 2]\r\n",
        &["{a:1 b:\"x\\ny\\n\"}", "{c:[1 2]}"],
    );
    let tree = tree("\u{feff}a: 1\r\nb: 2\r\n");
    assert_eq!(raw_of(&tree, "a"), "1");
    assert_eq!(raw_of(&tree, "b"), "2");
}

#[test]
fn aliases_read_as_what_they_name() {
    check_meaning("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n", &["{a:{b:1} c:{b:1} d:[{b:1} {b:1}]}"]);
    check_meaning("- &x 1\n- &x 2\n- *x\n", &["[1 2 2]"]);
    check_meaning("- &k key\n- *k : 1\n", &["[\"key\" {key:1}]"]);
    let tree = tree("a: &x {b: 1}\nc: *x\n");
    assert_eq!(raw_of(&tree, "c.b"), "1");
    let alias = tree.find(root(&tree), "c").expect("c exists");
    assert_eq!(tree.style(alias), ScalarStyle::Alias);
    assert_eq!(Some(tree.target(alias)), tree.find(root(&tree), "a"));
}

#[test]
fn an_alias_without_anchor_is_a_problem_and_null() {
    let tree = tree("a: *x\nb: &x 1\n---\nc: *x\n");
    assert_eq!(problems(&tree), ["1:4 UnknownAnchor \"*x\"", "4:4 UnknownAnchor \"*x\""]);
    assert_eq!(documents(&tree), ["{a:null b:1}", "{c:null}"]);
}

#[test]
fn an_alias_inside_its_own_value_is_a_problem_and_null() {
    let tree = tree("a: &x [1, *x]\n");
    assert_eq!(problems(&tree), ["1:11 RecursiveAlias \"*x\""]);
    assert_eq!(documents(&tree), ["{a:[1 null]}"]);
}

#[test]
fn the_last_of_equal_keys_counts_and_both_are_shown() {
    let tree = tree("a: 1\nb: 2\na: 3\n\"a\": 4\n");
    assert_eq!(documents(&tree), ["{b:2 a:4}"]);
    assert_eq!(tree.entries(root(&tree)).len(), 4);
    let shown = tree.problems().iter().map(|p| {
        let related = p.related.expect("the key before");
        (p.span.start, related.start)
    });
    assert_eq!(shown.collect::<Vec<_>>(), [(10, 0), (15, 10)]);
}

#[test]
fn keys_are_equal_when_their_json_forms_are() {
    assert_eq!(problems(&tree("yes: 1\non: 2\n")), ["2:1 DuplicateKey \"on\""]);
    assert_eq!(problems(&tree("8: 1\n010: 2\n")), ["2:1 DuplicateKey \"010\""]);
    let many: String = (0..40).map(|i| format!("k{}: 1\n", i % 39)).collect();
    assert_eq!(problems(&tree(&many)), ["40:1 DuplicateKey \"k0\""]);
}

#[test]
fn a_merge_stands_for_the_entries_it_names_at_its_place() {
    let base = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n";
    let value = |tail: &str| {
        let tree = tree(&format!("{base}{tail}"));
        assert_eq!(problems(&tree), [""; 0]);
        let z = tree.find(root(&tree), "z").expect("z exists");
        json(&tree, z)
    };
    assert_eq!(value("z: {<<: *x, d: 5}"), "{a:1 b:2 d:5}");
    assert_eq!(value("z: {<<: *x, b: 9}"), "{a:1 b:9}");
    // The API server's reader lets a merge override the keys before it, unlike YAML's own text.
    assert_eq!(value("z: {b: 9, <<: *x}"), "{a:1 b:2}");
    assert_eq!(value("z: {<<: [*x, *y]}"), "{c:4 a:1 b:2}");
    assert_eq!(value("z: {<<: {q: 1}}"), "{q:1}");
    assert_eq!(value("z: {<<: []}"), "{}");
    assert_eq!(value("z: {'<<': 1}"), "{<<:1}");
}

#[test]
fn a_merge_stays_visible_as_it_is_written() {
    let tree = tree("x: &x {a: 1}\nz:\n  <<: *x\n  b: 1\n");
    let z = tree.find(root(&tree), "z").expect("z exists");
    let written: Vec<&str> = tree.merges(z).map(|e| tree.raw(e.value)).collect();
    assert_eq!(written, ["*x"]);
    assert_eq!(tree.merges(root(&tree)).count(), 0);
    assert_eq!(raw_of(&tree, "z.a"), "1");
}

#[test]
fn a_merge_of_anything_but_mappings_is_a_problem() {
    assert_eq!(problems(&tree("a: {<<: 1}")), ["1:9 BadMerge \"1\""]);
    assert_eq!(problems(&tree("a: {<<: [1]}")), ["1:9 BadMerge \"[1]\""]);
    assert_eq!(problems(&tree("a: &x ~\nb: {<<: *x}")), ["2:9 BadMerge \"*x\""]);
}

#[test]
fn every_node_knows_what_holds_it() {
    let tree = tree("a:\n- b: 1\n---\nc: 1\n");
    for id in tree.nodes() {
        let mut at = id;
        while let Some(parent) = tree.parent(at) {
            assert!(parent < at);
            assert!(tree.span(parent).covers(tree.span(at)));
            at = parent;
        }
        let roots: Vec<Option<NodeId>> = tree.documents().iter().map(|d| d.root).collect();
        assert!(roots.contains(&Some(at)));
    }
}

#[test]
fn a_number_of_another_tree_is_harmless() {
    let big = support::tree("[1, 2, 3, 4, 5]");
    let last = big.nodes().last().expect("there are nodes");
    let small = support::tree("1");
    assert_eq!(json(&small, last), "null");
    assert_eq!(small.raw(last), "");
    assert_eq!(small.entries(last), []);
}

#[test]
fn the_last_of_equal_keys_counts_however_long_the_mapping_is() {
    for length in [3, 63, 64, 65, 500] {
        let lines = (0..length).map(|at| format!("  k{}: {at}\n", at * 7 % (length - 1)));
        let text = format!("a: &a\n{}b: *a\n", lines.collect::<String>());
        let tree = support::tree(&text);
        let root = support::root(&tree);
        for map in ["a", "b"].map(|key| tree.get(root, key).expect("it is there").value) {
            assert_eq!(tree.entries(map).len(), length);
            for entry in tree.entries(map) {
                let key = tree.key(entry.key);
                let last = tree.entries(map).iter().rev().find(|it| tree.key(it.key) == key);
                assert_eq!(tree.get(map, &key), last.copied(), "{key} of {length}");
            }
            assert_eq!(["", "k", "k99999", "z"].map(|key| tree.get(map, key)), [None; 4]);
        }
    }
}
