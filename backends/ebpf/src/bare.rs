//! The decision without what surrounds it: parse, peer, leaf.

use crate::asm::{AsmError, Assembled, Cond, Reg::*, Size};
use crate::decide::choose::{Given, Key, Shapes};
use crate::emit::{Emit, frame, skb};
use crate::{Matrix, Problem};
use flow::Family;
use image::layout::{self, record};
use image::{DirectionPlan, Fill, Hook, Image, Notes, Plan, Program, Table, Target};

/// Compiles the decision of packets to an endpoint alone: plain headers of one family with ports, no endpoint look-up, no tracking.
///
/// For measurements that compare a decision with another way to decide: it does not count what it allows, and lets other packets pass. The
/// parts are those of [`crate::compile_matrices`]. Errors: [`Problem`]; [`Problem::Shape`] for a matrix with one leaf, which decides nothing.
pub fn compile_decision(
    family: Family,
    shapes: Shapes,
    subject: &str,
    matrix: &Matrix,
    target: &Target,
) -> Result<Image, Problem> {
    crate::check_target(target)?;
    // The first table, as `DIGEST_TABLE` says.
    let mut tables = vec![Table { name: "tg_digest".into(), fill: Fill::Digest }];
    let given = Given { peers_log2: target.peers_log2, counted: false, shapes };
    let (plan, key) = crate::direction(0, matrix, target, given, &mut tables)?;
    if matches!(plan, DirectionPlan::Constant(_)) {
        return Err(Problem::Shape);
    }
    let built = decision(family, target, &plan, &key)?;
    let program =
        Program { name: "tg_decision".into(), hook: Hook::ToEndpoint, insns: built.insns, relocs: built.relocs };
    Ok(Image {
        target: target.clone(),
        programs: vec![program],
        tables,
        plan: Plan { ingress: plan, egress: DirectionPlan::Constant(layout::LEAF_ALLOW) },
        notes: Notes { subject: subject.into(), rules: vec![] },
    })
}

/// The next program of the hook decides.
const TCX_NEXT: i32 = -1;

fn decision(family: Family, target: &Target, plan: &DirectionPlan, key: &Key) -> Result<Assembled, AsmError> {
    let mut emit = Emit::new(Hook::ToEndpoint, target, plan, key, crate::Settings::default());
    let pass = emit.pass;
    emit.asm.mov(R6, R1);
    let number = match family {
        Family::V4 => {
            emit.common4(pass, pass);
            emit.ports4();
            4
        }
        Family::V6 => {
            emit.asm.load(Size::Word, R1, R6, skb::VLAN_PRESENT);
            emit.asm.jump_if(Cond::Ne, R1, 0, pass);
            emit.load_packet();
            emit.need(14, pass);
            emit.asm.load(Size::Half, R1, R8, 12);
            emit.common6(pass);
            emit.ports6();
            6
        }
    };
    // What tracking would have noted: a record is written whole.
    emit.asm.put_imm(Size::Word, frame::RECORD.at(record::ENDPOINT), 0);
    emit.asm.put_imm(Size::Byte, frame::RECORD.at(record::FAMILY), number);
    match family {
        Family::V4 => emit.peer4(),
        Family::V6 => emit.peer6(),
    }
    emit.decide(None);
    // Allowed packets end here, uncounted; the stubs count what is dropped and what was no such packet.
    emit.asm.mov(R0, TCX_NEXT);
    emit.asm.exit();
    emit.finish_stubs();
    emit.asm.finish(target.little_endian)
}
