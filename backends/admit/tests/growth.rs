//! What programs cost the newest kernel's verifier does not grow unseen. No kernel is needed: `tests/kernel.rs` holds the figures to it.

mod common;

use admit::{Kernel, admit};
use common::{images, target};
use std::collections::BTreeMap;

/// A program may cost so much more than was recorded, in percent, before somebody has to look.
const GROWTH: u32 = 10;

/// Instructions to verify, by program and shape.
fn figures() -> BTreeMap<String, u32> {
    let figures = images(&target()).into_iter().flat_map(|(name, image)| {
        let of = |program| admit(&image, program, Kernel::LAST).unwrap().processed;
        image.programs.iter().map(|program| (format!("{} of {name}", program.name), of(program))).collect::<Vec<_>>()
    });
    figures.collect()
}

#[test]
fn no_program_costs_a_tenth_more_than_is_recorded() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/processed.txt");
    let figures = figures();
    if std::env::var_os("BLESS").is_some() {
        let text: String = figures.iter().map(|(name, processed)| format!("{processed:6} {name}\n")).collect();
        std::fs::write(path, text).unwrap();
    }
    let text = std::fs::read_to_string(path).unwrap();
    let recorded: BTreeMap<&str, u32> = text
        .lines()
        .map(|line| line.trim().split_once(' ').expect("a figure, then a name"))
        .map(|(processed, name)| (name, processed.parse().unwrap()))
        .collect();
    let names: Vec<&str> = figures.keys().map(String::as_str).collect();
    assert_eq!(recorded.keys().copied().collect::<Vec<_>>(), names, "`BLESS=1` writes the record");
    for (name, processed) in &figures {
        let limit = recorded[name.as_str()] * (100 + GROWTH) / 100;
        assert!(
            *processed <= limit,
            "{name}: {processed}, and {limit} is a tenth above the record; `BLESS=1` writes it"
        );
    }
}
