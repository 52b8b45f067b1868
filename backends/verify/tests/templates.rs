//! The list of templates is what the code generator surrounds decisions with, for each target that is listed.
//!
//! What a template does is proved on every path: of some here (`tests/whole.rs`), of all by `cargo xtask prove`. And it is judged packet by
//! packet: in `backends/ebpf/tests` the kernel, the machine in user space and the judge of packets answer alike, for whole, damaged and random
//! packets, with the very programs whose digests stand here.

use std::collections::BTreeMap;

fn list() -> BTreeMap<String, String> {
    let mut list = BTreeMap::new();
    for (name, target) in ebpf::listed_targets() {
        for (form, image) in ebpf::templates(&target).unwrap() {
            for program in &image.programs {
                let digest = verify::template_of(&image, program).expect("a template of our own is found");
                // Settings that change nothing of a program give it no second line.
                list.entry(digest.to_string()).or_insert_with(|| format!("{name} {:?} {form}", program.hook));
            }
        }
    }
    list
}

#[test]
fn the_listed_templates_are_those_of_the_code_generator() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/templates.txt");
    let text: String = list().into_iter().map(|(digest, of)| format!("{digest} {of}\n")).collect();
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        text,
        "`cargo xtask prove --bless` proves all that is made, and writes the list then"
    );
}
