//! A compact text form of trees and problems.

use std::fmt::Write;

use proptest::test_runner::{Config, RngSeed};
use syntax::{Limits, NodeId, Problem, Tree, Value};

/// Parses with the default limits.
pub fn tree(text: &str) -> Tree {
    syntax::parse(text, &Limits::default())
}

/// The first document's value.
pub fn root(tree: &Tree) -> NodeId {
    tree.documents()[0].root.expect("the text has a value")
}

/// The meaning of a node as JSON; of equal keys only the last.
pub fn json(tree: &Tree, id: NodeId) -> String {
    let mut out = String::new();
    write_json(tree, id, &mut out);
    out
}

fn write_json(tree: &Tree, id: NodeId, out: &mut String) {
    match tree.value(id) {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => write!(out, "{value}").expect("strings take all text"),
        Value::Int(value) => write!(out, "{value}").expect("strings take all text"),
        Value::UInt(value) => write!(out, "{value}").expect("strings take all text"),
        Value::Float(value) => write!(out, "{value:?}").expect("strings take all text"),
        Value::Str(text) => write!(out, "{text:?}").expect("strings take all text"),
        Value::Mapping(entries) => {
            out.push('{');
            for entry in entries {
                let key = tree.key(entry.key);
                if tree.get(id, &key) != Some(*entry) {
                    continue;
                }
                if !out.ends_with('{') {
                    out.push(' ');
                }
                write!(out, "{key}:").expect("strings take all text");
                write_json(tree, entry.value, out);
            }
            out.push('}');
        }
        Value::Sequence(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(' ');
                }
                write_json(tree, *item, out);
            }
            out.push(']');
        }
    }
}

/// All documents as JSON, one a line; `-` for one without value.
pub fn documents(tree: &Tree) -> Vec<String> {
    let value = |root: Option<NodeId>| root.map_or("-".to_owned(), |root| json(tree, root));
    tree.documents().iter().map(|d| value(d.root)).collect()
}

/// Problems as `line:column Kind "text"`.
pub fn problems(tree: &Tree) -> Vec<String> {
    let index = source::LineIndex::new(tree.text());
    let show = |problem: &Problem| {
        let at = index.position(problem.span.start);
        let kind = format!("{:?}", problem.kind);
        let kind = kind.split([' ', '{', '(']).next().unwrap_or("");
        let text = problem.span.slice(tree.text());
        format!("{}:{} {kind} {text:?}", at.line, at.column)
    };
    tree.problems().iter().map(show).collect()
}

/// Random tests with one seed, so that a run is the same everywhere. `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED` ask for more.
pub fn random(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(24), ..Config::default() }
}
