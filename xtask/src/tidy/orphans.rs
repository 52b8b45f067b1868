//! Rust files that no `mod` line reaches are compiled by nobody.

use super::house::{Crate, join};
use super::tokens::{lex, modules};
use super::{Finding, House};
use std::collections::BTreeSet;

pub fn check(house: &House) -> Vec<Finding> {
    let (code, tests) = reached(house);
    let lost = house
        .rust()
        .filter(|(path, _)| house.crate_of(path).is_some() && !code.contains(*path) && !tests.contains(*path));
    lost.map(|(path, _)| {
        Finding::error("orphan", path, 0, "no `mod` line reaches this file; nothing in it is compiled")
    })
    .collect()
}

/// The files that hold no code of ours: tests, benches and examples, or files reached through `#[cfg(test)]` alone.
pub fn test_files(house: &House) -> BTreeSet<String> {
    let (code, mut tests) = reached(house);
    tests.retain(|path| !code.contains(path));
    tests
}

/// Files reached by code, and files reached by tests.
fn reached(house: &House) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut code, mut tests) = (BTreeSet::new(), BTreeSet::new());
    for member in &house.crates {
        for root in roots(house, member) {
            let inner = root.strip_prefix(&member.folder).unwrap_or_default();
            let is_test = ["/tests/", "/benches/", "/examples/"].iter().any(|folder| inner.starts_with(folder));
            follow(house, &root, true, is_test, &mut code, &mut tests);
        }
    }
    (code, tests)
}

/// The files that cargo compiles by itself.
fn roots(house: &House, member: &Crate) -> Vec<String> {
    let folder = &member.folder;
    let is_root = |path: &str| {
        let Some(inner) = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) else { return false };
        match inner.split('/').collect::<Vec<_>>().as_slice() {
            ["build.rs"] | ["src", "lib.rs" | "main.rs"] => true,
            ["src", "bin", _] | ["tests" | "examples" | "benches", _] => true,
            ["src", "bin", _, "main.rs"] | ["tests" | "examples" | "benches", _, "main.rs"] => true,
            _ => member.roots.iter().any(|root| root == path),
        }
    };
    let own = |path: &&str| house.crate_of(path).is_some_and(|of| &of.folder == folder);
    house.rust().map(|(path, _)| path).filter(own).filter(|path| is_root(path)).map(String::from).collect()
}

fn follow(
    house: &House,
    path: &str,
    is_root: bool,
    is_test: bool,
    code: &mut BTreeSet<String>,
    tests: &mut BTreeSet<String>,
) {
    let seen = if is_test { &mut *tests } else { &mut *code };
    if !seen.insert(path.to_string()) {
        return;
    }
    let Some(text) = house.text(path) else { return };
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let below = match file {
        "mod.rs" => folder.to_string(),
        _ if is_root => folder.to_string(),
        _ => join(folder, file.strip_suffix(".rs").unwrap_or(file)),
    };
    for module in modules(&lex(text)) {
        let candidates = match &module.path {
            Some(given) => vec![join(folder, given)],
            None => vec![format!("{below}/{}.rs", module.name), format!("{below}/{}/mod.rs", module.name)],
        };
        for candidate in candidates.iter().filter(|candidate| house.texts.contains_key(*candidate)) {
            follow(house, candidate, false, is_test || module.test, code, tests);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(files: &[(&str, &str)]) -> House {
        House::of(files.iter().copied().chain([("ir/a/Cargo.toml", "[package]\nname = 'a'")]))
    }

    #[test]
    fn a_file_without_a_mod_line_is_found() {
        let found = check(&house(&[("ir/a/src/lib.rs", "mod b;"), ("ir/a/src/b.rs", "mod c;"), ("ir/a/src/c.rs", "")]));
        assert_eq!(found.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["ir/a/src/c.rs"]);
    }

    #[test]
    fn folders_inline_modules_tests_and_registries_are_followed() {
        let house = house(&[
            ("ir/a/src/lib.rs", "mod b; mod inner { mod d; } kinds! { network_policy }"),
            ("ir/a/src/b/mod.rs", "mod c;"),
            ("ir/a/src/b/c.rs", ""),
            ("ir/a/src/inner/d.rs", ""),
            ("ir/a/src/network_policy/mod.rs", ""),
            ("ir/a/tests/laws.rs", "mod common;"),
            ("ir/a/tests/common/mod.rs", ""),
        ]);
        assert_eq!(check(&house), []);
        assert!(test_files(&house).contains("ir/a/tests/common/mod.rs"));
    }

    #[test]
    fn a_file_for_tests_only_is_told_from_code() {
        let house =
            house(&[("ir/a/src/lib.rs", "mod b; #[cfg(test)] mod c;"), ("ir/a/src/b.rs", ""), ("ir/a/src/c.rs", "")]);
        assert_eq!(test_files(&house), BTreeSet::from(["ir/a/src/c.rs".to_string()]));
    }
}
