//! Checksums: RFC 1071 for all but SCTP, which has a CRC (RFC 9260, appendix A).

use super::octets6;
use std::net::IpAddr;

/// The Internet checksum of the parts, one behind the other. Only the last part may be of odd length.
pub(super) fn internet(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 = words.map(|word| u64::from(word[0]) << 8 | u64::from(word.get(1).copied().unwrap_or(0))).sum();
    let mut folded = sum;
    while folded >> 16 != 0 {
        folded = (folded & 0xffff) + (folded >> 16);
    }
    !(folded as u16)
}

/// Fills the checksum of a segment that is long enough to have one.
pub(super) fn fill(segment: &mut [u8], protocol: u8, source: IpAddr, destination: IpAddr) {
    let at = match protocol {
        6 => 16,
        17 => 6,
        1 | 58 => 2,
        132 if segment.len() >= 12 => {
            segment[8..12].fill(0);
            let crc = crc32c(segment);
            segment[8..12].copy_from_slice(&crc.to_le_bytes());
            return;
        }
        _ => return,
    };
    if segment.len() < at + 2 {
        return;
    }
    segment[at..at + 2].fill(0);
    let pseudo = if protocol == 1 { Vec::new() } else { pseudo_header(segment.len(), protocol, source, destination) };
    let sum = match internet(&[&pseudo, segment]) {
        // In UDP zero says that there is no checksum (RFC 768).
        0 if protocol == 17 => 0xffff,
        sum => sum,
    };
    segment[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

fn pseudo_header(len: usize, protocol: u8, source: IpAddr, destination: IpAddr) -> Vec<u8> {
    let mut bytes = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => [source.octets(), destination.octets()].concat(),
        (source, destination) => [octets6(source), octets6(destination)].concat(),
    };
    bytes.extend((len as u32).to_be_bytes());
    bytes.extend([0, 0, 0, protocol]);
    bytes
}

fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
    !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_documents() {
        // RFC 1071, section 3: the sum of these words is ddf2.
        assert_eq!(internet(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        // RFC 3720, appendix B.4: 32 bytes of zeroes, stored as aa 36 91 8a.
        assert_eq!(crc32c(&[0; 32]).to_le_bytes(), [0xaa, 0x36, 0x91, 0x8a]);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
