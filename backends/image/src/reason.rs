//! Why a packet was dropped.

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($number:literal $name:ident $text:literal $doc:literal,)*) => {
        /// Why a program dropped a packet. The number is what records and counters carry; it never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum DropReason {
            $(#[doc = $doc] $name = $number,)*
        }

        impl DropReason {
            /// Every reason, ascending by number.
            pub const ALL: &'static [DropReason] = &[$(DropReason::$name),*];

            /// The name that people see.
            pub fn name(self) -> &'static str {
                match self {
                    $(DropReason::$name => $text,)*
                }
            }
        }
    };
}

reasons! {
    1 Policy "policy" "The policy of the endpoint denies the flow, by a rule or by default.",
    2 NoProxy "no-proxy" "The policy redirects the flow to a listener that is not attached.",
    3 AuthRequired "auth-required" "The policy wants an authenticated session and there is none.",
    4 TrackingFull "tracking-full" "The connection could not be recorded.",
    5 InvalidSource "invalid-source" "The endpoint sent an address that is not its own.",
    6 UnknownProtocol "unknown-protocol" "The IP protocol is none that policies decide about.",
    7 UnknownEtherType "unknown-ethertype" "Neither IPv4, IPv6 nor ARP.",
    8 Vlan "vlan" "The frame carries a VLAN tag.",
    9 Truncated "truncated" "The headers end before they should.",
    10 Ipv6Headers "ipv6-headers" "More than eight extension headers, or one that may not be passed.",
    11 FragmentUnknown "fragment-unknown" "A later fragment whose first fragment was not seen.",
    12 FragmentShort "fragment-short" "A first fragment too short for its ports, or overlapping them.",
    13 IcmpFragment "icmp-fragment" "A fragmented ICMP message.",
    14 ForbiddenNeighbour "forbidden-neighbour" "ARP or neighbour discovery for an address that is not the endpoint's, a router advertisement or a redirect.",
    15 NoEndpoint "no-endpoint" "The interface belongs to no endpoint of this node.",
    16 MalformedHeader "malformed-header" "A header contradicts itself.",
    17 Encapsulation "encapsulation" "The endpoint sends into the tunnel of its node.",
}

impl DropReason {
    /// The reason with this number.
    pub fn from_number(number: u8) -> Option<DropReason> {
        DropReason::ALL.iter().copied().find(|reason| *reason as u8 == number)
    }
}
