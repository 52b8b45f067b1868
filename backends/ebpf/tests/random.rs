//! Packets with damaged bytes, in sequence and both directions: judge, machine and kernel agree on every one.

mod common;

use common::{FRIEND4, FRIEND6, MAC, OWN4, OWN6, STRANGER6, TRUSTED4, TRUSTED6, World, policy, target};
use ebpf::Matrix;
use image::{Exchange, Hook, Target};
use packet::craft::{Echo, Frame, damage};
use packet::{Flags, Origin};
use std::net::IpAddr;

/// A generator of numbers, the same on every machine (Marsaglia, "Xorshift RNGs").
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// Whole frames of every kind, towards the endpoint and from it.
fn frames() -> Vec<(Hook, Vec<u8>)> {
    let mut out = Vec::new();
    let pairs: [(IpAddr, [&str; 2]); 2] = [(OWN4.into(), [FRIEND4, TRUSTED4]), (OWN6.into(), [FRIEND6, TRUSTED6])];
    for (own, peers) in pairs {
        for peer in peers.map(|peer| peer.parse::<IpAddr>().unwrap()) {
            for (hook, a, b, client, server) in
                [(Hook::ToEndpoint, peer, own, 40000, 80), (Hook::FromEndpoint, own, peer, 80, 40000)]
            {
                let mut add = |frame: Frame| out.push((hook, frame.build()));
                for flags in [Flags::SYN, Flags::SYN_ACK, Flags::ACK, Flags::RST, Flags(0x11)] {
                    add(Frame::tcp(a, b, client, server, flags));
                }
                add(Frame::udp(a, b, 9, 53).payload("question"));
                add(Frame::udp(a, b, 53, 9).payload("answer"));
                add(Frame::sctp(a, b, 9, 3868));
                for id in [0, 7] {
                    add(Frame::icmp_echo(a, b, Echo::Request, id));
                    add(Frame::icmp_echo(a, b, Echo::Reply, id));
                }
                let about = Frame::udp(b, a, 53, 9);
                add(Frame::icmp_error(a, b, if own.is_ipv4() { 3 } else { 1 }, 1, &about));
                add(Frame::icmp_error(
                    a,
                    b,
                    if own.is_ipv4() { 11 } else { 3 },
                    0,
                    &Frame::icmp_echo(b, a, Echo::Request, 7),
                ));
                for part in Frame::udp(a, b, 9, 53).payload([1; 40]).fragments(5, 24) {
                    out.push((hook, part));
                }
            }
        }
    }
    out.extend(neighbours());
    out
}

fn neighbours() -> Vec<(Hook, Vec<u8>)> {
    let mut out = Vec::new();
    for hook in Hook::BOTH {
        let mut add = |frame: Frame| out.push((hook, frame.build()));
        add(Frame::arp(1, (MAC, OWN4.octets()), ([0; 6], [10, 0, 1, 1])));
        for source in [IpAddr::from(OWN6), "fe80::7".parse().unwrap(), "::".parse().unwrap()] {
            for kind in [135, 136, 137] {
                add(Frame::neighbour(kind, source, "ff02::1", OWN6, MAC));
            }
            add(Frame::router(133, source, "ff02::2"));
            add(Frame::router(134, source, "ff02::1"));
            add(Frame::tcp(source, STRANGER6, 1, 80, Flags::SYN).extension(0, [1, 4, 0, 0, 0, 0]));
            add(Frame::udp(source, FRIEND6, 1, 53).extension(60, [0; 14]).extension(43, [0; 6]).extension(51, [0; 10]));
        }
    }
    out
}

/// The judge forgets nothing, so the tables here have room for all that is sent.
fn roomy() -> Target {
    Target { track4_sets_log2: 12, track6_sets_log2: 12, fragments_log2: 14, ..target() }
}

/// Sends frames in random order, a part of them damaged.
fn exercise(mut world: World, seed: u64, count: usize) {
    let (frames, mut numbers, host) = (frames(), Numbers(seed), world.hooks() == Hook::HOST);
    for _ in 0..count {
        let (hook, mut frame) = frames[numbers.below(frames.len())].clone();
        damage(&mut frame, &mut |limit| numbers.below(limit));
        if host {
            world.origin = [Origin::Here, Origin::Here, Origin::Endpoint, Origin::Elsewhere][numbers.below(4)];
        }
        let hook = if host { Hook::HOST[usize::from(hook.is_egress())] } else { hook };
        // What came of it does not matter here: that all say the same does, and `send` asserts it.
        let _ = world.send(hook, &frame);
    }
}

#[test]
fn damaged_packets_meet_the_same_fate_everywhere() {
    exercise(World::on(&roomy(), &policy(), &policy()), 0x1234_5678_9abc_def1, 20_000);
}

#[test]
fn so_they_do_where_a_direction_decides_nothing() {
    let (open, closed) = (Matrix::allow(), Matrix::constant(0));
    exercise(World::on(&roomy(), &open, &policy()), 7, 4_000);
    exercise(World::on(&roomy(), &policy(), &open), 8, 4_000);
    exercise(World::on(&roomy(), &open, &closed), 9, 4_000);
    exercise(World::on(&roomy(), &closed, &open), 10, 4_000);
}

#[test]
fn so_they_do_in_the_other_byte_order() {
    let native = roomy();
    let other = Target { little_endian: !native.little_endian, ..native };
    exercise(World::on(&other, &policy(), &policy()), 11, 10_000);
}

#[test]
fn so_they_do_at_the_node_itself() {
    exercise(World::at(Hook::HOST, &roomy(), &policy(), &policy()), 12, 20_000);
    let (open, closed) = (Matrix::allow(), Matrix::constant(0));
    exercise(World::at(Hook::HOST, &roomy(), &open, &closed), 13, 4_000);
    exercise(World::at(Hook::HOST, &roomy(), &closed, &Matrix::constant(2)), 14, 4_000);
    let native = roomy();
    let other = Target { little_endian: !native.little_endian, ..native };
    exercise(World::at(Hook::HOST, &other, &policy(), &policy()), 15, 10_000);
}

#[test]
fn so_they_do_where_writers_lock() {
    let locked = Target { exchange: Exchange::Lock, ..roomy() };
    exercise(World::on(&locked, &policy(), &policy()), 17, 10_000);
    exercise(World::at(Hook::HOST, &locked, &policy(), &policy()), 18, 10_000);
    let other = Target { little_endian: !locked.little_endian, ..locked };
    exercise(World::on(&other, &policy(), &policy()), 19, 4_000);
}

#[test]
fn so_they_do_in_audit_mode() {
    for hooks in [Hook::BOTH, Hook::HOST] {
        let mut world = World::at(hooks, &roomy(), &policy(), &policy());
        world.set_audit(true);
        exercise(world, 16, 8_000);
    }
}
