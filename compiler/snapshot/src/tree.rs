//! From trees to JSON.

use facts::read::At;
use serde_json::{Map, Value, json};
use syntax::Value as Node;

/// How deep values may be; what lies deeper is left out. Objects of a cluster are far below it.
const DEPTH: usize = 64;

/// What stands at a place, as JSON. Of keys that stand twice the last one counts.
pub fn json(at: &At<'_>) -> Value {
    below(at, DEPTH)
}

fn below(at: &At<'_>, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    match at.value() {
        Node::Null => Value::Null,
        Node::Bool(flag) => json!(flag),
        Node::Int(number) => json!(number),
        Node::UInt(number) => json!(number),
        Node::Float(number) => json!(number),
        Node::Str(text) => json!(text),
        Node::Sequence(_) => at.items().map(|it| below(&it, depth - 1)).collect(),
        Node::Mapping(_) => {
            let entries = at.entries().into_iter().map(|(key, it)| (key.into_owned(), below(&it, depth - 1)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}
