//! Findings that the text itself asks not to be told: comments and annotations with codes and a reason.
//!
//! ```text
//!  podSelector: {}   # tidegate: ignore[TG0012] comes with the next release     this line
//!  # tidegate: ignore[dangling-port-name] until=2030-01-31 behind a flag        the block below
//!  # tidegate: ignore-file[TG0012] generated                                    the whole file
//!  annotations: {tidegate.io/ignore.TG0012: generated}                          the object
//! ```

mod block;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use diag::{Diagnostic, Edit, Fix};
use driver::{Db, SourceFile};
use jiff::civil::Date;
use source::{FileId, Span};

use crate::place::Text;
use crate::{
    tg0100_unused_suppression, tg0101_unknown_code_in_suppression, tg0102_unreadable_suppression,
    tg0103_suppression_without_reason, tg0104_expired_suppression,
};

/// What stands for a reason that is still to be written: where editors silence a finding, somebody has to say why.
pub const PLACEHOLDER: &str = "say why";

/// How suppressions are judged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Whether each needs a reason.
    pub strict: bool,
    /// The day of the run; `None` when nobody looked at a clock, and then nothing expires.
    pub today: Option<Date>,
}

/// Findings after the suppressions of their files.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// What stays, in the order of files and places, with what is wrong with suppressions.
    pub kept: Vec<Diagnostic>,
    /// What was suppressed.
    pub suppressed: Vec<Suppressed>,
}

/// A finding that is not told.
#[derive(Clone, Debug)]
pub struct Suppressed {
    /// The finding.
    pub finding: Diagnostic,
    /// Why, in the words of the text; may be empty.
    pub reason: String,
}

/// Codes that speak of the run itself: no text can ask for silence about them.
const UNSUPPRESSED: [u16; 8] = [1, 100, 101, 102, 103, 104, 105, 106];

/// One name in a suppression.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// As written: a code or a slug.
    pub text: String,
    /// Its bytes.
    pub span: Span,
    /// The slug of the page; `None` when there is no such code.
    pub slug: Option<&'static str>,
}

/// One suppression as written.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    pub file: FileId,
    /// The whole comment, or the key of the annotation.
    pub span: Span,
    pub names: Vec<Name>,
    pub reason: String,
    pub until: Option<Date>,
    /// The bytes in which a finding has to begin.
    pub scope: Span,
    /// What removes it as a whole; `None` where no edit is certain.
    pub removal: Option<Edit>,
}

/// Something that looks like a suppression and is none.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable {
    pub span: Span,
    pub why: String,
}

/// What the suppressions of one file are.
#[derive(Default)]
pub(crate) struct Written {
    pub suppressions: Vec<Suppression>,
    pub unreadable: Vec<Unreadable>,
}

/// Takes out of findings what texts suppress, and adds what is wrong with suppressions.
///
/// `found` has to hold everything that was looked for: a suppression is unused when nothing there is of its code and in its reach.
pub fn apply(db: &dyn Db, found: Vec<Diagnostic>, rules: &Rules) -> Judged {
    let mut judged = Judged { kept: found, suppressed: Vec::new() };
    let files = crate::files(db);
    let mut said = Vec::new();
    for file in files.iter().filter(|file| may_hold(db, **file)) {
        said.extend(of_file(&Text::new(db, *file), &mut judged, rules));
    }
    if !said.is_empty() {
        judged.kept.extend(said);
        let ranks: BTreeMap<FileId, usize> = files.iter().enumerate().map(|(at, file)| (file.id(db), at)).collect();
        let rank = |it: &Diagnostic| it.place().and_then(|label| ranks.get(&label.file));
        judged.kept.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    }
    judged
}

/// The same for the findings of one file: everything that [`crate::check_file`] says of it.
pub fn apply_to(db: &dyn Db, file: SourceFile, found: Vec<Diagnostic>, rules: &Rules) -> Judged {
    let mut judged = Judged { kept: found, suppressed: Vec::new() };
    if may_hold(db, file) {
        let said = of_file(&Text::new(db, file), &mut judged, rules);
        judged.kept.extend(said);
        judged.kept.sort();
    }
    judged
}

/// Whether a file may hold a suppression: most hold none, and are not read again.
fn may_hold(db: &dyn Db, file: SourceFile) -> bool {
    file.text(db).is_some_and(|text| written::TRACES.iter().any(|word| text.contains(word)))
}

fn of_file(text: &Text, judged: &mut Judged, rules: &Rules) -> Vec<Diagnostic> {
    let Written { suppressions, unreadable } = written::read(text);
    let mut said: Vec<Diagnostic> =
        unreadable.iter().map(|it| tg0102_unreadable_suppression::render(text.id, it)).collect();
    for it in &suppressions {
        let used = take(it, judged, rules);
        said.extend(problems(it, &used, rules));
    }
    said
}

/// Moves what a suppression is about; says which of its names met anything.
fn take(it: &Suppression, judged: &mut Judged, rules: &Rules) -> BTreeSet<&'static str> {
    let reached = |finding: &Diagnostic| {
        let here = finding.place().is_some_and(|label| {
            label.file == it.file && it.scope.start <= label.span.start && label.span.start < it.scope.end
        });
        here && !UNSUPPRESSED.contains(&finding.code.0) && it.names.iter().any(|name| name.slug == Some(finding.slug))
    };
    let mut used: BTreeSet<&'static str> = BTreeSet::new();
    used.extend(judged.kept.iter().filter(|finding| reached(finding)).map(|finding| finding.slug));
    // What an earlier suppression took already makes this one no less used.
    used.extend(judged.suppressed.iter().map(|it| &it.finding).filter(|it| reached(it)).map(|it| it.slug));
    if !is_expired(it, rules) {
        let (gone, kept) = std::mem::take(&mut judged.kept).into_iter().partition(|finding| reached(finding));
        let gone: Vec<Diagnostic> = gone;
        judged.kept = kept;
        judged.suppressed.extend(gone.into_iter().map(|finding| Suppressed { finding, reason: it.reason.clone() }));
    }
    used
}

fn is_expired(it: &Suppression, rules: &Rules) -> bool {
    matches!((it.until, rules.today), (Some(until), Some(today)) if until < today)
}

/// What is wrong with a suppression.
fn problems(it: &Suppression, used: &BTreeSet<&'static str>, rules: &Rules) -> Vec<Diagnostic> {
    let (mut said, mut unused) = (Vec::new(), Vec::new());
    for name in &it.names {
        match name.slug {
            None => said.push(tg0101_unknown_code_in_suppression::render(it, name)),
            Some(slug) if !used.contains(slug) => unused.push(name),
            Some(_) => {}
        }
    }
    if !unused.is_empty() {
        said.push(tg0100_unused_suppression::render(it, &unused, without(it, &unused)));
    }
    if it.reason == PLACEHOLDER || rules.strict && it.reason.is_empty() {
        said.push(tg0103_suppression_without_reason::render(it));
    }
    if let (true, Some(until)) = (is_expired(it, rules) && !used.is_empty(), it.until) {
        said.push(tg0104_expired_suppression::render(it, until));
    }
    said
}

/// The fix that leaves names out: the suppression as a whole when none would be left.
fn without(it: &Suppression, unused: &[&Name]) -> Option<Fix> {
    let all = unused.len() == it.names.len();
    if all {
        let removal = it.removal.clone()?;
        return Some(Fix { title: "remove the suppression".into(), edits: vec![removal] });
    }
    let (first, last) = (it.names.first()?, it.names.last()?);
    let left = it.names.iter().filter(|name| !unused.iter().any(|other| other.span == name.span));
    let left: Vec<&str> = left.map(|name| name.text.as_str()).collect();
    let edit = Edit { file: it.file, span: first.span.join(last.span), replacement: left.join(", ") };
    Some(Fix { title: "leave out what suppresses nothing".into(), edits: vec![edit] })
}
