//! One whole program, part after part.

use crate::Settings;
use crate::asm::{Alu, AsmError, Assembled, Cond, Label, Reg::*, Size};
use crate::decide::Audited;
use crate::decide::choose::Key;
use crate::emit::{Emit, Family, V4, V6, Wanted, frame, origin, outcome};
use crate::parse::General;
use crate::track::Exits;
use image::{DirectionPlan, Hook, Target, layout};

/// Emits the program of a hook.
pub(crate) fn program(
    hook: Hook,
    target: &Target,
    plan: &DirectionPlan,
    key: &Key,
    settings: Settings,
) -> Result<Assembled, AsmError> {
    let mut emit = Emit::new(hook, target, plan, key, settings);
    emit.whole();
    emit.asm.finish(target.little_endian)
}

impl Emit<'_> {
    fn whole(&mut self) {
        let (other, general) = (self.asm.label(), self.asm.label());
        let to = General {
            ports4: self.asm.label(),
            tuple4: self.asm.label(),
            judge4: self.asm.label(),
            ports6: self.asm.label(),
            tuple6: self.asm.label(),
            judge6: self.asm.label(),
        };
        if self.hook.is_host() {
            self.host_entry(general);
        } else {
            self.entry();
        }
        self.common4(other, general);
        self.asm.jump(to.ports4);
        self.asm.bind(other);
        self.common6(general);
        self.asm.jump(to.ports6);
        self.asm.bind(general);
        self.general(&to);
        self.asm.bind(to.ports4);
        self.ports4();
        self.connection(V4, to.tuple4, to.judge4);
        self.asm.bind(to.ports6);
        self.ports6();
        self.connection(V6, to.tuple6, to.judge6);
        self.finish_stubs();
    }

    /// Everything after the tuple, for one IP version.
    ///
    /// `tuple` is where one begins that is in registers and record already, `untracked` a packet that has only a decision ahead.
    fn connection(&mut self, family: Family, tuple: Label, untracked: Label) {
        let exits = Exits { judge: self.asm.label(), touch: self.asm.label() };
        self.asm.bind(tuple);
        if family == V4 {
            self.track4(&exits)
        } else {
            self.track6(&exits)
        }
        self.asm.bind(untracked);
        self.asm.mov(R7, 0);
        self.asm.mov(R8, 0);
        self.asm.mov(R9, outcome::UNTRACKED);
        self.asm.bind(exits.judge);
        let passed = self.asm.label();
        if self.has_origin() {
            self.translated(passed);
        }
        if family == V4 {
            self.peer4()
        } else {
            self.peer6()
        }
        let audited = Audited { first: self.asm.label(), touch: exits.touch };
        self.decide(Some(&audited));
        self.asm.bind(passed);
        self.allowed(family, &audited);
        self.asm.bind(exits.touch);
        self.touch(family);
    }

    /// What was translated on the node is not asked about: the pod's own programs have judged it. Clobbers R1.
    fn translated(&mut self, passed: Label) {
        let own = self.asm.label();
        self.asm.get(Size::Byte, R1, frame::ORIGIN);
        self.asm.jump_if(Cond::Ne, R1, origin::ENDPOINT, own);
        self.asm.put_imm(Size::Word, self.record(layout::record::PEER), 0);
        self.asm.put_imm(Size::Word, self.record(layout::record::LEAF), -1);
        self.asm.jump(passed);
        self.asm.bind(own);
    }

    /// After the decision: what tracking found says what is left to do.
    fn allowed(&mut self, family: Family, audited: &Audited) {
        let (touch, first) = (audited.touch, audited.first);
        let (new, record, take) = (self.asm.label(), self.asm.label(), self.asm.label());
        let (denies, refuses) = match self.plan {
            DirectionPlan::Constant(leaf) => (*leaf == layout::LEAF_DENY, *leaf != layout::LEAF_ALLOW),
            DirectionPlan::Cells(_) => (false, false),
        };
        let passes = !refuses || self.has_origin();
        if !passes && !denies {
            return;
        }
        if passes {
            if self.decides() {
                self.asm.mov(R1, R9);
                self.asm.alu(Alu::And, R1, outcome::FORWARD);
                self.asm.jump_if(Cond::Eq, R1, 0, new);
                self.forward_flags();
                self.asm.jump(touch);
                self.asm.bind(new);
            }
            self.asm.put_imm(Size::Byte, self.record(layout::record::REASON), 0);
            self.asm.put_imm(Size::Byte, self.record(layout::record::AUDITED), 0);
        }
        self.asm.bind(first);
        self.asm.jump_if(Cond::Eq, R9, outcome::UNTRACKED, record);
        self.asm.jump_if(Cond::Eq, R9, outcome::STALE, take);
        self.insert(family, take);
        self.asm.bind(record);
        let pass = self.pass;
        if self.has_origin() {
            self.asm.get(Size::Byte, R1, frame::ORIGIN);
            self.asm.jump_if(Cond::Eq, R1, origin::ENDPOINT, pass);
        }
        self.write_record(Wanted::Passed);
        self.asm.jump(pass);
    }
}
