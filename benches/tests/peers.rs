//! The peer-shaped programs are honest: they decide what the rules mean, by the oracle.

use benches::datapath::case::Case;
use benches::datapath::kernel::Error;
use benches::datapath::{frame, ours::Ours, plain};
use benches::peers::{self, Shape};
use benches::random::Random;
use std::io::Write;

/// `TCX_NEXT`.
const PASS: i32 = -1;

/// Asks a shape and the oracle about random flows; `false`, and a line past the harness, where bpf(2) is not permitted.
fn agrees(name: &str, case: &Case, build: fn(&Case) -> Result<Shape, Error>) -> bool {
    let subject = match build(case).and_then(|shape| plain(name, shape)) {
        Ok((subject, _)) => subject,
        Err(error) if error.is_permission() => {
            writeln!(std::io::stderr(), "absent: {name}: {error}").expect("standard error is open");
            return false;
        }
        Err(error) => panic!("{name}: {error}"),
    };
    let (rules, mut random, mut seen) = (case.rules(), Random::new(5), [0; 2]);
    for _ in 0..400 {
        let flow = case.any_flow(&mut random);
        let peer = flow::PeerId(case.peer_of(flow.source).unwrap_or(u32::MAX));
        let key = flow::L4Key::new(flow::Protocol::TCP, flow.port);
        let expected = oracle::decide(&rules, peer, key).verdict.is_allowed();
        let answer = subject.run(&frame(case, &flow), 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answer == PASS, expected, "{name} on {flow:x?}");
        seen[usize::from(expected)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 40), "flows of both verdicts are asked: {seen:?}");
    true
}

#[test]
fn two_tries_decide_as_the_oracle() {
    agrees("lpm", &Case::identities(50), peers::lpm::shape);
    agrees("lpm", &Case::wide(50), peers::lpm::shape);
    agrees("lpm", &Case::wide(50).ipv6(), peers::lpm::shape);
}

#[test]
fn two_hashes_decide_as_the_oracle() {
    agrees("hash", &Case::identities(50), peers::hash::shape);
    agrees("hash", &Case::identities(50).ipv6(), peers::hash::shape);
}

#[test]
fn prefixes_rule_after_rule_decide_as_the_oracle() {
    agrees("cidr", &Case::prefixes(50), peers::cidr::shape);
}

#[test]
fn selectors_rule_after_rule_decide_as_the_oracle() {
    agrees("selectors", &Case::selectors(50), peers::selectors::shape);
}

#[test]
fn a_whole_path_decides_as_the_oracle() {
    agrees("whole", &Case::wide(50), peers::whole::shape);
    agrees("whole", &Case::wide(50).ipv6(), peers::whole::shape);
}

#[test]
fn the_bare_decision_decides_as_its_diagram() {
    decides(&Case::prefixes(40));
    decides(&Case::identities(40).ipv6());
}

fn decides(case: &Case) {
    let mut ours = match Ours::new(case) {
        Ok(ours) => ours,
        Err(error) if error.is_permission() => {
            writeln!(std::io::stderr(), "absent: the bare decision: {error}").expect("standard error is open");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let image = ours.decision(ebpf::Shapes::Cheapest).expect("40 rules make an image");
    let loaded = ours.load(&image).expect("the kernel takes it");
    let subject = benches::datapath::kernel::Subject::Ours(loaded, image::Hook::ToEndpoint);
    benches::datapath::check("ours", &subject, &ours, case).expect("every verdict agrees");
}
