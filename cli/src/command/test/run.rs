//! Runs tests: one database for each and every reading.

use super::Test;
use super::gather::{Manifests, Read, TestFile};
use super::report::{CaseResult, CoverageReport, FlowFailure, Missed, MutantEntry, MutationReport, SuiteResult};
use crate::args::NAMESPACE;
use crate::cluster::{self, ClusterEntry, Known};
use crate::command::trace::{cause, side};
use crate::files::Take;
use crate::render::say;
use crate::report::{DialectEntry, Incomplete, Place, TraceCause, TraceSide};
use crate::session::Session;
use claims::{Answer, Case, Failure, Fate, Score, Suite};
use driver::{Choice, Database, Wish};
use flow::L4Set;
use reason::Ground;
use source::LineIndex;
use std::collections::{BTreeMap, BTreeSet};

/// What a run comes to.
#[derive(Default)]
pub(super) struct Outcome {
    pub suites: Vec<SuiteResult>,
    /// For people.
    pub problems: Vec<String>,
    pub coverage: AllCoverage,
    pub mutation: AllMutants,
    /// Cases that the filter was asked about.
    pub filtered: usize,
    /// What is known of the cluster beside manifests.
    pub cluster: Option<ClusterEntry>,
}

/// Runs all tests.
pub(super) fn run(command: &Test, tests: &[TestFile], take: &Take) -> Outcome {
    let known = cluster::known(&command.cluster, NAMESPACE, false);
    let mut outcome = Outcome { cluster: known.entry.clone(), ..Outcome::default() };
    outcome.problems.extend(known.unreadable.iter().map(|it| format!("cannot read `{}`: {}", it.path, it.reason)));
    known.entry.iter().flat_map(ClusterEntry::warnings).for_each(|it| say(&it));
    let mut manifests = Manifests::new(take);
    for test in tests {
        for suite in &test.suites {
            outcome.suite(command, test, suite, &mut manifests, &known);
        }
    }
    outcome
}

/// Of each test beside policies that are not evaluated, that they may decide otherwise.
pub(super) fn unconfirmed(suites: &[SuiteResult]) -> BTreeSet<String> {
    let told = suites.iter().filter(|it| !it.incomplete.is_empty());
    told.map(|it| format!("{}: {}", it.file, Incomplete::UNCONFIRMED)).collect()
}

/// The name of a wish, as suites spell it.
fn reading(wish: Wish) -> String {
    match wish {
        Wish::Auto => "auto".to_owned(),
        Wish::Named(dialect) => dialect.name.to_owned(),
    }
}

impl Outcome {
    fn suite(&mut self, command: &Test, test: &TestFile, suite: &Suite, manifests: &mut Manifests<'_>, known: &Known) {
        let mut suite = suite.clone();
        if let Some(facts) = command.facts {
            suite.facts = facts.into();
        }
        let Read { texts, problems } = manifests.of(test, &suite, &command.filenames);
        self.problems.extend(problems);
        if texts.is_empty() && suite.objects.is_empty() {
            let of = if suite.name.is_empty() { String::new() } else { format!(" `{}`", suite.name) };
            self.problems.push(format!(
                "{}: the test{of} speaks of no manifests; name them under `policies`, or with -f",
                test.path
            ));
            return;
        }
        let mut said = false;
        for (name, mut cases) in suite.readings(&reading(command.dialect)) {
            // A name that is none was reported with its place.
            let Some(wish) = claims::wish(&name) else { continue };
            self.filtered += cases.len();
            cases.retain(|at| command.filter.as_ref().is_none_or(|it| suite.cases[*at].name.contains(it)));
            if cases.is_empty() {
                continue;
            }
            let own = (test.path.as_str(), test.text.as_str());
            let (mut db, choice) = claims::database(&texts, own, &suite, wish, known.cluster.clone());
            db.set_heeded(known.heeded);
            let (unreadable, cluster) = (Vec::new(), known.entry.clone());
            let session = Session { db, choice, wish, unreadable, empty: Vec::new(), cluster };
            if !std::mem::replace(&mut said, true) && session.report_unsound() {
                let unread = "of its manifests some cannot be read, so its verdicts prove nothing";
                self.problems.push(format!("{}: {unread}", test.path));
            }
            self.reading(command, test, &suite, &session, &cases);
        }
    }

    fn reading(&mut self, command: &Test, test: &TestFile, suite: &Suite, session: &Session, cases: &[usize]) {
        let Session { db, choice, .. } = session;
        let ground = Ground::of(db);
        let (claims, problems) = claims::compile(db, &ground, suite, cases);
        for problem in problems.iter().map(|it| test.say(it)) {
            // Another reading finds the same.
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        let answers = claims::ask(&ground, suite, claims);
        if command.coverage || command.coverage_min.is_some() {
            self.coverage.add(db, &claims::coverage(db, &answers));
        }
        if command.mutate || command.mutate_min.is_some() {
            self.mutation.add(db, suite, claims::score(db, &ground, suite, &answers));
        }
        self.suites.push(result(test, suite, (db, choice), &answers));
    }
}

fn result(test: &TestFile, suite: &Suite, (db, choice): (&Database, &Choice), answers: &[Answer]) -> SuiteResult {
    let lines = LineIndex::new(&test.text);
    let mut cases: BTreeMap<usize, CaseResult> = BTreeMap::new();
    for answer in answers {
        let case = &suite.cases[answer.claim.case];
        let result = cases.entry(answer.claim.case).or_insert_with(|| {
            let at = lines.position(case.span.start);
            let place = Place { file: test.path.clone(), line: at.line, column: at.column };
            CaseResult { name: case.name.clone(), place, flows: 0, failures: Vec::new() }
        });
        result.flows += 1;
        result
            .failures
            .extend(answer.failures.iter().map(|(leg, failure)| flow_failure(db, case, answer, *leg, failure)));
    }
    SuiteResult {
        file: test.path.clone(),
        name: suite.name.clone(),
        dialect: DialectEntry::of(choice),
        incomplete: Incomplete::of(db),
        cases: cases.into_values().collect(),
    }
}

fn flow_failure(db: &Database, case: &Case, answer: &Answer, leg: usize, failure: &Failure) -> FlowFailure {
    let (wanted, trace) = (&answer.claim.wanted, &answer.traces[leg]);
    let leg = &answer.claim.legs[leg];
    let asked = L4Set::from_intervals(wanted.keys.iter().copied());
    FlowFailure {
        source: wanted.source.to_string(),
        destination: wanted.destination.to_string(),
        port: asked.to_string(),
        backend: leg.backend.as_ref().map(|backend| format!("{backend} {}", leg.question.key)),
        request: wanted.request.as_ref().map(ToString::to_string),
        expected: case.expect.name().to_owned(),
        found: claims::ask::found(trace).name().to_owned(),
        not_by: match failure {
            Failure::Verdict { .. } => None,
            Failure::By(word) => Some(word.clone()),
        },
        egress: own_side(side(db, &trace.egress)),
        ingress: own_side(side(db, &trace.ingress)),
    }
}

fn own_side(mut side: TraceSide) -> TraceSide {
    for row in &mut side.rows {
        row.by.iter_mut().for_each(own);
        row.nearest.iter_mut().for_each(|near| own(&mut near.cause));
        let proxied = row.proxied.iter_mut();
        proxied.for_each(|proxied| proxied.asks.iter_mut().for_each(|asks| own(&mut asks.cause)));
    }
    side.policy_errors.iter_mut().flatten().for_each(own);
    side
}

/// Objects of a test stand in its own file.
fn own(cause: &mut TraceCause) {
    if let Some(place) = &mut cause.place
        && let Some((file, _)) = place.file.split_once("#objects[")
    {
        place.file = file.to_owned();
    }
}

fn shown(db: &Database, found: &reason::Cause) -> TraceCause {
    let mut cause = cause(db, found);
    own(&mut cause);
    cause
}

/// A cause in an order: object, path, place.
type Key = (String, String, Option<Place>);

fn key(cause: TraceCause) -> Key {
    (cause.object, cause.path, cause.place)
}

fn unkey((object, path, place): Key) -> TraceCause {
    TraceCause { object, path, place }
}

/// What all tests together exercise.
#[derive(Default)]
pub(super) struct AllCoverage(BTreeMap<Key, (bool, bool)>);

impl AllCoverage {
    fn add(&mut self, db: &Database, coverage: &claims::Coverage) {
        for it in &coverage.rules {
            let (default, exercised) = self.0.entry(key(shown(db, &it.cause))).or_default();
            *default = it.default;
            *exercised |= !it.cases.is_empty();
        }
    }

    /// As data.
    pub fn report(self) -> CoverageReport {
        let total = self.0.len();
        let exercised = self.0.values().filter(|(_, exercised)| *exercised).count();
        let missed = self.0.into_iter().filter(|(_, (_, exercised))| !exercised).map(|(key, (default, _))| Missed {
            cause: unkey(key),
            what: if default { "default" } else { "rule" }.to_owned(),
        });
        let percent = (exercised * 100).checked_div(total).unwrap_or(100) as u32;
        CoverageReport { total, exercised, percent, missed: missed.collect() }
    }
}

/// What became of mutants in all tests together: one that some test kills is killed.
#[derive(Default)]
pub(super) struct AllMutants(BTreeMap<(Key, String), (u8, Option<String>)>);

const FATES: [&str; 3] = ["equivalent", "survived", "killed"];

impl AllMutants {
    fn add(&mut self, db: &Database, suite: &Suite, score: Score) {
        for (cause, what, fate) in score.mutants {
            let found = match fate {
                Fate::Equivalent => (0, None),
                Fate::Survived => (1, None),
                Fate::Killed(case) => (2, Some(suite.cases[case].name.clone())),
            };
            let known = self.0.entry((key(shown(db, &cause)), what)).or_default();
            if found.0 > known.0 {
                *known = found;
            }
        }
    }

    /// As data.
    pub fn report(self) -> MutationReport {
        let count = |wanted: u8| self.0.values().filter(|(fate, _)| *fate == wanted).count();
        let (equivalent, survived, killed) = (count(0), count(1), count(2));
        let mutants = self.0.into_iter().map(|((key, change), (fate, killed_by))| MutantEntry {
            cause: unkey(key),
            change,
            fate: FATES[usize::from(fate)].to_owned(),
            killed_by,
        });
        let total = survived + killed;
        let percent = (killed * 100).checked_div(total).unwrap_or(100) as u32;
        MutationReport { total, killed, equivalent, percent, mutants: mutants.collect() }
    }
}
