//! Programs do what the rules of packets say, on every path; and programs with a fault do not.
//!
//! What is proved of a program, from its first instruction to an exit: which bytes it looks at (both families, extension headers, fragments,
//! ICMP errors), whose packet it is, why it drops, whom and what the policy is asked about, the key and the set of a connection, what
//! tracking found, and every count, record, connection and returned number behind each leaf. The prover shares no code with the generator.
//!
//! What is not: decisions themselves (`tests/proof.rs`); which connection a full set forgets. Configuration, endpoints, addresses and peers
//! do not change while a program runs, and pointers are checked before they are read, as kernels ask. Bytes that are not linear are not
//! there, but only behind a pull of the first 256; whose a frame at the node is, what is linear behind the first pull says.

mod common;

use common::target;
use ebpf::{Matrix, Settings, compile_with};
use flow::Direction;
use image::{Hook, Image, Target};
use packet::craft::{damage, every_kind};
use std::sync::atomic::{AtomicUsize, Ordering};
use verify::lift::Refused;
use verify::whole::{Whole, prove};
use vm::Pair;
use vm::pair::{MAC, OWN, PEERS};

fn whole(image: &Image, hook: Hook) -> Result<Whole, Refused> {
    prove(image, image.program(hook).unwrap())
}

fn image(matrix: &Matrix, settings: Settings, hooks: [Hook; 2], target: &Target) -> Image {
    compile_with(settings, hooks, "whole", matrix, matrix, target).unwrap()
}

/// Proves every program of some images, on two threads.
fn all_proved(images: &[(String, Image)]) {
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some((name, image)) = images.get(next.fetch_add(1, Ordering::Relaxed)) {
            for program in &image.programs {
                whole(image, program.hook).unwrap_or_else(|why| panic!("{name} {:?}: {why}", program.hook));
            }
        }
    };
    std::thread::scope(|scope| {
        let threads = [scope.spawn(worker), scope.spawn(worker)];
        threads.into_iter().for_each(|it| it.join().unwrap_or_else(|why| std::panic::resume_unwind(why)));
    });
}

/// Of the templates of a target, those of one setting among sixteen.
fn templates(target: &Target, setting: usize) -> Vec<(String, Image)> {
    let mut all = ebpf::templates(target).unwrap();
    let each = all.len() / 16;
    all.drain(setting * each..(setting + 1) * each).collect()
}

#[test]
fn every_form_at_every_hook_is_proved_on_every_path() {
    // By default, and with no fragment followed and a tunnel guarded. `cargo xtask prove` proves all that is between.
    all_proved(&templates(&little(Target::default()), 0));
    all_proved(&templates(&little(Target::default()), 15));
}

#[test]
fn so_it_is_in_the_other_byte_order_and_for_older_kernels_and_of_other_sizes() {
    let big = Target { little_endian: false, ..Target::default() };
    let others = [Target::for_kernel((5, 10)), Target::for_kernel((5, 12)), target()].map(little);
    for target in [big].into_iter().chain(others) {
        let cells = templates(&target, 0).into_iter().filter(|(form, _)| form == "cells");
        all_proved(&cells.collect::<Vec<_>>());
    }
}

/// What gives bytes their meaning: ADR 0019 says why this is counted, and the statement apart.
const READER: [&str; 9] = [
    include_str!("../src/insn.rs"),
    include_str!("../src/lift.rs"),
    include_str!("../src/lift/machine.rs"),
    include_str!("../src/lift/value.rs"),
    include_str!("../src/whole/machine.rs"),
    include_str!("../src/whole/machine/calls.rs"),
    include_str!("../src/whole/machine/locks.rs"),
    include_str!("../src/whole/term.rs"),
    include_str!("../src/whole/facts.rs"),
];

#[test]
fn the_reader_of_bytecode_has_at_most_two_thousand_lines() {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let lines = READER.iter().flat_map(|text| text.lines()).filter(is_code).count();
    assert!(lines <= 2000, "{lines} lines");
}

fn little(target: Target) -> Target {
    Target { little_endian: true, ..target }
}

#[test]
fn the_settings_are_those_of_the_program() {
    let settings = Settings { untracked_fragments4: true, tunnel_port: Some(8472), ..Settings::default() };
    for hooks in [Hook::BOTH, Hook::HOST] {
        let image = image(&Matrix::constant(2), settings, hooks, &little(target()));
        for hook in hooks {
            let found = whole(&image, hook).unwrap().settings;
            let tunnel = (hook == Hook::FromEndpoint).then_some(8472);
            assert_eq!((found.fragments4, found.fragments6, found.tunnel), (false, true, tunnel), "{hook:?}");
        }
    }
}

/// One fault in one instruction: a jump that asks the opposite, an access beside, another constant. `None` where it cannot be made.
fn spoiled(image: &Image, at: usize, fault: usize) -> Option<Image> {
    let mut other = image.clone();
    let program = other.programs.iter_mut().find(|it| it.hook == Hook::ToEndpoint)?;
    let mut bytes = program.insns.get(at)?.to_le_bytes();
    let (opcode, class) = (bytes[0], bytes[0] & 7);
    let jumps = matches!(class, 5 | 6) && !matches!(opcode, 0x05 | 0x85 | 0x95);
    match fault {
        0 if jumps => {
            bytes[0] ^= match opcode & 0xf0 {
                0x10 | 0x50 => 0x40,
                0x20 | 0xb0 => 0x90,
                0x30 | 0xa0 => 0x90,
                _ => return None,
            };
        }
        1 if matches!(class, 1..=3) => bytes[2] ^= 1,
        2 if matches!(class, 2 | 5 | 7) && opcode & 8 == 0 && !matches!(opcode, 0x05 | 0x85 | 0x95) => bytes[4] ^= 1,
        _ => return None,
    }
    program.insns[at] = u64::from_le_bytes(bytes);
    Some(other)
}

/// Packets of every kind, whole and damaged, that tell two images apart, in words. `None` where none does.
fn told_apart(one: &Image, other: &Image, audit: bool) -> Option<String> {
    let mut pair = Pair::load([one, other], audit).unwrap();
    let frames: Vec<_> =
        PEERS.iter().flat_map(|peer| [0, 1].map(|at| every_kind(OWN[at], MAC, peer[at]))).flatten().collect();
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % limit
    };
    for at in 0..PACKETS {
        let (direction, mut frame) = frames.get(at).unwrap_or(&frames[below(frames.len())]).clone();
        if at >= frames.len() {
            damage(&mut frame, &mut below);
        }
        let hook = one.programs.iter().find(|it| it.hook.is_egress() == (direction == Direction::Egress)).unwrap().hook;
        if let Some(why) = pair.differs(hook, &frame) {
            return Some(why);
        }
    }
    pair.left_otherwise()
}

/// How many packets judge a program that is proved with a fault in it.
const PACKETS: usize = 20_000;

#[test]
fn a_program_with_a_fault_is_refused_or_means_the_same() {
    let target = Target { little_endian: true, track4_sets_log2: 12, track6_sets_log2: 12, ..target() };
    let good = image(&Matrix::constant(2), Settings::default(), Hook::BOTH, &target);
    assert_eq!(told_apart(&good, &good, true), None);
    let count = good.program(Hook::ToEndpoint).unwrap().insns.len();
    let (mut refused, mut equal) = (0, 0);
    for at in (0..count).step_by(61) {
        for fault in 0..3 {
            let Some(other) = spoiled(&good, at, fault) else { continue };
            if whole(&other, Hook::ToEndpoint).is_err() {
                refused += 1;
                continue;
            }
            equal += 1;
            for audit in [false, true] {
                let why = told_apart(&good, &other, audit);
                assert_eq!(why, None, "fault {fault} at instruction {at} is proved");
            }
        }
    }
    assert!(refused > 10 * equal, "{refused} refused, {equal} proved and equal");
}
