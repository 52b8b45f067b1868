use facts::read::At;
use flow::{Direction, Prefix, Protocol};
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::{
    Effect, Entry, Isolation, L3, L4, Matching, Operator, Peer, PeerSelector, PortItem, Ports, Requirement, Section,
    Selector, Subjects, Tier,
};
use syntax::Value;

use crate::context::Context;
use crate::schema::format::sloppy_cidr;
use crate::selector::built_in_conditions;

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
        section.subjects = Subjects::Endpoints(Selector::new([own]).and(of_pods(&at)));
    }
    for direction in Direction::BOTH {
        let (field, _) = fields(direction);
        let rules: Vec<Entry> = spec.list(field).map(|at| rule(&at, direction, ctx)).collect();
        if affects(&spec, direction, !rules.is_empty(), ctx) {
            let path = spec.get(field).or(spec.get("policyTypes")).map_or("spec".to_owned(), |at| at.path());
            *isolation(&mut section, direction) = Isolation::Isolates(path);
            section.entries.extend(rules);
        }
    }
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

fn rule(at: &At<'_>, direction: Direction, ctx: &mut Context<'_>) -> Entry {
    let (_, peers_field) = fields(direction);
    let peers: Vec<At<'_>> = at.list(peers_field).collect();
    let l3 = match peers.is_empty() {
        true => L3::Unrestricted,
        false => {
            let mut found = Vec::new();
            for at in &peers {
                found.extend(peer(at, ctx).map(|selector| Peer { selector, path: at.path() }));
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
            let items = ports.iter().filter_map(|at| Some(PortItem { ports: port(at)?, path: at.path() }));
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
        path: at.path(),
    }
}

/// Requirements on a pod's own labels.
fn of_pods(at: &At<'_>) -> Vec<Requirement> {
    built_in_conditions(at).into_iter().map(|it| Requirement::k8s(it.key, it.operator)).collect()
}

/// Requirements on the labels of a pod's namespace.
fn of_namespaces(at: &At<'_>) -> Vec<Requirement> {
    let key = |key: String| format!("{NAMESPACE_LABELS}{key}");
    built_in_conditions(at).into_iter().map(|it| Requirement::k8s(key(it.key), it.operator)).collect()
}

fn peer(at: &At<'_>, ctx: &mut Context<'_>) -> Option<PeerSelector> {
    let (pods, namespaces, block) = (at.get("podSelector"), at.get("namespaceSelector"), at.get("ipBlock"));
    if let Some(block) = block {
        return ip_block(&block, ctx);
    }
    if pods.is_none() && namespaces.is_none() {
        return None;
    }
    // Why: only pods carry a namespace, so this keeps world and nodes out, whatever negative conditions follow.
    let scope = match &namespaces {
        Some(_) => Operator::Exists,
        None => Operator::In(vec![ctx.object.namespace.clone()]),
    };
    let mut selector = Selector::new([Requirement::k8s(NAMESPACE, scope)]);
    if let Some(namespaces) = namespaces {
        selector = selector.and(of_namespaces(&namespaces));
    }
    if let Some(pods) = pods {
        selector = selector.and(of_pods(&pods));
    }
    Some(PeerSelector::Labels { selector, everywhere: false })
}

/// The pods of the own namespace, which upstream's bug Q1 adds to an ingress `ipBlock`.
fn stray_peer(at: &At<'_>, ctx: &Context<'_>) -> Option<Peer> {
    let own = Operator::In(vec![ctx.object.namespace.clone()]);
    let selector = Selector::new([Requirement::k8s(NAMESPACE, own)]);
    let peer = Peer { selector: PeerSelector::Labels { selector, everywhere: false }, path: at.path() };
    ctx.dialect.ip_block_admits_own_namespace.then_some(peer)
}

fn ip_block(at: &At<'_>, ctx: &Context<'_>) -> Option<PeerSelector> {
    let except = at.list("except").filter_map(|at| prefix(&at)).collect();
    let by_address = ctx.dialect.ip_block_matches_pods || ctx.dialect.ip_block_matches_nodes;
    let matching = if by_address { Matching::Address } else { Matching::Identity };
    Some(PeerSelector::Cidr { prefix: prefix(&at.get("cidr")?)?, except, matching })
}

/// A prefix as old parsers read it; what newer ones refuse has been said.
fn prefix(at: &At<'_>) -> Option<Prefix> {
    let (address, bits) = sloppy_cidr(at.text()?)?;
    Prefix::new(address, bits)
}

fn port(at: &At<'_>) -> Option<Ports> {
    let protocols = vec![Protocol::parse(at.text_of("protocol").unwrap_or("TCP"))?];
    let Some(port) = at.get("port") else { return Some(Ports::Range { protocols, low: 0, high: u16::MAX }) };
    match port.value() {
        Value::Str(name) => Some(Ports::Name { protocols, name: name.to_owned() }),
        Value::Int(number) => {
            let low = u16::try_from(number).ok()?;
            let high = at.get("endPort").map_or(Some(low), |end| u16::try_from(end.whole()?).ok())?;
            Some(Ports::Range { protocols, low, high: high.max(low) })
        }
        _ => None,
    }
}
