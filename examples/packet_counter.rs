//! A first eBPF program on this project's assembler: counts the packets that come in by an interface, and their bytes, one pair of
//! counters for each processor, so that no two processors ever wait for each other.
//!
//! ```text
//! cargo run --release -p tidegate-loader --example packet_counter -- eth0 10      # as root, kernel 6.6 or newer
//! ```
//! The same in C is the first chapter of every book about eBPF. What to look at: the assembler refuses jumps without a target, dead
//! instructions and frames that are too large ([`ebpf::asm`]); what it lets through still has to please the kernel's verifier, whose
//! complaint comes back with the error; and the program is gone when [`PacketCounter`] is dropped.

use ebpf::asm::{Alu, Asm, AsmError, Cond, Helper, Reg, Size, Slot};
use image::{Hook, MapKind, MapRef, MapSpec, Program};
use loader::sys::{link::Link, map, program};
use std::fmt;
use std::time::Duration;

/// Where the program keeps the number of the map's entry: the key of the look-up. Programs have 512 bytes below the frame pointer.
const KEY: Slot = Slot(-4);
/// Offsets of the two counters in an entry.
const PACKETS: i16 = 0;
const BYTES: i16 = 8;
/// Where `struct __sk_buff` has the length of the packet (linux/bpf.h).
const SKB_LEN: i16 = 0;
/// What the program answers: the packet goes on to whoever is next (`TCX_NEXT`).
const NEXT: i32 = -1;

/// What one processor has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Their bytes, from the Ethernet header on.
    pub bytes: u64,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packets, {} bytes", self.packets, self.bytes)
    }
}

/// Counts packets for as long as it lives.
pub struct PacketCounter {
    counters: map::Map,
    _link: Link,
}

impl PacketCounter {
    /// Attaches a new program in front of all others at an interface's ingress.
    ///
    /// Errors: text that says which step failed, with the verifier's complaint where it was that.
    pub fn attach(ifindex: u32) -> Result<PacketCounter, String> {
        let spec = MapSpec { kind: MapKind::PerCpuArray, key_size: 4, value_size: 16, max_entries: 1 };
        let counters = map::Map::create("counters", &spec, map::Access::Shared)
            .map_err(|error| format!("the map cannot be made: {error}"))?;
        let program = assemble().map_err(|error| format!("the program is malformed: {error}"))?;
        let words = loader::relocate(&program, |_| Some(&counters))?;
        let (program, stats) = program::load(&program.name, &words)
            .map_err(|refused| format!("the kernel refuses the program: {}\n{}", refused.error, refused.log))?;
        println!("the verifier walked {} instructions", stats.verified_insns);
        let link = Link::attach(&program, Hook::FromEndpoint, ifindex, None)
            .map_err(|error| format!("the program cannot be attached: {error}"))?;
        Ok(PacketCounter { counters, _link: link })
    }

    /// What each processor has counted so far. Errors: the kernel's.
    pub fn counts(&self) -> std::io::Result<Vec<Count>> {
        let entry = self.counters.lookup_each(&0u32.to_ne_bytes())?.unwrap_or_default();
        let number = |value: &[u8], at: i16| {
            let bytes = value.get(at as usize..).and_then(|rest| rest.first_chunk());
            bytes.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
        };
        Ok(entry.iter().map(|value| Count { packets: number(value, PACKETS), bytes: number(value, BYTES) }).collect())
    }
}

/// The program: look the entry up, add to both of its counters, let the packet go on.
fn assemble() -> Result<Program, AsmError> {
    let mut asm = Asm::new();
    let next = asm.label();
    // The context comes in R1, which the call takes away; R6 to R9 survive calls.
    asm.mov(Reg::R6, Reg::R1);
    asm.put_imm(Size::Word, KEY, 0);
    asm.map(Reg::R1, MapRef::Own(0));
    asm.frame(Reg::R2, KEY);
    asm.call(Helper::MapLookup);
    // An array has all its entries; the verifier wants to see it asked all the same.
    asm.jump_if(Cond::Eq, Reg::R0, 0, next);
    // No other processor has this entry and a program is not preempted by itself: no atomic addition is needed.
    asm.load(Size::Double, Reg::R1, Reg::R0, PACKETS);
    asm.alu(Alu::Add, Reg::R1, 1);
    asm.store(Size::Double, Reg::R0, PACKETS, Reg::R1);
    asm.load(Size::Word, Reg::R2, Reg::R6, SKB_LEN);
    asm.load(Size::Double, Reg::R1, Reg::R0, BYTES);
    asm.alu(Alu::Add, Reg::R1, Reg::R2);
    asm.store(Size::Double, Reg::R0, BYTES, Reg::R1);
    asm.bind(next);
    asm.mov(Reg::R0, NEXT);
    asm.exit();
    let assembled = asm.finish(cfg!(target_endian = "little"))?;
    let (insns, relocs) = (assembled.insns, assembled.relocs);
    Ok(Program { name: "packet_counter".into(), hook: Hook::FromEndpoint, insns, relocs })
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: packet_counter INTERFACE [SECONDS]";
    let interface = arguments.next().ok_or(usage)?;
    let seconds: u64 = arguments.next().map_or(Ok(10), |text| text.parse()).map_err(|_| usage)?;
    let index = format!("/sys/class/net/{interface}/ifindex");
    let index = std::fs::read_to_string(index).map_err(|error| format!("no interface `{interface}`: {error}"))?;
    let index = index.trim().parse().map_err(|_| format!("the interface `{interface}` has no number"))?;
    let counter = PacketCounter::attach(index)?;
    std::thread::sleep(Duration::from_secs(seconds));
    let counts = counter.counts().map_err(|error| format!("the counters cannot be read: {error}"))?;
    for (processor, count) in counts.iter().enumerate() {
        println!("processor {processor}: {count}");
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
