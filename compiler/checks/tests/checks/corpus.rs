//! Manifests of others, read where they are: each raises the findings of the reviewed list in `docs/dev/published-manifests.md`.
//!
//! They are outside the repository by design: in the folder that `TIDEGATE_CORPUS` names, else in a folder `corpus` of a folder beside
//! the repository. Without them the tests say that they are absent.

use crate::{lines, project};
use checks::Group;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What tidegate says of itself, not of the text, changes with what it enforces.
fn is_of_the_text(said: &diag::Diagnostic) -> bool {
    checks::explain(said.slug).is_none_or(|page| page.group != Group::Reach)
}

/// The folder of manifests of this name.
fn folder(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("TIDEGATE_CORPUS").map(PathBuf::from);
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../..")).read_dir().ok()?.flatten();
    let found = named.into_iter().chain(beside.map(|entry| entry.path().join("corpus")));
    let found = found.map(|corpus| corpus.join(name)).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("absent: no folder of manifests called {name}");
    }
    found
}

/// Every manifest of a folder: its name in the list, and its text.
fn manifests(root: &Path) -> BTreeMap<String, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                let name = path.strip_prefix(root).unwrap().with_extension("").display().to_string();
                // The number of an article says nothing.
                let name = name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// What is said of one text on its own: `TG0160:11` for a code and a line.
fn said_of(text: &str) -> BTreeSet<String> {
    let found = checks::check(&project(&[("a.yaml", text)]));
    let line = |said: &diag::Diagnostic| {
        let start = said.place().map_or(0, |label| label.span.start as usize);
        text[..start].matches('\n').count() + 1
    };
    found.iter().filter(|said| is_of_the_text(said)).map(|said| format!("{}:{}", said.code, line(said))).collect()
}

/// The rows of a section of the reviewed list: manifest, findings.
fn reviewed(section: &str) -> BTreeMap<String, BTreeSet<String>> {
    let list = include_str!("../../../../docs/dev/published-manifests.md");
    let (_, rest) = list.split_once(&format!("\n## {section}\n")).expect("the list has this section");
    let rows = rest.split("\n## ").next().unwrap_or_default().lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |row: &str| {
        let mut columns = row.split(" | ");
        let name = columns.next().unwrap_or_default().trim_end_matches('`').to_owned();
        let findings = columns.next().unwrap_or_default().split(", ").filter(|it| it.starts_with("TG"));
        (name, findings.map(str::to_owned).collect())
    };
    rows.map(row).collect()
}

fn compare(folder: &Path, section: &str) {
    let (manifests, reviewed) = (manifests(folder), reviewed(section));
    assert!(!manifests.is_empty(), "no manifests there");
    let found: BTreeMap<String, BTreeSet<String>> = manifests
        .iter()
        .map(|(name, text)| (name.clone(), said_of(text)))
        .filter(|(_, said)| !said.is_empty())
        .collect();
    let listed: BTreeMap<String, BTreeSet<String>> =
        reviewed.into_iter().filter(|(_, said)| !said.is_empty()).collect();
    println!("{} manifests, {} with findings", manifests.len(), found.len());
    assert_eq!(found, listed);
}

#[test]
fn manifests_of_articles_raise_what_a_reviewer_would_say() {
    let Some(folder) = folder("articles") else { return };
    compare(&folder, "From articles");
    let listed: Vec<String> = reviewed("From articles").into_keys().collect();
    assert_eq!(listed, manifests(&folder).into_keys().collect::<Vec<_>>(), "each is listed, also those that are right");
}

#[test]
fn examples_of_the_cilium_project_raise_what_is_right() {
    let Some(folder) = folder("cilium-examples") else { return };
    compare(&folder, "From the Cilium project");
}

/// Single manifests that lie in one folder are no cluster: their selectors are not judged by each other's pods.
#[test]
fn manifests_of_many_articles_in_one_folder_are_no_cluster() {
    let Some(folder) = folder("articles") else { return };
    let manifests = manifests(&folder);
    let texts: Vec<(&str, &str)> = manifests.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let found = checks::check(&project(&texts));
    let judged: Vec<_> = found.into_iter().filter(|said| [12, 49].contains(&said.code.0)).collect();
    assert_eq!(lines(&judged), [""; 0]);
}

#[test]
fn the_shop_of_the_examples_has_nothing_to_say() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop");
    let entries = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    let texts: Vec<(String, String)> =
        files.map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap())).collect();
    assert!(texts.len() > 2, "the shop has several files");
    let texts: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(lines(&checks::check(&project(&texts))), [""; 0]);
}
