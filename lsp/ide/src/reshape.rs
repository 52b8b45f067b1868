//! Splits a rule in several and merges several into one, where that is proved to change nothing.

use diag::{Edit, Fix};
use driver::{Database, SourceFile};
use facts::json::json;
use facts::read::At as Node;
use findings::mend::keeps_meaning;
use source::Span;
use syntax::{NodeId, ScalarStyle, Tree};

use crate::At;
use crate::actions::{Action, ActionKind};
use crate::cursor::{Step, spell};
use crate::draft::{Comments, Dashes, Draft, dashes, line_break, through_line, with_lost};
use crate::here::Here;

/// Kinds whose rules have no order.
const KINDS: [&str; 3] = ["NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];
const RULES: [&str; 4] = ["ingress", "egress", "ingressDeny", "egressDeny"];
const PORTS: [&str; 2] = ["ports", "toPorts"];
/// Lists of peers, of which any one is meant.
pub(crate) const PEERS: [&str; 14] = [
    "from",
    "to",
    "fromEndpoints",
    "toEndpoints",
    "fromEntities",
    "toEntities",
    "fromCIDR",
    "toCIDR",
    "fromCIDRSet",
    "toCIDRSet",
    "fromNodes",
    "toNodes",
    "toFQDNs",
    "toServices",
];

/// What can become of the rule at whose dash or at one of whose fields a range begins.
///
/// Cost: a proof for each.
pub(crate) fn reshapings(db: &Database, file: SourceFile, range: Span) -> Vec<Action> {
    let Some(here) = Here::new(db, At { file, offset: range.start }) else { return Vec::new() };
    let Some(list) = List::around(&here) else { return Vec::new() };
    let mut fixes = list.splits();
    fixes.extend(list.merges());
    let fixes = fixes.into_iter().filter_map(|(title, edits)| {
        let edits =
            edits.into_iter().map(|(span, replacement)| Edit { file: file.id(db), span, replacement }).collect();
        Some(Fix { title, edits }).filter(|fix| keeps_meaning(db, fix, db.dialect()))
    });
    let action = |fix: Fix| Action {
        title: fix.title,
        kind: ActionKind::Rewrite,
        is_preferred: false,
        edits: fix.edits,
        command: None,
        solves: None,
    };
    fixes.map(action).collect()
}

/// What replaces some bytes.
type Replaced = (Span, String);

/// A list of rules, and one of them.
struct List<'t> {
    tree: &'t Tree,
    list: NodeId,
    rules: &'t [NodeId],
    at: usize,
    dashes: Dashes,
}

impl<'t> List<'t> {
    fn around(here: &'t Here) -> Option<List<'t>> {
        KINDS.contains(&here.text("kind")?).then_some(())?;
        let rule = match here.path.as_slice() {
            [rule @ .., Step::Key(_)] if matches!(rule.last(), Some(Step::Item(_))) => rule,
            rule => rule,
        };
        let [path @ .., Step::Key(rules), Step::Item(at)] = rule else { return None };
        let is_spec = matches!(path, [Step::Key(spec)] if spec == "spec")
            || matches!(path, [Step::Key(specs), Step::Item(_)] if specs == "specs");
        let list = here.tree.find(here.root, &spell(&rule[..rule.len() - 1]))?;
        let tree = &*here.tree;
        let is_written = matches!(tree.style(list), ScalarStyle::Block | ScalarStyle::Flow);
        let found = List { tree, list, rules: tree.items(list), at: *at, dashes: dashes(tree, here.root) };
        (is_spec && RULES.contains(&rules.as_str()) && is_written).then_some(found)
    }

    fn node(&self, at: usize) -> Node<'t> {
        Node::root(self.tree, self.rules[at])
    }

    /// One rule for each peer, and one for each port.
    fn splits(&self) -> Vec<(String, Vec<Replaced>)> {
        let rule = self.node(self.at);
        let mut found = Vec::new();
        for name in PEERS.iter().chain(&PORTS) {
            let many = rule.list(name).count();
            let title = |many: usize| {
                let noun = if PORTS.contains(name) { "ports" } else { "peers" };
                format!("split the rule: one for each of its {many} {noun}")
            };
            let apart: &dyn Fn(&Draft) -> Vec<Draft> = &|list| {
                let alone = |item: &Draft| list.clone().holding(vec![item.clone()]);
                list.items().iter().map(alone).collect()
            };
            let inner: &dyn Fn(&Draft) -> Vec<Draft> = &|list| {
                let Some(member) = list.items().first() else { return Vec::new() };
                let ports = member.get("ports").map(apart).unwrap_or_default();
                let alone = |ports: Draft| list.clone().holding(vec![member.clone().with("ports", |_| ports)]);
                ports.into_iter().map(alone).collect()
            };
            let in_one = rule.list(name).next().map_or(0, |it| it.list("ports").count());
            let replaced = match (many, *name) {
                (0, _) => None,
                (1, "toPorts") if in_one > 1 => self.split(name, inner).map(|it| (title(in_one), it)),
                (1, _) => None,
                _ => self.split(name, apart).map(|it| (title(many), it)),
            };
            found.extend(replaced.map(|(title, it)| (title, vec![it])));
        }
        found
    }

    fn split(&self, name: &str, apart: impl Fn(&Draft) -> Vec<Draft>) -> Option<Replaced> {
        let span = self.span(self.at)?;
        let mut comments = Comments::of(self.tree, span);
        let whole = Draft::copy_item(self.tree, self.rules[self.at], &mut comments);
        let plain = whole.clone().without_comments();
        let lists = apart(whole.get(name)?).into_iter().enumerate();
        let rules = lists.map(|(nth, list)| {
            let rule = if nth == 0 { whole.clone() } else { plain.clone() };
            rule.with(name, |_| if nth == 0 { list } else { list.without_head() })
        });
        self.written(span, &[], &rules.collect::<Vec<_>>())
    }

    /// The rule together with those that differ in one list alone.
    fn merges(&self) -> Vec<(String, Vec<Replaced>)> {
        let mut found = Vec::new();
        for name in PEERS.iter().chain(&PORTS) {
            let alike: Vec<usize> = (0..self.rules.len()).filter(|at| self.differs_in(name, *at)).collect();
            if alike.len() < 2 {
                continue;
            }
            let what = if PORTS.contains(name) { "peers" } else { "ports" };
            let title = match alike.len() - 1 {
                1 => format!("merge with the other rule for the same {what}"),
                many => format!("merge with the {many} other rules for the same {what}"),
            };
            found.extend(self.merge(name, &alike).map(|edits| (title, edits)));
        }
        found
    }

    /// Whether a rule has a list, and all else as the rule here.
    fn differs_in(&self, name: &str, at: usize) -> bool {
        let rest = |at: usize| {
            let mut fields: Vec<(String, String)> = self
                .node(at)
                .entries()
                .into_iter()
                .filter(|(key, it)| key != name && (it.items().next().is_some() || !PEERS.contains(&key.as_ref())))
                .map(|(key, it)| (key.into_owned(), json(&it)))
                .collect();
            fields.sort();
            fields
        };
        let has = |at: usize| self.node(at).list(name).next().is_some();
        has(at) && has(self.at) && rest(at) == rest(self.at)
    }

    fn merge(&self, name: &str, alike: &[usize]) -> Option<Vec<Replaced>> {
        let (first, others) = alike.split_first()?;
        let span = self.span(*first)?;
        let mut comments = Comments::of(self.tree, Span::new(span.start, self.tree.text().len() as u32));
        let mut merged = Draft::copy_item(self.tree, self.rules[*first], &mut comments);
        let mut seen: Vec<String> = self.node(*first).list(name).map(|it| json(&it)).collect();
        let mut edits = Vec::new();
        for at in others {
            let other = Draft::copy_item(self.tree, self.rules[*at], &mut comments);
            let texts = self.node(*at).list(name).map(|it| json(&it)).collect::<Vec<_>>();
            let fresh = other.get(name)?.items().iter().zip(texts).filter(|(_, text)| {
                let is_new = !seen.contains(text);
                seen.extend(is_new.then(|| text.clone()));
                is_new
            });
            let fresh: Vec<Draft> = fresh.map(|(item, _)| item.clone()).collect();
            merged = merged.with(name, |list| {
                let items = [list.items(), &fresh].concat();
                list.holding(items)
            });
            merged = merged.below(&other);
            edits.push((self.removed(*at)?, String::new()));
        }
        let removed: Vec<Span> = edits.iter().map(|(span, _)| *span).collect();
        edits.push(self.written(span, &removed, &[merged])?);
        Some(edits)
    }

    /// The bytes of a rule, from its dash on where it stands on lines of its own. `None` where it shares them.
    fn span(&self, at: usize) -> Option<Span> {
        let (text, span) = (self.tree.text(), self.tree.span(self.rules[at]));
        if self.tree.target(self.rules[at]) != self.rules[at] {
            return None;
        }
        if self.tree.style(self.list) == ScalarStyle::Flow {
            return (!span.slice(text).contains('\n')).then_some(span);
        }
        let start = self.line(span.start);
        let dash = start + text[start..].find('-')?;
        let is_alone = text[start..dash].trim().is_empty() && text[dash + 1..span.start as usize].trim().is_empty();
        is_alone.then(|| through_line(text, Span::new(dash as u32, span.end)))
    }

    /// The bytes that go with a rule.
    fn removed(&self, at: usize) -> Option<Span> {
        let (text, span) = (self.tree.text(), self.span(at)?);
        if self.tree.style(self.list) == ScalarStyle::Flow {
            let cut = Span::new(self.tree.span(self.rules[at.checked_sub(1)?]).end, span.end);
            return (!cut.slice(text).contains(['#', '\n'])).then_some(cut);
        }
        // With the comments above it, which are written elsewhere, and the line break before them.
        let mut start = self.line(span.start);
        while let Some(above) = start.checked_sub(1).map(|end| self.line(end as u32))
            && text[above..start].trim_start().starts_with('#')
        {
            start = above;
        }
        let start = text[..start].strip_suffix('\n')?;
        Some(Span::new(start.strip_suffix('\r').unwrap_or(start).len() as u32, span.end))
    }

    /// Rules in place of some bytes, with the comments that these lost and those that other bytes, which go, did.
    fn written(&self, span: Span, removed: &[Span], rules: &[Draft]) -> Option<Replaced> {
        let text = self.tree.text();
        if self.tree.style(self.list) == ScalarStyle::Flow {
            return Some((span, rules.iter().map(Draft::on_one_line).collect::<Vec<_>>().join(", ")));
        }
        let indent = text.get(self.line(span.start)..span.start as usize)?;
        let lines = rules.iter().flat_map(|it| it.lines_behind_dash(self.dashes)).collect();
        let lines = removed.iter().rev().fold(lines, |lines, it| with_lost(self.tree, *it, lines));
        let lines = with_lost(self.tree, span, lines);
        Some((span, lines.join(&format!("{}{indent}", line_break(text)))))
    }

    /// Where the line of an offset begins.
    fn line(&self, offset: u32) -> usize {
        self.tree.text()[..offset as usize].rfind('\n').map_or(0, |at| at + 1)
    }
}
