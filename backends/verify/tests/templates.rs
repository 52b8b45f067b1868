//! The list of templates is what the code generator surrounds decisions with, for each target that is listed.
//!
//! What a template does is judged elsewhere, packet by packet: in `backends/ebpf/tests` the kernel, the machine in user space and the judge of
//! packets answer alike, for whole, damaged and random packets, with the very programs whose digests stand here.

mod common;

use common::{rules, target};
use ebpf::{Matrix, Settings, compile_with};
use image::{Hook, Target};
use std::collections::BTreeMap;

/// The UDP ports of tunnels that guards are listed for: VXLAN as Linux has it, VXLAN of RFC 7348, Geneve of RFC 8926.
const TUNNELS: [u16; 3] = [8472, 4789, 6081];

/// Every combination of settings that templates are listed for.
fn settings() -> Vec<Settings> {
    let fragments = [(false, false), (true, false), (false, true), (true, true)];
    let tunnels = [None].into_iter().chain(TUNNELS.map(Some));
    tunnels
        .flat_map(|tunnel_port| {
            fragments.map(|(untracked_fragments4, untracked_fragments6)| Settings {
                untracked_fragments4,
                untracked_fragments6,
                tunnel_port,
                ..Settings::default()
            })
        })
        .collect()
}

/// Every target that templates are listed for, with its name.
fn targets() -> Vec<(&'static str, Target)> {
    let default = Target::default();
    vec![
        ("little-endian", Target { little_endian: true, ..default.clone() }),
        ("big-endian", Target { little_endian: false, ..default }),
        ("5.10", Target { little_endian: true, ..Target::for_kernel((5, 10)) }),
        ("5.12", Target { little_endian: true, ..Target::for_kernel((5, 12)) }),
        ("tests", Target { little_endian: true, ..target() }),
    ]
}

fn list() -> BTreeMap<String, String> {
    let cells = Matrix::of(&common::diagram(&rules(3))).unwrap();
    // One class, so that nothing is checked.
    let tree = Matrix { cuts: vec![(0, 0), (1, 1)], leaves: vec![0, 1], ..Matrix::allow() };
    let forms: Vec<(String, Matrix)> = [("cells".to_owned(), cells), ("tree".to_owned(), tree)]
        .into_iter()
        .chain((0..=3).map(|leaf| (format!("constant-{leaf}"), Matrix::constant(leaf))))
        .collect();
    let mut list = BTreeMap::new();
    for (name, target) in targets() {
        for settings in settings() {
            for (hooks, (form, matrix)) in
                [Hook::BOTH, Hook::HOST].iter().flat_map(|it| forms.iter().map(move |form| (*it, form)))
            {
                let image = compile_with(settings, hooks, "templates", matrix, matrix, &target).unwrap();
                for program in &image.programs {
                    let digest = verify::template_of(&image, program).expect("a template of our own is found");
                    // Settings that change nothing of a program give it no second line.
                    list.entry(digest.to_string()).or_insert_with(|| format!("{name} {:?} {form}", program.hook));
                }
            }
        }
    }
    list
}

#[test]
fn the_listed_templates_are_those_of_the_code_generator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/templates.txt");
    let text: String = list().into_iter().map(|(digest, of)| format!("{digest} {of}\n")).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text, "`BLESS=1` writes the list, once packets were judged");
}
