//! The book holds together: every link leads somewhere, and every page can be found.

use std::path::Path;

#[test]
fn every_link_leads_somewhere_and_every_page_is_listed() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let pages = xtask::book::pages(root).unwrap();
    assert!(pages.len() > 100, "{} pages", pages.len());
    let broken = xtask::book::broken(&pages, root);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
