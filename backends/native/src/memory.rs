//! Loads, stores and atomic operations: in machine code where a window has the bytes, by the interpreter's memory where it has not.
//!
//! ```text
//!  address - base < length of the window - (size - 1)  ──yes──► window + (address - base)
//!       the window is a guess ─┘                        └─no──► the interpreter
//! ```

use crate::call::{PLACES, Right, WINDOW, field};
use crate::guess::Region;
use crate::translate::Translator;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Type, Value, types};
use vm::instruction::{Instruction, atomic, mode};
use vm::space::{CONTEXT_ADDRESS, ContextField, FRAME_ADDRESS, STACK_SIZE, value_address};

impl Translator<'_> {
    pub(crate) fn load(&mut self, at: usize, insn: &Instruction) {
        let (narrow, size) = (held_as(insn), insn.size());
        if let Some(offset) = stack_offset(insn.src, insn) {
            let stack = self.fixed_field(field::STACK);
            let value = self.read(narrow, stack, offset);
            let value = self.extended(insn, value);
            return self.set(insn.dst, value);
        }
        let address = self.address(insn.src, insn);
        let done = self.builder.create_block();
        self.builder.append_block_param(done, types::I64);
        let slow = self.slow();
        let value = match self.guesses.of(insn.src) {
            Some(Region::Context) => self.load_context(insn, slow),
            guess => self.window(guess, address, size, Right::Read, slow).map(|place| {
                let value = self.read(narrow, place, 0);
                self.extended(insn, value)
            }),
        };
        match value {
            Some(value) => self.builder.ins().jump(done, &[value.into()]),
            None => self.builder.ins().jump(slow, &[]),
        };

        self.builder.switch_to_block(slow);
        let at = self.number(at as u64);
        self.builder.ins().call(self.cold.load, &[self.frame, at, address]);
        self.stop_if_failed();
        let mut value = self.field(field::ANSWER);
        // A packet pointer of the context is a load of 32 bits that gives all 64, as in the kernel.
        if is_signed(insn) {
            let low = self.builder.ins().ireduce(narrow, value);
            value = self.extended(insn, low);
        }
        self.builder.ins().jump(done, &[value.into()]);

        self.builder.switch_to_block(done);
        let value = self.builder.block_params(done)[0];
        self.set(insn.dst, value);
    }

    pub(crate) fn store(&mut self, at: usize, insn: &Instruction, value: Value) {
        let narrow = held_as(insn);
        if let Some(offset) = stack_offset(insn.dst, insn) {
            let stack = self.fixed_field(field::STACK);
            return self.write(narrow, value, stack, offset);
        }
        let address = self.address(insn.dst, insn);
        let (done, slow) = (self.builder.create_block(), self.slow());
        match self.window(self.guesses.of(insn.dst), address, insn.size(), Right::Write, slow) {
            Some(place) => {
                self.write(narrow, value, place, 0);
                self.builder.ins().jump(done, &[]);
            }
            None => {
                self.builder.ins().jump(slow, &[]);
            }
        }
        self.builder.switch_to_block(slow);
        let at = self.number(at as u64);
        self.builder.ins().call(self.cold.store, &[self.frame, at, address, value]);
        self.stop_if_failed();
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    /// An atomic operation. Nobody else is there, so that reading and then writing is one.
    pub(crate) fn atomic(&mut self, at: usize, insn: &Instruction) {
        let (done, slow) = (self.builder.create_block(), self.slow());
        let changed = changed_by(insn);
        for _ in changed {
            self.builder.append_block_param(done, types::I64);
        }
        let base = if insn.imm == atomic::LOAD_ACQUIRE { insn.src } else { insn.dst };
        // Packet and context are excluded, as in the interpreter.
        let guess = self.guesses.of(base).filter(|region| matches!(region, Region::Map(_)));
        let address = self.address(base, insn);
        self.aligned(address, insn.size(), slow);
        match self.window(guess, address, insn.size(), Right::Write, slow) {
            Some(place) => {
                let values: Vec<_> = self.exchange(insn, place).into_iter().map(Into::into).collect();
                self.builder.ins().jump(done, &values);
            }
            None => {
                self.builder.ins().jump(slow, &[]);
            }
        }
        self.builder.switch_to_block(slow);
        for register in [0, insn.dst, insn.src] {
            self.spill(register);
        }
        let at = self.number(at as u64);
        self.builder.ins().call(self.cold.atomic, &[self.frame, at]);
        self.stop_if_failed();
        let offset = |&register: &u8| field::REGISTERS + 8 * i32::from(register);
        let values: Vec<_> = changed.iter().map(|register| self.field(offset(register)).into()).collect();
        self.builder.ins().jump(done, &values);

        self.builder.switch_to_block(done);
        for (at, &register) in changed.iter().enumerate() {
            let value = self.builder.block_params(done)[at];
            self.set(register, value);
        }
    }

    /// The operation at a place; the value of the register that it changes, if any.
    fn exchange(&mut self, insn: &Instruction, place: Value) -> Option<Value> {
        let narrow = held_as(insn);
        let operand = self.narrow(insn.src, narrow);
        if insn.imm == atomic::STORE_RELEASE {
            self.put(narrow, operand, place, 0);
            return None;
        }
        let old = self.read(narrow, place, 0);
        let new = match insn.imm & !atomic::FETCH {
            _ if insn.imm == atomic::LOAD_ACQUIRE => None,
            _ if insn.imm == atomic::XCHG => Some(operand),
            _ if insn.imm == atomic::CMPXCHG => {
                let expected = self.narrow(0, narrow);
                let same = self.builder.ins().icmp(IntCC::Equal, old, expected);
                Some(self.builder.ins().select(same, operand, old))
            }
            atomic::ADD => Some(self.builder.ins().iadd(old, operand)),
            atomic::OR => Some(self.builder.ins().bor(old, operand)),
            atomic::AND => Some(self.builder.ins().band(old, operand)),
            _ => Some(self.builder.ins().bxor(old, operand)),
        };
        if let Some(new) = new {
            self.put(narrow, new, place, 0);
        }
        let wide = if narrow == types::I64 { old } else { self.builder.ins().uextend(types::I64, old) };
        (!changed_by(insn).is_empty()).then_some(wide)
    }

    fn slow(&mut self) -> Block {
        let slow = self.builder.create_block();
        self.builder.set_cold_block(slow);
        slow
    }

    fn address(&mut self, register: u8, insn: &Instruction) -> Value {
        let base = self.get(register);
        let distance = self.number(i64::from(insn.off) as u64);
        self.builder.ins().iadd(base, distance)
    }

    /// Goes on only where a condition holds.
    fn require(&mut self, condition: Value, slow: Block) {
        let on = self.builder.create_block();
        self.builder.ins().brif(condition, on, &[], slow, &[]);
        self.builder.switch_to_block(on);
    }

    fn aligned(&mut self, address: Value, size: usize, slow: Block) {
        let odd = self.builder.ins().band_imm_u(address, size as i64 - 1);
        let even = self.builder.ins().icmp_imm_u(IntCC::Equal, odd, 0);
        self.require(even, slow);
    }

    /// A field of the context, at the place that the instruction names if its register is where the context begins.
    fn load_context(&mut self, insn: &Instruction, slow: Block) -> Option<Value> {
        let offset = usize::try_from(insn.off).ok()?;
        let what = ContextField::at(offset, insn.size())?;
        // The address has more bits than the instruction takes; with a sign that is the interpreter's business.
        if what != ContextField::Plain && is_signed(insn) {
            return None;
        }
        let start = self.get(insn.src);
        let context = self.number(CONTEXT_ADDRESS);
        let is_context = self.builder.ins().icmp(IntCC::Equal, start, context);
        self.require(is_context, slow);
        Some(match what {
            ContextField::Packet => self.field(field::PACKET_ADDRESS),
            ContextField::PacketEnd => self.field(field::PACKET_END),
            ContextField::Plain => {
                let bytes = self.fixed_field(field::CONTEXT);
                let value = self.read(held_as(insn), bytes, offset as i32);
                self.extended(insn, value)
            }
        })
    }

    /// Where the bytes at an address lie, if the window of a guess has all of them; goes to `slow` otherwise. `None` without a window.
    fn window(
        &mut self,
        guess: Option<Region>,
        address: Value,
        size: usize,
        right: Right,
        slow: Block,
    ) -> Option<Value> {
        let by_size = PLACES + 8 * size.trailing_zeros() as i32;
        let (base, places, start) = match guess? {
            Region::Map(number) => {
                let at = self.window_of(number, right) as i32 * WINDOW;
                let windows = self.fixed_field(field::WINDOWS);
                let places = self.fixed(windows, at + by_size);
                (self.number(value_address(number, 0)), places, self.fixed(windows, at))
            }
            Region::Packet => {
                let places = self.field(field::PACKET + by_size);
                (self.field(field::PACKET_ADDRESS), places, self.fixed_field(field::PACKET))
            }
            Region::Stack => {
                self.aligned(address, size, slow);
                let places = self.fixed_field(field::STACK + by_size);
                (self.number(FRAME_ADDRESS - STACK_SIZE as u64), places, self.fixed_field(field::STACK))
            }
            Region::Context => return None,
        };
        let offset = self.builder.ins().isub(address, base);
        let inside = self.builder.ins().icmp(IntCC::UnsignedLessThan, offset, places);
        self.require(inside, slow);
        Some(self.builder.ins().iadd(start, offset))
    }

    /// The number of a map's window.
    fn window_of(&mut self, map: usize, right: Right) -> usize {
        let wanted = (map, right);
        self.windows.iter().position(|it| *it == wanted).unwrap_or_else(|| {
            self.windows.push(wanted);
            self.windows.len() - 1
        })
    }

    fn read(&mut self, narrow: Type, place: Value, offset: i32) -> Value {
        let value = self.builder.ins().load(narrow, self.flags.memory, place, offset);
        self.ordered(narrow, value)
    }

    fn write(&mut self, narrow: Type, value: Value, place: Value, offset: i32) {
        let value = if narrow == types::I64 { value } else { self.builder.ins().ireduce(narrow, value) };
        self.put(narrow, value, place, offset);
    }

    fn put(&mut self, narrow: Type, value: Value, place: Value, offset: i32) {
        let value = self.ordered(narrow, value);
        self.builder.ins().store(self.flags.memory, value, place, offset);
    }

    fn ordered(&mut self, narrow: Type, value: Value) -> Value {
        if self.swaps && narrow != types::I8 { self.builder.ins().bswap(value) } else { value }
    }

    fn extended(&mut self, insn: &Instruction, value: Value) -> Value {
        match self.builder.func.dfg.value_type(value) {
            types::I64 => value,
            _ if is_signed(insn) => self.builder.ins().sextend(types::I64, value),
            _ => self.builder.ins().uextend(types::I64, value),
        }
    }
}

/// The register that an atomic operation writes.
fn changed_by(insn: &Instruction) -> &[u8] {
    match insn.imm {
        atomic::LOAD_ACQUIRE => std::slice::from_ref(&insn.dst),
        atomic::STORE_RELEASE => &[],
        atomic::CMPXCHG => &[0],
        imm if imm & atomic::FETCH != 0 => std::slice::from_ref(&insn.src),
        _ => &[],
    }
}

fn is_signed(insn: &Instruction) -> bool {
    insn.code & 0xe0 == mode::MEMSX
}

fn held_as(insn: &Instruction) -> Type {
    match insn.size() {
        1 => types::I8,
        2 => types::I16,
        4 => types::I32,
        _ => types::I64,
    }
}

/// Where in the stack an access lies, if it goes through the frame pointer and is one that the interpreter allows.
fn stack_offset(base: u8, insn: &Instruction) -> Option<i32> {
    let size = insn.size() as i32;
    let offset = STACK_SIZE as i32 + i32::from(insn.off);
    (base == 10 && offset >= 0 && offset + size <= STACK_SIZE as i32 && offset % size == 0).then_some(offset)
}
