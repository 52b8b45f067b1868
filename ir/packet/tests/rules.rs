//! The rules of the crate, one test each, on crafted frames in both families.

use flow::Direction::{Egress, Ingress};
use flow::{Direction, L4Key, Protocol};
use packet::Because::{Allowed, Neighbour, PathMtu, Related, Reply};
use packet::Outcome::{Drop, Pass};
use packet::craft::{Echo, Frame};
use packet::{Endpoint, Flags, Lifetimes, Outcome, Reason, Settings, Step, Track, Tunnel, step};
use std::net::{IpAddr, Ipv6Addr};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
/// (the endpoint, its peer, a router, an address that is nobody's), in both families.
const WORLDS: [[&str; 4]; 2] =
    [["10.0.1.9", "10.0.1.4", "192.0.2.1", "10.0.1.99"], ["fd00::1:9", "fd00::1:4", "2001:db8::1", "fd00::1:99"]];

/// One endpoint, its state, its policy and its clock (1000 ticks a second).
struct Bench {
    track: Track,
    endpoint: Endpoint,
    now: u64,
    allow: fn(L4Key) -> bool,
}

impl Bench {
    fn new(allow: fn(L4Key) -> bool) -> Bench {
        let endpoint = Endpoint {
            id: 7,
            address4: Some([10, 0, 1, 9].into()),
            address6: Some("fd00::1:9".parse().unwrap()),
            mac: Some(MAC),
        };
        Bench { track: Track::new(Lifetimes::with_ticks(1000)), endpoint, now: 0, allow }
    }

    fn full(&mut self, direction: Direction, bytes: &[u8], tag: Option<u16>) -> Step {
        let allow = self.allow;
        step(&mut self.track, &self.endpoint, direction, bytes, tag, self.now, &mut |_, key| allow(key).into())
    }

    fn send(&mut self, direction: Direction, frame: &Frame) -> Outcome {
        self.full(direction, &frame.build(), None).outcome
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds * 1000;
    }
}

fn all(_: L4Key) -> bool {
    true
}

fn none(_: L4Key) -> bool {
    false
}

fn tcp80(key: L4Key) -> bool {
    key == L4Key::new(Protocol::TCP, 80)
}

const POLICY: Outcome = Drop(Reason::Policy);

fn syn(from: &str, to: &str) -> Frame {
    Frame::tcp(from, to, 40000, 80, Flags::SYN)
}

fn data(from: &str, to: &str) -> Frame {
    Frame::tcp(from, to, 40000, 80, Flags::ACK)
}

fn back(from: &str, to: &str, flags: Flags) -> Frame {
    Frame::tcp(from, to, 80, 40000, flags)
}

#[test]
fn rule_1_vlan_tags_drop_wherever_they_travel() {
    for [own, peer, ..] in WORLDS {
        let frame = syn(peer, own);
        assert_eq!(Bench::new(all).full(Ingress, &frame.build(), Some(5)).outcome, Drop(Reason::Vlan));
        assert_eq!(Bench::new(all).send(Ingress, &frame.tagged(5)), Drop(Reason::Vlan));
    }
    assert_eq!(Bench::new(all).full(Ingress, &[0; 13], None).outcome, Drop(Reason::Truncated));
}

#[test]
fn rule_2_arp_from_the_endpoint_speaks_for_the_endpoint() {
    let target = ([0; 6], [10, 0, 1, 1]);
    let ask = |mac, address| Bench::new(none).send(Egress, &Frame::arp(1, (mac, address), target));
    assert_eq!(ask(MAC, [10, 0, 1, 9]), Pass(Neighbour));
    assert_eq!(ask(MAC, [0; 4]), Pass(Neighbour));
    assert_eq!(ask(MAC, [10, 0, 1, 99]), Drop(Reason::ForbiddenNeighbour));
    assert_eq!(ask([2; 6], [10, 0, 1, 9]), Drop(Reason::ForbiddenNeighbour));
    let gateway = Frame::arp(2, ([4; 6], [10, 0, 1, 1]), (MAC, [10, 0, 1, 9]));
    assert_eq!(Bench::new(none).send(Ingress, &gateway), Pass(Neighbour));
    assert_eq!(Bench::new(all).send(Egress, &Frame::raw(0x0806, vec![0; 27])), Drop(Reason::Truncated));
    assert_eq!(Bench::new(all).send(Egress, &Frame::raw(0x0806, vec![0; 28])), Drop(Reason::MalformedHeader));
}

#[test]
fn rule_3_other_ethertypes_drop() {
    assert_eq!(Bench::new(all).send(Ingress, &Frame::raw(0x88cc, vec![0; 46])), Drop(Reason::UnknownEtherType));
}

#[test]
fn rule_4_a_packet_must_hold_what_its_header_says() {
    for [own, peer, ..] in WORLDS {
        let bytes = syn(peer, own).build();
        for len in 14..bytes.len() {
            let outcome = Bench::new(all).full(Ingress, &bytes[..len], None).outcome;
            assert_eq!(outcome, Drop(Reason::Truncated), "{len} bytes");
        }
        let mut version = bytes.clone();
        version[14] ^= 0x30;
        assert_eq!(Bench::new(all).full(Ingress, &version, None).outcome, Drop(Reason::MalformedHeader));
        // Padding is not read: a datagram whose header claims seven bytes of UDP has no UDP header.
        let mut short = Frame::udp(peer, own, 1, 2).payload([0; 40]).build();
        let (at, value) = if short[12] == 0x08 { (17, 27) } else { (19, 7) };
        (short[at - 1], short[at]) = (0, value);
        assert_eq!(Bench::new(all).full(Ingress, &short, None).outcome, Drop(Reason::Truncated));
    }
    // A stated length of 0 is everything in a segment that is too large to state it, and nothing else.
    for [own, peer, ..] in WORLDS {
        let zeroed = |len: usize| {
            let mut bytes = syn(peer, own).payload(vec![0; len]).build();
            let at = if bytes[12] == 0x08 { 16 } else { 18 };
            bytes[at..at + 2].fill(0);
            Bench::new(tcp80).full(Ingress, &bytes, None).outcome
        };
        assert_eq!(zeroed(70_000), Pass(Allowed));
        assert!(matches!(zeroed(100), Drop(Reason::MalformedHeader | Reason::Truncated)));
    }
    let mut header = syn("10.0.1.4", "10.0.1.9").build();
    header[14] = 0x44;
    assert_eq!(Bench::new(all).full(Ingress, &header, None).outcome, Drop(Reason::MalformedHeader));
}

#[test]
fn rule_5_the_endpoint_speaks_only_for_itself() {
    for [own, peer, _, other] in WORLDS {
        assert_eq!(Bench::new(all).send(Egress, &syn(own, peer)), Pass(Allowed));
        assert_eq!(Bench::new(all).send(Egress, &syn(other, peer)), Drop(Reason::InvalidSource));
        // Whatever else is wrong.
        let gre = Frame::ip(other.parse::<IpAddr>().unwrap(), peer.parse::<IpAddr>().unwrap(), 47, vec![0; 20]);
        assert_eq!(Bench::new(all).send(Egress, &gre), Drop(Reason::InvalidSource));
        assert_eq!(Bench::new(all).send(Ingress, &syn(other, own)), Pass(Allowed));
        // An endpoint without an address of the family has no source that is its own.
        let mut bench = Bench::new(all);
        (bench.endpoint.address4, bench.endpoint.address6) = (None, None);
        assert_eq!(bench.send(Egress, &syn(own, peer)), Drop(Reason::InvalidSource));
    }
    assert_eq!(Bench::new(all).send(Egress, &syn("fe80::9", "fd00::1:4")), Drop(Reason::InvalidSource));
}

#[test]
fn rule_6_extension_headers_are_walked_up_to_eight() {
    let [own, peer, ..] = WORLDS[1];
    let with = |kinds: &[u8]| kinds.iter().fold(syn(peer, own), |frame, kind| frame.extension(*kind, [0; 6]));
    assert_eq!(Bench::new(tcp80).send(Ingress, &with(&[0, 60, 43, 51])), Pass(Allowed));
    assert_eq!(Bench::new(tcp80).send(Ingress, &with(&[60; 8])), Pass(Allowed));
    assert_eq!(Bench::new(tcp80).send(Ingress, &with(&[60; 9])), Drop(Reason::Ipv6Headers));
    let hidden = syn(peer, own).extension(43, [4, 1, 0, 0, 0, 0]);
    assert_eq!(Bench::new(all).send(Ingress, &hidden), Drop(Reason::Ipv6Headers));
    let twice = syn(peer, own).extension(44, [0; 6]).extension(44, [0; 6]);
    assert_eq!(Bench::new(all).send(Ingress, &twice), Drop(Reason::Ipv6Headers));
    // IPv4 options are stepped over by the header's length.
    let options = syn("10.0.1.4", "10.0.1.9").options([1; 9]);
    assert_eq!(Bench::new(tcp80).send(Ingress, &options), Pass(Allowed));
}

#[test]
fn rule_7_other_protocols_drop_even_without_policy() {
    for [own, peer, ..] in WORLDS {
        let (own_address, peer_address): (IpAddr, IpAddr) = (own.parse().unwrap(), peer.parse().unwrap());
        // GRE (trap C17), ESP, and the ICMP of the other family.
        let foreign = if own_address.is_ipv4() { 58 } else { 1 };
        for protocol in [47, 50, foreign] {
            let frame = Frame::ip(own_address, peer_address, protocol, vec![8; 40]);
            assert_eq!(Bench::new(all).send(Egress, &frame), Drop(Reason::UnknownProtocol));
        }
    }
}

#[test]
fn rule_8_neighbours_are_found_before_policy_and_nobody_speaks_for_others() {
    let own: Ipv6Addr = "fd00::1:9".parse().unwrap();
    let other: Ipv6Addr = "fd00::1:99".parse().unwrap();
    let link: Ipv6Addr = "fe80::9".parse().unwrap();
    let any = Ipv6Addr::UNSPECIFIED;
    let gateway: Ipv6Addr = "fe80::1".parse().unwrap();
    let forbidden = Drop(Reason::ForbiddenNeighbour);
    let out = |kind, source: Ipv6Addr, target| {
        Bench::new(none).send(Egress, &Frame::neighbour(kind, source, gateway, target, MAC))
    };
    assert_eq!(out(135, own, gateway), Pass(Neighbour));
    assert_eq!(out(135, link, gateway), Pass(Neighbour));
    assert_eq!(out(135, other, gateway), Drop(Reason::InvalidSource));
    assert_eq!((out(135, any, own), out(135, any, other)), (Pass(Neighbour), forbidden));
    assert_eq!((out(136, own, own), out(136, own, link)), (Pass(Neighbour), Pass(Neighbour)));
    assert_eq!(out(136, own, other), forbidden);
    assert_eq!(out(137, own, own), forbidden);
    let router = |direction, kind| Bench::new(none).send(direction, &Frame::router(kind, link, gateway));
    assert_eq!((router(Egress, 133), router(Egress, 134)), (Pass(Neighbour), forbidden));
    assert_eq!(router(Ingress, 134), Pass(Neighbour));
    // From beyond the link it is a way round the policy.
    let far = Frame::neighbour(135, other, own, own, MAC).hop_limit(254);
    assert_eq!(Bench::new(all).send(Ingress, &far), forbidden);
}

#[test]
fn rule_9_fragmented_icmp_drops() {
    for [own, peer, ..] in WORLDS {
        // Trap C16.
        let echo = Frame::icmp_echo(own, peer, Echo::Request, 5).payload([0; 100]);
        for part in echo.fragments(3, 64) {
            assert_eq!(Bench::new(all).full(Egress, &part, None).outcome, Drop(Reason::IcmpFragment));
        }
    }
    // Whole, although it has a fragment header.
    let whole = syn("fd00::1:4", "fd00::1:9").part(3, 0, false);
    assert_eq!(Bench::new(tcp80).send(Ingress, &whole), Pass(Allowed));
}

#[test]
fn rule_10_a_first_fragment_shows_its_ports_and_no_later_one_rewrites_them() {
    for [own, peer, ..] in WORLDS {
        let tiny = syn(peer, own).fragments(3, 8);
        let mut bench = Bench::new(all);
        let outcomes: Vec<_> = tiny.iter().map(|part| bench.full(Ingress, part, None).outcome).collect();
        // 0..8 too short, 8..16 below byte 14, 16..20 without a first.
        assert_eq!(outcomes[..2], [Drop(Reason::FragmentShort); 2]);
        assert_eq!(outcomes[2], Drop(Reason::FragmentUnknown));
        // Eight bytes are all that UDP needs.
        let parts = Frame::udp(peer, own, 1, 53).payload([0; 8]).fragments(3, 8);
        let mut bench = Bench::new(all);
        assert!(parts.iter().all(|part| bench.full(Ingress, part, None).outcome == Pass(Allowed)));
    }
}

#[test]
fn rule_11_later_fragments_have_the_ports_of_the_first() {
    for [own, peer, ..] in WORLDS {
        let datagram = |to| Frame::udp(peer, own, 1000, to).payload([0; 100]);
        let mut bench = Bench::new(|key| key.low() == 53);
        let parts = datagram(53).fragments(3, 64);
        // Trap C14: the second before the first.
        assert_eq!(bench.full(Ingress, &parts[1], None).outcome, Drop(Reason::FragmentUnknown));
        for part in &parts {
            assert_eq!(bench.full(Ingress, part, None).outcome, Pass(Allowed));
        }
        let other = datagram(54).fragments(4, 64);
        assert!(other.iter().all(|part| bench.full(Ingress, part, None).outcome == POLICY));
        // The same numbers under another protocol or identification are other packets.
        let stranger = datagram(53).fragments(5, 64);
        assert_eq!(bench.full(Ingress, &stranger[1], None).outcome, Drop(Reason::FragmentUnknown));
    }
}

#[test]
fn rule_12_fragmentation_needed_always_passes_in_ipv4() {
    let [own, peer, router, _] = WORLDS[0];
    // Trap C19; the packet inside is nobody's.
    let frame = Frame::icmp_error(router, own, 3, 4, &syn(own, peer));
    assert_eq!(Bench::new(none).send(Ingress, &frame), Pass(PathMtu));
    let [own, peer, router, _] = WORLDS[1];
    let too_big = Frame::icmp_error(router, own, 2, 0, &syn(own, peer));
    assert_eq!(Bench::new(none).send(Ingress, &too_big), POLICY);
}

#[test]
fn rule_13_errors_are_related_when_the_flow_inside_is_known() {
    for [own, peer, router, _] in WORLDS {
        let (unreachable, exceeded) = if own.contains(':') { (1, 3) } else { (3, 11) };
        let mut bench = Bench::new(all);
        bench.send(Egress, &syn(own, peer));
        bench.allow = none;
        // Traps C20 (REC) and C21: from a router, and from the peer itself.
        let about = Frame::icmp_error(router, own, exceeded, 0, &syn(own, peer));
        assert_eq!(bench.send(Ingress, &about), Pass(Related));
        assert_eq!(bench.send(Ingress, &Frame::icmp_error(peer, own, unreachable, 3, &syn(own, peer))), Pass(Related));
        let stranger = Frame::icmp_error(router, own, exceeded, 0, &Frame::tcp(own, peer, 1, 80, Flags::SYN));
        assert_eq!(bench.send(Ingress, &stranger), POLICY);
        // Too little of the packet inside: it cannot be told.
        let cut = Frame::icmp(router, own, exceeded, 0, [0; 4], &syn(own, peer).build_ip()[..24]);
        assert_eq!(bench.send(Ingress, &cut), POLICY);
        // A copy of a packet that the error's receiver did not send proves nothing.
        let turned = Frame::icmp_error(router, own, exceeded, 0, &back(peer, own, Flags::ACK));
        assert_eq!(bench.send(Ingress, &turned), POLICY);
        // Nor does the endpoint report on what was sent to somebody else.
        let elsewhere = Frame::icmp_error(own, peer, exceeded, 0, &Frame::tcp(peer, router, 80, 40000, Flags::ACK));
        assert_eq!(bench.send(Egress, &elsewhere), POLICY);
        // Related packets do not keep a connection alive.
        bench.wait(59);
        assert_eq!(bench.send(Ingress, &about), Pass(Related));
        bench.wait(2);
        assert_eq!(bench.send(Ingress, &about), POLICY);
        // About an echo, too.
        let mut bench = Bench::new(all);
        let echo = Frame::icmp_echo(own, peer, Echo::Request, 5);
        bench.send(Egress, &echo);
        bench.allow = none;
        assert_eq!(bench.send(Ingress, &Frame::icmp_error(router, own, exceeded, 0, &echo)), Pass(Related));
        // Two endpoints share nothing.
        bench.endpoint.id = 8;
        assert_eq!(bench.send(Ingress, &Frame::icmp_error(router, own, exceeded, 0, &echo)), POLICY);
    }
}

#[test]
fn rule_14_an_echo_is_answered_by_its_reply_only() {
    for [own, peer, ..] in WORLDS {
        for identifier in [0, 5] {
            let mut bench = Bench::new(all);
            let request = Frame::icmp_echo(own, peer, Echo::Request, identifier);
            let reply = Frame::icmp_echo(peer, own, Echo::Reply, identifier);
            assert_eq!(bench.send(Ingress, &reply), Pass(Allowed), "unasked: judged");
            assert_eq!(bench.track.connections().count(), 0);
            assert_eq!(bench.send(Egress, &request), Pass(Allowed));
            bench.allow = none;
            assert_eq!(bench.send(Ingress, &reply), Pass(Reply));
            assert_eq!(bench.send(Egress, &request), POLICY);
            // The peer may not ask in its turn, nor answer under another identifier.
            assert_eq!(bench.send(Ingress, &Frame::icmp_echo(peer, own, Echo::Request, identifier)), POLICY);
            assert_eq!(bench.send(Ingress, &Frame::icmp_echo(peer, own, Echo::Reply, identifier + 1)), POLICY);
        }
    }
}

#[test]
fn rule_15_other_messages_are_judged_by_type_and_code() {
    let [own, peer, ..] = WORLDS[0];
    let timestamp = Frame::icmp(peer, own, 13, 0, [0; 4], &[0; 12]);
    let mut bench = Bench::new(|key| key == L4Key::icmp(Protocol::ICMP, 13, 0));
    let step = bench.full(Ingress, &timestamp.build(), None);
    assert_eq!(step.outcome, Pass(Allowed));
    assert_eq!(step.asked, Some((peer.parse().unwrap(), L4Key::icmp(Protocol::ICMP, 13, 0))));
    assert_eq!(bench.send(Egress, &Frame::icmp(own, peer, 14, 0, [0; 4], &[0; 12])), POLICY);
    assert_eq!(bench.track.connections().count(), 0);
}

#[test]
fn rule_16_connections_end_with_their_lifetime() {
    for [own, peer, ..] in WORLDS {
        let alive = |prepare: fn(&mut Bench, &str, &str), reply: Frame, seconds: u64| {
            let mut bench = Bench::new(all);
            prepare(&mut bench, own, peer);
            bench.allow = none;
            bench.wait(seconds);
            bench.send(Ingress, &reply) == Pass(Reply)
        };
        let unanswered = |bench: &mut Bench, own: &str, peer: &str| {
            bench.send(Egress, &syn(own, peer));
        };
        let answered = |bench: &mut Bench, own: &str, peer: &str| {
            bench.send(Egress, &syn(own, peer));
            bench.send(Ingress, &back(peer, own, Flags::SYN_ACK));
        };
        let reset = |bench: &mut Bench, own: &str, peer: &str| {
            bench.send(Egress, &syn(own, peer));
            bench.send(Ingress, &back(peer, own, Flags::RST));
        };
        let half_closed = |bench: &mut Bench, own: &str, peer: &str| {
            bench.send(Egress, &syn(own, peer));
            bench.send(Ingress, &back(peer, own, Flags::FIN));
        };
        let closed = |bench: &mut Bench, own: &str, peer: &str| {
            bench.send(Egress, &syn(own, peer));
            bench.send(Ingress, &back(peer, own, Flags::FIN));
            bench.send(Egress, &Frame::tcp(own, peer, 40000, 80, Flags::FIN));
        };
        let datagram = |bench: &mut Bench, own: &str, peer: &str| {
            bench.send(Egress, &Frame::udp(own, peer, 40000, 80));
        };
        let answer = || back(peer, own, Flags::ACK);
        assert!(alive(unanswered, answer(), 60) && !alive(unanswered, answer(), 61));
        assert!(alive(answered, answer(), 8000) && !alive(answered, answer(), 8001));
        assert!(alive(reset, answer(), 10) && !alive(reset, answer(), 11));
        assert!(alive(half_closed, answer(), 8000));
        assert!(alive(closed, answer(), 10) && !alive(closed, answer(), 11));
        // Trap C03: a UDP flow idle for 61 s is a new flow.
        let udp_answer = || Frame::udp(peer, own, 80, 40000);
        assert!(alive(datagram, udp_answer(), 60) && !alive(datagram, udp_answer(), 61));
    }
}

#[test]
fn rule_17_a_syn_on_a_closing_connection_is_a_new_one() {
    for [own, peer, ..] in WORLDS {
        let mut bench = Bench::new(all);
        bench.send(Ingress, &syn(peer, own));
        bench.send(Egress, &back(own, peer, Flags::RST));
        bench.allow = none;
        // Trap C04.
        assert_eq!(bench.send(Ingress, &syn(peer, own)), POLICY);
        // Denied, it left the old one as it was.
        assert_eq!(bench.send(Egress, &back(own, peer, Flags::ACK)), Pass(Reply));
        // From the side that would otherwise reply, too.
        assert_eq!(bench.send(Egress, &back(own, peer, Flags::SYN)), POLICY);
        bench.allow = all;
        assert_eq!(bench.send(Egress, &back(own, peer, Flags::SYN)), Pass(Allowed));
        bench.allow = none;
        assert_eq!(bench.send(Ingress, &data(peer, own)), Pass(Reply));
    }
}

#[test]
fn rules_18_and_19_replies_pass_and_forward_packets_are_judged_each_time() {
    for [own, peer, ..] in WORLDS {
        let mut bench = Bench::new(tcp80);
        bench.send(Ingress, &syn(peer, own));
        bench.send(Egress, &back(own, peer, Flags::SYN_ACK));
        assert_eq!(bench.send(Ingress, &data(peer, own)), Pass(Allowed));
        // Trap C01: the allow is removed.
        bench.allow = none;
        assert_eq!(bench.send(Ingress, &data(peer, own)), POLICY);
        assert_eq!(bench.send(Egress, &back(own, peer, Flags::ACK)), Pass(Reply));
        // Trap C02: and restored.
        bench.allow = tcp80;
        assert_eq!(bench.send(Ingress, &data(peer, own)), Pass(Allowed));
    }
}

#[test]
fn rule_20_a_denied_packet_opens_nothing() {
    for [own, peer, ..] in WORLDS {
        for frame in
            [Frame::tcp(peer, own, 1, 81, Flags::SYN), Frame::udp(peer, own, 1, 80), Frame::sctp(peer, own, 1, 80)]
        {
            let mut bench = Bench::new(tcp80);
            assert_eq!(bench.send(Ingress, &frame), POLICY);
            assert_eq!(bench.track.connections().count(), 0);
        }
        let mut bench = Bench::new(all);
        let step = bench.full(Egress, &Frame::sctp(own, peer, 1, 2).build(), None);
        assert_eq!(step.asked, Some((peer.parse().unwrap(), L4Key::new(Protocol::SCTP, 2))));
        assert!(step.passes());
    }
}

#[test]
fn rule_21_flags_count_only_of_packets_that_pass() {
    for [own, peer, ..] in WORLDS {
        let mut bench = Bench::new(all);
        bench.send(Ingress, &syn(peer, own));
        bench.allow = none;
        assert_eq!(bench.send(Ingress, &Frame::tcp(peer, own, 40000, 80, Flags::RST)), POLICY);
        bench.wait(11);
        assert_eq!(bench.send(Egress, &back(own, peer, Flags::SYN_ACK)), Pass(Reply));
    }
}

#[test]
fn sweeping_changes_no_outcome() {
    let [own, peer, ..] = WORLDS[0];
    let mut bench = Bench::new(all);
    bench.send(Egress, &syn(own, peer));
    bench.send(Egress, &Frame::udp(own, peer, 1, 2));
    bench.wait(60);
    bench.track.sweep(bench.now);
    assert_eq!(bench.track.connections().count(), 2);
    bench.wait(1);
    bench.track.sweep(bench.now);
    assert_eq!(bench.track.connections().count(), 0);
}

#[test]
fn rule_28_where_fragments_are_not_followed_later_ones_have_no_ports() {
    for [own, peer, ..] in WORLDS {
        let any_port = |key: L4Key| key.low() == 0;
        for (allow, first, later) in [
            ((|_| true) as fn(L4Key) -> bool, Pass(Allowed), Pass(Allowed)),
            (|key| key.low() == 53, Pass(Allowed), POLICY),
            (any_port, POLICY, Pass(Allowed)),
        ] {
            let mut bench = Bench::new(allow);
            bench.track.set(Settings { untracked_fragments4: true, untracked_fragments6: true, tunnel: None });
            let parts = Frame::udp(peer, own, 40000, 53).payload(vec![7; 600]).fragments(3, 64);
            assert_eq!(bench.full(Ingress, &parts[1], None).outcome, later);
            assert_eq!(bench.full(Ingress, &parts[0], None).outcome, first);
            assert_eq!(bench.full(Ingress, &parts[2], None).outcome, later);
        }
    }
}

#[test]
fn rule_29_no_endpoint_sends_into_the_tunnel_of_its_node() {
    for [own, peer, node, ..] in WORLDS {
        let mut bench = Bench::new(all);
        let addresses = [node.parse().unwrap()].into();
        bench.track.set(Settings { tunnel: Some(Tunnel { port: 8472, addresses }), ..Settings::default() });
        assert_eq!(bench.send(Egress, &Frame::udp(own, node, 1, 8472)), Drop(Reason::Encapsulation));
        assert_eq!(bench.send(Egress, &Frame::udp(own, node, 1, 8473)), Pass(Allowed));
        assert_eq!(bench.send(Egress, &Frame::udp(own, peer, 1, 8472)), Pass(Allowed));
        assert_eq!(bench.send(Egress, &Frame::tcp(own, node, 1, 8472, Flags::SYN)), Pass(Allowed));
        assert_eq!(bench.send(Ingress, &Frame::udp(node, own, 1, 8472)), Pass(Allowed));
    }
}
