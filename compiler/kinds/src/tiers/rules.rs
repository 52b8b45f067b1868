//! Rules: each is a level of its tier.

use std::sync::Arc;

use facts::read::At;
use flow::{Direction, Protocol};
use hir::labels::NAMESPACE;
use hir::{
    Effect, Entry, Isolation, L3, L4, L7, Operator, Parser, Peer, PeerSelector, PortItem, Ports, Requirement, Section,
    Selector, Subjects, Tier,
};
use request::{DnsRule, Requests, Rules};

use super::peers::{is_known, pattern, peers};
use super::selector::{of_namespaces, of_pods};
use crate::context::Context;
use crate::problem::{Consequence, Problem, ProblemKind, Stage};

/// How a kind writes its rules.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// The tier that its rules stand in.
    pub tier: Tier,
    /// The priority of the object.
    pub priority: u32,
    /// The field of a rule that holds its protocols or ports.
    pub items: &'static str,
    /// Reads a member of it; `None` when it is of a type that nobody here knows.
    pub item: Items,
}

/// Reads a member of `protocols` or `ports`.
pub(crate) type Items = fn(&At<'_>, &mut Context<'_>) -> Option<Ports>;

/// How many rules a priority has room for. Source: the most rules that any of the kinds may have.
const RULES: u32 = 100;

/// Reads `spec`.
pub(crate) fn decode(root: &At<'_>, reading: Reading, ctx: &mut Context<'_>) -> Vec<Section> {
    let Some(spec) = root.get("spec") else { return Vec::new() };
    let subject = spec.get("subject");
    let namespaces = subject.as_ref().and_then(|it| it.get("namespaces"));
    let selector = match (namespaces, subject.as_ref().and_then(|it| it.get("pods"))) {
        (Some(namespaces), _) => of_namespaces(&namespaces, ctx),
        (None, Some(pods)) => of_pods(&pods, ctx),
        // Why: without a subject the API server refuses the object, so nobody is selected.
        (None, None) => return Vec::new(),
    };
    let mut section = Section {
        path: "spec".to_owned(),
        subjects: Subjects::Endpoints(selector),
        ingress: Isolation::Absent,
        egress: Isolation::Absent,
        requires: Vec::new(),
        entries: Vec::new(),
    };
    for direction in Direction::BOTH {
        let field = match direction {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        };
        for (index, at) in spec.list(field).enumerate() {
            let order = reading.priority * RULES + (index as u32).min(RULES - 1);
            let rule = Rule { reading, direction, order };
            let has_rules = match direction {
                Direction::Ingress => &mut section.ingress,
                Direction::Egress => &mut section.egress,
            };
            *has_rules = Isolation::Open;
            section.entries.extend(rule.decode(&at, ctx));
        }
    }
    vec![section]
}

/// What is known about a rule before it is read.
#[derive(Clone, Copy)]
struct Rule {
    reading: Reading,
    direction: Direction,
    order: u32,
}

impl Rule {
    fn decode(self, at: &At<'_>, ctx: &mut Context<'_>) -> Vec<Entry> {
        let effect = match at.text_of("action") {
            Some("Deny") => Effect::Deny,
            Some("Pass") => Effect::Pass,
            _ => Effect::Allow,
        };
        let members: Vec<At<'_>> = at.list(self.peers_field()).collect();
        self.check_names(&members, effect, ctx);
        let unknown_peer = members.iter().filter(|it| !is_known(it)).map(|it| close(it, ctx)).count() > 0;
        let found: Vec<Peer> = members.iter().filter_map(|it| peers(it, ctx)).flatten().collect();
        let l4 = self.l4(at, ctx);
        // Why: what we do not know may be narrower or wider than all the rest. An Accept that might not be meant lets nothing through;
        // a Deny or a Pass might keep traffic from what follows, so that it is kept from everything.
        let closed = unknown_peer || l4.is_none();
        let (effect, l3, l4) = match (closed, effect) {
            (false, effect) => (effect, L3::Any(found), l4.unwrap_or(L4::Unrestricted)),
            (true, Effect::Allow) => (Effect::Allow, L3::Nobody, L4::Unrestricted),
            (true, Effect::Deny | Effect::Pass) => {
                let l3 = if unknown_peer { L3::Unrestricted } else { L3::Any(found) };
                (Effect::Deny, l3, l4.unwrap_or(L4::Unrestricted))
            }
        };
        let entry = |l3: L3, l4: L4, l7: Option<L7>| Entry {
            direction: self.direction,
            tier: self.reading.tier,
            order: self.order,
            effect,
            l3,
            l4,
            l7: l7.map(Arc::new),
            auth: None,
            path: at.path(),
        };
        let dns = dns_rules(&members, ctx).into_iter().filter(|_| effect == Effect::Allow && !closed);
        let dns = dns.map(|(l3, l4, l7)| entry(l3, l4, Some(l7)));
        std::iter::once(entry(l3, l4, None)).chain(dns).collect()
    }

    fn peers_field(self) -> &'static str {
        match self.direction {
            Direction::Ingress => "from",
            Direction::Egress => "to",
        }
    }

    /// Names say which addresses may be reached, never which may not: an address may have names that nobody asked for.
    fn check_names(self, members: &[At<'_>], effect: Effect, ctx: &mut Context<'_>) {
        for names in members.iter().filter_map(|it| it.get("domainNames")).filter(|_| effect != Effect::Allow) {
            ctx.reject(&names, Stage::Sanitize, ProblemKind::NamesInDeny);
        }
    }

    /// The protocols and ports; `None` when one of them is of a type that nobody here knows.
    fn l4(self, at: &At<'_>, ctx: &mut Context<'_>) -> Option<L4> {
        let members: Vec<At<'_>> = at.list(self.reading.items).collect();
        if members.is_empty() {
            return Some(L4::Unrestricted);
        }
        let mut known = Vec::new();
        let mut all_known = true;
        for member in &members {
            match (self.reading.item)(member, ctx) {
                Some(ports) => known.push(PortItem { ports, path: member.path() }),
                None => {
                    all_known = false;
                    close(member, ctx);
                }
            }
        }
        all_known.then_some(L4::Items(known))
    }
}

/// Notes that a peer or protocol is of a type that nobody here knows. The schema has refused it for having no known field; where it has
/// fields that a newer API may know, the object stands and the rule is closed instead.
fn close(at: &At<'_>, ctx: &mut Context<'_>) {
    let here = at.path();
    let below = |path: &str| path == here || path.strip_prefix(here.as_str()).is_some_and(|it| it.starts_with('.'));
    let unknown: Vec<(String, String)> = ctx.problems.iter().filter_map(of_unknown_field).collect();
    for problem in ctx.problems.iter_mut().filter(|it| below(&it.path)) {
        let here = unknown.iter().filter(|(holder, _)| *holder == problem.path);
        let names: Vec<String> = here.map(|(_, name)| name.clone()).collect();
        if matches!(problem.kind, ProblemKind::TooFewFields { .. }) && !names.is_empty() {
            problem.kind = ProblemKind::UnknownType { names };
            problem.consequence = Consequence::Closed;
        }
    }
}

/// Of an unknown field, the path of what holds it and its name.
fn of_unknown_field(problem: &Problem) -> Option<(String, String)> {
    let ProblemKind::UnknownField { name, .. } = &problem.kind else { return None };
    let plain = problem.path.strip_suffix(name.as_str()).and_then(|path| path.strip_suffix('.'));
    let holder = plain.or_else(|| problem.path.rfind("[\"").map(|at| &problem.path[..at]))?;
    Some((holder.to_owned(), name.clone()))
}

/// The DNS questions that a rule with domain names needs, where the dialect allows them by itself: those names, of the cluster's DNS.
fn dns_rules(members: &[At<'_>], ctx: &Context<'_>) -> Vec<(L3, L4, L7)> {
    let lists = members.iter().filter_map(|it| it.get("domainNames")).filter(|_| ctx.dialect.domain_names_allow_dns);
    lists.map(|names| dns_rule(&names)).collect()
}

fn dns_rule(names: &At<'_>) -> (L3, L4, L7) {
    let asked = names.items().map(|it| DnsRule { name: None, pattern: it.text().map(pattern) });
    let servers = Selector::new([
        Requirement::k8s(NAMESPACE, Operator::Exists),
        Requirement::k8s("k8s-app", Operator::In(vec!["kube-dns".to_owned()])),
    ]);
    let selector = PeerSelector::Labels { selector: servers, everywhere: false };
    let l3 = L3::Any(vec![Peer { selector, path: names.path() }]);
    let port = |name: &str| PortItem { ports: named(name), path: names.path() };
    let requests = Requests {
        server_names: Vec::new(),
        own: false,
        terminates: false,
        observes: false,
        rules: Rules::Dns(asked.collect()),
    };
    let l7 = L7 {
        parser: Parser::Dns,
        requests,
        path: names.path(),
        terminating: None,
        originating: None,
        priority: Parser::Dns.default_priority(),
    };
    (l3, L4::Items(vec![port("dns"), port("dns-tcp")]), l7)
}

/// The three transports that a named port may have.
const TRANSPORTS: [Protocol; 3] = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];

/// A container port by its name, of whatever transport the container declares.
pub(crate) fn named(name: &str) -> Ports {
    Ports::Name { protocols: TRANSPORTS.to_vec(), name: name.to_ascii_lowercase() }
}

/// A range of ports of one protocol; `None` for numbers that are no ports.
pub(crate) fn range(protocol: Protocol, low: i64, high: i64) -> Option<Ports> {
    let (low, high) = (u16::try_from(low).ok()?, u16::try_from(high).ok()?);
    Some(Ports::Range { protocols: vec![protocol], low, high })
}
