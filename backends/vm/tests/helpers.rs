//! What the helpers answer.

mod common;
use common::{exit, i, image, run};
use image::{MapRef, NodeMap};
use maps::NodeMaps;
use vm::instruction::Instruction;
use vm::{Context, Machine};

fn call(id: i32) -> Vec<Instruction> {
    i(0x85, 0, 0, 0, id)
}

/// r2 = r10 - 40, a zeroed key of 40 bytes.
fn key() -> Vec<Instruction> {
    let zero = (1..=5).flat_map(|word| i(0x7a, 10, 0, -8 * word, 0));
    zero.chain(i(0xbf, 2, 10, 0, 0)).chain(i(0x07, 2, 0, 0, -40)).collect()
}

fn answer(code: &[Vec<Instruction>], relocs: &[(u32, MapRef, Option<u32>)], context: &Context) -> i32 {
    let image = image(code, relocs, true);
    let packet: Vec<u8> = (0..64).collect();
    run(&image, &mut NodeMaps::new(&image.target), &packet, context).unwrap().action
}

#[test]
fn time_and_processor_are_the_contexts() {
    let context = Context { now_ns: 11, now_jiffies: 22, processor: 3, ..Context::default() };
    assert_eq!([5, 118, 8].map(|id| answer(&[call(id), exit()], &[], &context)), [11, 22, 3]);
    let random = |random| answer(&[call(7), exit()], &[], &Context { random, ..Context::default() });
    assert_eq!(random(5), random(5));
    assert_ne!(random(5), random(6));
}

#[test]
fn a_value_is_found_after_it_is_stored_and_gone_after_it_is_deleted() {
    let map = [MapRef::Node(NodeMap::Fragments); 4];
    let load = |at: u32| (at, map[0], None);
    let wide = common::wide(1, 0);
    // Store 77, find and read it.
    let store = [key(), wide.clone(), i(0x62, 10, 0, -48, 77), i(0xbf, 3, 10, 0, 0), i(0x07, 3, 0, 0, -48)].concat();
    let store = [store, i(0xb7, 4, 0, 0, 0), call(2)].concat();
    let find = [key(), wide.clone(), call(1)].concat();
    let at = store.len() as u32 + 7;
    let read = [i(0x61, 0, 0, 0, 0), exit()].concat();
    assert_eq!(answer(&[store.clone(), find.clone(), read], &[load(7), load(at)], &Context::default()), 77);
    // Delete it twice; the second time there is none (ENOENT).
    let delete = [key(), wide, call(3)].concat();
    let relocs = [load(7), load(at), load(at + 10)];
    assert_eq!(answer(&[store, delete.clone(), delete, exit()], &relocs, &Context::default()), -2);
    // A miss is null.
    assert_eq!(answer(&[find, exit()], &[load(7)], &Context::default()), 0);
}

#[test]
fn a_pull_makes_the_rest_of_a_packet_readable() {
    let context = Context { linear: Some(14), ..Context::default() };
    let data_end_minus_data = [i(0x61, 0, 6, 80, 0), i(0x61, 2, 6, 76, 0), i(0x1f, 0, 2, 0, 0), exit()].concat();
    let save = i(0xbf, 6, 1, 0, 0);
    assert_eq!(answer(&[save.clone(), data_end_minus_data.clone()], &[], &context), 14);
    let pull = |len| [i(0xbf, 1, 6, 0, 0), i(0xb7, 2, 0, 0, len), call(39)].concat();
    assert_eq!(answer(&[save.clone(), pull(40), data_end_minus_data], &[], &context), 40);
    // ENOMEM beyond the end.
    assert_eq!(answer(&[save, pull(65), exit()], &[], &context), -12);
}

#[test]
fn bytes_are_copied_from_data_that_is_not_linear_too() {
    let context = Context { linear: Some(14), ..Context::default() };
    let copy = |offset, len| {
        let to = [i(0x7a, 10, 0, -8, -1), i(0xbf, 3, 10, 0, 0), i(0x07, 3, 0, 0, -8)].concat();
        [to, i(0xb7, 2, 0, 0, offset), i(0xb7, 4, 0, 0, len), call(26)].concat()
    };
    let read = [i(0x61, 0, 10, -8, 0), exit()].concat();
    assert_eq!(answer(&[copy(20, 2), read.clone()], &[], &context) as u32, 0xffff_1514);
    // Beyond the end: EFAULT, and the destination is zeroed.
    assert_eq!(answer(&[copy(63, 2), exit()], &[], &context), -14);
    assert_eq!(answer(&[copy(63, 2), read], &[], &context) as u32, 0xffff_0000);
}

#[test]
fn the_context_shows_the_packet_as_the_kernel_does() {
    let context = Context { ifindex: 7, ingress_ifindex: 9, vlan_tci: Some(5), gso_segs: 3, ..Context::default() };
    let mut packet = vec![0; 60];
    packet[12..14].copy_from_slice(&[0x08, 0x00]);
    for (offset, expected) in [(0, 60), (16, 0x0008), (20, 1), (24, 5), (36, 9), (40, 7), (164, 3)] {
        let image = image(&[i(0x61, 0, 1, offset, 0), exit()], &[], true);
        let outcome = run(&image, &mut NodeMaps::new(&image.target), &packet, &context).unwrap();
        assert_eq!(outcome.action, expected, "offset {offset}");
    }
}

#[test]
fn records_and_marks_are_left_behind() {
    let reserve = [common::wide(1, 0), i(0xb7, 2, 0, 0, 80), i(0xb7, 3, 0, 0, 0), call(131)].concat();
    let write = [i(0x15, 0, 0, 3, 0), i(0x62, 0, 0, 20, 42), i(0xbf, 1, 0, 0, 0), call(132), exit()];
    let image = image(&[reserve, write.concat()], &[(0, MapRef::Node(NodeMap::Records), None)], true);
    let mut maps = NodeMaps::new(&image.target);
    let mut machine = Machine::load(&image).unwrap();
    for _ in 0..2 {
        machine.run(&mut maps, image::Hook::ToEndpoint, &[], &Context::default()).unwrap();
    }
    let records = maps.take_records();
    assert_eq!(records.iter().map(|record| record.endpoint).collect::<Vec<_>>(), [42, 42]);
    assert!(maps.take_records().is_empty());
}

#[test]
fn a_changed_packet_is_left_behind() {
    let image = image(&[i(0x61, 6, 1, 76, 0), i(0x72, 6, 0, 1, 9), i(0xb7, 0, 0, 0, -1), exit()], &[], true);
    let mut machine = Machine::load(&image).unwrap();
    let mut maps = NodeMaps::new(&image.target);
    let outcome = machine.run(&mut maps, image::Hook::ToEndpoint, &[1, 2, 3], &Context::default()).unwrap();
    assert!(outcome.passes());
    assert_eq!((machine.packet(), outcome.instructions), (&[1, 9, 3][..], 4));
}
