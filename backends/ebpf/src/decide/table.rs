//! The decision: class of the peer, column of the key, leaf.

use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::{Emit, Wanted, outcome};
use image::layout::{self, config, record, state};
use image::{DirectionPlan, DropReason, MapRef, NodeMap, TablePlan};

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
    /// Clobbers R1 to R5. The checks against the shape of the table are never taken with the table that belongs to the program.
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
            DirectionPlan::Tables(plan) => self.tables(plan, audited),
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

    fn tables(&mut self, plan: &TablePlan, audited: Option<&Audited>) {
        let (broken, allowed) = (self.asm.label(), self.asm.label());
        self.class(plan, broken);
        let table = |offset| (MapRef::Own(plan.table), offset);
        self.asm.get(Size::Word, R2, self.record(record::L4_KEY));
        // R3: protocol, then slot, then page, then column, then leaf.
        self.asm.mov(R3, R2);
        self.asm.alu(Alu::Shr, R3, 16);
        self.asm.alu(Alu::And, R3, 255);
        self.element(Size::Byte, table(plan.protocols));
        self.bound(self.shape.slots, 256, broken);
        self.asm.alu(Alu::Shl, R3, 8);
        self.asm.mov(R4, R2);
        self.asm.alu(Alu::Shr, R4, 8);
        self.asm.alu(Alu::And, R4, 255);
        self.asm.alu(Alu::Add, R3, R4);
        self.element(Size::Half, table(plan.pages));
        self.bound(self.shape.pages, 1 << 16, broken);
        self.asm.alu(Alu::Shl, R3, 8);
        self.asm.alu(Alu::And, R2, 255);
        self.asm.alu(Alu::Add, R3, R2);
        self.element(Size::Half, table(plan.columns));
        if plan.class_count > 1 {
            self.asm.alu(Alu::Mul, R3, plan.class_count as i32);
            self.asm.alu(Alu::Add, R3, R1);
        }
        self.bound(plan.class_count * plan.column_count, u32::MAX, broken);
        self.asm.put(Size::Word, self.record(record::LEAF), R3);
        self.asm.mov(R5, R3);
        self.element(Size::Byte, table(plan.leaves));
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
        self.asm.bind(broken);
        self.asm.put_imm(Size::Word, self.record(record::LEAF), -1);
        self.asm.jump(denied);
        self.asm.bind(allowed);
    }

    /// R1 = class of the peer R2; class 0 for numbers beyond the table. Nothing at all where there is one class.
    fn class(&mut self, plan: &TablePlan, broken: Label) {
        if plan.class_count == 1 {
            return;
        }
        let classed = self.asm.label();
        self.asm.mov(R1, 0);
        self.asm.jump_if(Cond::Ge, R2, 1 << self.target.peers_log2, classed);
        self.asm.alu(Alu::Shl, R2, 1);
        self.asm.value(R3, MapRef::Own(plan.class_table), 0);
        self.asm.alu(Alu::Add, R3, R2);
        self.asm.load(Size::Half, R1, R3, 0);
        self.asm.bind(classed);
        if plan.class_count < 1 << 16 {
            self.asm.jump_if(Cond::Ge, R1, plan.class_count as i32, broken);
        }
    }

    /// R3 = element R3 of an array in a table. Clobbers R4.
    fn element(&mut self, size: Size, (map, offset): (MapRef, u32)) {
        if size == Size::Half {
            self.asm.alu(Alu::Shl, R3, 1);
        }
        self.asm.value(R4, map, offset);
        self.asm.alu(Alu::Add, R4, R3);
        self.asm.load(size, R3, R4, 0);
    }

    /// Leaves when R3 is not below `limit`; nothing where its width says so already.
    fn bound(&mut self, limit: u32, width: u32, broken: Label) {
        if limit < width {
            self.asm.jump_if(Cond::Ge, R3, limit as i32, broken);
        }
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
