//! A probe that the own node of a pod cannot send.

mod probes;

use std::collections::{BTreeMap, BTreeSet};

use diag::Diagnostic;
use driver::Db;
use driver::meaning::slot;
use facts::{Name, Probe};
use flow::{Direction, L4Key, Protocol};
use hir::labels::{LabelSet, Source};
use hir::peers::HOST;
use hir::subject::Subject;
use hir::{Effect, Isolation, Operator, Requirement, Selector, Subjects};
use rules::{Origin, RuleSet};
use source::{FileId, Span};

use crate::find::{Candidate, Finder};
use crate::page::{Page, page};
use crate::surplus::{Index, Trial, place};
use crate::words::quoted;

pub const PAGE: Page = page!(232, "probe-out-of-reach", Warning, "0.1.0", Correctness);

/// Pods with probes, by their labels and names.
type Probed<'f> = BTreeMap<&'f LabelSet, BTreeMap<&'f Name, &'f Candidate>>;

/// A probe that is dropped.
struct Cut<'f> {
    of: &'f Name,
    probe: Probe,
    flow: String,
    by: Vec<Origin>,
}

pub fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>) -> Vec<Diagnostic> {
    // Why: otherwise the own node reaches every pod.
    if finder.cluster.config.own_node_reaches_pods && !index.whole.denies_ingress {
        return Vec::new();
    }
    let (suspects, probed) = suspects(finder, index);
    if suspects.is_empty() {
        return Vec::new();
    }
    // Why: pods that run are in the cluster already, what makes pods stands for those that it makes.
    let made = probed.iter().filter(|(_, pods)| pods.values().all(|it| it.pod.ips.is_empty()));
    let made: Vec<Selector> = made.map(|(labels, _)| exactly(labels)).collect();
    let trial = Trial::new(db, index, &suspects, finder, &made.iter().collect::<Vec<_>>(), None);
    let mut cuts = Vec::new();
    for (class, subjects, rules) in trial.classes() {
        let Some(pods) = probed.get(&class.labels) else { continue };
        let named: BTreeMap<&Name, &Subject> = subjects.iter().filter_map(|it| Some((name(it)?, it))).collect();
        for (name, candidate) in pods {
            // Why the first: who makes pods is no subject, and its pods are like these.
            let like = subjects.first().filter(|_| candidate.pod.ips.is_empty());
            let Some(subject) = named.get(name).copied().or(like) else { continue };
            cuts.extend(cut(&trial, candidate, subject, &rules[slot(Direction::Ingress)]));
        }
    }
    say(db, &cuts)
}

/// The policies that close something to pods with probes, and these pods.
fn suspects<'f>(finder: &'f Finder, index: &Index<'_>) -> (BTreeSet<usize>, Probed<'f>) {
    let (mut suspects, mut probed) = (BTreeSet::new(), Probed::new());
    for of in &index.sections {
        let closes = matches!(of.section.ingress, Isolation::Isolates(_))
            || of.section.entries.iter().any(|entry| entry.effect == Effect::Deny);
        let Subjects::Endpoints(selector) = &of.section.subjects else { continue };
        if !closes {
            continue;
        }
        for it in finder.own(selector).filter(|it| !it.pod.host_network && !it.pod.probes.is_empty()) {
            suspects.insert(of.policy);
            probed.entry(&it.labels).or_default().insert(&it.pod.name, it);
        }
    }
    (suspects, probed)
}

fn name(subject: &Subject) -> Option<&Name> {
    match subject {
        Subject::Pod(name) => Some(name),
        Subject::Node(_) | Subject::Health(_) | Subject::Ingress(_) => None,
    }
}

fn exactly(labels: &LabelSet) -> Selector {
    let own = labels.iter().filter(|label| label.source == Source::K8s);
    Selector::new(own.map(|label| Requirement::k8s(label.key.clone(), Operator::In(vec![label.value.clone()]))))
}

/// The probes of a pod that its class drops.
fn cut<'f>(trial: &Trial<'_, '_>, of: &'f Candidate, subject: &Subject, rules: &RuleSet) -> Vec<Cut<'f>> {
    let mut found = Vec::new();
    for probe in &of.pod.probes {
        let key = L4Key::new(Protocol::TCP, probe.port);
        let decision = oracle::decide(rules, HOST, key);
        if !decision.verdict.is_allowed() {
            let by = decision.by.iter().filter_map(|id| rules.origin(*id)).cloned().collect();
            let flow = trial.flow(subject, HOST, Direction::Ingress, key);
            found.push(Cut { of: &of.pod.name, probe: *probe, flow, by });
        }
    }
    found
}

/// One finding for each probe that a file writes; of those that no file does, one for each kind and rule.
fn say(db: &dyn Db, cuts: &[Cut<'_>]) -> Vec<Diagnostic> {
    let written = if cuts.is_empty() { BTreeMap::new() } else { probes::places(db) };
    let mut found = Vec::new();
    let mut unwritten: BTreeMap<(facts::ProbeKind, &[Origin]), Vec<&Cut<'_>>> = BTreeMap::new();
    for it in cuts {
        match written.get(&(it.of.clone(), it.probe)) {
            Some((file, span)) => {
                let said = PAGE.says(headline(it, 0)).blame(*file, *span, "probed here by the kubelet");
                found.push(closed(db, said, it));
            }
            None => unwritten.entry((it.probe.kind, &it.by)).or_default().push(it),
        }
    }
    for cuts in unwritten.values() {
        let others: BTreeSet<&Name> = cuts.iter().map(|it| it.of).collect();
        let Some((file, span)) = cuts[0].by.iter().find_map(|origin| place(db, origin)) else { continue };
        let said = PAGE.says(headline(cuts[0], others.len() - 1)).blame(file, span, "closed here");
        found.push(explained(said, cuts[0]));
    }
    found.sort();
    found.dedup();
    found
}

fn headline(it: &Cut<'_>, others: usize) -> String {
    let of = quoted(&it.of.to_string());
    let others = match others {
        0 => String::new(),
        1 => " and 1 more pod".to_owned(),
        others => format!(" and {others} more pods"),
    };
    format!("the {} of {of}{others} is dropped", it.probe.kind.name())
}

/// Marks what closes.
fn closed(db: &dyn Db, mut said: Diagnostic, it: &Cut<'_>) -> Diagnostic {
    let places: Vec<(FileId, Span)> = it.by.iter().filter_map(|origin| place(db, origin)).take(2).collect();
    for (file, span) in places {
        said = said.note(file, span, "closed here");
    }
    explained(said, it)
}

fn explained(said: Diagnostic, it: &Cut<'_>) -> Diagnostic {
    let whom = it.by.first().map(|it| format!(" by {}", quoted(&it.object))).unwrap_or_default();
    let flow = &it.flow;
    said.why(format!("{flow}, is dropped{whom}: the kubelet of the pod's node takes the container for dead or not ready"))
        .help("allow the entity `host` on the port of the probe, or narrow what denies it")
}
