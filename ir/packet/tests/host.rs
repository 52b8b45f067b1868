//! The rules of the node itself, one test each, on crafted frames in both families.

use flow::Direction::{Egress, Ingress};
use flow::{Direction, L4Key, Protocol};
use packet::Because::{Allowed, Audited, Forwarded, Neighbour, PathMtu, Related, Reply, Translated};
use packet::Outcome::{Drop, Pass};
use packet::craft::{Echo, Frame};
use packet::{Endpoint, Flags, Host, Lifetimes, Origin, Outcome, Reason, Ruling, Step, Track, step, step_host};
use std::net::IpAddr;

/// (the node, another address of it, an endpoint of it, somebody outside, a node elsewhere), in both families.
const WORLDS: [[&str; 5]; 2] = [
    ["10.9.0.1", "192.0.2.1", "10.8.0.4", "198.51.100.7", "10.9.0.2"],
    ["fd00:9::1", "2001:db8::1", "fd00:8::4", "2001:db8:5::7", "fd00:9::2"],
];

/// One node, its state, its policy and its clock (1000 ticks a second).
struct Bench {
    track: Track,
    host: Host,
    now: u64,
    rule: fn(L4Key) -> Ruling,
}

impl Bench {
    fn new(rule: fn(L4Key) -> Ruling) -> Bench {
        let addresses = WORLDS.iter().flat_map(|world| &world[..2]).map(|text| text.parse().unwrap()).collect();
        Bench { track: Track::new(Lifetimes::with_ticks(1000)), host: Host { id: 9, addresses }, now: 0, rule }
    }

    fn full(&mut self, direction: Direction, bytes: &[u8], tag: Option<u16>, origin: Origin) -> Step {
        let rule = self.rule;
        step_host(&mut self.track, &self.host, direction, bytes, tag, origin, self.now, &mut |_, key| rule(key))
    }

    fn to(&mut self, frame: &Frame) -> Outcome {
        self.full(Ingress, &frame.build(), None, Origin::Elsewhere).outcome
    }

    fn from(&mut self, origin: Origin, frame: &Frame) -> Outcome {
        self.full(Egress, &frame.build(), None, origin).outcome
    }
}

fn none(_: L4Key) -> Ruling {
    Ruling::Deny
}

fn tcp80(key: L4Key) -> Ruling {
    (key == L4Key::new(Protocol::TCP, 80)).into()
}

fn worlds() -> [[IpAddr; 5]; 2] {
    WORLDS.map(|world| world.map(|text| text.parse().unwrap()))
}

#[test]
fn rule_22_a_tagged_frame_belongs_to_another_device() {
    let mut bench = Bench::new(none);
    for [node, _, _, outside, _] in worlds() {
        let syn = Frame::tcp(outside, node, 9, 22, Flags::SYN).build();
        assert_eq!(bench.full(Ingress, &syn, Some(7), Origin::Elsewhere).outcome, Pass(Forwarded));
        assert_eq!(bench.full(Ingress, &syn, Some(0xe000), Origin::Elsewhere).outcome, Drop(Reason::Policy));
    }
    let inside = Frame::udp(worlds()[0][3], worlds()[0][0], 9, 53).tagged(7);
    assert_eq!(bench.to(&inside), Drop(Reason::Vlan));
}

#[test]
fn rule_23_only_what_is_the_nodes_own_is_judged() {
    let mut bench = Bench::new(none);
    for [node, other, near, outside, _] in worlds() {
        for own in [node, other] {
            assert_eq!(bench.to(&Frame::tcp(outside, own, 9, 22, Flags::SYN)), Drop(Reason::Policy));
            assert_eq!(bench.from(Origin::Here, &Frame::udp(own, outside, 9, 53)), Drop(Reason::Policy));
            // Spoofed, or routed through the node: its address alone makes nothing the node's.
            assert_eq!(bench.from(Origin::Elsewhere, &Frame::udp(own, outside, 9, 53)), Pass(Forwarded));
        }
        assert_eq!(bench.to(&Frame::tcp(outside, near, 9, 22, Flags::SYN)), Pass(Forwarded));
        assert_eq!(bench.from(Origin::Endpoint, &Frame::udp(near, outside, 9, 53)), Pass(Forwarded));
        assert_eq!(bench.from(Origin::Here, &Frame::udp(near, outside, 9, 53)), Pass(Forwarded));
        assert!(bench.track.connections().next().is_none());
        // A header that means nothing is looked at where the address in it is the node's, and nowhere else.
        for (to, fate) in [(near, Pass(Forwarded)), (node, Drop(Reason::MalformedHeader))] {
            let mut damaged = Frame::udp(outside, to, 9, 53).build();
            damaged[14] = 0x55;
            assert_eq!(bench.full(Ingress, &damaged, None, Origin::Elsewhere).outcome, fate);
        }
        let cut = &Frame::udp(outside, near, 9, 53).build()[..30];
        assert_eq!(bench.full(Ingress, cut, None, Origin::Elsewhere).outcome, Drop(Reason::Truncated));
    }
    let raw = Frame::raw(0x88cc, vec![0; 50]);
    assert_eq!(bench.to(&raw), Drop(Reason::UnknownEtherType));
    assert_eq!(bench.from(Origin::Here, &raw), Drop(Reason::UnknownEtherType));
    for origin in [Origin::Endpoint, Origin::Elsewhere] {
        assert_eq!(bench.from(origin, &raw), Pass(Forwarded));
    }
}

#[test]
fn rule_24_neighbours_are_found_whatever_the_policy() {
    let mut bench = Bench::new(none);
    let mac = [2, 0, 0, 0, 0, 1];
    let arp = Frame::arp(1, (mac, [10, 9, 0, 9]), ([0; 6], [10, 9, 0, 1]));
    assert_eq!((bench.to(&arp), bench.from(Origin::Here, &arp)), (Pass(Neighbour), Pass(Neighbour)));
    let [_, [node, _, _, outside, _]] = worlds();
    let target = "fd00:9::1".parse().unwrap();
    for kind in [135, 136, 137] {
        assert_eq!(bench.to(&Frame::neighbour(kind, outside, node, target, mac)), Pass(Neighbour));
        assert_eq!(bench.from(Origin::Here, &Frame::neighbour(kind, node, outside, target, mac)), Pass(Neighbour));
        let far = Frame::neighbour(kind, outside, node, target, mac).hop_limit(64);
        assert_eq!(bench.to(&far), Drop(Reason::ForbiddenNeighbour));
    }
    assert_eq!(bench.from(Origin::Here, &Frame::router(134, node, outside)), Pass(Neighbour));
}

#[test]
fn rule_25_errors_about_forwarded_traffic_are_forwarded_traffic() {
    let mut bench = Bench::new(none);
    for [node, _, near, outside, _] in worlds() {
        let kind = if node.is_ipv4() { 11 } else { 3 };
        let error = |about: &Frame| Frame::icmp_error(node, near, kind, 0, about);
        assert_eq!(bench.from(Origin::Here, &error(&Frame::udp(near, outside, 9, 53))), Pass(Forwarded));
        assert_eq!(bench.from(Origin::Here, &error(&Frame::udp(near, node, 9, 53))), Drop(Reason::Policy));
        assert_eq!(bench.from(Origin::Here, &error(&Frame::udp(outside, near, 9, 53))), Drop(Reason::Policy));
    }
    let [node, _, near, outside, _] = worlds()[0];
    let needed = Frame::icmp_error(outside, node, 3, 4, &Frame::udp(node, near, 1, 2));
    assert_eq!(bench.to(&needed), Pass(PathMtu));
}

#[test]
fn rule_26_answers_to_what_was_translated_on_the_node_pass() {
    let mut bench = Bench::new(none);
    for [node, _, _, outside, elsewhere] in worlds() {
        let out = Frame::tcp(node, outside, 31000, 443, Flags::SYN);
        let back = Frame::tcp(outside, node, 443, 31000, Flags::SYN_ACK);
        assert_eq!(bench.to(&back), Drop(Reason::Policy));
        assert_eq!(bench.from(Origin::Elsewhere, &out), Pass(Forwarded));
        assert_eq!(bench.to(&back), Drop(Reason::Policy), "nobody opens the node by its own address");
        let step = bench.full(Egress, &out.build(), None, Origin::Endpoint);
        assert_eq!((step.outcome, step.asked), (Pass(Translated), None));
        assert_eq!(bench.to(&back), Pass(Reply));
        assert_eq!(bench.to(&Frame::tcp(elsewhere, node, 443, 31000, Flags::SYN_ACK)), Drop(Reason::Policy));
        let error = Frame::icmp_error(elsewhere, node, if node.is_ipv4() { 11 } else { 3 }, 0, &out);
        assert_eq!(bench.to(&error), Pass(Related));
    }
}

#[test]
fn rule_27_audit_passes_denials_and_nothing_else() {
    let mut bench = Bench::new(|_| Ruling::Audit);
    for [node, _, _, outside, _] in worlds() {
        assert_eq!(bench.to(&Frame::tcp(outside, node, 9, 22, Flags::SYN)), Pass(Audited));
        assert_eq!(bench.from(Origin::Here, &Frame::tcp(node, outside, 22, 9, Flags::SYN_ACK)), Pass(Reply));
        assert_eq!(bench.to(&Frame::icmp_echo(outside, node, Echo::Reply, 1)), Pass(Audited));
        assert_eq!(bench.to(&Frame::ip(outside, node, 112, vec![0; 20])), Drop(Reason::UnknownProtocol));
        let mut damaged = Frame::udp(outside, node, 9, 53).build();
        damaged[14] = 0x55;
        assert_eq!(bench.full(Ingress, &damaged, None, Origin::Elsewhere).outcome, Drop(Reason::MalformedHeader));
    }
    let own = Endpoint { id: 3, address4: Some([10, 8, 0, 4].into()), address6: None, mac: None };
    let audit = |frame: &Frame| {
        let mut track = Track::new(Lifetimes::with_ticks(1000));
        step(&mut track, &own, Egress, &frame.build(), None, 0, &mut |_, _| Ruling::Audit).outcome
    };
    assert_eq!(audit(&Frame::udp("10.8.0.4", "10.8.0.5", 9, 53)), Pass(Audited));
    assert_eq!(audit(&Frame::udp("10.8.0.9", "10.8.0.5", 9, 53)), Drop(Reason::InvalidSource));
}

#[test]
fn the_node_tracks_apart_from_its_endpoints() {
    let mut bench = Bench::new(tcp80);
    for [node, _, near, ..] in worlds() {
        let (syn, answer) = (Frame::tcp(near, node, 9, 80, Flags::SYN), Frame::tcp(node, near, 80, 9, Flags::SYN_ACK));
        let (four, six) = match near {
            IpAddr::V4(near) => (Some(near), None),
            IpAddr::V6(near) => (None, Some(near)),
        };
        let own = Endpoint { id: 3, address4: four, address6: six, mac: None };
        step(&mut bench.track, &own, Egress, &syn.build(), None, 0, &mut |_, _| Ruling::Allow);
        assert_eq!(
            bench.from(Origin::Here, &answer),
            Drop(Reason::Policy),
            "the endpoint's connection is not the node's"
        );
        assert_eq!(bench.to(&syn), Pass(Allowed));
        assert_eq!(bench.from(Origin::Here, &answer), Pass(Reply));
    }
}
