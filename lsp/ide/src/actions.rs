//! What can be done about a place: fixes of findings, silence with a reason, pages, rules that are missing.

use checks::suppress::{PLACEHOLDER, Rules};
use diag::{Code, Diagnostic, Edit};
use driver::text::{self, Role};
use driver::{Database, SourceFile};
use source::Span;
use syntax::{ScalarStyle, Tree};

use crate::commands::Command;
use crate::diagnostics::diagnostics;
use crate::here::Here;
use crate::selectors::is_within;
use crate::{At, convert, reshape};

/// Something that can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it does, as an order.
    pub title: String,
    /// What it is.
    pub kind: ActionKind,
    /// Whether it may be done without a look: it is proved to change no meaning. At most one of a finding, and none of a policy that is
    /// refused, which several together may put into force.
    pub is_preferred: bool,
    /// The edits; empty where `command` is there.
    pub edits: Vec<Edit>,
    /// What is done otherwise than by edits.
    pub command: Option<Command>,
    /// The finding that it solves: its code and the place that it blames.
    pub solves: Option<(Code, Span)>,
}

/// What an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// A fix of a finding.
    Fix,
    /// Asks not to be told.
    Suppress,
    /// Says the same otherwise.
    Rewrite,
    /// Shows something.
    Show,
}

/// Findings without a place of their own in a text, or about suppressions: no comment silences them.
const UNSUPPRESSED: std::ops::RangeInclusive<u16> = 100..=106;

/// What can be done in a part of a file, fixes first.
///
/// Cost: whether a fix is safe is proved, for the findings of the range alone.
pub fn actions(db: &Database, file: SourceFile, range: Span, rules: &Rules) -> Vec<Action> {
    let id = file.id(db);
    let all = diagnostics(db, file, rules);
    let meets = |it: &Diagnostic| {
        it.place()
            .is_some_and(|label| label.file == id && label.span.start <= range.end && range.start <= label.span.end)
    };
    let here: Vec<Diagnostic> = all.into_iter().filter(meets).collect();
    let safe = findings::mend::safe(db, &here);
    let mut found = Vec::new();
    for (it, safe) in here.iter().zip(&safe) {
        let solves = it.place().map(|label| (it.code, label.span));
        let preferred = safe.iter().position(|safe| *safe).filter(|_| !is_refused(db, file, it));
        for (at, fix) in it.fixes.iter().enumerate() {
            found.push(Action {
                title: fix.title.clone(),
                kind: ActionKind::Fix,
                is_preferred: preferred == Some(at),
                edits: fix.edits.clone(),
                command: None,
                solves,
            });
        }
        found.extend(dns_rule(db, file, it).map(|edit| Action { solves, ..fix("add a rule for DNS", edit) }));
    }
    let tree = text::tree(db, file);
    for it in &here {
        let Some(label) = it.place() else { continue };
        let solves = Some((it.code, label.span));
        if !UNSUPPRESSED.contains(&it.code.0) {
            let title = format!("do not report {} here", it.code);
            let edit = suppression(&tree, label.file, label.span, it);
            found.push(Action { title, kind: ActionKind::Suppress, solves, ..fix("", edit) });
        }
    }
    for it in &here {
        let title = format!("explain {}", it.code);
        let command = Some(Command::Explain(it.code));
        found.push(Action {
            title,
            kind: ActionKind::Show,
            is_preferred: false,
            edits: Vec::new(),
            command,
            solves: None,
        });
    }
    found.dedup();
    found
}

/// What says the same as a policy or rule in other words: another kind, more rules or fewer. Each is proved to change nothing.
///
/// Cost: that of the proofs.
pub fn rewrites(db: &Database, file: SourceFile, range: Span) -> Vec<Action> {
    [convert::conversions(db, file, range), reshape::reshapings(db, file, range)].concat()
}

fn fix(title: &str, edit: Edit) -> Action {
    let title = title.to_owned();
    Action { title, kind: ActionKind::Fix, is_preferred: false, edits: vec![edit], command: None, solves: None }
}

/// Whether a finding is about an object that a cluster refuses as a whole.
fn is_refused(db: &Database, file: SourceFile, it: &Diagnostic) -> bool {
    let here = it.place().and_then(|label| Here::new(db, At { file, offset: label.span.start }));
    here.and_then(|here| here.object(db)).is_some_and(|(_, object)| object.role == Role::Rejected)
}

/// How the line ends that begins at an offset.
fn line_end(text: &str, start: usize) -> &'static str {
    let line = text[start..].split('\n').next().unwrap_or_default();
    if line.ends_with('\r') { "\r\n" } else { "\n" }
}

/// A comment on a line of its own above the one to blame.
fn suppression(tree: &Tree, file: source::FileId, blamed: Span, it: &Diagnostic) -> Edit {
    let text = tree.text();
    let start = text[..blamed.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let indent: String = text[start..].chars().take_while(|c| *c == ' ').collect();
    let end = line_end(text, start);
    let replacement = format!("{indent}# tidegate: ignore[{}] {PLACEHOLDER}{end}", it.code);
    Edit { file, span: Span::at(start as u32), replacement }
}

/// Codes of policies whose subjects cannot ask the resolver.
const WITHOUT_DNS: [u16; 2] = [160, 166];

/// What adds a rule for DNS before the first rule of egress, where that list is written by lines.
fn dns_rule(db: &Database, file: SourceFile, it: &Diagnostic) -> Option<Edit> {
    let blamed = it.place().filter(|_| WITHOUT_DNS.contains(&it.code.0))?.span;
    let here = Here::new(db, At { file, offset: blamed.start })?;
    let policy = here.policy(db)?;
    let path = here.path_text();
    let section = policy.sections.iter().find(|it| is_within(&path, &it.path)).or(policy.sections.first())?;
    let list = here.tree.find(here.root, &format!("{}.egress", section.path))?;
    let first = *here.tree.items(list).first().filter(|_| here.tree.style(list) == ScalarStyle::Block)?;
    let text = here.tree.text();
    let before = &text[..here.tree.span(first).start as usize];
    let dash = before.rfind('-')?;
    let start = before[..dash].rfind('\n').map_or(0, |at| at + 1);
    let indent = text[start..dash].to_owned();
    let lines = if policy.object.kind == "NetworkPolicy" { DNS } else { CILIUM_DNS };
    let end = line_end(text, start);
    let replacement: String = lines.iter().map(|line| format!("{indent}{line}{end}")).collect();
    indent.trim().is_empty().then_some(Edit { file: file.id(db), span: Span::at(start as u32), replacement })
}

const DNS: [&str; 10] = [
    "- to:",
    "  - namespaceSelector:",
    "      matchLabels:",
    "        kubernetes.io/metadata.name: kube-system",
    "    podSelector:",
    "      matchLabels:",
    "        k8s-app: kube-dns",
    "  ports:",
    "  - {protocol: UDP, port: 53}",
    "  - {protocol: TCP, port: 53}",
];

const CILIUM_DNS: [&str; 10] = [
    "- toEndpoints:",
    "  - matchLabels:",
    "      k8s:io.kubernetes.pod.namespace: kube-system",
    "      k8s-app: kube-dns",
    "  toPorts:",
    "  - ports:",
    "    - {port: \"53\", protocol: ANY}",
    "    rules:",
    "      dns:",
    "      - matchPattern: \"*\"",
];
