//! Whom a selector selects now, or why nobody.

use std::collections::BTreeMap;

use checks::Population;
use checks::suppress::Rules;
use driver::Database;
use hir::labels::LabelSet;
use hir::{Policy, Source};

use crate::diagnostics::diagnostics;
use crate::here::Here;
use crate::selectors::{self, Written, around, selected};

/// How many are named.
const SHOWN: usize = 10;

pub(super) fn said(db: &Database, here: &Here, policy: &Policy) -> Option<String> {
    let written = around(here, policy)?;
    if written.of_nodes {
        return Some(nodes(db, &written));
    }
    let population = Population::of(db);
    let (pods, workloads) = selected(&population, &written.selector);
    let count = selectors::count(pods.len(), workloads.len());
    if pods.is_empty() && workloads.is_empty() {
        return Some(nobody(db, here, &written));
    }
    let mut by_namespace: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for it in pods.iter().chain(&workloads).take(SHOWN) {
        let kind = it.made_by.map_or(String::new(), |kind| format!(" ({})", kind.name()));
        by_namespace.entry(&it.pod.name.namespace).or_default().push(format!("`{}`{kind}", it.pod.name.name));
    }
    let lines = by_namespace.iter().map(|(namespace, names)| format!("- {namespace}: {}", names.join(", ")));
    let mut out = format!("**selects {count} now**\n\n{}", lines.collect::<Vec<_>>().join("\n"));
    let left = (pods.len() + workloads.len()).saturating_sub(SHOWN);
    if left > 0 {
        out.push_str(&format!("\n- and {left} more"));
    }
    Some(out)
}

/// The nodes that a selector selects now. Of subjects it asks for labels of Kubernetes, of peers for those of nodes.
fn nodes(db: &Database, written: &Written) -> String {
    let source = if written.is_subject { Source::K8s } else { Source::Other("node".into()) };
    let cluster = driver::world::cluster(db);
    let is_selected = |node: &&facts::Node| {
        let mut labels = LabelSet::default();
        node.labels.iter().for_each(|(key, value)| labels.insert(source.clone(), key.as_str(), value.as_str()));
        written.selector.matches(&labels)
    };
    let found: Vec<String> =
        cluster.nodes.values().filter(is_selected).map(|node| format!("`{}`", node.name)).collect();
    let shown = found.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = found.len().saturating_sub(SHOWN);
    match (found.len(), more) {
        (0, _) => format!("**selects no node now**, of {} that are known", cluster.nodes.len()),
        (1, _) => format!("**selects 1 node now**: {shown}"),
        (many, 0) => format!("**selects {many} nodes now**: {shown}"),
        (many, more) => format!("**selects {many} nodes now**: {shown} and {more} more"),
    }
}

/// That nobody is selected, in the words of the finding that says why.
fn nobody(db: &Database, here: &Here, written: &Written) -> String {
    let node = here.tree.find(here.root, &written.path);
    let span = node.map(|node| here.tree.span(node)).unwrap_or_default();
    // TG0012, TG0141 and TG0145: nothing matches, nothing ever can, no such namespace.
    let codes = [12, 141, 145];
    let all = diagnostics(db, here.file, &Rules::default());
    let is_here =
        |it: &&diag::Diagnostic| codes.contains(&it.code.0) && it.place().is_some_and(|label| span.covers(label.span));
    let why = all.iter().find(is_here).map(|it| {
        let help = it.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("\n\n{}: {}{help}", it.code, it.headline)
    });
    format!("**selects no pod now**{}", why.unwrap_or_default())
}
