//! Addresses and prefixes as the API server checks them in its own kinds.
//!
//! Source: KEP-4858. Since Kubernetes 1.36 what parsers disagree about is refused in new objects: leading zeros, IPv4 addresses in IPv6
//! form, bits beyond the length of a prefix. Before, the first two passed in silence and the last with a warning.

use std::net::IpAddr;

use facts::read::At;

use crate::context::Context;
use crate::problem::{Form, ProblemKind};
use crate::schema::format::{sloppy_address, sloppy_cidr};

/// Checks a prefix; the prefix without host bits, where old parsers read one.
pub(crate) fn prefix(at: &At<'_>, field: &str, ctx: &mut Context<'_>) -> Option<(IpAddr, u8)> {
    prefix_of(at, at.text().unwrap_or_default(), field, ctx)
}

/// Checks a prefix, around which blanks may stand.
pub(crate) fn prefix_with_blanks(at: &At<'_>, field: &str, ctx: &mut Context<'_>) {
    prefix_of(at, at.text().unwrap_or_default().trim(), field, ctx);
}

fn prefix_of(at: &At<'_>, text: &str, field: &str, ctx: &mut Context<'_>) -> Option<(IpAddr, u8)> {
    let Some((address, bits)) = sloppy_cidr(text) else {
        ctx.refuse(at, field, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Cidr });
        return None;
    };
    let masked = flow::Prefix::new(address, bits)?;
    let exact = text.split_once('/').is_some_and(|(_, tail)| tail.len() == 1 || !tail.starts_with('0'));
    if !exact || !is_plain(text.split('/').next().unwrap_or_default()) || masked.addr() != address {
        ctx.doubt(at, field, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::ExactCidr });
    }
    Some((masked.addr(), bits))
}

/// Checks an address; the address, where old parsers read one.
pub(crate) fn address(at: &At<'_>, field: &str, ctx: &mut Context<'_>) -> Option<IpAddr> {
    let text = at.text().unwrap_or_default();
    let Some(address) = sloppy_address(text) else {
        ctx.refuse(at, field, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Address });
        return None;
    };
    if !is_plain(text) {
        ctx.doubt(at, field, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Address });
    }
    Some(address)
}

/// Whether every parser reads an address alike.
fn is_plain(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(_)) => true,
        Ok(IpAddr::V6(address)) => address.to_ipv4_mapped().is_none(),
        Err(_) => false,
    }
}

/// Whether an address can only mean this machine or this link, so that no service can have it.
pub(crate) fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            it.is_unspecified() || it.is_loopback() || it.is_link_local() || it.octets()[..3] == [224, 0, 0]
        }
        IpAddr::V6(it) => {
            it.is_unspecified() || it.is_loopback() || it.is_unicast_link_local() || it.segments()[0] & 0xff0f == 0xff02
        }
    }
}
