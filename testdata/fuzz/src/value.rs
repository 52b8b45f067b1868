//! Values between a generator and its text.

use std::fmt::Write;
use syntax::{NodeId, Tree};

/// A value of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A truth value.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Text, quoted where it is written.
    Text(String),
    /// A scalar that is written as it stands here, whatever that means.
    Raw(String),
    /// Items in order.
    List(Vec<Value>),
    /// Entries in order; a key may stand twice.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// A mapping of these entries.
    pub fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// A mapping of texts.
    pub fn labels<K: Into<String>, V: Into<String>>(labels: impl IntoIterator<Item = (K, V)>) -> Value {
        Value::Map(labels.into_iter().map(|(key, value)| (key.into(), Value::text(value))).collect())
    }

    /// What a tree holds, aliases followed and merges spliced in.
    pub fn of_tree(tree: &Tree, node: NodeId) -> Value {
        match tree.value(node) {
            syntax::Value::Null => Value::Null,
            syntax::Value::Bool(flag) => Value::Flag(flag),
            syntax::Value::Int(number) => Value::Whole(number),
            syntax::Value::UInt(_) | syntax::Value::Float(_) => Value::Raw(tree.raw(tree.target(node)).to_owned()),
            syntax::Value::Str(text) => Value::text(text),
            syntax::Value::Sequence(items) => {
                Value::List(items.iter().map(|item| Value::of_tree(tree, *item)).collect())
            }
            syntax::Value::Mapping(entries) => {
                let entry =
                    |entry: &syntax::Entry| (tree.key(entry.key).into_owned(), Value::of_tree(tree, entry.value));
                Value::Map(entries.iter().map(entry).collect())
            }
        }
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The last value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match self {
            Value::Map(entries) => entries.iter_mut().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A value inside values.
    pub fn dig(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text that this is.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Items of a list; none of anything else.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[(String, Value)] {
        match self {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Everything inside this value and itself, in reading order; each may be changed before what is inside it is visited.
    pub fn visit(&mut self, work: &mut dyn FnMut(&mut Value)) {
        work(self);
        match self {
            Value::List(items) => items.iter_mut().for_each(|item| item.visit(work)),
            Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.visit(work)),
            _ => {}
        }
    }

    /// How many values this is, itself included.
    pub fn size(&self) -> usize {
        1 + match self {
            Value::List(items) => items.iter().map(Value::size).sum(),
            Value::Map(entries) => entries.iter().map(|(_, value)| value.size()).sum(),
            _ => 0,
        }
    }

    /// The value as a YAML document: mappings and lists by indentation, two levels above the leaves on one line.
    pub fn document(&self) -> String {
        let mut text = String::new();
        self.block(0, &mut text);
        text.push('\n');
        text
    }

    fn block(&self, indent: usize, out: &mut String) {
        match self {
            Value::Map(entries) if !entries.is_empty() && self.size() > 6 => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        let _ = write!(out, "\n{:indent$}", "");
                    }
                    let _ = write!(out, "{}:", scalar(key));
                    value.inside(indent, out);
                }
            }
            Value::List(items) if !items.is_empty() && self.size() > 6 => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        let _ = write!(out, "\n{:indent$}", "");
                    }
                    out.push_str("- ");
                    item.block(indent + 2, out);
                }
            }
            other => other.flow(out),
        }
    }

    fn inside(&self, indent: usize, out: &mut String) {
        let breaks = matches!(self, Value::Map(_) | Value::List(_)) && self.size() > 6;
        if breaks {
            let indent = indent + 2;
            let _ = write!(out, "\n{:indent$}", "");
            self.block(indent, out);
        } else {
            out.push(' ');
            self.flow(out);
        }
    }

    /// The value on one line.
    pub fn flow(&self, out: &mut String) {
        match self {
            Value::Null => out.push_str("null"),
            Value::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Whole(number) => drop(write!(out, "{number}")),
            Value::Text(text) => out.push_str(&scalar(text)),
            Value::Raw(raw) => out.push_str(raw),
            Value::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    item.flow(out);
                }
                out.push(']');
            }
            Value::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    let _ = write!(out, "{}{}: ", if at > 0 { ", " } else { "" }, scalar(key));
                    value.flow(out);
                }
                out.push('}');
            }
        }
    }
}

/// A text as a scalar that reads as that text: plain where that is sure, else in double quotes.
pub fn scalar(text: &str) -> String {
    const WORDS: [&str; 12] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];
    let first = text.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
    let rest = text.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '/' | '-' | '_'));
    if first && rest && !WORDS.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for it in text.chars() {
        match it {
            '"' | '\\' => quoted.extend(['\\', it]),
            '\n' => quoted.push_str("\\n"),
            control if u32::from(control) < 0x20 || (0x7f..0xa0).contains(&u32::from(control)) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(it));
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_reads_as_the_value_that_it_was_written_from() {
        let long = Value::List((0..9).map(Value::Whole).collect());
        let value = Value::map([
            ("metadata", Value::map([("name", Value::text("yes")), ("labels", Value::labels([("a b", "1\n\"2")]))])),
            ("spec", Value::map([("lists", Value::List(vec![long.clone(), Value::Null])), ("ports", long)])),
            ("empty", Value::Map(Vec::new())),
        ]);
        let tree = syntax::parse(&value.document(), &syntax::Limits::default());
        assert_eq!(tree.problems(), []);
        let root = tree.documents()[0].root.map(|root| Value::of_tree(&tree, root));
        assert_eq!(root, Some(value));
    }
}
