//! What is made is proved; what was changed and means something else is not.

mod common;

use common::{SHAPES, image, image_by, rules, target};
use ebpf::Shapes;
use image::{DirectionPlan, Fill, Image, KeyPlan, LeafPlan, Target};
use proptest::prelude::*;
use rules::RuleSet;
use verify::lift::Subject;
use verify::{Refusal, certify};

fn proved(image: &Image) -> bool {
    certify(image).is_ok()
}

#[test]
fn an_image_of_every_form_is_proved() {
    for text in [
        "fallback allow",
        "tier normal\n level 0\n  deny peers any l4 tcp/* by p a\n fallback deny by p b",
        "tier normal\n level 0\n  allow peers any l4 tcp/80,tcp/443,tcp/8000-8100,udp/* by p a\n fallback deny by p c",
        "tier normal\n level 0\n  allow peers {5} l4 any by p a\n fallback deny by p c",
        "tier normal\n level 0\n  allow peers {5} l4 any by p a\n  allow peers any l4 tcp/443 by p b\n fallback deny by p c",
        "tier admin\n level 0\n  deny peers {5-9,17} l4 tcp/1-79 by p a\n  pass peers {5} l4 tcp/80 by p b\n\
         tier normal\n level 0\n  allow peers any l4 tcp/80 by p c\n fallback deny by p d",
    ] {
        let rules = RuleSet::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let targets = [target(), Target::default(), Target { little_endian: false, ..Target::default() }];
        for (target, shapes) in targets.into_iter().flat_map(|target| SHAPES.map(|shapes| (target.clone(), shapes))) {
            let certificate = certify(&image_by(shapes, &rules, &target))
                .unwrap_or_else(|refusals| panic!("{shapes:?} of {text}: {refusals:?}"));
            for program in &certificate.programs {
                assert_eq!(program.constant.is_some(), program.decisions.is_empty(), "{text}: {program:?}");
            }
        }
    }
}

#[test]
fn a_larger_image_is_proved_with_every_class() {
    let certificate = certify(&image(&rules(40), &target())).unwrap();
    assert_eq!(certificate.programs[0].classes, 41);
    for program in &certificate.programs {
        let families: Vec<_> = program.decisions.iter().map(|it| it.family).collect();
        assert_eq!(families, [flow::Family::V4, flow::Family::V6]);
        assert!(program.constant.is_none() && program.decisions.iter().all(|it| it.paths >= 41), "{program:?}");
    }
}

/// Whether the tables of both directions answer alike for every class and every key.
fn same_answers(one: &Image, other: &Image) -> bool {
    let (DirectionPlan::Cells(a), DirectionPlan::Cells(b)) = (&one.plan.ingress, &other.plan.ingress) else { panic!() };
    let classes: Vec<u16> = (0..a.class_count as u16).collect();
    let leaf = |image: &Image, plan: &image::CellPlan, class: u32, key: u32| {
        vm::tables::decide(image, &DirectionPlan::Cells(plan.clone()), &classes, class, key).byte
    };
    let pages = (0..1u32 << 16).flat_map(|page| [0, 53, 79, 80, 81, 90, 91, 255].map(|low| page << 8 | low));
    pages.into_iter().all(|key| (0..a.class_count).all(|class| leaf(one, a, class, key) == leaf(other, b, class, key)))
}

#[test]
fn a_changed_byte_of_a_table_is_refused_unless_it_means_the_same() {
    let good = image_by(Shapes::Tables, &rules(1), &target());
    let DirectionPlan::Cells(plan) = &good.plan.ingress else { panic!("the rules tell peers apart") };
    let Fill::Fixed(bytes) = &good.tables[usize::from(plan.fixed_table().unwrap())].fill else { panic!() };
    let LeafPlan::Matrix { offset, .. } = plan.leaf else { panic!("tables have a matrix") };
    let (mut refused, mut equal) = (0, 0);
    let places = (0..bytes.len()).filter(|at| at % 97 == 6 || *at >= offset as usize);
    for at in places {
        let mut other = good.clone();
        let Fill::Fixed(bytes) = &mut other.tables[usize::from(plan.fixed_table().unwrap())].fill else { panic!() };
        bytes[at] ^= 1;
        match certify(&other) {
            Err(refusals) => {
                assert!(refusals.iter().all(|it| !matches!(it, Refusal::Template { .. })), "{refusals:?}");
                refused += 1;
            }
            Ok(_) => {
                assert!(same_answers(&good, &other), "byte {at} changes an answer and is proved");
                equal += 1;
            }
        }
    }
    assert!(refused > 10, "{refused} refused, {equal} equal");
}

/// A check against the shape of a table, which the table that belongs to the program never fails: its limit and its way may be others.
fn is_limit(image: &Image, program: usize, at: usize) -> bool {
    let [opcode, ..] = image.programs[program].insns[at].to_le_bytes();
    opcode == 0x35
}

#[test]
fn a_changed_instruction_is_refused() {
    let good = image_by(Shapes::Tables, &rules(2), &target());
    assert!(proved(&good));
    for program in 0..2 {
        let tables: Vec<usize> = good.programs[program].relocs.iter().map(|it| it.at as usize).collect();
        let decides = |at: usize| tables.iter().any(|reads| *reads + 3 == at || *reads + 4 == at);
        for at in (0..good.programs[program].insns.len()).filter(|at| at % 89 == 5 || at % 3 == 0 && decides(*at)) {
            for bit in [32, 8, 16, 0] {
                let mut other = good.clone();
                other.programs[program].insns[at] ^= 1 << bit;
                let same = proved(&other);
                assert!(
                    !same || (bit == 32 || bit == 16) && is_limit(&good, program, at),
                    "instruction {at} of program {program} ({:?}), bit {bit}",
                    good.programs[program].insns[at].to_le_bytes()
                );
            }
        }
    }
}

/// A rule set that every shape is possible for, of one class or of some.
fn small(peers: &str) -> RuleSet {
    let text = format!(
        "tier normal\n level 0\n  allow peers {peers} l4 tcp/80,tcp/443,tcp/8000-8100,udp/* by p a\n fallback deny by p c"
    );
    RuleSet::parse(&text).unwrap()
}

#[test]
fn a_changed_instruction_of_a_decision_in_code_is_refused_unless_it_means_the_same() {
    for (shapes, peers) in [(Shapes::Sum, "any"), (Shapes::Sum, "{5}"), (Shapes::Tree, "any"), (Shapes::Tree, "{5}")] {
        let good = image_by(shapes, &small(peers), &target());
        assert!(proved(&good));
        let region = verify::template::regions(Subject::of(&good, &good.programs[0]).unwrap()).unwrap()[0];
        let (mut refused, mut same) = (0, Vec::new());
        for at in region.start..region.end {
            for bit in [0, 2, 4, 8, 11, 12, 16, 32, 33, 37, 48, 63] {
                let mut other = good.clone();
                other.programs[0].insns[at] ^= 1 << bit;
                if proved(&other) {
                    same.push((at - region.start, bit));
                } else {
                    refused += 1;
                }
            }
        }
        // What may differ: a check that no key fails; the class of numbers beyond the table, for class 0 is denied here as one that is none
        // is; and behind all checks what picks the leaf out of a word, whose other bits mean nothing.
        let opcode = |at: usize| good.programs[0].insns[region.start + at].to_le_bytes()[0];
        let last = (0..region.end - region.start).rev().find(|at| opcode(*at) == 0x35).unwrap_or(0);
        let may = |at: usize| opcode(at) == 0x35 || at == 1 || at > last && matches!(opcode(at), 0xb7 | 0x57);
        let other: Vec<_> = same.iter().filter(|(at, _)| !may(*at)).map(|it| (it, opcode(it.0))).collect();
        assert_eq!(other, [], "{shapes:?} of {peers}");
        assert!(refused > 10 * same.len(), "{shapes:?} of {peers}: {refused} refused, {same:?}");
    }
}

#[test]
fn a_plan_that_says_otherwise_is_refused() {
    let spoil: [fn(&mut image::CellPlan); 5] = [
        |plan| match &mut plan.key {
            KeyPlan::Sum(cuts) | KeyPlan::Tree(cuts) => cuts[1].0 += 1,
            KeyPlan::Pages(plan) => plan.pages += 2,
            KeyPlan::One => plan.column_count = 0,
        },
        |plan| match &mut plan.leaf {
            LeafPlan::Word { word, .. } => *word ^= 1,
            LeafPlan::Matrix { offset, .. } => *offset -= 1,
            LeafPlan::Ends(leaves) => leaves[0] ^= 1,
        },
        |plan| plan.column_count -= 1,
        |plan| plan.class_table = plan.class_table.map_or(Some(0), |_| None),
        |plan| plan.counter_table = Some(0),
    ];
    for shapes in SHAPES {
        for peers in ["any", "{5}"] {
            let good = image_by(shapes, &small(peers), &target());
            for (at, spoil) in spoil.iter().enumerate() {
                let mut other = good.clone();
                let DirectionPlan::Cells(plan) = &mut other.plan.egress else { panic!("ports are told apart") };
                spoil(plan);
                assert!(!proved(&other), "{at} of {shapes:?} of {peers}");
            }
        }
    }
}

#[test]
fn rules_that_the_tables_do_not_have_are_missed() {
    let mut stale = image(&rules(2), &target());
    stale.notes.rules[1] = rules(3).to_string();
    let refusals = certify(&stale).unwrap_err();
    assert!(matches!(refusals[..], [Refusal::Classes { .. }]), "{refusals:?}");
    let mut other = image(&rules(2), &target());
    other.notes.rules[0] = rules(2).to_string().replace("tcp/80-90", "tcp/80-91");
    let refusals = certify(&other).unwrap_err();
    let [Refusal::Wrong { key, class, .. }] = refusals[..] else { panic!("{refusals:?}") };
    assert!(class > 0);
    assert_eq!(key.to_string(), "tcp/91");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_rules_are_proved(
        entries in proptest::collection::vec((0u32..3, 2u32..12, 0u32..4, 0u32..2000, 0u32..3000, any::<bool>()), 1..12)
    ) {
        let mut text = String::from("tier normal\n level 0\n");
        for (effect, peer, span, port, width, tcp) in entries {
            let effect = ["allow", "deny", "pass"][effect as usize];
            let protocol = if tcp { "tcp" } else { "udp" };
            text += &format!("  {effect} peers {{{peer}-{}}} l4 {protocol}/{port}-{} by p a\n", peer + span, port + width);
        }
        text += " fallback deny by p \"\"";
        let rules = RuleSet::parse(&text).unwrap();
        for shapes in SHAPES {
            let refusals = certify(&image_by(shapes, &rules, &target())).err();
            prop_assert!(refusals.is_none(), "{shapes:?}: {refusals:?}\n{text}");
        }
    }
}
