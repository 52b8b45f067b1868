//! A name as peer that the DNS rules of the same pods refuse.

use diag::Diagnostic;
use hir::peers::name_matches;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0160_fqdn_without_dns_rule::names;
use crate::words::{listed, quoted};

pub const PAGE: Page = page!(161, "dns-rule-leaves-name-out", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for section in spot.policy.iter().flat_map(|policy| &policy.sections) {
        let names = names(section);
        if names.is_empty() {
            continue;
        }
        let near = finder.others.near(&spot.object.object.namespace, &section.subjects);
        let mut allowed: Vec<&str> = near.flat_map(|brief| brief.dns.iter().map(String::as_str)).collect();
        allowed.sort_unstable();
        allowed.dedup();
        for (name, path) in names {
            if !allowed.is_empty() && !allowed.iter().any(|rule| may_meet(rule, name)) {
                found.push(render(spot, name, path, &allowed));
            }
        }
    }
    found
}

/// Whether a name may match both patterns: by a name made from either of them.
fn may_meet(one: &str, other: &str) -> bool {
    name_matches(one, &example(other)) || name_matches(other, &example(one))
}

/// A name that a pattern matches.
pub(crate) fn example(pattern: &str) -> String {
    let mut name = String::new();
    for c in pattern.chars() {
        if c != '*' {
            name.push(c);
        } else if !name.ends_with('a') || name.len() > 1 && !name.ends_with(".a") {
            name.push('a');
        }
    }
    name
}

fn render(spot: &Spot<'_>, name: &str, path: &str, allowed: &[&str]) -> Diagnostic {
    let headline = format!("no DNS rule lets {} be looked up", quoted(name));
    let field = ["matchName", "matchPattern"].into_iter().map(|field| format!("{path}.{field}"));
    let place = field.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| path.to_owned());
    let said = spot.say(&PAGE, headline, spot.value(&place), "refused by the DNS proxy");
    let said =
        said.why("queries for it are refused, so its addresses are never learned and the rule lets nothing through");
    let allowed = listed(allowed.iter().take(5).copied(), "and");
    said.help(format!("add it to the `dns` rules for these pods; they let through {allowed}"))
}
