//! What the kernel says to images: accepted, refused, run on a packet.

mod common;

use common::{ALLOW, DENY, drop_all, image, insn, node, pass_all};
use image::{Fill, Hook, MapRef, NodeMap, Reloc, Table};
use loader::{Context, Error, Retry};

#[test]
fn an_accepted_program_runs_on_a_packet() {
    let Some(mut node) = node("run") else { return };
    let loaded = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
    let packet = [0x08; 64];
    assert_eq!(loaded.run(Hook::ToEndpoint, &packet, &Context::default(), 1).unwrap().answer, DENY);
    let run = loaded.run(Hook::FromEndpoint, &packet, &Context::default(), 1000).unwrap();
    assert_eq!((run.answer, run.packet.len()), (ALLOW, 64));
    assert_eq!(loaded.stats(Hook::ToEndpoint).unwrap().verified_insns, 2);
}

#[test]
fn a_refused_program_comes_with_the_verifiers_complaint() {
    let Some(mut node) = node("refused") else { return };
    // r0 is read before anything was written to it.
    let refused = node.load(&image("shop/db", pass_all(), vec![insn(0x95, 0, 0, 0, 0)])).unwrap_err();
    assert_eq!(refused.retry(), Retry::Never);
    let Error::Verifier { program, object, log, .. } = refused else { panic!("{refused}") };
    assert_eq!((program.as_str(), object.as_str()), ("tg_from", "shop/db"));
    assert!(log.ends_with("R0 !read_ok"), "{log}");
}

#[test]
fn own_tables_hold_what_the_image_says_and_classes_what_is_stored() {
    let Some(mut node) = node("tables") else { return };
    // The answer is the byte of the fixed table at the class of peer 5.
    let wide = |destination| [insn(0x18, destination, 0, 0, 0), 0];
    let body = [
        &wide(1)[..],
        &wide(2)[..],
        &[insn(0x69, 1, 1, 0, 0), insn(0x57, 1, 0, 0, 1), insn(0x0f, 2, 1, 0, 0), insn(0x71, 0, 2, 0, 0)],
        &[insn(0x95, 0, 0, 0, 0)],
    ]
    .concat();
    let mut tables = image("shop/db", body, pass_all());
    tables.programs[0].relocs = vec![
        Reloc { at: 0, map: MapRef::Own(1), value_offset: Some(10) },
        Reloc { at: 2, map: MapRef::Own(0), value_offset: Some(0) },
    ];
    tables.tables = vec![
        Table { name: "tg_fixed".into(), fill: Fill::Fixed(vec![7, 9]) },
        Table { name: "tg_classes".into(), fill: Fill::Classes(0) },
        Table { name: "tg_digest".into(), fill: Fill::Digest },
        Table { name: "tg_counters".into(), fill: Fill::Counters(3) },
    ];
    let loaded = node.load(&tables).unwrap();
    let answer = || loaded.run(Hook::ToEndpoint, &[0; 64], &Context::default(), 1).unwrap().answer;
    assert_eq!(answer(), 7, "class 0 before anything is stored");
    loaded.set_class(Hook::ToEndpoint, 7, 3);
    loaded.fill_classes(Hook::ToEndpoint, &[(5, 1), (1 << 20, 1)]);
    assert_eq!(answer(), 9);
    assert_eq!(loaded.read_classes(Hook::ToEndpoint)[4..8], [0, 1, 0, 0]);
    assert_eq!(loaded.read_classes(Hook::FromEndpoint), []);
    assert_eq!(loaded.read_counters(3), Some(vec![0, 0, 0]));
    assert_eq!(loaded.read_counters(0), None);
}

#[test]
fn equal_images_are_loaded_once() {
    let Some(mut node) = node("once") else { return };
    let first = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
    let second = node.load(&image("shop/web", drop_all(), pass_all())).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

#[test]
fn an_image_that_contradicts_itself_is_malformed() {
    let Some(mut node) = node("malformed") else { return };
    let mut check = |reloc, expected: &str| {
        let mut bad = image("shop/db", pass_all(), pass_all());
        bad.programs[0].relocs = vec![reloc];
        let error = node.load(&bad).unwrap_err().to_string();
        assert_eq!(error, format!("image of shop/db is malformed: program tg_to, relocation at {expected}"));
    };
    check(Reloc { at: 0, map: MapRef::Own(0), value_offset: None }, "0: no such table");
    check(Reloc { at: 0, map: MapRef::Node(NodeMap::Config), value_offset: None }, "0: not a wide load");
    check(Reloc { at: 1, map: MapRef::Node(NodeMap::Config), value_offset: None }, "1: beyond the end");
}

#[test]
fn an_image_for_another_target_is_refused() {
    let Some(mut node) = node("target") else { return };
    let mut other = image("shop/db", pass_all(), pass_all());
    other.target.peers_log2 += 1;
    assert!(matches!(node.load(&other), Err(Error::Target { .. })));
}

#[test]
fn a_table_that_cannot_be_made_is_named() {
    let Some(mut node) = node("empty") else { return };
    let mut empty = image("shop/db", pass_all(), pass_all());
    empty.tables = vec![Table { name: "tg_empty".into(), fill: Fill::Fixed(vec![]) }];
    let error = node.load(&empty).unwrap_err();
    assert_eq!(error.to_string(), "cannot create map tg_empty of shop/db: Invalid argument (os error 22)");
}
