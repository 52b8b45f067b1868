//! The licences of everything that is linked into the binary, with their texts.

use super::crates::{Crate, Crates};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Names of files that hold a licence or what it asks to be passed on.
const FILES: [&str; 5] = ["license", "licence", "copying", "notice", "copyright"];

/// A page: which crate stands under which licence, then every distinct text once, with the crates that ship it.
pub fn of(crates: &Crates) -> String {
    let foreign: Vec<&Crate> = crates.all.iter().filter(|it| !it.own).collect();
    let mut page = format!(
        "# Licences of third parties\n\ntidegate {} is under the Apache License 2.0. Its binary holds {} crates of others:\n\n| crate | version | licence |\n| --- | --- | --- |\n",
        crates.version,
        foreign.len()
    );
    for it in &foreign {
        let licence = if it.licence.is_empty() { "see its text" } else { &it.licence };
        // Cannot fail: writing into a String never does.
        let _ = writeln!(page, "| {} | {} | {licence} |", it.name, it.version);
    }
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for it in &foreign {
        for text in texts_of(it) {
            texts.entry(text).or_default().push(format!("{} {}", it.name, it.version));
        }
    }
    let mut texts: Vec<(Vec<String>, String)> = texts.into_iter().map(|(text, of)| (of, text)).collect();
    texts.sort();
    for (of, text) in texts {
        let _ = write!(page, "\n## {}\n\n````text\n{}\n````\n", of.join(", "), text.trim_end());
    }
    page
}

fn texts_of(it: &Crate) -> Vec<String> {
    let entries = std::fs::read_dir(&it.folder).into_iter().flatten().flatten();
    let told = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        FILES.iter().any(|file| name.starts_with(file))
    });
    let mut texts: Vec<String> = told.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect();
    texts.sort();
    texts.dedup();
    texts
}
