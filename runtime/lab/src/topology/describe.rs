//! Words for a plan: what it will touch, and every line of it.

use std::fmt::Write as _;

use flow::Family;

use super::plan::{NamespacePlan, Plan, Route};

/// What will be touched, in a few lines.
pub(super) fn describe(plan: &Plan) -> String {
    let veths: usize = plan.namespaces.iter().map(|namespace| namespace.veths.len()).sum();
    let routes: usize = plan.namespaces.iter().map(|namespace| namespace.routes.len()).sum();
    let addresses: usize = plan.namespaces.iter().map(|namespace| namespace.addresses.len()).sum();
    format!(
        "lab {run} will make {namespaces} network namespaces under /run/netns, all named tg-{run}-*\n  \
         1 core, 1 world, {nodes}, {pods}\n\
         and inside them {veths} veth pairs, {addresses} addresses and {routes} routes.\n\
         The root namespace gets no link, address, route or setting; the interfaces of this host stay alone.\n\
         Programs are attached to the host ends inside the node namespaces only.\n",
        run = plan.run(),
        namespaces = plan.namespaces.len(),
        nodes = counted(plan.spec.nodes.len(), "node"),
        pods = counted(plan.spec.pods.len(), "pod"),
    )
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Every line of the plan but the settings, in the words of `ip`.
pub(super) fn listing(plan: &Plan) -> String {
    let mut text = String::new();
    for namespace in &plan.namespaces {
        // Writing to a `String` cannot fail, so results are dropped here.
        let _ = writeln!(text, "namespace {}", namespace.name);
        lines(&mut text, plan, namespace);
    }
    text
}

fn lines(text: &mut String, plan: &Plan, namespace: &NamespacePlan) {
    for veth in &namespace.veths {
        let peer = plan.namespaces.get(veth.peer).map_or("", |peer| &peer.name);
        let (index, name, mac, peer_mac) = (veth.ifindex, &veth.name, veth.mac, veth.peer_mac);
        let _ = writeln!(text, "  link {index} {name} {mac} peer eth0 {peer_mac} in {peer}");
    }
    for (ifindex, address) in &namespace.addresses {
        let _ = writeln!(text, "  address {address} dev {ifindex}");
    }
    for route in &namespace.routes {
        let _ = writeln!(text, "  route {}", route_text(route));
    }
    for neighbour in &namespace.neighbours {
        let _ = writeln!(text, "  neighbour {} {} dev {}", neighbour.address, neighbour.mac, neighbour.ifindex);
    }
}

fn route_text(route: &Route) -> String {
    let default = if route.family == Family::V4 { "0.0.0.0/0" } else { "::/0" };
    let mut text = route.to.map_or(default.to_string(), |to| to.to_string());
    if let Some(via) = route.via {
        let _ = write!(text, " via {via}");
    }
    let _ = write!(text, " dev {}", route.ifindex);
    if let Some(source) = route.source {
        let _ = write!(text, " src {source}");
    }
    text
}
