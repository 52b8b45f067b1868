//! A policy with egress rules only that isolates ingress, too.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::replace;

pub const PAGE: Page = page!(176, "ingress-isolated-unsaid", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let names_types = spot.items("spec.policyTypes").next().is_some();
    let has_egress = spot.items("spec.egress").next().is_some();
    if !spot.is_policy_of(&["NetworkPolicy"]) || names_types || !has_egress || spot.node("spec.ingress").is_some() {
        return Vec::new();
    }
    let Some(section) = spot.policy.as_ref().and_then(|policy| policy.sections.first()) else { return Vec::new() };
    let mut near = finder.others.near(&spot.object.object.namespace, &section.subjects);
    if near.any(|brief| brief.allows[0]) {
        return Vec::new();
    }
    let said = spot.say(
        &PAGE,
        "a policy of egress rules closes ingress, too",
        spot.key("spec.egress"),
        "no `policyTypes` beside it",
    );
    let said = said.why("without `policyTypes` every policy isolates ingress, and none allows any to these pods: nobody can connect to them");
    let said = said.help(
        "write `policyTypes: [Egress]` to leave ingress alone, or `[Ingress, Egress]` to say that both are meant",
    );
    let span = spot.key("spec.egress");
    let line = spot.tree().text().get(..span.start as usize).and_then(|before| before.rsplit('\n').next());
    let said = match line.filter(|line| line.trim().is_empty() && span.slice(spot.tree().text()) == "egress") {
        Some(indent) => {
            let text = format!("policyTypes: [Egress]\n{indent}egress");
            said.fix(replace(spot.text.id, span, text, "add `policyTypes: [Egress]`"))
        }
        None => said,
    };
    vec![said]
}
