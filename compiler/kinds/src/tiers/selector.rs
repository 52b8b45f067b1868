//! Selectors of namespaces and pods. Their syntax is checked by whoever enforces the policy, not by the API server.

use facts::read::At;
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::{Operator, Requirement, Selector};

use crate::context::Context;
use crate::problem::Stage;
use crate::selector::{Condition, conditions};

/// Pods by the labels of their namespace.
pub fn of_namespaces(at: &At<'_>, ctx: &mut Context<'_>) -> Selector {
    let key = |key: String| format!("{NAMESPACE_LABELS}{key}");
    let wanted = labels(at, ctx).into_iter().map(|it| Requirement::k8s(key(it.key), it.operator));
    // Why: only pods carry a namespace, so this keeps nodes and the world out, whatever negative conditions follow.
    Selector::new([Requirement::k8s(NAMESPACE, Operator::Exists)]).and(wanted)
}

/// Pods by the labels of their namespace and by their own; an absent part selects all.
pub fn of_pods(at: &At<'_>, ctx: &mut Context<'_>) -> Selector {
    let selector = match at.get("namespaceSelector") {
        Some(namespaces) => of_namespaces(&namespaces, ctx),
        None => Selector::new([Requirement::k8s(NAMESPACE, Operator::Exists)]),
    };
    let pods = at.get("podSelector").map(|it| labels(&it, ctx)).unwrap_or_default();
    selector.and(pods.into_iter().map(|it| Requirement::k8s(it.key, it.operator)))
}

/// The conditions of a selector.
pub fn labels(at: &At<'_>, ctx: &mut Context<'_>) -> Vec<Condition> {
    let before = ctx.problems.len();
    let found = conditions(at, Stage::KubernetesApi, ctx);
    for problem in &mut ctx.problems[before..] {
        problem.stage = Stage::Sanitize;
    }
    found
}
