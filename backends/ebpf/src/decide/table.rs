//! The decision: the cell of the flow, its leaf, and what becomes of the packet.

use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::{Emit, Wanted, outcome};
use image::layout::{self, config, record, state};
use image::{CellPlan, DirectionPlan, DropReason, LeafPlan, MapRef, NodeMap};

/// Where packets go on that are denied and pass because of audit mode.
pub(crate) struct Audited {
    /// Those without a connection to keep, as an allowed one would; reason and mark stand in the record.
    pub first: Label,
    /// Those of a live connection, as in [`crate::track::Exits`].
    pub touch: Label,
}

impl Emit<'_> {
    /// Decides for the peer in R2 and the key in the record: falls through if the packet may pass, drops it otherwise, or lets audit mode
    /// have it where there is one.
    ///
    /// Clobbers R1 to R5. The checks against the shape of the decision are never taken with the tables that belong to the program.
    pub fn decide(&mut self, audited: Option<&Audited>) {
        self.asm.put(Size::Word, self.record(record::PEER), R2);
        match self.plan {
            DirectionPlan::Constant(leaf) => {
                self.asm.put_imm(Size::Word, self.record(record::LEAF), 0);
                match (*leaf, audited) {
                    (layout::LEAF_ALLOW, _) => {}
                    (layout::LEAF_DENY, Some(audited)) => self.audit(audited),
                    (leaf, _) => {
                        let denied = self.drop(reason(leaf));
                        self.asm.jump(denied);
                    }
                }
            }
            DirectionPlan::Cells(plan) => self.cells(plan, audited),
        }
    }

    /// A denied packet: dropped, unless audit mode is on. A live connection is recorded once.
    fn audit(&mut self, to: &Audited) {
        let (denied, known) = (self.drop(DropReason::Policy), self.asm.label());
        self.asm.value(R1, MapRef::Node(NodeMap::Config), config::FLAGS);
        self.asm.load(Size::Word, R1, R1, 0);
        self.asm.alu(Alu::And, R1, config::AUDIT as i32);
        self.asm.jump_if(Cond::Eq, R1, 0, denied);
        self.asm.value(R1, MapRef::Node(NodeMap::Counters), layout::AUDITED * 8);
        self.count();
        self.asm.put_imm(Size::Byte, self.record(record::REASON), DropReason::Policy as i32);
        self.asm.put_imm(Size::Byte, self.record(record::AUDITED), 1);
        self.asm.mov(R1, R9);
        self.asm.alu(Alu::And, R1, outcome::FORWARD);
        self.asm.jump_if(Cond::Eq, R1, 0, to.first);
        self.asm.mov(R1, R9);
        self.asm.alu(Alu::And, R1, state::AUDITED as i32);
        self.asm.jump_if(Cond::Ne, R1, 0, known);
        self.write_record(Wanted::Dropped);
        self.asm.bind(known);
        self.forward_flags();
        self.asm.alu(Alu::Or, R9, state::AUDITED as i32);
        self.asm.jump(to.touch);
    }

    /// The cell of the flow, its leaf, and where that leads.
    fn cells(&mut self, plan: &CellPlan, audited: Option<&Audited>) {
        let (broken, allowed) = (self.asm.label(), self.asm.label());
        self.class(plan, broken);
        self.cell(plan, broken);
        // With the leaf in R3 already, the cell is in R5.
        let cell = if matches!(plan.leaf, LeafPlan::Ends(_)) { R5 } else { R3 };
        self.asm.put(Size::Word, self.record(record::LEAF), cell);
        self.leaf(&plan.leaf);
        if let Some(counters) = plan.counter_table {
            self.asm.value(R1, MapRef::Own(counters), 0);
            self.asm.alu(Alu::Shl, R5, 3);
            self.asm.alu(Alu::Add, R1, R5);
            self.count();
        }
        self.asm.jump_if(Cond::Eq, R3, i32::from(layout::LEAF_ALLOW), allowed);
        for leaf in [layout::LEAF_REDIRECT, layout::LEAF_AUTH] {
            let denied = self.drop(reason(leaf));
            self.asm.jump_if(Cond::Eq, R3, i32::from(leaf), denied);
        }
        let denied = self.drop(DropReason::Policy);
        match audited {
            Some(audited) => self.audit(audited),
            None => self.asm.jump(denied),
        }
        // A tree of one class has no number that could be out of range.
        if self.asm.is_used(broken) {
            self.asm.bind(broken);
            self.asm.put_imm(Size::Word, self.record(record::LEAF), -1);
            self.asm.jump(denied);
        }
        self.asm.bind(allowed);
    }
}

/// Why a leaf drops; any that is not known drops as a denial.
fn reason(leaf: u8) -> DropReason {
    match leaf {
        layout::LEAF_REDIRECT => DropReason::NoProxy,
        layout::LEAF_AUTH => DropReason::AuthRequired,
        _ => DropReason::Policy,
    }
}
