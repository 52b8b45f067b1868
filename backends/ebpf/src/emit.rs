//! What all parts of one program share: its target, its labels, its frame.
//!
//! Registers between the parts:
//! ```text
//!  R6  the packet's context, from the first instruction on
//!  R7  while parsing: the endpoint's record;  from tracking on: byte index of an entry of the connection table
//!  R8  while parsing: a packet pointer;       from tracking on: the state word of that entry
//!  R9  while parsing: the end of the packet;  from tracking on: what tracking found ([`outcome`])
//! ```
//! The verifier follows a register that becomes an offset into a table back to where it came from, and explores what follows once more
//! for each different constant that it finds there. So such registers come from loads, and constants go through memory first.

use crate::asm::{Alu, Asm, Atomic, Cond, Label, Reg, Size, Slot};
use crate::decide::choose::Key;
use image::{DirectionPlan, DropReason, Hook, MapRef, NodeMap, Target, layout};

/// Offsets into `struct __sk_buff`, the context of programs at a traffic-control hook.
pub(crate) mod skb {
    pub const LEN: i16 = 0;
    pub const VLAN_PRESENT: i16 = 20;
    pub const VLAN_TCI: i16 = 24;
    pub const INGRESS_IFINDEX: i16 = 36;
    pub const IFINDEX: i16 = 40;
    pub const DATA: i16 = 76;
    pub const DATA_END: i16 = 80;
    pub const GSO_SEGS: i16 = 164;
}

/// The frame: 248 bytes.
///
/// Fields of four bytes stand at odd multiples of four: kernels follow the constants in those at multiples of eight. Zeros they follow
/// anywhere.
pub(crate) mod frame {
    use super::Slot;
    /// The record that a drop or a first packet may write, filled while the packet is parsed.
    pub const RECORD: Slot = Slot(-80);
    /// The key of the connection.
    pub const KEY: Slot = Slot(-120);
    /// Four bytes of [`super::facts`].
    pub const FACTS: Slot = Slot(-124);
    /// One byte: the IP protocol, on the general path.
    pub const PROTOCOL: Slot = Slot(-125);
    /// Jiffies at the time of tracking.
    pub const NOW: Slot = Slot(-136);
    /// The key of a fragment.
    pub const FRAGMENT: Slot = Slot(-176);
    /// The key of an IPv6 prefix look-up: length, address.
    pub const PREFIX: Slot = Slot(-200);
    /// 16 bytes: the key of a look-up among the node's own addresses. Shares its place with the prefix: it comes first of all.
    pub const OWN: Slot = PREFIX;
    /// The ports of a first fragment.
    pub const PORTS: Slot = Slot(-204);
    /// Four bytes: what is left of the packet after the network header, on the general path.
    pub const PAYLOAD: Slot = Slot(-212);
    /// Four bytes: the length of an extension header.
    pub const LENGTH: Slot = Slot(-220);
    /// One byte, in programs of packets from the node: one of [`super::origin`].
    pub const ORIGIN: Slot = Slot(-127);
    /// One byte: the hop limit.
    pub const HOP_LIMIT: Slot = Slot(-126);
    /// One byte: whether the source is not the endpoint's but one of those that neighbour discovery may have.
    pub const ON_LINK: Slot = Slot(-128);
    /// Four bytes: the offset and more-fragments bit of the IPv6 fragment header, and a bit that there was one.
    pub const FRAGMENT_FIELD: Slot = Slot(-228);
    /// Four bytes: the identification in it.
    pub const IDENTIFICATION: Slot = Slot(-236);
    /// Four bytes: the lifetime of flows other than TCP, while an entry is chosen.
    pub const LIFETIME: Slot = Slot(-244);
    /// Eight bytes: where the packet inside an error from the node went, against where the error comes from. Shares its place with
    /// the fragment key, as [`INNER`] does.
    pub const ABOUT: Slot = Slot(-160);
    /// 16 bytes: the destination of the packet inside an ICMPv6 error. Shares its place with the fragment key: ICMP has no fragments.
    pub const INNER: Slot = FRAGMENT;
    /// The best score so far while an entry is chosen. Fragments are done with by then.
    pub const SCORE: Slot = FRAGMENT;
    /// Eight bytes: the address of a lock; and the four of its number, on their way there. Fragments are done with by then.
    pub const LOCK: Slot = Slot(-168);
    /// Likewise.
    pub const LOCK_NUMBER: Slot = Slot(-160);
}

/// What parsing tells tracking, as bits beside the TCP flags in the lowest byte.
pub(crate) mod facts {
    pub const FIN: i32 = 0x01;
    pub const SYN: i32 = 0x02;
    pub const RST: i32 = 0x04;
    pub const ACK: i32 = 0x10;
    /// An ICMP query that asks.
    pub const REQUEST: i32 = 0x100;
    /// Never opens a connection: an answer, or an error.
    pub const NO_INSERT: i32 = 0x200;
    /// The tuple is that of the packet inside an ICMP error.
    pub const RELATED: i32 = 0x400;
    /// TCP.
    pub const TCP: i32 = 0x800;
    /// Nothing to say. Not zero: kernels know a zero in the frame from other numbers, and would explore what follows twice.
    pub const PLAIN: i32 = 0x1000;
}

/// Where a packet from the node was before, at [`frame::ORIGIN`]. No zero, which kernels know in the frame from other numbers.
pub(crate) mod origin {
    /// The node made it.
    pub const HERE: i32 = 1;
    /// It came in by the interface of an endpoint.
    pub const ENDPOINT: i32 = 2;
}

/// What tracking found, in R9 while the decision is made.
pub(crate) mod outcome {
    /// A packet of a connection, from its opener.
    pub const FORWARD: i32 = 1;
    /// No entry.
    pub const MISS: i32 = 2;
    /// Nothing is to be tracked.
    pub const UNTRACKED: i32 = 4;
    /// The entry of this tuple has ended; it is the one to overwrite.
    pub const STALE: i32 = 0;
}

/// An IP version, with where its connections live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    pub number: i32,
    pub map: NodeMap,
    /// Words of eight bytes in a key; the last one is ports, protocol, endpoint.
    pub words: u32,
    /// Bytes of an entry, as a power of two.
    pub entry_log2: i32,
    pub state: u32,
    pub packets: u32,
}

pub(crate) const V4: Family = Family {
    number: 4,
    map: NodeMap::Track4,
    words: 2,
    entry_log2: 5,
    state: layout::track4::STATE,
    packets: layout::track4::PACKETS,
};

pub(crate) const V6: Family = Family {
    number: 6,
    map: NodeMap::Track6,
    words: 5,
    entry_log2: 6,
    state: layout::track6::STATE,
    packets: layout::track6::PACKETS,
};

/// One program under construction.
pub(crate) struct Emit<'a> {
    pub asm: Asm,
    pub hook: Hook,
    pub target: &'a Target,
    pub plan: &'a DirectionPlan,
    /// How the plan finds columns.
    pub key: &'a Key,
    /// What happens to packets whatever the policy says.
    pub settings: crate::Settings,
    /// Where a packet is passed and counted.
    pub pass: Label,
    /// Where a packet that is none of the node's own goes on, uncounted.
    pub skip: Label,
    /// Where a drop of each reason is counted.
    stubs: Vec<(DropReason, Label)>,
}

impl<'a> Emit<'a> {
    pub fn new(
        hook: Hook,
        target: &'a Target,
        plan: &'a DirectionPlan,
        key: &'a Key,
        settings: crate::Settings,
    ) -> Emit<'a> {
        let mut asm = Asm::new();
        let (pass, skip) = (asm.label(), asm.label());
        let stubs = DropReason::ALL.iter().map(|reason| (*reason, asm.label())).collect();
        Emit { asm, hook, target, plan, key, settings, pass, skip, stubs }
    }

    /// Where to jump to drop.
    pub fn drop(&self, reason: DropReason) -> Label {
        // Cannot panic: `new` made a label for each of `DropReason::ALL`.
        self.stubs.iter().find(|(known, _)| *known == reason).expect("every reason has a stub").1
    }

    /// A 16-bit number of the packet, as a plain load sees it.
    pub fn raw16(&self, number: u16) -> i32 {
        i32::from(if self.target.little_endian { number.swap_bytes() } else { number })
    }

    /// How far left a field stands in the eight bytes around it, as a load of all eight sees it.
    pub fn shift_of(&self, offset: u32, bytes: u32) -> i32 {
        let bytes_below = if self.target.little_endian { offset % 8 } else { 8 - offset % 8 - bytes };
        bytes_below as i32 * 8
    }

    /// Whether the packet comes from the subject.
    pub fn outward(&self) -> bool {
        self.hook.is_egress()
    }

    /// Whether the packet comes from an endpoint, which may send its own addresses only.
    pub fn checks_source(&self) -> bool {
        self.hook == Hook::FromEndpoint
    }

    /// Whether the packet may have been translated on the node: see [`origin`].
    pub fn has_origin(&self) -> bool {
        self.hook == Hook::FromHost
    }

    /// A place in the record.
    pub fn record(&self, offset: u32) -> Slot {
        frame::RECORD.at(offset)
    }

    /// The record without anything known; the paths that may drop early begin with it.
    pub fn clear_record(&mut self) {
        for at in (0..layout::record::SIZE).step_by(8) {
            self.asm.put_imm(Size::Double, frame::RECORD.at(at), 0);
        }
        self.asm.put_imm(Size::Word, self.record(layout::record::LEAF), -1);
    }

    /// The stubs at the end: each reason counts and ends in one common tail.
    pub fn finish_stubs(&mut self) {
        use Reg::*;
        let tail = self.asm.label();
        for (reason, label) in self.stubs.clone() {
            if !self.asm.is_used(label) {
                continue;
            }
            self.asm.bind(label);
            self.asm.mov(R9, reason as i32);
            self.asm.jump(tail);
        }
        self.asm.bind(tail);
        // Through memory, so that the verifier does not tell reasons apart and walks what follows once: what is stored inside a word and is not
        // zero, it forgets on every kernel.
        self.asm.put(Size::Byte, self.record(layout::record::REASON), R9);
        self.asm.get(Size::Byte, R2, self.record(layout::record::REASON));
        const { assert!(layout::COUNTERS.is_power_of_two()) }
        self.asm.alu(Alu::And, R2, layout::COUNTERS as i32 - 1);
        self.asm.alu(Alu::Shl, R2, 3);
        self.asm.value(R1, MapRef::Node(NodeMap::Counters), 0);
        self.asm.alu(Alu::Add, R1, R2);
        self.count();
        self.asm.put_imm(Size::Byte, self.record(layout::record::AUDITED), 0);
        self.write_record(Wanted::Dropped);
        self.asm.mov(R0, TC_ACT_SHOT);
        self.asm.exit();
        let pass = self.pass;
        self.asm.bind(pass);
        self.asm.value(R1, MapRef::Node(NodeMap::Counters), 0);
        self.count();
        let skip = self.skip;
        self.asm.bind(skip);
        self.asm.mov(R0, TCX_NEXT);
        self.asm.exit();
    }

    /// Adds the packet (all packets of a segmented one) to the counter at R1. Clobbers R2.
    pub fn count(&mut self) {
        use Reg::*;
        let counted = self.asm.label();
        self.asm.load(Size::Word, R2, R6, skb::GSO_SEGS);
        self.asm.jump_if(Cond::Ne, R2, 0, counted);
        self.asm.mov(R2, 1);
        self.asm.bind(counted);
        self.asm.atomic(Atomic::Add, R1, 0, R2);
    }

    /// Writes the record, whose reason is there, if such records are wanted. Clobbers R0 to R5.
    pub fn write_record(&mut self, wanted: Wanted) {
        use Reg::*;
        let done = self.asm.label();
        self.asm.value(R1, MapRef::Node(NodeMap::Config), layout::config::FLAGS);
        self.asm.load(Size::Word, R1, R1, 0);
        match wanted {
            Wanted::Dropped => self.asm.alu(Alu::And, R1, layout::config::RECORD_DROPPED as i32),
            Wanted::Passed => {
                const { assert!(layout::config::RECORD_ALLOWED == 1 && layout::config::RECORD_DROPPED == 2) };
                self.asm.get(Size::Byte, R2, self.record(layout::record::AUDITED));
                self.asm.alu(Alu::Add, R2, 1);
                self.asm.alu(Alu::And, R1, R2);
            }
        }
        self.asm.jump_if(Cond::Eq, R1, 0, done);
        self.asm.call(crate::asm::Helper::KtimeNs);
        self.asm.put(Size::Double, self.record(layout::record::TIME), R0);
        self.asm.value(R1, MapRef::Own(crate::DIGEST_TABLE), 0);
        self.asm.load(Size::Double, R1, R1, 0);
        self.asm.put(Size::Double, self.record(layout::record::DIGEST), R1);
        self.asm.load(Size::Word, R1, R6, skb::IFINDEX);
        self.asm.put(Size::Word, self.record(layout::record::IFINDEX), R1);
        self.asm.load(Size::Word, R1, R6, skb::LEN);
        self.asm.put(Size::Word, self.record(layout::record::LENGTH), R1);
        let direction = i32::from(self.outward());
        self.asm.put_imm(Size::Byte, self.record(layout::record::DIRECTION), direction);
        self.asm.map(R1, MapRef::Node(NodeMap::Records));
        self.asm.frame(R2, frame::RECORD);
        self.asm.mov(R3, layout::record::SIZE as i32);
        self.asm.mov(R4, 0);
        self.asm.call(crate::asm::Helper::RingbufOutput);
        self.asm.jump_if(Cond::Eq, R0, 0, done);
        self.asm.value(R1, MapRef::Node(NodeMap::Counters), layout::LOST_RECORDS * 8);
        self.asm.mov(R2, 1);
        self.asm.atomic(Atomic::Add, R1, 0, R2);
        self.asm.bind(done);
    }
}

/// Which records are written, by flags of `tg_config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Those of denied packets: dropped, or passed because of audit mode.
    Dropped,
    /// Those of first packets of allowed flows; the record says whether audit mode made it one, and then it is wanted as a drop is.
    Passed,
}

/// The next program of the hook decides; with none, the packet passes.
const TCX_NEXT: i32 = -1;
/// The packet is dropped.
const TC_ACT_SHOT: i32 = 2;
