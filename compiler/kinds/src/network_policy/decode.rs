use facts::read::At;
use flow::{Direction, Prefix, Protocol};
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::{
    Effect, Entry, Isolation, L3, L4, Matching, Operator, Peer, PeerSelector, PortItem, Ports, Requirement, Section,
    Selector, Subjects, Tier,
};
use syntax::Value;

use crate::context::Context;
use crate::problem::{Form, ProblemKind, Stage};
use crate::selector::conditions;

const API: Stage = Stage::KubernetesApi;

/// Reads `spec`; an absent one is an empty one.
pub(crate) fn decode(root: &At<'_>, ctx: &mut Context<'_>) -> Vec<Section> {
    let own = Requirement::k8s(NAMESPACE, Operator::In(vec![ctx.object.namespace.clone()]));
    let mut section = Section {
        path: "spec".to_owned(),
        subjects: Subjects::Endpoints(Selector::new([own.clone()])),
        ingress: Isolation::Absent,
        egress: Isolation::Absent,
        requires: Vec::new(),
        entries: Vec::new(),
    };
    let Some(spec) = root.get("spec") else {
        section.ingress = Isolation::Isolates("spec".to_owned());
        return vec![section];
    };
    if let Some(at) = spec.get("podSelector") {
        section.subjects = Subjects::Endpoints(Selector::new([own]).and(of_pods(&at, ctx)));
    }
    for direction in Direction::BOTH {
        let (field, _) = fields(direction);
        let rules: Vec<Entry> = spec.list(field).map(|at| rule(&at, direction, ctx)).collect();
        if affects(&spec, direction, !rules.is_empty(), ctx) {
            let path = spec.get(field).or(spec.get("policyTypes")).map_or("spec".to_owned(), |at| at.path);
            *isolation(&mut section, direction) = Isolation::Isolates(path);
            section.entries.extend(rules);
        }
    }
    check_types(&spec, ctx);
    vec![section]
}

fn fields(direction: Direction) -> (&'static str, &'static str) {
    match direction {
        Direction::Ingress => ("ingress", "from"),
        Direction::Egress => ("egress", "to"),
    }
}

fn isolation(section: &mut Section, direction: Direction) -> &mut Isolation {
    match direction {
        Direction::Ingress => &mut section.ingress,
        Direction::Egress => &mut section.egress,
    }
}

/// Whether the policy affects a direction: by `policyTypes`, by its default, or by the rules where the dialect says so.
fn affects(spec: &At<'_>, direction: Direction, has_rules: bool, ctx: &Context<'_>) -> bool {
    let types: Vec<&str> = spec.list("policyTypes").filter_map(|at| at.text()).collect();
    let name = match direction {
        Direction::Ingress => "Ingress",
        Direction::Egress => "Egress",
    };
    let by_default = types.is_empty() && (direction == Direction::Ingress || has_rules);
    by_default || types.contains(&name) || (has_rules && ctx.dialect.rules_extend_policy_types)
}

fn check_types(spec: &At<'_>, ctx: &mut Context<'_>) {
    let Some(types) = spec.get("policyTypes") else { return };
    let found = types.items().count();
    if found > 2 {
        ctx.reject(&types, API, ProblemKind::TooMany { found, limit: 2 });
    }
    for at in types.items() {
        let word = at.text().unwrap_or_default();
        if !["Ingress", "Egress"].contains(&word) {
            ctx.reject(&at, API, ProblemKind::NotOneOf { found: word.to_owned(), allowed: &["Ingress", "Egress"] });
        }
    }
}

fn rule(at: &At<'_>, direction: Direction, ctx: &mut Context<'_>) -> Entry {
    let (_, peers_field) = fields(direction);
    let peers: Vec<At<'_>> = at.list(peers_field).collect();
    let l3 = match peers.is_empty() {
        true => L3::Unrestricted,
        false => {
            let mut found = Vec::new();
            for at in &peers {
                found.extend(peer(at, ctx).map(|selector| Peer { selector, path: at.path.clone() }));
                if direction == Direction::Ingress && at.get("ipBlock").is_some() {
                    found.extend(stray_peer(at, ctx));
                }
            }
            L3::Any(found)
        }
    };
    let ports: Vec<At<'_>> = at.list("ports").collect();
    let l4 = match ports.is_empty() {
        true => L4::Unrestricted,
        false => {
            let items = ports.iter().filter_map(|at| Some(PortItem { ports: port(at, ctx)?, path: at.path.clone() }));
            L4::Items(items.collect())
        }
    };
    Entry {
        direction,
        tier: Tier::Normal,
        order: 0,
        effect: Effect::Allow,
        l3,
        l4,
        l7: None,
        auth: None,
        path: at.path.clone(),
    }
}

/// Requirements on a pod's own labels.
fn of_pods(at: &At<'_>, ctx: &mut Context<'_>) -> Vec<Requirement> {
    conditions(at, API, ctx).into_iter().map(|it| Requirement::k8s(it.key, it.operator)).collect()
}

/// Requirements on the labels of a pod's namespace.
fn of_namespaces(at: &At<'_>, ctx: &mut Context<'_>) -> Vec<Requirement> {
    let key = |key: String| format!("{NAMESPACE_LABELS}{key}");
    conditions(at, API, ctx).into_iter().map(|it| Requirement::k8s(key(it.key), it.operator)).collect()
}

fn peer(at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    let (pods, namespaces, block) = (at.get("podSelector"), at.get("namespaceSelector"), at.get("ipBlock"));
    if block.is_some() && (pods.is_some() || namespaces.is_some()) {
        ctx.reject(at, API, ProblemKind::BlockBesideSelector);
    }
    if let Some(block) = block {
        return ip_block(&block, ctx);
    }
    if pods.is_none() && namespaces.is_none() {
        ctx.reject(at, API, ProblemKind::EmptyPeer);
        return None;
    }
    // Why: only pods carry a namespace, so this keeps world and nodes out, whatever negative conditions follow.
    let scope = match &namespaces {
        Some(_) => Operator::Exists,
        None => Operator::In(vec![ctx.object.namespace.clone()]),
    };
    let mut selector = Selector::new([Requirement::k8s(NAMESPACE, scope)]);
    if let Some(namespaces) = namespaces {
        selector = selector.and(of_namespaces(&namespaces, ctx));
    }
    if let Some(pods) = pods {
        selector = selector.and(of_pods(&pods, ctx));
    }
    Some(PeerSelector::Labels { selector, everywhere: false })
}

/// The pods of the own namespace, which upstream's bug Q1 adds to an ingress `ipBlock`.
fn stray_peer(at: &At<'_>, ctx: &Context<'_>) -> Option<Peer> {
    let own = Operator::In(vec![ctx.object.namespace.clone()]);
    let selector = Selector::new([Requirement::k8s(NAMESPACE, own)]);
    let peer = Peer { selector: PeerSelector::Labels { selector, everywhere: false }, path: at.path.clone() };
    ctx.dialect.ip_block_admits_own_namespace.then_some(peer)
}

fn ip_block(at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    let Some(cidr) = at.get("cidr") else {
        ctx.reject(at, API, ProblemKind::Missing { name: "cidr" });
        return None;
    };
    let block = prefix(&cidr, ctx);
    let mut except = Vec::new();
    for at in at.list("except") {
        let Some(inner) = prefix(&at, ctx) else { continue };
        if let Some(block) = block.filter(|block| !(block.covers(inner) && inner != *block)) {
            ctx.reject(&at, API, ProblemKind::ExceptOutside { except: inner, block });
        }
        except.push(inner);
    }
    let by_address = ctx.dialect.ip_block_matches_pods || ctx.dialect.ip_block_matches_nodes;
    let matching = if by_address { Matching::Address } else { Matching::Identity };
    Some(PeerSelector::Cidr { prefix: block?, except, matching })
}

fn prefix(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Prefix> {
    let text = at.text()?;
    let prefix = Prefix::parse(text);
    if prefix.is_none() {
        ctx.reject(at, API, ProblemKind::BadForm { found: text.to_owned(), wanted: Form::Cidr });
    }
    prefix
}

fn port(at: &At<'_>, ctx: &mut Context<'_>) -> Option<Ports> {
    let protocol = match at.text_of("protocol") {
        None => Some(Protocol::TCP),
        Some("TCP") => Some(Protocol::TCP),
        Some("UDP") => Some(Protocol::UDP),
        Some("SCTP") => Some(Protocol::SCTP),
        Some(other) => {
            let kind = ProblemKind::NotOneOf { found: other.to_owned(), allowed: &["TCP", "UDP", "SCTP"] };
            ctx.reject(at, API, kind);
            None
        }
    };
    let end = at.get("endPort");
    let Some(port) = at.get("port") else {
        if let Some(end) = end {
            ctx.reject(&end, API, ProblemKind::EndPortWithoutPort);
        }
        return Some(Ports::Range { protocols: vec![protocol?], low: 0, high: u16::MAX });
    };
    match port.value() {
        Value::Str(name) => {
            if let Some(end) = end {
                ctx.reject(&end, API, ProblemKind::EndPortWithName);
            }
            if !is_port_name(name) {
                ctx.reject(&port, API, ProblemKind::BadForm { found: name.to_owned(), wanted: Form::PortName });
                return None;
            }
            Some(Ports::Name { protocols: vec![protocol?], name: name.to_owned() })
        }
        Value::Int(_) => {
            let low = number(&port, ctx);
            let high = end.as_ref().map_or(low, |end| number(end, ctx));
            if let (Some(low), Some(high), Some(end)) = (low, high, &end)
                && high < low
            {
                ctx.reject(end, API, ProblemKind::EndPortBelowPort);
            }
            Some(Ports::Range { protocols: vec![protocol?], low: low?, high: high? })
        }
        _ => None,
    }
}

fn number(at: &At<'_>, ctx: &mut Context<'_>) -> Option<u16> {
    let number = at.whole()?;
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    if port.is_none() {
        ctx.reject(at, API, ProblemKind::OutOfRange { found: number, least: 1, greatest: 65535 });
    }
    port
}

/// Whether a text is an IANA service name in lower case. Source: RFC 6335 section 5.1, as the API server applies it.
pub(crate) fn is_port_name(name: &str) -> bool {
    name.len() <= 15
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}
