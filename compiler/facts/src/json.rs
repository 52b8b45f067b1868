//! A value as text, where one has to be kept that nothing here looks into.

use crate::read::At;
use syntax::Value;

/// A value as JSON text with sorted keys, without spaces. Null members of mappings are left out.
pub fn json(at: &At<'_>) -> String {
    match at.value() {
        Value::Null => "null".to_owned(),
        Value::Bool(it) => it.to_string(),
        Value::Int(it) => it.to_string(),
        Value::UInt(it) => it.to_string(),
        Value::Float(it) => it.to_string(),
        Value::Str(it) => quoted(it),
        Value::Sequence(_) => {
            let items: Vec<String> = at.items().map(|it| json(&it)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Mapping(_) => {
            let mut entries = at.entries();
            entries.retain(|(_, it)| !matches!(it.value(), Value::Null));
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries: Vec<String> =
                entries.iter().map(|(key, it)| format!("{}:{}", quoted(key), json(it))).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
