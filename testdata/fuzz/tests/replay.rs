//! Regressions stay mended, and a short run of each target finds nothing.

use fuzz::{Options, Target, run, watch};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A run of these many cases, the same in every test.
fn options(targets: &[Target], cases: u64) -> Options {
    Options {
        program: PathBuf::from(env!("CARGO_BIN_EXE_fuzz")),
        targets: targets.to_vec(),
        time: None,
        cases,
        seed: 20,
        patience: Duration::from_secs(120),
        keep: None,
    }
}

#[track_caller]
fn finds_nothing(target: Target, cases: u64) {
    let summaries = run(&options(&[target], cases), &mut |_| ()).unwrap();
    assert_eq!(summaries[0].failures, []);
    assert_eq!(summaries[0].executions, cases);
}

#[test]
fn texts_are_parsed_whatever_they_are() {
    finds_nothing(Target::Parser, 1200);
}

#[test]
fn objects_are_decoded_and_worded_whatever_they_are() {
    finds_nothing(Target::Decoder, 400);
}

#[test]
fn clusters_are_compiled_alike_in_every_order_and_after_every_edit() {
    finds_nothing(Target::Compiler, 60);
}

#[test]
fn changes_that_mean_nothing_change_no_verdict() {
    finds_nothing(Target::Laws, 60);
}

#[test]
fn regressions_stay_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions");
    let mut replayed = 0;
    for target in Target::ALL {
        let Ok(entries) = std::fs::read_dir(folder.join(target.name())) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let text = std::fs::read(&path).unwrap();
            let outcome = watch::check(&options(&[target], 0), target, &String::from_utf8_lossy(&text)).unwrap();
            assert_eq!(outcome, None, "{}", path.display());
            replayed += 1;
        }
    }
    println!("{replayed} regressions replayed");
}

#[test]
fn a_case_that_ends_its_process_is_named_and_the_run_goes_on() {
    // A program that is no worker stands for one that is killed before its first case.
    let broken = Options { program: PathBuf::from("/bin/false"), ..options(&[Target::Parser], 1) };
    let summaries = run(&broken, &mut |_| ()).unwrap();
    assert_eq!((summaries[0].executions, summaries[0].failures.len()), (1, 1));
    assert!(summaries[0].failures[0].what.starts_with("crash: "), "{:?}", summaries[0].failures[0].what);
}
