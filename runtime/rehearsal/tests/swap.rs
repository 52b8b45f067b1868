//! Policies are swapped under traffic, and every packet is accounted for: the soak in less than a minute.

use lab::RunId;
use rehearsal::Fault;
use rehearsal::soak::{Options, Outcome, run};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Whether namespaces and programs can be made here; says so once when not.
fn possible() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root || loader::features().is_err() {
        eprintln!("absent (1): swap tests need root and bpf(2)");
        return false;
    }
    true
}

fn soak(name: &str, (swaps, fresh): (u32, u32), alone: bool, fault: Fault) -> Outcome {
    // Sockets that a busy machine does not empty in time lose packets too; then a missing packet says nothing, and the run is made again.
    for attempt in 0..3 {
        let run_id = RunId::new(&format!("{name}{attempt}x{}", std::process::id() % 100_000)).unwrap();
        // Connections that die on purpose need no patience.
        let patience = Duration::from_millis(if fault == Fault::None { 10_000 } else { 300 });
        let (rate, at_least, seed) = (20_000, Duration::ZERO, 3);
        let options = Options { run: run_id, alone, swaps, fresh, rate, at_least, seed, patience, fault };
        let outcome = run(&options, &AtomicBool::new(false)).unwrap();
        eprintln!("{outcome}");
        if outcome.is_conclusive() {
            return outcome;
        }
    }
    panic!("packets were lost outside the programs in every attempt");
}

#[test]
fn no_packet_is_lost_or_passes_that_neither_the_old_nor_the_new_policies_allow() {
    if !possible() {
        return;
    }
    let outcome = soak("swap", (200, 40), false, Fault::None);
    assert!(outcome.is_clean(), "{outcome}");
    assert_eq!((outcome.swaps, outcome.fresh), (200, 40));
    assert!(outcome.rules >= 100);
    for tally in [&outcome.always, &outcome.never, &outcome.turned] {
        assert!(tally.sent > 0 && tally.certain > 0, "{outcome}");
    }
    assert!(outcome.always.denied == 0 && outcome.turned.passed > 0 && outcome.turned.denied > 0, "{outcome}");
}

#[test]
fn a_node_alone_that_changes_one_end_at_a_time_loses_and_leaks_nothing_either() {
    if !possible() {
        return;
    }
    let outcome = soak("swon", (100, 30), true, Fault::None);
    assert!(outcome.is_clean(), "{outcome}");
    assert!(outcome.turned.passed > 0 && outcome.turned.denied > 0 && outcome.turned.certain > 0, "{outcome}");
}

#[test]
fn a_wrong_image_leaves_packets_unexplained_and_kills_connections() {
    if !possible() {
        return;
    }
    let outcome = soak("swrg", (8, 0), false, Fault::WrongImage(0));
    let all = outcome.all();
    assert!(all.lost > 0 && all.leaked > 0 && !outcome.dead.is_empty(), "{outcome}");
    assert!(!outcome.is_clean());
}
