//! The peer list of a rule.

use facts::read::At;
use flow::{Direction, Prefix};
use hir::peers::canonical;
use hir::{Entity, L3, Matching, Peer, PeerSelector, Requirement, Selector, ServiceSelector, Which};

use super::entries::Rule;
use super::selector::{of_peers, requirements};
use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};
use facts::json::json;

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
            let selector = selector(rule, field, member, ctx);
            found.extend(selector.map(|selector| Peer { selector, path: member.path() }));
        }
    }
    found.shrink_to_fit();
    match (used, found.is_empty()) {
        (Some(_), false) => Some(L3::Any(found)),
        (Some(_), true) => Some(L3::Nobody),
        (None, _) => nobody.then_some(L3::Nobody),
    }
}

/// Reads one member; `None` when it is wrong.
fn selector(rule: Rule, field: &str, at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    match field {
        "fromEndpoints" | "toEndpoints" => Some(of_peers(at, rule.scope, rule.of_init, ctx)),
        "fromEntities" | "toEntities" => at.text().and_then(Entity::named).map(PeerSelector::Entity),
        "fromCIDR" | "toCIDR" => {
            let prefix = prefix(at, ctx);
            prefix.map(|prefix| PeerSelector::Cidr { prefix, except: Vec::new(), matching: Matching::Identity })
        }
        "fromCIDRSet" | "toCIDRSet" => cidr_rule(at, ctx),
        "fromNodes" | "toNodes" => Some(PeerSelector::Nodes(Selector::new(requirements(at, ctx)))),
        "toFQDNs" => name(at, ctx),
        "toServices" => service(at, ctx).map(PeerSelector::Services),
        _ => {
            // Why: only the cloud can say whom it means. Without an answer an allow selects nobody and a deny everybody.
            ctx.not_yet(at);
            Some(PeerSelector::CloudGroup(json(at)))
        }
    }
}

/// One service reference; the selector counts where both are given.
fn service(at: &At<'_>, ctx: &mut Context<'_>) -> Option<ServiceSelector> {
    let named = at.get("k8sService");
    let of = at.get("k8sServiceSelector").or(named.clone());
    let namespace = of.as_ref()?.text_of("namespace").filter(|it| !it.is_empty()).map(str::to_owned);
    let which = match at.get("k8sServiceSelector") {
        Some(labelled) => {
            let selector = labelled.get("selector").map(|it| requirements(&it, ctx)).unwrap_or_default();
            Which::Labelled(Selector::new(selector.into_iter().map(|it| Requirement { source: None, ..it })))
        }
        None => Which::Named(named?.text_or_empty("serviceName")),
    };
    Some(ServiceSelector { namespace, which })
}

fn prefix(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Prefix> {
    let text = at.text()?;
    let prefix = Prefix::parse(text);
    if prefix.is_none() {
        // Why: the schema's reader lets leading zeros pass, the agent's does not.
        ctx.reject(at, Stage::Sanitize, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Cidr });
    }
    prefix
}

fn cidr_rule(at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    let excepts: Vec<(At<'_>, Prefix)> =
        at.list("except").filter_map(|it| prefix(&it, ctx).map(|prefix| (it, prefix))).collect();
    let except = excepts.iter().map(|(_, prefix)| *prefix).collect();
    if let Some(block) = at.get("cidr") {
        let block = prefix(&block, ctx)?;
        for (at, inner) in &excepts {
            // Why: upstream looks at the address as it is written, host bits included.
            let written = at.text().and_then(|it| it.split('/').next()?.parse().ok());
            let wide = ctx.dialect.wide_except_accepted && written.is_some_and(|it| block.contains(it));
            let inside = block.covers(*inner) || wide;
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
    const OF: &[&str] = &["matchName", "matchPattern"];
    let (name, pattern) = (at.get(OF[0]), at.get(OF[1]));
    if name.is_some() && pattern.is_some() {
        ctx.reject(at, Stage::Sanitize, ProblemKind::NotExactlyOne { of: OF });
    }
    let text = name.or(pattern).map_or(Some(""), |field| field.text())?;
    let name = if text.is_empty() { String::new() } else { canonical(text) };
    Some(PeerSelector::Fqdn(name))
}
