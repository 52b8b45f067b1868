//! What a document names exists: paths in backticks, and the tests behind `::`.
//!
//! Documents are `docs/dev`, `docs/adr` and the pages of the root; and the comments of Rust files, as far as they name a page of `docs/` or,
//! in the map of a crate, a test of the crate (`tests/laws.rs`).

use super::tokens::{lex, words};
use super::{Finding, House};

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = documents(house);
    out.extend(comments(house));
    out
}

fn comments(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, text) in house.rust() {
        let map_of = path.strip_suffix("/src/lib.rs");
        for (at, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            for code in line.split('`').skip(1).step_by(2) {
                let named = match map_of {
                    Some(folder) if code.starts_with("tests/") && line.starts_with("//!") => {
                        test_of(house, folder, code)
                    }
                    _ if code.starts_with("docs/") => code.to_string(),
                    _ => continue,
                };
                if let Some(why) = wrong(house, &named) {
                    out.push(Finding::error("path", path, at + 1, why));
                }
            }
        }
    }
    out
}

/// `tests/laws` in a map is the file or the folder of that name.
fn test_of(house: &House, folder: &str, code: &str) -> String {
    let path = format!("{folder}/{code}");
    if house.exists(&format!("{path}.rs")) { format!("{path}.rs") } else { path }
}

fn documents(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    let is_document =
        |path: &str| path.starts_with("docs/dev/") || path.starts_with("docs/adr/") || !path.contains('/');
    for (path, text) in house.texts.iter().filter(|(path, _)| path.ends_with(".md") && is_document(path)) {
        let mut fenced = false;
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            if fenced {
                continue;
            }
            for code in line.split('`').skip(1).step_by(2) {
                if let Some(why) = wrong(house, code) {
                    out.push(Finding::error("path", path, at + 1, why));
                }
            }
        }
    }
    out
}

/// Why a text in backticks names nothing; none when it is no path of ours.
fn wrong(house: &House, code: &str) -> Option<String> {
    let (path, item) = match code.split_once("::") {
        Some((path, item)) => (path, Some(item)),
        None => (code, None),
    };
    let path = path.trim_end_matches('/');
    let root = path.split('/').next().unwrap_or_default();
    let is_ours =
        path.contains('/') && house.contains_folder(root) && !path.contains(['<', '>', '*', ' ', '…', '{', '$']);
    if !is_ours || path.contains("NNNN") {
        return None;
    }
    if !house.exists(path) {
        return Some(format!("`{path}` does not exist"));
    }
    let (item, text) = (item?, house.text(path)?);
    let name = item.rsplit("::").next().unwrap_or(item);
    let known = words(&lex(text)).iter().any(|word| word.text == name);
    (path.ends_with(".rs") && !known).then(|| format!("`{path}` has no `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let house =
            House::of([("docs/dev/a.md", text), ("ir/flow/src/l4.rs", "fn a_law_holds() {}"), ("Cargo.toml", "")]);
        check(&house).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn a_path_that_does_not_exist_is_found() {
        assert_eq!(found("see `ir/flow/src/l4.rs`, `ir/flow/` and `a/b`"), [""; 0]);
        assert_eq!(found("see `ir/flow/src/l5.rs`"), ["`ir/flow/src/l5.rs` does not exist"]);
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(found("`ir/flow/src/l4.rs::a_law_holds`"), [""; 0]);
        assert_eq!(found("`ir/flow/src/l4.rs::tests::no_law`"), ["`ir/flow/src/l4.rs` has no `no_law`"]);
    }

    #[test]
    fn a_map_that_names_a_missing_test_is_found() {
        let house = House::of([
            ("ir/a/src/lib.rs", "//! Holds (`tests/laws`, `tests/gone.rs`); see `docs/dev/gone.md`"),
            ("ir/a/tests/laws.rs", ""),
            ("docs/dev/a.md", ""),
        ]);
        assert_eq!(
            check(&house).iter().map(|f| f.text.as_str()).collect::<Vec<_>>(),
            ["`ir/a/tests/gone.rs` does not exist", "`docs/dev/gone.md` does not exist"]
        );
    }

    #[test]
    fn what_stands_in_a_block_or_has_a_blank_to_fill_is_no_claim() {
        assert_eq!(found("```\n`ir/none`\n```\n`ir/<name>/src`, `ir/*.rs`"), [""; 0]);
    }
}
