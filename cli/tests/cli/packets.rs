//! Captured packets through the programs of their endpoints.

use crate::support::{CLUSTER, Folder, POLICY};
use packet::Flags;
use packet::craft::Frame;
use std::io::Write;

/// A packet as a capture keeps it: bytes, and how long it was.
type Kept = (Vec<u8>, usize);

fn whole(frame: Vec<u8>) -> Kept {
    let length = frame.len();
    (frame, length)
}

const WEB: &str = "10.1.0.4";
const DB: &str = "10.1.0.9";
const OUTSIDE: &str = "203.0.113.7";

/// A connection that is allowed, and packets of every other kind.
fn packets() -> Vec<Kept> {
    let mut all = vec![
        whole(Frame::tcp(WEB, DB, 40000, 5432, Flags::SYN).build()),
        whole(Frame::tcp(DB, WEB, 5432, 40000, Flags::SYN_ACK).build()),
        whole(Frame::tcp(WEB, DB, 40000, 5432, Flags::ACK).payload(b"select 1").build()),
        whole(Frame::tcp("fd00:1::4", "fd00:1::9", 40001, 5432, Flags::SYN).build()),
        whole(Frame::tcp("fd00:1::9", "fd00:1::4", 5432, 40001, Flags::SYN_ACK).build()),
        whole(Frame::tcp("fd00:1::4", "fd00:1::9", 40002, 22, Flags::SYN).build()),
        whole(Frame::udp(WEB, DB, 40003, 53).payload(b"who").build()),
        whole(Frame::tcp(OUTSIDE, DB, 40004, 5432, Flags::SYN).build()),
        whole(Frame::udp(DB, WEB, 40005, 53).build()),
        whole(Frame::udp(WEB, DB, 53, 40005).build()),
        whole(Frame::icmp(WEB, DB, 8, 0, [0, 7, 0, 1], b"ping").build()),
        whole(Frame::icmp(DB, WEB, 8, 0, [0, 8, 0, 1], b"ping").build()),
        whole(Frame::icmp(WEB, DB, 0, 0, [0, 8, 0, 1], b"ping").build()),
    ];
    all.extend(Frame::udp(WEB, DB, 40006, 53).payload(vec![7; 3000]).fragments(99, 1400).into_iter().map(whole));
    all.extend(Frame::udp(DB, WEB, 40007, 53).payload(vec![7; 3000]).fragments(98, 1400).into_iter().map(whole));
    let cut = Frame::tcp(WEB, DB, 40008, 5432, Flags::SYN).build();
    all.push(whole(cut[..40].to_vec()));
    all.push((cut[..40].to_vec(), cut.len()));
    all.push((cut[..50].to_vec(), 1500));
    all.push(whole(Frame::tcp(OUTSIDE, "203.0.113.8", 1, 2, Flags::SYN).build()));
    all
}

fn arp() -> Kept {
    whole(Frame::arp(1, ([2, 0, 0, 0, 0, 1], [10, 1, 0, 4]), ([0; 6], [10, 1, 0, 9])).build())
}

/// A packet a second from 2026-03-01T12:00:00Z.
const START: u32 = 1_772_366_400;

fn pcap(link: u32, packets: &[Kept]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, link] {
        out.extend(u32::to_le_bytes(word));
    }
    for (at, (bytes, length)) in packets.iter().enumerate() {
        for word in [START + at as u32, 500_000, bytes.len() as u32, *length as u32] {
            out.extend(word.to_le_bytes());
        }
        out.extend(bytes);
    }
    out
}

/// Big-endian, with nanoseconds.
fn pcapng(link: u16, packets: &[Kept]) -> Vec<u8> {
    fn block(out: &mut Vec<u8>, kind: u32, mut body: Vec<u8>) {
        body.resize(body.len().next_multiple_of(4), 0);
        let length = (body.len() as u32 + 12).to_be_bytes();
        out.extend(kind.to_be_bytes());
        out.extend(length);
        out.extend(body);
        out.extend(length);
    }
    let mut out = Vec::new();
    block(&mut out, 0x0a0d_0d0a, [&[0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0][..], &[0xff; 8]].concat());
    // The option 9 says that times count in 10^-9 seconds.
    let resolution = [0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0];
    block(&mut out, 1, [&link.to_be_bytes()[..], &[0, 0, 0, 4, 0, 0], &resolution].concat());
    for (at, (bytes, length)) in packets.iter().enumerate() {
        let time = (u64::from(START) + at as u64) * 1_000_000_000 + 500_000_000;
        let mut body = 0u32.to_be_bytes().to_vec();
        body.extend(time.to_be_bytes());
        body.extend((bytes.len() as u32).to_be_bytes());
        body.extend((*length as u32).to_be_bytes());
        body.extend(bytes);
        block(&mut out, 6, body);
    }
    out
}

/// The same packets with another header before the IP packet.
fn behind(header: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Kept> {
    let change = |(bytes, length): Kept| {
        let before = header(&bytes[12..14]);
        let length = length - 14 + before.len();
        ([&before, &bytes[14..]].concat(), length)
    };
    packets().into_iter().map(change).collect()
}

fn shop() -> Folder {
    Folder::of(&[("cluster.yaml", CLUSTER), ("new/policy.yaml", POLICY)])
}

const REPLAY: [&str; 6] = ["-f", "new", "-f", "cluster.yaml", "--facts", "all"];

fn replay(folder: &Folder, file: &str, more: &[&str]) -> crate::support::Ran {
    folder.run(&[&["replay", file], &REPLAY[..], more].concat())
}

#[test]
fn every_packet_goes_through_the_programs_of_both_ends() {
    let folder = shop();
    let mut all = packets();
    all.push(arp());
    std::fs::write(folder.join("web.pcap"), pcap(1, &all)).unwrap();
    for form in ["text", "concise", "csv"] {
        insta::assert_snapshot!(format!("packets-{form}"), replay(&folder, "web.pcap", &["-o", form]).ended(1));
    }
    let json = replay(&folder, "web.pcap", &["-o", "json"]).ended(1);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["summary"]["packets"], all.len());
    assert_eq!(report["kind"], "PacketReport");
    let rows = replay(&folder, "web.pcap", &["-o", "jsonl"]).ended(1);
    assert!(rows.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[test]
fn every_container_and_link_layer_gives_the_same_verdicts() {
    let folder = shop();
    let ethernet = pcap(1, &packets());
    std::fs::write(folder.join("a.pcap"), &ethernet).unwrap();
    let expected = replay(&folder, "a.pcap", &["-o", "csv"]).ended(1);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&ethernet).unwrap();
    let cooked = |kind: &[u8]| [&[0; 14][..], kind].concat();
    let cooked2 = |kind: &[u8]| [kind, &[0; 18][..]].concat();
    for (name, bytes) in [
        ("packed.pcap.gz", gzip.finish().unwrap()),
        ("raw.pcap", pcap(101, &behind(|_| Vec::new()))),
        ("cooked.pcap", pcap(113, &behind(cooked))),
        ("cooked2.pcap", pcap(276, &behind(cooked2))),
        ("next.pcapng", pcapng(1, &packets())),
        ("raw.pcapng", pcapng(101, &behind(|_| Vec::new()))),
    ] {
        std::fs::write(folder.join(name), bytes).unwrap();
        assert_eq!(replay(&folder, name, &["-o", "csv"]).ended(1).replace(name, "a.pcap"), expected, "{name}");
    }
}

#[test]
fn both_images_are_run_and_changed_packets_are_listed() {
    let folder = shop();
    folder.write("old/policy.yaml", &POLICY.replace("port: pg", "port: 22"));
    std::fs::write(folder.join("web.pcap"), pcap(1, &packets())).unwrap();
    let found = replay(&folder, "web.pcap", &["--against", "old"]).ended(1);
    insta::assert_snapshot!("packets-against", found);
    let same = replay(&folder, "web.pcap", &["--against", "new"]).ended(0);
    assert!(same.starts_with("nothing changes: "), "{same}");
}

#[test]
fn what_hangs_on_facts_that_were_not_read_is_counted_and_not_guessed() {
    let folder = shop();
    // An address of the node's range of pods: whose it was, nobody says.
    let frame = Frame::tcp("10.1.0.77", DB, 40004, 5432, Flags::SYN).build();
    std::fs::write(folder.join("web.pcap"), pcap(1, &[whole(frame)])).unwrap();
    let found = folder.run(&["replay", "web.pcap", "-f", "new", "-f", "cluster.yaml"]);
    assert!(found.out.contains("no packet could be decided"), "{}", found.out);
    assert!(found.out.contains("facts         1"), "{}", found.out);
}

#[test]
fn broken_captures_are_named_and_what_stands_before_the_break_is_said() {
    let folder = shop();
    let bytes = pcap(1, &packets());
    std::fs::write(folder.join("cut.pcap"), &bytes[..bytes.len() - 7]).unwrap();
    let ran = replay(&folder, "cut.pcap", &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`cut.pcap`: it breaks off after packet"), "{}", ran.err);
    assert!(ran.out.contains("decided packets are dropped"), "{}", ran.out);
    let next = pcapng(1, &packets());
    std::fs::write(folder.join("cut.pcapng"), &next[..next.len() - 7]).unwrap();
    std::fs::write(folder.join("header.pcap"), &bytes[..9]).unwrap();
    std::fs::write(folder.join("wifi.pcap"), pcap(105, &packets())).unwrap();
    for (name, why) in [
        ("cut.pcapng", "it breaks off after packet"),
        ("header.pcap", "it breaks off in its header"),
        ("wifi.pcap", "its link layer is number 105"),
    ] {
        let ran = replay(&folder, name, &[]);
        assert_eq!(ran.code, 2, "{name}");
        assert!(ran.err.contains(why), "{name}: {}", ran.err);
    }
    folder.write("flows.jsonl", "{}\n");
    let mixed = folder.run(&[&["replay", "flows.jsonl", "cut.pcap"], &REPLAY[..]].concat()).failed(2);
    assert!(mixed.contains("packets and records stand beside each other"), "{mixed}");
    let suggest = folder.run(&["suggest", "cut.pcap"]).failed(2);
    assert!(suggest.contains("it is a capture of packets"), "{suggest}");
}
