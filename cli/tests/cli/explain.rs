//! Pages of codes, offline.

use crate::support::Folder;
use serde_json::Value;

#[test]
fn a_page_is_printed_by_code_and_by_name() {
    let folder = Folder::of(&[]);
    let page = folder.run(&["explain", "TG0152"]).ended(0);
    assert_eq!(page, folder.run(&["explain", "host-bits-set"]).ended(0));
    insta::assert_snapshot!("explain", page);
    let markdown = folder.run(&["explain", "tg0152", "-o", "markdown"]).ended(0);
    assert!(markdown.starts_with("# TG0152 host-bits-set\n"), "{markdown}");
}

#[test]
fn a_slip_gets_near_names() {
    let folder = Folder::of(&[]);
    let said = folder.run(&["explain", "host-bit-set"]).failed(2);
    assert!(said.contains("near: `host-bits-set` (TG0152)"), "{said}");
    let said = folder.run(&["explain", "TG0998"]).failed(2);
    assert!(said.contains("`TG0998` is no code"), "{said}");
}

#[test]
fn without_a_name_all_codes_are_listed() {
    let folder = Folder::of(&[]);
    let table = folder.run(&["explain"]).ended(0);
    assert_eq!(table.lines().count(), checks::REGISTRY.len());
    let report: Value = serde_json::from_str(&folder.run(&["explain", "-o", "json"]).ended(0)).unwrap();
    let rules = report["rules"].as_array().unwrap();
    assert_eq!(rules.len(), checks::REGISTRY.len());
    assert!(rules.iter().all(|rule| !rule["what"].as_str().unwrap().is_empty()));
}
