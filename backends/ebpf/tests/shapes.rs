//! Every shape of a decision: what is forecast is what is built, all shapes decide alike, and hits make the hot path shorter.

mod common;

use common::{OWN4, World, target};
use ebpf::asm::Insn;
use ebpf::decide::choose::{self, Cost, Given, Key};
use ebpf::{Matrix, Settings, Shapes, compile_with};
use image::{CellPlan, DirectionPlan, Hook, Image, KeyPlan, LeafPlan};
use packet::Flags;
use packet::craft::Frame;
use proptest::prelude::*;

const SHAPES: [Shapes; 4] = [Shapes::Cheapest, Shapes::Tables, Shapes::Sum, Shapes::Tree];

/// Stretches of keys, and what each class of each column gets.
fn matrix(classes: u32, stretches: &[(u32, u32)], leaves: &[u8]) -> Matrix {
    let mut cuts = vec![(0, 0)];
    let columns = 1 + stretches.len() as u32 / 2;
    for (at, (gap, length)) in (0..).zip(stretches) {
        let start = cuts.last().map_or(0, |last: &(u32, u32)| last.0) + 1 + gap;
        // Some columns come more than once.
        cuts.extend([(start, 1 + at % columns), (start + length + 1, 0)]);
    }
    let used = cuts.iter().map(|cut| cut.1).max().unwrap() + 1;
    let leaves = (0..classes * used).map(|cell| leaves[cell as usize % leaves.len()]).collect();
    Matrix { class_count: classes, cuts, leaves, signatures: vec![vec![]; classes as usize], hits: vec![] }
}

fn image(matrix: &Matrix, shapes: Shapes) -> Image {
    let settings = Settings { shapes, ..Settings::default() };
    compile_with(settings, Hook::BOTH, "shape", matrix, matrix, &target()).unwrap()
}

fn plan(image: &Image) -> &CellPlan {
    let DirectionPlan::Cells(plan) = &image.plan.ingress else { panic!("something is decided") };
    plan
}

/// What was built of the ingress decision, counted in the image alone.
fn built(image: &Image) -> Cost {
    let plan = plan(image);
    let size = |table: Option<u16>| {
        table.map_or(0, |table| u64::from(image.tables[usize::from(table)].value_size(1 << image.target.peers_log2)))
    };
    let (class, counters, fixed) = (size(plan.class_table), size(plan.counter_table), size(plan.fixed_table()));
    let halves = if let KeyPlan::Pages(plan) = &plan.key { u64::from(plan.end - 256) } else { 0 };
    let leaves =
        if let LeafPlan::Matrix { .. } = plan.leaf { u64::from(plan.class_count * plan.column_count) } else { 0 };
    let rest = fixed - halves - leaves;
    assert!(rest == 0 || rest == 256 && halves > 0, "protocols, pages, columns and leaves are all that there is");
    // From the peer, which is stored, to the last comparison of the leaf: `*(u32 *)(r10 - …) = r2`, `if r3 == 3`.
    let insns: Vec<Insn> = image.programs[0].insns.iter().map(|word| Insn::from_word(*word, true)).collect();
    let place = -80 + image::layout::record::PEER as i16;
    let from = insns.iter().position(|it| it.opcode == 0x63 && it.src == 2 && it.offset == place).unwrap();
    let to = insns[from..].iter().position(|it| it.opcode == 0x15 && it.dst == 3 && it.imm == 3).unwrap();
    Cost {
        bytes: class + counters + fixed,
        entries: class / 2 + counters / 8 + halves / 2 + leaves + rest,
        instructions: to as u32 + 1,
        picos: 0,
    }
}

fn forecast(matrix: &Matrix, shapes: Shapes) -> Vec<choose::Candidate> {
    choose::candidates(matrix, Given { peers_log2: target().peers_log2, counted: true, shapes })
}

/// Whether what is forecast is built, by every choice of shapes.
fn holds(matrix: &Matrix) -> Result<(), String> {
    for shapes in SHAPES {
        let best = forecast(matrix, shapes).swap_remove(0);
        let image = image(matrix, shapes);
        let expected = Cost { picos: 0, ..best.cost() };
        if built(&image) != expected {
            return Err(format!("{shapes:?}: {:?} and not {expected:?} of {best:?}", built(&image)));
        }
        if let (Key::Pages { slots, pages }, KeyPlan::Pages(plan)) = (&best.key, &plan(&image).key)
            && (*slots, *pages) != (plan.slots(), plan.page_count())
        {
            return Err(format!("{slots} slots and {pages} pages, and not {plan:?}"));
        }
        for class in 0..matrix.class_count {
            for (start, _) in &matrix.cuts {
                for key in [start.saturating_sub(1), *start, start + 1] {
                    let classes: Vec<u16> = (0..matrix.class_count as u16).collect();
                    let found = vm::tables::decide(&image, &image.plan.ingress, &classes, class, key);
                    let cell = matrix.column_of(key) * matrix.class_count + class;
                    if (found.index, found.byte) != (Some(cell), matrix.leaves[cell as usize]) {
                        return Err(format!("{shapes:?}: class {class}, key {key:#x}: {found:?}, and not cell {cell}"));
                    }
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_forecast_is_what_is_built(
        classes in prop_oneof![Just(1u32), 2..9u32, Just(70)],
        stretches in proptest::collection::vec((prop_oneof![0..70_000u32, Just(65_535)], prop_oneof![Just(0u32), 0..400_000u32]), 0..20),
        mut leaves in proptest::collection::vec(0u8..4, 2..60),
    ) {
        leaves[..2].copy_from_slice(&[0, 1]);
        let matrix = matrix(classes, &stretches, &leaves);
        prop_assume!(matrix.as_constant().is_none());
        let held = holds(&matrix);
        prop_assert!(held.is_ok(), "{}\n{matrix:?}", held.unwrap_err());
    }
}

#[test]
fn what_is_forecast_of_larger_decisions_is_what_is_built() {
    // More boundaries than comparisons are for; a slot a protocol, so that nothing is checked.
    let ports: Vec<(u32, u32)> = (0..400).map(|at| (at * 7, at % 3)).collect();
    let slots = Matrix {
        cuts: [(0, 0)].into_iter().chain((0..256).map(|it| ((it << 16) + it + 1, 1 + it))).collect(),
        leaves: (0..257).map(|it| (it % 2) as u8).collect(),
        ..Matrix::allow()
    };
    for matrix in [matrix(1, &ports, &[0, 1, 1]), matrix(5, &ports, &[1, 0, 3]), slots] {
        holds(&matrix).unwrap();
    }
}

/// A policy of one class, with every leaf, that each shape is possible for.
fn ports() -> Matrix {
    let cuts = vec![
        (0, 0),
        (0x06_0050, 1),
        (0x06_0051, 0),
        (0x06_1f40, 2),
        (0x06_1f4a, 0),
        (0x11_0000, 3),
        (0x11_0035, 1),
        (0x11_0036, 3),
        (0x12_0000, 0),
        (0x84_ff00, 1),
    ];
    Matrix { cuts, leaves: vec![0, 1, 2, 3], ..Matrix::allow() }
}

#[test]
fn all_engines_agree_on_packets_whatever_the_shape() {
    for classes in [1u32, 3] {
        let mut matrix = ports();
        matrix.class_count = classes;
        matrix.leaves = (0..classes * 4).map(|cell| ((cell % classes + cell / classes) % 4) as u8).collect();
        matrix.signatures = vec![vec![]; classes as usize];
        for (shapes, hooks) in SHAPES.into_iter().flat_map(|it| [(it, Hook::BOTH), (it, Hook::HOST)]) {
            let settings = Settings { shapes, ..Settings::default() };
            let mut world = World::under(settings, hooks, &target(), &matrix, &matrix);
            world.ask_around(matrix.cuts[1..].iter().map(|(start, _)| *start));
            assert!(
                world.counters()[0] > 5 && world.counters()[1] > 5,
                "{shapes:?} of {classes}: some pass, some do not"
            );
        }
    }
}

#[test]
fn audit_mode_passes_what_a_tree_denies() {
    let settings = Settings { shapes: Shapes::Tree, ..Settings::default() };
    let mut world = World::under(settings, Hook::BOTH, &target(), &ports(), &ports());
    world.set_audit(true);
    for [own, peer, ..] in common::families() {
        // All engines agree that it passes and is marked, or `to` fails.
        let _ = world.to(&Frame::tcp(peer, own, 4000, 99, Flags::SYN).build());
        let _ = world.to(&Frame::tcp(peer, own, 4001, 80, Flags::SYN).build());
    }
    assert!(world.counters()[image::layout::AUDITED as usize] > 0);
}

#[test]
fn a_cell_is_counted_whatever_the_shape() {
    for shapes in SHAPES {
        let settings = Settings { shapes, ..Settings::default() };
        let mut world = World::under(settings, Hook::BOTH, &target(), &ports(), &ports());
        let table = plan(&image(&ports(), shapes)).counter_table.unwrap();
        for from in 0..5 {
            let _ = world.to(&Frame::tcp(common::FRIEND4, OWN4, 4000 + from, 80, Flags::SYN).build());
        }
        let _ = world.to(&Frame::tcp(common::FRIEND4, OWN4, 4000, 8005, Flags::SYN).build());
        assert_eq!(world.leaf_counters(usize::from(table)), [0, 5, 1, 0], "{shapes:?}");
    }
}

#[test]
fn small_decisions_have_no_tables_of_keys_and_leaves() {
    let shape = |matrix: &Matrix| {
        let image = image(matrix, Shapes::Cheapest);
        let plan = plan(&image);
        (forecast(matrix, Shapes::Cheapest)[0].key_name(), plan.fixed_table().is_some(), plan.class_table.is_some())
    };
    let few = Matrix { cuts: vec![(0, 0), (0x06_0050, 1), (0x06_0051, 0)], leaves: vec![0, 1], ..Matrix::allow() };
    assert_eq!(shape(&few), ("tree", false, false));
    let two = Matrix { class_count: 2, leaves: vec![0, 1], signatures: vec![vec![]; 2], ..Matrix::allow() };
    assert_eq!(shape(&two), ("nothing", false, true));
    let cuts = vec![(0, 0), (0x06_0050, 1), (0x06_0051, 0)];
    let port = Matrix { cuts, leaves: vec![0, 0, 0, 1], ..two };
    assert_eq!(shape(&port), ("sum", false, true));
    let many: Vec<(u32, u32)> = (0..40).map(|at| (at * 3, 0)).collect();
    assert_eq!(shape(&matrix(3, &many, &[0, 1, 0, 1, 1])), ("pages", true, true));
}

/// Instructions that a packet runs until its verdict.
fn steps(world: &mut World, port: u16) -> u64 {
    world.steps(Hook::ToEndpoint, &Frame::tcp(common::FRIEND4, OWN4, 9000, port, Flags::SYN).build())
}

#[test]
fn hits_make_the_path_of_a_hot_leaf_shorter_and_change_no_verdict() {
    let mut ports: Vec<(u32, u32)> = vec![(0, 0)];
    for port in 0..12u32 {
        ports.extend([(0x06_0000 + 100 + 10 * port, 1 + port), (0x06_0001 + 100 + 10 * port, 0)]);
    }
    let leaves = (0..13).map(|it| u8::from(it > 0)).collect();
    let cold = Matrix { cuts: ports, leaves, ..Matrix::allow() };
    let mut hits = vec![10; 13];
    hits[11] = 1_000_000;
    let hot = Matrix { hits, ..cold.clone() };
    let (mut before, mut after) = (World::new(&cold, &cold), World::new(&hot, &hot));
    assert!(steps(&mut after, 200) < steps(&mut before, 200), "the port of the eleventh column");
    holds(&hot).unwrap();
}
