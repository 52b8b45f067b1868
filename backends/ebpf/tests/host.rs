//! The programs of the node itself: judge, machine and kernel agree on what is its own, and on what becomes of that.

mod common;

use common::{MAC, OWN4, OWN6, World, families, name, policy, target};
use ebpf::{Matrix, compile_hooks};
use image::layout::{endpoint, record};
use image::{DropReason, Hook};
use packet::craft::{Echo, Frame};
use packet::{Flags, Origin};
use std::net::IpAddr;

#[test]
fn only_what_is_for_the_node_or_made_by_it_is_judged() {
    let mut world = World::host();
    for [own, friend, trusted, stranger] in families() {
        let ssh = |from, to| Frame::tcp(from, to, 40000, 22, Flags::SYN).build();
        assert_eq!(name(world.to(&ssh(stranger, own))), "policy");
        assert_eq!(name(world.to(&ssh(trusted, own))), "pass");
        assert_eq!(name(world.to(&ssh(stranger, friend))), "forwarded");
        for (origin, said) in [(Origin::Here, "policy"), (Origin::Endpoint, "pass"), (Origin::Elsewhere, "forwarded")] {
            world.origin = origin;
            assert_eq!(name(world.from(&Frame::tcp(own, stranger, 41000, 22, Flags::SYN).build())), said, "{origin:?}");
            assert_eq!(name(world.from(&ssh(friend, stranger))), "forwarded", "{origin:?}");
        }
        world.origin = Origin::Here;
    }
}

#[test]
fn the_node_has_connections_of_its_own() {
    let mut world = World::host();
    for [own, friend, _, stranger] in families() {
        let syn = Frame::tcp(friend, own, 40000, 80, Flags::SYN).build();
        let answer = Frame::tcp(own, friend, 80, 40000, Flags::SYN_ACK).build();
        assert_eq!(name(world.from(&answer)), "policy");
        assert_eq!(name(world.to(&syn)), "pass");
        assert_eq!(name(world.from(&answer)), "pass");
        assert_eq!(name(world.from(&Frame::udp(own, friend, 9, 53).build())), "pass");
        assert_eq!(name(world.to(&Frame::udp(friend, own, 53, 9).build())), "pass");
        assert_eq!(name(world.to(&Frame::icmp_echo(friend, own, Echo::Request, 5).build())), "pass");
        assert_eq!(name(world.from(&Frame::icmp_echo(own, friend, Echo::Reply, 5).build())), "pass");
        let kind = if own.is_ipv4() { 11 } else { 3 };
        let about = Frame::udp(own, friend, 9, 53);
        assert_eq!(name(world.to(&Frame::icmp_error(stranger, own, kind, 0, &about).build())), "pass");
    }
    assert!(world.connections().iter().all(|connection| connection.endpoint == endpoint::NODE));
    assert!(world.records().iter().all(|record| record.endpoint == u32::from(endpoint::NODE)));
}

#[test]
fn answers_to_what_was_translated_on_the_node_pass_and_nothing_was_recorded_of_it() {
    let mut world = World::host();
    for [own, _, _, stranger] in families() {
        let out = Frame::tcp(own, stranger, 31000, 443, Flags::SYN).build();
        let back = Frame::tcp(stranger, own, 443, 31000, Flags::SYN_ACK).build();
        assert_eq!(name(world.to(&back)), "policy");
        world.origin = Origin::Endpoint;
        drop(world.records());
        assert_eq!(name(world.from(&out)), "pass");
        assert_eq!(world.records(), []);
        assert_eq!(name(world.to(&back)), "pass");
        // It was opened for an endpoint, and the node itself is judged on it as on any other.
        world.origin = Origin::Here;
        assert_eq!(name(world.from(&out)), "policy");
        assert_eq!(name(world.to(&back)), "pass");
    }
}

#[test]
fn errors_about_what_the_node_forwards_are_forwarded() {
    let mut world = World::host();
    for [own, friend, _, stranger] in families() {
        let kind = if own.is_ipv4() { 11 } else { 3 };
        let error = |about: &Frame| Frame::icmp_error(own, friend, kind, 0, about).build();
        for (destination, said) in [(stranger, "forwarded"), (own, "policy")] {
            assert_eq!(name(world.from(&error(&Frame::udp(friend, destination, 9, 53)))), said);
            assert_eq!(name(world.from(&error(&Frame::icmp_echo(friend, destination, Echo::Request, 9)))), said);
            // What cannot be read in it is no reason to let it pass.
            assert_eq!(name(world.from(&error(&Frame::ip(friend, destination, 47, vec![0; 8])))), "policy");
        }
        assert_eq!(name(world.from(&error(&Frame::udp(stranger, friend, 9, 53)))), "policy");
    }
}

#[test]
fn neighbours_pass_and_frames_of_no_known_kind_do_not() {
    let mut world = World::host();
    let arp = Frame::arp(1, (MAC, [10, 0, 9, 9]), ([0; 6], OWN4.octets())).build();
    let (own, other): (IpAddr, IpAddr) = (OWN6.into(), "fe80::77".parse().unwrap());
    let raw = Frame::raw(0x88cc, vec![0; 50]).build();
    for origin in [Origin::Here, Origin::Endpoint, Origin::Elsewhere] {
        world.origin = origin;
        let ours = if origin == Origin::Here { ["pass", "unknown-ethertype"] } else { ["forwarded"; 2] };
        assert_eq!([name(world.from(&arp)), name(world.from(&raw))], ours, "{origin:?}");
    }
    world.origin = Origin::Here;
    assert_eq!([name(world.to(&arp)), name(world.to(&raw))], ["pass", "unknown-ethertype"]);
    for kind in [135, 136, 137] {
        assert_eq!(name(world.to(&Frame::neighbour(kind, other, own, OWN6, MAC).build())), "pass");
        assert_eq!(name(world.from(&Frame::neighbour(kind, own, other, OWN6, MAC).build())), "pass");
        let far = Frame::neighbour(kind, other, own, OWN6, MAC).hop_limit(64).build();
        assert_eq!(name(world.to(&far)), "forbidden-neighbour");
    }
    assert_eq!(name(world.from(&Frame::router(134, own, other).build())), "pass");
}

#[test]
fn a_tag_with_a_number_belongs_to_another_device() {
    let mut world = World::host();
    world.without_kernel();
    for [own, _, trusted, stranger] in families() {
        for (tag, said) in [(7, ["forwarded"; 2]), (0xe000, ["policy", "pass"])] {
            world.vlan = Some(tag);
            let syn = |from| Frame::tcp(from, own, 40000, 22, Flags::SYN).build();
            assert_eq!([name(world.to(&syn(stranger))), name(world.to(&syn(trusted)))], said, "{tag:#x}");
        }
        world.vlan = None;
        assert_eq!(name(world.to(&Frame::udp(trusted, own, 9, 53).tagged(7).build())), "vlan");
    }
}

#[test]
fn headers_beyond_linear_data_are_pulled() {
    let mut world = World::host();
    world.without_kernel();
    world.linear = Some(14);
    for [own, friend, trusted, stranger] in families() {
        let ssh = |from, to| Frame::tcp(from, to, 40000, 22, Flags::SYN).payload(vec![7; 900]).build();
        assert_eq!(name(world.to(&ssh(trusted, own))), "pass");
        assert_eq!(name(world.to(&ssh(stranger, own))), "policy");
        assert_eq!(name(world.to(&ssh(stranger, friend))), "forwarded");
    }
}

#[test]
fn audit_mode_passes_what_policy_denies_and_says_so_once_a_connection() {
    for hooks in [Hook::BOTH, Hook::HOST] {
        let mut world = World::at(hooks, &target(), &policy(), &policy());
        for [own, friend, _, stranger] in families() {
            world.set_audit(false);
            let syn = Frame::tcp(stranger, own, 40000, 22, Flags::SYN).build();
            let more = Frame::tcp(stranger, own, 40000, 22, Flags::ACK).build();
            let back = Frame::tcp(own, stranger, 22, 40000, Flags::SYN_ACK).build();
            assert_eq!(name(world.to(&syn)), "policy");
            world.set_audit(true);
            drop(world.records());
            assert_eq!(name(world.to(&syn)), "audited");
            let seen = world.records();
            assert_eq!(seen.len(), 1);
            assert!(
                seen[0].audited && seen[0].reason == DropReason::Policy as u8 && seen[0].leaf.is_some(),
                "{seen:?}"
            );
            assert_eq!(name(world.from(&back)), "pass");
            // The connection is audited with its next packet, and then no more: records are for people.
            for expected in [1, 0] {
                assert_eq!(name(world.to(&more)), "audited");
                assert_eq!(world.records().len(), expected);
            }
            // What is allowed is no matter of audit mode.
            assert_eq!(name(world.to(&Frame::tcp(friend, own, 40000, 80, Flags::SYN).build())), "pass");
            assert!(world.records().iter().all(|record| !record.audited && record.reason == 0));
            assert_eq!(name(world.to(&Frame::icmp_echo(stranger, own, Echo::Reply, 3).build())), "audited");
            assert_eq!(name(world.to(&Frame::ip(stranger, own, 47, vec![0; 40]).build())), "unknown-protocol");
            world.set_audit(false);
            assert_eq!(name(world.to(&more)), "policy");
        }
    }
}

#[test]
fn audit_mode_passes_nothing_that_policy_was_not_asked_about() {
    for leaf in [0, 2, 3] {
        let closed = Matrix::constant(leaf);
        let mut world = World::at(Hook::BOTH, &target(), &closed, &closed);
        world.set_audit(true);
        for [own, friend, trusted, _] in families() {
            let said = ["audited", "", "no-proxy", "auth-required"][usize::from(leaf)];
            assert_eq!(name(world.to(&Frame::udp(friend, own, 9, 53).build())), said);
            assert_eq!(name(world.from(&Frame::udp(friend, trusted, 9, 53).build())), "invalid-source");
            let mut damaged = Frame::udp(friend, own, 9, 53).build();
            damaged[14] = 0x15;
            assert_eq!(name(world.to(&damaged)), "malformed-header");
            let parts = Frame::udp(friend, own, 9, 53).payload(vec![7; 3000]).fragments(99, 1400);
            assert_eq!(name(world.to(&parts[1])), "fragment-unknown");
        }
    }
}

#[test]
fn the_kernel_takes_the_programs_of_the_node_whatever_they_decide() {
    let leaves = [0, 1, 2, 3].map(Matrix::constant);
    for (ingress, egress) in leaves.iter().zip(leaves.iter().rev()).chain([(&policy(), &policy())]) {
        let verified = World::at(Hook::HOST, &target(), ingress, egress).verified();
        assert!(verified.iter().all(|(_, walked)| *walked < 12_000), "{verified:?}");
    }
    let image = compile_hooks(Hook::HOST, "node", &policy(), &policy(), &target()).unwrap();
    assert_eq!(image.hooks(), Hook::HOST);
    assert_eq!(record::AUDITED + 1, record::SOURCE);
}
