//! Loads and stores: in machine code where a window has the bytes, by the interpreter's memory where it is not plain that one has.

use crate::call::{Callee, READABLE, WINDOW, WRITABLE, field};
use crate::translate::{FLAGS, Translator};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Type, Value, types};
use vm::instruction::{Instruction, mode};
use vm::space::{OFFSET, STACK_SIZE, TAG_SHIFT, VALUES};

impl Translator<'_> {
    pub(crate) fn load(&mut self, at: usize, insn: &Instruction) {
        let (narrow, size) = (held_as(insn), insn.size());
        if let Some(offset) = stack_offset(insn.src, insn) {
            let stack = self.field(field::STACK);
            let value = self.read(narrow, stack, offset);
            let value = self.extended(insn, value);
            return self.set(insn.dst, value);
        }
        let address = self.address(insn.src, insn);
        let done = self.builder.create_block();
        self.builder.append_block_param(done, types::I64);
        let slow = self.builder.create_block();
        let place = self.window(address, size, READABLE, slow);
        let value = self.read(narrow, place, 0);
        let value = self.extended(insn, value);
        self.builder.ins().jump(done, &[value.into()]);

        self.builder.switch_to_block(slow);
        let (at, callee) = (self.number(at as u64), self.number(Callee::Load.address()));
        let call = self.builder.ins().call_indirect(self.callbacks.load, callee, &[self.frame, at, address]);
        let mut value = self.builder.inst_results(call)[0];
        self.stop_if_failed();
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
            let stack = self.field(field::STACK);
            return self.write(narrow, value, stack, offset);
        }
        let address = self.address(insn.dst, insn);
        let (done, slow) = (self.builder.create_block(), self.builder.create_block());
        let place = self.window(address, insn.size(), WRITABLE, slow);
        self.write(narrow, value, place, 0);
        self.builder.ins().jump(done, &[]);

        self.builder.switch_to_block(slow);
        let (at, callee) = (self.number(at as u64), self.number(Callee::Store.address()));
        self.builder.ins().call_indirect(self.callbacks.store, callee, &[self.frame, at, address, value]);
        self.stop_if_failed();
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    fn address(&mut self, register: u8, insn: &Instruction) -> Value {
        let base = self.get(register);
        let distance = self.number(i64::from(insn.off) as u64);
        self.builder.ins().iadd(base, distance)
    }

    /// Where the bytes at an address lie, if the packet or the value of a table has all of them; goes to `slow` otherwise.
    fn window(&mut self, address: Value, size: usize, rights: i32, slow: Block) -> Value {
        self.builder.set_cold_block(slow);
        let checked = self.builder.create_block();
        let (start, limit) = (
            self.builder.append_block_param(checked, types::I64),
            self.builder.append_block_param(checked, types::I64),
        );
        let (in_packet, in_table, no_packet) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let tag = self.builder.ins().ushr_imm_u(address, i64::from(TAG_SHIFT));
        let packet_tag = self.field(field::PACKET_TAG);
        let is_packet = self.builder.ins().icmp(IntCC::Equal, tag, packet_tag);
        self.builder.ins().brif(is_packet, in_packet, &[], no_packet, &[]);

        self.builder.switch_to_block(in_packet);
        let (packet, linear) = (self.field(field::PACKET), self.field(field::LINEAR));
        self.builder.ins().jump(checked, &[packet.into(), linear.into()]);

        self.builder.switch_to_block(no_packet);
        let first = self.number(VALUES);
        let number = self.builder.ins().isub(tag, first);
        let count = self.field(field::WINDOW_COUNT);
        let is_map = self.builder.ins().icmp(IntCC::UnsignedLessThan, number, count);
        self.builder.ins().brif(is_map, in_table, &[], slow, &[]);

        self.builder.switch_to_block(in_table);
        let windows = self.field(field::WINDOWS);
        let stride = self.number(WINDOW as u64);
        let distance = self.builder.ins().imul(number, stride);
        let window = self.builder.ins().iadd(windows, distance);
        let value = self.builder.ins().load(types::I64, FLAGS, window, 0);
        let allowed = self.builder.ins().load(types::I64, FLAGS, window, rights);
        self.builder.ins().jump(checked, &[value.into(), allowed.into()]);

        self.builder.switch_to_block(checked);
        let mask = self.number(OFFSET);
        let offset = self.builder.ins().band(address, mask);
        let size = self.number(size as u64);
        let end = self.builder.ins().iadd(offset, size);
        let inside = self.builder.ins().icmp(IntCC::UnsignedLessThanOrEqual, end, limit);
        let fast = self.builder.create_block();
        self.builder.ins().brif(inside, fast, &[], slow, &[]);
        self.builder.switch_to_block(fast);
        self.builder.ins().iadd(start, offset)
    }

    fn read(&mut self, narrow: Type, place: Value, offset: i32) -> Value {
        let value = self.builder.ins().load(narrow, FLAGS, place, offset);
        self.ordered(narrow, value)
    }

    fn write(&mut self, narrow: Type, value: Value, place: Value, offset: i32) {
        let value = if narrow == types::I64 { value } else { self.builder.ins().ireduce(narrow, value) };
        let value = self.ordered(narrow, value);
        self.builder.ins().store(FLAGS, value, place, offset);
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
