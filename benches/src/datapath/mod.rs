//! Nanoseconds a packet, ours and the shapes of others, in one interleaved run.
//!
//! ```text
//!  Case ─┬─ rules ─► diagram ─► image ─┐
//!        ├─ peers::* ──────────────────┼─ ring in front ─► BPF_PROG_TEST_RUN, round after round ─► net medians
//!        └─ ring of flows ─────────────┘
//! ```
//! A test run repeats one frame, so the next flow of a ring is written into it before each program; the baseline does that alone. Time is
//! that of the thread's processor. Short programs partly hide behind the harness, whose own cost (some 20 to 40 ns) runs beside them.
//! Patterns whose names end in `ipv6` are the same over IPv6; `many-flows` and `swept` find cold caches; `two` has two processors in one
//! program at once ([`contention`]).

pub mod case;
pub mod contention;
pub mod kernel;
pub mod ours;
pub mod path;
pub mod rounds;
pub mod wrap;
pub mod writes;

use crate::line::Line;
use crate::peers::{self, Shape};
use case::{Case, Flow, Pattern, SLOTS};
use contention::Contended;
use ebpf::Shapes;
use flow::Family;
use image::{Hook, Image, MapRef};
use kernel::{Error, Subject};
use ours::{Ours, template};
use packet::Flags;
use rounds::{Caches, Effort, net};
use wrap::{Flows, Front, Lanes, TCX_NEXT, TURNS};

/// Seeds of rings and of the flows that verdicts are compared on.
const RING_SEED: u64 = 1;
const CHECK_SEED: u64 = 2;
/// How many flows verdicts are compared on before anything is measured.
const CHECKS: usize = 300;

/// The greatest size at which the shapes of a decision that were not chosen are measured, too.
const SMALL: usize = 100;

/// A shape without a ring: its verdicts are asked with frames of our own.
pub fn plain(name: &str, shape: Shape) -> Result<(Subject, u32), Error> {
    kernel::load(name, &shape.code, shape.maps)
}

/// A shape with a ring in front.
fn ringed(name: &str, mut shape: Shape, ring: &[Flow], front: Front) -> Result<Subject, Error> {
    let at = shape.maps.len() as u16;
    let front = wrap::baseline(MapRef::Own(at), MapRef::Own(at + 1), front)?;
    shape.maps.extend(ring_maps(ring)?);
    let code = wrap::wrap(&front, &shape.code.insns, &shape.code.relocs);
    Ok(kernel::load(name, &code, shape.maps)?.0)
}

/// The ring alone.
fn baseline(ring: &[Flow], front: Front) -> Result<Subject, Error> {
    let code = wrap::baseline(MapRef::Own(0), MapRef::Own(1), front)?;
    Ok(kernel::load("baseline", &code, ring_maps(ring)?.into())?.0)
}

fn ring_maps(ring: &[Flow]) -> Result<[loader::sys::map::Map; 2], Error> {
    Ok([kernel::constant(&wrap::ring_bytes(ring))?, kernel::map(image::MapKind::Array, 4, TURNS, 1)?])
}

/// Compares the verdicts of a subject on random flows with what the rules mean.
///
/// Errors: [`Error::Wrong`], naming the first flow that differs.
pub fn check(name: &str, subject: &Subject, ours: &Ours, case: &Case) -> Result<(), Error> {
    let mut random = crate::random::Random::new(CHECK_SEED);
    for _ in 0..CHECKS {
        let flow = case.any_flow(&mut random);
        let expected = ours.expects(case, &flow);
        if (subject.run(&frame(case, &flow), 1)? == TCX_NEXT) != expected {
            return Err(Error::Wrong(format!("{name} decides {flow:x?} other than the rules, which say {expected}")));
        }
    }
    Ok(())
}

/// A frame of a flow.
pub fn frame(case: &Case, flow: &Flow) -> Vec<u8> {
    let source = case.address(flow.source);
    packet::craft::Frame::tcp(source, case.endpoint(), flow.source_port, flow.port, Flags::SYN).build()
}

/// A way to build a peer's shape for a case.
type Build = fn(&Case) -> Result<Shape, Error>;

/// Sizes of a target, and of its quick form.
struct Sizes {
    full: &'static [usize],
    quick: &'static [usize],
}

impl Sizes {
    fn of(&self, quick: bool) -> &'static [usize] {
        if quick { self.quick } else { self.full }
    }
}

/// A comparison of decisions alone: T1, T2, T3.
struct Decision {
    target: &'static str,
    sizes: Sizes,
    case: fn(usize) -> Case,
    /// The first is `peer_shape`; others have names of their own.
    peers: &'static [(&'static str, Build)],
    /// The greatest size for the peers, by which their cost or their size ends the comparison.
    peer_limit: usize,
}

const DECISIONS: [Decision; 3] = [
    Decision {
        target: "T1",
        sizes: Sizes { full: &[10, 100, 1000, 10_000, 64_000], quick: &[10, 100, 1000, 10_000, 64_000] },
        case: Case::identities,
        peers: &[("peer_shape", peers::lpm::shape), ("hash_shape", peers::hash::shape)],
        peer_limit: 64_000,
    },
    Decision {
        target: "T2",
        sizes: Sizes { full: &[10, 100, 1000, 4000, 10_000], quick: &[100, 1000] },
        case: Case::prefixes,
        peers: &[("peer_shape", peers::cidr::shape)],
        // Two pending branches a rule, and the verifier holds 8192.
        peer_limit: 4000,
    },
    Decision {
        target: "T3",
        sizes: Sizes { full: &[10, 100, 1000, 10_000], quick: &[10, 100, 1000] },
        case: Case::selectors,
        peers: &[("peer_shape", peers::selectors::shape)],
        peer_limit: 1000,
    },
];

/// The targets that this module measures.
pub const TARGETS: [&str; 7] = ["T1", "T2", "T3", "T4", "T5", "T8", "T10"];

/// Measures the targets that are wanted, line by line.
pub fn run(wanted: &dyn Fn(&str) -> bool, quick: bool, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    for decision in DECISIONS.iter().filter(|decision| wanted(decision.target)) {
        decisions(decision, decision.case, decision.sizes.of(quick), effort, say)?;
    }
    let few: &[usize] = if quick { &[1000] } else { &[10, 1000, 64_000] };
    if let Some(identities) = DECISIONS.iter().find(|it| it.target == "T1" && wanted("T1")) {
        decisions(identities, |n| Case::identities(n).ipv6(), few, effort, say)?;
    }
    let sizes = Sizes { full: &[10, 100, 1000, 10_000, 64_000], quick: &[10, 1000, 10_000] };
    if wanted("T4") {
        established(Case::wide, sizes.of(quick), effort, say)?;
        established(|n| Case::wide(n).ipv6(), few, effort, say)?;
        cold(few, effort, say)?;
        established_by_two(few, effort, say)?;
    }
    if wanted("T5") {
        opened(Case::wide, sizes.of(quick), effort, say)?;
        opened(|n| Case::wide(n).ipv6(), few, effort, say)?;
        opened_by_two(few, effort, say)?;
    }
    if wanted("T8") {
        writes::run(sizes.of(quick), say)?;
    }
    if wanted("T10") {
        programs(if quick { &[1000] } else { &[10, 1000, 64_000] }, say)?;
    }
    Ok(())
}

fn decisions(
    of: &Decision,
    case: fn(usize) -> Case,
    sizes: &[usize],
    effort: Effort,
    say: &mut dyn FnMut(Line),
) -> Result<(), Error> {
    let mut least = [None; Pattern::BOTH.len()];
    for &n in sizes {
        let case = case(n);
        let front = Front::one(case.family, Flows::Kept);
        let mut ours = Ours::new(&case)?;
        let image = ours.decision(Shapes::Cheapest)?;
        let others = if n <= SMALL { by_other_shapes(&ours, &image)? } else { Vec::new() };
        let peers: &[_] = if n <= of.peer_limit { of.peers } else { &[] };
        let bare = ours.load(&image)?;
        check("ours", &Subject::Ours(bare, Hook::ToEndpoint), &ours, &case)?;
        for (name, build) in peers {
            check(name, &plain(name, build(&case)?)?.0, &ours, &case)?;
        }
        for (pattern, least) in Pattern::BOTH.into_iter().zip(&mut least) {
            let ring = case.ring(pattern, RING_SEED);
            let mut subjects = vec![baseline(&ring, front)?, ours.load_with_ring(&image, &ring, front)?];
            for (name, build) in peers {
                subjects.push(ringed(name, build(&case)?, &ring, front)?);
            }
            for (_, image) in &others {
                subjects.push(ours.load_with_ring(image, &ring, front)?);
            }
            let subjects: Vec<&Subject> = subjects.iter().collect();
            let times = net(&subjects, &template(&case, Flags::ACK), effort, Caches::Warm)?;
            let mut line = Line::new(of.target, n, &case.pattern(pattern.name())).figure("ours_ns", times[0]);
            for ((name, _), time) in peers.iter().zip(&times[1..]) {
                let ratio = if *name == "peer_shape" { "ratio".to_owned() } else { format!("{name}_ratio") };
                line = line.figure(&format!("{name}_ns"), *time).figure(&ratio, ratio_of(*time, times[0]));
            }
            if peers.is_empty() {
                line = line.with("peer_shape_ns", "not-run");
            }
            for ((name, _), time) in others.iter().zip(&times[1 + peers.len()..]) {
                line = line.figure(name, *time);
            }
            let first = *least.get_or_insert(times[0]);
            say(line.figure("flat", ratio_of(times[0], first)));
        }
    }
    Ok(())
}

/// The same decision by the shapes that were not chosen, where there are such.
fn by_other_shapes(ours: &Ours, chosen: &Image) -> Result<Vec<(&'static str, Image)>, Error> {
    let mut others: Vec<(&str, Image)> = Vec::new();
    for (name, shapes) in [("tables_ns", Shapes::Tables), ("sum_ns", Shapes::Sum), ("tree_ns", Shapes::Tree)] {
        let image = ours.decision(shapes)?;
        if image != *chosen && others.iter().all(|(_, known)| *known != image) {
            others.push((name, image));
        }
    }
    Ok(others)
}

/// A ratio between figures that may be noise around zero: nothing counts as less than half a nanosecond.
fn ratio_of(above: f64, below: f64) -> f64 {
    above.max(0.5) / below.max(0.5)
}

/// A case on a node, and the programs that are compared on one ring.
struct Stage {
    ours: Ours,
    bare: std::sync::Arc<loader::Loaded>,
    image: Image,
}

impl Stage {
    fn of(case: &Case) -> Result<Stage, Error> {
        let mut ours = Ours::new(case)?;
        let image = ours.whole()?;
        let bare = ours.load(&image)?;
        Ok(Stage { ours, bare, image })
    }

    /// The baseline, ours, and the whole shape of a peer.
    fn subjects(&mut self, case: &Case, ring: &[Flow], front: Front) -> Result<[Subject; 3], Error> {
        let ours = self.ours.load_with_ring(&self.image, ring, front)?;
        Ok([baseline(ring, front)?, ours, ringed("whole", peers::whole::shape(case)?, ring, front)?])
    }

    /// The same with all flows of the ring established on both. How many connections of ours are answered.
    fn established(
        &mut self,
        case: &Case,
        (ring, flows): (&[Flow], &[Flow]),
        front: Front,
    ) -> Result<([Subject; 3], usize), Error> {
        let answered = self.ours.establish(case, &self.bare, flows)?;
        let subjects = self.subjects(case, ring, front)?;
        // One turn, so that all connections of the peer are there.
        for lane in 0..=u8::from(front.lanes == Lanes::Two) {
            let mut frame = template(case, Flags::ACK);
            frame[wrap::LANE] = frame[wrap::LANE] & !1 | lane;
            subjects[2].run(&frame, SLOTS as u32)?;
        }
        Ok((subjects, answered))
    }
}

fn established(
    case: fn(usize) -> Case,
    sizes: &[usize],
    effort: Effort,
    say: &mut dyn FnMut(Line),
) -> Result<(), Error> {
    for &n in sizes {
        let case = case(n);
        let mut stage = Stage::of(&case)?;
        let front = Front::one(case.family, Flows::Kept);
        for pattern in Pattern::BOTH {
            let (ring, flows) = case.ring_of_flows(pattern, RING_SEED);
            let (subjects, answered) = stage.established(&case, (&ring, &flows), front)?;
            let times = net(&subjects.each_ref(), &template(&case, Flags::ACK), effort, Caches::Warm)?;
            let line = whole_line("T4", n, &case.pattern(pattern.name()), &times);
            say(line.with("flows", flows.len()).with("answered", answered).with("dropped", stage.ours.drops()));
        }
    }
    Ok(())
}

/// Established packets that find nothing of theirs nearby: of more flows than caches hold, and after caches were swept.
fn cold(sizes: &[usize], effort: Effort, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    let front = Front::one(Family::V4, Flows::Kept);
    for &n in sizes {
        let case = Case::wide(n);
        for (name, count, caches) in [("many-flows", SLOTS, Caches::Warm), ("swept", case::FLOWS, Caches::Swept)] {
            let mut stage = Stage::of(&case)?;
            let (ring, flows) = case.ring_of(count, Pattern::Uniform, RING_SEED);
            let (subjects, answered) = stage.established(&case, (&ring, &flows), front)?;
            let times = net(&subjects.each_ref(), &template(&case, Flags::ACK), effort, caches)?;
            let line = whole_line("T4", n, name, &times);
            say(line.with("flows", flows.len()).with("answered", answered).with("dropped", stage.ours.drops()));
        }
    }
    Ok(())
}

/// Two processors at once on established connections: each on its own, and both on the same.
fn established_by_two(sizes: &[usize], effort: Effort, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    let front = Front { family: Family::V4, flows: Flows::Kept, lanes: Lanes::Two };
    for &n in sizes {
        let case = Case::wide(n);
        let own = case.ring_of_own_flows(RING_SEED);
        for (name, (ring, flows)) in
            [("two-own-flows", own), ("two-same-flows", case.ring_of_flows(Pattern::Uniform, RING_SEED))]
        {
            let mut stage = Stage::of(&case)?;
            let (subjects, _) = stage.established(&case, (&ring, &flows), front)?;
            let times = contention::net(&subjects.each_ref(), &template(&case, Flags::ACK), effort)?;
            say(contended_line("T4", n, name, &times).with("dropped", stage.ours.drops()));
        }
    }
    Ok(())
}

fn opened(case: fn(usize) -> Case, sizes: &[usize], effort: Effort, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    for &n in sizes {
        let case = case(n);
        let mut stage = Stage::of(&case)?;
        let ring = case.ring_of_new_flows(RING_SEED);
        let subjects = stage.subjects(&case, &ring, Front::one(case.family, Flows::New))?;
        let frame = template(&case, Flags::SYN);
        fill(&subjects, &frame)?;
        let times = net(&subjects.each_ref(), &frame, effort, Caches::Warm)?;
        say(whole_line("T5", n, &case.pattern("uniform"), &times).with("dropped", stage.ours.drops()));
    }
    Ok(())
}

/// Two processors at once that open connections, each its own.
fn opened_by_two(sizes: &[usize], effort: Effort, say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    let front = Front { family: Family::V4, flows: Flows::New, lanes: Lanes::Two };
    for &n in sizes {
        let case = Case::wide(n);
        let mut stage = Stage::of(&case)?;
        let ring = case.ring_of_new_flows(RING_SEED);
        let subjects = stage.subjects(&case, &ring, front)?;
        let frame = template(&case, Flags::SYN);
        fill(&subjects, &frame)?;
        let times = contention::net(&subjects.each_ref(), &frame, effort)?;
        say(contended_line("T5", n, "two", &times).with("dropped", stage.ours.drops()));
    }
    Ok(())
}

/// As many connections as either table holds, so that every insertion has to make room.
fn fill(subjects: &[Subject; 3], frame: &[u8]) -> Result<(), Error> {
    subjects[1..].iter().try_for_each(|it| it.run(frame, 1 << 18).map(drop))
}

fn whole_line(target: &str, n: usize, pattern: &str, times: &[f64]) -> Line {
    Line::new(target, n, pattern)
        .figure("ours_ns", times[0])
        .figure("peer_shape_ns", times[1])
        .figure("ratio", ratio_of(times[1], times[0]))
}

fn contended_line(target: &str, n: usize, pattern: &str, times: &[Contended]) -> Line {
    let [ours, peer] = [times[0], times[1]];
    Line::new(target, n, pattern)
        .figure("ours_alone_ns", ours.alone)
        .figure("ours_ns", ours.together)
        .figure("peer_shape_alone_ns", peer.alone)
        .figure("peer_shape_ns", peer.together)
        .figure("ratio", ratio_of(peer.together, ours.together))
}

/// T10: what the verifier walked, and what an established packet runs.
fn programs(sizes: &[usize], say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    for &n in sizes {
        let case = Case::wide(n);
        let mut ours = Ours::new(&case)?;
        let image = ours.whole()?;
        let loaded = ours.load(&image)?;
        let verified = |hook| loaded.stats(hook).map_or(0, |stats| stats.verified_insns);
        let host = ours.host()?;
        let of_host = ours.load(&host)?;
        let host_verified = |hook| of_host.stats(hook).map_or(0, |stats| stats.verified_insns);
        let path = path::established(&case, ours.diagram(), &image).map_err(Error::Wrong)?;
        let shape = peers::whole::shape(&case)?;
        let peer_insns = shape.code.insns.len();
        let (_, peer_verified) = plain("whole", shape)?;
        let line = Line::new("T10", n, "established")
            .with("verified_insns", verified(Hook::ToEndpoint))
            .with("verified_insns_from_endpoint", verified(Hook::FromEndpoint))
            .with("verified_insns_to_host", host_verified(Hook::ToHost))
            .with("verified_insns_from_host", host_verified(Hook::FromHost))
            .with("insns", length(&image, Hook::ToEndpoint))
            .with("insns_from_endpoint", length(&image, Hook::FromEndpoint))
            .with("path_insns", path.instructions)
            .with("helper_calls", path.calls)
            .with("peer_shape_verified_insns", peer_verified)
            .with("peer_shape_insns", peer_insns)
            .with("peer_shape_helper_calls", peers::whole::CALLS);
        say(line);
    }
    Ok(())
}

fn length(image: &Image, hook: Hook) -> usize {
    image.program(hook).map_or(0, |program| program.insns.len())
}
