//! From everything that was found to what is reported.

use super::baseline::Baseline;
use super::report::{Finding, FindingEdit, FindingFix, Related, Spot, Summary};
use super::{Check, settings::Settings};
use crate::command::cost::budget;
use crate::files::{Unreadable, is_excluded, is_manifest};
use crate::report::{NOT_ENFORCED, NotOnNode};
use crate::session::Session;
use crate::{git, render};
use checks::suppress;
use diag::{Diagnostic, Label, Severity};
use driver::text::{self, Role};
use driver::{Choice, Database, Db, Wish, locate};
use findings::context::Contexts;
use findings::{fingerprint, mend};
use source::Span;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What is reported.
pub(super) struct Judged {
    pub found: Vec<Diagnostic>,
    /// The same as plain values, in the same order.
    pub findings: Vec<Finding>,
    pub summary: Summary,
}

/// What is found and asked for, before anything is compared with what was there before.
pub(super) struct Asked {
    pub found: Vec<Diagnostic>,
    pub suppressed: usize,
    pub not_on_node: NotOnNode,
}

/// Finds, suppresses, selects; `more` is what is found beside.
pub(super) fn asked(check: &Check, db: &Database, settings: &Settings, more: Vec<Diagnostic>) -> Asked {
    let mut all = more;
    all.extend(checks::check_for(db, &settings.wishes));
    all.extend(checks::for_node(db));
    let not_on_node = NotOnNode::of(&all);
    let suppress::Judged { kept: mut found, suppressed } = suppress::apply(db, all, &settings.rules);
    if check.target.is_none() {
        found.retain(|it| !is_of_node(it));
    }
    found.sort_by_key(|it| it.place().map(|label| (label.file, label.span.start)));
    found.retain(|it| it.code.0 == UNREADABLE || settings.keeps(db, it) && check.listed.lists(db, it));
    let told = |it: &&suppress::Suppressed| check.target.is_some() || !is_of_node(&it.finding);
    Asked { found, suppressed: suppressed.iter().filter(told).count(), not_on_node }
}

/// What could not be read is said whatever is selected: the run ends in 2 because of it.
const UNREADABLE: u16 = 1;

/// Whether a finding only says what nodes of this build cannot enforce.
fn is_of_node(finding: &Diagnostic) -> bool {
    NOT_ENFORCED.contains(&finding.slug) || matches!(finding.slug, "needs-proxy" | "needs-authentication")
}

/// Everything that is reported of a session. With `--update-baseline` the baseline is written.
pub(super) fn judge(check: &Check, session: &mut Session, settings: &Settings) -> Result<Judged, String> {
    let unreadable = session.unreadable.iter().map(Unreadable::diagnostic);
    let more = unreadable.chain(over_budget(&session.db, &session.choice, settings)).collect();
    let Asked { mut found, suppressed, not_on_node } = asked(check, &session.db, settings, more);
    let safe = mend::safe(&session.db, &found);
    let db = &session.db;
    let mut contexts = Contexts::default();
    let prints = fingerprint::all(db, &found, &mut contexts);
    let each = found.iter().zip(prints).zip(safe);
    let mut findings: Vec<Finding> =
        each.map(|((it, print), safe)| finding(db, it, print, &safe, &mut contexts)).collect();
    let before = findings.len();
    let mut stale = Vec::new();
    if let Some(path) = &settings.baseline {
        if check.update_baseline {
            Baseline::of(&findings).write(path)?;
        }
        let baseline = Baseline::read(path, check.update_baseline)?;
        let here: BTreeSet<&str> = findings.iter().map(|it| it.fingerprint.as_str()).collect();
        stale = baseline.stale(path, &here, |file| db.file_at(file).is_some());
        let known: BTreeSet<String> = baseline.fingerprints().into_iter().map(str::to_owned).collect();
        forget(&mut found, &mut findings, &known);
    }
    if let Some(revision) = &check.diff_base {
        forget(&mut found, &mut findings, &of_revision(check, session, settings, revision)?);
    }
    let known = before - findings.len();
    stale.retain(|it| settings.keeps(db, it));
    let prints = fingerprint::all(db, &stale, &mut contexts);
    findings.extend(stale.iter().zip(prints).map(|(it, print)| finding(db, it, print, &[], &mut contexts)));
    found.extend(stale);
    let summary = Summary { suppressed, known, not_on_node, ..summary(session, &found, &findings) };
    Ok(Judged { found, findings, summary })
}

/// What costs more than it may.
fn over_budget(db: &Database, choice: &Choice, settings: &Settings) -> Vec<Diagnostic> {
    settings.budget.as_ref().map_or_else(Vec::new, |it| budget::check(db, choice, it))
}

/// Takes out what is known.
fn forget(found: &mut Vec<Diagnostic>, findings: &mut Vec<Finding>, known: &BTreeSet<String>) {
    let mut news = findings.iter().map(|it| !known.contains(&it.fingerprint)).collect::<Vec<_>>().into_iter();
    found.retain(|_| news.next().unwrap_or(true));
    findings.retain(|it| !known.contains(&it.fingerprint));
}

/// The fingerprints of what is found in a revision.
fn of_revision(
    check: &Check,
    session: &Session,
    settings: &Settings,
    revision: &str,
) -> Result<BTreeSet<String>, String> {
    let named = settings.paths.all();
    let named: Vec<String> = named.into_iter().filter(|path| path != "-").collect();
    let wanted = |path: &str| {
        let path = Path::new(path);
        let asked = named.iter().any(|it| Path::new(it) == path);
        asked || (is_manifest(path) && !is_excluded(&settings.take.exclude, path, false))
    };
    let old = git::read(revision, &named, wanted)?;
    let mut db = Database::new();
    db.set_namespace(settings.paths.namespace());
    // What is no text, or too great, was not checked then either.
    db.set_files(old.into_iter().filter_map(|it| Some((Arc::from(it.path), Arc::from(it.text.ok()?)))));
    let (now, inputs) = (&session.db, session.db.project());
    db.set_cluster((*inputs.cluster(now)).clone());
    db.set_heeded(inputs.heeded(now));
    db.set_knowledge(inputs.knowledge(now));
    let choice = db.settle_dialect(Wish::Named(session.choice.dialect));
    let found = asked(check, &db, settings, over_budget(&db, &choice, settings)).found;
    Ok(fingerprint::all(&db, &found, &mut Contexts::default()).into_iter().collect())
}

/// A diagnostic as a plain value.
fn finding(db: &Database, it: &Diagnostic, fingerprint: String, safe: &[bool], contexts: &mut Contexts) -> Finding {
    let place = it.place();
    let context = place.and_then(|label| Some(contexts.of(db, db.file(label.file)?, label.span.start)));
    let context = context.unwrap_or_default();
    let related = it.labels.iter().filter(|label| !label.primary);
    let related =
        related.filter_map(|label| Some(Related { place: render::place(db, label)?, message: label.text.clone() }));
    let fixes = it.fixes.iter().enumerate().map(|(at, fix)| FindingFix {
        title: fix.title.clone(),
        safe: safe.get(at).copied().unwrap_or_default(),
        edits: fix.edits.iter().filter_map(|edit| edit_of(db, edit)).collect(),
    });
    Finding {
        code: it.code.to_string(),
        slug: it.slug.to_owned(),
        level: it.severity.as_str().to_owned(),
        message: it.headline.clone(),
        place: place.and_then(|label| render::place(db, label)),
        end: place.and_then(|label: &Label| spot(db, label.file, label.span.end)),
        object: context.object.clone(),
        origin: context.origin.clone().map(Into::into),
        fingerprint,
        related: related.collect(),
        why: it.why.clone(),
        help: it.help.clone(),
        fixes: fixes.collect(),
    }
}

fn edit_of(db: &Database, edit: &diag::Edit) -> Option<FindingEdit> {
    Some(FindingEdit {
        file: db.file(edit.file)?.path(db).to_owned(),
        start: spot(db, edit.file, edit.span.start)?,
        end: spot(db, edit.file, edit.span.end)?,
        replacement: edit.replacement.clone(),
    })
}

fn spot(db: &Database, file: source::FileId, offset: u32) -> Option<Spot> {
    let position = locate::position(db, db.file(file)?, Span::at(offset));
    Some(Spot { line: position.line, column: position.column })
}

fn summary(session: &Session, found: &[Diagnostic], findings: &[Finding]) -> Summary {
    let mut summary = Summary { files: session.db.files().count(), ..Summary::default() };
    for file in session.db.files() {
        for object in text::decoded(&session.db, file).objects.iter() {
            match object.role {
                Role::Policy => summary.policies += 1,
                Role::Rejected => summary.rejected += 1,
                Role::Fact => summary.facts += 1,
                Role::Other => summary.skipped += 1,
            }
        }
    }
    for finding in found {
        match finding.severity {
            Severity::Error => summary.errors += 1,
            Severity::Warning => summary.warnings += 1,
            Severity::Hint => summary.hints += 1,
        }
    }
    for finding in findings {
        summary.fixable += usize::from(!finding.fixes.is_empty());
        summary.safely_fixable += usize::from(finding.fixes.iter().any(|fix| fix.safe));
    }
    summary
}
