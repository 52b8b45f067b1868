//! Runs the suite. `SUITE=text` runs the tests whose file or heading holds the text; `BLESS=1` rewrites what machines write.

use std::path::Path;

#[test]
fn every_engine_answers_the_suite_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../suite");
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let filter = std::env::var("SUITE").unwrap_or_default();
    let report = runner::suite::run_folder(&folder, bless, &filter).unwrap();
    println!("{report}");
    assert!(report.failures.is_empty() || bless, "{} failures, printed above", report.failures.len());
    assert!(report.tests > 0, "no fixture was found");
}
