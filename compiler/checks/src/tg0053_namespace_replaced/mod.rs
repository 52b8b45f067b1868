//! A namespace in a subject selector that is replaced by the policy's own.

use diag::Diagnostic;
use kinds::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(53, "namespace-replaced", Warning, "0.1.0", Correctness);

pub fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let namespace = quoted(&spot.object.object.namespace);
    let said =
        PAGE.says(format!("the namespace in {} is replaced by {namespace}, the policy's own", quoted(&problem.path)));
    let labels = spot.node(&format!("{}.matchLabels", problem.path));
    let written = labels.and_then(|labels| spot.tree().get(labels, "k8s:io.kubernetes.pod.namespace"));
    let span = written.map_or_else(|| spot.key(&problem.path), |entry| spot.tree().span(entry.value));
    let said = spot.blame(said, span, "replaced");
    said.why("a CiliumNetworkPolicy is about pods of its own namespace only, whatever its selector says")
        .help("take the label away, move the policy to that namespace, or write a CiliumClusterwideNetworkPolicy")
}
