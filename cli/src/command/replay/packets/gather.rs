//! Counts what becomes of packets, by conversation, in bounded memory.

use crate::command::replay::capture::Captured;
use flow::L4Key;
use rehearsal::packets::{Conversations, Crossing, Player, Reasoned, Talk};
use replay::Time;
use replay::tally::Seen;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Flows that are told apart; packets of further ones are counted together.
const MOST_FLOWS: usize = 100_000;
/// Packets that are listed one by one.
pub const MOST_PACKETS: usize = 10_000;

/// Why a packet is not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Undecided {
    /// Neither end is an endpoint with programs.
    NoEndpoint,
    /// It has no IP addresses: ARP, and what is not IP.
    NotIp,
    /// The recorder cut it off before its headers ended.
    CutShort,
    /// Facts that were not read.
    Facts,
}

impl Undecided {
    /// Its name in reports, and what it means.
    pub fn worded(self) -> (&'static str, &'static str) {
        match self {
            Undecided::NoEndpoint => ("no-endpoint", "neither end is a pod of the facts, or a node with policies"),
            Undecided::NotIp => ("not-ip", "the packet has no IP addresses, such as ARP"),
            Undecided::CutShort => {
                ("cut-short", "the recorder cut the packet off before its headers end; record longer ones")
            }
            Undecided::Facts => ("facts", "the verdict hangs on facts that were not read"),
        }
    }
}

/// Who talks to whom, as reports call them.
pub type FlowName = (String, String, Option<L4Key>);

/// The packets of one flow.
#[derive(Debug)]
pub struct Flow {
    /// How many, and when.
    pub seen: Seen,
    /// How many of them are answers.
    pub answers: u64,
    /// How many became of which: one list of crossings for each set of policies.
    pub fates: BTreeMap<Vec<Vec<Crossing>>, u64>,
    /// Why, for each set of policies.
    pub why: Vec<Vec<Reasoned>>,
}

/// One packet that is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The file.
    pub file: Arc<str>,
    /// Its number in it, from 1.
    pub number: u64,
    /// When.
    pub time: Option<Time>,
    /// Its flow.
    pub flow: FlowName,
    /// Whether it is an answer.
    pub answer: bool,
    /// What became of it, for each set of policies.
    pub fate: Vec<Vec<Crossing>>,
}

/// Everything that was counted.
#[derive(Default)]
pub struct Gathered {
    /// All packets.
    pub packets: u64,
    /// The earliest and the latest.
    pub seen: Seen,
    /// By reason.
    pub undecided: BTreeMap<Undecided, Seen>,
    /// What is missing, for example.
    pub missing: std::collections::BTreeSet<reason::Missing>,
    /// Decided packets, by flow.
    pub flows: BTreeMap<FlowName, Flow>,
    /// Packets of flows that are not told apart.
    pub further: u64,
    /// Every decided packet that is listed, in order.
    pub listed: Vec<Listed>,
    conversations: Conversations,
    now: u64,
}

impl Gathered {
    /// Runs one packet under each set of policies. Errors: a program that faults.
    pub fn add(
        &mut self,
        players: &mut [Player<'_>],
        file: &Arc<str>,
        number: u64,
        packet: &Captured,
    ) -> Result<(), String> {
        self.packets += 1;
        let one = Seen { records: 1, first: packet.time, last: packet.time };
        self.seen.merge(&one);
        let not_decided = match self.conversations.talk(&packet.frame) {
            None => Undecided::NotIp,
            Some(_) if packet.kept < packet.frame.len() && packet.kept < needed(&packet.frame) => Undecided::CutShort,
            Some(talk) => match self.decide(players, talk, file, number, packet, &one)? {
                Some(why) => why,
                None => return Ok(()),
            },
        };
        self.undecided.entry(not_decided).or_default().merge(&one);
        Ok(())
    }

    fn decide(
        &mut self,
        players: &mut [Player<'_>],
        talk: Talk,
        file: &Arc<str>,
        number: u64,
        packet: &Captured,
        one: &Seen,
    ) -> Result<Option<Undecided>, String> {
        // Why not backwards: connections end by the clock, and files may overlap.
        let now = packet.time.and_then(|time| u64::try_from(time.0 / 1_000_000).ok()).unwrap_or(0);
        self.now = self.now.max(now);
        let mut fate = Vec::new();
        for player in players.iter_mut() {
            fate.push(player.play(&packet.frame, self.now)?);
        }
        if fate.iter().all(Vec::is_empty) {
            return Ok(Some(Undecided::NoEndpoint));
        }
        let flow = (players[0].name(talk.source), players[0].name(talk.destination), talk.key);
        if !self.flows.contains_key(&flow) {
            if self.flows.len() >= MOST_FLOWS {
                self.further += 1;
                return Ok(None);
            }
            let why: Result<Vec<_>, String> = players.iter_mut().map(|player| player.explain(&talk)).collect();
            let new = Flow { seen: Seen::default(), answers: 0, fates: BTreeMap::new(), why: why? };
            self.flows.insert(flow.clone(), new);
        }
        let Some(known) = self.flows.get_mut(&flow) else { return Ok(None) };
        let missing: Vec<_> = known.why.iter().flatten().flat_map(|side| side.missing.iter().cloned()).collect();
        if !missing.is_empty() {
            self.missing.extend(missing);
            return Ok(Some(Undecided::Facts));
        }
        known.seen.merge(one);
        known.answers += u64::from(talk.answer);
        *known.fates.entry(fate.clone()).or_default() += 1;
        if self.listed.len() < MOST_PACKETS {
            let (file, time, answer) = (file.clone(), packet.time, talk.answer);
            self.listed.push(Listed { file, number, time, flow, answer, fate });
        }
        Ok(None)
    }
}

/// How many bytes of a frame programs look at.
fn needed(frame: &[u8]) -> usize {
    /// Of anything that is not told apart here: more than headers usually have.
    const OTHER: usize = 160;
    let transport = |protocol: Option<&u8>, inner: usize| match protocol {
        Some(6) => 14,
        Some(17 | 132) => 8,
        Some(1 | 58) => 8 + inner + 8,
        _ => OTHER,
    };
    match frame.get(12..14) {
        Some([0x08, 0x00]) => {
            let header = usize::from(frame.get(14).copied().unwrap_or(0x45) & 15) * 4;
            14 + header + transport(frame.get(23), 20)
        }
        Some([0x86, 0xdd]) => 14 + 40 + transport(frame.get(20), 40),
        _ => OTHER,
    }
}
