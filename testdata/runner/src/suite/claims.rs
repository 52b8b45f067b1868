//! Compares what manifests claim with what is worth saying of them.

use super::text::{Claim, Manifest};
use checks::Group;
use diag::{Diagnostic, Severity};
use driver::{Database, locate};
use hir::Dialect;
use std::collections::BTreeMap;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many claims there were.
    pub compared: usize,
    /// Lines of the fixture and what is wrong there.
    pub failures: Vec<(usize, String)>,
}

/// One diagnostic with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    /// The manifest; empty for a diagnostic without place.
    file: String,
    /// The line in it, from 1.
    line: usize,
    said: Diagnostic,
}

impl Found {
    fn printed(&self) -> String {
        let Diagnostic { severity, code, headline, .. } = &self.said;
        format!("{severity}[{code}] {}:{} {headline}", self.file, self.line)
    }

    fn meets(&self, claim: &Claim) -> bool {
        self.line == claim.line
            && self.said.severity == claim.severity
            && claim.code.as_ref().is_none_or(|code| *code == self.said.code.to_string())
            && self.said.headline.contains(&claim.words)
    }
}

/// Compares every claim: each must be met, and no refusal of what the fixture wrote
/// may be said without one. Lints need no claim: a trap is a trap to them, too.
pub fn compare(db: &Database, dialect: &Dialect, manifests: &BTreeMap<String, Manifest>) -> Outcome {
    let mut outcome = Outcome::default();
    let found = found(db);
    for manifest in manifests.values() {
        let mine: Vec<&Found> = found.iter().filter(|it| it.file == manifest.name).collect();
        let claims: Vec<&Claim> = manifest.claims.iter().filter(|claim| claim.holds_for(dialect)).collect();
        outcome.compared += claims.len();
        for claim in claims.iter().filter(|claim| !mine.iter().any(|found| found.meets(claim))) {
            let text = format!("claimed, but not said: {} {:?}", claim.code.as_deref().unwrap_or(""), claim.words);
            outcome.failures.push((manifest.fixture_line(claim.line), text));
        }
        for found in mine
            .iter()
            .filter(|found| !is_lint(&found.said) && manifest.wrote(found.line))
            .filter(|found| !claims.iter().any(|claim| found.meets(claim)))
        {
            let text = format!("said, but not claimed: {}", found.printed());
            outcome.failures.push((manifest.fixture_line(found.line), text));
        }
    }
    let lost = found.iter().filter(|it| !manifests.contains_key(&it.file));
    outcome.failures.extend(lost.map(|it| (1, format!("said of nothing in particular: {}", it.printed()))));
    outcome
}

/// Whether a diagnostic is about what a text means, and not about whether it is taken and enforced.
fn is_lint(said: &Diagnostic) -> bool {
    let group = checks::explain(said.slug).map(|page| page.group);
    group.is_some_and(|group| !matches!(group, Group::Validity | Group::Reach))
}

/// Everything that is worth saying, one a line.
pub fn printed(db: &Database) -> String {
    found(db).iter().map(|found| found.printed() + "\n").collect()
}

fn found(db: &Database) -> Vec<Found> {
    let place = |said: Diagnostic| {
        let label = said.place().cloned();
        let at = label.and_then(|label| Some((db.file(label.file)?, label.span)));
        match at {
            Some((file, span)) => {
                let line = locate::position(db, file, span).line as usize;
                Found { file: file.path(db).to_owned(), line, said }
            }
            None => Found { file: String::new(), line: 0, said },
        }
    };
    checks::check(db).into_iter().map(place).collect()
}

/// The severity of a claim's first word.
pub fn severity(word: &str) -> Option<Severity> {
    match word {
        "error" => Some(Severity::Error),
        "warn" => Some(Severity::Warning),
        "hint" => Some(Severity::Hint),
        _ => None,
    }
}
