//! Programs do what the rules of packets say, on every path; and programs with a fault do not.
//!
//! What is proved of a program, from its first instruction to an exit: which bytes it looks at (both families, extension headers, fragments,
//! ICMP errors), whose packet it is, why it drops, whom and what the policy is asked about, the key and the set of a connection, what
//! tracking found, and every count, record, connection and returned number behind each leaf. The prover shares no code with the generator.
//!
//! What is not: decisions themselves (`tests/proof.rs`); which connection a full set forgets. Configuration, endpoints, addresses and peers
//! do not change while a program runs, and pointers are checked before they are read, as kernels ask. Bytes that are not linear are not
//! there, but only behind a pull of the first 256; whose a frame at the node is, what is linear behind the first pull says.

#[path = "../common/mod.rs"]
mod common;
mod proof;

use common::{rules, target};
use ebpf::{Matrix, Settings, compile_with};
use flow::Direction;
use image::{Hook, Image, Target};
use packet::craft::{damage, every_kind};
use proof::{Whole, prove};
use verify::lift::{Refused, Subject};
use vm::Pair;
use vm::pair::{MAC, OWN, PEERS};

fn whole(image: &Image, hook: Hook) -> Result<Whole, Refused> {
    let program = image.program(hook).unwrap();
    let regions = Subject::of(image, program).and_then(verify::template::regions).unwrap_or_default();
    prove(image, program, &regions)
}

fn image(matrix: &Matrix, settings: Settings, hooks: [Hook; 2], target: &Target) -> Image {
    compile_with(settings, hooks, "whole", matrix, matrix, target).unwrap()
}

/// Proves the four programs of a form, settings and a target, a hook pair a thread; gives back what each is right for.
fn all_hooks(matrix: &Matrix, settings: Settings, target: &Target) -> Vec<(Hook, Whole)> {
    let of = |hooks: [Hook; 2]| {
        let image = image(matrix, settings, hooks, target);
        hooks.map(|hook| {
            (hook, whole(&image, hook).unwrap_or_else(|why| panic!("{hook:?}, {settings:?}, {target:?}: {why:?}")))
        })
    };
    std::thread::scope(|scope| {
        let threads = [Hook::BOTH, Hook::HOST].map(|hooks| scope.spawn(move || of(hooks)));
        threads.into_iter().flat_map(|it| it.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    })
}

fn cells() -> Matrix {
    Matrix::of(&common::diagram(&rules(3))).unwrap()
}

fn little() -> Target {
    Target { little_endian: true, ..target() }
}

#[test]
fn every_hook_is_proved_on_every_path() {
    for matrix in [Matrix::constant(2), Matrix::constant(0), Matrix::allow(), cells()] {
        for (hook, proved) in all_hooks(&matrix, Settings::default(), &little()) {
            assert!(proved.settings.fragments4 && proved.settings.fragments6, "{hook:?}: {proved:?}");
        }
    }
}

#[test]
fn so_it_is_in_the_other_byte_order() {
    all_hooks(&cells(), Settings::default(), &Target { little_endian: false, ..target() });
}

#[test]
fn so_it_is_where_writers_lock() {
    all_hooks(&cells(), Settings::default(), &Target { little_endian: true, ..Target::for_kernel((5, 10)) });
}

#[test]
fn the_settings_are_those_of_the_program() {
    let settings = Settings { untracked_fragments4: true, tunnel_port: Some(8472), ..Settings::default() };
    for (hook, proved) in all_hooks(&Matrix::constant(2), settings, &little()) {
        let tunnel = (hook == Hook::FromEndpoint).then_some(8472);
        let found = proved.settings;
        assert_eq!((found.fragments4, found.fragments6, found.tunnel), (false, true, tunnel), "{hook:?}");
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
