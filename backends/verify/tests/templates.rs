//! The list of templates is what the code generator surrounds decisions with, for each target that is listed.
//!
//! What a template does is judged elsewhere, packet by packet: in `backends/ebpf/tests` the kernel, the machine in user space and the judge of
//! packets answer alike, for whole, damaged and random packets, with the very programs whose digests stand here.

mod common;

use common::{rules, target};
use ebpf::{Matrix, compile_hooks};
use image::{Hook, Target};
use std::collections::BTreeSet;

/// Every target that templates are listed for, with its name.
fn targets() -> Vec<(&'static str, Target)> {
    let default = Target::default();
    vec![
        ("little-endian", Target { little_endian: true, ..default.clone() }),
        ("big-endian", Target { little_endian: false, ..default }),
        ("tests", Target { little_endian: true, ..target() }),
    ]
}

fn list() -> BTreeSet<String> {
    let tables = Matrix::of(&common::diagram(&rules(3))).unwrap();
    let forms: Vec<(String, Matrix)> = [("tables".to_owned(), tables)]
        .into_iter()
        .chain((0..=3).map(|leaf| (format!("constant-{leaf}"), Matrix::constant(leaf))))
        .collect();
    let mut list = BTreeSet::new();
    for (name, target) in targets() {
        for hooks in [Hook::BOTH, Hook::HOST] {
            for (form, matrix) in &forms {
                let image = compile_hooks(hooks, "templates", matrix, matrix, &target).unwrap();
                for program in &image.programs {
                    let digest = verify::template_of(&image, program).expect("a template of our own is found");
                    list.insert(format!("{digest} {name} {:?} {form}", program.hook));
                }
            }
        }
    }
    list
}

#[test]
fn the_listed_templates_are_those_of_the_code_generator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/templates.txt");
    let text: String = list().into_iter().map(|line| line + "\n").collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text, "`BLESS=1` writes the list, once packets were judged");
}
