//! T15 and T11: verdicts from an image's tables, packets through its programs in user space, and what its tables take.

use crate::clock::{median, thread_time};
use crate::datapath::case::{Case, ENDPOINT, Flow, Pattern};
use crate::datapath::kernel::Error;
use crate::datapath::{ours, path};
use crate::line::Line;
use ebpf::Matrix;
use flow::{L4Key, Protocol};
use image::codec::Config;
use image::{Fill, Hook, Image, Table, Target};
use maps::NodeMaps;
use packet::Flags;
use packet::craft::Frame;
use rustc_hash::FxHashMap;
use std::hint::black_box;
use std::net::Ipv4Addr;
use vm::{Context, Fault, Outcome};

/// The targets that this module measures.
pub const TARGETS: [&str; 2] = ["T11", "T15"];

/// How often a ring is gone through; the median counts.
const ROUNDS: usize = 9;
/// How many packets go through the engines that run programs.
const PACKETS: usize = 1 << 14;

/// Sets of a connection table that the nearest caches hold: 64 KiB.
const NEAR_SETS_LOG2: u8 = 8;

/// Measures the targets that are wanted, line by line.
pub fn run(wanted: &dyn Fn(&str) -> bool, quick: bool, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    let sizes: &[usize] = if quick { &[10, 1000] } else { &[10, 100, 1000, 10_000, 64_000] };
    for &n in sizes {
        let case = Case::identities(n);
        let target = ours::target(&case);
        let diagram = diagram::build(&case.rules(), case.peers(), &diagram::Limits::default())?;
        let image = ebpf::compile_matrices("bench", &Matrix::of(&diagram)?, &Matrix::allow(), &target)?;
        let classes = ebpf::class_table(&diagram);
        if wanted("T11") {
            say(memory(n, &case, &image));
        }
        if wanted("T15") {
            for pattern in Pattern::BOTH {
                say(verdicts(n, pattern, &case, &image, &classes)?);
            }
            packets(n, say)?;
        }
    }
    Ok(())
}

/// What tables take for each identity, next to a map of the hash shape: an entry for each identity and port, of 8 bytes of key, 8 of value,
/// 48 of the kernel's own.
fn memory(n: usize, case: &Case, image: &Image) -> Line {
    let size = |table: &Table| table.value_size(case.peers());
    let of = |wanted: fn(&Fill) -> bool| image.tables.iter().filter(|it| wanted(&it.fill)).map(size).sum::<u32>();
    let (fixed, classes) = (of(|it| matches!(it, Fill::Fixed(_))), of(|it| matches!(it, Fill::Classes(_))));
    let each = |bytes: u32| f64::from(bytes) / n as f64;
    Line::new("T11", n, "identities")
        .with("decision_bytes", fixed)
        .with("class_bytes", classes)
        .figure("decision_bytes_per_identity", each(fixed))
        .figure("class_bytes_per_identity", each(classes))
        // A page of addresses holds 256 of 4 bytes; pods fill a page but for a few.
        .figure("address_bytes_per_identity", 1024.0 / 110.0)
        .with("peer_shape_bytes_per_identity", 64)
}

fn verdicts(n: usize, pattern: Pattern, case: &Case, image: &Image, classes: &[u16]) -> Result<Line, Error> {
    let ring = case.ring(pattern, 1);
    let peers: FxHashMap<u32, u32> = case.members().map(|it| (it.address, it.peer)).collect();
    let asked: Vec<(u32, u32)> = ring
        .iter()
        .map(|it| (peers.get(&it.source).copied().unwrap_or(u32::MAX), L4Key::new(Protocol::TCP, it.port).raw()))
        .collect();
    let allowed: FxHashMap<(u32, u32), u8> = case
        .allows
        .iter()
        .flat_map(|allow| allow.members.iter().map(|it| ((it.peer, L4Key::new(Protocol::TCP, allow.ports.0).raw()), 1)))
        .collect();
    let plan = &image.plan.ingress;
    let tables = |&(peer, key): &(u32, u32)| vm::tables::decide(image, plan, classes, peer, key).byte;
    let hash = |asked: &(u32, u32)| allowed.get(asked).copied().unwrap_or(0);
    if let Some(differs) = asked.iter().find(|it| tables(it) != hash(it)) {
        return Err(Error::Wrong(format!("the tables and the peer decide {differs:?} differently")));
    }
    let (ours, peer) = (each(&asked, tables), each(&asked, hash));
    Ok(Line::new("T15", n, pattern.name())
        .figure("ours_ns", ours)
        .figure("million_a_second", 1e3 / ours)
        .figure("peer_shape_ns", peer)
        .figure("ratio", peer / ours))
}

/// Nanoseconds of this thread for each item: the median of rounds.
fn each<T>(items: &[T], mut decide: impl FnMut(&T) -> u8) -> f64 {
    let mut sum = 0u64;
    let times = (0..ROUNDS).map(|_| once(items, |item| sum += u64::from(decide(item)))).collect();
    black_box(sum);
    median(times)
}

/// The same of one round.
fn once<T>(items: &[T], act: impl FnMut(&T)) -> f64 {
    let begin = thread_time();
    items.iter().for_each(act);
    (thread_time() - begin).as_secs_f64() * 1e9 / items.len() as f64
}

/// Whole packets through the interpreter and through machine code: of connections that are there and answered, then of new ones.
fn packets(n: usize, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    let case = Case::wide(n);
    let sets_log2 = ours::target(&case).track4_sets_log2;
    let mut engines = Engines::new(&case, sets_log2)?;
    for pattern in Pattern::BOTH {
        let (ring, flows) = case.ring_of_flows(pattern, 1);
        engines.establish(&flows)?;
        let frames: Vec<Vec<u8>> = ring.iter().take(PACKETS).map(|it| to_endpoint(it, Flags::ACK)).collect();
        say(engines
            .line(n, &format!("established-{}", pattern.name()), |_| frames.clone())?
            .with("flows", flows.len()));
    }
    let ring = case.ring_of_new_flows(1);
    let round = |round: usize| {
        // Another destination port each round, so that no flow comes twice.
        let flow = |it: &Flow| Flow { port: 1 << 15 | round as u16, ..*it };
        ring.iter().take(PACKETS).map(|it| to_endpoint(&flow(it), Flags::SYN)).collect()
    };
    say(engines.line(n, "new", round)?);
    // The same with a table that stays in the nearest caches: what is left is the work, with every set full.
    say(Engines::new(&case, NEAR_SETS_LOG2)?.line(n, "new-near", round)?);
    Ok(())
}

fn to_endpoint(flow: &Flow, flags: Flags) -> Vec<u8> {
    Frame::tcp(Ipv4Addr::from_bits(flow.source), ENDPOINT, flow.source_port, flow.port, flags).build()
}

/// Both engines of one image, each with the maps of a node of its own.
struct Engines {
    interpreter: (vm::Machine, NodeMaps),
    native: (native::Machine, NodeMaps),
    context: Context,
}

impl Engines {
    fn new(case: &Case, sets_log2: u8) -> Result<Engines, Error> {
        let target = Target { track4_sets_log2: sets_log2, ..ours::target(case) };
        let diagram = diagram::build(&case.rules(), case.peers(), &diagram::Limits::default())?;
        let image = ebpf::compile_matrices("bench", &Matrix::of(&diagram)?, &Matrix::allow(), &target)?;
        let node = || {
            let mut maps = path::node(case, &image).map_err(Error::Wrong)?;
            // As for the kernel's rows: drops are recorded, first packets are not.
            let config = Config { flags: image::layout::config::RECORD_DROPPED, ..maps.config() };
            maps.set_config(&config);
            Ok::<_, Error>(maps)
        };
        let mut interpreter = vm::Machine::load(&image).map_err(wrong)?;
        let mut native = native::Machine::load(&image).map_err(wrong)?;
        for (peer, class) in (0..).zip(ebpf::class_table(&diagram)) {
            interpreter.set_class(Hook::ToEndpoint, peer, class);
            native.set_class(Hook::ToEndpoint, peer, class);
        }
        let context = Context { ifindex: 1, now_jiffies: 1000, ..Context::default() };
        Ok(Engines { interpreter: (interpreter, node()?), native: (native, node()?), context })
    }

    /// Runs a packet on both; whether it passes. Errors: they differ.
    fn run(&mut self, hook: Hook, packet: &[u8]) -> Result<bool, Error> {
        let (interpreter, maps) = &mut self.interpreter;
        let expected = interpreter.run(maps, hook, packet, &self.context);
        let (native, maps) = &mut self.native;
        let found = native.run(maps, hook, packet, &self.context);
        if expected != found {
            return Err(Error::Wrong(format!("machine code answers {found:?} and the interpreter {expected:?}")));
        }
        Ok(found.map_err(wrong)?.passes())
    }

    fn establish(&mut self, flows: &[Flow]) -> Result<(), Error> {
        for flow in flows {
            let remote = Ipv4Addr::from_bits(flow.source);
            let answer = Frame::tcp(ENDPOINT, remote, flow.port, flow.source_port, Flags::SYN_ACK).build();
            let passed = self.run(Hook::ToEndpoint, &to_endpoint(flow, Flags::SYN))?
                && self.run(Hook::FromEndpoint, &answer)?
                && self.run(Hook::ToEndpoint, &to_endpoint(flow, Flags::ACK))?;
            if !passed {
                return Err(Error::Wrong(format!("no connection of {flow:x?} is made")));
            }
        }
        Ok(())
    }

    /// Times rounds of packets that pass: one engine after the other, so that neither finds the other's tables in the caches.
    fn line(&mut self, n: usize, pattern: &str, round: impl Fn(usize) -> Vec<Vec<u8>>) -> Result<Line, Error> {
        let context = &self.context;
        let (machine, maps) = &mut self.interpreter;
        let mut session = machine.session(maps, Hook::ToEndpoint).map_err(wrong)?;
        let (interpreted, _) = rounds(&round, |it| session.run(it, context))?;
        let (machine, maps) = &mut self.native;
        let mut session = machine.session(maps, Hook::ToEndpoint).map_err(wrong)?;
        let (native, instructions) = rounds(&round, |it| session.run(it, context))?;
        Ok(Line::new("T15", n, pattern)
            .figure("vm_packet_ns", interpreted)
            .figure("native_packet_ns", native)
            .figure("million_packets_a_second", 1e3 / native)
            .figure("insns", instructions)
            .figure("asked", session.asked() as f64 / (ROUNDS * PACKETS) as f64))
    }
}

/// Nanoseconds a packet, the median of rounds, and instructions. Errors: one does not pass.
fn rounds(
    round: impl Fn(usize) -> Vec<Vec<u8>>,
    mut run: impl FnMut(&[u8]) -> Result<Outcome, Fault>,
) -> Result<(f64, f64), Error> {
    let (mut passed, mut instructions) = (0, 0);
    let time = |at| {
        once(&round(at), |packet| {
            if let Ok(outcome) = run(packet) {
                passed += usize::from(outcome.passes());
                instructions += outcome.instructions;
            }
        })
    };
    let time = median((0..ROUNDS).map(time).collect());
    if passed != ROUNDS * PACKETS {
        return Err(Error::Wrong(format!("of {} packets {passed} pass", ROUNDS * PACKETS)));
    }
    Ok((time, instructions as f64 / passed as f64))
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::Wrong(error.to_string())
}
