//! The example for people who learn eBPF, on a real interface.

mod common;
#[path = "../../../examples/packet_counter.rs"]
#[allow(dead_code)]
mod packet_counter;

use common::net::{isolated, wire};
use packet_counter::{Count, PacketCounter};

#[test]
fn the_example_counts_every_packet_and_byte_that_comes_in_and_no_other() {
    if common::node("packet-counter").is_none() {
        return;
    }
    if !loader::features().is_ok_and(|it| it.tcx) {
        return common::absent("the example attaches by TCX, which kernels have from 6.6 on");
    }
    isolated(|| {
        let wire = wire();
        let counter = PacketCounter::attach(wire.ifindex).unwrap();
        let sum = || {
            let counts = counter.counts().unwrap();
            counts.iter().fold((counts.len(), Count::default()), |(processors, sum), count| {
                (processors, Count { packets: sum.packets + count.packets, bytes: sum.bytes + count.bytes })
            })
        };
        let processors = std::thread::available_parallelism().unwrap().get();
        assert!(sum().0 >= processors, "a counter for each processor");
        assert_eq!(sum().1, Count::default());
        for number in 0..1000u32 {
            wire.endpoint.send(&[0; 100]).unwrap();
            // A packet that has arrived has been counted, and a buffer that is emptied loses none.
            assert!((0..100).any(|_| wire.host.recv(&mut [0; 100]).is_ok()), "packet {number} arrives");
            // What goes out is not counted.
            if number % 2 == 0 {
                wire.host.send(&[0; 100]).unwrap();
            }
        }
        // Ethernet, IPv4 and UDP are 42 bytes.
        assert_eq!(sum().1, Count { packets: 1000, bytes: 1000 * 142 });
    });
}
