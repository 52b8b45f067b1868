//! Reads fields of a tree and notes what is wrong with them.

use crate::suite::{Problem, Spelt};
use source::Span;
use syntax::{NodeId, Tree, Value};

/// A tree with the problems found in it so far.
pub(crate) struct Reader<'t> {
    pub tree: &'t Tree,
    pub problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    pub fn new(tree: &'t Tree) -> Reader<'t> {
        Reader { tree, problems: Vec::new() }
    }

    /// Notes a problem.
    pub fn problem(&mut self, span: Span, headline: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem { span, headline: headline.into(), help: help.into() });
    }

    /// Notes every field of a mapping that is not one of these. `false` for a value that is no mapping, which is noted too.
    pub fn fields(&mut self, map: NodeId, what: &str, known: &[&str]) -> bool {
        let tree = self.tree;
        if !matches!(tree.value(map), Value::Mapping(_)) {
            let is = tree.value(map).kind();
            let help = format!("write a mapping of {}", list(known));
            self.problem(tree.span(map), format!("{what} is of type {is}"), help);
            return false;
        }
        for entry in tree.entries(map) {
            let key = tree.key(entry.key).into_owned();
            if !known.contains(&key.as_str()) {
                let near = known.iter().min_by_key(|it| strsim::osa_distance(it, &key));
                let near = near.filter(|it| strsim::osa_distance(it, &key) <= 2);
                let help = near.map_or_else(
                    || format!("the fields of {what} are {}", list(known)),
                    |near| format!("did you mean `{near}`?"),
                );
                self.problem(tree.span(entry.key), format!("{what} has no field `{key}`"), help);
            }
        }
        true
    }

    /// The value of a field; `None` for one that is absent or null.
    pub fn field(&self, map: NodeId, key: &str) -> Option<NodeId> {
        let value = self.tree.get(map, key)?.value;
        (self.tree.value(value) != Value::Null).then_some(value)
    }

    /// A word: text, or a number as it is written.
    pub fn word(&mut self, node: NodeId, what: &str) -> Option<Spelt> {
        let span = self.tree.span(node);
        let text = match self.tree.value(node) {
            Value::Str(text) => text.to_owned(),
            Value::Int(number) => number.to_string(),
            other => {
                let is = other.kind();
                self.problem(span, format!("{what} is of type {is}"), "write one word");
                return None;
            }
        };
        Some(Spelt { text, span })
    }

    /// The word of a field.
    pub fn word_of(&mut self, map: NodeId, key: &str) -> Option<Spelt> {
        let node = self.field(map, key)?;
        self.word(node, &format!("`{key}`"))
    }

    /// One word or a list of words.
    pub fn words(&mut self, node: NodeId, what: &str) -> Vec<Spelt> {
        match self.tree.value(node) {
            Value::Sequence(items) => items.iter().filter_map(|item| self.word(*item, what)).collect(),
            _ => self.word(node, what).into_iter().collect(),
        }
    }

    /// The words of a field.
    pub fn words_of(&mut self, map: NodeId, key: &str) -> Vec<Spelt> {
        let node = self.field(map, key);
        node.map_or_else(Vec::new, |node| self.words(node, &format!("`{key}`")))
    }

    /// The members of a field that is a list.
    pub fn list_of(&mut self, map: NodeId, key: &str) -> Vec<NodeId> {
        let Some(node) = self.field(map, key) else { return Vec::new() };
        match self.tree.value(node) {
            Value::Sequence(items) => items.to_vec(),
            other => {
                let is = other.kind();
                self.problem(self.tree.span(node), format!("`{key}` is of type {is}"), "write a list");
                Vec::new()
            }
        }
    }

    /// A truth value of a field; `false` when absent.
    pub fn truth_of(&mut self, map: NodeId, key: &str) -> bool {
        let Some(node) = self.field(map, key) else { return false };
        match self.tree.value(node) {
            Value::Bool(truth) => truth,
            other => {
                let is = other.kind();
                self.problem(self.tree.span(node), format!("`{key}` is of type {is}"), "write `true` or `false`");
                false
            }
        }
    }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
