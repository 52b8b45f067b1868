//! The outer form: root folders, manifests, lengths of files.

use super::{Finding, House, Weight};
use std::collections::BTreeSet;

/// The root folders. Another one needs an ADR and a line here.
const FOLDERS: [&str; 15] = [
    ".cargo",
    ".ci",
    "backends",
    "benches",
    "cli",
    "compiler",
    "deploy",
    "docs",
    "examples",
    "ir",
    "lsp",
    "runtime",
    "snapshots",
    "testdata",
    "xtask",
];

/// Lines after which a file probably holds a second idea.
const LONG: usize = 600;

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = folders(house);
    out.extend(manifests(house));
    out.extend(lengths(house));
    out
}

fn folders(house: &House) -> Vec<Finding> {
    let roots: BTreeSet<&str> = house.paths.iter().filter_map(|path| Some(path.split_once('/')?.0)).collect();
    let unknown = roots.into_iter().filter(|root| !FOLDERS.contains(root));
    unknown
        .map(|root| Finding::error("root-folder", root, 0, "not a root folder of the house; a new one needs an ADR"))
        .collect()
}

fn manifests(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for member in &house.crates {
        let path = format!("{}/Cargo.toml", member.folder);
        let text = house.text(&path).unwrap_or_default();
        let lints =
            text.parse::<toml::Table>().ok().and_then(|manifest| manifest.get("lints")?.get("workspace")?.as_bool());
        if lints != Some(true) {
            out.push(Finding::error(
                "lints",
                &path,
                0,
                "write `[lints] workspace = true`, so that one set of lints holds everywhere",
            ));
        }
        let last = member.folder.rsplit('/').next().unwrap_or_default();
        if member.package != format!("tidegate-{last}") {
            out.push(Finding::error(
                "package-name",
                &path,
                0,
                format!("a crate in `{last}/` is the package `tidegate-{last}`"),
            ));
        }
    }
    out
}

fn lengths(house: &House) -> Vec<Finding> {
    let long =
        house.rust().filter_map(|(path, text)| Some((path, text.lines().count())).filter(|(_, lines)| *lines > LONG));
    long.map(|(path, lines)| Finding {
        weight: Weight::Warning,
        ..Finding::error("length", path, 0, format!("{lines} lines; look for the second idea"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_root_folder_is_found() {
        let found = check(&House::of([("utils/a.rs", ""), ("ir/a.rs", "")]));
        assert_eq!(found.iter().map(|f| (f.rule, f.path.as_str())).collect::<Vec<_>>(), [("root-folder", "utils")]);
    }

    #[test]
    fn a_manifest_without_our_lints_or_name_is_found() {
        let found = check(&House::of([("ir/flow/Cargo.toml", "[package]\nname = 'flow'")]));
        assert_eq!(found.iter().map(|f| f.rule).collect::<Vec<_>>(), ["lints", "package-name"]);
    }

    #[test]
    fn a_long_file_is_reported_and_does_not_fail() {
        let found = check(&House::of([("ir/a.rs", "\n".repeat(601))]));
        assert_eq!(found.iter().map(|f| (f.rule, f.weight)).collect::<Vec<_>>(), [("length", Weight::Warning)]);
    }
}
