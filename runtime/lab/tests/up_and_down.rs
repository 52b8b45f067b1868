//! What a lab makes, it removes; what a crash leaves, it finds.

mod common;

use std::net::{TcpListener, TcpStream, UdpSocket};

use common::{names, run, spec};
use lab::{Lab, Place, Plan};

#[test]
fn a_plan_is_pure_and_says_first_what_it_will_touch() {
    let plan = Plan::new(spec("demo", 1, 1)).expect("a plain spec");
    assert_eq!(plan, Plan::new(spec("demo", 1, 1)).expect("a plain spec"));
    assert_eq!(plan.describe(), include_str!("plan.describe.txt"), "found:\n{}", plan.describe());
    assert_eq!(plan.listing(), include_str!("plan.listing.txt"), "found:\n{}", plan.listing());
}

#[test]
fn a_description_that_cannot_be_laid_out_names_its_fault() {
    let check = |edit: fn(&mut lab::Spec), expected: &str| {
        let mut spec = spec("demo", 2, 1);
        edit(&mut spec);
        let found = Plan::new(spec).expect_err(expected);
        assert_eq!(found.to_string(), expected);
    };
    check(|spec| spec.nodes.clear(), "a lab needs at least one node");
    check(|spec| spec.pods[1].name = "shop/pod-0".into(), "the pod name `shop/pod-0` is given twice");
    check(|spec| spec.pods[0].node = "x".into(), "pod `shop/pod-0` is on node `x`, which is not described");
    let twice = "the address 198.51.100.7 belongs to both `shop/pod-0` and `world`";
    check(|spec| spec.pods[0].addresses[0] = spec.world[0], twice);
    let link_local = "`world` cannot own fe80::1: it is not a unicast address that can be routed";
    check(|spec| spec.world.push("fe80::1".parse().expect("an address")), link_local);
    check(|spec| spec.pods = vec![spec.pods[0].clone(); 5000], "a lab holds at most 4096 pods, not 5000");
}

#[test]
fn what_a_crash_leaves_is_found_by_name_and_a_live_lab_is_left_alone() {
    let test = "what_a_crash_leaves_is_found_by_name_and_a_live_lab_is_left_alone";
    if common::skip(test) {
        return;
    }
    if let Ok(run) = std::env::var("LAB_CRASH_RUN") {
        let plan = Plan::new(spec(&run, 2, 2)).expect("a plain spec");
        let _lab = Lab::up(&plan).expect("a lab");
        #[expect(clippy::disallowed_methods, reason = "this is the crash: what stays behind is the point")]
        std::process::abort();
    }
    let prefix = run("cr");
    let (crashed, live) = (format!("{prefix}a"), format!("{prefix}b"));
    let lab = Lab::up(&Plan::new(spec(&live, 1, 1)).expect("a plain spec")).expect("a lab");
    let exe = std::env::current_exe().expect("this program");
    let mut child = std::process::Command::new(exe);
    child.args(["--exact", test]).env("LAB_CRASH_RUN", &crashed).stdout(std::process::Stdio::null());
    let status = child.stderr(std::process::Stdio::null()).status().expect("a child");
    assert!(!status.success(), "the child was to die");
    let left = names(&lab::RunId::new(&crashed).expect("a plain run id"));
    assert_eq!(left.len(), 8, "core, world, 2 nodes, 4 pods: {left:?}");
    let orphans = lab::orphans(&prefix).expect("a listing");
    assert_eq!(orphans.iter().map(|orphan| orphan.run.as_str()).collect::<Vec<_>>(), [&crashed]);
    assert_eq!(orphans[0].names, left);
    assert_eq!(lab::down_all(&prefix).expect("a clean-up"), orphans);
    assert_eq!(names(&orphans[0].run), Vec::<String>::new());
    assert_eq!(names(lab.plan().run()).len(), 4, "the live lab stays");
    // Kept for another process, it is found again, opened by its plan, and then nobody's.
    let plan = lab.plan().clone();
    lab.keep();
    let again = Lab::open(&plan).expect("a kept lab");
    assert!(
        again
            .in_node("node-0", || std::fs::read_to_string("/proc/thread-self/net/dev"))
            .expect("a read")
            .contains("p0")
    );
    drop(again);
    assert_eq!(lab::down_all(&prefix).expect("a clean-up").len(), 1);
    assert_eq!(names(plan.run()), Vec::<String>::new());
}

#[test]
fn a_stop_while_coming_up_leaves_nothing() {
    if common::skip("a_stop_while_coming_up") {
        return;
    }
    let plan = Plan::new(spec(&run("stop"), 2, 2)).expect("a plain spec");
    let stopped = Lab::up_unless(&plan, &std::sync::atomic::AtomicBool::new(true)).map(drop);
    assert!(matches!(stopped, Err(lab::Error::Stopped)), "{stopped:?}");
    assert_eq!(names(plan.run()), Vec::<String>::new());
}

#[test]
fn a_lab_comes_up_quickly_carries_packets_and_goes_without_a_trace() {
    if common::skip("a_lab_comes_up") {
        return;
    }
    let before = common::host();
    let plan = Plan::new(spec(&run("up"), 3, 20)).expect("a plain spec");
    let start = std::time::Instant::now();
    let lab = Lab::up(&plan).expect("a lab");
    eprintln!("{} pods up in {:?}", plan.pods().len(), start.elapsed());
    assert_eq!(names(plan.run()).len(), plan.namespaces().len());
    for address in plan.addresses(Place::Pod(59)).to_vec() {
        let (listener, udp) = lab
            .inside(Place::Pod(59), || {
                Ok::<_, std::io::Error>((TcpListener::bind((address, 8080))?, UdpSocket::bind((address, 53))?))
            })
            .expect("listeners");
        udp.set_read_timeout(Some(std::time::Duration::from_secs(2))).expect("a socket option");
        for from in [Place::Pod(58), Place::Pod(0), Place::Node(0), Place::Node(2), Place::World] {
            lab.inside(from, || {
                let socket = UdpSocket::bind(if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?;
                socket.send_to(b"hello", (address, 53))?;
                TcpStream::connect_timeout(&(address, 8080).into(), std::time::Duration::from_secs(2)).map(drop)
            })
            .unwrap_or_else(|error| panic!("{from:?} to {address}: {error}"));
            let (_, peer) = listener.accept().expect("a connection");
            assert!(plan.addresses(from).contains(&peer.ip()), "{from:?} came as {peer}");
            let (_, peer) = udp.recv_from(&mut [0; 8]).unwrap_or_else(|error| panic!("{from:?} to {address}: {error}"));
            assert!(plan.addresses(from).contains(&peer.ip()), "{from:?} came as {peer}");
        }
    }
    lab.down().expect("down");
    eprintln!("up, used and down in {:?}", start.elapsed());
    assert_eq!(names(plan.run()), Vec::<String>::new());
    assert_eq!(common::host(), before);
}

#[test]
fn a_run_is_taken_down_by_its_whole_name() {
    if common::skip("a_run_is_taken_down") {
        return;
    }
    let short = run("one");
    let plans = [short.clone(), format!("{short}w")].map(|name| Plan::new(spec(&name, 1, 1)).expect("a plain spec"));
    for plan in &plans {
        Lab::up(plan).expect("a lab").keep();
    }
    let gone = lab::down(plans[0].run()).expect("a clean-up").expect("a run that nobody owns");
    assert_eq!(&gone.run, plans[0].run());
    assert_eq!((names(plans[0].run()).len(), names(plans[1].run()).len()), (0, 4));
    assert_eq!(lab::down(plans[0].run()).expect("nothing to do"), None);
    lab::down(plans[1].run()).expect("a clean-up");
    assert_eq!(names(plans[1].run()), Vec::<String>::new());
}
