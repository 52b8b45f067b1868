//! What is sent and what arrives are reconciled exactly, and what is missing is placed in time.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use common::{run, skip, spec};
use flow::Family;
use lab::traffic::{Connections, Flow, Losses, Nanos, Traffic};
use lab::{Lab, Place, Plan, Probe, Protocol};

/// Pairs of one node and of two, the world and a node, each both ways.
fn flows(plan: &Plan, rate: u32) -> Vec<Flow> {
    let pairs = [
        (Place::Pod(0), Place::Pod(1)),
        (Place::Pod(0), Place::Pod(2)),
        (Place::Pod(3), Place::World),
        (Place::Node(0), Place::Pod(1)),
    ];
    let flow = |(index, &(from, to)): (usize, &(Place, Place)), family| {
        let ends = Probe::new(plan, from, to, family, Protocol::Echo).expect("both families everywhere");
        let (from, to, port) = (ends.from, ends.to, 7000 + index as u16);
        Flow { from, from_port: port, to, to_port: 9000, rate, payload_bytes: 64 }
    };
    let one_way = pairs.iter().enumerate().flat_map(|pair| [Family::V4, Family::V6].map(|family| flow(pair, family)));
    one_way.flat_map(|flow| [flow, flow.reversed()]).collect()
}

#[test]
fn every_packet_sent_arrives_and_connections_live() {
    if skip("every_packet_sent_arrives") {
        return;
    }
    let plan = Plan::new(spec(&run("tr"), 2, 2)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    let mut connections = Connections::default();
    let ends = Probe::new(&plan, Place::Pod(0), Place::Pod(3), Family::V6, Protocol::Echo).expect("ends");
    connections.open(&lab, ends.from, ends.to, 8080, Duration::from_secs(2)).expect("a connection");
    let flows = flows(&plan, 3500);
    let traffic = Traffic::start(&lab, &flows).expect("traffic");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(connections.exchange(Duration::from_secs(2)), []);
    let report = traffic.stop(&lab).expect("a report");
    let late = |at: &lab::traffic::Packet| at.until.0 - at.from.0;
    let mut spans: Vec<u64> = report.flows.iter().flat_map(|flow| flow.packets()).map(|packet| late(&packet)).collect();
    spans.sort();
    eprintln!(
        "{} packets at {:.0}/s, decided within {} µs (half), {} µs (99 %)",
        report.sent(),
        report.rate(),
        spans[spans.len() / 2] / 1000,
        spans[spans.len() * 99 / 100] / 1000
    );
    assert_eq!(report.losses, Losses::default());
    for flow in &report.flows {
        assert_eq!((flow.received(), flow.missing().len(), flow.duplicates), (flow.sent(), 0, 0), "{:?}", flow.flow);
        assert!(flow.sent() > 0);
    }
    lab.down().expect("down");
}

#[test]
fn the_first_packets_after_up_arrive_everywhere() {
    if skip("the_first_packets_after_up") {
        return;
    }
    let plan = Plan::new(spec(&run("first"), 2, 15)).expect("a plain spec");
    let flow = |family, to| {
        let ends = Probe::new(&plan, Place::World, to, family, Protocol::Echo).expect("both families everywhere");
        Flow { from: ends.from, from_port: 7000, to: ends.to, to_port: 9000, rate: 500, payload_bytes: 16 }
    };
    let places: Vec<Place> = plan.places().into_iter().filter(|&place| place != Place::World).collect();
    let flows: Vec<Flow> = [Family::V6, Family::V4]
        .iter()
        .flat_map(|&one| {
            places.iter().map({
                let flow = &flow;
                move |&to| flow(one, to)
            })
        })
        .collect();
    let lab = Lab::up(&plan).expect("a lab");
    let traffic = Traffic::start(&lab, &flows).expect("traffic");
    std::thread::sleep(Duration::from_millis(50));
    let report = traffic.stop(&lab).expect("a report");
    for flow in &report.flows {
        assert_eq!(flow.missing(), [], "{:?}", flow.flow);
    }
    lab.down().expect("down");
}

#[test]
fn a_path_that_is_cut_for_a_while_leaves_one_gap_within_that_while() {
    if skip("a_path_that_is_cut_for_a_while") {
        return;
    }
    let plan = Plan::new(spec(&run("gap"), 2, 2)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    let crosses = |flow: &Flow| (flow.from.place, flow.to.place) == (Place::Pod(0), Place::Pod(2));
    let flows: Vec<Flow> = flows(&plan, 500).into_iter().filter(crosses).collect();
    assert_eq!(flows.len(), 2);
    let traffic = Traffic::start(&lab, &flows).expect("traffic");
    let forward = |value: &'static str| {
        let moment = Nanos::now();
        lab.in_node("node-1", || {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", value)?;
            std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", value)
        })
        .expect("a setting");
        (moment, Nanos::now())
    };
    let pause = || std::thread::sleep(Duration::from_millis(200));
    pause();
    let cut = forward("0");
    pause();
    let mended = forward("1");
    pause();
    let report = traffic.stop(&lab).expect("a report");
    assert_eq!(report.losses, Losses::default());
    for flow in &report.flows {
        let gaps = flow.missing();
        assert_eq!(gaps.len(), 1, "{:?}: {gaps:?}", flow.flow);
        let gap = gaps[0];
        assert_eq!(gap.last - gap.first + 1, flow.sent() - flow.received());
        assert!(gap.until > cut.0 && gap.from < mended.1, "{gap:?} {cut:?} {mended:?}");
        for packet in flow.packets() {
            let surely_cut = packet.from > cut.1 && packet.until < mended.0;
            let surely_open = packet.until < cut.0 || packet.from > mended.1;
            assert!(!(surely_cut && packet.arrived || surely_open && !packet.arrived), "{packet:?} {cut:?} {mended:?}");
        }
    }
    lab.down().expect("down");
}

#[test]
fn bulk_with_offloads_at_their_defaults_arrives_whole_and_with_right_checksums() {
    if skip("bulk_with_offloads") {
        return;
    }
    let plan = Plan::new(spec(&run("bulk"), 2, 2)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    let bytes: Vec<u8> = (0..8 << 20).map(|at: u32| (at % 251) as u8).collect();
    for family in [Family::V4, Family::V6] {
        for to in [Place::Pod(1), Place::Pod(2), Place::World] {
            let to = SocketAddr::new(plan.address(to, family).expect("an address"), 8080);
            let place =
                plan.places().into_iter().find(|&place| plan.addresses(place).contains(&to.ip())).expect("a place");
            let listener = lab.inside(place, || TcpListener::bind(to)).expect("a listener");
            let mut near = lab.inside(Place::Pod(0), || TcpStream::connect(to)).expect("a connection");
            let mut whole = vec![];
            std::thread::scope(|scope| {
                scope.spawn(|| near.write_all(&bytes).and_then(|()| near.shutdown(Shutdown::Write)).expect("sent"));
                listener.accept().expect("a connection").0.read_to_end(&mut whole).expect("received");
            });
            assert!(whole == bytes, "{to}: {} of {} bytes", whole.len(), bytes.len());
            assert_eq!(common::wrong_checksums(&lab, place), 0, "{to}");
        }
    }
    assert_eq!(common::wrong_checksums(&lab, Place::Pod(0)), 0);
    lab.down().expect("down");
}

#[test]
fn packets_lost_to_sockets_are_counted_apart_from_those_denied() {
    if skip("packets_lost_to_sockets") {
        return;
    }
    let plan = Plan::new(spec(&run("lost"), 1, 2)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    let flow = flows_within_a_node(&plan);
    let traffic = Traffic::start(&lab, &[flow]).expect("traffic");
    // Of both families: three to a port where nobody listens, and more to a small buffer than fit.
    let mut overflown = 0;
    for family in [Family::V4, Family::V6] {
        let (from, to) = (plan.address(Place::Pod(0), family), plan.address(Place::Pod(1), family));
        let (from, to) = (from.expect("an address"), to.expect("an address"));
        let small = lab.inside(Place::Pod(1), || std::net::UdpSocket::bind((to, 5))).expect("a socket");
        socket2::SockRef::from(&small).set_recv_buffer_size(4096).expect("a socket option");
        lab.inside(Place::Pod(0), || {
            let socket = std::net::UdpSocket::bind((from, 0))?;
            (0..3).try_for_each(|_| socket.send_to(b"nobody", (to, 1)).map(drop))?;
            (0..100).try_for_each(|_| socket.send_to(&[0; 1000], (to, 5)).map(drop))
        })
        .expect("packets");
        small.set_nonblocking(true).expect("a socket option");
        overflown += 100 - std::iter::from_fn(|| small.recv(&mut [0; 1000]).ok()).count() as u64;
    }
    assert!(overflown > 0);
    let report = traffic.stop(&lab).expect("a report");
    assert_eq!(report.losses, Losses { no_socket: 6, full_buffers: overflown, ..Losses::default() });
    assert_eq!(report.flows[0].received(), report.flows[0].sent());
    lab.down().expect("down");
}

fn flows_within_a_node(plan: &Plan) -> Flow {
    let ends = Probe::new(plan, Place::Pod(0), Place::Pod(1), Family::V4, Protocol::Echo).expect("ends");
    Flow { from: ends.from, from_port: 7000, to: ends.to, to_port: 9000, rate: 1000, payload_bytes: 16 }
}
