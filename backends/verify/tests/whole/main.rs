//! Programs towards an endpoint do what the rules of packets say, on every path; and programs with a fault do not.
//!
//! What is proved of a program, from its first instruction to an exit: which bytes it looks at (both families, extension headers, fragments,
//! ICMP errors), why it drops, whom and what the policy is asked about, the key and the set of a connection, what tracking found, and every
//! count, record, connection and returned number behind each leaf. The prover shares no code with the code generator.
//!
//! What is not: decisions themselves (`tests/proof.rs`); which connection a full set forgets; packets of the other three hooks. Configuration,
//! endpoints, addresses and peers do not change while a program runs, and pointers are checked before they are read, as kernels ask. Bytes
//! that are not linear are not there, but only behind a pull of the first 256.

#[path = "../common/mod.rs"]
mod common;
mod proof;

use common::{rules, target};
use ebpf::{Matrix, Settings, compile_with};
use image::{Hook, Image, Target};
use proof::{Whole, prove};
use verify::lift::{Refused, Subject};

fn whole(image: &Image) -> Result<Whole, Refused> {
    let program = image.program(Hook::ToEndpoint).unwrap();
    let regions = Subject::of(image, program).and_then(verify::template::regions).unwrap_or_default();
    prove(image, program, &regions)
}

fn image(matrix: &Matrix, settings: Settings, target: &Target) -> Image {
    compile_with(settings, Hook::BOTH, "whole", matrix, matrix, target).unwrap()
}

#[test]
fn what_goes_to_an_endpoint_is_proved_on_every_path() {
    let cells = Matrix::of(&common::diagram(&rules(3))).unwrap();
    for matrix in [Matrix::constant(2), Matrix::constant(0), Matrix::allow(), cells] {
        let proved = whole(&image(&matrix, Settings::default(), &target())).unwrap();
        assert!(proved.settings.fragments4 && proved.settings.fragments6, "{proved:?}");
    }
    let other = Target { little_endian: !target().little_endian, ..target() };
    whole(&image(&Matrix::constant(2), Settings::default(), &other)).unwrap();
}

#[test]
fn the_settings_are_those_of_the_program() {
    let settings = Settings { untracked_fragments4: true, ..Settings::default() };
    let proved = whole(&image(&Matrix::constant(2), settings, &target())).unwrap();
    assert_eq!((proved.settings.fragments4, proved.settings.fragments6), (false, true));
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

#[test]
fn a_fault_is_noticed() {
    let good = image(&Matrix::constant(2), Settings::default(), &Target { little_endian: true, ..target() });
    let count = good.program(Hook::ToEndpoint).unwrap().insns.len();
    let (mut refused, mut proved) = (0, Vec::new());
    for at in (0..count).step_by(61) {
        for fault in 0..3 {
            let Some(other) = spoiled(&good, at, fault) else { continue };
            match whole(&other) {
                Err(_) => refused += 1,
                Ok(_) => proved.push((at, fault, good.program(Hook::ToEndpoint).unwrap().insns[at].to_le_bytes())),
            }
        }
    }
    println!("{refused} refused");
    for (at, fault, bytes) in &proved {
        println!("proved {at} {fault} {bytes:02x?}");
    }
}
