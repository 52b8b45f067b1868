//! One whole program, part after part.

use crate::asm::{Alu, AsmError, Assembled, Cond, Label, Reg::*};
use crate::decide::Shape;
use crate::emit::{Emit, Family, V4, V6, outcome};
use crate::track::Exits;
use image::{DirectionPlan, Hook, Target, layout};

/// Emits the program of a hook.
pub(crate) fn program(hook: Hook, target: &Target, plan: &DirectionPlan, shape: Shape) -> Result<Assembled, AsmError> {
    let mut emit = Emit::new(hook, target, plan, shape);
    emit.whole();
    emit.asm.finish(target.little_endian)
}

impl Emit<'_> {
    fn whole(&mut self) {
        let (other, general, ports) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.entry();
        self.common4(other, general, ports);
        self.connection(V4);
        self.asm.bind(other);
        self.asm.bind(general);
        let u = self.drop(image::DropReason::UnknownEtherType);
        self.general(u, u);
        self.finish_stubs();
    }

    /// Everything after the tuple, for one IP version.
    fn connection(&mut self, family: Family) {
        let exits = Exits { judge: self.asm.label(), touch: self.asm.label() };
        if family == V4 { self.track4(&exits) } else { self.track6(&exits) }
        self.asm.bind(exits.judge);
        if family == V4 { self.peer4() } else { self.peer6() }
        self.decide();
        if !matches!(self.plan, DirectionPlan::Constant(leaf) if *leaf != layout::LEAF_ALLOW) {
            self.allowed(family, exits.touch);
        }
        self.asm.bind(exits.touch);
        self.touch(family);
    }

    /// After the decision: what tracking found says what is left to do.
    fn allowed(&mut self, family: Family, touch: Label) {
        let (new, record, take) = (self.asm.label(), self.asm.label(), self.asm.label());
        if self.decides() {
            self.asm.mov(R1, R9);
            self.asm.alu(Alu::And, R1, outcome::FORWARD);
            self.asm.jump_if(Cond::Eq, R1, 0, new);
            self.forward_flags();
            self.asm.jump(touch);
            self.asm.bind(new);
        }
        self.asm.jump_if(Cond::Eq, R9, outcome::UNTRACKED, record);
        self.asm.jump_if(Cond::Eq, R9, outcome::STALE, take);
        self.insert(family, take);
        self.asm.bind(record);
        self.asm.mov(R9, 0);
        self.write_record(layout::config::RECORD_ALLOWED);
        let pass = self.pass;
        self.asm.jump(pass);
    }
}
