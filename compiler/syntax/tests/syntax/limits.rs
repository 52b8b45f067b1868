//! Hostile text meets a limit and gets one clear problem.

use syntax::{Limits, ProblemKind, Tree, Value, parse};

use crate::support::{documents, problems};

fn kinds(tree: &Tree) -> Vec<ProblemKind> {
    tree.problems().iter().map(|p| p.kind.clone()).collect()
}

#[test]
fn a_text_over_the_limit_of_bytes_is_not_read() {
    let limits = Limits { max_bytes: 4, ..Limits::default() };
    let tree = parse("a: 12", &limits);
    assert_eq!(kinds(&tree), [ProblemKind::TooLarge { limit: 4 }]);
    assert!(tree.is_empty());
    assert_eq!(kinds(&parse("a: 1", &limits)), []);
}

#[test]
fn nesting_over_the_limit_ends_its_document_only() {
    for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        let tree = parse(&format!("a: 1\n---\n{deep}\n---\nb: 1\n"), &Limits::default());
        assert_eq!(kinds(&tree), [ProblemKind::TooDeep { limit: 128 }]);
        let documents = documents(&tree);
        assert_eq!(documents.len(), 3);
        assert_eq!([&documents[0], &documents[2]], ["{a:1}", "{b:1}"]);
    }
}

#[test]
fn nesting_up_to_the_limit_is_read() {
    let limits = Limits { max_depth: 3, ..Limits::default() };
    assert_eq!(problems(&parse("[[[1]]]", &limits)), [""; 0]);
    assert_eq!(kinds(&parse("[[[[1]]]]", &limits)).len(), 1);
    assert_eq!(kinds(&parse("- {a: [[1]]}", &limits)).len(), 1);
}

#[test]
fn aliases_cannot_nest_deeper_than_the_limit() {
    let limits = Limits { max_depth: 4, ..Limits::default() };
    let text = "- &a [[1]]\n- [*a]\n- [[*a]]\n";
    let tree = parse(text, &limits);
    assert_eq!(problems(&tree), ["3:5 TooDeep \"*a\""]);
    assert_eq!(documents(&tree), ["[[[1]] [[[1]]] [[null]]]"]);
}

#[test]
fn an_alias_bomb_is_one_problem() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        text += &format!("a{level}: &a{level} [{alias}]\n");
    }
    let tree = parse(&text, &Limits::default());
    let limit = Limits::default().max_alias_expansion;
    assert_eq!(kinds(&tree), [ProblemKind::AliasBomb { limit }]);
    let root = tree.documents()[0].root.expect("a value");
    assert!(walk(&tree, root) <= 2 * limit as u64);
}

#[test]
fn a_merge_bomb_is_one_problem() {
    let mut text = "a0: &a0 {k: v, l: v}\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        text += &format!("a{level}: &a{level} {{<<: [*a{below}, *a{below}]}}\n");
    }
    let tree = parse(&text, &Limits::default());
    let limit = Limits::default().max_alias_expansion;
    assert_eq!(kinds(&tree), [ProblemKind::AliasBomb { limit }]);
}

#[test]
fn nodes_over_the_limit_are_not_read() {
    let limits = Limits { max_nodes: 5, ..Limits::default() };
    let tree = parse("a: 1\n---\n[1, 2, 3, 4]\n---\nb: 1\n", &limits);
    assert_eq!(kinds(&tree), [ProblemKind::TooManyNodes { limit: 5 }]);
    assert_eq!(documents(&tree), ["{a:1}", "[1]"]);
}

#[test]
fn a_thousand_faults_are_read_in_bounded_work() {
    let text = "a: b: c\n".repeat(20_000);
    let tree = parse(&text, &Limits::default());
    assert!(!tree.problems().is_empty());
    let text = "---\na: b: c\nd: 1\n".repeat(2_000);
    let tree = parse(&text, &Limits::default());
    assert_eq!(tree.problems().len(), 2_000);
    assert!(documents(&tree).iter().all(|d| d == "{d:1}"));
}

/// Nodes that a reader meets who follows aliases.
fn walk(tree: &Tree, id: syntax::NodeId) -> u64 {
    1 + match tree.value(id) {
        Value::Mapping(entries) => entries.iter().map(|e| walk(tree, e.value)).sum(),
        Value::Sequence(items) => items.iter().map(|item| walk(tree, *item)).sum(),
        _ => 0,
    }
}
