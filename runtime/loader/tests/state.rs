//! What programs leave for user space, and what the kernel says of itself.

mod common;

use common::{ALLOW, answer, image, insn, node};
use image::codec::{Endpoint, Record};
use image::layout::{record, state, track4};
use image::{Exchange, Fill, Hook, MapRef, NodeMap, Reloc, Table, Target};
use loader::{Context, Error, Features, Node, Pins, Retry, features, hz};
use std::os::fd::AsFd;

#[test]
fn the_kernel_of_the_tests_has_what_programs_need() {
    let found = match features() {
        Err(error) if error.errno() == Some(1) => return common::absent("bpf(2) is not permitted"),
        found => found.unwrap(),
    };
    // Programs assume these; TCX, compare-and-exchange and wide values have a way without.
    assert!(found.ring_buffer && found.jiffies64 && found.mapped_arrays, "{found:?}");
    assert_eq!(found.lacks(&found.target()), None);
    let hz = hz().unwrap();
    assert!([100, 250, 300, 1000].contains(&hz), "{hz}");
}

#[test]
fn a_kernel_says_what_it_lacks_of_a_target_and_which_one_it_takes() {
    let found = Features {
        tcx: false,
        ring_buffer: true,
        compare_exchange: false,
        jiffies64: true,
        wide_values: false,
        mapped_arrays: true,
    };
    assert_eq!(found.target(), Target::for_kernel((5, 10)));
    assert_eq!(found.lacks(&Target::default()), Some("compare-and-exchange (5.12)"));
    assert_eq!(found.lacks(&Target::for_kernel((5, 10))), None);
    let newer = Features { compare_exchange: true, ..found };
    assert_eq!(newer.target(), Target::for_kernel((5, 15)));
    assert_eq!(newer.lacks(&Target::default()), Some("values of arrays beyond 4 MiB (6.0)"));
    let error =
        Error::Lacks { object: "node a".into(), lacks: newer.lacks(&Target::default()).unwrap(), kernel: "5.12" };
    assert_eq!(error.retry(), Retry::Never);
}

#[test]
fn nodes_whose_programs_lock_have_locks_that_nobody_can_write() {
    let target = Target { exchange: Exchange::Lock, ..common::target() };
    let Some(node) = common::permitted(Node::open("locks", &target, Pins::None)) else { return };
    let locks = node.map(NodeMap::Locks);
    assert!(locks.info().agrees(&NodeMap::Locks.spec(&target)));
    assert!(loader::sys::memory::Mapped::new(locks).is_err(), "the kernel maps no locks into memory");
    // A program of a node without them finds none.
    let mut image = image("locks", answer(ALLOW), answer(ALLOW));
    image.programs[0].insns.splice(0..0, [insn(0x18, 1, 0, 0, 0), 0]);
    image.programs[0].relocs = vec![Reloc { at: 0, map: MapRef::Node(NodeMap::Locks), value_offset: None }];
    image.target = Target { exchange: Exchange::Instruction, ..target };
    let Some(mut without) = common::permitted(Node::open("no-locks", &image.target, Pins::None)) else { return };
    assert!(matches!(without.load(&image), Err(Error::Malformed { .. })));
}

#[test]
fn an_endpoint_gets_one_of_its_slots_or_is_refused() {
    let Some(mut node) = node("endpoints") else { return };
    let endpoint = |ifindex: u32| Endpoint {
        ifindex,
        id: ifindex as u16,
        address4: Some([10, 0, 0, ifindex as u8].into()),
        address6: Some("fd00::4".parse().unwrap()),
        mac: Some([2, 0, 0, 0, 0, 4]),
    };
    // 16 slots, so all of these want slot 1 first.
    for ifindex in [1, 17, 33, 49] {
        node.endpoint_insert(&endpoint(ifindex)).unwrap();
    }
    let full = node.endpoint_insert(&endpoint(65)).unwrap_err();
    assert_eq!(full.to_string(), "tg_endpoints has no room for interface 65");
    assert_eq!(full.retry(), Retry::AfterChange);
    assert!(node.endpoint_remove(17));
    assert!(!node.endpoint_remove(17));
    node.endpoint_insert(&endpoint(65)).unwrap();
    assert_eq!(node.endpoints(), [1, 65, 33, 49].map(endpoint));
    // The same bytes by the system call that anybody can make.
    let bytes = node.map(NodeMap::Endpoints).lookup(&[0; 4]).unwrap().unwrap();
    assert_eq!(Endpoint::decode(node.target(), &bytes[2 * 64..]), Some(endpoint(65)));
}

#[test]
fn a_full_table_of_prefixes_is_named() {
    let Some(mut node) = node("full") else { return };
    let prefix = |i: u32| flow::Prefix::parse(&format!("fd00:{i:x}::/32")).unwrap();
    let refused = (0..=1 << 6).map(|i| node.assign(&[(prefix(i), Some(7))])).find_map(Result::err).unwrap();
    assert_eq!(refused.to_string(), "tg_prefix6 has no room for fd00:40::/32");
    assert!(matches!(refused, Error::Full { map: NodeMap::Address6Prefix, .. }));
}

/// A program that sends the 80 bytes that follow `Digest` in its own table as a record, and answers what the helper did.
fn writes_a_record(table: Vec<u8>) -> image::Image {
    const RINGBUF_OUTPUT: i32 = 130;
    let body = vec![
        insn(0x18, 1, 0, 0, 0),
        0,
        insn(0x18, 2, 0, 0, 0),
        0,
        insn(0xb7, 3, 0, 0, record::SIZE as i32),
        insn(0xb7, 4, 0, 0, 0),
        insn(0x85, 0, 0, 0, RINGBUF_OUTPUT),
        insn(0x95, 0, 0, 0, 0),
    ];
    let mut image = image("shop/db", body, answer(ALLOW));
    image.tables = vec![Table { name: "tg_record".into(), fill: Fill::Fixed(table) }];
    image.programs[0].relocs = vec![
        Reloc { at: 0, map: MapRef::Node(NodeMap::Records), value_offset: None },
        Reloc { at: 2, map: MapRef::Own(0), value_offset: Some(0) },
    ];
    image
}

#[test]
fn records_come_out_as_programs_wrote_them() {
    let Some(mut node) = node("records") else { return };
    let record = Record {
        time: 5,
        digest: [7; 8],
        ifindex: 3,
        endpoint: 4,
        peer: 5,
        l4_key: 6 << 16 | 80,
        leaf: Some(2),
        reason: 1,
        audited: false,
        from_endpoint: false,
        addresses: Some(("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap())),
        source_port: 4000,
        destination_port: 80,
        length: 60,
    };
    let loaded = node.load(&writes_a_record(record.encode(node.target()).to_vec())).unwrap();
    let mut records = node.records().unwrap();
    assert_eq!(records.next(), None);
    let write = || loaded.run(Hook::ToEndpoint, &[0; 64], &Context::default(), 1).unwrap().answer;
    assert_eq!((write(), write()), (0, 0));
    assert!(records.as_fd().try_clone_to_owned().is_ok());
    assert_eq!(records.by_ref().collect::<Vec<_>>(), [record, record]);
}

#[test]
fn connections_that_are_being_written_are_left_out() {
    let Some(node) = node("connections") else { return };
    let mut table = vec![0; node.map(NodeMap::Track4).info().value_size as usize];
    for (index, flags) in [(0, state::LIVE), (3, state::LIVE | state::BUSY), (5, state::LIVE | state::ANSWERED)] {
        let entry = &mut table[index * track4::SIZE as usize..][..track4::SIZE as usize];
        entry[track4::ADDRESS_A as usize..][..4].copy_from_slice(&[10, 0, 0, index as u8]);
        entry[track4::PORT_A as usize..][..2].copy_from_slice(&443u16.to_be_bytes());
        entry[track4::ENDPOINT as usize..][..2].copy_from_slice(&9u16.to_ne_bytes());
        entry[track4::STATE as usize..][..8].copy_from_slice(&(u64::from(flags) << 32 | 77).to_ne_bytes());
    }
    node.map(NodeMap::Track4).update(&[0; 4], &table).unwrap();
    let found: Vec<_> = node.connections().iter().map(|c| (c.a, c.endpoint, c.flags, c.last_seen)).collect();
    let side = |last| (std::net::IpAddr::from([10, 0, 0, last]), 443);
    assert_eq!(found, [(side(0), 9, state::LIVE, 77), (side(5), 9, state::LIVE | state::ANSWERED, 77)]);
}

#[test]
fn counters_are_read_by_reason() {
    let Some(node) = node("counters") else { return };
    let mut bytes = vec![0; 64 * 8];
    bytes[8..16].copy_from_slice(&41u64.to_ne_bytes());
    node.map(NodeMap::Counters).update(&[0; 4], &bytes).unwrap();
    assert_eq!(node.counters()[..3], [0, 41, 0]);
}

#[test]
fn a_batch_stores_each_pair_and_a_torn_one_stores_nothing() {
    let Some(node) = node("batch") else { return };
    let map = node.map(NodeMap::Address6Exact);
    let keys: Vec<u8> = [[1; 16], [2; 16]].concat();
    map.update_batch(&keys, &[7, 0, 0, 0, 8, 0, 0, 0]).unwrap();
    assert_eq!(map.lookup(&[2; 16]).unwrap(), Some(vec![8, 0, 0, 0]));
    assert!(map.update_batch(&[3; 31], &[7; 8]).is_err());
    assert!(map.update_batch(&[3; 16], &[7; 3]).is_err());
    assert_eq!(map.lookup(&[3; 16]).unwrap(), None);
    assert_eq!(map.lookup(&[3; 15]).unwrap_err().raw_os_error(), Some(22), "a short key would be read beyond its end");
    assert!(map.delete(&[1; 16]).unwrap());
    assert_eq!(map.next_key(None).unwrap(), Some(vec![2; 16]));
    assert_eq!(map.next_key(Some(&[2; 16])).unwrap(), None);
}
