//! Without programs every pair is reached; with the path cut, none is, and soon.

mod common;

use std::collections::BTreeMap;

use common::{run, skip, spec};
use flow::Family;
use lab::{End, Lab, Outcome, Place, Plan, Probe, Protocol, all_pairs, probe_all};

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

#[test]
fn a_path_that_is_cut_one_way_shows_which_way() {
    if skip("a_path_that_is_cut_one_way") {
        return;
    }
    let plan = Plan::new(spec(&run("way"), 2, 1)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    // A router forwards by the link that a packet came in on: pod 1 is heard by nobody and hears everybody.
    let end = plan.host_end(1).expect("a host end");
    lab.in_node("node-1", || std::fs::write(format!("/proc/sys/net/ipv4/conf/{}/forwarding", end.name), "0"))
        .expect("a setting");
    let (deaf, mute) = (Place::Pod(0), Place::Pod(1));
    let check = |from, to, expected: [Outcome; 3]| {
        let probes = PROTOCOLS.map(|one| Probe::new(&plan, from, to, Family::V4, one).expect("addresses"));
        let found: Vec<Outcome> = probe_all(&lab, &probes).expect("answers").iter().map(|one| one.outcome).collect();
        assert_eq!(found, expected, "{from:?} to {to:?}");
    };
    check(deaf, mute, [Outcome::Blocked, Outcome::Unanswered, Outcome::Blocked]);
    check(mute, deaf, [Outcome::Blocked; 3]);
    check(mute, Place::Node(1), [Outcome::Reached; 3]);
    lab.down().expect("down");
}

#[test]
fn a_question_that_makes_no_sense_is_an_error_and_no_outcome() {
    if skip("a_question_that_makes_no_sense") {
        return;
    }
    let plan = Plan::new(spec(&run("ask"), 1, 1)).expect("a plain spec");
    let lab = Lab::up(&plan).expect("a lab");
    let probe = Probe::new(&plan, Place::Pod(0), Place::Node(0), Family::V4, Protocol::Echo).expect("addresses");
    let check = |probe: Probe, expected: &str| {
        let found = probe_all(&lab, &[probe]).expect_err(expected);
        assert_eq!(found.to_string(), expected);
    };
    let other = Probe { to: End { address: plan.addresses(Place::Node(0))[1], ..probe.to }, ..probe };
    check(other, "cannot ask for a way from 10.244.0.1 to fc00:18::2");
    let nobody = Probe { to: End { place: Place::Pod(7), ..probe.to }, ..probe };
    check(nobody, "the lab has no Pod(7) with address 172.18.0.2");
    assert!(probe_all(&lab, &[Probe { protocol: Protocol::Tcp(0), ..probe }]).is_err());
    assert_eq!(probe_all(&lab, &[]).expect("no answers"), []);
    lab.down().expect("down");
}

#[test]
fn pods_of_one_family_reach_each_other_in_it() {
    if skip("pods_of_one_family") {
        return;
    }
    for family in [Family::V4, Family::V6] {
        let mut spec = spec(&run(if family == Family::V4 { "four" } else { "six" }), 2, 1);
        spec.nodes.iter_mut().for_each(|node| node.addresses.retain(|&address| Family::of(address) == family));
        spec.pods.iter_mut().for_each(|pod| pod.addresses.retain(|&address| Family::of(address) == family));
        let plan = Plan::new(spec).expect("a plain spec");
        let lab = Lab::up(&plan).expect("a lab");
        let probes = all_pairs(&plan, &PROTOCOLS);
        let observed = probe_all(&lab, &probes).expect("answers");
        assert!(observed.iter().all(|one| one.outcome == Outcome::Reached), "{observed:?}");
        // 2 pods × 2 ways each with 2 pods, 2 nodes and 2 outside addresses: 4 + 8 + 8 pairs.
        assert_eq!(probes.len(), 20 * PROTOCOLS.len());
        lab.down().expect("down");
    }
}

/// A pod and the node that it is on, either way: ten pods a node.
fn own_node(probe: &lab::Probe) -> bool {
    match (probe.from.place, probe.to.place) {
        (Place::Pod(pod), Place::Node(node)) | (Place::Node(node), Place::Pod(pod)) => pod / 10 == node,
        _ => false,
    }
}
