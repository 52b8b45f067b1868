//! What an established packet runs, found in the user-space machine: instructions and calls, which do not depend on the hardware.

use super::case::{Case, ENDPOINT};
use crate::random::Random;
use diagram::Diagram;
use ebpf::asm::{CALL, Helper, Insn};
use image::address::Address4;
use image::codec::Endpoint;
use image::{Hook, Image};
use maps::NodeMaps;
use packet::Flags;
use packet::craft::Frame;
use std::net::Ipv4Addr;
use vm::{Context, Fault, Machine, What};

/// What a packet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Instructions.
    pub instructions: u64,
    /// Calls of kernel functions; what the kernel inlines (jiffies) is none.
    pub calls: usize,
}

/// The path of a packet from the opener of an answered connection. Errors: text, when a packet does not get through.
pub fn established(case: &Case, diagram: &Diagram, image: &Image) -> Result<Path, String> {
    let flow = case.allowed_flow(&mut Random::new(3));
    let remote = Ipv4Addr::from_bits(flow.source);
    let context = Context { ifindex: 1, now_jiffies: 1000, ..Context::default() };
    let mut maps = node(case, image)?;
    let mut machine = Machine::load(image).map_err(|error| error.to_string())?;
    for (peer, class) in (0..).zip(ebpf::class_table(diagram)) {
        machine.set_class(Hook::ToEndpoint, peer, class);
    }
    let mut run = |hook, packet: &[u8], context: &Context| machine.run(&mut maps, hook, packet, context);
    let to = |flags| Frame::tcp(remote, ENDPOINT, flow.source_port, flow.port, flags).build();
    let from = Frame::tcp(ENDPOINT, remote, flow.port, flow.source_port, Flags::SYN_ACK).build();
    let packet = to(Flags::ACK);
    for (hook, bytes) in [(Hook::ToEndpoint, &to(Flags::SYN)), (Hook::FromEndpoint, &from), (Hook::ToEndpoint, &packet)]
    {
        let outcome = run(hook, bytes, &context).map_err(|fault| fault.to_string())?;
        if !outcome.passes() {
            return Err(format!("a packet of {flow:x?} does not get through at {hook:?}"));
        }
    }
    let whole = run(Hook::ToEndpoint, &packet, &context).map_err(|fault| fault.to_string())?;
    let code = &image.program(Hook::ToEndpoint).ok_or("the image has no program")?.insns;
    let mut calls = 0;
    // A run whose budget ends early names the instruction that it would have come to; a packet more or less changes no path.
    for budget in 0..whole.instructions {
        let Err(Fault { at, what: What::Budget }) =
            run(Hook::ToEndpoint, &packet, &Context { budget, ..context.clone() })
        else {
            return Err("the path of a packet depends on the packets before it".into());
        };
        calls += usize::from(code.get(at).is_some_and(|word| is_call(*word, image.target.little_endian)));
    }
    Ok(Path { instructions: whole.instructions, calls })
}

fn is_call(word: u64, little_endian: bool) -> bool {
    let insn = Insn::from_word(word, little_endian);
    insn.opcode == CALL && insn.imm != Helper::Jiffies64 as i32
}

/// The maps of a node that knows a case. Errors: text, where the target is too small for it.
pub fn node(case: &Case, image: &Image) -> Result<NodeMaps, String> {
    let mut maps = NodeMaps::new(&image.target);
    let endpoint = Endpoint { ifindex: 1, id: 7, address4: Some(ENDPOINT), address6: None, mac: None };
    maps.insert_endpoint(&endpoint).map_err(|error| error.to_string())?;
    let prefixes: Vec<_> = case.members().map(|member| (member.address, member.len, member.peer)).collect();
    let addresses = Address4::build(&image.target, 0, &prefixes).map_err(|error| error.to_string())?;
    maps.set_addresses4(&addresses);
    Ok(maps)
}
