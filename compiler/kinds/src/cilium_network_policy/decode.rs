use facts::read::At;
use flow::Direction;
use hir::{Isolation, Section, Selector, Subjects};

use super::entries::Rule;
use super::schema::{ENTITIES, UNPUBLISHED};
use super::selector::{of_subjects, requirements};
use crate::context::Context;
use crate::problem::{ProblemKind, Stage};

/// Whose policy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// CiliumNetworkPolicy: subjects and, by default, peers of its namespace.
    Namespaced,
    /// CiliumClusterwideNetworkPolicy.
    Clusterwide,
}

/// Reads `spec` and `specs` of a namespaced policy.
pub(crate) fn decode_namespaced(root: &At<'_>, ctx: &mut Context<'_>) -> Vec<Section> {
    decode(root, Scope::Namespaced, ctx)
}

/// Reads `spec` and `specs`.
pub(crate) fn decode(root: &At<'_>, scope: Scope, ctx: &mut Context<'_>) -> Vec<Section> {
    let rules: Vec<At<'_>> = root.get("spec").into_iter().chain(root.list("specs")).collect();
    rules.iter().map(|at| section(at, scope, ctx)).collect()
}

fn section(at: &At<'_>, scope: Scope, ctx: &mut Context<'_>) -> Section {
    let subjects = subjects(at, scope, ctx);
    let of_init = match &subjects {
        Subjects::Endpoints(selector) | Subjects::Nodes(selector) => {
            selector.requirements().iter().any(|it| it.source == Some(hir::Source::Reserved) && it.key == "init")
        }
    };
    let on_nodes = matches!(subjects, Subjects::Nodes(_));
    let mut section = Section {
        path: at.path(),
        subjects,
        ingress: isolation(at, Direction::Ingress),
        egress: isolation(at, Direction::Egress),
        requires: Vec::new(),
        entries: Vec::new(),
    };
    let mut any = false;
    for (field, direction, denies) in RULES {
        for member in at.list(field) {
            any = true;
            let rule = Rule { direction, denies, scope, of_init, on_nodes };
            rule.decode(&member, &mut section, ctx);
        }
    }
    if !any && RULES.iter().any(|(field, ..)| at.get(field).is_some()) {
        ctx.reject(at, Stage::Sanitize, ProblemKind::NoRules);
    }
    section
}

/// The lists of rules: field, direction, whether they deny.
const RULES: [(&str, Direction, bool); 4] = [
    ("ingress", Direction::Ingress, false),
    ("ingressDeny", Direction::Ingress, true),
    ("egress", Direction::Egress, false),
    ("egressDeny", Direction::Egress, true),
];

fn subjects(at: &At<'_>, scope: Scope, ctx: &mut Context<'_>) -> Subjects {
    match (at.get("endpointSelector"), at.get("nodeSelector")) {
        // Why: the schema has refused both, and neither.
        (Some(_), Some(_)) => Subjects::Nodes(Selector::default()),
        (Some(endpoints), None) => Subjects::Endpoints(of_subjects(&endpoints, scope, ctx)),
        (None, Some(nodes)) => {
            if scope == Scope::Namespaced {
                ctx.reject(&nodes, Stage::Sanitize, ProblemKind::NodeSelectorInNamespace);
            }
            Subjects::Nodes(Selector::new(requirements(&nodes, ctx)))
        }
        (None, None) => Subjects::Endpoints(Selector::default()),
    }
}

fn isolation(at: &At<'_>, wanted: Direction) -> Isolation {
    let lists = RULES.iter().filter(|(_, direction, _)| *direction == wanted);
    let first = lists.filter_map(|(field, _, _)| at.get(field)).find(|list| list.items().next().is_some());
    let explicit = at.get("enableDefaultDeny").and_then(|it| it.get(&wanted.to_string()));
    // Why: `true` in a direction without rules changes nothing; the agent looks at rules of the direction only.
    match (explicit.and_then(|it| it.flag()), first) {
        (_, None) => Isolation::Absent,
        (Some(false), Some(_)) => Isolation::Open,
        (Some(true) | None, Some(list)) => Isolation::Isolates(list.path()),
    }
}

/// What the newest API server refuses although the agent knows it: see [`UNPUBLISHED`].
pub(crate) fn published(root: &At<'_>, ctx: &mut Context<'_>) {
    if !ctx.newest {
        return;
    }
    let rules: Vec<At<'_>> = root.get("spec").into_iter().chain(root.list("specs")).collect();
    for (rule, (list, direction, _)) in rules.iter().flat_map(|rule| RULES.iter().map(move |list| (rule, list))) {
        let field = if *direction == Direction::Ingress { "fromEntities" } else { "toEntities" };
        for at in rule.list(list).flat_map(|member| member.list(field)) {
            if let Some(word) = at.text().filter(|word| UNPUBLISHED.contains(word)) {
                let kind = ProblemKind::NotOneOf { found: word.to_owned(), allowed: ENTITIES };
                ctx.reject(&at, Stage::Schema, kind);
            }
        }
    }
}
