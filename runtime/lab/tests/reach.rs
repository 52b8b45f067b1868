//! Without programs every pair is reached; with the path cut, none is, and soon.

mod common;

use std::collections::BTreeMap;

use common::{run, skip, spec};
use lab::{Lab, Outcome, Place, Plan, Protocol, all_pairs, probe_all};

const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp(8080), Protocol::Udp(53), Protocol::Echo];

#[test]
fn without_programs_every_pair_is_reached_and_no_checksum_is_wrong() {
    if skip("without_programs_every_pair_is_reached") {
        return;
    }
    let plan = Plan::new(spec(&run("all"), 2, 10)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    let probes = all_pairs(&plan, &PROTOCOLS);
    let start = std::time::Instant::now();
    let observed = probe_all(&lab, &probes).expect("answers");
    eprintln!("{} probes in {:?}", probes.len(), start.elapsed());
    assert_eq!(observed.iter().map(|one| one.probe).collect::<Vec<_>>(), probes);
    let other: Vec<_> = observed.iter().filter(|one| one.outcome != Outcome::Reached).collect();
    assert!(other.is_empty(), "{} of {}: {:?}", other.len(), probes.len(), &other[..other.len().min(5)]);
    for place in plan.places() {
        assert_eq!(common::wrong_checksums(&lab, place), 0, "{}", plan.name(place));
    }
    lab.down().expect("down");
}

#[test]
fn a_cut_path_is_blocked_and_the_rest_is_reached() {
    if skip("a_cut_path_is_blocked") {
        return;
    }
    let plan = Plan::new(spec(&run("cut"), 2, 10)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    // A router that does not forward is silent: pods reach themselves and their own node, and nothing else.
    for node in 0..2 {
        lab.inside(Place::Node(node), || {
            std::fs::write("/proc/sys/net/ipv4/ip_forward", "0")?;
            std::fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "0")
        })
        .expect("a setting");
    }
    let probes = all_pairs(&plan, &PROTOCOLS);
    let start = std::time::Instant::now();
    let observed = probe_all(&lab, &probes).expect("answers");
    eprintln!("{} probes in {:?}", probes.len(), start.elapsed());
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    for one in &observed {
        *counts.entry(one.outcome).or_default() += 1;
        let near = one.probe.from.place == one.probe.to.place || own_node(&one.probe);
        let expected = if near { Outcome::Reached } else { Outcome::Blocked };
        assert_eq!(one.outcome, expected, "{:?}", one.probe);
    }
    eprintln!("{counts:?}");
    lab.down().expect("down");
}

/// A pod and the node that it is on, either way: ten pods a node.
fn own_node(probe: &lab::Probe) -> bool {
    match (probe.from.place, probe.to.place) {
        (Place::Pod(pod), Place::Node(node)) | (Place::Node(node), Place::Pod(pod)) => pod / 10 == node,
        _ => false,
    }
}
