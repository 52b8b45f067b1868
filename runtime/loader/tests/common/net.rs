//! Namespaces of a thread's own, with a veth pair: programs hang on `tgh`, the endpoint is at the other end in its own namespace.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Runs `test` in a fresh thread with fresh namespaces; they end with it.
pub fn isolated(test: impl FnOnce() + Send + 'static) {
    let run = std::thread::spawn(move || {
        // Only this thread moves: namespaces of networks and mounts belong to threads.
        match unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS) {
            Ok(()) => {
                quiet();
                test()
            }
            Err(error) => super::absent(&format!("no namespaces of our own: {error}")),
        }
    });
    if let Err(panic) = run.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Keeps the kernel from sending packets of its own, which tests would count.
fn quiet() {
    for which in ["all", "default"] {
        // A kernel without IPv6 has no such file, and nothing to be kept from.
        let _no_ipv6 = std::fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
    }
}

/// Mounts a BPF file system that no other test sees.
pub fn bpffs() -> PathBuf {
    let root = without_bpffs();
    let none: Option<&str> = None;
    mount(Some("bpf"), &root, Some("bpf"), MsFlags::empty(), none).expect("a BPF file system can be mounted");
    root
}

/// A folder where a BPF file system would be, in this thread's eyes only.
pub fn without_bpffs() -> PathBuf {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mounts can be made private");
    let root = PathBuf::from("/sys/fs/bpf");
    mount(Some("tmpfs"), &root, Some("tmpfs"), MsFlags::empty(), none).expect("a folder can be covered");
    root
}

/// Runs a command.
pub fn run(command: &str) -> String {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().expect("iproute2 is installed");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The index of an interface.
pub fn index(name: &str) -> u32 {
    run(&format!("ip -o link show {name}")).split(':').next().unwrap().trim().parse().unwrap()
}

/// The two ends of a wire.
pub struct Wire {
    /// The index of `tgh`, the host side.
    pub ifindex: u32,
    /// A socket on the host side.
    pub host: UdpSocket,
    /// A socket of the endpoint.
    pub endpoint: UdpSocket,
}

/// Makes a veth pair between this thread's namespace and a new one, neighbours known, and a UDP socket at each end.
pub fn wire() -> Wire {
    run("ip link add tgh address 02:00:00:00:00:01 type veth peer name tgp address 02:00:00:00:00:02");
    let (say_where, hear_where) = channel();
    let (say_moved, hear_moved) = channel();
    let endpoint = std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        quiet();
        say_where.send(std::fs::read_link("/proc/thread-self").unwrap()).unwrap();
        hear_moved.recv().unwrap();
        // The socket keeps its namespace alive when the thread has ended.
        side("tgp", 2, 1)
    });
    run(&format!("ip link set tgp netns /proc/{}/ns/net", hear_where.recv().unwrap().display()));
    say_moved.send(()).unwrap();
    let endpoint = endpoint.join().unwrap();
    let wire = Wire { ifindex: index("tgh"), host: side("tgh", 1, 2), endpoint };
    // The kernel drops what is sent before it has noticed that both ends are up, which it does in its own time.
    assert!((0..100).any(|_| wire.passes() == (true, true)), "the wire does not come up");
    wire
}

fn side(interface: &str, own: u8, other: u8) -> UdpSocket {
    run(&format!("ip link set {interface} up"));
    run(&format!("ip address add 10.9.0.{own}/24 dev {interface}"));
    run(&format!("ip neighbour add 10.9.0.{other} lladdr 02:00:00:00:00:0{other} dev {interface} nud permanent"));
    let socket = UdpSocket::bind(format!("10.9.0.{own}:5000")).unwrap();
    socket.connect(format!("10.9.0.{other}:5000")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket
}

impl Wire {
    /// Whether a packet to the endpoint arrives, and whether one from it does.
    pub fn passes(&self) -> (bool, bool) {
        (passes(&self.host, &self.endpoint), passes(&self.endpoint, &self.host))
    }
}

fn passes(from: &UdpSocket, to: &UdpSocket) -> bool {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_ne_bytes();
    // A packet that is refused on egress is an error of send; on ingress it is silence.
    let _dropped = from.send(&number);
    let mut received = [0; 4];
    while to.recv(&mut received).is_ok() {
        // An earlier packet may have been late.
        if received == number {
            return true;
        }
    }
    false
}
