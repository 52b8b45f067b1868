//! Paths such as `spec.ingress[0].from[1].podSelector`, by which the stages after this one name places.

use std::borrow::Cow;

use source::Span;

use crate::{NodeId, Tree, Value};

/// The longest part of a path that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deepest {
    /// The node there.
    pub node: NodeId,
    /// The key that leads to it, `None` for the root and for items of sequences.
    pub key: Option<NodeId>,
    /// How many steps of the path were found.
    pub steps: usize,
    /// Whether that is the whole path.
    pub complete: bool,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step<'p> {
    Key(Cow<'p, str>),
    Index(usize),
}

impl Tree {
    /// The node at `path` below `root`; the empty path is `root`.
    ///
    /// A path is keys joined by dots, `[3]` for items and `["a.b/c"]` for keys with dots or brackets
    /// (backslash escapes a quote or a backslash). Errors: `None` when the path leads nowhere.
    #[must_use]
    pub fn find(&self, root: NodeId, path: &str) -> Option<NodeId> {
        let deepest = self.find_deepest(root, path);
        deepest.complete.then_some(deepest.node)
    }

    /// Follows `path` as far as it exists, so that every path has a line to show.
    #[must_use]
    pub fn find_deepest(&self, root: NodeId, path: &str) -> Deepest {
        let mut at = Deepest { node: root, key: None, steps: 0, complete: false };
        for step in steps(path) {
            let Some((key, node)) = step.and_then(|step| self.step(at.node, &step)) else {
                return at;
            };
            at = Deepest { node, key, steps: at.steps + 1, complete: false };
        }
        at.complete = true;
        at
    }

    /// The bytes to show for the deepest part of `path`: its key where it has one, else its value.
    #[must_use]
    pub fn path_span(&self, root: NodeId, path: &str) -> Span {
        let deepest = self.find_deepest(root, path);
        self.span(deepest.key.unwrap_or(deepest.node))
    }

    fn step(&self, node: NodeId, step: &Step<'_>) -> Option<(Option<NodeId>, NodeId)> {
        match (step, self.value(node)) {
            (Step::Key(key), Value::Mapping(_)) => {
                let entry = self.get(node, key)?;
                Some((Some(entry.key), entry.value))
            }
            (Step::Index(index), Value::Sequence(items)) => Some((None, *items.get(*index)?)),
            _ => None,
        }
    }
}

fn steps(path: &str) -> Steps<'_> {
    Steps { rest: path }
}

/// The steps of a path; `None` for a step that cannot be read.
struct Steps<'p> {
    rest: &'p str,
}

impl<'p> Iterator for Steps<'p> {
    type Item = Option<Step<'p>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.strip_prefix('.').unwrap_or(self.rest);
        if rest.is_empty() {
            return None;
        }
        let read = match rest.strip_prefix('[') {
            Some(inner) if inner.starts_with('"') => quoted(&inner[1..]),
            Some(inner) => indexed(inner),
            None => {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                Some((Step::Key(Cow::Borrowed(&rest[..end])), &rest[end..]))
            }
        };
        match read {
            Some((step, rest)) => {
                self.rest = rest;
                Some(Some(step))
            }
            None => {
                self.rest = "";
                Some(None)
            }
        }
    }
}

fn indexed(inner: &str) -> Option<(Step<'_>, &str)> {
    let (digits, rest) = inner.split_once(']')?;
    Some((Step::Index(digits.parse().ok()?), rest))
}

fn quoted(inner: &str) -> Option<(Step<'_>, &str)> {
    let mut key = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let rest = inner[at + 1..].strip_prefix(']')?;
                return Some((Step::Key(Cow::Owned(key)), rest));
            }
            '\\' => key.push(chars.next()?.1),
            _ => key.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::{Limits, parse};

    const TEXT: &str = "spec:\n  ingress:\n  - from:\n    - a: 1\n    - 'b.c/d': 2\n";

    #[track_caller]
    fn check(path: &str, expected: Option<&str>, deepest: &str) {
        let tree = parse(TEXT, &Limits::default());
        let root = tree.documents()[0].root.expect("the text has a value");
        let found = tree.find(root, path);
        assert_eq!(found.map(|node| tree.raw(node)), expected);
        let span = tree.path_span(root, path);
        assert_eq!(span.slice(tree.text()), deepest);
    }

    #[test]
    fn a_path_leads_to_its_value() {
        check("spec.ingress[0].from[0].a", Some("1"), "a");
        check("spec.ingress[0].from[1][\"b.c/d\"]", Some("2"), "'b.c/d'");
        check("spec.ingress[0].from[1]", Some("'b.c/d': 2"), "'b.c/d': 2");
        check("", Some(TEXT.trim_end()), TEXT.trim_end());
    }

    #[test]
    fn a_path_that_leads_nowhere_shows_its_longest_part() {
        check("spec.egress[0]", None, "spec");
        check("spec.ingress[7].from", None, "ingress");
        check("spec.ingress.from", None, "ingress");
        check("metadata.name", None, TEXT.trim_end());
        check("spec.ingress[0].from[0].a.b", None, "a");
    }

    #[test]
    fn a_malformed_path_shows_the_part_before_the_fault() {
        check("spec.ingress[x]", None, "ingress");
        check("spec[\"unclosed", None, "spec");
        check("spec.ingress[0", None, "ingress");
    }
}
