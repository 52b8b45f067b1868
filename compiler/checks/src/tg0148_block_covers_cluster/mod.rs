//! An address block that holds addresses of the cluster itself.

use std::net::IpAddr;

use diag::{Diagnostic, Severity};
use flow::{Direction, Prefix};
use hir::{Matching, PeerSelector};

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(148, "block-covers-cluster", Warning, "0.1.0", Correctness);

/// Something of the cluster inside a block.
struct Inside {
    what: &'static str,
    example: String,
    help: &'static str,
}

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let kubernetes = spot.is_policy_of(&["NetworkPolicy"]);
    let mut found = Vec::new();
    for (_, entry, peer) in spot.peers() {
        let PeerSelector::Cidr { prefix, except, matching } = &peer.selector else { continue };
        // Why: a block of everything is how people say "outside".
        if prefix.len() == 0 {
            continue;
        }
        let by_identity = *matching == Matching::Identity;
        let inside = inside(finder, *prefix, except, entry.direction, kubernetes);
        let config = &finder.cluster.config;
        let missed = |it: &&Inside| match it.what {
            PODS => by_identity && !config.prefixes_match_pods,
            NODES => by_identity && !config.prefixes_match_nodes,
            _ => true,
        };
        let missed: Vec<&Inside> = inside.iter().filter(missed).collect();
        match (missed.first(), inside.first()) {
            // Why: a block that also holds pods means pods, and through services those.
            (Some(first), _) if by_identity || inside.len() == 1 => {
                found.push(render(spot, &peer.path, *prefix, first, &missed))
            }
            (_, Some(first)) => found.push(hint(spot, &peer.path, *prefix, first)),
            _ => {}
        }
    }
    found
}

const PODS: &str = "pods";
const NODES: &str = "nodes";
const SERVICES: &str = "services";

fn inside(finder: &Finder, prefix: Prefix, except: &[Prefix], direction: Direction, kubernetes: bool) -> Vec<Inside> {
    let addresses = finder.addresses();
    let first = |of: &[(IpAddr, String)]| addresses_within(of, prefix, except);
    let mut found = Vec::new();
    let range = finder.cluster.ranges().into_iter().find(|range| {
        let shared = if prefix.covers(*range) { *range } else { prefix };
        cover::meets(prefix, *range) && !cover::is_used_up(shared, except)
    });
    let range = range.map(|range| format!("the cluster's range {range}"));
    let pods = "select pods by their labels; blocks are for addresses outside the cluster";
    found.extend(first(&addresses.pods).or(range).map(|example| Inside { what: PODS, example, help: pods }));
    let nodes = match kubernetes {
        true => {
            "a NetworkPolicy has no word for nodes; in a CiliumNetworkPolicy they are the entities `host` and `remote-node`"
        }
        false => "nodes are the entities `host` and `remote-node`, and those of the API server `kube-apiserver`",
    };
    found.extend(first(&addresses.nodes).map(|example| Inside { what: NODES, example, help: nodes }));
    if direction == Direction::Egress {
        let help = "policies see the pods behind a service, after translation: select those by their labels";
        found.extend(first(&addresses.services).map(|example| Inside { what: SERVICES, example, help }));
    }
    found
}

/// The first of some addresses, ascending, inside a block.
fn addresses_within(of: &[(IpAddr, String)], prefix: Prefix, except: &[Prefix]) -> Option<String> {
    let start = of.partition_point(|(addr, _)| *addr < prefix.addr());
    let inside = of[start..].iter().take_while(|(addr, _)| prefix.contains(*addr));
    let mut kept = inside.filter(|(addr, _)| !except.iter().any(|out| out.contains(*addr)));
    kept.next().map(|(addr, name)| format!("{name} at {addr}"))
}

fn render(spot: &Spot<'_>, path: &str, prefix: Prefix, first: &Inside, all: &[&Inside]) -> Diagnostic {
    let what: Vec<&str> = all.iter().map(|it| it.what).collect();
    let what = match what.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    };
    let headline = format!("{} holds {what} of the cluster, and does not match them", quoted(&prefix.to_string()));
    let said = spot.say(&PAGE, headline, block(spot, path), format!("holds {}", first.example));
    let why = match first.what {
        SERVICES => "the address of a service is replaced by that of a pod before policy looks at it",
        _ => {
            "what is inside the cluster has an identity, and address blocks match only what has none: the rule does nothing \
              for these addresses"
        }
    };
    said.why(why).help(first.help)
}

fn hint(spot: &Spot<'_>, path: &str, prefix: Prefix, first: &Inside) -> Diagnostic {
    let headline = format!("{} holds {} of the cluster", quoted(&prefix.to_string()), first.what);
    let said = PAGE.says_as(Severity::Hint, headline);
    let said = spot.blame(said, block(spot, path), format!("holds {}", first.example));
    said.why(
        "addresses in a cluster are given out anew; and where Cilium enforces, a block never matches pods or nodes, so the \
         policy means less there",
    )
    .help(first.help)
}

/// Where a block is written.
pub(crate) fn block(spot: &Spot<'_>, path: &str) -> source::Span {
    let fields = [format!("{path}.ipBlock.cidr"), format!("{path}.cidr")];
    let written = fields.into_iter().find(|path| spot.node(path).is_some());
    spot.value(&written.unwrap_or_else(|| path.to_owned()))
}
