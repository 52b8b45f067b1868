//! Types that cross a process boundary live in `image` and at the edges; nothing else derives `Serialize`.

use super::orphans::test_files;
use super::tokens::{lex, without_tests, words};
use super::{Finding, House};

/// Folders whose types may cross a process boundary.
const BOUNDARIES: [&str; 9] = [
    "backends/image/",
    // Reads the formats of records that others write, from bytes.
    "compiler/replay/src/read/",
    "runtime/",
    "lsp/language-server/",
    "cli/",
    "xtask/",
    "benches/",
    "testdata/runner/",
    "deploy/",
];

pub fn check(house: &House) -> Vec<Finding> {
    let tests = test_files(house);
    let inside = |path: &&str| !BOUNDARIES.iter().any(|boundary| path.starts_with(boundary)) && !tests.contains(*path);
    let mut out = Vec::new();
    for (path, text) in house.rust().filter(|(path, _)| inside(path)) {
        for word in words(&without_tests(lex(text))) {
            if word.text == "Serialize" || word.text == "Deserialize" {
                let text = format!("`{}` outside `image` and the edges: convert at the boundary", word.text);
                out.push(Finding::error("serialise", path, word.line, text));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serialisable_type_inside_is_found() {
        let derive = "#[derive(Clone, serde::Serialize)] struct A;";
        assert_eq!(check(&House::of([("compiler/hir/src/a.rs", derive)])).len(), 1);
        assert_eq!(check(&House::of([("backends/image/src/a.rs", derive), ("cli/src/a.rs", derive)])).len(), 0);
    }
}
