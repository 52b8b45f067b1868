//! A policy all of whose subjects share their node's network.

use diag::Diagnostic;
use hir::Subjects;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{counted, quoted};

pub const PAGE: Page = page!(147, "host-network-subjects", Warning, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for written in spot.selectors().iter().filter(|it| it.is_subject) {
        let sections = spot.policy.iter().flat_map(|policy| &policy.sections);
        let of_pods = |it: &Subjects| matches!(it, Subjects::Endpoints(selector) if selector == written.selector);
        if !sections.into_iter().any(|section| of_pods(&section.subjects)) {
            continue;
        }
        let pods: Vec<_> = finder.own(written.selector).collect();
        if let (Some(first), true) = (pods.first(), pods.iter().all(|it| it.pod.host_network)) {
            let headline = match pods.len() {
                1 => "the one subject of the policy uses the network of its node".to_owned(),
                many => format!("all {} of the policy use the network of their node", counted(many, "subject")),
            };
            let name = quoted(&first.pod.name.to_string());
            let said = spot.say(&PAGE, headline, spot.key(&written.path), format!("such as {name}"));
            found.push(
                said.why("a pod with `hostNetwork: true` has its node's address and identity; policies for pods do not isolate it")
                    .help("take `hostNetwork` away where the pod does not need it, or protect the node with a host policy"),
            );
        }
    }
    found
}
