//! The peer list of a rule.

use facts::read::At;
use flow::{Direction, Prefix};
use hir::peers::canonical;
use hir::{Entity, L3, Matching, Peer, PeerSelector, Selector};

use super::entries::Rule;
use super::selector::{of_peers, requirements};
use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};

/// The peer lists of a direction, in the order in which they are looked at, and what an explicitly empty one means.
const LISTS: [(&str, &str, Empty); 8] = [
    ("fromEndpoints", "toEndpoints", Empty::Nobody),
    ("fromEntities", "toEntities", Empty::Nobody),
    ("fromCIDR", "toCIDR", Empty::Nobody),
    ("fromCIDRSet", "toCIDRSet", Empty::Nobody),
    ("fromNodes", "toNodes", Empty::Nobody),
    ("fromGroups", "toGroups", Empty::ByDialect),
    ("", "toServices", Empty::ByDialect),
    ("", "toFQDNs", Empty::ByDialect),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Nobody,
    ByDialect,
}

/// Reads the peers of a rule; `None` when it has no peer list.
pub(super) fn peers(rule: Rule, at: &At<'_>, ctx: &mut Context<'_>) -> Option<L3> {
    let name = |(from, to, _): &(&'static str, &'static str, Empty)| match rule.direction {
        Direction::Ingress => *from,
        Direction::Egress => *to,
    };
    let mut used: Option<&'static str> = None;
    let mut nobody = false;
    let mut closed = false;
    let mut found = Vec::new();
    for list in &LISTS {
        let field = name(list);
        let Some(members) = at.get(field).filter(|_| !field.is_empty()) else { continue };
        let members_of: Vec<At<'_>> = members.items().collect();
        if members_of.is_empty() {
            nobody |= list.2 == Empty::Nobody || !ctx.dialect.empty_lists_are_absent;
            continue;
        }
        match used {
            Some(first) => ctx.reject(&members, Stage::Sanitize, ProblemKind::CombinedPeers { first, second: field }),
            None => used = Some(field),
        }
        for member in &members_of {
            match selector(rule, field, member, ctx) {
                Read::Selects(selector) => found.push(Peer { selector, path: member.path.clone() }),
                Read::NotYet => closed = true,
                Read::Wrong => {}
            }
        }
    }
    if closed && rule.denies {
        // Why: a deny whose peers are not known must not let any of them through.
        return Some(L3::Unrestricted);
    }
    match (used, found.is_empty()) {
        (Some(_), false) => Some(L3::Any(found)),
        (Some(_), true) => Some(L3::Nobody),
        (None, _) => nobody.then_some(L3::Nobody),
    }
}

/// What came of one member.
enum Read {
    Selects(PeerSelector),
    NotYet,
    Wrong,
}

impl From<Option<PeerSelector>> for Read {
    fn from(selector: Option<PeerSelector>) -> Read {
        selector.map_or(Read::Wrong, Read::Selects)
    }
}

fn selector(rule: Rule, field: &str, at: &At<'_>, ctx: &mut Context<'_>) -> Read {
    match field {
        "fromEndpoints" | "toEndpoints" => Read::Selects(of_peers(at, rule.scope, rule.of_init, ctx)),
        "fromEntities" | "toEntities" => at.text().and_then(Entity::named).map(PeerSelector::Entity).into(),
        "fromCIDR" | "toCIDR" => {
            let prefix = prefix(at, ctx.dialect.bare_addresses_in_cidr, ctx);
            prefix.map(|prefix| PeerSelector::Cidr { prefix, except: Vec::new(), matching: Matching::Identity }).into()
        }
        "fromCIDRSet" | "toCIDRSet" => cidr_rule(at, ctx).into(),
        "toFQDNs" => name(at, ctx).into(),
        _ => {
            ctx.not_yet(at);
            Read::NotYet
        }
    }
}

fn prefix(at: &At<'_>, bare: bool, ctx: &mut Context<'_>) -> Option<Prefix> {
    let text = at.text()?;
    let prefix = Prefix::parse(text).or_else(|| text.parse().ok().filter(|_| bare).map(Prefix::host));
    if prefix.is_none() {
        ctx.reject(at, Stage::Schema, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Cidr });
    }
    prefix
}

fn cidr_rule(at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    const OF: &[&str] = &["cidr", "cidrGroupRef", "cidrGroupSelector"];
    let given: Vec<At<'_>> = OF.iter().filter_map(|name| at.get(name)).collect();
    if given.len() != 1 {
        ctx.reject(at, Stage::Sanitize, ProblemKind::NotExactlyOne { of: OF });
    }
    let excepts: Vec<(At<'_>, Prefix)> =
        at.list("except").filter_map(|it| prefix(&it, false, ctx).map(|prefix| (it, prefix))).collect();
    let except = excepts.iter().map(|(_, prefix)| *prefix).collect();
    if let Some(block) = at.get("cidr") {
        let block = prefix(&block, false, ctx)?;
        for (at, inner) in &excepts {
            let inside = block.covers(*inner) || (ctx.dialect.wide_except_accepted && block.contains(inner.addr()));
            if !inside {
                ctx.reject(at, Stage::Sanitize, ProblemKind::ExceptOutside { except: *inner, block });
            }
        }
        return Some(PeerSelector::Cidr { prefix: block, except, matching: Matching::Identity });
    }
    if let Some(name) = at.text_of("cidrGroupRef") {
        return Some(PeerSelector::CidrGroup { name: name.to_owned(), except });
    }
    let selector = Selector::new(requirements(&at.get("cidrGroupSelector")?, ctx));
    if selector.requirements().is_empty() && ctx.dialect.empty_group_selector_is_everybody {
        return Some(PeerSelector::Entity(Entity::All));
    }
    Some(PeerSelector::CidrGroups { selector, except })
}

fn name(at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    let (name, pattern) = (at.get("matchName"), at.get("matchPattern"));
    if let (Some(_), Some(pattern)) = (&name, &pattern) {
        ctx.reject(pattern, Stage::Schema, ProblemKind::NotExactlyOne { of: &["matchName", "matchPattern"] });
    }
    let (field, wanted, allowed) = match (name, pattern) {
        (Some(name), _) => (name, Form::DnsName, "-_."),
        (None, Some(pattern)) => (pattern, Form::DnsPattern, "-_.*"),
        (None, None) => return Some(PeerSelector::Fqdn(String::new())),
    };
    let text = field.text()?;
    let known = |c: char| c.is_ascii_alphanumeric() || allowed.contains(c);
    if text.len() > 255 || !text.trim().chars().all(known) {
        ctx.reject(&field, Stage::Schema, ProblemKind::BadForm { found: text.to_owned(), wanted });
    }
    Some(PeerSelector::Fqdn(canonical(text)))
}
