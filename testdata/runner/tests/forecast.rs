//! What is forecast of a decision is what is built of it, in every scenario of the conformance tables.

use driver::meaning::{self, ClassKey};
use driver::{Database, build};
use ebpf::asm::Insn;
use ebpf::decide::choose::{self, Cost, Given};
use ebpf::{Matrix, Shapes};
use flow::Direction;
use image::{DirectionPlan, Image, KeyPlan, LeafPlan};
use runner::conformance::scenario;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What is compared at least, so that a folder that was not read cannot pass for success.
const DECISIONS: usize = 200;

#[test]
fn what_is_forecast_of_every_scenario_is_what_is_built() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/policy");
    let scenarios = scenario::read_folder(&folder).expect("the tables are part of the repository");
    let mut shapes: BTreeMap<String, usize> = BTreeMap::new();
    for scenario in scenarios {
        let mut db = Database::new();
        db.set_cluster(scenario.cluster.clone());
        let file = |(at, text): (usize, &String)| (Arc::from(format!("{at:06}.yaml")), Arc::from(text.as_str()));
        db.set_files(scenario.manifests.iter().enumerate().map(file));
        for (class, image) in build::images(&db) {
            let image = image.expect("the scenarios are small");
            let diagrams = meaning::diagrams(&db, ClassKey::new(&db, class)).expect("likewise");
            for direction in Direction::BOTH {
                let matrix = Matrix::of(&diagrams[meaning::slot(direction)]).expect("likewise");
                let found = built(&image, direction);
                assert_eq!(found.is_none(), matrix.as_constant().is_some());
                let Some(found) = found else { continue };
                let given = Given { peers_log2: image.target.peers_log2, counted: true, shapes: Shapes::Cheapest };
                let best = choose::candidates(&matrix, given).swap_remove(0);
                assert_eq!(Cost { picos: 0, ..best.cost() }, found, "{}: {best:?}", scenario.name);
                *shapes.entry(format!("{} {}", best.key_name(), best.leaf_name())).or_default() += 1;
            }
        }
    }
    assert!(shapes.values().sum::<usize>() >= DECISIONS, "{shapes:?}");
    assert!(shapes.len() > 2, "{shapes:?}");
}

/// Bytes, elements and instructions of a decision, counted in its image; `None` where nothing is decided.
fn built(image: &Image, direction: Direction) -> Option<Cost> {
    let egress = direction == Direction::Egress;
    let DirectionPlan::Cells(plan) = (if egress { &image.plan.egress } else { &image.plan.ingress }) else {
        return None;
    };
    let size = |table: Option<u16>| {
        table.map_or(0, |table| u64::from(image.tables[usize::from(table)].value_size(1 << image.target.peers_log2)))
    };
    let [fixed, class, counters] = [plan.fixed_table(), plan.class_table, plan.counter_table].map(size);
    let paged = if let KeyPlan::Pages(plan) = &plan.key { 256 + u64::from(plan.end - 256) / 2 } else { 0 };
    let leaves = if let LeafPlan::Matrix { .. } = plan.leaf { plan.cells()? } else { 0 };
    let program = image.programs.iter().find(|it| it.hook.is_egress() == egress)?;
    let insns: Vec<Insn> = program.insns.iter().map(|it| Insn::from_word(*it, image.target.little_endian)).collect();
    // From the instruction that stores the peer to the last one that compares the leaf.
    let place = -80 + image::layout::record::PEER as i16;
    let from = insns.iter().position(|it| it.opcode == 0x63 && it.src == 2 && it.offset == place)?;
    let to = insns[from..].iter().position(|it| it.opcode == 0x15 && it.dst == 3 && it.imm == 3)?;
    Some(Cost {
        bytes: fixed + class + counters,
        entries: paged + u64::from(leaves) + class / 2 + counters / 8,
        instructions: to as u32 + 1,
        picos: 0,
    })
}
