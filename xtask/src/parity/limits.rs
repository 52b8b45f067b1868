//! The part of `docs/limits.md` that follows from the schema tables: which fields are read and not acted on.

use super::{Page, below, status};
use kinds::schema::Field;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The page.
pub const PAGE: &str = "docs/limits.md";
const BEGIN: &str = "<!-- fields: written by `cargo xtask parity --bless` -->\n";
const END: &str = "<!-- end of fields -->";

/// The page as it should be; `None` when it has no place for the table.
pub fn blessed(root: &Path, kinds: &BTreeMap<&'static str, Page>) -> Option<String> {
    let text = fs::read_to_string(root.join(PAGE)).ok()?;
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", table(kinds)))
}

/// Whether the page says something else than the tables.
pub fn is_stale(root: &Path, kinds: &BTreeMap<&'static str, Page>) -> bool {
    blessed(root, kinds).is_none_or(|blessed| fs::read_to_string(root.join(PAGE)).ok() != Some(blessed))
}

fn table(kinds: &BTreeMap<&'static str, Page>) -> String {
    let mut out = String::from("| kind | field | what becomes of it |\n| --- | --- | --- |\n");
    for (name, page) in kinds {
        let mut rows = BTreeMap::new();
        for kind in &page.kinds {
            limited("", kind.schema.fields, &mut rows);
        }
        // What has no effect takes nothing from a policy's meaning, and a list of specs says what one says.
        rows.retain(|field, status| *status != "no effect" && !field.starts_with("specs[]"));
        for (field, status) in rows {
            out += &format!("| [{name}](parity/{name}.md) | `{field}` | {status} |\n");
        }
    }
    out
}

/// The outermost fields that are not simply supported.
fn limited(above: &str, fields: &[Field], rows: &mut BTreeMap<String, &'static str>) {
    for field in fields {
        let path = if above.is_empty() { field.name.to_owned() } else { format!("{above}.{}", field.name) };
        match status(&path, field) {
            "supported" => limited(&below(&path, &field.shape), field.shape.fields(), rows),
            status => drop(rows.insert(path, status)),
        }
    }
}
