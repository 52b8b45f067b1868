//! Where the rules are on a path: their steps, and what they remember.

use super::term::Term;
use image::DropReason;

/// Switches of a node that its programs are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub struct Settings {
    /// Whether later fragments of IPv4 have the ports of their first.
    pub fragments4: bool,
    /// Likewise of IPv6.
    pub fragments6: bool,
    /// The UDP port of the node's tunnel that no endpoint may send to.
    pub tunnel: Option<u16>,
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match (self.fragments4, self.fragments6) {
            (true, true) => "fragments of both families followed",
            (true, false) => "fragments of IPv4 followed",
            (false, true) => "fragments of IPv6 followed",
            (false, false) => "no fragments followed",
        })?;
        self.tunnel.map_or(Ok(()), |port| write!(f, ", tunnel port {port} closed"))
    }
}

/// What is known of fragments.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// No fragment header was met.
    None,
    /// One was met, and the packet is whole.
    Whole,
    First,
}

/// What tracking makes of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Tcp,
    /// Has ports, and no flags.
    Plain,
    Request,
    Reply,
    /// The tuple is that of the packet inside an error.
    Related,
}

/// What tracking found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    Untracked,
    Miss,
    Stale,
    Forward,
}

/// Why a packet passes unasked, or what the policy said.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ruling {
    Leaf(u8),
    /// The table does not fit its program.
    Broken,
    Translated,
}

/// How far the rules are. Each family has its own steps behind the header.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    Start,
    Frame,
    /// So many extension headers were walked.
    Header(u8, Part),
    /// Behind the network header, a first fragment's ports being noted.
    Upper(u8),
    Flow(u8, Kind),
    Way(u8, Kind, u8),
    Found(u8, Kind),
    Judge(u8, Kind, Outcome),
    Decide(u8, Kind, Outcome),
    Decided(u8, Kind, Outcome, Ruling),
    /// The packet may pass, by the policy or for audit mode.
    Allowed(u8, Kind, Outcome, bool),
    /// Its connection stands in the table, if it is to have one.
    Noted(u8, Kind, bool),
    /// There was no room for it.
    Full(u8, Kind),
    Answered(u8, Kind),
    Drop(DropReason),
    Pass,
    /// None of the node's own.
    Skip,
    /// The path has ended as it should.
    Done,
}

impl Step {
    /// Ascends along every path.
    pub fn number(self) -> u8 {
        match self {
            Step::Start => 0,
            Step::Frame => 1,
            Step::Header(walked, _) => 2 + walked,
            Step::Upper(_) => 12,
            Step::Flow(..) => 13,
            Step::Way(_, _, way) => 14 + way,
            Step::Found(..) => 23,
            Step::Judge(..) => 24,
            Step::Decide(..) => 25,
            Step::Decided(..) => 26,
            Step::Answered(..) | Step::Allowed(..) => 27,
            Step::Noted(..) | Step::Full(..) => 28,
            Step::Drop(_) | Step::Pass | Step::Skip => 29,
            Step::Done => 30,
        }
    }
}

/// What the rules remember, by name.
pub mod var {
    /// Where the endpoint's slot begins.
    pub const SLOT: usize = 0;
    /// Whether the packet came in by the interface of an endpoint.
    pub const ORIGIN: usize = 1;
    /// The addresses, in words of four or twice eight bytes as they stand in memory.
    pub const SOURCE: usize = 2;
    pub const DESTINATION: usize = 4;
    pub const FAMILY: usize = 6;
    /// Whether the source is one that only neighbour discovery may have.
    pub const ON_LINK: usize = 7;
    pub const PROTOCOL: usize = 8;
    pub const HOP_LIMIT: usize = 9;
    /// Where the next header begins, and how many bytes of the packet follow from there on.
    pub const CURSOR: usize = 10;
    pub const REST: usize = 11;
    /// Fragments: the word with offset and more-bit, and four or two bytes of identification.
    pub const FIELD: usize = 12;
    pub const IDENTIFICATION: usize = 13;
    /// The tuple: addresses as above, and ports as they stand in memory.
    pub const TUPLE: usize = 14;
    pub const PORTS: usize = 18;
    pub const FLAGS: usize = 20;
    /// What the policy is asked about: protocol and port, or type and code.
    pub const KEY: usize = 21;
    /// The words of the connection's key.
    pub const WORDS: usize = 22;
    pub const HOME: usize = 27;
    pub const ENTRY: usize = 28;
    pub const STATE: usize = 29;
    pub const PEER: usize = 30;
    /// The number of the leaf, as the record has it.
    pub const LEAF: usize = 31;
    pub const COUNT: usize = 32;
}

/// A step, and what is remembered there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    pub step: Step,
    pub vars: [Term; var::COUNT],
}

impl Place {
    /// What no later step asks for is left behind, so that paths are alike that differ in nothing else.
    pub fn leave(&mut self, zero: Term) {
        use var::*;
        let header = [CURSOR, REST, FIELD, IDENTIFICATION, HOP_LIMIT, ON_LINK];
        let tuple = [TUPLE, TUPLE + 1, TUPLE + 2, TUPLE + 3, PROTOCOL];
        let left: Vec<usize> = match self.step {
            Step::Flow(..) => header.to_vec(),
            Step::Way(..) => tuple.to_vec(),
            Step::Judge(_, kind, outcome) => {
                let mut left = [&header[..], &tuple].concat();
                if !matches!(kind, Kind::Tcp | Kind::Plain) {
                    left.extend([PORTS, PORTS + 1]);
                }
                if outcome == Outcome::Untracked {
                    left.push(FLAGS);
                    left.extend(WORDS..=STATE);
                }
                if outcome == Outcome::Miss {
                    left.push(STATE);
                }
                left
            }
            Step::Decided(_, _, Outcome::Untracked, _) => (WORDS..=STATE).chain([FLAGS]).collect(),
            Step::Noted(..) | Step::Full(..) => (WORDS..=STATE).chain([FLAGS]).collect(),
            Step::Pass | Step::Skip => (0..COUNT).collect(),
            Step::Drop(_) => [&header[..], &tuple, &[FLAGS]].concat(),
            _ => Vec::new(),
        };
        left.into_iter().for_each(|at| self.vars[at] = zero);
    }
}
