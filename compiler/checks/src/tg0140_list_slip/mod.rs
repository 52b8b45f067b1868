//! Two peers in a list that read like one peer with a namespace and a pod selector.

use diag::{Diagnostic, Edit, Fix};
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::{L3, PeerSelector};
use source::Span;
use syntax::{ScalarStyle, Value};

use crate::find::{Finder, is_of_pods};
use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(140, "list-slip", Warning, "0.1.0", Security);

/// What a peer puts conditions on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Namespaces,
    Pods,
    Else,
}

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, entry) in spot.rules() {
        let L3::Any(peers) = &entry.l3 else { continue };
        let [first, second] = peers.as_slice() else { continue };
        let pods = match (about(spot, &first.path), about(spot, &second.path)) {
            (About::Namespaces, About::Pods) => second,
            (About::Pods, About::Namespaces) => first,
            _ => continue,
        };
        let PeerSelector::Labels { selector, .. } = &pods.selector else { continue };
        // Why: where the selector selects pods at home, both peers have a meaning of their own. Two selectors of one field are how a
        // Cilium policy says "either", so there it takes pods that both conditions fit together.
        let fits_home = finder.matching(selector).next().is_some();
        let fits_there = || {
            let conditions = selector.requirements().iter().filter(|it| is_of_pods(it)).cloned();
            let spaces = match &(if pods.path == first.path { second } else { first }).selector {
                PeerSelector::Labels { selector, .. } => selector,
                _ => return false,
            };
            finder.matching(&spaces.and(conditions)).next().is_some()
        };
        if !fits_home && (spot.is_policy_of(&["NetworkPolicy"]) || fits_there()) {
            found.push(render(spot, &first.path, &second.path, pods.path == first.path));
        }
    }
    found.dedup();
    found
}

fn about(spot: &Spot<'_>, path: &str) -> About {
    let full = |path: &str| matches!(spot.value_at(path), Some(Value::Mapping([_, ..])));
    let fields = |path: &str| spot.node(path).map_or(0, |node| spot.tree().entries(node).len());
    if fields(path) == 1 && full(&format!("{path}.namespaceSelector")) {
        return About::Namespaces;
    }
    if fields(path) == 1 && full(&format!("{path}.podSelector")) {
        return About::Pods;
    }
    let labels = spot.node(&format!("{path}.matchLabels"));
    let entries = labels.map(|labels| spot.tree().entries(labels)).unwrap_or_default();
    let mut keys: Vec<String> = entries.iter().map(|entry| spot.tree().key(entry.key).into_owned()).collect();
    let expressions = spot.items(&format!("{path}.matchExpressions"));
    keys.extend(expressions.filter_map(|path| spot.string(&format!("{path}.key")).map(str::to_owned)));
    let of_namespaces = |key: &String| {
        let key = key.strip_prefix("k8s:").or(key.strip_prefix("any:")).unwrap_or(key);
        key == NAMESPACE || key.starts_with(NAMESPACE_LABELS)
    };
    match keys.iter().filter(|key| of_namespaces(key)).count() {
        _ if keys.is_empty() || keys.iter().any(|key| key.starts_with("reserved:") || key.starts_with('$')) => {
            About::Else
        }
        0 => About::Pods,
        count if count == keys.len() => About::Namespaces,
        _ => About::Else,
    }
}

fn render(spot: &Spot<'_>, first: &str, second: &str, pods_first: bool) -> Diagnostic {
    let said = spot.say(
        &PAGE,
        "two peers in a list mean either of them, not both conditions together",
        spot.key(second),
        "a peer of its own",
    );
    let said = said.note(spot.text.id, spot.key(first), "another peer");
    let (namespaces, pods) = if pods_first { ("second", "first") } else { ("first", "second") };
    let said = said.why(format!(
        "the {namespaces} peer admits every pod of those namespaces; the {pods} one pods of the policy's own namespace only"
    ));
    let said = said.help(
        "to mean these pods of those namespaces, write both conditions under one `-`; to mean either, make two rules of \
         them, so that readers see it",
    );
    match dash(spot, first, second) {
        Some(span) => said.fix(Fix {
            title: "make one peer of the two".to_owned(),
            edits: vec![Edit { file: spot.text.id, span, replacement: " ".to_owned() }],
        }),
        None => said,
    }
}

/// The `-` before the second peer, where taking it away joins the two: block style, selectors of different names.
fn dash(spot: &Spot<'_>, first: &str, second: &str) -> Option<Span> {
    let tree = spot.tree();
    let (first, second) = (spot.node(first)?, spot.node(second)?);
    let is_block = |node| tree.style(node) == ScalarStyle::Block;
    let key = |node| tree.entries(node).first().map(|entry| tree.key(entry.key).into_owned());
    if !is_block(first) || !is_block(second) || key(first) == key(second) {
        return None;
    }
    let start = tree.span(second).start as usize;
    let before = tree.text().get(..start)?;
    let gap = before.trim_end_matches(' ');
    let at = gap.strip_suffix('-')?.len();
    Some(Span::new(at as u32, at as u32 + 1))
}
