//! What surrounds a packet: the model of `struct __sk_buff`, time and chance.

/// Offsets of `struct __sk_buff` (Linux, `include/uapi/linux/bpf.h`).
pub mod skb {
    #![allow(missing_docs, reason = "these are the names of the structure's fields")]
    pub const LEN: usize = 0;
    pub const PKT_TYPE: usize = 4;
    pub const MARK: usize = 8;
    pub const QUEUE_MAPPING: usize = 12;
    pub const PROTOCOL: usize = 16;
    pub const VLAN_PRESENT: usize = 20;
    pub const VLAN_TCI: usize = 24;
    pub const VLAN_PROTO: usize = 28;
    pub const PRIORITY: usize = 32;
    pub const INGRESS_IFINDEX: usize = 36;
    pub const IFINDEX: usize = 40;
    pub const TC_INDEX: usize = 44;
    pub const CB: usize = 48;
    pub const HASH: usize = 68;
    pub const TC_CLASSID: usize = 72;
    pub const DATA: usize = 76;
    pub const DATA_END: usize = 80;
    pub const DATA_META: usize = 140;
    pub const TSTAMP: usize = 152;
    pub const WIRE_LEN: usize = 160;
    pub const GSO_SEGS: usize = 164;
    pub const GSO_SIZE: usize = 176;
    pub const SIZE: usize = 192;
}

/// What surrounds one packet.
///
/// Units: interface indices as the kernel's; jiffies; nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The interface whose hook runs.
    pub ifindex: u32,
    /// The interface by which the packet came to this node; 0 when it was made here.
    pub ingress_ifindex: u32,
    /// What `bpf_jiffies64` answers.
    pub now_jiffies: u64,
    /// What `bpf_ktime_get_ns` answers.
    pub now_ns: u64,
    /// The VLAN tag that was taken out of the frame, if any.
    pub vlan_tci: Option<u16>,
    /// The EtherType as the kernel noted it; `None` takes it from the frame.
    pub ether_type: Option<u16>,
    /// How many packets a GSO packet stands for; 0 for a plain one.
    pub gso_segs: u32,
    /// How many bytes lie in linear data; `None` for all.
    pub linear: Option<usize>,
    /// The processor.
    pub processor: u32,
    /// The start of what `bpf_get_prandom_u32` answers.
    pub random: u64,
    /// How many instructions may run.
    pub budget: u64,
}

impl Default for Context {
    /// Interface 0, time 0, a plain linear packet, a million instructions (the kernel's own limit on what it verifies).
    fn default() -> Context {
        Context {
            ifindex: 0,
            ingress_ifindex: 0,
            now_jiffies: 0,
            now_ns: 0,
            vlan_tci: None,
            ether_type: None,
            gso_segs: 0,
            linear: None,
            processor: 0,
            random: 1,
            budget: 1_000_000,
        }
    }
}

impl Context {
    /// The bytes of `struct __sk_buff`, except for the packet pointers.
    #[inline]
    pub(crate) fn skb(&self, packet: &[u8], little_endian: bool) -> [u8; skb::SIZE] {
        let mut bytes = [0; skb::SIZE];
        let in_frame = packet.get(12..14).map_or(0, |raw| u16::from_be_bytes([raw[0], raw[1]]));
        // The kernel shows the 16 bits as they stand in the packet, widened.
        let network = |value: u16| u32::from(if little_endian { value.swap_bytes() } else { value });
        for (at, value) in [
            (skb::LEN, packet.len() as u32),
            (skb::PROTOCOL, network(self.ether_type.unwrap_or(in_frame))),
            (skb::VLAN_PRESENT, u32::from(self.vlan_tci.is_some())),
            (skb::VLAN_TCI, u32::from(self.vlan_tci.unwrap_or(0))),
            (skb::VLAN_PROTO, self.vlan_tci.map_or(0, |_| network(0x8100))),
            (skb::INGRESS_IFINDEX, self.ingress_ifindex),
            (skb::IFINDEX, self.ifindex),
            (skb::WIRE_LEN, packet.len() as u32),
            (skb::GSO_SEGS, self.gso_segs),
        ] {
            let raw = if little_endian { value.to_le_bytes() } else { value.to_be_bytes() };
            if let Some(field) = bytes[at..].first_chunk_mut() {
                *field = raw;
            }
        }
        bytes
    }
}
