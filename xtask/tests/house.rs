//! The house itself is tidy.

use xtask::tidy::{House, Weight, findings, root};

#[test]
fn the_house_has_no_finding() {
    let house = House::read(&root()).expect("the repository can be read");
    let errors: Vec<String> = findings(&house)
        .into_iter()
        .filter(|finding| finding.weight == Weight::Error)
        .map(|finding| finding.to_string())
        .collect();
    assert!(errors.is_empty(), "{} findings:\n{}", errors.len(), errors.join("\n"));
}
