//! Reads packet captures: pcap and pcapng, one packet after the other, in memory that does not grow with the file.

use super::flows;
use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Linktype, PcapBlockOwned, PcapError};
use replay::Time;
use std::io::{self, Read as _};

/// Bytes that are held of a file at first.
const HELD: usize = 1 << 16;
/// The largest block that is read; `tcpdump` keeps at most 256 KiB of a packet.
const LARGEST: usize = 16 << 20;
/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// One packet of a capture.
pub struct Captured {
    /// When it was seen; `None` where the file does not say.
    pub time: Option<Time>,
    /// The packet with an Ethernet header; what the recorder cut off is zero.
    pub frame: Vec<u8>,
    /// Bytes that were recorded, of the frame.
    pub kept: usize,
}

/// What a file says of one interface.
#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    /// Parts of a second that times count in.
    resolution: u64,
    /// Seconds to add.
    offset: i64,
}

/// A packet as it stands in a file.
struct Raw<'a> {
    interface: Interface,
    /// In parts of a second by the interface.
    ticks: Option<u64>,
    data: &'a [u8],
    length: usize,
}

/// Whether a file begins as a capture does.
pub fn begins(bytes: &[u8]) -> bool {
    let magics: [[u8; 4]; 5] = [
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ];
    bytes.first_chunk().is_some_and(|first| magics.contains(first))
}

/// Gives every packet of a capture to `each`, with its number from 1.
///
/// Errors: what is no capture, or breaks off; packets before the break have been given.
pub fn read(
    mut input: impl io::Read + Send,
    each: &mut dyn FnMut(u64, Captured) -> Result<(), String>,
) -> Result<(), String> {
    // Why: the reader tells formats apart by what one reading gives, and an unpacked stream may give little at first.
    let mut first = vec![0; 4096];
    let got = flows::fill(&mut input, &mut first).map_err(|error| error.to_string())?;
    first.truncate(got);
    let input = io::Cursor::new(first).chain(input);
    let mut reader = pcap_parser::create_reader(HELD, input).map_err(|error| worded(&error))?;
    let mut interfaces: Vec<Interface> = Vec::new();
    let (mut number, mut nanoseconds, mut exhausted) = (0u64, false, 0);
    loop {
        let size = match reader.next() {
            Ok((size, block)) => {
                exhausted = 0;
                if let PcapBlockOwned::LegacyHeader(header) = &block {
                    nanoseconds = header.is_nanosecond_precision();
                }
                if let Some(raw) = packet(&mut interfaces, nanoseconds, &block)? {
                    number += 1;
                    each(number, captured(&raw).map_err(|why| format!("packet {number}: {why}"))?)?;
                }
                size
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(error @ (PcapError::Incomplete(_) | PcapError::BufferTooSmall)) => {
                let grow = matches!(error, PcapError::BufferTooSmall);
                drop(error);
                exhausted += 1;
                // Why twice: the end of a file is known only after a reading that brought nothing.
                if exhausted > 2 && reader.reader_exhausted() {
                    return Err(format!("it breaks off after packet {number}"));
                }
                let held = reader.data().len().max(HELD);
                if (grow || exhausted > 2) && (held > LARGEST || !reader.grow(held * 2)) {
                    return Err(format!("the block after packet {number} is larger than {} MiB", LARGEST >> 20));
                }
                reader.refill().map_err(|error| worded(&error))?;
                continue;
            }
            Err(PcapError::UnexpectedEof) => return Err(format!("it breaks off after packet {number}")),
            Err(error) => return Err(format!("after packet {number}: {}", worded(&error))),
        };
        reader.consume(size);
    }
}

/// The packet of a block, where it is one; interfaces are noted.
fn packet<'a>(
    interfaces: &mut Vec<Interface>,
    nanoseconds: bool,
    block: &'a PcapBlockOwned<'a>,
) -> Result<Option<Raw<'a>>, String> {
    let resolution = if nanoseconds { SECOND } else { 1_000_000 };
    Ok(match block {
        PcapBlockOwned::LegacyHeader(header) => {
            interfaces.push(Interface { link: header.network, resolution, offset: 0 });
            None
        }
        PcapBlockOwned::Legacy(it) => {
            let interface = *interfaces.first().ok_or("it has no header")?;
            let ticks = Some(u64::from(it.ts_sec) * resolution + u64::from(it.ts_usec));
            Some(Raw { interface, ticks, data: it.data, length: it.origlen as usize })
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(it)) => {
            let resolution = it.ts_resolution().filter(|it| *it > 0).ok_or("an interface counts time in no unit")?;
            interfaces.push(Interface { link: it.linktype, resolution, offset: it.ts_offset() });
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(it)) => {
            let interface =
                *interfaces.get(it.if_id as usize).ok_or("a packet is of an interface that is not named")?;
            let ticks = Some(u64::from(it.ts_high) << 32 | u64::from(it.ts_low));
            Some(Raw { interface, ticks, data: it.packet_data(), length: it.origlen as usize })
        }
        PcapBlockOwned::NG(Block::SimplePacket(it)) => {
            let interface = *interfaces.first().ok_or("a packet is of an interface that is not named")?;
            let length = it.origlen as usize;
            Some(Raw { interface, ticks: None, data: &it.data[..it.data.len().min(length)], length })
        }
        PcapBlockOwned::NG(_) => None,
    })
}

fn captured(raw: &Raw<'_>) -> Result<Captured, String> {
    let (skip, ether_type) = header(raw.interface.link, raw.data)?;
    let data = raw.data.get(skip..).unwrap_or_default();
    let mut frame = Vec::with_capacity(14 + raw.length.min(LARGEST));
    if let Some(ether_type) = ether_type {
        frame.extend([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        frame.extend(ether_type);
    }
    let before = frame.len();
    frame.extend(data);
    let kept = frame.len();
    // A frame states at most 65,535 bytes beside its link-layer header.
    let whole = raw.length.saturating_sub(skip).min(0xffff + 14);
    frame.resize((before + whole).max(kept), 0);
    Ok(Captured { time: time(raw), frame, kept })
}

/// How many bytes stand before the packet that is kept, and what kind of packet it is where its Ethernet header is not kept.
///
/// Errors: link layers that are not read.
fn header(link: Linktype, data: &[u8]) -> Result<(usize, Option<[u8; 2]>), String> {
    let at = |from: usize| data.get(from..).and_then(|rest| rest.first_chunk::<2>().copied()).unwrap_or_default();
    let by_version = |from: usize| match data.get(from).map(|byte| byte >> 4) {
        Some(6) => [0x86, 0xdd],
        _ => [0x08, 0x00],
    };
    Ok(match link {
        Linktype::ETHERNET => (0, None),
        Linktype::RAW | Linktype(12) => (0, Some(by_version(0))),
        Linktype::IPV4 => (0, Some([0x08, 0x00])),
        Linktype::IPV6 => (0, Some([0x86, 0xdd])),
        Linktype::NULL | Linktype::LOOP => (4, Some(by_version(4))),
        Linktype::LINUX_SLL => (16, Some(at(14))),
        Linktype::LINUX_SLL2 => (20, Some(at(0))),
        other => {
            return Err(format!(
                "its link layer is number {}; Ethernet, raw IP, loopback and Linux \"cooked\" captures are read",
                other.0
            ));
        }
    })
}

fn time(raw: &Raw<'_>) -> Option<Time> {
    let Interface { resolution, offset, .. } = raw.interface;
    let ticks = raw.ticks?;
    let (seconds, rest) = (i64::try_from(ticks / resolution).ok()?, ticks % resolution);
    let nanoseconds = (u128::from(rest) * u128::from(SECOND) / u128::from(resolution)) as i64;
    seconds.checked_add(offset)?.checked_mul(SECOND as i64)?.checked_add(nanoseconds).map(Time)
}

fn worded(error: &PcapError<&[u8]>) -> String {
    match error {
        PcapError::Eof => "it is empty".into(),
        PcapError::HeaderNotRecognized => "it is neither pcap nor pcapng".into(),
        PcapError::Incomplete(_) | PcapError::UnexpectedEof => "it breaks off in its header".into(),
        PcapError::ReadError => "it cannot be read to its end; where it is packed, the packing is broken".into(),
        _ => "a block contradicts itself".into(),
    }
}
