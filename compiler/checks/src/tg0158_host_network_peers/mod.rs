//! A peer all of whose pods share their node's network.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{counted, quoted};

pub const PAGE: Page = page!(158, "host-network-peers", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for written in spot.selectors().iter().filter(|it| !it.is_subject) {
        let mut pods = finder.matching(written.selector).peekable();
        let Some(first) = pods.peek().map(|it| quoted(&it.pod.name.to_string())) else { continue };
        let (mut all, mut count) = (true, 0);
        pods.for_each(|it| (all, count) = (all && it.pod.host_network, count + 1));
        if !all {
            continue;
        }
        let headline = match count {
            1 => "the one pod that is this peer uses the network of its node, and so is no peer".to_owned(),
            count => format!("all {} that are this peer use the network of their node, and so are no peers", counted(count, "pod")),
        };
        let said = spot.say(&PAGE, headline, spot.key(&written.path), format!("such as {first}"));
        found.push(
            said.why(
                "a pod with `hostNetwork: true` has its node's address and identity: to other pods it is a node, and no selector of pods means it, \
                 so an allow lets nobody through and a deny keeps nobody out",
            )
            .help(
                "name the nodes: their addresses in an `ipBlock`, or the entities `host` and `remote-node`; or take `hostNetwork` away",
            ),
        );
    }
    found
}
