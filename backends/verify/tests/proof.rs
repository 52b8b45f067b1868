//! What is made is proved; what was changed and means something else is not.

mod common;

use common::{image, rules, target};
use image::{DirectionPlan, Fill, Image, Target};
use proptest::prelude::*;
use rules::RuleSet;
use verify::{Refusal, certify};

fn proved(image: &Image) -> bool {
    certify(image).is_ok()
}

#[test]
fn an_image_of_every_form_is_proved() {
    for text in [
        "fallback allow",
        "tier normal\n level 0\n  deny peers any l4 tcp/* by p a\n fallback deny by p b",
        "tier normal\n level 0\n  allow peers {5} l4 any by p a\n  allow peers any l4 tcp/443 by p b\n fallback deny by p c",
        "tier admin\n level 0\n  deny peers {5-9,17} l4 tcp/1-79 by p a\n  pass peers {5} l4 tcp/80 by p b\n\
         tier normal\n level 0\n  allow peers any l4 tcp/80 by p c\n fallback deny by p d",
    ] {
        let rules = RuleSet::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        for target in [target(), Target::default(), Target { little_endian: false, ..Target::default() }] {
            let certificate =
                certify(&image(&rules, &target)).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"));
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
    let (DirectionPlan::Tables(a), DirectionPlan::Tables(b)) = (&one.plan.ingress, &other.plan.ingress) else {
        panic!()
    };
    let classes: Vec<u16> = (0..a.class_count as u16).collect();
    let leaf = |image: &Image, plan: &image::TablePlan, class: u32, key: u32| {
        vm::tables::decide(image, &DirectionPlan::Tables(plan.clone()), &classes, class, key).byte
    };
    let pages = (0..1u32 << 16).flat_map(|page| [0, 53, 79, 80, 81, 90, 91, 255].map(|low| page << 8 | low));
    pages.into_iter().all(|key| (0..a.class_count).all(|class| leaf(one, a, class, key) == leaf(other, b, class, key)))
}

#[test]
fn a_changed_byte_of_a_table_is_refused_unless_it_means_the_same() {
    let good = image(&rules(1), &target());
    let DirectionPlan::Tables(plan) = &good.plan.ingress else { panic!("the rules tell peers apart") };
    let Fill::Fixed(bytes) = &good.tables[usize::from(plan.table)].fill else { panic!() };
    let (mut refused, mut equal) = (0, 0);
    let places = (0..bytes.len()).filter(|at| at % 97 == 6 || *at >= plan.leaves as usize);
    for at in places {
        let mut other = good.clone();
        let Fill::Fixed(bytes) = &mut other.tables[usize::from(plan.table)].fill else { panic!() };
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
    let good = image(&rules(2), &target());
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
        let refusals = certify(&image(&rules, &target())).err();
        prop_assert!(refusals.is_none(), "{refusals:?}\n{text}");
    }
}
