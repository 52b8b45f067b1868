//! A selector on a label that changes with every rollout or run.

use diag::Diagnostic;
use hir::{Operator, Requirement};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::{Spot, Written};
use crate::words::quoted;

pub const PAGE: Page = page!(146, "label-of-one-run", Warning, "0.1.0", Cost);

/// Labels that controllers make anew for each rollout or run.
const MADE: [&str; 4] =
    ["pod-template-hash", "controller-revision-hash", "controller-uid", "batch.kubernetes.io/controller-uid"];

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let cilium = !finder.dialect.all_labels_selectable
        || spot.is_policy_of(&["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]);
    let mut found = Vec::new();
    for written in spot.selectors() {
        for requirement in written.selector.requirements() {
            let Operator::In(values) = &requirement.operator else { continue };
            // Why: where identities leave the label out, another code says that it is never there.
            let made = MADE.contains(&requirement.key.as_str()) && !cilium;
            let drawn = values.iter().find(|value| is_drawn(value));
            if made || drawn.is_some() {
                found.push(render(spot, &written, requirement, drawn));
            }
        }
    }
    found
}

/// Whether a value looks drawn rather than chosen: a UUID, or 32 hexadecimal digits and more.
fn is_drawn(value: &str) -> bool {
    let hexadecimal = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    let groups: Vec<&str> = value.split('-').collect();
    let is_uuid =
        groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|it| hexadecimal(it));
    is_uuid || (value.len() >= 32 && hexadecimal(value))
}

fn render(spot: &Spot<'_>, written: &Written<'_>, requirement: &Requirement, drawn: Option<&String>) -> Diagnostic {
    let headline = match drawn {
        Some(value) => format!("{} looks drawn for one run", quoted(value)),
        None => format!("{} is new with every rollout", quoted(&requirement.key)),
    };
    let said = spot.say(&PAGE, headline, spot.condition(&written.path, &requirement.key), "changes");
    said.why(
        "after the next rollout the selector selects nobody; and each value of such a label that policies see is one more \
         identity for every node to hold",
    )
    .help("select by a label that you choose, such as `app.kubernetes.io/name`")
}
