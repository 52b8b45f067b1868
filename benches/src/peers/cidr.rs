//! Rule after rule in bytecode: addresses and ports are immediates. For cases of one prefix and one port a rule.
//!
//! A rule that does not match jumps to the next one and a rule that does ends there. The verifier keeps two branches of each rule pending
//! and gives up at 8192, so about 4,000 rules fit into a program; Calico splits there and chains the parts by tail calls.

use super::{Shape, allow, finish, parse, port};
use crate::datapath::case::Case;
use crate::datapath::kernel::Error;
use crate::datapath::wrap::TC_ACT_SHOT;
use ebpf::asm::{Alu, Asm, Cond, Reg::*};
use flow::Family;

/// The shape for a case.
pub fn shape(case: &Case) -> Result<Shape, Error> {
    let mut asm = Asm::new();
    parse(&mut asm, Family::V4);
    for rule in &case.allows {
        for member in &rule.members {
            let next = asm.label();
            let mask = u32::MAX << (32 - u32::from(member.len));
            asm.mov(R1, R7);
            asm.alu(Alu::And, R1, mask.to_be() as i32);
            asm.jump_if32(Cond::Ne, R1, member.address.to_be() as i32, next);
            port(&mut asm, rule.ports.0, next);
            allow(&mut asm);
            asm.bind(next);
        }
    }
    asm.mov(R0, TC_ACT_SHOT);
    asm.exit();
    finish(asm, vec![])
}
