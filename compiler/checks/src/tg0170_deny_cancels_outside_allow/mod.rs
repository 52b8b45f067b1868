//! A deny of the outside that takes back what the same policy allows there.

use diag::Diagnostic;
use flow::Direction;
use hir::{Effect, Entity, Entry, L3, L4, PeerSelector, PortItem, Ports, Section, Subjects, Tier};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0161_dns_rule_leaves_name_out::example;
use crate::words::quoted;

pub const PAGE: Page = page!(170, "deny-cancels-outside-allow", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let found = cancelled(spot, finder).into_iter().filter(|it| it.is_outside());
    found.map(|it| render(spot, finder, &it)).collect()
}

/// Peers of an allow that a deny of the same object takes back.
pub(crate) struct Cancelled<'s> {
    pub section: &'s Section,
    pub allow: &'s Entry,
    pub deny: &'s Entry,
    /// The first peer that is taken back; `None` where the rule names no peers.
    pub peer: Option<&'s hir::Peer>,
    /// Whether the deny takes back all that the rule allows.
    pub whole: bool,
}

impl Cancelled<'_> {
    pub fn is_outside(&self) -> bool {
        use PeerSelector::{Cidr, CidrGroup, CidrGroups, Fqdn};
        self.peer.is_some_and(|peer| match &peer.selector {
            Fqdn(_) | Cidr { .. } | CidrGroup { .. } | CidrGroups { .. } => true,
            PeerSelector::Entity(entity) => matches!(entity, Entity::World | Entity::WorldV4 | Entity::WorldV6),
            _ => false,
        })
    }
}

/// Every allow of an object, at most once, of which a deny of the same object takes peers back.
pub(crate) fn cancelled<'s>(spot: &'s Spot<'_>, finder: &Finder) -> Vec<Cancelled<'s>> {
    let sections = spot.policy.as_ref().map_or(&[][..], |policy| policy.sections.as_slice());
    let of = |effect: Effect| {
        let all = sections.iter().flat_map(|section| section.entries.iter().map(move |entry| (section, entry)));
        all.filter(move |(_, entry)| entry.effect == effect && entry.tier == Tier::Normal)
    };
    let denies: Vec<(&Section, &Entry)> = of(Effect::Deny).collect();
    let mut found: Vec<Cancelled<'s>> = Vec::new();
    for (section, allow) in of(Effect::Allow) {
        let beside = |it: &&(&Section, &Entry)| it.0.subjects == section.subjects && it.1.direction == allow.direction;
        for (_, deny) in denies.iter().filter(beside).filter(|(_, deny)| cover::l4(&deny.l4, &allow.l4)) {
            let wide = widened(&deny.l3, finder);
            let (peer, whole) = match &allow.l3 {
                L3::Any(peers) => {
                    let lost = |peer: &hir::Peer| cover::l3(&wide, &L3::Any(vec![peer.clone()]));
                    (peers.iter().find(|peer| lost(peer)), peers.iter().all(lost))
                }
                L3::Unrestricted => (None, cover::l3(&wide, &allow.l3)),
                L3::Nobody => (None, false),
            };
            if peer.is_some() || whole {
                found.push(Cancelled { section, allow, deny, peer, whole });
                break;
            }
        }
    }
    found
}

/// What a deny covers in this cluster: every address of the only family is the world.
fn widened(l3: &L3, finder: &Finder) -> L3 {
    let L3::Any(peers) = l3 else { return l3.clone() };
    let zero = |it: &hir::Peer| matches!(&it.selector, PeerSelector::Cidr { prefix, except, .. } if prefix.len() == 0 && except.is_empty());
    let families = peers.iter().filter(|it| zero(it)).count();
    let mut peers = peers.clone();
    if families > 1 || (families == 1 && !finder.addresses().both_families) {
        let path = peers.first().map_or(String::new(), |it| it.path.clone());
        peers.push(hir::Peer { selector: PeerSelector::Entity(Entity::World), path });
    }
    L3::Any(peers)
}

/// The rule that an entry comes from: `spec.egress[0]`.
pub(crate) fn rule(entry: &Entry) -> &str {
    entry.path.split(".toPorts[").next().unwrap_or_default()
}

/// A connection that both rules are about.
pub(crate) fn witness(finder: &Finder, it: &Cancelled<'_>) -> String {
    let subject = match &it.section.subjects {
        Subjects::Endpoints(selector) => match finder.own(selector).next() {
            Some(pod) => format!("pod {}", quoted(&pod.pod.name.to_string())),
            None => "any of its pods".to_owned(),
        },
        Subjects::Nodes(_) => "any of its nodes".to_owned(),
    };
    let other = match it.peer.map(|peer| &peer.selector) {
        Some(PeerSelector::Fqdn(pattern)) => quoted(&example(pattern)),
        Some(PeerSelector::Cidr { prefix, .. }) => quoted(&prefix.addr().to_string()),
        Some(PeerSelector::Entity(entity)) => {
            let name = Entity::ALL.iter().find(|(_, known)| known == entity).map_or("", |(name, _)| name);
            format!("a peer of {}", quoted(name))
        }
        Some(PeerSelector::Labels { selector, .. }) => match finder.matching(selector).next() {
            Some(pod) => format!("pod {}", quoted(&pod.pod.name.to_string())),
            None => "a pod that the rule names".to_owned(),
        },
        _ => "a peer that the rule names".to_owned(),
    };
    let port = match &it.allow.l4 {
        L4::Items(items) => items.first().map(port).unwrap_or_default(),
        L4::Unrestricted => String::new(),
    };
    let way = match it.allow.direction {
        Direction::Egress => format!("from {subject} to {other}"),
        Direction::Ingress => format!("from {other} to {subject}"),
    };
    format!("a connection {way}{port} is allowed by {} and denied by {}", quoted(rule(it.allow)), quoted(rule(it.deny)))
}

fn port(item: &PortItem) -> String {
    match &item.ports {
        Ports::Range { low, high, .. } if low == high => format!(", port {low},"),
        Ports::Name { name, .. } => format!(", port {},", quoted(name)),
        _ => String::new(),
    }
}

fn render(spot: &Spot<'_>, finder: &Finder, it: &Cancelled<'_>) -> Diagnostic {
    let what = match it.peer.map(|peer| &peer.selector) {
        Some(PeerSelector::Fqdn(name)) => format!("names such as {}", quoted(name)),
        Some(PeerSelector::Cidr { prefix, .. }) => quoted(&prefix.to_string()),
        _ => "the outside".to_owned(),
    };
    let headline = format!("{} denies what {} allows: {what}", quoted(rule(it.deny)), quoted(rule(it.allow)));
    let blamed = deny_place(it.deny);
    let said = spot.say(&PAGE, headline, spot.value(&blamed), "denied here, always");
    let said = said.note(
        spot.text.id,
        spot.value(it.peer.map_or(rule(it.allow), |peer| &peer.path)),
        "allowed here, without effect",
    );
    let said = said.why(format!("{}; a deny wins over every allow, however narrow", witness(finder, it)));
    said.help("delete the deny: what no rule allows is dropped already where a policy isolates the direction")
}

/// Where a deny is written: its only peer, or its rule.
pub(crate) fn deny_place(deny: &Entry) -> String {
    match &deny.l3 {
        L3::Any(peers) if peers.len() == 1 => peers[0].path.clone(),
        _ => rule(deny).to_owned(),
    }
}
