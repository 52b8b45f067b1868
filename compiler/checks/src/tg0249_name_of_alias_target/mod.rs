//! A rule by the name that a CNAME record leads to, and not by the one that pods ask for.

use std::collections::BTreeSet;

use diag::Diagnostic;
use facts::Cluster;
use hir::peers::name_matches;
use hir::{Effect, PeerSelector};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(249, "name-of-alias-target", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let cluster = &finder.cluster;
    if cluster.aliases.is_empty() {
        return Vec::new();
    }
    let peers = || spot.peers().filter(|(_, entry, _)| entry.effect == Effect::Allow);
    let patterns: Vec<(&str, &str)> = peers()
        .filter_map(|(_, _, peer)| match &peer.selector {
            PeerSelector::Fqdn(pattern) => Some((pattern.as_str(), peer.path.as_str())),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for (pattern, path) in &patterns {
        // Why: a name that was asked for itself has addresses of its own.
        if cluster.dns.keys().any(|name| name_matches(pattern, name)) {
            continue;
        }
        let allowed = |name: &str| patterns.iter().any(|(pattern, _)| name_matches(pattern, name));
        let alias = cluster.aliases.keys().find_map(|asked| Some((asked, target(cluster, asked, pattern)?)));
        if let Some((asked, target)) = alias.filter(|(asked, _)| !allowed(asked)) {
            found.push(render(spot, path, asked, target));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The name in a chain of CNAME records that a pattern means.
fn target<'c>(cluster: &'c Cluster, asked: &'c str, pattern: &str) -> Option<&'c str> {
    let (mut name, mut seen) = (asked, BTreeSet::new());
    // Why: records may lead in a circle.
    while seen.insert(name) {
        name = cluster.aliases.get(name)?;
        if name_matches(pattern, name) {
            return Some(name);
        }
    }
    None
}

fn render(spot: &Spot<'_>, path: &str, asked: &str, target: &str) -> Diagnostic {
    let field = ["matchName", "matchPattern"].map(|field| format!("{path}.{field}"));
    let written = field.into_iter().find(|path| spot.node(path).is_some());
    let place = written.unwrap_or_else(|| path.to_owned());
    let headline = format!("{} is only what {} is an alias of", quoted(target), quoted(asked));
    let said = spot.say(&PAGE, headline, spot.value(&place), "nobody asks for this name");
    let said = said
        .why(format!(
            "an agent keeps the addresses of an answer under the name that was asked for, here {}, whatever CNAME records stand between: \
             this rule gets none of them, and connections to them are dropped",
            quoted(asked)
        ))
        .help(format!("name {}, which pods ask for", quoted(asked)));
    let node = spot.node(&place).filter(|node| place.ends_with(".matchName") && spot.is_own_scalar(*node));
    match node {
        Some(node) => {
            let span = spot.tree().span(node);
            said.fix(replace(spot.text.id, span, asked, format!("write `{asked}`")))
        }
        None => said,
    }
}
