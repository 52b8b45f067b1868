//! Our programs for a case, loaded with the ring in front.

use super::case::{Case, Flow};
use super::kernel::{Error, Subject};
use super::wrap::{self, Front, TURNS, ring_bytes};
use diagram::{Diagram, Limits};
use ebpf::Matrix;
use flow::{Family, Prefix};
use image::codec::{Config, Endpoint};
use image::{Fill, Hook, Image, MapRef, Table, Target};
use loader::{Loaded, Node, Pins};
use packet::Flags;
use packet::craft::Frame;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The interface of frames in test runs: the loopback, by the kernel's choice.
const LOOPBACK: u32 = 1;
/// Any secret does.
const SEED: u32 = 0x5eed;

/// A node that knows a case: its addresses, the endpoint, the classes of an image.
pub struct Ours {
    node: Node,
    diagram: Diagram,
    target: Target,
    family: Family,
}

/// The target for a case: defaults, and more address pages where the prefixes need them.
pub fn target(case: &Case) -> Target {
    if case.family == Family::V6 {
        return Target::default();
    }
    // A prefix longer than /24 needs a page of its own; the rest are those above it.
    let mut blocks: Vec<u32> = case.members().map(|member| member.address >> 8).collect();
    blocks.sort_unstable();
    blocks.dedup();
    let pages = blocks.len() + (blocks.len() >> 8) + 2;
    let needed = pages.next_power_of_two().trailing_zeros() as u8;
    let usual = Target::default();
    Target { address4_pages_log2: usual.address4_pages_log2.max(needed), ..usual }
}

impl Ours {
    /// A node without programs. The clock of connections runs at the kernel's pace.
    pub fn new(case: &Case) -> Result<Ours, Error> {
        let target = target(case);
        let mut node = Node::open("bench", &target, Pins::None)?;
        let config = Config::new(loader::hz()?, SEED);
        // As in production without a reader of each allowed flow: drops are recorded, first packets are not.
        node.set_config(&Config { flags: image::layout::config::RECORD_DROPPED, ..config });
        node.endpoint_insert(&endpoint(case, LOOPBACK, 7))?;
        node.assign_all(&case.addresses())?;
        let diagram = diagram::build(&case.rules(), case.peers(), &Limits::default())?;
        Ok(Ours { node, diagram, target, family: case.family })
    }

    /// The diagram of the case.
    pub fn diagram(&self) -> &Diagram {
        &self.diagram
    }

    /// The image of the decision alone, by some shapes.
    pub fn decision(&self, shapes: ebpf::Shapes) -> Result<Image, Error> {
        Ok(ebpf::compile_decision(self.family, shapes, "bench", &Matrix::of(&self.diagram)?, &self.target)?)
    }

    /// The whole image of an endpoint whose egress nothing restricts.
    pub fn whole(&self) -> Result<Image, Error> {
        Ok(ebpf::compile_matrices("bench", &Matrix::of(&self.diagram)?, &Matrix::allow(), &self.target)?)
    }

    /// The whole image of a node whose egress nothing restricts.
    pub fn host(&self) -> Result<Image, Error> {
        let (ingress, egress) = (Matrix::of(&self.diagram)?, Matrix::allow());
        Ok(ebpf::compile_hooks(Hook::HOST, "bench", &ingress, &egress, &self.target)?)
    }

    /// Loads an image as it is.
    pub fn load(&mut self, image: &Image) -> Result<Arc<Loaded>, Error> {
        let loaded = self.node.load(image)?;
        let classes: Vec<(u32, u16)> = (0..).zip(ebpf::class_table(&self.diagram)).collect();
        loaded.fill_classes(Hook::ToEndpoint, &classes);
        Ok(loaded)
    }

    /// Loads an image that differs from others by a table that nobody reads, so that it is an image of its own.
    pub fn load_copy(&mut self, image: &Image, at: u8) -> Result<Arc<Loaded>, Error> {
        let mut image = image.clone();
        image.tables.push(Table { name: "bench_copy".into(), fill: Fill::Fixed(vec![at; 8]) });
        self.load(&image)
    }

    /// Has an interface run an image, in place of what it ran.
    pub fn attach(&mut self, hook: Hook, ifindex: u32, loaded: &Arc<Loaded>) -> Result<(), Error> {
        self.node.attach("bench", hook, ifindex, loaded)?;
        Ok(())
    }

    /// How many images the kernel's verifier was asked about.
    pub fn loads(&self) -> u64 {
        self.node.loads()
    }

    /// Gives an address, another one each time, to a peer.
    pub fn move_pod(&mut self, at: u32, peer: u32) -> Result<(), Error> {
        let address = IpAddr::V4(Ipv4Addr::from_bits((10 << 24) + 200 + at % 50));
        let prefix = Prefix::new(address, 32).ok_or_else(|| Error::Wrong(format!("{address} is no prefix")))?;
        Ok(self.node.assign(&[(prefix, (at % 100 < 50).then_some(peer))])?)
    }

    /// Lets an endpoint come or go.
    pub fn endpoint(&mut self, case: &Case, at: u32) -> Result<(), Error> {
        let ifindex = LOOPBACK + 1 + at / 2 % 100;
        if at % 2 == 1 {
            self.node.endpoint_remove(ifindex);
            return Ok(());
        }
        Ok(self.node.endpoint_insert(&endpoint(case, ifindex, 8))?)
    }

    /// Loads an image with a ring in front of the program towards the endpoint.
    pub fn load_with_ring(&mut self, image: &Image, ring: &[Flow], front: Front) -> Result<Subject, Error> {
        let mut image = image.clone();
        let at = image.tables.len() as u16;
        image.tables.push(Table { name: "bench_ring".into(), fill: Fill::Fixed(ring_bytes(ring)) });
        image.tables.push(Table { name: "bench_turn".into(), fill: Fill::Counters(TURNS / 8) });
        let front = wrap::baseline(MapRef::Own(at), MapRef::Own(at + 1), front)?;
        for program in image.programs.iter_mut().filter(|program| program.hook == Hook::ToEndpoint) {
            let whole = wrap::wrap(&front, &program.insns, &program.relocs);
            (program.insns, program.relocs) = (whole.insns, whole.relocs);
        }
        Ok(Subject::Ours(self.load(&image)?, Hook::ToEndpoint))
    }

    /// Opens the connections of these flows and has them answered; what is tracked then.
    pub fn establish(&self, case: &Case, loaded: &Loaded, flows: &[Flow]) -> Result<usize, Error> {
        let context = loader::Context::default();
        for flow in flows {
            let (remote, endpoint) = (case.address(flow.source), case.endpoint());
            let open = Frame::tcp(remote, endpoint, flow.source_port, flow.port, Flags::SYN).build();
            let answer = Frame::tcp(endpoint, remote, flow.port, flow.source_port, Flags::SYN_ACK).build();
            loaded.run(Hook::ToEndpoint, &open, &context, 1)?;
            loaded.run(Hook::FromEndpoint, &answer, &context, 1)?;
        }
        Ok(self.node.connections().iter().filter(|connection| answered(connection)).count())
    }

    /// How many packets were dropped so far, whatever the reason.
    pub fn drops(&self) -> u64 {
        let counters = self.node.counters();
        counters[1..image::layout::AUDITED as usize].iter().sum()
    }

    /// The verdict of the diagram, which the oracle's tests hold to the meaning.
    pub fn expects(&self, case: &Case, flow: &Flow) -> bool {
        let peer = case.peer_of(flow.source).unwrap_or(u32::MAX);
        let key = flow::L4Key::new(flow::Protocol::TCP, flow.port);
        self.diagram.eval(flow::PeerId(peer), key).is_allowed()
    }
}

fn answered(connection: &image::codec::Connection) -> bool {
    connection.flags & image::layout::state::ANSWERED != 0
}

/// The frame whose addresses and ports a ring replaces.
pub fn template(case: &Case, flags: Flags) -> Vec<u8> {
    Frame::tcp(case.address(0x0a00_0002), case.endpoint(), 40_000, 8000, flags).build()
}

/// An endpoint with the address of a case.
fn endpoint(case: &Case, ifindex: u32, id: u16) -> Endpoint {
    let (address4, address6) = match case.endpoint() {
        IpAddr::V4(address) => (Some(address), None),
        IpAddr::V6(address) => (None, Some(address)),
    };
    Endpoint { ifindex, id, address4, address6, mac: None }
}
