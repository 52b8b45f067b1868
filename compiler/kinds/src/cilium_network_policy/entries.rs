//! One member of ingress, ingressDeny, egress or egressDeny to entries.

use std::sync::Arc;

use facts::read::At;
use flow::{Auth, Direction};
use hir::{Effect, Entry, L3, L4, Requires, Section, Tier};

use super::Scope;
use super::icmp::icmp_items;
use super::l7::l7;
use super::peers::peers;
use super::ports::port_items;
use super::sanitize;
use super::selector::of_peers;
use crate::context::Context;
use crate::problem::{ProblemKind, Stage};

/// What is known about a rule before it is read.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub direction: Direction,
    pub denies: bool,
    pub scope: Scope,
    pub of_init: bool,
    pub on_nodes: bool,
}

impl Rule {
    /// Adds the entries and requirements of one member to its section.
    pub fn decode(self, at: &At<'_>, section: &mut Section, ctx: &mut Context<'_>) {
        self.requires(at, section, ctx);
        let l3 = peers(self, at, ctx);
        let auth = at.get("authentication").and_then(|it| mode(&it));
        let ports: Vec<At<'_>> = at.list("toPorts").collect();
        let icmps: Vec<At<'_>> = at.list("icmps").collect();
        if let (Some(first), false) = (icmps.first(), ports.is_empty()) {
            ctx.reject(first, Stage::Sanitize, ProblemKind::IcmpBesidePorts);
        }
        let entry = |l4: L4, path: &str| Entry {
            direction: self.direction,
            tier: Tier::Normal,
            order: 0,
            effect: if self.denies { Effect::Deny } else { Effect::Allow },
            l3: l3.clone().unwrap_or(L3::Unrestricted),
            l4,
            l7: None,
            auth,
            path: path.to_owned(),
        };
        for element in &ports {
            sanitize::member(element, self.scope, ctx);
            let (l4, written) = port_items(self, element, ctx);
            let l7 = l7(self, element, &written, ctx).map(Arc::new);
            section.entries.push(Entry { l7, ..entry(l4, &element.path()) });
        }
        if !icmps.is_empty() {
            section.entries.push(entry(icmp_items(&icmps, ctx), &at.path()));
        }
        // Why: a rule without peers and without ports matches nothing here, unlike in a NetworkPolicy.
        if ports.is_empty() && icmps.is_empty() && l3.is_some() {
            section.entries.push(entry(L4::Unrestricted, &at.path()));
        }
    }

    fn requires(self, at: &At<'_>, section: &mut Section, ctx: &mut Context<'_>) {
        let field = match self.direction {
            Direction::Ingress => "fromRequires",
            Direction::Egress => "toRequires",
        };
        for member in at.list(field) {
            if let hir::PeerSelector::Labels { selector, .. } = of_peers(&member, self.scope, self.of_init, ctx) {
                section.requires.push(Requires {
                    direction: self.direction,
                    of_denies: self.denies,
                    selector,
                    path: member.path(),
                });
            }
        }
    }
}

fn mode(at: &At<'_>) -> Option<Auth> {
    match at.text_of("mode")? {
        "disabled" => Some(Auth::Disabled),
        "required" => Some(Auth::Required),
        "test-always-fail" => Some(Auth::AlwaysFail),
        _ => None,
    }
}
