//! Packets that every engine decides alike: the judge (`packet`), the program in `vm`, the program in the kernel.

mod common;

use common::{MAC, OWN4, OWN6, World, families, name, policy, target};
use ebpf::Matrix;
use packet::Flags;
use packet::craft::{Echo, Frame, solicited_node};
use std::net::IpAddr;

#[test]
fn a_first_packet_is_judged_by_peer_and_port() {
    let mut world = World::isolated();
    for [own, friend, trusted, stranger] in families() {
        for (peer, port, expected) in
            [(friend, 80, "pass"), (friend, 81, "policy"), (trusted, 81, "pass"), (stranger, 80, "policy")]
        {
            let to = Frame::tcp(peer, own, 40000, port, Flags::SYN).build();
            assert_eq!(name(world.to(&to)), expected, "{peer} {port}");
            let from = Frame::tcp(own, peer, 50000, port, Flags::SYN).build();
            assert_eq!(name(world.from(&from)), expected, "{peer} {port}");
        }
        assert_eq!(name(world.to(&Frame::udp(friend, own, 9, 53).build())), "pass");
        assert_eq!(name(world.to(&Frame::udp(friend, own, 9, 54).payload("four").build())), "policy");
        assert_eq!(name(world.to(&Frame::sctp(friend, own, 9, 3868).build())), "pass");
        assert_eq!(name(world.to(&Frame::sctp(friend, own, 9, 3870).build())), "policy");
    }
}

#[test]
fn every_cell_decides_as_the_matrix_says() {
    // Cuts at both ends of pages and protocols; leaves differ from column to column and class to class.
    let starts =
        [0x06_0000, 0x06_0001, 0x06_00ff, 0x06_0100, 0x06_7fff, 0x06_ffff, 0x07_0000, 0x11_0050, 0x12_0000, 0x84_ff00];
    let cuts = [0].into_iter().chain(starts).zip(0..).collect::<Vec<(u32, u32)>>();
    let leaves = (0..33).map(|cell| [0, 1, 2, 1, 3][cell % 5]).collect();
    let matrix = Matrix { class_count: 3, cuts, leaves, signatures: vec![vec![]; 3], hits: vec![] };
    let mut world = World::new(&matrix, &matrix);
    world.ask_around(starts);
    assert!(world.counters()[0] > 20, "cells that pass");
    let dropped: Vec<u64> = [1, 2, 3].map(|reason| world.counters()[reason]).to_vec();
    assert!(dropped.iter().all(|count| *count > 5), "denied, redirected, unauthenticated: {dropped:?}");
}

#[test]
fn a_reply_passes_without_a_rule() {
    let mut world = World::isolated();
    for [own, friend, ..] in families() {
        let back = Frame::tcp(own, friend, 80, 40000, Flags::SYN_ACK).build();
        assert_eq!(name(world.from(&back)), "policy");
        assert_eq!(name(world.to(&Frame::tcp(friend, own, 40000, 80, Flags::SYN).build())), "pass");
        assert_eq!(name(world.from(&back)), "pass");
        assert_eq!(name(world.to(&Frame::tcp(friend, own, 40000, 80, Flags::ACK).payload("x").build())), "pass");
        assert_eq!(name(world.from(&Frame::tcp(own, friend, 80, 40001, Flags::ACK).build())), "policy");
    }
}

#[test]
fn a_closed_connection_opens_anew_by_a_syn_from_either_side() {
    let mut world = World::isolated();
    for [own, friend, ..] in families() {
        world.to(&Frame::tcp(friend, own, 40000, 80, Flags::SYN).build()).unwrap();
        world.from(&Frame::tcp(own, friend, 80, 40000, Flags::SYN_ACK).build()).unwrap();
        world.from(&Frame::tcp(own, friend, 80, 40000, Flags::RST).build()).unwrap();
        // Still a reply; but a SYN of the endpoint to port 40000 would be a connection of its own, and is denied.
        assert_eq!(name(world.from(&Frame::tcp(own, friend, 80, 40000, Flags::ACK).build())), "pass");
        assert_eq!(name(world.from(&Frame::tcp(own, friend, 80, 40000, Flags::SYN).build())), "policy");
        assert_eq!(name(world.to(&Frame::tcp(friend, own, 40000, 80, Flags::SYN).build())), "pass");
    }
}

#[test]
fn an_idle_flow_is_new_again() {
    let mut world = World::isolated();
    world.without_kernel();
    for [own, friend, ..] in families() {
        world.to(&Frame::udp(friend, own, 9, 53).build()).unwrap();
        let answer = Frame::udp(own, friend, 53, 9).build();
        assert_eq!(name(world.from(&answer)), "pass");
        world.now += 61 * world.ticks();
        assert_eq!(name(world.from(&answer)), "policy");
    }
}

#[test]
fn a_tcp_connection_lives_as_long_as_its_state_says() {
    let mut world = World::isolated();
    world.without_kernel();
    for [own, friend, ..] in families() {
        let syn = Frame::tcp(friend, own, 40000, 80, Flags::SYN).build();
        let back = |flags| Frame::tcp(own, friend, 80, 40000, flags).build();
        for (answered, flags, seconds) in [(false, Flags::ACK, 60), (true, Flags::ACK, 8000), (true, Flags::RST, 10)] {
            for (idle, expected) in [(seconds, "pass"), (seconds + 1, "policy")] {
                world.now += 9000 * world.ticks();
                world.to(&syn).unwrap();
                if answered {
                    world.from(&back(flags)).unwrap();
                }
                world.now += idle * world.ticks();
                assert_eq!(name(world.from(&back(Flags::ACK))), expected, "{answered} {flags:?} {idle}");
            }
        }
    }
}

#[test]
fn echoes_belong_to_the_side_that_asked() {
    let mut world = World::isolated();
    for [own, friend, trusted, stranger] in families() {
        for id in [0, 7] {
            assert_eq!(name(world.to(&Frame::icmp_echo(friend, own, Echo::Request, id).build())), "pass");
            assert_eq!(name(world.from(&Frame::icmp_echo(own, friend, Echo::Reply, id).build())), "pass");
            assert_eq!(name(world.from(&Frame::icmp_echo(own, stranger, Echo::Request, id).build())), "policy");
            assert_eq!(name(world.to(&Frame::icmp_echo(friend, own, Echo::Reply, id).build())), "policy");
            assert_eq!(name(world.to(&Frame::icmp_echo(trusted, own, Echo::Reply, id).build())), "pass");
        }
        let odd = Frame::icmp(friend, own, if own.is_ipv4() { 8 } else { 128 }, 3, [0, 9, 0, 1], b"odd");
        assert_eq!(name(world.to(&odd.build())), "pass");
        let odd_answer = Frame::icmp(own, friend, if own.is_ipv4() { 0 } else { 129 }, 0, [0, 9, 0, 1], b"odd");
        assert_eq!(name(world.from(&odd_answer.build())), "policy");
    }
}

#[test]
fn an_error_passes_when_the_packet_inside_it_belongs_to_a_connection() {
    let mut world = World::isolated();
    for [own, friend, _, stranger] in families() {
        let (kind, about_own) = (if own.is_ipv4() { 11 } else { 3 }, Frame::tcp(own, friend, 50000, 80, Flags::SYN));
        let other = Frame::tcp(own, friend, 50001, 80, Flags::SYN);
        world.from(&about_own.build()).unwrap();
        assert_eq!(name(world.to(&Frame::icmp_error(stranger, own, kind, 0, &about_own).build())), "pass");
        assert_eq!(name(world.to(&Frame::icmp_error(stranger, own, kind, 0, &other).build())), "policy");
        world.to(&Frame::udp(friend, own, 9, 53).build()).unwrap();
        let unreachable = if own.is_ipv4() { (3, 3) } else { (1, 4) };
        let about_theirs = Frame::udp(friend, own, 9, 53);
        let error = Frame::icmp_error(own, friend, unreachable.0, unreachable.1, &about_theirs);
        assert_eq!(name(world.from(&error.build())), "pass");
        let (echo, answer) =
            (Frame::icmp_echo(own, friend, Echo::Request, 5), Frame::icmp_echo(friend, own, Echo::Request, 6));
        world.from(&echo.build()).unwrap();
        assert_eq!(name(world.to(&Frame::icmp_error(stranger, own, kind, 0, &echo).build())), "pass");
        assert_eq!(name(world.from(&Frame::icmp_error(own, friend, kind, 0, &answer).build())), "policy");
    }
    let [own, _, _, stranger] = families()[0];
    let needed = Frame::icmp_error(stranger, own, 3, 4, &Frame::udp(own, stranger, 1, 2));
    assert_eq!(name(world.to(&needed.build())), "pass");
}

#[test]
fn fragments_follow_their_first() {
    let mut world = World::isolated();
    for [own, friend, _, stranger] in families() {
        let parts = Frame::udp(friend, own, 9, 53).payload(vec![7; 3000]).fragments(99, 1400);
        assert_eq!(name(world.to(&parts[1])), "fragment-unknown");
        for part in &parts {
            assert_eq!(name(world.to(part)), "pass");
        }
        let denied = Frame::udp(stranger, own, 9, 53).payload(vec![7; 3000]).fragments(100, 1400);
        for part in &denied {
            assert_eq!(name(world.to(part)), "policy");
        }
        for part in Frame::icmp_echo(friend, own, Echo::Request, 5).payload(vec![7; 3000]).fragments(101, 1400) {
            assert_eq!(name(world.to(&part)), "icmp-fragment");
        }
        let short = Frame::tcp(friend, own, 9, 80, Flags::SYN).fragments(102, 8);
        assert_eq!(name(world.to(&short[0])), "fragment-short");
        assert_eq!(name(world.to(&short[1])), "fragment-short");
        assert_eq!(name(world.to(&Frame::udp(friend, own, 9, 53).part(7, 0, false).build())), "pass");
    }
}

#[test]
fn headers_are_walked_and_counted() {
    let mut world = World::isolated();
    let [[own4, friend4, ..], [own6, friend6, ..]] = families();
    let options = Frame::tcp(friend4, own4, 40000, 80, Flags::SYN).options([1; 40]);
    assert_eq!(name(world.to(&options.build())), "pass");
    let syn = || Frame::tcp(friend6, own6, 40000, 80, Flags::SYN);
    for kind in [0, 43, 51, 60] {
        assert_eq!(name(world.to(&syn().extension(kind, [0; 6]).build())), "pass", "{kind}");
    }
    let many = |count| (0..count).fold(syn(), |frame, _| frame.extension(60, [0; 22]));
    assert_eq!(name(world.to(&many(8).build())), "pass");
    assert_eq!(name(world.to(&many(9).build())), "ipv6-headers");
    assert_eq!(name(world.to(&syn().extension(43, [0, 1, 0, 0, 0, 0]).build())), "ipv6-headers");
    assert_eq!(name(world.to(&Frame::ip(friend4, own4, 47, vec![0; 40]).build())), "unknown-protocol");
    assert_eq!(name(world.to(&Frame::ip(friend6, own6, 59, vec![]).build())), "unknown-protocol");
}

#[test]
fn what_is_cut_short_is_never_passed() {
    let mut world = World::isolated();
    for [own, _, trusted, _] in families() {
        for frame in [
            Frame::tcp(trusted, own, 40000, 80, Flags::SYN).build(),
            Frame::udp(trusted, own, 9, 53).payload([0; 3]).build(),
            Frame::icmp_echo(trusted, own, Echo::Request, 5).build(),
        ] {
            for len in 14..frame.len() {
                assert!(world.to(&frame[..len]).is_err(), "{len} of {}", frame.len());
            }
        }
    }
}

#[test]
fn an_endpoint_without_an_ipv6_address_may_not_claim_that_of_nobody() {
    let mut world = World::isolated();
    world.without_address6();
    let nobody = std::net::Ipv6Addr::UNSPECIFIED;
    for kind in [135, 136] {
        let claim = Frame::neighbour(kind, IpAddr::V6(nobody), solicited_node(OWN6), nobody, MAC).build();
        assert_eq!(name(world.from(&claim)), "forbidden-neighbour", "{kind}");
    }
}

#[test]
fn an_endpoint_speaks_for_itself_only() {
    let mut world = World::isolated();
    for [_, friend, trusted, _] in families() {
        assert_eq!(name(world.from(&Frame::udp(friend, trusted, 9, 53).build())), "invalid-source");
    }
    let [_, [own, _, trusted, _]] = families();
    let (link, nobody): (IpAddr, IpAddr) = ("fe80::77".parse().unwrap(), "::".parse().unwrap());
    assert_eq!(name(world.from(&Frame::udp(link, trusted, 9, 53).build())), "invalid-source");
    assert_eq!(name(world.from(&Frame::icmp_echo(link, trusted, Echo::Request, 5).build())), "invalid-source");
    assert_eq!(name(world.from(&Frame::tcp(nobody, trusted, 9, 53, Flags::SYN).build())), "invalid-source");
    for source in [own, link, nobody] {
        for (target, mine) in [(OWN6, true), ("fe80::77".parse().unwrap(), true), ("fd00::99".parse().unwrap(), false)]
        {
            let everyone = solicited_node(target);
            let ask = name(world.from(&Frame::neighbour(135, source, everyone, target, MAC).build()));
            assert_eq!(ask, if mine || source != nobody { "pass" } else { "forbidden-neighbour" }, "{source} {target}");
            let tell = name(world.from(&Frame::neighbour(136, source, trusted, target, MAC).build()));
            assert_eq!(tell, if mine { "pass" } else { "forbidden-neighbour" }, "{source} {target}");
        }
        let routers: IpAddr = "ff02::2".parse().unwrap();
        assert_eq!(name(world.from(&Frame::router(133, source, routers).build())), "pass");
        assert_eq!(name(world.from(&Frame::router(134, source, routers).build())), "forbidden-neighbour");
        assert_eq!(name(world.from(&Frame::neighbour(137, source, routers, OWN6, MAC).build())), "forbidden-neighbour");
        let far = Frame::neighbour(135, source, routers, OWN6, MAC).hop_limit(64);
        assert_eq!(name(world.from(&far.build())), "forbidden-neighbour");
    }
    let stranger: IpAddr = "fd00::99".parse().unwrap();
    assert_eq!(name(world.from(&Frame::router(133, stranger, trusted).build())), "invalid-source");
    assert_eq!(name(world.to(&Frame::router(134, link, own).build())), "pass");
}

#[test]
fn arp_passes_for_the_endpoint_itself() {
    let mut world = World::isolated();
    let arp = |mac, address| Frame::arp(1, (mac, address), ([0; 6], [10, 0, 1, 1])).build();
    assert_eq!(name(world.from(&arp(MAC, OWN4.octets()))), "pass");
    assert_eq!(name(world.from(&arp(MAC, [0; 4]))), "pass");
    assert_eq!(name(world.from(&arp([6; 6], OWN4.octets()))), "forbidden-neighbour");
    assert_eq!(name(world.from(&arp(MAC, [10, 0, 1, 9]))), "forbidden-neighbour");
    assert_eq!(name(world.to(&arp([6; 6], [10, 0, 1, 9]))), "pass");
    let short = arp(MAC, OWN4.octets());
    assert_eq!(name(world.from(&short[..41])), "truncated");
}

#[test]
fn other_frames_are_dropped_by_kind() {
    let mut world = World::isolated();
    let [[own, _, trusted, _], _] = families();
    assert_eq!(name(world.to(&Frame::raw(0x88cc, vec![0; 50]).build())), "unknown-ethertype");
    assert_eq!(name(world.to(&Frame::udp(trusted, own, 9, 53).tagged(7).build())), "vlan");
    let mut version = Frame::udp(trusted, own, 9, 53).build();
    version[14] = 0x55;
    assert_eq!(name(world.to(&version)), "malformed-header");
    version[14] = 0x44;
    assert_eq!(name(world.to(&version)), "malformed-header");
}

#[test]
fn where_fragments_are_not_followed_later_ones_have_no_ports() {
    let settings =
        ebpf::Settings { untracked_fragments4: true, untracked_fragments6: true, ..ebpf::Settings::default() };
    let mut world = World::under(settings, image::Hook::BOTH, &target(), &policy(), &policy());
    for [own, friend, trusted, stranger] in families() {
        // The trusted peer has every port, the friend some, the stranger none.
        for (peer, first, later) in
            [(trusted, "pass", "pass"), (friend, "pass", "policy"), (stranger, "policy", "policy")]
        {
            let parts = Frame::udp(peer, own, 9, 53).payload(vec![7; 3000]).fragments(99, 1400);
            assert_eq!(name(world.to(&parts[1])), later, "{peer}");
            assert_eq!(name(world.to(&parts[0])), first, "{peer}");
            assert_eq!(name(world.to(&parts[2])), later, "{peer}");
        }
        let short = Frame::tcp(trusted, own, 9, 80, Flags::SYN).fragments(102, 8);
        assert_eq!(name(world.to(&short[0])), "fragment-short");
        assert_eq!(name(world.to(&short[1])), "fragment-short");
    }
}

#[test]
fn no_endpoint_sends_into_the_tunnel_of_its_node() {
    let settings = ebpf::Settings { tunnel_port: Some(8472), ..ebpf::Settings::default() };
    for matrix in [Matrix::allow(), policy()] {
        let mut world = World::under(settings, image::Hook::BOTH, &target(), &matrix, &matrix);
        for [own, _, trusted, _] in families() {
            // In this world the node's addresses are the endpoint's.
            assert_eq!(name(world.from(&Frame::udp(own, own, 9, 8472).payload("wrapped").build())), "encapsulation");
            for part in Frame::udp(own, own, 9, 8472).payload(vec![7; 3000]).fragments(99, 1400) {
                assert_eq!(name(world.from(&part)), "encapsulation");
            }
            assert_eq!(name(world.from(&Frame::udp(own, trusted, 9, 8472).payload("plain").build())), "pass");
            assert_eq!(name(world.to(&Frame::udp(trusted, own, 9, 8472).payload("plain").build())), "pass");
            // All engines agree on what policy says of these, or `from` fails.
            let _judged = world.from(&Frame::udp(own, own, 9, 8473).payload("other").build());
            let _judged = world.from(&Frame::tcp(own, own, 9, 8472, Flags::SYN).build());
        }
    }
}
