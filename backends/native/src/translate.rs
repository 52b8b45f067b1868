//! Instructions to Cranelift's form: one block per run of instructions that is entered at its first alone, one variable per register.
//! Arithmetic is in `alu`, loads and stores are in `memory`.

use crate::call::{Callee, field};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, Block, Function, InstBuilder, MemFlagsData, SigRef, Signature, Value, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::BTreeSet;
use vm::instruction::{Instruction, WIDE, class, jump, mode};
use vm::load::jump_target;
use vm::run::UNWRITTEN;
use vm::space::{CONTEXT_ADDRESS, FRAME_ADDRESS};

/// Accesses of ours never trap: windows are there, and wide enough.
pub(crate) const FLAGS: MemFlagsData = MemFlagsData::new().with_notrap();

/// The functions that machine code calls, by what they take and give.
#[derive(Clone, Copy)]
pub(crate) struct Callbacks {
    /// (frame, at): no result.
    plain: SigRef,
    /// (frame, at): a number.
    answering: SigRef,
    /// (frame, at, address): a number.
    pub(crate) load: SigRef,
    /// (frame, at, address, value): no result.
    pub(crate) store: SigRef,
}

impl Callbacks {
    /// What a translated program takes: the frame.
    pub(crate) fn entry(config: TargetFrontendConfig) -> Signature {
        Callbacks::signature(config, 1, false)
    }

    fn signature(config: TargetFrontendConfig, params: usize, answers: bool) -> Signature {
        let mut signature = Signature::new(config.default_call_conv);
        signature.params = vec![AbiParam::new(types::I64); params];
        signature.returns = vec![AbiParam::new(types::I64); usize::from(answers)];
        signature
    }

    fn import(config: TargetFrontendConfig, builder: &mut FunctionBuilder<'_>) -> Callbacks {
        let mut import = |params, answers| builder.import_signature(Callbacks::signature(config, params, answers));
        Callbacks {
            plain: import(2, false),
            answering: import(2, true),
            load: import(3, true),
            store: import(4, false),
        }
    }
}

/// Translates one program, which [`vm::Machine`] has accepted, into a function that takes a frame.
pub(crate) fn translate(
    code: &[Instruction],
    little_endian: bool,
    config: TargetFrontendConfig,
    function: &mut Function,
    frontend: &mut FunctionBuilderContext,
) {
    let mut builder = FunctionBuilder::new(function, frontend);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let frame = builder.block_params(entry)[0];
    let registers = std::array::from_fn(|_| builder.declare_var(types::I64));
    let left = builder.declare_var(types::I64);
    let starts = starts(code);
    let blocks = starts.iter().map(|&at| (at, builder.create_block())).collect();
    let callbacks = Callbacks::import(config, &mut builder);
    let faulted = builder.create_block();
    let swaps = little_endian != cfg!(target_endian = "little");
    let mut it = Translator { builder, code, frame, registers, left, blocks, faulted, callbacks, swaps, little_endian };
    it.enter();
    let ends = starts.iter().skip(1).copied().chain([code.len()]);
    for (&start, end) in starts.iter().zip(ends) {
        it.block(start, end);
    }
    it.builder.switch_to_block(faulted);
    it.builder.ins().return_(&[]);
    it.builder.set_cold_block(faulted);
    it.builder.seal_all_blocks();
    it.builder.finalize(config);
}

/// Where blocks begin: at the first instruction, where jumps lead, and behind them.
fn starts(code: &[Instruction]) -> BTreeSet<usize> {
    let mut starts = BTreeSet::from([0]);
    let mut at = 0;
    while let Some(insn) = code.get(at) {
        let next = at + if insn.code == WIDE { 2 } else { 1 };
        let target = jump_target(at, insn).and_then(|target| usize::try_from(target).ok());
        starts.extend(target);
        if target.is_some() || is_exit(insn) {
            starts.insert(next);
        }
        at = next;
    }
    starts.retain(|&at| at < code.len());
    starts
}

fn is_exit(insn: &Instruction) -> bool {
    insn.code == class::JMP | jump::EXIT
}

pub(crate) struct Translator<'a> {
    pub(crate) builder: FunctionBuilder<'a>,
    code: &'a [Instruction],
    pub(crate) frame: Value,
    registers: [Variable; 11],
    left: Variable,
    blocks: std::collections::BTreeMap<usize, Block>,
    faulted: Block,
    pub(crate) callbacks: Callbacks,
    pub(crate) swaps: bool,
    pub(crate) little_endian: bool,
}

impl Translator<'_> {
    fn enter(&mut self) {
        for register in 0..self.registers.len() {
            let start = match register {
                1 => CONTEXT_ADDRESS,
                10 => FRAME_ADDRESS,
                _ => UNWRITTEN,
            };
            let start = self.number(start);
            self.set(register as u8, start);
        }
        let left = self.field(field::LEFT);
        self.builder.def_var(self.left, left);
        self.jump_to(0);
    }

    /// One block: its price first, so that a loop ends.
    fn block(&mut self, start: usize, end: usize) {
        let block = self.blocks[&start];
        self.builder.switch_to_block(block);
        let wide = self.code[start..end].iter().filter(|insn| insn.code == WIDE).count();
        self.pay(start, end - start - wide);
        let mut at = start;
        while at < end {
            let insn = self.code[at];
            let next = at + if insn.code == WIDE { 2 } else { 1 };
            if self.instruction(at, &insn) {
                return;
            }
            at = next;
        }
        self.jump_to(end);
    }

    fn pay(&mut self, at: usize, price: usize) {
        let left = self.builder.use_var(self.left);
        let rest = self.builder.ins().iadd_imm_s(left, -(price as i64));
        self.builder.def_var(self.left, rest);
        let short = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, price as u64 as i64);
        let (paid, spent) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(short, spent, &[], paid, &[]);
        self.builder.set_cold_block(spent);
        self.builder.switch_to_block(spent);
        self.call_plain(Callee::Spent, at);
        self.builder.ins().jump(self.faulted, &[]);
        self.builder.switch_to_block(paid);
    }

    /// Translates one instruction; says whether it ended the block.
    fn instruction(&mut self, at: usize, insn: &Instruction) -> bool {
        match insn.class() {
            class::ALU64 => self.alu(insn, types::I64),
            class::ALU => self.alu(insn, types::I32),
            class::LDX => self.load(at, insn),
            class::ST => {
                let value = self.number(insn.imm as u64);
                self.store(at, insn, value);
            }
            class::STX if insn.code & 0xe0 == mode::MEM => {
                let value = self.get(insn.src);
                self.store(at, insn, value);
            }
            class::STX => self.atomic(at, insn),
            class::LD => {
                let value = self.number(insn.imm as u64);
                self.set(insn.dst, value);
            }
            class => match insn.code & 0xf0 {
                jump::CALL if class == class::JMP => self.call_helper(at),
                jump::EXIT if class == class::JMP => {
                    self.exit(at);
                    return true;
                }
                _ => {
                    self.jump(at, insn);
                    return true;
                }
            },
        }
        false
    }

    fn exit(&mut self, at: usize) {
        let (r0, at) = (self.get(0), self.number(at as u64));
        let left = self.builder.use_var(self.left);
        for (value, offset) in [(r0, field::REGISTERS), (at, field::AT), (left, field::LEFT)] {
            self.builder.ins().store(FLAGS, value, self.frame, offset);
        }
        self.builder.ins().return_(&[]);
    }

    fn jump(&mut self, at: usize, insn: &Instruction) {
        // Loading has refused programs with other targets.
        let target = jump_target(at, insn).unwrap_or_default() as usize;
        let operation = insn.code & 0xf0;
        if operation == jump::JA {
            return self.jump_to(target);
        }
        let width = if insn.class() == class::JMP32 { types::I32 } else { types::I64 };
        let (a, b) = (self.narrow(insn.dst, width), self.operand(insn, width));
        let condition = match condition(operation) {
            Some(condition) => self.builder.ins().icmp(condition, a, b),
            None => self.builder.ins().band(a, b),
        };
        let (yes, no) = (self.blocks[&target], self.blocks[&(at + 1)]);
        self.builder.ins().brif(condition, yes, &[], no, &[]);
    }

    fn jump_to(&mut self, at: usize) {
        let block = self.blocks[&at];
        self.builder.ins().jump(block, &[]);
    }

    fn atomic(&mut self, at: usize, insn: &Instruction) {
        for register in [0, insn.dst, insn.src] {
            self.spill(register);
        }
        self.call_plain(Callee::Atomic, at);
        self.stop_if_failed();
        for register in [0, insn.dst, insn.src] {
            if register != 10 {
                let value = self.field(field::REGISTERS + 8 * i32::from(register));
                self.set(register, value);
            }
        }
    }

    fn call_helper(&mut self, at: usize) {
        for register in 1..6 {
            self.spill(register);
        }
        let (at, callee) = (self.number(at as u64), self.number(Callee::Helper.address()));
        let call = self.builder.ins().call_indirect(self.callbacks.answering, callee, &[self.frame, at]);
        let answer = self.builder.inst_results(call)[0];
        self.stop_if_failed();
        self.set(0, answer);
        for register in 1..6 {
            let nothing = self.number(UNWRITTEN);
            self.set(register, nothing);
        }
    }

    fn call_plain(&mut self, callee: Callee, at: usize) {
        let (at, callee) = (self.number(at as u64), self.number(callee.address()));
        self.builder.ins().call_indirect(self.callbacks.plain, callee, &[self.frame, at]);
    }

    /// Leaves when the call just made has failed.
    pub(crate) fn stop_if_failed(&mut self) {
        let failed = self.field(field::FAILED);
        let on = self.builder.create_block();
        self.builder.ins().brif(failed, self.faulted, &[], on, &[]);
        self.builder.switch_to_block(on);
    }

    fn spill(&mut self, register: u8) {
        let value = self.get(register);
        self.builder.ins().store(FLAGS, value, self.frame, field::REGISTERS + 8 * i32::from(register));
    }

    pub(crate) fn field(&mut self, offset: i32) -> Value {
        self.builder.ins().load(types::I64, FLAGS, self.frame, offset)
    }

    pub(crate) fn number(&mut self, value: u64) -> Value {
        self.builder.ins().iconst(types::I64, value as i64)
    }

    pub(crate) fn get(&mut self, register: u8) -> Value {
        self.builder.use_var(self.registers[usize::from(register)])
    }

    pub(crate) fn set(&mut self, register: u8, value: Value) {
        self.builder.def_var(self.registers[usize::from(register)], value);
    }
}

/// The comparison of a jump; `None` for the test of bits.
fn condition(operation: u8) -> Option<IntCC> {
    Some(match operation {
        jump::JEQ => IntCC::Equal,
        jump::JNE => IntCC::NotEqual,
        jump::JGT => IntCC::UnsignedGreaterThan,
        jump::JGE => IntCC::UnsignedGreaterThanOrEqual,
        jump::JLT => IntCC::UnsignedLessThan,
        jump::JLE => IntCC::UnsignedLessThanOrEqual,
        jump::JSGT => IntCC::SignedGreaterThan,
        jump::JSGE => IntCC::SignedGreaterThanOrEqual,
        jump::JSLT => IntCC::SignedLessThan,
        jump::JSLE => IntCC::SignedLessThanOrEqual,
        _ => return None,
    })
}
