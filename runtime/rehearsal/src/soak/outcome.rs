//! What a soak came to.

use super::reconcile::{Tally, Unexplained};
use lab::End;
use lab::traffic::Losses;
use std::fmt;
use std::time::Duration;

/// How long something took, over many times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// Nanoseconds, ascending.
    sorted: Vec<u64>,
}

impl Latency {
    /// Of these nanoseconds, in any order.
    pub fn of(mut nanos: Vec<u64>) -> Latency {
        nanos.sort_unstable();
        Latency { sorted: nanos }
    }

    /// What so many of a hundred did not exceed; zero of nothing.
    pub fn percent(&self, of_hundred: usize) -> Duration {
        let at = (self.sorted.len() * of_hundred / 100).min(self.sorted.len().saturating_sub(1));
        Duration::from_nanos(self.sorted.get(at).copied().unwrap_or_default())
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |of_hundred| self.percent(of_hundred).as_secs_f64() * 1e3;
        write!(f, "p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", millis(50), millis(99), millis(100))
    }
}

/// Everything that a soak counted.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Changes made, the first policy included.
    pub swaps: usize,
    /// Those with an edit never seen before.
    pub fresh: usize,
    /// Hooks whose program was replaced, over all swaps and nodes.
    pub replaced: usize,
    /// The fewest rules that a ruled direction had.
    pub rules: usize,
    /// How many flows there were.
    pub flows: usize,
    /// Packets of flows that every epoch with policies lets pass.
    pub always: Tally,
    /// Packets of flows that none of them lets pass.
    pub never: Tally,
    /// Packets of flows that they turn on and off.
    pub turned: Tally,
    /// Packets per second that were sent.
    pub rate: f64,
    /// How long packets were sent.
    pub lasted: Duration,
    /// Packets lost for reasons that are no program's.
    pub losses: Losses,
    /// Connections that should live, those opened before the first policy and those after.
    pub connections: (usize, usize),
    /// Round trips over all connections.
    pub rounds: u64,
    /// Ends of connections that died.
    pub dead: Vec<(End, End)>,
    /// Compiling and loading, of edits never seen before.
    pub prepare_fresh: Latency,
    /// Compiling and loading, of known states.
    pub prepare_known: Latency,
    /// Narrowing and widening on all nodes.
    pub make: Latency,
}

impl Outcome {
    /// All packets.
    pub fn all(&self) -> Tally {
        let mut all = self.always.clone();
        all.add(self.never.clone());
        all.add(self.turned.clone());
        all
    }

    /// Whether every packet is accounted for and every connection lives.
    pub fn is_clean(&self) -> bool {
        let all = self.all();
        all.leaked == 0 && all.lost == 0 && self.dead.is_empty()
    }

    /// Whether missing means denied: nothing was lost to sockets, checksums or backlogs. Where this is not so, the run should be made again.
    pub fn is_conclusive(&self) -> bool {
        self.losses == Losses::default()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outcome { swaps, fresh, replaced, rules, flows, rate, .. } = self;
        let all = self.all();
        writeln!(f, "swaps: {swaps}, of them {fresh} of an edit never seen before; {replaced} hooks replaced")?;
        writeln!(f, "policies: at least {rules} rules in each ruled direction")?;
        writeln!(f, "traffic: {flows} flows, {rate:.0} packets/s for {:.1} s", self.lasted.as_secs_f64())?;
        for (name, tally) in
            [("always allowed", &self.always), ("never allowed", &self.never), ("turned", &self.turned), ("all", &all)]
        {
            let Tally { sent, passed, denied, leaked, lost, duplicates, certain, .. } = tally;
            writeln!(
                f,
                "packets, {name}: sent {sent}, received {passed}, denied {denied}, lost {lost}, outside old and new {leaked}, \
                 duplicates {duplicates}; {certain} had one possible outcome only"
            )?;
        }
        let (before, after) = self.connections;
        writeln!(
            f,
            "connections: {before} opened before the first policy, {after} after it; {} round trips, {} died",
            self.rounds,
            self.dead.len()
        )?;
        for (from, to) in &self.dead {
            writeln!(f, "  died: {:?} {} -> {:?} {}", from.place, from.address, to.place, to.address)?;
        }
        writeln!(f, "prepare (compile and load), fresh: {}", self.prepare_fresh)?;
        writeln!(f, "prepare (compile and load), known: {}", self.prepare_known)?;
        writeln!(f, "swap (narrow and widen, all nodes): {}", self.make)?;
        writeln!(f, "losses that no program caused: {:?}", self.losses)?;
        for Unexplained { flow, packet, epochs } in &all.unexplained {
            let (from, to) = (flow.from, flow.to);
            let what = if packet.arrived { "passed" } else { "lost" };
            let took = (packet.until.0.saturating_sub(packet.from.0)) / 1000;
            writeln!(
                f,
                "  {what}: {:?} {} port {} -> {:?} {} port {}, packet {} sent at {} ns, judged within {took} µs, in epochs {epochs:?}",
                from.place,
                from.address,
                flow.from_port,
                to.place,
                to.address,
                flow.to_port,
                packet.number,
                packet.from.0
            )?;
        }
        write!(f, "unexplained: {}", all.leaked + all.lost)
    }
}
