//! The form of a program: what a kernel asks of it before it follows a path, and what it notes for the paths.

use crate::helper;
use crate::insn::{Class, Insn, op};

/// A program whose form is right.
pub(crate) struct Form {
    /// Instructions with their class; the second word of a wide load has none.
    pub insns: Vec<(Insn, Option<Class>)>,
    /// Where states are kept and compared.
    pub prune: Vec<bool>,
    /// Where control may come from elsewhere than the instruction before.
    pub joins: Vec<bool>,
    /// The registers that are read from each instruction on before they are written, as bits.
    pub live: Vec<u16>,
    /// The registers that each instruction reads and those that it writes, likewise.
    pub uses: Vec<(u16, u16)>,
}

/// Reads and checks.
///
/// Errors: the instruction, and what no kernel takes or this crate does not know.
pub(crate) fn form(
    words: &[u64],
    little_endian: bool,
    is_reference: impl Fn(usize) -> bool,
) -> Result<Form, (usize, String)> {
    let mut insns = Vec::with_capacity(words.len());
    let mut words_left = words.iter().enumerate();
    while let Some((at, word)) = words_left.next() {
        let mut insn = Insn::read(*word, little_endian);
        if is_reference(at) {
            // The loader says there what kind of reference it is.
            insn.src = 0;
        }
        let class = insn.class().ok_or_else(|| (at, format!("opcode {:#04x} is not known here", insn.opcode)))?;
        check(insn, class).map_err(|what| (at, what))?;
        insns.push((insn, Some(class)));
        if class == Class::Wide {
            let second = words_left.next().map(|(_, word)| Insn::read(*word, little_endian));
            let Some(second) = second.filter(|it| (it.opcode, it.dst, it.src, it.offset) == (0, 0, 0, 0)) else {
                return Err((at, "wide load without its second word".into()));
            };
            insns.push((second, None));
        }
    }
    let mut form = Form {
        prune: vec![false; insns.len()],
        joins: vec![false; insns.len()],
        live: vec![0; insns.len()],
        uses: vec![(0, 0); insns.len()],
        insns,
    };
    form.flow()?;
    form.liveness();
    Ok(form)
}

/// Registers, fields and immediates of one instruction.
fn check(insn: Insn, class: Class) -> Result<(), String> {
    if insn.dst > 10 || insn.src > 10 {
        return Err("register beyond R10".into());
    }
    if !insn.is_plain(class) {
        return Err(format!("opcode {:#04x} with a field that has to be zero", insn.opcode));
    }
    let writes = matches!(class, Class::Load | Class::Wide | Class::Alu32 | Class::Alu64 | Class::Swap);
    if writes && insn.dst == 10 || class == Class::Atomic && insn.fetches() == Some(10) {
        return Err("write of the frame pointer".into());
    }
    let bits = if class == Class::Alu32 { 32 } else { 64 };
    match (class, insn.operation()) {
        (Class::Wide, _) if insn.src != 0 || insn.offset != 0 => Err("wide load of another kind".into()),
        (Class::Alu32 | Class::Alu64, op::SHL | op::SHR | op::SAR)
            if !insn.by_register() && !(0..bits).contains(&insn.imm) =>
        {
            Err(format!("shift by {}", insn.imm))
        }
        (Class::Alu32 | Class::Alu64, op::DIV | op::MOD) if !insn.by_register() && insn.imm == 0 => {
            Err("division by zero".into())
        }
        (Class::Atomic, _)
            if !matches!(insn.imm & !1, 0x00 | 0x40 | 0x50 | 0xa0) && !matches!(insn.imm, 0xe1 | 0xf1) =>
        {
            Err(format!("atomic operation {:#x}", insn.imm))
        }
        _ => Ok(()),
    }
}

impl Form {
    /// The class, and the instruction after in the order of words.
    pub fn at(&self, at: usize) -> Option<(Insn, Class)> {
        let (insn, class) = *self.insns.get(at)?;
        Some((insn, class?))
    }

    /// Jumps and reachability. Jumps lead forward in every program of ours, so one pass finds all.
    fn flow(&mut self) -> Result<(), (usize, String)> {
        let mut reached = vec![false; self.insns.len()];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        for at in 0..self.insns.len() {
            let Some((insn, class)) = self.at(at) else { continue };
            if !reached[at] {
                return Err((at, "instruction that nothing leads to".into()));
            }
            for (next, jumps) in self.successors(at, insn, class) {
                let next = next.filter(|next| self.at(*next).is_some());
                let next = next.ok_or_else(|| (at, "way out of the program".to_owned()))?;
                if next <= at {
                    return Err((at, "jump backwards".into()));
                }
                reached[next] = true;
                if jumps || class == Class::Call {
                    self.prune[next] = true;
                    self.joins[next] = true;
                }
            }
            self.prune[at] |= matches!(class, Class::Branch32 | Class::Branch64);
        }
        if self.insns.is_empty() { Err((0, "no instruction".into())) } else { Ok(()) }
    }

    /// Where control goes, and whether by a jump.
    fn successors(&self, at: usize, insn: Insn, class: Class) -> Vec<(Option<usize>, bool)> {
        let next = (Some(at + if class == Class::Wide { 2 } else { 1 }), false);
        match class {
            Class::Exit => vec![],
            Class::Jump => vec![(insn.target(at), true)],
            Class::Branch32 | Class::Branch64 => vec![next, (insn.target(at), true)],
            _ => vec![next],
        }
    }

    fn liveness(&mut self) {
        for at in (0..self.insns.len()).rev() {
            let Some((insn, class)) = self.at(at) else { continue };
            let after = self.after(at, |next| u64::from(self.live[next])) as u16;
            let (reads, writes) = registers(insn, class);
            self.live[at] = after & !writes | reads;
            self.uses[at] = (reads, writes);
        }
    }

    /// The union of what holds at the instructions that follow one.
    pub fn after(&self, at: usize, holds: impl Fn(usize) -> u64) -> u64 {
        let Some((insn, class)) = self.at(at) else { return 0 };
        self.successors(at, insn, class).into_iter().filter_map(|(next, _)| next).fold(0, |all, next| all | holds(next))
    }
}

/// The registers that an instruction reads and those that it writes, as bits.
fn registers(insn: Insn, class: Class) -> (u16, u16) {
    let (dst, src) = (1u16 << insn.dst, 1u16 << insn.src);
    let operand = if insn.by_register() { src } else { 0 };
    match class {
        Class::Wide => (0, dst),
        Class::Load => (src, dst),
        Class::StoreImm => (dst, 0),
        Class::Store => (dst | src, 0),
        Class::Atomic => match insn.fetches() {
            Some(0) if insn.imm == 0xf1 => (dst | src | 1, 1),
            Some(_) => (dst | src, src),
            None => (dst | src, 0),
        },
        Class::Swap => (dst, dst),
        Class::Alu32 | Class::Alu64 => match insn.operation() {
            op::MOV => (operand, dst),
            op::NEG => (dst, dst),
            _ => (dst | operand, dst),
        },
        Class::Jump => (0, 0),
        Class::Branch32 | Class::Branch64 => (dst | operand, 0),
        Class::Call => ((2 << helper::arguments(insn.imm)) - 2, 0x3f),
        Class::Exit => (1, 0),
    }
}
