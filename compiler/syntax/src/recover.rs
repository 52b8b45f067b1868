//! Reads every chunk; where one is broken, finds the line to blame and reads the rest.
//!
//! On an error, each line that may be at fault is blanked in place, so that offsets stay valid; the
//! blank that lets the parser get furthest is kept, and of equals the shortest. Work is bounded: all
//! attempts together read at most [`BUDGET_BASE`] bytes and [`BUDGET_FACTOR`] times the text.

use std::borrow::Cow;
use std::ops::Range;

use source::Span;

use crate::build::Builder;
use crate::event::{Events, Failure, Reason};
use crate::tree::{Document, Tree};
use crate::{Limits, Problem, ProblemKind, chunks, template};

/// How many lines of one chunk may be blanked.
const ROUNDS: usize = 16;
/// How many lines before the error may be at fault.
const LINES_BACK: usize = 4;
const BUDGET_BASE: usize = 4 << 20;
const BUDGET_FACTOR: usize = 8;

pub(crate) fn parse(text: &str, limits: &Limits) -> Tree {
    let limit = limits.max_bytes.min(1 << 31);
    if text.len() > limit {
        let mut tree = Tree::new("");
        tree.problems.push(Problem { kind: ProblemKind::TooLarge { limit }, span: Span::at(0), related: None });
        return tree;
    }
    let mut reader = Reader {
        tree: Tree::new(text),
        limits,
        repeated: 0,
        budget: BUDGET_BASE + text.len() * BUDGET_FACTOR,
        full: false,
    };
    for chunk in chunks::split(text) {
        if reader.full {
            break;
        }
        reader.chunk(text, chunk);
    }
    let mut tree = reader.tree;
    tree.merges.sort_by_key(|(map, _)| *map);
    tree.comments.sort_unstable();
    tree.problems.sort_by_key(|problem| problem.span);
    tree
}

struct Reader<'l> {
    tree: Tree,
    limits: &'l Limits,
    repeated: u64,
    budget: usize,
    /// Whether the limit of nodes is reached, so that nothing more is read.
    full: bool,
}

/// How long each arena of the tree is, to take back a failed attempt.
struct Mark {
    lengths: [usize; 7],
    repeated: u64,
}

impl Reader<'_> {
    fn chunk(&mut self, text: &str, range: Range<usize>) {
        let chunk = &text[range.clone()];
        let mark = self.mark();
        let roots = match self.build(chunk, range.start, false, false) {
            (roots, None) => roots,
            (_, Some(failure)) => {
                self.rollback(&mark);
                self.recover(chunk, range.start, failure)
            }
        };
        let sound = self.tree.problems.len() == mark.lengths[6];
        let comments = self.tree.comments.len() > mark.lengths[5];
        self.documents(&range, &roots, sound, comments);
    }

    /// Builds nodes from `chunk`, which stands at `base` of the text in place of as many bytes.
    /// `partial` keeps what was read before a failure.
    fn build(
        &mut self,
        chunk: &str,
        base: usize,
        masked: bool,
        partial: bool,
    ) -> (Vec<crate::NodeId>, Option<Failure>) {
        let base = base as u32;
        let mut builder = Builder::new(&mut self.tree, self.limits, base, masked, &mut self.repeated);
        for event in Events::new(chunk, self.limits.max_depth) {
            let failure = match event {
                Ok((event, span)) => builder.event(event, span).err(),
                Err(failure) => Some(failure),
            };
            if failure.is_some() {
                if partial {
                    builder.finish();
                }
                return (std::mem::take(&mut builder.roots), failure);
            }
        }
        builder.finish();
        (std::mem::take(&mut builder.roots), None)
    }

    fn recover(&mut self, chunk: &str, base: usize, failure: Failure) -> Vec<crate::NodeId> {
        if let Some(masked) = self.template(chunk, &failure) {
            let problems = self.tree.problems.len();
            let roots = self.blank_lines(&masked, base, true);
            self.tree.problems.truncate(problems);
            let action = template::first(chunk).unwrap_or(0..0);
            self.problem(base, action, ProblemKind::UnrenderedTemplate, None);
            return roots;
        }
        self.blank_lines(chunk, base, false)
    }

    /// The masked chunk, when template actions are what is wrong: masking them helps.
    fn template(&mut self, chunk: &str, failure: &Failure) -> Option<String> {
        template::first(chunk)?;
        let masked = template::mask(chunk);
        let helps = failure.reason == Reason::Template
            || matches!(failure.reason, Reason::Syntax(_) | Reason::Tab) && self.reach(&masked)? > failure.offset;
        helps.then_some(masked)
    }

    /// Blanks one line after the other until the chunk can be read, or its start at least.
    fn blank_lines(&mut self, chunk: &str, base: usize, masked: bool) -> Vec<crate::NodeId> {
        let mut work = Cow::Borrowed(chunk);
        for _ in 0..ROUNDS {
            let mark = self.mark();
            let (roots, failure) = self.build(&work, base, masked, false);
            let Some(failure) = failure else {
                return roots;
            };
            self.rollback(&mark);
            let fixable = matches!(failure.reason, Reason::Syntax(_) | Reason::Tab | Reason::Control(_));
            let best = if fixable { self.best_blank(&work, &failure) } else { None };
            let Some(line) = best else {
                break;
            };
            self.blame(&work, base, &failure, line.clone());
            blank(work.to_mut(), line);
        }
        let (roots, failure) = self.build(&work, base, masked, true);
        if let Some(failure) = failure {
            let kind = self.kind(failure.reason);
            let at = failure.offset as usize;
            self.problem(base, at..at, kind, None);
        }
        roots
    }

    /// The line whose loss lets the parser get furthest.
    fn best_blank(&mut self, work: &str, failure: &Failure) -> Option<Range<usize>> {
        let mut best: Option<(u32, Range<usize>)> = None;
        for line in suspects(work, failure.offset as usize) {
            let mut attempt = work.to_owned();
            blank(&mut attempt, line.clone());
            let reach = self.reach(&attempt)?;
            let better = best.as_ref().is_none_or(|(furthest, shortest)| {
                reach > *furthest || (reach == *furthest && line.len() < shortest.len())
            });
            if better && reach > failure.offset {
                best = Some((reach, line));
            }
        }
        best.map(|(_, line)| line)
    }

    /// How far the parser gets: the offset of its first error, or `u32::MAX`.
    ///
    /// `None` when the budget of work is spent.
    fn reach(&mut self, chunk: &str) -> Option<u32> {
        let failure = Events::new(chunk, self.limits.max_depth).find_map(Result::err);
        let read = failure.as_ref().map_or(chunk.len(), |f| f.offset as usize);
        // Why: each attempt also copies the chunk, so even a short one has a price.
        self.budget = self.budget.checked_sub(read.max(chunk.len() / 4))?;
        Some(failure.map_or(u32::MAX, |failure| failure.offset))
    }

    /// Reports a blanked line: at the error if it lies there, else the line with the error beside it.
    fn blame(&mut self, work: &str, base: usize, failure: &Failure, line: Range<usize>) {
        let error = failure.offset as usize;
        let text = &work[line.clone()];
        let body = text.trim();
        let indent = text.len() - text.trim_start().len();
        let reason = match &failure.reason {
            Reason::Syntax(_) if text[..indent].contains('\t') => Reason::Tab,
            reason => reason.clone(),
        };
        let start = line.start + indent;
        let whole = start..start + body.len();
        let (range, related) = if reason == Reason::Tab {
            let tab = line.start + text.find('\t').unwrap_or(0);
            (tab..tab + 1, None)
        } else if line.contains(&error) || error == whole.end {
            let width = work[error..].chars().next().filter(|c| !c.is_whitespace());
            (error..error + width.map_or(0, char::len_utf8), None)
        } else {
            (whole, Some(error..error))
        };
        let kind = self.kind(reason);
        self.problem(base, range, kind, related);
    }

    fn kind(&mut self, reason: Reason) -> ProblemKind {
        match reason {
            Reason::Syntax(message) => ProblemKind::Syntax { message },
            Reason::Tab => ProblemKind::Tab,
            Reason::Control(character) => ProblemKind::ControlCharacter { character },
            Reason::Template => ProblemKind::UnrenderedTemplate,
            Reason::TooDeep => ProblemKind::TooDeep { limit: self.limits.max_depth },
            Reason::TooManyNodes => {
                self.full = true;
                ProblemKind::TooManyNodes { limit: self.limits.max_nodes }
            }
        }
    }

    fn problem(&mut self, base: usize, range: Range<usize>, kind: ProblemKind, related: Option<Range<usize>>) {
        let text = self.tree.text.clone();
        let at = |offset: usize| text.floor_char_boundary((base + offset).min(text.len())) as u32;
        let span = |range: Range<usize>| Span::new(at(range.start), at(range.end));
        self.tree.problems.push(Problem { kind, span: span(range), related: related.map(span) });
    }

    /// One document a root; a chunk without root is a document if it says anything at all.
    fn documents(&mut self, chunk: &Range<usize>, roots: &[crate::NodeId], sound: bool, comments: bool) {
        let mut start = chunk.start as u32;
        for (index, &root) in roots.iter().enumerate() {
            let end = match roots.get(index + 1) {
                Some(_) => self.tree.span(root).end.max(start),
                None => chunk.end as u32,
            };
            self.tree.documents.push(Document { root: Some(root), span: Span::new(start, end), sound });
            start = end;
        }
        if roots.is_empty() && (comments || !sound) {
            self.tree.documents.push(Document { root: None, span: Span::new(start, chunk.end as u32), sound });
        }
    }

    fn mark(&self) -> Mark {
        let tree = &self.tree;
        Mark {
            lengths: [
                tree.nodes.len(),
                tree.entries.len(),
                tree.items.len(),
                tree.merges.len(),
                tree.decoded.len(),
                tree.comments.len(),
                tree.problems.len(),
            ],
            repeated: self.repeated,
        }
    }

    fn rollback(&mut self, mark: &Mark) {
        let [nodes, entries, items, merges, decoded, comments, problems] = mark.lengths;
        let tree = &mut self.tree;
        tree.nodes.truncate(nodes);
        tree.entries.truncate(entries);
        tree.items.truncate(items);
        tree.merges.truncate(merges);
        tree.decoded.truncate(decoded);
        tree.comments.truncate(comments);
        tree.problems.truncate(problems);
        self.repeated = mark.repeated;
    }
}

/// Lines that may be at fault for an error: the line of the error, the non-blank ones before it, and
/// the next one (a parser may stop at the end of the line before a bad indent).
fn suspects(work: &str, error: usize) -> Vec<Range<usize>> {
    let mut before: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for line in chunks::lines(work) {
        let range = start..start + line.trim_end_matches(['\n', '\r']).len();
        let next = start + line.len();
        let past = start > error;
        start = next;
        if line.trim().is_empty() {
            continue;
        }
        before.push(range);
        if past {
            break;
        }
    }
    before.drain(..before.len().saturating_sub(LINES_BACK + 2));
    before.reverse();
    before
}

fn blank(text: &mut String, range: Range<usize>) {
    let blanks = " ".repeat(range.len());
    text.replace_range(range, &blanks);
}
