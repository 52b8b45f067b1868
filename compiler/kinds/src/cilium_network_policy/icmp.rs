//! `icmps` of a rule.

use facts::read::At;
use flow::Family;
use hir::{Icmp, L4, PortItem, Ports};
use syntax::Value;

use crate::context::Context;
use crate::problem::{ProblemKind, Stage};

/// Reads the types of all members; members without fields match nothing.
pub(super) fn icmp_items(members: &[At<'_>], ctx: &mut Context<'_>) -> L4 {
    let mut items = Vec::new();
    for field in members.iter().flat_map(|member| member.list("fields")) {
        let family = if field.text_of("family") == Some("IPv6") { Family::V6 } else { Family::V4 };
        let Some(written) = field.get("type") else { continue };
        let (kind, text) = match written.value() {
            Value::Int(number) => (u8::try_from(number).ok(), number.to_string()),
            Value::Str(text) => (named(family, text).or_else(|| text.parse().ok()), text.to_owned()),
            _ => continue,
        };
        match kind {
            Some(kind) => {
                let ports = Ports::Icmp(Icmp { family, kind: Some(kind) });
                items.push(PortItem { ports, path: field.path() });
            }
            None => ctx.reject(&written, Stage::Sanitize, ProblemKind::UnknownIcmpType { found: text }),
        }
    }
    L4::Items(items)
}

fn named(family: Family, name: &str) -> Option<u8> {
    let table = match family {
        Family::V4 => V4,
        Family::V6 => V6,
    };
    table.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Source: the table of names in Cilium's `pkg/policy/api/icmp.go`; numbers as IANA's.
const V4: &[(&str, u8)] = &[
    ("EchoReply", 0),
    ("DestinationUnreachable", 3),
    ("Redirect", 5),
    ("Echo", 8),
    ("EchoRequest", 8),
    ("RouterAdvertisement", 9),
    ("RouterSelection", 10),
    ("TimeExceeded", 11),
    ("ParameterProblem", 12),
    ("Timestamp", 13),
    ("TimestampReply", 14),
    ("Photuris", 40),
    ("ExtendedEchoRequest", 42),
    ("ExtendedEchoReply", 43),
];

/// As [`V4`], for ICMPv6.
const V6: &[(&str, u8)] = &[
    ("DestinationUnreachable", 1),
    ("PacketTooBig", 2),
    ("TimeExceeded", 3),
    ("ParameterProblem", 4),
    ("EchoRequest", 128),
    ("EchoReply", 129),
    ("MulticastListenerQuery", 130),
    ("MulticastListenerReport", 131),
    ("MulticastListenerDone", 132),
    ("RouterSolicitation", 133),
    ("RouterAdvertisement", 134),
    ("NeighborSolicitation", 135),
    ("NeighborAdvertisement", 136),
    ("RedirectMessage", 137),
    ("RouterRenumbering", 138),
    ("ICMPNodeInformationQuery", 139),
    ("ICMPNodeInformationResponse", 140),
    ("InverseNeighborDiscoverySolicitation", 141),
    ("InverseNeighborDiscoveryAdvertisement", 142),
    ("HomeAgentAddressDiscoveryRequest", 144),
    ("HomeAgentAddressDiscoveryReply", 145),
    ("MobilePrefixSolicitation", 146),
    ("MobilePrefixAdvertisement", 147),
    ("DuplicateAddressRequestCodeSuffix", 157),
    ("DuplicateAddressConfirmationCodeSuffix", 158),
    ("ExtendedEchoRequest", 160),
    ("ExtendedEchoReply", 161),
];
