//! Reads every chunk; where one is broken, finds the line to blame and reads the rest.
//!
//! On an error, each line that may be at fault is blanked in place, so that offsets stay valid, and
//! so are the lines from an unclosed bracket or quote on; the blank that lets the parser get furthest is kept, and of equals the shortest. Work is bounded: all
//! attempts together read at most [`BUDGET_BASE`] bytes and [`BUDGET_FACTOR`] times the text.

use std::borrow::Cow;
use std::ops::Range;

use source::Span;

use crate::build::Builder;
use crate::event::{Events, Failure, Reason};
use crate::tree::{Document, Tree};
use crate::{Limits, NodeId, Problem, ProblemKind, chunks, quick, template};

/// How many lines of one chunk may be blanked.
const ROUNDS: usize = 16;
/// How many lines before the error may be at fault.
const LINES_BACK: usize = 4;
const BUDGET_BASE: usize = 4 << 20;
const BUDGET_FACTOR: usize = 8;

/// `quick`: whether what most texts are made of is read without the parser.
pub(crate) fn parse(text: &str, limits: &Limits, quick: bool) -> Tree {
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
        quick,
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
    quick: bool,
}

/// Why a chunk could not be read, and where constructs began that were open then.
struct Stop {
    failure: Failure,
    opened: [usize; 3],
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
        let roots = match self.quick(chunk, range.start, &mark) {
            Some(roots) => roots,
            None => self.parsed(chunk, range.start, &mark),
        };
        let sound = self.tree.problems.len() == mark.lengths[6];
        // Why: an error at the very end belongs to this document, not to the start of the next.
        let last = (range.start + chunk.trim_ascii_end().len()) as u32;
        for problem in &mut self.tree.problems[mark.lengths[6]..] {
            if problem.span.start as usize >= range.end {
                problem.span = Span::at(last);
            }
        }
        let comments = self.tree.comments.len() > mark.lengths[5];
        self.documents(&range, &roots, sound, comments);
    }

    fn parsed(&mut self, chunk: &str, base: usize, mark: &Mark) -> Vec<NodeId> {
        match self.build(chunk, base, false, false) {
            (roots, None) => roots,
            (_, Some(stop)) => {
                self.rollback(mark);
                self.recover(chunk, base, &stop.failure)
            }
        }
    }

    fn quick(&mut self, chunk: &str, base: usize, mark: &Mark) -> Option<Vec<NodeId>> {
        if !self.quick {
            return None;
        }
        let mut builder = Builder::new(&mut self.tree, self.limits, base as u32, false, &mut self.repeated);
        let roots = quick::read(chunk, &mut builder);
        if roots.is_none() {
            self.rollback(mark);
        }
        roots
    }

    /// Builds nodes from `chunk`, which stands at `base` of the text in place of as many bytes.
    /// `partial` keeps what was read before a failure.
    fn build(&mut self, chunk: &str, base: usize, masked: bool, partial: bool) -> (Vec<NodeId>, Option<Stop>) {
        let base = base as u32;
        let mut builder = Builder::new(&mut self.tree, self.limits, base, masked, &mut self.repeated);
        for event in Events::new(chunk, self.limits.max_depth) {
            let failure = match event {
                Ok((event, span)) => builder.event(event, span).err(),
                Err(failure) => Some(failure),
            };
            if let Some(failure) = failure {
                let opened = builder.opened().map(|offset| (offset - base) as usize);
                if partial {
                    builder.finish();
                }
                let roots = std::mem::take(&mut builder.roots);
                return (roots, Some(Stop { failure, opened }));
            }
        }
        builder.finish();
        (std::mem::take(&mut builder.roots), None)
    }

    fn recover(&mut self, chunk: &str, base: usize, failure: &Failure) -> Vec<NodeId> {
        if let Some(masked) = self.template(chunk, failure) {
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
    fn blank_lines(&mut self, chunk: &str, base: usize, masked: bool) -> Vec<NodeId> {
        let mut work = Cow::Borrowed(chunk);
        for _ in 0..ROUNDS {
            let mark = self.mark();
            let (roots, stop) = self.build(&work, base, masked, false);
            let Some(stop) = stop else {
                return roots;
            };
            self.rollback(&mark);
            let Some(line) = self.best_blank(&work, &stop) else {
                break;
            };
            self.blame(&work, base, &stop.failure, line.clone());
            blank(work.to_mut(), line);
        }
        let (roots, stop) = self.build(&work, base, masked, true);
        if let Some(Stop { failure, .. }) = stop {
            let kind = self.kind(failure.reason);
            let at = failure.offset as usize;
            self.problem(base, at..at, kind, None);
        }
        roots
    }

    /// The line whose loss lets the parser get furthest.
    ///
    /// `None` when no line helps, when lines are not what is wrong, or when the budget is spent.
    fn best_blank(&mut self, work: &str, stop: &Stop) -> Option<Range<usize>> {
        let error = stop.failure.offset;
        if matches!(stop.failure.reason, Reason::TooDeep | Reason::TooManyNodes | Reason::Template) {
            return None;
        }
        // Why: finding this error has read the chunk so far, and other attempts will again.
        self.spend(error as usize)?;
        let mut best: Option<(u32, Range<usize>)> = None;
        for line in suspects(work, error as usize, stop.opened) {
            let mut attempt = work.to_owned();
            blank(&mut attempt, line.clone());
            let reach = self.reach(&attempt)?;
            let better = best.as_ref().is_none_or(|(furthest, shortest)| {
                reach > *furthest || (reach == *furthest && line.len() < shortest.len())
            });
            if better && reach > error {
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
        self.spend(read.max(chunk.len() / 4))?;
        Some(failure.map_or(u32::MAX, |failure| failure.offset))
    }

    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.budget = self.budget.checked_sub(bytes)?;
        Some(())
    }

    /// Reports blanked lines: at the error if it lies in them, else their first line with the error
    /// beside it.
    fn blame(&mut self, work: &str, base: usize, failure: &Failure, lines: Range<usize>) {
        let error = failure.offset as usize;
        let first = work[lines.clone()].split(['\n', '\r']).next().unwrap_or("");
        let indent = first.len() - first.trim_ascii_start().len();
        let start = lines.start + indent;
        let whole = start..start + first.trim_ascii().len();
        if matches!(failure.reason, Reason::Syntax(_) | Reason::Tab)
            && let Some(tab) = first[..indent].find('\t')
        {
            let tab = lines.start + tab;
            return self.problem(base, tab..tab + 1, ProblemKind::Tab, None);
        }
        let kind = self.kind(failure.reason.clone());
        if let ProblemKind::ControlCharacter { character } = kind {
            let at = work[error..].find(character).map_or(error, |at| error + at);
            return self.problem(base, at..at + character.len_utf8(), kind, None);
        }
        let inside = whole.contains(&error) || error == whole.end;
        if !inside {
            return self.problem(base, whole, kind, Some(error..error));
        }
        let shown = work[error..].chars().next().filter(|c| !c.is_whitespace());
        let width = shown.map_or(0, char::len_utf8);
        self.problem(base, error..error + width, kind, None);
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
    fn documents(&mut self, chunk: &Range<usize>, roots: &[NodeId], sound: bool, comments: bool) {
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

/// Ranges of whole lines that may be at fault for an error: the line of the error, the non-blank ones
/// before it, the next one (a parser may stop at the end of the line before a bad indent); and from
/// each place where something was opened that is still open, its line and the lines up to the error.
fn suspects(work: &str, error: usize, opened: [usize; 3]) -> Vec<Range<usize>> {
    let mut near: Vec<Range<usize>> = Vec::new();
    let mut openers: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for line in chunks::lines(work) {
        let range = start..start + line.trim_end_matches(['\n', '\r']).len();
        let next = start + line.len();
        let past = start > error;
        if opened.iter().any(|at| (start..next).contains(at)) {
            openers.push(range.clone());
        }
        start = next;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if near.len() > LINES_BACK + 1 {
            near.remove(0);
        }
        near.push(range);
        if past {
            break;
        }
    }
    let last = near.iter().rev().take(3).cloned().collect::<Vec<_>>();
    near.reverse();
    for opener in openers {
        near.push(opener.clone());
        let spans = last.iter().filter(|line| line.start > opener.start);
        near.extend(spans.map(|line| opener.start..line.end));
    }
    near.retain(|range| !work[range.clone()].trim_ascii().is_empty());
    let mut seen = std::collections::BTreeSet::new();
    near.retain(|range| seen.insert((range.start, range.end)));
    near
}

/// Overwrites a range with blanks; line breaks stay.
fn blank(text: &mut String, range: Range<usize>) {
    let blanks: String = text[range.clone()]
        .bytes()
        .map(|byte| match byte {
            b'\n' | b'\r' => char::from(byte),
            _ => ' ',
        })
        .collect();
    text.replace_range(range, &blanks);
}
