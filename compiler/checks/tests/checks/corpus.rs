//! Manifests of others, read where they are: what their cluster accepts raises no error here beyond what is not enforced yet, and no
//! finding of our own is false.
//!
//! The folder is outside the clone by design and named by `TIDEGATE_CORPUS`; without it the test says that it is absent.

use crate::{lines, project};
use diag::Severity;
use std::path::{Path, PathBuf};

/// What tidegate says of itself, not of the text: kinds and fields that it does not enforce.
const REACH: [u16; 2] = [13, 42];
/// Findings that look at meaning, and so could be false.
const FINDINGS: [u16; 5] = [12, 49, 50, 51, 52];

#[test]
fn what_others_wrote_raises_no_false_finding() {
    let Some(root) = std::env::var_os("TIDEGATE_CORPUS") else {
        println!("absent: TIDEGATE_CORPUS names no folder of manifests");
        return;
    };
    let mut files = Vec::new();
    gather(Path::new(&root), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no manifests there");
    let mut refused = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let found = checks::check(&project(&[("a.yaml", &text)]));
        for said in &found {
            println!("{}: {} {}", file.display(), said.severity, lines(std::slice::from_ref(said))[0]);
        }
        let findings: Vec<_> = found.iter().filter(|said| FINDINGS.contains(&said.code.0)).cloned().collect();
        assert_eq!(lines(&findings), [""; 0], "{}", file.display());
        if found.iter().any(|said| said.severity == Severity::Error && !REACH.contains(&said.code.0)) {
            refused.push(file.display().to_string());
        }
    }
    println!("{} files, {} refused: {refused:#?}", files.len(), refused.len());
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => gather(&path, files),
            false if path.extension().is_some_and(|ending| ending == "yaml") => files.push(path),
            false => {}
        }
    }
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
