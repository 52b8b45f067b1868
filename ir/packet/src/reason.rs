//! Why a packet is dropped.

use std::fmt;

/// Why a packet is dropped, by the names that programs use too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The policy denies the flow.
    Policy,
    /// The endpoint sent an address that is not its own.
    InvalidSource,
    /// The IP protocol is none that policies decide about.
    UnknownProtocol,
    /// Neither IPv4, IPv6 nor ARP.
    UnknownEtherType,
    /// The frame carries a VLAN tag.
    Vlan,
    /// The headers end before they should.
    Truncated,
    /// More than eight extension headers, or one that may not be passed.
    Ipv6Headers,
    /// A later fragment whose first fragment was not seen.
    FragmentUnknown,
    /// A first fragment too short for its ports, or one that overlaps them.
    FragmentShort,
    /// A fragmented ICMP message.
    IcmpFragment,
    /// ARP or neighbour discovery for an address that is not the endpoint's, a router advertisement or a redirect.
    ForbiddenNeighbour,
    /// A header contradicts itself.
    MalformedHeader,
    /// The endpoint sends into the node's tunnel.
    Encapsulation,
}

impl Reason {
    /// The name that people see.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Policy => "policy",
            Reason::InvalidSource => "invalid-source",
            Reason::UnknownProtocol => "unknown-protocol",
            Reason::UnknownEtherType => "unknown-ethertype",
            Reason::Vlan => "vlan",
            Reason::Truncated => "truncated",
            Reason::Ipv6Headers => "ipv6-headers",
            Reason::FragmentUnknown => "fragment-unknown",
            Reason::FragmentShort => "fragment-short",
            Reason::IcmpFragment => "icmp-fragment",
            Reason::ForbiddenNeighbour => "forbidden-neighbour",
            Reason::MalformedHeader => "malformed-header",
            Reason::Encapsulation => "encapsulation",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
