//! The pages of docs/parity say what the schema tables say.

use std::path::Path;

#[test]
fn every_page_is_what_the_tables_say() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    assert_eq!(xtask::parity::stale(root), [""; 0], "run `cargo xtask parity --bless`");
}

#[test]
fn every_policy_kind_says_what_it_is_enforced_by() {
    let pages = xtask::parity::all();
    for kind in kinds::KINDS {
        let page = pages.get(&format!("{}.md", kind.kind)).expect("every kind has a page");
        assert!(page.contains("What it means: ["), "{}", kind.kind);
    }
}

#[test]
fn no_page_is_of_a_version_that_is_still_to_come() {
    let parts = |version: &str| version.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    for (name, page) in xtask::parity::all() {
        let Some((_, rest)) = page.split_once("Since ") else { continue };
        let since = rest.split(':').next().unwrap();
        assert!(parts(since) <= parts(env!("CARGO_PKG_VERSION")), "{name} says since {since}");
    }
}
