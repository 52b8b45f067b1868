//! Runs a folder: scenarios in parallel, each under its dialects, each of every engine.

use super::ask::{self, Reading};
use super::compare::Comparison;
use super::inspect;
use super::report::{Report, Wrong};
use super::scenario::Scenario;
use crate::engine::{Kind, Unavailable, World};
use hir::Dialect;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The engines.
    pub engines: Vec<Kind>,
    /// Whether engines are also compared with the oracle on flows that no table lists: about how many boundaries of ports for a pair.
    pub compare: Option<usize>,
}

/// What came out, by engine; or why an engine cannot be had.
pub type Outcomes = BTreeMap<Kind, Result<Report, Unavailable>>;

/// Runs every scenario. Order and number of processors do not show in the result.
pub fn run(scenarios: &[Scenario], options: &Options) -> Outcomes {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Outcomes>> = Mutex::default();
    let work = || {
        while let Some((at, scenario)) = take(scenarios, &next) {
            let outcomes = one(scenario, options);
            done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(at, outcomes);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut all = Outcomes::new();
    for (kind, outcome) in done.into_values().flatten() {
        let sum = all.entry(kind).or_insert_with(|| Ok(Report::default()));
        match (sum, outcome) {
            (Ok(sum), Ok(report)) => sum.add(report),
            (sum @ Ok(_), Err(why)) => *sum = Err(why),
            (Err(_), _) => {}
        }
    }
    all
}

fn take<'s>(scenarios: &'s [Scenario], next: &AtomicUsize) -> Option<(usize, &'s Scenario)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    Some((at, scenarios.get(at)?))
}

/// One scenario, under every dialect that it is asked in.
fn one(scenario: &Scenario, options: &Options) -> Outcomes {
    let mut readings = vec![(&Dialect::CILIUM_1_19, Reading::Reference)];
    if !scenario.cilium {
        readings.push((&Dialect::STANDARD, Reading::Kubernetes));
    }
    let mut outcomes: Outcomes = options.engines.iter().map(|kind| (*kind, Ok(Report::default()))).collect();
    for (dialect, reading) in readings {
        under(scenario, dialect, reading, options, &mut outcomes);
    }
    outcomes
}

fn under(scenario: &Scenario, dialect: &'static Dialect, reading: Reading, options: &Options, outcomes: &mut Outcomes) {
    let db = inspect::database(scenario, dialect);
    let fields = inspect::out_of_reach(&db);
    if !fields.is_empty() {
        for report in outcomes.values_mut().flatten() {
            report.out_of_reach.entry(scenario.name.clone()).or_default().extend(fields.clone());
        }
        return;
    }
    let world = World::new(&db);
    let plan = ask::plan(scenario, &world, reading);
    let mut wrong = inspect::manifests(scenario, &db);
    if reading == Reading::Reference {
        wrong.extend(inspect::enforcement(scenario, &world));
    }
    wrong.extend(plan.wrong.iter().cloned());
    let wrong: Vec<Wrong> =
        wrong.into_iter().map(|what| Wrong { scenario: scenario.name.clone(), dialect: dialect.name, what }).collect();
    let comparison = match (Kind::Oracle.open(&world), options.compare) {
        (Ok(mut oracle), Some(boundaries)) => Some(Comparison::new(&world, oracle.as_mut(), boundaries)),
        _ => None,
    };
    for (kind, outcome) in outcomes.iter_mut() {
        let Ok(report) = outcome else { continue };
        let mut engine = match kind.open(&world) {
            Ok(engine) => engine,
            Err(why) => {
                *outcome = Err(why);
                continue;
            }
        };
        report.scenarios += usize::from(reading == Reading::Reference);
        report.wrong.extend(wrong.iter().cloned());
        report.add(plan.ask(*kind, engine.as_mut(), scenario, &world, reading, dialect.name));
        match &comparison {
            Some(Ok(comparison)) if *kind != Kind::Oracle => {
                report.add(comparison.ask(*kind, engine.as_mut(), &scenario.name, dialect.name));
            }
            Some(Err(why)) => report.wrong.push(Wrong {
                scenario: scenario.name.clone(),
                dialect: dialect.name,
                what: format!("no comparison: {why}"),
            }),
            _ => {}
        }
    }
}
