//! Instructions to Cranelift's form: one block per run of instructions that is entered at its first alone, one variable per register.
//! Arithmetic is in `alu`, loads and stores are in `memory`.

use crate::call::{Callee, Right, field};
use crate::cold::Cold;
use crate::guess::Guesses;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, AliasRegionData, Block, FuncRef, Function, InstBuilder, MemFlagsData, SigRef, Signature, Value, types,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use vm::helper::id;
use vm::instruction::{Instruction, WIDE, class, jump, mode};
use vm::load::jump_target;
use vm::run::UNWRITTEN;
use vm::space::{CONTEXT_ADDRESS, FRAME_ADDRESS};

/// What a translated program takes: the frame.
pub(crate) fn entry(config: TargetFrontendConfig) -> Signature {
    let mut signature = Signature::new(config.default_call_conv);
    signature.params = vec![AbiParam::new(types::I64)];
    signature
}

/// What accesses of ours may rely on. None traps: windows are there, and wide enough.
#[derive(Clone, Copy)]
pub(crate) struct Flags {
    /// What stays as it is for a whole run.
    fixed: MemFlagsData,
    /// What else the frame holds.
    frame: MemFlagsData,
    /// What is in windows; no window lies over the frame.
    pub(crate) memory: MemFlagsData,
}

impl Flags {
    fn new(function: &mut Function) -> Flags {
        let any = MemFlagsData::new().with_notrap();
        let regions = &mut function.dfg.alias_regions;
        let mut region = |user_id, description: &'static str| {
            any.with_alias_region(Some(regions.insert(AliasRegionData { user_id, description: description.into() })))
        };
        let (frame, memory) = (region(0, "frame"), region(1, "windows"));
        Flags { fixed: any.with_readonly().with_can_move(), frame, memory }
    }
}

/// What a translation relies on.
pub(crate) struct Translated {
    /// The windows of maps that it takes, in their order.
    pub(crate) windows: Vec<(usize, Right)>,
    /// A budget from here on is looked at, or long enough: without loops, no run is longer than the program, and nothing looks.
    pub(crate) least_budget: u64,
}

/// Translates one program, which [`vm::Machine`] has accepted, into a function that takes a frame.
pub(crate) fn translate(
    code: &[Instruction],
    little_endian: bool,
    config: TargetFrontendConfig,
    cold: Cold<FuncRef>,
    function: &mut Function,
    frontend: &mut FunctionBuilderContext,
) -> Translated {
    let flags = Flags::new(function);
    let mut builder = FunctionBuilder::new(function, frontend);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let frame = builder.block_params(entry)[0];
    let registers = std::array::from_fn(|_| builder.declare_var(types::I64));
    let left = builder.declare_var(types::I64);
    let starts = starts(code);
    let blocks = starts.iter().map(|&at| (at, builder.create_block())).collect();
    let mut helper = Signature::new(config.default_call_conv);
    helper.params = vec![AbiParam::new(types::I64); Callee::Helper.arguments()];
    helper.returns = vec![AbiParam::new(types::I64)];
    let helper = builder.import_signature(helper);
    let faulted = builder.create_block();
    let swaps = little_endian != cfg!(target_endian = "little");
    let loops = code.iter().enumerate().any(|(at, insn)| jump_target(at, insn).is_some_and(|to| to <= at as i64));
    let (guesses, met) = (Guesses::start(), BTreeMap::new());
    let mut it = Translator {
        builder,
        code,
        frame,
        registers,
        left,
        blocks,
        faulted,
        cold,
        helper,
        flags,
        swaps,
        little_endian,
        windows: Vec::new(),
        loops,
        guesses,
        met,
    };
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
    Translated { windows: it.windows, least_budget: if it.loops { 0 } else { code.len() as u64 } }
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
    blocks: BTreeMap<usize, Block>,
    faulted: Block,
    pub(crate) cold: Cold<FuncRef>,
    helper: SigRef,
    pub(crate) flags: Flags,
    pub(crate) swaps: bool,
    pub(crate) little_endian: bool,
    /// The windows of maps that have been asked for so far.
    pub(crate) windows: Vec<(usize, Right)>,
    loops: bool,
    /// The guesses where translation stands, and those with which blocks further down are entered.
    pub(crate) guesses: Guesses,
    met: BTreeMap<usize, Guesses>,
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
        self.guesses = self.met.remove(&start).unwrap_or_else(Guesses::start);
        let wide = self.code[start..end].iter().filter(|insn| insn.code == WIDE).count();
        self.pay(start, end - start - wide);
        let mut at = start;
        while at < end {
            let insn = self.code[at];
            let next = at + if insn.code == WIDE { 2 } else { 1 };
            if self.instruction(at, &insn) {
                return;
            }
            self.guesses.step(&insn);
            at = next;
        }
        self.jump_to(end);
    }

    fn pay(&mut self, at: usize, price: usize) {
        let left = self.builder.use_var(self.left);
        let rest = self.builder.ins().iadd_imm_s(left, -(price as i64));
        self.builder.def_var(self.left, rest);
        if !self.loops {
            return;
        }
        let short = self.builder.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, price as u64 as i64);
        let (paid, spent) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(short, spent, &[], paid, &[]);
        self.builder.set_cold_block(spent);
        self.builder.switch_to_block(spent);
        let at = self.number(at as u64);
        self.builder.ins().call(self.cold.spent, &[self.frame, at]);
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
                jump::CALL if class == class::JMP => self.call_helper(at, insn.imm),
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
            self.builder.ins().store(self.flags.frame, value, self.frame, offset);
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
        let (yes, no) = (self.lead_to(target), self.lead_to(at + 1));
        self.builder.ins().brif(condition, yes, &[], no, &[]);
    }

    fn jump_to(&mut self, at: usize) {
        let block = self.lead_to(at);
        self.builder.ins().jump(block, &[]);
    }

    /// The block of an instruction, which may be entered with the guesses of here.
    fn lead_to(&mut self, at: usize) -> Block {
        match self.met.entry(at) {
            Entry::Vacant(place) => {
                place.insert(self.guesses.clone());
            }
            Entry::Occupied(mut met) => met.get_mut().join(&self.guesses),
        }
        self.blocks[&at]
    }

    fn call_helper(&mut self, at: usize, helper: i64) {
        let answer = match helper {
            // The kernel writes this one into the program, too.
            id::JIFFIES64 => self.fixed_field(field::NOW_JIFFIES),
            _ => self.ask_helper(at),
        };
        self.set(0, answer);
        for register in 1..6 {
            let nothing = self.number(UNWRITTEN);
            self.set(register, nothing);
        }
    }

    fn ask_helper(&mut self, at: usize) -> Value {
        for register in 1..6 {
            self.spill(register);
        }
        let (at, callee) = (self.number(at as u64), self.number(Callee::Helper.address()));
        let call = self.builder.ins().call_indirect(self.helper, callee, &[self.frame, at]);
        self.stop_if_failed();
        self.builder.inst_results(call)[0]
    }

    /// Leaves when the call just made has failed.
    pub(crate) fn stop_if_failed(&mut self) {
        let failed = self.field(field::FAILED);
        let on = self.builder.create_block();
        self.builder.ins().brif(failed, self.faulted, &[], on, &[]);
        self.builder.switch_to_block(on);
    }

    pub(crate) fn spill(&mut self, register: u8) {
        let value = self.get(register);
        self.builder.ins().store(self.flags.frame, value, self.frame, field::REGISTERS + 8 * i32::from(register));
    }

    pub(crate) fn field(&mut self, offset: i32) -> Value {
        self.builder.ins().load(types::I64, self.flags.frame, self.frame, offset)
    }

    /// A field of the frame that stays as it is.
    pub(crate) fn fixed_field(&mut self, offset: i32) -> Value {
        self.fixed(self.frame, offset)
    }

    /// A word that stays as it is.
    pub(crate) fn fixed(&mut self, place: Value, offset: i32) -> Value {
        self.builder.ins().load(types::I64, self.flags.fixed, place, offset)
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
