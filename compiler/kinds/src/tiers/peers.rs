//! The members of `from` and `to`.

use facts::read::At;
use flow::Prefix;
use hir::peers::canonical;
use hir::{Matching, Peer, PeerSelector, Requirement, Selector, Source};

use super::selector::{labels, of_namespaces, of_pods};
use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};

/// Reads one member; `None` when it is of a type that nobody here knows.
pub fn peers(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Vec<Peer>> {
    let one = |selector: PeerSelector, at: &At<'_>| vec![Peer { selector, path: at.path() }];
    if let Some(namespaces) = at.get("namespaces") {
        let everywhere = ctx.dialect.namespace_peers_span_clusters;
        let selector = of_namespaces(&namespaces, ctx);
        return Some(one(PeerSelector::Labels { selector, everywhere }, at));
    }
    if let Some(pods) = at.get("pods") {
        let selector = of_pods(&pods, ctx);
        return Some(one(PeerSelector::Labels { selector, everywhere: false }, at));
    }
    if let Some(nodes) = at.get("nodes") {
        let selector = of_nodes(&nodes, ctx);
        return Some(match ctx.dialect.node_peers_include_own {
            true => one(PeerSelector::EveryNode(selector), at),
            false => one(PeerSelector::Nodes(selector), at),
        });
    }
    if let Some(networks) = at.get("networks") {
        return Some(networks.items().filter_map(|it| network(&it, ctx)).collect());
    }
    let names = at.get("domainNames")?;
    Some(names.items().filter_map(|it| name(&it)).collect())
}

/// Whether a member is of a type that is known here.
pub fn is_known(at: &At<'_>) -> bool {
    ["namespaces", "pods", "nodes", "networks", "domainNames"].iter().any(|name| at.get(name).is_some())
}

fn of_nodes(at: &At<'_>, ctx: &mut Context<'_>) -> Selector {
    let source = Some(Source::Other("node".to_owned()));
    let wanted = labels(at, ctx).into_iter();
    Selector::new(wanted.map(|it| Requirement { source: source.clone(), key: it.key, operator: it.operator }))
}

fn network(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Peer> {
    let text = at.text()?;
    let Some(prefix) = Prefix::parse(text) else {
        let kind = ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Cidr };
        ctx.reject(at, Stage::Sanitize, kind);
        return None;
    };
    let by_address = ctx.dialect.ip_block_matches_pods || ctx.dialect.ip_block_matches_nodes;
    let matching = if by_address { Matching::Address } else { Matching::Identity };
    let selector = PeerSelector::Cidr { prefix, except: Vec::new(), matching };
    Some(Peer { selector, path: at.path() })
}

fn name(at: &At<'_>) -> Option<Peer> {
    Some(Peer { selector: PeerSelector::Fqdn(pattern(at.text()?)), path: at.path() })
}

/// The name pattern of a domain name: here `*.` stands for one or more labels, which a pattern writes `**.`.
pub fn pattern(name: &str) -> String {
    let name = canonical(name);
    match name.strip_prefix("*.") {
        Some(rest) => format!("**.{rest}"),
        None => name,
    }
}
