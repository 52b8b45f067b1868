//! Words beside the text: how many a selector selects, which numbers a named port has.

use std::collections::BTreeSet;

use checks::Population;
use driver::text::{self, Role};
use driver::{Database, SourceFile};
use hir::{L4, Policy, Ports};
use source::Span;
use syntax::{NodeId, Tree};

use crate::here;
use crate::hover::destinations;
use crate::selectors::{self, selected, written};

/// Some words that stand in no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    /// The byte before which it stands.
    pub offset: u32,
    /// What it says.
    pub text: String,
    /// More, where a pointer rests on it. Markdown; may be empty.
    pub tooltip: String,
}

/// Those of a part of a file, in order.
pub fn inlays(db: &Database, file: SourceFile, range: Span) -> Vec<Inlay> {
    let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
    let mut found = Vec::new();
    for (at, object) in decoded.objects.iter().enumerate().filter(|(_, it)| it.role == Role::Policy) {
        let Some(policy) = here::policy(&decoded, at, object) else { continue };
        let root = tree.documents().get(object.document).and_then(|it| it.root);
        let Some(root) = root.and_then(|root| tree.find(root, &object.at)) else { continue };
        let extent = tree.span(root);
        if extent.start <= range.end && range.start <= extent.end {
            of_selectors(db, &tree, root, &policy, &mut found);
            of_ports(db, &tree, root, &policy, &mut found);
        }
    }
    found.retain(|it| range.start <= it.offset && it.offset <= range.end);
    found.sort_by_key(|it| it.offset);
    found.dedup();
    found
}

fn of_selectors(db: &Database, tree: &Tree, root: NodeId, policy: &Policy, found: &mut Vec<Inlay>) {
    let population = Population::of(db);
    for it in written(policy, |path| tree.find(root, path).is_some()).iter().filter(|it| !it.of_nodes) {
        let inner = [".podSelector", ".namespaceSelector", ""].map(|field| format!("{}{field}", it.path));
        let Some(at) = inner.iter().find_map(|path| anchor(tree, root, path)) else { continue };
        let (pods, workloads) = selected(&population, &it.selector);
        let names = pods.iter().chain(&workloads).take(10).map(|it| format!("- {}", selectors::object_name(it)));
        let tooltip = names.collect::<Vec<_>>().join("\n");
        let whose = if it.is_subject { "is about " } else { "" };
        let text = format!("{whose}{}", selectors::count(pods.len(), workloads.len()));
        found.push(Inlay { offset: line_end(tree, at), text, tooltip });
    }
}

fn of_ports(db: &Database, tree: &Tree, root: NodeId, policy: &Policy, found: &mut Vec<Inlay>) {
    let population = Population::of(db);
    for section in &policy.sections {
        for entry in &section.entries {
            let L4::Items(items) = &entry.l4 else { continue };
            for item in items {
                let Ports::Name { name, protocols } = &item.ports else { continue };
                let Some(node) = tree.find(root, &format!("{}.port", item.path)) else { continue };
                let far = destinations(&population, section, entry);
                let ports = far.iter().flat_map(|it| &it.pod.ports);
                let fits = ports.filter(|it| it.name == *name && protocols.contains(&it.protocol));
                let numbers: BTreeSet<u16> = fits.map(|it| it.port).collect();
                if numbers.is_empty() {
                    continue;
                }
                let text = numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
                found.push(Inlay { offset: tree.span(node).end, text, tooltip: String::new() });
            }
        }
    }
}

/// Where the line begins that a selector begins on: its key, or its first byte in a list.
fn anchor(tree: &Tree, root: NodeId, path: &str) -> Option<u32> {
    let deepest = tree.find_deepest(root, path);
    deepest.complete.then(|| tree.span(deepest.key.unwrap_or(deepest.node)).start)
}

/// The end of the line of a byte, before its comment.
fn line_end(tree: &Tree, at: u32) -> u32 {
    let text = tree.text();
    let line = &text[at as usize..];
    let end = at as usize + line.find(['\n', '\r']).unwrap_or(line.len());
    let comment = tree.comments().iter().find(|it| at <= it.span.start && (it.span.start as usize) < end);
    let end = comment.map_or(end, |it| it.span.start as usize);
    at + text[at as usize..end].trim_end().len() as u32
}
