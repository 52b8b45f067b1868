//! Says what one packet means to one endpoint, or to the node itself: slow, readable, and the judge of every program that does it fast.
//!
//! In: the bytes of a frame, the [`Endpoint`] whose interface it crosses, or the [`Host`], the state [`Track`], the time.
//! Out: an [`Outcome`], and the state after it.
//!
//! # Picture
//! ```text
//!  bytes ──parse──► Frame ──step──► Pass(because) │ Drop(reason)
//!                     ▲       │ ▲
//!            craft ───┘       │ └── decide(peer address, L4 key): the policy, asked at most once
//!            (for tests)      └──── Track: connections and first fragments
//! ```
//! # Does not know
//! Who a peer is, what a rule says, tables, instructions, clocks.
//! # Laws
//! The rules below, each with a test of its number in `tests/rules.rs`; no bytes make it panic (`tests/round_trip.rs`); what `craft`
//! builds, `parse` reads (`tests/round_trip.rs`).
//!
//! # The rules
//! They are tried in this order; the first that answers ends the matter.
//!
//! *Frames*
//! 1. A VLAN tag, beside the frame or in it, drops: `vlan`. Fewer than 14 bytes: `truncated`.
//! 2. ARP towards the endpoint passes. From it: fewer than 28 bytes is `truncated`, anything but Ethernet and IPv4 `malformed-header`,
//!    a sender that is not the endpoint's link-layer address (where that is known) and its IPv4 address or 0.0.0.0 (a probe, RFC 5227)
//!    `forbidden-neighbour`.
//! 3. Neither ARP nor IPv4 nor IPv6: `unknown-ethertype`.
//!
//! *Network header*
//!
//! 4. A header that is cut short, or a packet shorter than its header says: `truncated`. A wrong version, a header length below 20 or
//!    beyond the packet: `malformed-header`. Bytes after the packet's stated end are padding and are never read. Segments of more than
//!    65,535 bytes, which this machine made itself, state the length 0 and mean all there is.
//! 5. From the endpoint, the source is its own address, else `invalid-source`, whatever else is wrong with the packet. Neighbour
//!    discovery is exempt as rule 8 says.
//! 6. IPv6 extension headers hop-by-hop, routing, destination, authentication and fragment are walked, at most eight in all and one
//!    fragment header, else `ipv6-headers`. A routing header with segments left hides where the packet goes: `ipv6-headers`.
//! 7. A protocol other than TCP, UDP, SCTP and the family's ICMP drops: `unknown-protocol`.
//!
//! *Neighbour discovery* (ICMPv6 133 to 137, RFC 4861; not fragmented)
//!
//! 8. A hop limit other than 255 comes from beyond the link, and a code other than 0 means nothing: `forbidden-neighbour`. Towards the
//!    endpoint the rest passes. From it, advertisements of a router and redirects are `forbidden-neighbour`; the source is the endpoint's
//!    address, unspecified or link-local, else `invalid-source`; the target of a solicitation from the unspecified address (a probe,
//!    RFC 4862) and of an advertisement is the endpoint's or link-local, else `forbidden-neighbour`.
//!
//! *Fragments*
//!
//! 9. Any fragment of ICMP: `icmp-fragment`. An IPv6 packet with a fragment header that is whole is no fragment (RFC 6946).
//! 10. A first fragment holds 14 bytes of TCP, or 8 of UDP and SCTP, and a later one of TCP does not begin below byte 14:
//!     `fragment-short`. An unfragmented packet that is too short for them, or for the 8 of ICMP: `truncated`.
//! 11. A first fragment leaves its ports under (family, addresses, identification, protocol), whatever is decided about it. A later one
//!     takes them; where there are none: `fragment-unknown`.
//!
//! *ICMP*
//!
//! 12. IPv4 "fragmentation needed" (3/4) passes: path MTU discovery must not depend on policy.
//! 13. An error (IPv4 3, 11, 12; IPv6 1 to 4) passes as related when the packet inside it belongs to a live connection of the endpoint
//!     and was sent by whom the error goes to; when the endpoint sends the error, moreover, to the endpoint. Otherwise, and when that
//!     cannot be told (cut short, a later fragment, IPv6 extension headers), it is judged by type and code, and never tracked.
//! 14. An echo request and its reply are one connection: the asking side's port is the identifier, the other's is 0. A request is never
//!     an answer, and a reply never opens a connection: each is then judged by type and code and not tracked.
//! 15. All other messages are judged by type and code and never tracked.
//!
//! *Connections* (one per endpoint, protocol and unordered pair of address and port)
//!
//! 16. An entry that is older than its lifetime does not exist. Lifetimes, from the last packet: answered TCP 8000 s, unanswered TCP 60 s,
//!     TCP after a reset or after FIN from both sides 10 s, anything else 60 s.
//! 17. A TCP SYN without ACK on a connection that is closing opens a new one, from either side: rule 20.
//! 18. A packet from the side that did not open the connection is a reply and passes unasked. It marks the connection answered.
//! 19. A packet from the opener is judged, every time. Denied it drops and changes nothing.
//! 20. A packet without a connection is judged. Allowed, it opens one; denied, `policy`.
//! 21. FIN and RST of packets that pass are noted. Related packets are not packets of the connection.
//!
//! *The node itself* ([`step_host`]; the rules above hold with the node for the endpoint, except 1 to 3, 5 and 8 as said here)
//!
//! 22. A frame with a VLAN number other than 0 beside it belongs to another device and passes. The number 0 is a priority and no tag.
//! 23. Towards the node, a packet that is not for one of its addresses passes. From it, a packet that came in by an interface passes
//!     unless rule 26 says otherwise, and so does one that the node made under an address that is not its own. The addresses are read
//!     at their places before anything else is looked at. Every frame that is neither IPv4 nor IPv6, or too short for its addresses, is
//!     the node's own, unless it leaves and came in by an interface.
//! 24. ARP passes. Neighbour discovery passes if it has hop limit 255 and code 0, else `forbidden-neighbour`.
//! 25. An error from the node about a packet that was not for the address that the error comes from is about forwarded traffic: it passes.
//! 26. A packet that leaves under one of the node's addresses and came from an endpoint was translated on the node: it passes unasked,
//!     and its connection is the node's, so that its answers pass.
//!
//! *Audit mode*
//!
//! 27. Where the policy's denial is only to be seen, the packet passes and all else is as if the policy had allowed it. Nothing but a
//!     denial is passed so.
//!
//! *Settings of the node* ([`settings`]; both come before the rules about connections)
//!
//! 28. Where the fragments of a family are not followed, first ones leave nothing, and later ones have the ports 0: rules of all ports
//!     match them, and no others do. Instead of rule 11.
//! 29. UDP from the endpoint to the node's tunnel port at one of the node's addresses: `encapsulation`. What comes out of a tunnel is
//!     believed to be from where its outside says, so no endpoint may put anything in, policy or none.
//!
//! Source: RFC 791, 792, 826, 4443, 4861, 8200, 9293; `docs/dev/architecture.md`.
//! # Reading order
//! [`reason`], [`settings`], [`parse`], [`track`], [`step`](mod@step), [`host`], then [`craft`].

pub mod craft;
pub mod host;
pub mod parse;
pub mod reason;
pub mod settings;
pub mod step;
pub mod track;

pub use host::{Host, Origin, step_host};
pub use parse::{Body, Flags, Fragment, Frame, Packet, Refused, Tuple, parse};
pub use reason::Reason;
pub use settings::{Settings, Tunnel};
pub use step::{Because, Endpoint, Outcome, Ruling, Step, step};
pub use track::{Connection, Key, Lifetimes, Track};
