//! Writes a value as YAML in one of the many ways in which people and machines write it.

use crate::random::Random;
use crate::value::{Value, scalar};

/// Writes documents in a style that changes from value to value.
pub struct Writer<'r> {
    random: &'r mut Random,
    out: String,
    anchors: usize,
    /// How often something odd is written, of a hundred.
    oddity: usize,
}

impl<'r> Writer<'r> {
    /// A writer; of a hundred values `oddity` get an anchor, a tag, a comment or an alias, which may change what the text means.
    pub fn new(random: &'r mut Random, oddity: usize) -> Writer<'r> {
        Writer { random, out: String::new(), anchors: 0, oddity }
    }

    /// The value as a document.
    pub fn document(mut self, value: &Value) -> String {
        self.block(value, 0);
        self.out.push('\n');
        self.out
    }

    fn odd(&mut self) -> bool {
        self.random.chance(self.oddity, 100)
    }

    fn block(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Map(entries) if !entries.is_empty() && !self.random.chance(1, 6) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        self.line(indent);
                    }
                    self.key(key);
                    self.after_key(value, indent);
                }
            }
            Value::List(items) if !items.is_empty() && !self.random.chance(1, 6) => self.dashes(items, indent),
            other => self.flow(other),
        }
    }

    fn dashes(&mut self, items: &[Value], indent: usize) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.line(indent);
            }
            self.out.push_str("- ");
            self.block(item, indent + 2);
        }
    }

    fn after_key(&mut self, value: &Value, indent: usize) {
        if self.odd() {
            self.property();
        }
        let nested = matches!(value, Value::Map(entries) if !entries.is_empty())
            || matches!(value, Value::List(items) if !items.is_empty());
        match value {
            // Dashes, and nothing else, may stand as far left as the key.
            Value::List(items) if nested && self.random.chance(1, 3) => {
                self.line(indent);
                self.dashes(items, indent);
            }
            _ if nested && self.random.chance(4, 5) => {
                let indent = indent + *self.random.pick(&[1, 2, 2, 2, 4]);
                self.line(indent);
                self.block(value, indent);
            }
            Value::Text(text) if text.len() > 3 && self.odd() && !text.contains(['\r', '\t']) => {
                let header = *self.random.pick(&[" |-", " |", " >-", " |+", " |2-"]);
                self.out.push_str(header);
                for line in text.split('\n') {
                    self.line(indent + 2);
                    self.out.push_str(line);
                }
            }
            other => {
                self.out.push(' ');
                self.flow(other);
            }
        }
    }

    fn flow(&mut self, value: &Value) {
        if self.odd() && self.anchors > 0 {
            let alias = format!("*a{}", self.random.below(self.anchors));
            return self.out.push_str(&alias);
        }
        match value {
            Value::Text(text) => self.text(text),
            Value::List(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.out.push_str(if at > 0 { ", " } else { "" });
                    self.flow(item);
                }
                self.out.push(']');
            }
            Value::Map(entries) => {
                self.out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    self.out.push_str(if at > 0 { ", " } else { "" });
                    self.key(key);
                    self.out.push(' ');
                    self.flow(value);
                }
                self.out.push('}');
            }
            plain => plain.flow(&mut self.out),
        }
    }

    fn key(&mut self, key: &str) {
        if self.odd() {
            let text = match self.random.below(4) {
                0 => format!("? {}\n", scalar(key)),
                1 => "<<: {extra: 1}, more".to_owned(),
                2 => format!("!!str {}", scalar(key)),
                _ => format!("'{}'", key.replace('\'', "''")),
            };
            self.out.push_str(&text);
        } else {
            self.out.push_str(&scalar(key));
        }
        self.out.push(':');
    }

    fn text(&mut self, text: &str) {
        let simple = !text.contains(['\n', '\r']) && !text.chars().any(char::is_control);
        let written = match self.random.below(3) {
            0 if simple => format!("'{}'", text.replace('\'', "''")),
            1 if self.odd() => text.to_owned(),
            _ => scalar(text),
        };
        self.out.push_str(&written);
    }

    fn property(&mut self) {
        const TAGS: [&str; 7] = [" !!str", " !!int", " !!map", " !x", " !!binary", " !<tag:yaml.org,2002:null>", " !"];
        if self.random.chance(1, 2) {
            let anchor = format!(" &a{}", self.anchors);
            self.anchors += 1;
            self.out.push_str(&anchor);
        } else {
            let tag = *self.random.pick(&TAGS);
            self.out.push_str(tag);
        }
    }

    fn line(&mut self, indent: usize) {
        if self.odd() {
            let comment = *self.random.pick(&["  # why", " #", "\n# at the left", "\n\n", "   "]);
            self.out.push_str(comment);
        }
        self.out.push('\n');
        let blanks = " ".repeat(indent);
        self.out.push_str(&blanks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_oddities_every_style_says_the_same() {
        let inner = Value::map([("key", Value::text("a: 'b'")), ("other", Value::List(vec![Value::Whole(1); 3]))]);
        let value = Value::map([("name", Value::text("no")), ("items", Value::List(vec![inner.clone(), inner]))]);
        for seed in 0..200 {
            let text = Writer::new(&mut Random::new(seed), 0).document(&value);
            let tree = syntax::parse(&text, &syntax::Limits::default());
            let root = tree.documents().first().and_then(|document| document.root);
            assert_eq!(root.map(|root| Value::of_tree(&tree, root)).as_ref(), Some(&value), "{text}");
        }
    }
}
