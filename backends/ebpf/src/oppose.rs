//! Images that are wrong on purpose.

use crate::asm::{Cond, Insn};
use image::{DirectionPlan, Image, layout};

/// Makes every decision of an image the opposite: what passed is denied, and all else passes. For those whose work is to notice.
///
/// Shape: whether it decides anything. Constants stay as they are.
pub fn oppose(image: &mut Image) -> bool {
    let (little, allow) = (image.target.little_endian, i32::from(layout::LEAF_ALLOW));
    let mut found = false;
    for program in &mut image.programs {
        let plan = if program.hook.is_egress() { &image.plan.egress } else { &image.plan.ingress };
        if matches!(plan, DirectionPlan::Constant(_)) {
            continue;
        }
        let leaves = [allow, i32::from(layout::LEAF_REDIRECT), i32::from(layout::LEAF_AUTH)];
        let compares = |word: u64, leaf: i32| {
            let insn = Insn::from_word(word, little);
            insn.opcode == 0x05 | Cond::Eq as u8 && insn.dst == 3 && insn.imm == leaf
        };
        for at in 0..program.insns.len().saturating_sub(2) {
            if (0..3).all(|next| compares(program.insns[at + next], leaves[next])) {
                let insn = Insn::from_word(program.insns[at], little);
                program.insns[at] = Insn { opcode: 0x05 | Cond::Ne as u8, ..insn }.word(little);
                found = true;
            }
        }
    }
    found
}
