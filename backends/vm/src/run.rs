//! The interpreter.

use crate::alu::{alu32, alu64, byte_swap, taken};
use crate::context::Context;
use crate::helper::{self, World};
use crate::instruction::{Instruction, SOURCE_REGISTER, atomic, class, jump, mode, op};
use crate::load::{Machine, jump_target, same_target};
use crate::space::{CONTEXT_ADDRESS, FRAME_ADDRESS, Maps, Space};
use image::Hook;
use maps::NodeMaps;

/// What registers hold before a program writes them and after a call. As an address it is nobody's.
pub const UNWRITTEN: u64 = 0xdead_0000_0000_0000;
/// `TCX_NEXT` and `TC_ACT_UNSPEC`: the packet goes on to whoever comes next.
pub const ACTION_NEXT: i32 = -1;
/// `TC_ACT_SHOT`: the packet is dropped.
pub const ACTION_DROP: i32 = 2;

/// What a program answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The low half of r0: [`ACTION_NEXT`], [`ACTION_DROP`], or another `TC_ACT` value.
    pub action: i32,
    /// How many instructions ran.
    pub instructions: u64,
}

impl Outcome {
    /// Whether the packet goes on.
    pub fn passes(&self) -> bool {
        matches!(self.action, ACTION_NEXT | 0)
    }
}

/// A program did what the kernel would have refused to load. Units: `at` is an index of instruction words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("instruction {at}: {what}")]
pub struct Fault {
    /// Where.
    pub at: usize,
    /// What it did.
    pub what: What,
}

/// What a faulting program did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// A load from memory that is not the program's.
    #[error("{size} bytes at {address:#x} cannot be read")]
    Load {
        /// The address.
        address: u64,
        /// How many bytes.
        size: usize,
    },
    /// A store to memory that is not the program's or that it may not write.
    #[error("{size} bytes at {address:#x} cannot be written")]
    Store {
        /// The address.
        address: u64,
        /// How many bytes.
        size: usize,
    },
    /// A helper that is not modelled.
    #[error("no helper {0}")]
    Helper(i64),
    /// An argument of a helper that the kernel would not take.
    #[error("argument {1} of helper {0} is not what it takes")]
    Argument(i64, u8),
    /// The budget is spent.
    #[error("more instructions than the budget allows")]
    Budget,
    /// A helper that is called while a lock is held.
    #[error("helper {0} while a lock is held")]
    Locked(i64),
    /// A lock is held at the end.
    #[error("a lock is never given back")]
    LockLeft,
    /// A record was reserved and neither submitted nor discarded.
    #[error("a reserved record is left behind")]
    RecordLeft,
    /// The image has no program for the hook.
    #[error("the image has no program for this hook")]
    NoProgram,
    /// The image and the node maps have different byte orders.
    #[error("the node maps were made for another target")]
    OtherTarget,
}

/// A machine with the program of one hook and the maps of a node, for packet after packet with nobody in between.
pub struct Session<'a> {
    code: &'a [Instruction],
    maps: Maps<'a>,
    packet: &'a mut Vec<u8>,
    little_endian: bool,
}

impl Machine {
    /// Runs the program of a hook on a packet that starts at the Ethernet header.
    ///
    /// Records, counters and connections are left in `maps`, the changed packet in [`Machine::packet`]. Errors: [`Fault`]; what the
    /// program had written by then stays written, except that its open records are discarded.
    pub fn run(&mut self, maps: &mut NodeMaps, hook: Hook, packet: &[u8], context: &Context) -> Result<Outcome, Fault> {
        self.session(maps, hook)?.run(packet, context)
    }

    /// Begins to run packets. Errors: the hook has no program, or the maps are another target's.
    pub fn session<'a>(&'a mut self, maps: &'a mut NodeMaps, hook: Hook) -> Result<Session<'a>, Fault> {
        let fault = |what| Fault { at: 0, what };
        if !same_target(self, maps) {
            return Err(fault(What::OtherTarget));
        }
        let code = self.programs.iter().find(|code| code.hook == hook).ok_or(fault(What::NoProgram))?;
        Ok(Session {
            code: &code.instructions,
            maps: Maps { node: maps, own: &mut self.tables },
            packet: &mut self.packet,
            little_endian: self.little_endian,
        })
    }
}

impl<'a> Session<'a> {
    /// The maps.
    pub fn maps(&mut self) -> &mut Maps<'a> {
        &mut self.maps
    }

    /// The packet as the last run left it.
    pub fn packet(&self) -> &[u8] {
        self.packet
    }

    /// As [`Machine::run`].
    pub fn run(&mut self, packet: &[u8], context: &Context) -> Result<Outcome, Fault> {
        let little_endian = self.little_endian;
        self.run_by(packet, context, |code, space, world| execute(code, space, world, little_endian, context.budget))
    }

    /// As [`Session::run`], by whoever knows how to execute instructions in a [`Space`]. Instructions are those of
    /// [`Machine::instructions`]; the engine's answer is returned as it is.
    pub fn run_by(
        &mut self,
        packet: &[u8],
        context: &Context,
        engine: impl FnOnce(&[Instruction], &mut Space<'_>, &mut World) -> Result<Outcome, Fault>,
    ) -> Result<Outcome, Fault> {
        self.packet.clear();
        self.packet.extend_from_slice(packet);
        let linear = context.linear.unwrap_or(packet.len());
        let skb = context.skb(packet, self.little_endian);
        let mut space = Space::new(self.maps.reborrow(), self.packet, linear, skb);
        let mut world = World::new(context);
        let result = engine(self.code, &mut space, &mut world);
        if result.is_err() {
            space.abandon_records();
        }
        result
    }
}

fn execute(
    code: &[Instruction],
    space: &mut Space<'_>,
    world: &mut World,
    little_endian: bool,
    budget: u64,
) -> Result<Outcome, Fault> {
    // Sixteen, so that a four-bit register number is always an index; loading has refused those above r10.
    let mut r = [UNWRITTEN; 16];
    (r[1], r[10]) = (CONTEXT_ADDRESS, FRAME_ADDRESS);
    let mut at = 0usize;
    let mut count = 0u64;
    loop {
        let fault = |what| Fault { at, what };
        // Cannot panic: loading has checked every target and that the last instruction leads elsewhere.
        let insn = &code[at];
        if count == budget {
            return Err(fault(What::Budget));
        }
        count += 1;
        let (dst, src) = (usize::from(insn.dst & 15), usize::from(insn.src & 15));
        let operand = if insn.code & SOURCE_REGISTER != 0 { r[src] } else { insn.imm as u64 };
        let mut next = at + 1;
        match insn.class() {
            class::ALU64 => {
                r[dst] = match insn.code & 0xf0 {
                    op::END => byte_swap(r[dst], insn.imm, true),
                    operation => alu64(operation, r[dst], operand, insn.off),
                }
            }
            class::ALU => {
                r[dst] = match insn.code & 0xf0 {
                    op::END => {
                        let to_big = insn.code & SOURCE_REGISTER != 0;
                        byte_swap(r[dst], insn.imm, to_big == little_endian)
                    }
                    operation => u64::from(alu32(operation, r[dst] as u32, operand as u32, insn.off)),
                }
            }
            class::LDX => {
                let address = r[src].wrapping_add(insn.off as u64);
                let size = insn.size();
                let value = space.load(address, size).ok_or(fault(What::Load { address, size }))?;
                r[dst] = if insn.code & 0xe0 == mode::MEMSX { sign_extended(value, size) } else { value };
            }
            class::ST => {
                let address = r[dst].wrapping_add(insn.off as u64);
                let size = insn.size();
                space.store(address, size, insn.imm as u64).ok_or(fault(What::Store { address, size }))?;
            }
            class::STX if insn.code & 0xe0 == mode::MEM => {
                let address = r[dst].wrapping_add(insn.off as u64);
                let size = insn.size();
                space.store(address, size, r[src]).ok_or(fault(What::Store { address, size }))?;
            }
            class::STX => atomically(insn, &mut r, space).map_err(fault)?,
            class::LD => {
                r[dst] = insn.imm as u64;
                next = at + 2;
            }
            class => {
                let operation = insn.code & 0xf0;
                match operation {
                    jump::CALL if class == class::JMP => {
                        let arguments = [r[1], r[2], r[3], r[4], r[5]];
                        r[0] = helper::call(insn.imm, arguments, space, world).map_err(fault)?;
                        r[1..6].fill(UNWRITTEN);
                    }
                    jump::EXIT if class == class::JMP => return leave(at, r[0], count, space),
                    _ => {
                        let (a, b) = match class {
                            class::JMP32 => (r[dst] as i32 as u64, operand as i32 as u64),
                            _ => (r[dst], operand),
                        };
                        if operation == jump::JA || taken(operation, a, b) {
                            next = jump_target(at, insn).unwrap_or_default() as usize;
                        }
                    }
                }
            }
        }
        at = next;
    }
}

/// The end of a run, at an exit: `r0`, and how many instructions ran. Errors: a record that is still open, a lock that is held.
pub fn leave(at: usize, r0: u64, instructions: u64, space: &Space<'_>) -> Result<Outcome, Fault> {
    if space.has_open_records() {
        return Err(Fault { at, what: What::RecordLeft });
    }
    if space.is_locked() {
        return Err(Fault { at, what: What::LockLeft });
    }
    Ok(Outcome { action: r0 as i32, instructions })
}

fn sign_extended(value: u64, size: usize) -> u64 {
    match size {
        1 => value as i8 as u64,
        2 => value as i16 as u64,
        _ => value as i32 as u64,
    }
}

/// An atomic operation on memory; reads and writes its two registers, and r0 for a compare and exchange. Errors: as a store or a load.
pub fn atomically(insn: &Instruction, r: &mut [u64; 16], space: &mut Space<'_>) -> Result<(), What> {
    let (dst, src) = (usize::from(insn.dst & 15), usize::from(insn.src & 15));
    let size = insn.size();
    let base = if insn.imm == atomic::LOAD_ACQUIRE { r[src] } else { r[dst] };
    let address = base.wrapping_add(insn.off as u64);
    if !space.allows_atomic(address, size) {
        return Err(What::Store { address, size });
    }
    if insn.imm == atomic::STORE_RELEASE {
        return space.store(address, size, r[src]).ok_or(What::Store { address, size });
    }
    let old = space.load(address, size).ok_or(What::Load { address, size })?;
    let new = match insn.imm & !atomic::FETCH {
        _ if insn.imm == atomic::LOAD_ACQUIRE => {
            r[dst] = old;
            return Ok(());
        }
        _ if insn.imm == atomic::XCHG => r[src],
        _ if insn.imm == atomic::CMPXCHG => {
            let expected = if size == 4 { u64::from(r[0] as u32) } else { r[0] };
            if old == expected { r[src] } else { old }
        }
        atomic::ADD => old.wrapping_add(r[src]),
        atomic::OR => old | r[src],
        atomic::AND => old & r[src],
        _ => old ^ r[src],
    };
    space.store(address, size, new).ok_or(What::Store { address, size })?;
    if insn.imm == atomic::CMPXCHG {
        r[0] = old;
    } else if insn.imm & atomic::FETCH != 0 {
        r[src] = old;
    }
    Ok(())
}
