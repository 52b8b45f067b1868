//! What the kernel would refuse is a fault, with the place, and never a panic.

mod common;
use common::{exit, i, image, load, run, target, wide};
use image::{MapRef, NodeMap};
use maps::NodeMaps;
use proptest::prelude::*;
use vm::instruction::Instruction;
use vm::load::Refusal;
use vm::{Context, Fault, Machine, What};

fn fault(code: &[Vec<Instruction>], relocs: &[(u32, MapRef, Option<u32>)]) -> Fault {
    let image = image(code, relocs, true);
    run(&image, &mut NodeMaps::new(&image.target), &[0; 20], &Context::default()).unwrap_err()
}

fn refusal(code: &[Vec<Instruction>]) -> (usize, Refusal) {
    let error = load(code).unwrap_err();
    (error.at, error.what)
}

#[test]
fn memory_that_is_not_the_programs_cannot_be_touched() {
    let load = |insn: Vec<Instruction>| matches!(fault(&[insn, exit()], &[]), Fault { at: 0, what: What::Load { .. } });
    let store =
        |insn: Vec<Instruction>| matches!(fault(&[insn, exit()], &[]), Fault { at: 0, what: What::Store { .. } });
    assert!(load(i(0x79, 0, 10, 0, 0)), "above the stack");
    assert!(load(i(0x79, 0, 10, -520, 0)), "below the stack");
    assert!(load(i(0x79, 0, 10, -12, 0)), "misaligned on the stack");
    assert!(load(i(0x79, 0, 2, 0, 0)), "an unwritten register");
    assert!(load(i(0x61, 0, 1, 192, 0)), "behind the context");
    assert!(load(i(0x69, 0, 1, 76, 0)), "half a packet pointer");
    assert!(store(i(0x62, 1, 0, 76, 1)), "the packet pointer of the context");
    assert!(store(i(0x62, 1, 0, 0, 1)), "the length of the packet");
    assert!(store(i(0xdb, 1, 2, 8, 0)), "atomically in the context");
}

#[test]
fn packet_bytes_end_at_data_end_and_die_with_a_pull() {
    let data = i(0x61, 6, 1, 76, 0);
    assert!(matches!(fault(&[data.clone(), i(0x71, 0, 6, 20, 0), exit()], &[]).what, What::Load { size: 1, .. }));
    assert!(matches!(fault(&[data.clone(), i(0xdb, 6, 0, 0, 0), exit()], &[]).what, What::Store { .. }));
    let pull = [data, i(0xb7, 2, 0, 0, 20), i(0x85, 0, 0, 0, 39), i(0x71, 0, 6, 0, 0), exit()];
    assert_eq!(fault(&pull, &[]).at, 3);
}

#[test]
fn table_values_end_where_they_end_and_fixed_ones_cannot_be_written() {
    let table = [(0, MapRef::Own(0), Some(8))];
    assert!(matches!(fault(&[wide(2, 0), i(0x79, 0, 2, 8, 0), exit()], &table).what, What::Load { .. }));
    assert!(matches!(fault(&[wide(2, 0), i(0x79, 0, 2, -16, 0), exit()], &table).what, What::Load { .. }));
    assert!(matches!(fault(&[wide(2, 0), i(0x72, 2, 0, 0, 1), exit()], &table).what, What::Store { .. }));
    let node = [(0, MapRef::Node(NodeMap::Config), None)];
    assert!(matches!(fault(&[wide(2, 0), i(0x79, 0, 2, 0, 0), exit()], &node).what, What::Load { .. }));
}

#[test]
fn a_loop_ends_with_the_budget() {
    assert_eq!(fault(&[i(0x05, 0, 0, -1, 0)], &[]), Fault { at: 0, what: What::Budget });
}

#[test]
fn helpers_check_their_arguments() {
    let call = |id| i(0x85, 0, 0, 0, id);
    assert_eq!(fault(&[call(999), exit()], &[]).what, What::Helper(999));
    assert_eq!(fault(&[call(1), exit()], &[]).what, What::Argument(1, 1));
    assert_eq!(fault(&[i(0xb7, 1, 0, 0, 0), call(39), exit()], &[]).what, What::Argument(39, 1));
    let hash = [(0, MapRef::Node(NodeMap::Address6Exact), None)];
    let short = [wide(1, 0), i(0xbf, 2, 10, 0, 0), i(0x07, 2, 0, 0, -8), call(1), exit()];
    assert_eq!(fault(&short, &hash).what, What::Argument(1, 2));
    // Registers 1 to 5 are gone after a call.
    assert!(matches!(fault(&[call(5), i(0x61, 0, 1, 0, 0), exit()], &[]), Fault { at: 1, what: What::Load { .. } }));
}

#[test]
fn a_record_must_be_submitted_or_discarded_once() {
    let ring = [(0, MapRef::Node(NodeMap::Records), None)];
    let reserve = [wide(1, 0), i(0xb7, 2, 0, 0, 8), i(0xb7, 3, 0, 0, 0), i(0x85, 0, 0, 0, 131)].concat();
    assert_eq!(fault(&[reserve.clone(), exit()], &ring).what, What::RecordLeft);
    let twice =
        [i(0xbf, 6, 0, 0, 0), i(0xbf, 1, 6, 0, 0), i(0x85, 0, 0, 0, 132), i(0xbf, 1, 6, 0, 0), i(0x85, 0, 0, 0, 133)];
    assert_eq!(fault(&[reserve, twice.concat(), exit()], &ring).what, What::Argument(133, 1));
}

#[test]
fn what_cannot_be_run_is_refused_when_loaded() {
    assert_eq!(refusal(&[i(0xb7, 0, 0, 0, 0)]), (0, Refusal::End));
    assert_eq!(refusal(&[]), (0, Refusal::End));
    assert_eq!(refusal(&[i(0xff, 0, 0, 0, 0), exit()]), (0, Refusal::Unknown(0xff)));
    assert_eq!(refusal(&[i(0xb7, 0, 3, 0, 0), exit()]), (0, Refusal::Unknown(0xb7)));
    assert_eq!(refusal(&[i(0xb7, 11, 0, 0, 0), exit()]), (0, Refusal::Register));
    assert_eq!(refusal(&[i(0xb7, 10, 0, 0, 0), exit()]), (0, Refusal::Register));
    assert_eq!(refusal(&[i(0x05, 0, 0, 1, 0), exit()]), (0, Refusal::Jump));
    assert_eq!(refusal(&[i(0x05, 0, 0, -2, 0), exit()]), (0, Refusal::Jump));
    assert_eq!(refusal(&[i(0x05, 0, 0, 1, 0), wide(0, 0), exit()]), (0, Refusal::Jump));
    assert_eq!(refusal(&[wide(0, 0)[..1].to_vec()]), (0, Refusal::Wide));
    for reloc in [(1, MapRef::Own(0), None), (0, MapRef::Own(9), None), (0, MapRef::Own(0), Some(16))] {
        let error = Machine::load(&image(&[wide(0, 0), exit()], &[reloc], true)).unwrap_err();
        assert_eq!(error.what, Refusal::Relocation, "{reloc:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_program_makes_it_panic(words in proptest::collection::vec(any::<u64>(), 1..20), packet in any::<Vec<u8>>()) {
        let mut image = image(&[exit()], &[], true);
        image.programs[0].insns = words;
        image.programs[0].insns.push(0x95);
        if let Ok(mut machine) = Machine::load(&image) {
            let context = Context { budget: 1000, ..Context::default() };
            let _ = machine.run(&mut NodeMaps::new(&target(true)), image::Hook::ToEndpoint, &packet, &context);
        }
    }

    #[test]
    fn no_likely_program_makes_it_panic(insns in proptest::collection::vec(likely(), 1..30), packet in any::<Vec<u8>>()) {
        let image = image(&[insns, exit()], &[], true);
        if let Ok(mut machine) = Machine::load(&image) {
            let context = Context { budget: 1000, ..Context::default() };
            let _ = machine.run(&mut NodeMaps::new(&target(true)), image::Hook::ToEndpoint, &packet, &context);
        }
    }
}

/// Instructions that mostly load: small offsets, few registers, helpers that exist.
fn likely() -> impl Strategy<Value = Instruction> {
    let code = prop_oneof![
        Just(0x85u8),
        Just(0x61),
        Just(0x79),
        Just(0x7b),
        Just(0x63),
        Just(0xdb),
        Just(0xbf),
        Just(0x07),
        Just(0x0f),
        Just(0x15),
        Just(0xb7),
        Just(0x05),
    ];
    (code, 0..11u8, 0..11u8, -16..80i16, prop_oneof![-9..140i32, Just(0xf1), Just(0xe1)]).prop_map(
        |(code, dst, src, off, imm)| {
            let immediate = matches!(code, 0x85 | 0xdb | 0x07 | 0x15 | 0xb7);
            let register = !matches!(code, 0x85 | 0x07 | 0x15 | 0xb7 | 0x05);
            let offset = matches!(code, 0x61 | 0x79 | 0x7b | 0x63 | 0xdb | 0x15 | 0x05);
            Instruction {
                code,
                dst: if matches!(code, 0x85 | 0x05) { 0 } else { dst },
                src: if register { src } else { 0 },
                off: if matches!(code, 0x15 | 0x05) {
                    off & 3
                } else if offset {
                    off
                } else {
                    0
                },
                imm: if immediate { i64::from(imm) } else { 0 },
            }
        },
    )
}
