//! What programs keep and tell: connections under pressure, counters, records, who the host is.

mod common;

use common::{FRIEND4, IFINDEX, OWN4, OWN6, STRANGER4, STRANGER6, TRUSTED4, TRUSTED6, World, policy, targets};
use ebpf::Matrix;
use image::layout::state;
use image::{DropReason, Hook, Target};
use loader::Context;
use packet::Flags;
use packet::craft::{Echo, Frame};
use std::net::{IpAddr, Ipv4Addr};

#[test]
fn a_flood_of_openings_leaves_answered_connections_alone() {
    targets().iter().for_each(flood);
}

/// One set of eight ways, four of them answered.
fn flood(target: &Target) {
    let target = Target { track4_sets_log2: 0, ..target.clone() };
    let mut world = World::on(&target, &policy(), &policy());
    let syn = |from: u16| Frame::tcp(TRUSTED4, OWN4, from, 22, Flags::SYN).build();
    for from in 1..=4 {
        assert_eq!(world.in_vm(Hook::ToEndpoint, &syn(from)), "pass");
        let answer = Frame::tcp(OWN4, TRUSTED4, 22, from, Flags::SYN_ACK).build();
        assert_eq!(world.in_vm(Hook::FromEndpoint, &answer), "pass");
    }
    for from in 1000..2000 {
        world.now += 1;
        assert_eq!(world.in_vm(Hook::ToEndpoint, &syn(from)), "pass");
    }
    let connections = world.connections();
    assert_eq!(connections.len(), 8);
    let answered = connections.iter().filter(|connection| connection.flags & state::ANSWERED != 0);
    assert_eq!(answered.count(), 4);
    // The oldest of the unanswered made room.
    let newest = |from: u16| connections.iter().any(|connection| connection.a.1 == from || connection.b.1 == from);
    assert!((1996..2000).all(newest));
}

#[test]
fn closing_connections_make_room_first() {
    targets().iter().for_each(close);
}

fn close(target: &Target) {
    let target = Target { track4_sets_log2: 0, ..target.clone() };
    let mut world = World::on(&target, &policy(), &policy());
    for from in 1..=8 {
        let frame = Frame::tcp(TRUSTED4, OWN4, from, 22, if from == 5 { Flags::RST } else { Flags::SYN });
        assert_eq!(world.in_vm(Hook::ToEndpoint, &frame.build()), "pass");
    }
    let next = Frame::udp(TRUSTED4, OWN4, 9, 53).payload("question").build();
    assert_eq!(world.in_vm(Hook::ToEndpoint, &next), "pass");
    let connections = world.connections();
    assert!(!connections.iter().any(|connection| connection.flags & state::RESET != 0));
    assert!(connections.iter().any(|connection| connection.protocol == 17));
}

#[test]
fn writers_of_one_set_leave_whole_entries_to_each_other() {
    for target in targets() {
        let target = Target { track4_sets_log2: 0, ..target };
        let world = World::on(&target, &policy(), &policy());
        let Some(loaded) = world.loaded() else { continue };
        // Of one flow the ports say each other, so that an entry that two writers made together shows.
        let write = |first: u16| {
            for from in (first..30_000).step_by(2) {
                let syn = Frame::tcp(TRUSTED4, OWN4, from, from + 1, Flags::SYN).build();
                let answer = Frame::tcp(OWN4, TRUSTED4, from + 1, from, Flags::SYN_ACK).build();
                for (hook, frame) in [(Hook::ToEndpoint, syn), (Hook::FromEndpoint, answer)] {
                    loaded.run(hook, &frame, &Context { ifindex: IFINDEX, ..Context::default() }, 1).unwrap();
                }
            }
        };
        std::thread::scope(|scope| {
            for first in [20_000, 20_001] {
                let write = &write;
                scope.spawn(move || write(first));
            }
        });
        let held = world.connections_in_kernel();
        assert_eq!(held.len(), 8, "{held:?}");
        for it in held {
            let opened = it.a.0 == IpAddr::from(OWN4);
            let (own, other) = if opened { (it.a.1, it.b.1) } else { (it.b.1, it.a.1) };
            assert_eq!((own, it.flags & state::BUSY), (other + 1, 0), "{it:?}");
        }
    }
}

#[test]
fn an_entry_says_who_opened_it_and_what_was_seen() {
    let mut world = World::isolated();
    for (own, trusted) in [(IpAddr::from(OWN4), TRUSTED4), (IpAddr::from(OWN6), TRUSTED6)] {
        world.from(&Frame::tcp(own, trusted, 50000, 80, Flags::SYN).build()).unwrap();
        world.to(&Frame::tcp(trusted, own, 80, 50000, Flags(0x11)).build()).unwrap();
    }
    for connection in world.connections() {
        assert_eq!((connection.endpoint, connection.protocol, connection.packets), (77, 6, 2));
        assert!(connection.opened_by_endpoint());
        let seen = state::LIVE | state::OPENED_BY_ENDPOINT | state::ANSWERED | state::FIN_OTHER | state::TCP;
        assert_eq!(connection.flags & 0xffff, seen);
    }
    assert_eq!(world.connections().len(), 2);
}

#[test]
fn packets_that_stand_for_many_count_as_many() {
    let mut world = World::isolated();
    world.gso_segs = 30;
    let frame = Frame::tcp(FRIEND4, OWN4, 40000, 80, Flags::SYN).build();
    assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "pass");
    world.gso_segs = 0;
    assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "pass");
    assert_eq!(world.counters()[0], 31);
    // Column 1, class 1 of three.
    assert_eq!(world.leaf_counters(3)[4], 31);
}

#[test]
fn a_drop_and_a_first_packet_leave_a_record() {
    let mut world = World::isolated();
    let denied = Frame::tcp(STRANGER4, OWN4, 40000, 80, Flags::SYN).build();
    assert_eq!(world.in_vm(Hook::ToEndpoint, &denied), "policy");
    let allowed = Frame::udp(OWN6, TRUSTED6, 9, 53).payload("question").build();
    for _ in 0..2 {
        assert_eq!(world.in_vm(Hook::FromEndpoint, &allowed), "pass");
    }
    let records = world.records();
    assert_eq!(records.len(), 2);
    let (drop, first) = (&records[0], &records[1]);
    assert_eq!(drop.reason, DropReason::Policy as u8);
    assert_eq!((drop.peer, drop.l4_key, drop.leaf), (7, 0x06_0050, Some(3)));
    assert_eq!((drop.endpoint, drop.from_endpoint, drop.length), (77, false, denied.len() as u32));
    assert_eq!(drop.addresses, Some((STRANGER4.parse().unwrap(), OWN4.into())));
    assert_eq!((drop.source_port, drop.destination_port), (40000, 80));
    assert_eq!((first.reason, first.peer, first.leaf, first.from_endpoint), (0, 6, Some(5), true));
    assert_eq!(first.addresses, Some((OWN6.into(), TRUSTED6.parse().unwrap())));
}

#[test]
fn a_packet_that_was_never_decided_has_no_leaf() {
    let mut world = World::isolated();
    let spoofed = Frame::udp(STRANGER4, OWN4, 9, 53).build();
    assert_eq!(world.in_vm(Hook::FromEndpoint, &spoofed), "invalid-source");
    let record = world.records().pop().unwrap();
    assert_eq!(
        (record.leaf, record.peer, record.addresses),
        (None, 0, Some((STRANGER4.parse().unwrap(), OWN4.into())))
    );
}

#[test]
fn an_error_goes_to_the_sender_of_the_packet_inside_only() {
    // Else an endpoint could send anything anywhere, wrapped around a connection of its own.
    let mut world = World::isolated();
    for (own, trusted, stranger) in [(IpAddr::from(OWN4), TRUSTED4, STRANGER4), (OWN6.into(), TRUSTED6, STRANGER6)] {
        let (kind, inner) = (if own.is_ipv4() { 3 } else { 1 }, Frame::udp(trusted, own, 9, 53).payload("question"));
        assert_eq!(world.in_vm(Hook::ToEndpoint, &inner.build()), "pass");
        let to = |peer: &str| Frame::icmp_error(own, peer.parse::<IpAddr>().unwrap(), kind, 1, &inner).build();
        assert_eq!(world.in_vm(Hook::FromEndpoint, &to(trusted)), "pass");
        assert_eq!(world.in_vm(Hook::FromEndpoint, &to(stranger)), "policy");
    }
}

#[test]
fn an_interface_without_endpoint_drops() {
    let mut world = World::isolated();
    let frame = Frame::udp(TRUSTED4, OWN4, 9, 53).payload("question").build();
    world.ifindex = 9;
    assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "no-endpoint");
}

#[test]
fn a_tag_beside_the_frame_drops() {
    let mut world = World::isolated();
    world.vlan = Some(7);
    let frame = Frame::udp(TRUSTED4, OWN4, 9, 53).payload("question").build();
    assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "vlan");
}

#[test]
fn only_packets_made_on_the_node_come_from_the_host() {
    // The host alone is allowed; WORLD4 and WORLD6 are class 0.
    let only_host = Matrix {
        class_count: 2,
        cuts: vec![(0, 0)],
        leaves: vec![0, 1],
        signatures: vec![vec![], vec![0]],
        hits: vec![],
    };
    let mut world = World::new(&only_host, &only_host);
    world.make_host("10.0.1.1".parse().unwrap());
    world.make_host("fd00:0:0:1::1".parse().unwrap());
    for (host, own) in [("10.0.1.1", IpAddr::from(OWN4)), ("fd00:0:0:1::1", OWN6.into())] {
        let frame = Frame::tcp(host, own, 40000, 80, Flags::SYN).build();
        assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "policy", "forwarded");
        world.ingress_ifindex = 0;
        assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "pass", "made here");
        world.ingress_ifindex = 3;
        let out = Frame::tcp(own, host, 50000, 80, Flags::SYN).build();
        assert_eq!(world.in_vm(Hook::FromEndpoint, &out), "pass", "to the host");
    }
}

#[test]
fn headers_beyond_linear_data_are_pulled() {
    let mut world = World::isolated();
    for (own, trusted) in [(IpAddr::from(OWN4), TRUSTED4), (IpAddr::from(OWN6), TRUSTED6)] {
        for frame in [
            Frame::tcp(trusted, own, 40000, 22, Flags::SYN).build(),
            Frame::udp(trusted, own, 9, 53).payload([0; 600]).build(),
            Frame::icmp_echo(trusted, own, Echo::Request, 5).build(),
        ] {
            for linear in [14, 20, 40, 60] {
                world.linear = Some(linear);
                assert_eq!(world.in_vm(Hook::ToEndpoint, &frame), "pass", "{linear}");
            }
        }
    }
}

#[test]
fn a_peer_beyond_the_class_table_is_everybody_else() {
    let mut world = World::isolated();
    let far = Ipv4Addr::new(10, 0, 9, 9);
    world.assign4(far, 1 << 20);
    assert_eq!(world.in_vm(Hook::ToEndpoint, &Frame::tcp(far, OWN4, 1, 80, Flags::SYN).build()), "policy");
}
