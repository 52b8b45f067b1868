//! What an image is: deterministic, flat in the size of the policy, explained.

mod common;

use common::{policy, target};
use ebpf::{Matrix, Problem, compile, compile_matrices, explain};
use image::{DirectionPlan, Hook, Target};

/// A matrix of this many columns, one port each, for two classes.
fn columns(count: u32) -> Matrix {
    let mut cuts = vec![(0, 0)];
    cuts.extend((1..count).map(|column| (0x06_0000 + column * 3, column)));
    let leaves = (0..count).flat_map(|column| [0, (column % 2) as u8]).collect();
    Matrix { class_count: 2, cuts, leaves, signatures: vec![vec![], vec![0]], hits: vec![] }
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let build = || compile_matrices("shop/db", &policy(), &Matrix::allow(), &target()).unwrap();
    assert_eq!(build().to_bytes(), build().to_bytes());
}

#[test]
fn programs_do_not_grow_with_the_policy() {
    let sizes = |count| {
        let image = compile_matrices("x", &columns(count), &columns(count), &target()).unwrap();
        image.programs.iter().map(|program| program.insns.len()).collect::<Vec<_>>()
    };
    let (small, large) = (sizes(20), sizes(20_000));
    assert_eq!(small, large);
    assert!(small.iter().all(|insns| *insns < 4000), "{small:?}");
}

#[test]
fn the_kernel_verifies_a_large_policy_as_quickly_as_a_small_one() {
    let verified = |count| common::World::new(&columns(count), &columns(count)).verified();
    let (small, large) = (verified(20), verified(20_000));
    assert_eq!(small.len(), large.len());
    for ((hook, small), (_, large)) in small.into_iter().zip(large) {
        assert!(large <= small + small / 20 && large < 10_000, "{hook:?}: {small} and {large}");
    }
}

#[test]
fn a_direction_that_decides_nothing_has_no_tables() {
    let image = compile_matrices("x", &Matrix::allow(), &policy(), &target()).unwrap();
    assert_eq!(image.plan.ingress, DirectionPlan::Constant(1));
    let names: Vec<&str> = image.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["tg_digest", "tg_table_out", "tg_class_out", "tg_count_out"]);
    let size = |hook| image.program(hook).unwrap().insns.len();
    assert!(size(Hook::ToEndpoint) < size(Hook::FromEndpoint));
}

#[test]
fn a_matrix_that_contradicts_itself_is_refused() {
    let broken = Matrix { leaves: vec![0, 1, 1], ..policy() };
    assert_eq!(compile_matrices("x", &broken, &policy(), &target()).map(drop), Err(Problem::Shape));
}

#[test]
fn a_target_out_of_range_is_refused() {
    let target = Target { peers_log2: 40, ..target() };
    assert_eq!(compile_matrices("x", &policy(), &policy(), &target).map(drop), Err(Problem::Target("peers")));
}

#[test]
fn rules_become_leaves() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shop.rules")).unwrap();
    let rules = rules::RuleSet::parse(&text).unwrap();
    let diagram = diagram::build(&rules, 8, &diagram::Limits::default()).unwrap();
    let matrix = Matrix::of(&diagram).unwrap();
    let classes = ebpf::class_table(&diagram);
    let leaf = |peer: usize, key: u32| {
        matrix.leaves[(matrix.column_of(key) * matrix.class_count + u32::from(classes[peer])) as usize]
    };
    assert_eq!((leaf(5, 0x06_0050), leaf(5, 0x06_0051), leaf(4, 0x06_0050)), (1, 0, 0));
    let image = compile("shop/db", &diagram, &diagram, &target()).unwrap();
    assert!(matches!(&image.plan.ingress, DirectionPlan::Cells(plan) if plan.class_count == 2));
}

#[test]
fn a_plan_is_explained_in_numbers() {
    let image = compile_matrices("shop/db", &policy(), &Matrix::allow(), &target()).unwrap();
    let text = explain(&image);
    let told: Vec<&str> = text.lines().filter(|line| !line.contains("code:")).collect();
    assert_eq!(
        told,
        [
            "shop/db",
            "    ingress: 3 classes x 2 columns = 6 leaves",
            "    column by 6 protocol slots and 5 pages; leaf from a word in the code, 1 of its bits each",
            "    decision table 5888 bytes, class table 512 bytes, leaf counters 48 bytes",
            "    egress: every flow allow, nothing is asked",
        ]
    );
    let assembly = ebpf::asm::text(&image.programs[0], image.target.little_endian);
    assert!(assembly.contains("&tg_track4[0]") && assembly.ends_with("exit\n"), "{assembly}");
}
