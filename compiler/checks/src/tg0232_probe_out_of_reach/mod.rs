//! A probe that the own node of a pod cannot send.

mod probes;

use std::collections::BTreeSet;

use diag::Diagnostic;
use driver::Db;
use driver::meaning::slot;
use flow::{Direction, L4Key, Protocol};
use hir::labels::Source;
use hir::peers::HOST;
use hir::{Effect, Isolation, Operator, Requirement, Selector, Subjects};
use rules::Origin;

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Text;
use crate::surplus::{Index, Trial, place};
use crate::words::quoted;
use probes::{Probe, probes};

pub const PAGE: Page = page!(232, "probe-out-of-reach", Warning, "0.1.0", Correctness);

pub fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>) -> Vec<Diagnostic> {
    // Why: otherwise the own node reaches every pod.
    let closes = |entry: &hir::Entry| entry.direction == Direction::Ingress && entry.effect == Effect::Deny;
    let sections = || index.sections.iter().map(|it| it.section);
    let is_open = finder.cluster.config.own_node_reaches_pods && !sections().any(|it| it.entries.iter().any(closes));
    if is_open {
        return Vec::new();
    }
    let mut found = Vec::new();
    for file in crate::files(db) {
        let text = Text::new(db, file);
        if !text.tree.text().contains("Probe") {
            continue;
        }
        for spot in text.spots() {
            found.extend(probes(&spot).iter().filter_map(|probe| check(db, finder, index, &text, probe)));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn check(db: &dyn Db, finder: &Finder, index: &Index<'_>, text: &Text, probe: &Probe) -> Option<Diagnostic> {
    let candidate = finder.pods().find(|it| it.pod.name == probe.of && !it.pod.host_network)?;
    let own = candidate.labels.iter().filter(|label| label.source == Source::K8s);
    let own = own.map(|label| Requirement::k8s(label.key.clone(), Operator::In(vec![label.value.clone()])));
    let selector = Selector::new(own);
    let subjects = Subjects::Endpoints(selector.clone());
    let about = |at: &usize| {
        index.policies[*at].sections.iter().any(|section| {
            let closes = matches!(section.ingress, Isolation::Isolates(_))
                || section.entries.iter().any(|entry| entry.effect == Effect::Deny);
            closes && cover::may_share(&section.subjects, &subjects)
        })
    };
    let suspects: BTreeSet<usize> = (0..index.policies.len()).filter(about).collect();
    if suspects.is_empty() {
        return None;
    }
    let key = L4Key::new(Protocol::TCP, probe.port);
    let trial = Trial::new(index, &suspects, finder, &[&selector], |_| {});
    for (_, subjects, rules) in trial.classes().filter(|(class, ..)| class.labels == candidate.labels) {
        let rules = &rules[slot(Direction::Ingress)];
        let decision = oracle::decide(rules, HOST, key);
        if decision.verdict.is_allowed() {
            continue;
        }
        let flow = trial.flow(subjects.first()?, HOST, Direction::Ingress, key);
        let by: Vec<&Origin> = decision.by.iter().filter_map(|id| rules.origin(*id)).collect();
        let whom = by.first().map(|it| format!(" by {}", quoted(&it.object))).unwrap_or_default();
        let headline = format!("the {} of {} is dropped", probe.kind, quoted(&probe.of.to_string()));
        let mut said = PAGE.says(headline).blame(text.id, probe.span, "probed here by the kubelet");
        for (file, span) in by.iter().filter_map(|origin| place(db, origin)).take(2) {
            said = said.note(file, span, "closed here");
        }
        let why = format!("{flow}, is dropped{whom}: the kubelet of the pod's node takes the container for dead or not ready");
        return Some(said.why(why).help("allow the entity `host` on the port of the probe, or narrow what denies it"));
    }
    None
}
