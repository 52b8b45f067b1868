//! Selectors of the agent, and the scope that it gives them on import.

use facts::read::At;
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::{Operator, PeerSelector, Requirement, Selector, Source};

use super::Scope;
use crate::context::Context;
use crate::problem::{ProblemKind, Stage};
use crate::selector::{conditions, sourced};

/// The requirements as written, with their sources.
pub(super) fn requirements(at: &At<'_>, ctx: &mut Context<'_>) -> Vec<Requirement> {
    let found: Vec<Requirement> = conditions(at, Stage::Sanitize, ctx).into_iter().map(sourced).collect();
    let labels = at.get("matchLabels").map(|it| it.entries()).unwrap_or_default();
    for (key, value) in labels {
        let reserved = key.starts_with("reserved:") || key.starts_with('$');
        if reserved && value.text().is_some_and(|text| !text.is_empty()) {
            ctx.reject(&value, Stage::Sanitize, ProblemKind::ReservedWithValue);
        }
    }
    found
}

/// The subjects of a rule: in a namespaced policy always those of its namespace.
pub(super) fn of_subjects(at: &At<'_>, scope: Scope, ctx: &mut Context<'_>) -> Selector {
    let found = requirements(at, ctx);
    if scope == Scope::Clusterwide {
        return Selector::new(found);
    }
    // Why: a value under exactly this key and source is replaced; under the key without source both conditions stay.
    let own = vec![ctx.object.namespace.clone()];
    let replaced = |it: &Requirement| it.key == NAMESPACE && it.source == Some(Source::K8s);
    if found.iter().any(|it| replaced(it) && it.operator != Operator::In(own.clone())) {
        ctx.keep(at, Stage::Sanitize, ProblemKind::NamespaceReplaced);
    }
    let kept = found.into_iter().filter(|it| !replaced(it));
    let own = Requirement::k8s(NAMESPACE, Operator::In(own));
    Selector::new(kept.chain([own]))
}

/// Endpoints as peers. A selector that names no namespace means the policy's own, or with a clusterwide policy any.
pub(super) fn of_peers(at: &At<'_>, scope: Scope, of_init: bool, ctx: &mut Context<'_>) -> PeerSelector {
    let mut selector = Selector::new(requirements(at, ctx));
    if selector.requirements().iter().any(|it| it.source == Some(Source::Reserved)) {
        return PeerSelector::Labels { selector, everywhere: true };
    }
    let is_k8s = |it: &Requirement| matches!(it.source, None | Some(Source::K8s));
    let names_labels = selector.requirements().iter().any(|it| is_k8s(it) && it.key.starts_with(NAMESPACE_LABELS));
    let names_namespace = selector.mentions(NAMESPACE);
    let scope = match scope {
        Scope::Namespaced if !names_namespace && !names_labels => {
            Some(Operator::In(vec![ctx.object.namespace.clone()]))
        }
        Scope::Clusterwide if !names_namespace && !of_init => Some(Operator::Exists),
        // Why: negative conditions alone would match world and nodes, which carry no namespace.
        _ if !ctx.dialect.negative_selectors_match_world && !of_init => Some(Operator::Exists),
        _ => None,
    };
    selector = selector.and(scope.map(|operator| Requirement::k8s(NAMESPACE, operator)));
    PeerSelector::Labels { selector, everywhere: false }
}
