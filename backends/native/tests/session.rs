//! Sessions on programs as they are compiled: what they cost in questions to the interpreter, and that budgets end them where they should.

use ebpf::Matrix;
use flow::{L4Set, PeerId, PeerSet, Peers, Protocol};
use image::address::Address4;
use image::codec::{Config, Endpoint};
use image::{Hook, Image, Target};
use maps::NodeMaps;
use packet::Flags;
use packet::craft::Frame;
use rules::{Effect, Fallback, Level, Origin, OriginId, Rule, RuleSet, Tier};
use std::net::Ipv4Addr;
use std::sync::Arc;
use vm::{Context, What};

const ENDPOINT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
const FRIEND: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 5);
const PEER: u32 = 5;

/// Ingress of TCP 80 from one peer; egress of everything.
fn image() -> Image {
    let mut peers = PeerSet::default();
    peers.insert(PeerId(PEER));
    let l4 = L4Set::ports(Protocol::TCP, 80, 80);
    let rule = Rule { peers: Peers::Of(Arc::new(peers)), l4, effect: Effect::ALLOW, origin: OriginId(0) };
    let rules = RuleSet {
        tiers: vec![Tier { name: "normal".into(), levels: vec![Level { order: 0, rules: vec![rule] }], end: None }],
        fallback: Fallback::Deny(vec![]),
        origins: vec![Origin { object: "test".into(), path: String::new() }],
        listeners: vec![],
        requests: vec![],
        names_by_port: false,
    };
    let diagram = diagram::build(&rules, 8, &diagram::Limits::default()).unwrap();
    let ingress = Matrix::of(&diagram).unwrap();
    ebpf::compile_matrices("test", &ingress, &Matrix::allow(), &Target::default()).unwrap()
}

fn node(image: &Image) -> NodeMaps {
    let mut maps = NodeMaps::new(&image.target);
    let config = Config { flags: image::layout::config::RECORD_DROPPED, ..maps.config() };
    maps.set_config(&config);
    let endpoint = Endpoint { ifindex: 1, id: 7, address4: Some(ENDPOINT), address6: None, mac: None };
    maps.insert_endpoint(&endpoint).unwrap();
    assert!(maps.set_addresses4(&Address4::build(&image.target, 0, &[(FRIEND.to_bits(), 32, PEER)]).unwrap()));
    maps
}

/// Towards the endpoint.
fn packet(flags: Flags) -> Vec<u8> {
    Frame::tcp(FRIEND, ENDPOINT, 40_000, 80, flags).build()
}

fn context() -> Context {
    Context { ifindex: 1, now_jiffies: 1000, ..Context::default() }
}

#[test]
fn a_connection_asks_the_interpreter_for_nothing() {
    let image = image();
    let (mut machine, mut maps) = (native::Machine::load(&image).unwrap(), node(&image));
    machine.set_class(Hook::ToEndpoint, PEER, 1);
    let answer = Frame::tcp(ENDPOINT, FRIEND, 80, 40_000, Flags::SYN_ACK).build();
    for (hook, packets) in [
        (Hook::ToEndpoint, vec![packet(Flags::SYN)]),
        (Hook::FromEndpoint, vec![answer]),
        (Hook::ToEndpoint, vec![packet(Flags::ACK), packet(Flags::ACK)]),
    ] {
        let mut session = machine.session(&mut maps, hook).unwrap();
        for packet in packets {
            assert!(session.run(&packet, &context()).unwrap().passes());
            assert_eq!(session.packet(), packet);
        }
        assert_eq!(session.asked(), 0, "{hook:?}");
    }
}

#[test]
fn a_drop_asks_only_for_its_record() {
    let image = image();
    let (mut machine, mut maps) = (native::Machine::load(&image).unwrap(), node(&image));
    let mut session = machine.session(&mut maps, Hook::ToEndpoint).unwrap();
    assert!(!session.run(&packet(Flags::SYN), &context()).unwrap().passes());
    assert!(session.asked() > 0);
    assert_eq!(maps.take_records().len(), 1);
}

#[test]
fn every_budget_ends_a_run_where_the_interpreter_ends_it() {
    let image = image();
    let (mut interpreted, mut compiled) = (vm::Machine::load(&image).unwrap(), native::Machine::load(&image).unwrap());
    let (mut a, mut b) = (node(&image), node(&image));
    let mut run = |budget| {
        let context = Context { budget, ..context() };
        let expected = interpreted.run(&mut a, Hook::ToEndpoint, &packet(Flags::SYN), &context);
        assert_eq!(compiled.run(&mut b, Hook::ToEndpoint, &packet(Flags::SYN), &context), expected);
        expected
    };
    let whole = run(1_000_000).unwrap().instructions;
    for budget in 0..whole {
        assert_eq!(run(budget).unwrap_err().what, What::Budget);
    }
    assert_eq!(run(whole).unwrap().instructions, whole);
}

#[test]
fn a_session_needs_a_program_and_maps_of_its_target() {
    let image = image();
    let mut machine = native::Machine::load(&image).unwrap();
    let mut maps = node(&image);
    let fault = |session: Result<native::Session<'_>, vm::Fault>| session.err().map(|fault| fault.what);
    assert_eq!(fault(machine.session(&mut maps, Hook::ToHost)), Some(What::NoProgram));
    let mut others = NodeMaps::new(&Target { little_endian: !image.target.little_endian, ..image.target.clone() });
    assert_eq!(fault(machine.session(&mut others, Hook::ToEndpoint)), Some(What::OtherTarget));
}
