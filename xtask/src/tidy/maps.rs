//! Every `lib.rs` opens with a map for the newcomer.

use super::{Finding, House};

/// What the map holds, in this order.
const PARTS: [&str; 6] = ["In:", "Out:", "# Picture", "# Does not know", "# Laws", "# Reading order"];

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for member in &house.crates {
        let path = format!("{}/src/lib.rs", member.folder);
        let Some(text) = house.text(&path) else { continue };
        let missing = missing(text);
        if !missing.is_empty() {
            out.push(Finding::error("map", &path, 1, missing.join("; ")));
        }
    }
    out
}

/// The first sentence of a crate's map.
pub fn sentence(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("//! ").map(str::trim)
}

fn missing(text: &str) -> Vec<String> {
    let map: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let map = map.join("\n");
    let mut out = Vec::new();
    if !sentence(text).is_some_and(|sentence| sentence.ends_with(['.', ':']) || sentence.len() > 20) {
        out.push("the first line is one sentence that says what the crate does".into());
    }
    let mut from = 0;
    for part in PARTS {
        match map[from..].find(part) {
            Some(at) => from += at + part.len(),
            None => out.push(format!("the map lacks `{part}` or has it out of order")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "//! Does one thing.\n//!\n//! In: a.  Out: b.\n//!\n//! # Picture\n//! # Does not know\n//! # Laws\n//! # Reading order\n";

    fn found(text: &str) -> Vec<String> {
        let house = House::of([("ir/a/Cargo.toml", "[package]\nname = 'a'"), ("ir/a/src/lib.rs", text)]);
        check(&house).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn a_map_without_a_part_is_found() {
        assert_eq!(found(MAP), [""; 0]);
        assert_eq!(found(&MAP.replace("//! # Laws\n", "")), ["the map lacks `# Laws` or has it out of order"]);
    }

    #[test]
    fn a_crate_without_a_map_lacks_everything() {
        assert_eq!(found("mod a;").iter().map(|text| text.split(';').count()).collect::<Vec<_>>(), [7]);
    }
}
