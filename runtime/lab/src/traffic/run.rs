//! The two threads of a run, and how it comes to rest.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, cmsg_space, recvmsg};
use nix::sys::time::TimeSpec;

use super::report::NEVER;
use super::sockets::{self, Sockets};
use super::{Flow, FlowReport, HEADER_BYTES, Losses, Nanos, Report};
use crate::error::{Error, Result};
use crate::running::Lab;
use crate::topology::Place;

/// No packet for so long after the last was sent, and the run is at rest.
const QUIET: Duration = Duration::from_millis(250);
/// How often the sender looks at what is due.
const TICK: Duration = Duration::from_micros(250);
/// How many packets of one flow leave before the next has its turn.
const TURN: u64 = 32;

/// Traffic under way. Dropping it stops it without a report.
#[derive(Debug)]
pub struct Traffic {
    flows: Vec<Flow>,
    shared: Arc<Shared>,
    sender: Option<JoinHandle<io::Result<Sent>>>,
    receiver: Option<JoinHandle<io::Result<Received>>>,
    before: Losses,
    clocks: (Instant, Nanos),
}

#[derive(Debug)]
struct Shared {
    sockets: Sockets,
    /// Marks the packets of this run.
    salt: u32,
    stop: AtomicBool,
    sender_done: AtomicBool,
    sent: AtomicU64,
    received: AtomicU64,
}

#[derive(Debug)]
struct Sent {
    at: Vec<Vec<Nanos>>,
    lasted: Duration,
}

#[derive(Debug)]
struct Received {
    arrived_at: Vec<Vec<Nanos>>,
    duplicates: Vec<u64>,
    reordered: Vec<u64>,
    strangers: u64,
    rest: Nanos,
}

impl Traffic {
    /// Opens the sockets and starts sending at once.
    ///
    /// Errors: an end that the lab does not have, or a socket that cannot be made. Cost: two busy threads; 24 bytes of
    /// memory a packet.
    pub fn start(lab: &Lab, flows: &[Flow]) -> Result<Traffic> {
        let sockets = sockets::open(lab, flows)?;
        let before = sockets::counters(lab, &sockets)?;
        let shared = Arc::new(Shared {
            sockets,
            salt: Nanos::now().0 as u32,
            stop: AtomicBool::new(false),
            sender_done: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        });
        let clocks = (Instant::now(), Nanos::now());
        let receiver = thread::spawn({
            let (shared, flows) = (shared.clone(), flows.to_vec());
            move || receive(&shared, &flows)
        });
        let sender = thread::spawn({
            let (shared, flows) = (shared.clone(), flows.to_vec());
            move || {
                let sent = send(&shared, &flows);
                shared.sender_done.store(true, Ordering::Release);
                sent
            }
        });
        let (sender, receiver) = (Some(sender), Some(receiver));
        Ok(Traffic { flows: flows.to_vec(), shared, sender, receiver, before, clocks })
    }

    /// Packets sent and received so far, over all flows.
    pub fn progress(&self) -> (u64, u64) {
        (self.shared.sent.load(Ordering::Relaxed), self.shared.received.load(Ordering::Relaxed))
    }

    /// Stops sending, waits until nothing arrives any more, and reconciles.
    ///
    /// Errors: a socket failed while running, or the machine's clock was set meanwhile, so that no time of the run means
    /// anything.
    pub fn stop(mut self, lab: &Lab) -> Result<Report> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let sent = ended(self.sender.take(), "send")?;
        let received = ended(self.receiver.take(), "receive")?;
        let (start, start_nanos) = self.clocks;
        let drift = (start.elapsed().as_nanos() as u64).abs_diff(Nanos::now().0.saturating_sub(start_nanos.0));
        if drift > 2_000_000 {
            return Err(failed("keep time: the machine's clock was set")(io::Error::other(format!("by {drift} ns"))));
        }
        let after = sockets::counters(lab, &self.shared.sockets)?;
        let losses = since(self.before, after, received.strangers);
        let (lasted, rest) = (sent.lasted, received.rest);
        let counts = received.duplicates.into_iter().zip(received.reordered);
        let times = sent.at.into_iter().zip(received.arrived_at);
        let flows = self.flows.iter().zip(times.zip(counts));
        let flows = flows.map(|(&flow, ((sent_at, arrived_at), (duplicates, reordered)))| FlowReport {
            flow,
            duplicates,
            reordered,
            sent_at,
            arrived_at,
            rest,
        });
        Ok(Report { flows: flows.collect(), losses, lasted })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Whoever drops the traffic asks for no report.
        if let Some(sender) = self.sender.take() {
            drop(sender.join());
        }
        if let Some(receiver) = self.receiver.take() {
            drop(receiver.join());
        }
    }
}

fn failed(operation: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::Socket { operation: operation.to_string(), name: "every one".to_string(), source }
}

fn ended<T>(thread: Option<JoinHandle<io::Result<T>>>, operation: &'static str) -> Result<T> {
    let panicked = || Error::Panicked { name: format!("of traffic ({operation})") };
    let result = thread.ok_or_else(panicked)?.join().map_err(|_| panicked())?;
    result.map_err(failed(operation))
}

fn since(before: Losses, after: Losses, strangers: u64) -> Losses {
    Losses {
        full_buffers: after.full_buffers.saturating_sub(before.full_buffers),
        wrong_checksums: after.wrong_checksums.saturating_sub(before.wrong_checksums),
        no_socket: after.no_socket.saturating_sub(before.no_socket),
        not_sent: after.not_sent.saturating_sub(before.not_sent),
        full_backlogs: after.full_backlogs.saturating_sub(before.full_backlogs),
        strangers,
    }
}

/// Sends what is due, flow by flow in turns, until told to stop.
fn send(shared: &Shared, flows: &[Flow]) -> io::Result<Sent> {
    let mut at: Vec<Vec<Nanos>> = vec![vec![]; flows.len()];
    let longest = flows.iter().map(|flow| flow.payload_bytes).max().unwrap_or(HEADER_BYTES);
    let mut payload = vec![0; usize::from(longest)];
    payload[..4].copy_from_slice(&shared.salt.to_be_bytes());
    let start = Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        let elapsed = start.elapsed().as_nanos();
        let mut idle = true;
        for (index, flow) in flows.iter().enumerate() {
            let due = (elapsed * u128::from(flow.rate) / 1_000_000_000) as u64;
            let turn = due.saturating_sub(at[index].len() as u64).min(TURN);
            let socket = &shared.sockets.ends[shared.sockets.of_flow[index].0].socket;
            payload[4..8].copy_from_slice(&(index as u32).to_be_bytes());
            for _ in 0..turn {
                payload[8..16].copy_from_slice(&(at[index].len() as u64).to_be_bytes());
                let now = Nanos::now();
                match socket.send(&payload[..usize::from(flow.payload_bytes)]) {
                    Ok(_) => at[index].push(now),
                    // A full send buffer, or the report of an error that came back for an earlier packet: not sent.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock || returned(&error) => break,
                    Err(error) => return Err(error),
                }
                idle = false;
                shared.sent.fetch_add(1, Ordering::Relaxed);
            }
        }
        if idle {
            thread::sleep(TICK);
        }
    }
    Ok(Sent { at, lasted: start.elapsed() })
}

/// An ICMP error about an earlier packet of the same socket; that packet is missing, and that is all there is to it.
fn returned(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, PermissionDenied};
    matches!(error.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable | PermissionDenied)
}

/// Receives until the sender is done and nothing has come for a while.
fn receive(shared: &Shared, flows: &[Flow]) -> io::Result<Received> {
    let zero = || vec![0; flows.len()];
    let arrived_at = vec![vec![]; flows.len()];
    let mut all = Received { arrived_at, duplicates: zero(), reordered: zero(), strangers: 0, rest: NEVER };
    let mut last = Instant::now();
    let mut fds: Vec<PollFd> =
        shared.sockets.ends.iter().map(|end| PollFd::new(end.socket.as_fd(), PollFlags::POLLIN)).collect();
    loop {
        let ready = match poll(&mut fds, PollTimeout::from(20_u8)) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let done = shared.sender_done.load(Ordering::Acquire);
        if ready == 0 && done && last.elapsed() > QUIET {
            all.rest = Nanos::now();
            return Ok(all);
        }
        let ready = fds.iter().enumerate().filter(|(_, fd)| fd.any().unwrap_or(false));
        for (end, _) in ready {
            drain(shared, end, &mut all)?;
            last = Instant::now();
        }
    }
}

/// Takes everything that waits at one socket.
fn drain(shared: &Shared, end: usize, all: &mut Received) -> io::Result<()> {
    let Some(here) = shared.sockets.ends.get(end) else { return Ok(()) };
    let mut control = vec![0; cmsg_space::<TimeSpec>()];
    let mut bytes = [0; HEADER_BYTES as usize];
    loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let received = recvmsg::<()>(here.socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT);
        let (length, stamp) = match received {
            Ok(message) => (message.bytes, message.cmsgs().ok().and_then(|mut list| list.find_map(stamp))),
            Err(Errno::EAGAIN) => return Ok(()),
            Err(Errno::EINTR) => continue,
            Err(error) if returned(&error.into()) => continue,
            Err(error) => return Err(error.into()),
        };
        let now = Nanos::now();
        // Why: the kernel stamps a packet when it enters the last link. For a pod and for the world that is after the last
        // program; for a node it is before the program at the host end, so there only our own clock bounds it.
        let at = if matches!(here.place, Place::Node(_)) { now } else { stamp.map_or(now, |stamp| stamp.min(now)) };
        note(shared, end, bytes.get(..length).unwrap_or_default(), at, all);
    }
}

fn stamp(message: ControlMessageOwned) -> Option<Nanos> {
    let ControlMessageOwned::ScmTimestampns(time) = message else { return None };
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    Some(Nanos(seconds.checked_mul(1_000_000_000)?.checked_add(u64::try_from(time.tv_nsec()).ok()?)?))
}

fn note(shared: &Shared, end: usize, bytes: &[u8], at: Nanos, all: &mut Received) {
    let field =
        |range: std::ops::Range<usize>| bytes.get(range).map(|part| part.iter().fold(0, |n, &b| n << 8 | u64::from(b)));
    let (Some(salt), Some(flow), Some(number)) = (field(0..4), field(4..8), field(8..16)) else {
        all.strangers += 1;
        return;
    };
    let (flow, number) = (flow as usize, number as usize);
    let ours = salt == u64::from(shared.salt) && shared.sockets.of_flow.get(flow).is_some_and(|pair| pair.1 == end);
    // A number far beyond what any run sends is not one of ours either, and must not cost its size in memory.
    let known = shared.sent.load(Ordering::Relaxed) as usize + TURN as usize;
    let Some(arrived) = all.arrived_at.get_mut(flow).filter(|_| ours && number <= known) else {
        all.strangers += 1;
        return;
    };
    if number >= arrived.len() {
        arrived.resize(number + 1, NEVER);
    } else {
        all.reordered[flow] += 1;
    }
    if arrived[number] == NEVER {
        arrived[number] = at;
        shared.received.fetch_add(1, Ordering::Relaxed);
    } else {
        all.duplicates[flow] += 1;
        all.reordered[flow] -= 1;
    }
}
