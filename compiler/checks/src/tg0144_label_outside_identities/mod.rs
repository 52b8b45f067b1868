//! A selector on a label that identities leave out.

use diag::Diagnostic;
use hir::{Operator, Requirement, Source};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::{Spot, Written};
use crate::tg0143_not_a_derived_label::advice;
use crate::words::quoted;

pub const PAGE: Page = page!(144, "label-outside-identities", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let cilium = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];
    if !spot.is_policy_of(&cilium) && finder.dialect.all_labels_selectable {
        return Vec::new();
    }
    let mut found = Vec::new();
    for written in
        spot.selectors().iter().filter(|it| !it.path.ends_with("nodeSelector") && !it.path.contains("Nodes["))
    {
        let of_pods = |it: &&Requirement| matches!(it.source, None | Some(Source::K8s));
        let outside = written
            .selector
            .requirements()
            .iter()
            .filter(of_pods)
            .filter(|it| !finder.filter.keeps(&Source::K8s, &it.key));
        found.extend(outside.filter(|it| advice(it).is_none()).map(|it| render(spot, written, it)));
    }
    found
}

fn render(spot: &Spot<'_>, written: &Written<'_>, requirement: &Requirement) -> Diagnostic {
    let (what, label) = match requirement.operator {
        Operator::In(_) | Operator::Exists => ("matches nobody", "never there"),
        Operator::NotIn(_) | Operator::DoesNotExist => ("leaves nobody out", "always absent"),
    };
    let headline = format!("a condition on {} {what} where Cilium enforces", quoted(&requirement.key));
    let said = spot.say(&PAGE, headline, spot.condition(&written.path, &requirement.key), label);
    said.why(
        "identities leave out labels that differ from pod to pod, and selectors see identities: to them no pod has this label",
    )
    .help("select by a label of your own, or add this one to the agent's `--labels` option if all agents can bear it")
}
