//! The decision without what surrounds it: parse, peer, leaf.

use crate::asm::{AsmError, Assembled, Reg::*, Size};
use crate::decide::Shape;
use crate::emit::{Emit, frame};
use crate::{Matrix, Problem};
use image::layout::record;
use image::{DirectionPlan, Fill, Hook, Image, Notes, Plan, Program, Table, Target};

/// Compiles the decision of packets to an endpoint alone: plain IPv4 headers with ports, no endpoint look-up, no tracking.
///
/// For measurements that compare a decision with another way to decide: it counts nothing and lets other packets pass. The parts are
/// those of [`crate::compile_matrices`]. Errors: [`Problem`].
pub fn compile_decision(subject: &str, matrix: &Matrix, target: &Target) -> Result<Image, Problem> {
    crate::check_target(target)?;
    // The first table, as `DIGEST_TABLE` says.
    let mut tables = vec![Table { name: "tg_digest".into(), fill: Fill::Digest }];
    let (mut plan, shape) = crate::direction(0, matrix, target, &mut tables)?;
    if let DirectionPlan::Tables(plan) = &mut plan {
        plan.counter_table = None;
    }
    let built = decision(target, &plan, shape)?;
    let program =
        Program { name: "tg_decision".into(), hook: Hook::ToEndpoint, insns: built.insns, relocs: built.relocs };
    Ok(Image {
        target: target.clone(),
        programs: vec![program],
        tables,
        plan: Plan { ingress: plan, egress: DirectionPlan::Constant(image::layout::LEAF_ALLOW) },
        notes: Notes { subject: subject.into(), rules: vec![] },
    })
}

fn decision(target: &Target, plan: &DirectionPlan, shape: Shape) -> Result<Assembled, AsmError> {
    let mut emit = Emit::new(Hook::ToEndpoint, target, plan, shape);
    let other = emit.asm.label();
    emit.asm.mov(R6, R1);
    emit.common4(other, other);
    emit.ports4();
    // What tracking would have noted: a record is written whole.
    emit.asm.put_imm(Size::Word, frame::RECORD.at(record::ENDPOINT), 0);
    emit.asm.put_imm(Size::Byte, frame::RECORD.at(record::FAMILY), 4);
    emit.peer4();
    emit.decide();
    if matches!(plan, DirectionPlan::Constant(leaf) if *leaf != LEAF_ALLOW) {
        // The decision has jumped to its stub.
        emit.asm.bind(other);
    }
    emit.asm.mov(R0, TCX_NEXT);
    emit.asm.exit();
    emit.asm.finish(target.little_endian)
}
