//! Shared by the tests that need a kernel: who may run them, what a small cluster is, and what the host looks like.
#![allow(dead_code)]

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use lab::topology::names::PREFIX;
use lab::{NodeSpec, PodSpec, PortSpec, RunId, Spec, Transport};

/// Skips count, so that a green run says what it did not do.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// True, and said aloud, where this process may not make namespaces.
pub fn skip(test: &str) -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        eprintln!("skipped ({count} so far): {test} needs root to make network namespaces");
    }
    !root
}

/// A run id for one test of this process, so that tests do not meet.
pub fn run(test: &str) -> String {
    format!("t{}{test}", std::process::id() % 100_000)
}

/// Nodes with pods each, dual-stack, and two outside addresses of each family.
pub fn spec(run: &str, nodes: usize, pods_each: usize) -> Spec {
    let ip = |text: String| text.parse::<IpAddr>().expect("an address");
    let node = |index: usize| NodeSpec {
        name: format!("node-{index}"),
        addresses: vec![ip(format!("172.18.0.{}", index + 2)), ip(format!("fc00:18::{}", index + 2))],
        ports: vec![],
    };
    let pod = |index: usize| PodSpec {
        name: format!("shop/pod-{index}"),
        node: format!("node-{}", index / pods_each),
        addresses: vec![
            ip(format!("10.244.{}.{}", index / 200, index % 200 + 1)),
            ip(format!("fd00:244::{:x}", index + 1)),
        ],
        ports: vec![
            PortSpec { name: Some("http".to_string()), transport: Transport::Tcp, number: 8080 },
            PortSpec { name: None, transport: Transport::Udp, number: 53 },
        ],
    };
    Spec {
        run: RunId::new(run).expect("a plain run id"),
        nodes: (0..nodes).map(node).collect(),
        pods: (0..nodes * pods_each).map(pod).collect(),
        world: ["198.51.100.7", "203.0.113.9", "2001:db8::7", "2001:db8:1::9"]
            .map(|text| ip(text.to_string()))
            .to_vec(),
    }
}

/// The namespaces of a run that exist.
pub fn names(run: &RunId) -> Vec<String> {
    lab::netns::list(&format!("{PREFIX}{run}-")).expect("a listing")
}

/// The links, routes and forwarding settings of the namespace that the tests run in, as text.
pub fn host() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mut links: Vec<String> = std::fs::read_dir("/sys/class/net")
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    links.sort();
    // Columns that count uses change by themselves.
    let v6: Vec<String> = read("/proc/net/ipv6_route")
        .lines()
        .map(|line| {
            line.split_whitespace().enumerate().filter(|(at, _)| ![6, 7].contains(at)).map(|(_, w)| w).collect()
        })
        .collect();
    let settings: Vec<String> = ["ipv4/ip_forward", "ipv6/conf/all/forwarding", "ipv4/conf/all/rp_filter"]
        .iter()
        .map(|path| read(&format!("/proc/sys/net/{path}")))
        .collect();
    format!("{links:?}\n{}\n{v6:?}\n{settings:?}", read("/proc/net/route"))
}

/// Packets that a place's own kernel threw away for their checksum: IPv4 and IPv6, ICMP, TCP and UDP.
pub fn wrong_checksums(lab: &lab::Lab, place: lab::Place) -> u64 {
    let text = lab.inside(place, || {
        let v4 = std::fs::read_to_string("/proc/thread-self/net/snmp")?;
        Ok::<_, std::io::Error>((v4, std::fs::read_to_string("/proc/thread-self/net/snmp6")?))
    });
    let (v4, v6) = text.expect("counters");
    let lines: Vec<&str> = v4.lines().collect();
    let pairs = lines.chunks(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?)));
    let v4 = pairs.flat_map(|(names, values)| names.split_whitespace().zip(values.split_whitespace()));
    let v6 = v6.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let wrong = v4.chain(v6).filter(|(name, _)| name.ends_with("InCsumErrors"));
    let counts: Vec<u64> = wrong.map(|(_, value)| value.trim().parse().expect("a count")).collect();
    assert!(counts.len() >= 5, "the counters are there: {counts:?}");
    counts.iter().sum()
}
