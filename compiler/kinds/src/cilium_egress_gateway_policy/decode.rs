//! From the object to whose packets leave by which node.

use facts::read::At;
use flow::Prefix;
use hir::gateway::{Gateway, GatewayAddress, GatewayPolicy, GatewaySource};
use hir::labels::NAMESPACE_LABELS;
use hir::{Requirement, Selector};

use crate::context::Context;
use crate::problem::{ProblemKind, Stage};
use crate::selector::{Condition, conditions, sourced};

/// Reads a policy; what is refused there is noted. Source: Cilium's `pkg/egressgateway`, `ParseCEGP`.
pub(crate) fn decode(root: &At<'_>, ctx: &mut Context<'_>) -> GatewayPolicy {
    let spec = root.get("spec");
    let list = |name: &str| spec.iter().flat_map(|spec| spec.list(name)).collect::<Vec<_>>();
    let sources = list("selectors").iter().filter_map(|at| source(at, ctx)).collect();
    let destinations = list("destinationCIDRs").iter().filter_map(prefix).collect();
    let excluded = list("excludedCIDRs").iter().filter_map(prefix).collect();
    let several = list("egressGateways");
    // Why: the single gateway counts only where there is no list of them.
    let gateways = match several.is_empty() {
        true => spec.iter().filter_map(|spec| spec.get("egressGateway")).collect(),
        false => several,
    };
    let gateways = gateways.iter().map(|at| gateway(at, ctx)).collect();
    GatewayPolicy { object: ctx.object.clone(), sources, destinations, excluded, gateways }
}

/// Pods by their own labels and those of their namespace; one of both must be there.
fn source(at: &At<'_>, ctx: &mut Context<'_>) -> Option<GatewaySource> {
    const OF: &[&str] = &["namespaceSelector", "podSelector"];
    let (namespaces, pods) = (at.get("namespaceSelector"), at.get("podSelector"));
    if namespaces.is_none() && pods.is_none() {
        ctx.reject(at, Stage::Sanitize, ProblemKind::NoneOf { of: OF });
        return None;
    }
    let of_namespace = |it: Condition| Requirement::k8s(format!("{NAMESPACE_LABELS}{}", it.key), it.operator);
    let mut requirements = Vec::new();
    for at in namespaces.iter() {
        requirements.extend(conditions(at, Stage::Sanitize, ctx).into_iter().map(of_namespace));
    }
    for at in pods.iter() {
        requirements.extend(conditions(at, Stage::Sanitize, ctx).into_iter().map(sourced));
    }
    let nodes = at.get("nodeSelector").map(|nodes| selector(&nodes, ctx));
    Some(GatewaySource { pods: Selector::new(requirements), nodes, path: at.path() })
}

fn selector(at: &At<'_>, ctx: &mut Context<'_>) -> Selector {
    Selector::new(conditions(at, Stage::Sanitize, ctx).into_iter().map(sourced))
}

/// A malformed one has been said by the schema.
fn prefix(at: &At<'_>) -> Option<(Prefix, String)> {
    Some((Prefix::parse(at.text()?)?, at.path()))
}

fn gateway(at: &At<'_>, ctx: &mut Context<'_>) -> Gateway {
    let nodes = at.get("nodeSelector").map(|nodes| selector(&nodes, ctx)).unwrap_or_default();
    let (interface, address) = (at.text_or_empty("interface"), at.get("egressIP"));
    let fixed = address.as_ref().and_then(|it| it.text()).filter(|text| !text.is_empty());
    if fixed.is_some() && !interface.is_empty() {
        ctx.reject(at, Stage::Sanitize, ProblemKind::NotExactlyOne { of: &["interface", "egressIP"] });
    }
    let address = match fixed.and_then(|text| text.parse().ok()) {
        Some(address) => GatewayAddress::Fixed(address),
        None if interface.is_empty() => GatewayAddress::DefaultRoute,
        None => GatewayAddress::Interface(interface),
    };
    Gateway { nodes, address, path: at.path() }
}
