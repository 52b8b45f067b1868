//! A node with one endpoint, the way to bpftool, and packets.

use super::{FRIEND, STRANGER, TRUSTED, target};
use image::codec::{Config, Endpoint};
use image::{Image, layout};
use loader::{Loaded, Node, Pins};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use packet::Flags;
use packet::craft::{Echo, Frame};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The endpoint, and its peers in the order of their numbers, each family.
const ADDRESSES: [[&str; 4]; 2] = [
    ["10.0.1.4", "10.0.2.5", "10.0.2.6", "198.51.100.77"],
    ["fd00:0:0:1::4", "fd00:0:0:2::5", "fd00:0:0:2::6", "2001:db8:7::9"],
];
/// The loopback of the thread's namespace: a context must name an interface that exists.
pub const IFINDEX: u32 = 1;

/// Says past the harness that a test cannot run here, and how many could not so far.
pub fn absent(why: &str) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    writeln!(std::io::stderr(), "absent ({count}): objects in the kernel: {why}").expect("standard error is open");
}

/// Where bpftool is; Debian keeps it where only root looks.
pub fn bpftool() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("bpftool")).find(|program| program.exists())
}

/// Runs a test in a mount namespace of its own with a BPF file system in it.
pub fn isolated(test: impl FnOnce(&Path, &Path) + Send + 'static) {
    let Some(program) = bpftool() else { return absent("bpftool is not installed") };
    let run = std::thread::spawn(move || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNS) {
            return absent(&format!("no mounts of our own: {error}"));
        }
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mounts can be made private");
        let root = Path::new("/sys/fs/bpf");
        mount(Some("bpf"), root, Some("bpf"), MsFlags::empty(), none).expect("a BPF file system can be mounted");
        match Node::open("probe", &target(), Pins::None) {
            Err(error) if matches!(error.errno(), Some(1 | 13 | 38)) => absent(&error.to_string()),
            _ => test(&program, root),
        }
    });
    if let Err(panic) = run.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs bpftool. Errors: with what it said.
pub fn call(program: &Path, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bpftool {}: {said}", words.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The object of an image, as a file.
pub fn file(image: &Image) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().prefix("object").suffix(".o").tempfile().unwrap();
    file.write_all(&elf::object(image).unwrap()).unwrap();
    file
}

fn own() -> [IpAddr; 2] {
    ADDRESSES.map(|[own, ..]| own.parse().unwrap())
}

/// Fills the maps of a node.
pub fn fill(node: &mut Node) {
    node.set_config(&Config::new(loader::hz().unwrap_or(250), 0x5eed));
    let [IpAddr::V4(address4), IpAddr::V6(address6)] = own() else { panic!("one of each family") };
    let mac = Some([2, 0, 0, 0, 0, 1]);
    let endpoint = Endpoint { ifindex: IFINDEX, id: 77, address4: Some(address4), address6: Some(address6), mac };
    node.endpoint_insert(&endpoint).unwrap();
    node.set_own(&own().into()).unwrap();
    let prefix = |text: &str| flow::Prefix::parse(text).unwrap();
    let mut known = vec![(prefix("0.0.0.0/0"), Some(layout::peer::WORLD4))];
    for [_, friend, trusted, _] in ADDRESSES {
        let whole = if friend.contains(':') { 128 } else { 32 };
        known.push((prefix(&format!("{friend}/{whole}")), Some(FRIEND)));
        known.push((prefix(&format!("{trusted}/{whole}")), Some(TRUSTED)));
    }
    known.extend([(prefix("198.51.100.0/24"), Some(STRANGER)), (prefix("2001:db8:7::/48"), Some(STRANGER))]);
    node.assign(&known).unwrap();
}

/// An image by our own loader.
pub struct Ours {
    pub node: Node,
    pub loaded: Arc<Loaded>,
}

impl Ours {
    pub fn of(image: &Image, classes: &[Vec<u16>; 2]) -> Ours {
        let mut node = Node::open("ours", &image.target, Pins::None).unwrap();
        let loaded = node.load(image).unwrap_or_else(|error| panic!("{error}"));
        fill(&mut node);
        for (hook, classes) in image.hooks().into_iter().zip(classes) {
            let classes: Vec<(u32, u16)> = (0..).zip(classes.iter().copied()).collect();
            loaded.fill_classes(hook, &classes);
        }
        Ours { node, loaded }
    }
}

/// Frames towards the endpoint and from it, in turn: openings, answers, other protocols, fragments, and what no endpoint may send.
pub fn frames() -> Vec<(bool, Vec<u8>)> {
    let mut frames = Vec::new();
    for [own, peers @ ..] in ADDRESSES {
        for (number, peer) in (0..).zip(peers) {
            for port in [53, 80, 81, 443, 65535] {
                let from = 40000 + number * 100 + port % 97;
                for egress in [false, true] {
                    let (source, destination) = if egress { (own, peer) } else { (peer, own) };
                    let (source, destination): (IpAddr, IpAddr) =
                        (source.parse().unwrap(), destination.parse().unwrap());
                    let open = Frame::tcp(source, destination, from, port, Flags::SYN).build();
                    let answer = Frame::tcp(destination, source, port, from, Flags::SYN_ACK).build();
                    let end = Frame::tcp(source, destination, from, port, Flags::RST).build();
                    frames.extend([(egress, open), (!egress, answer), (egress, end)]);
                    frames.push((egress, Frame::udp(source, destination, from, port).payload("four").build()));
                    frames.push((egress, Frame::sctp(source, destination, from, port).build()));
                }
            }
            let (own, peer): (IpAddr, IpAddr) = (own.parse().unwrap(), peer.parse().unwrap());
            frames.push((false, Frame::icmp_echo(peer, own, Echo::Request, 9).build()));
            frames.push((true, Frame::icmp_echo(own, peer, Echo::Reply, 9).build()));
            frames.push((true, Frame::tcp(peer, peer, 1, 80, Flags::SYN).build()));
            frames.push((false, Frame::ip(peer, own, 99, vec![0; 8]).build()));
            frames.extend(
                Frame::udp(peer, own, 7, 53).payload([7; 64]).fragments(3, 32).into_iter().map(|part| (false, part)),
            );
        }
    }
    frames
}
