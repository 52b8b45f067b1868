//! T15 and T11: verdicts from an image's tables, packets through its programs in user space, and what its tables take.

use crate::clock::{median, thread_time};
use crate::datapath::case::{Case, ENDPOINT, Flow, Pattern};
use crate::datapath::kernel::Error;
use crate::datapath::{ours, path};
use crate::line::Line;
use ebpf::Matrix;
use flow::{L4Key, Protocol};
use image::{Fill, Hook, Image, Table};
use packet::Flags;
use packet::craft::Frame;
use rustc_hash::FxHashMap;
use std::hint::black_box;
use std::net::Ipv4Addr;
use vm::Context;

/// The targets that this module measures.
pub const TARGETS: [&str; 2] = ["T11", "T15"];

/// How often a ring is gone through; the median counts.
const ROUNDS: usize = 9;
/// How many packets go through the engines that run programs.
const PACKETS: usize = 1 << 14;

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
    let [interpreted, native] = programs(case, image, classes, &ring)?;
    Ok(Line::new("T15", n, pattern.name())
        .figure("ours_ns", ours)
        .figure("million_a_second", 1e3 / ours)
        .figure("peer_shape_ns", peer)
        .figure("ratio", peer / ours)
        .figure("vm_packet_ns", interpreted)
        .figure("native_packet_ns", native))
}

/// Nanoseconds of this thread for each item.
fn each<T>(items: &[T], mut decide: impl FnMut(&T) -> u8) -> f64 {
    let round = |_| {
        let begin = thread_time();
        let sum = items.iter().fold(0u64, |sum, item| sum + u64::from(decide(item)));
        black_box(sum);
        (thread_time() - begin).as_secs_f64() * 1e9 / items.len() as f64
    };
    median((0..ROUNDS).map(round).collect())
}

/// The same of whole packets of new connections through the interpreter and through machine code.
fn programs(case: &Case, image: &Image, classes: &[u16], ring: &[Flow]) -> Result<[f64; 2], Error> {
    let frame =
        |it: &Flow| Frame::tcp(Ipv4Addr::from_bits(it.source), ENDPOINT, it.source_port, it.port, Flags::SYN).build();
    let packets: Vec<Vec<u8>> = ring.iter().take(PACKETS).map(frame).collect();
    let context = Context { ifindex: 1, now_jiffies: 1000, ..Context::default() };
    let wrong = |error: &dyn std::fmt::Display| Error::Wrong(error.to_string());
    let mut interpreter = vm::Machine::load(image).map_err(|error| wrong(&error))?;
    let mut native = native::Machine::load(image).map_err(|error| wrong(&error))?;
    for (peer, class) in (0..).zip(classes.iter().copied()) {
        interpreter.set_class(Hook::ToEndpoint, peer, class);
        native.set_class(Hook::ToEndpoint, peer, class);
    }
    let node = || path::node(case, image).map_err(Error::Wrong);
    let (mut maps, mut others) = (node()?, node()?);
    let hook = Hook::ToEndpoint;
    let interpreted = each(&packets, |it| {
        u8::from(interpreter.run(&mut maps, hook, it, &context).is_ok_and(|outcome| outcome.passes()))
    });
    let compiled = each(&packets, |it| {
        u8::from(native.run(&mut others, hook, it, &context).is_ok_and(|outcome| outcome.passes()))
    });
    Ok([interpreted, compiled])
}
