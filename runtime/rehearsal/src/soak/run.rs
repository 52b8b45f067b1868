//! The run itself.

use super::cluster::{self, Role, pod};
use super::flows::{Watched, flows};
use super::outcome::{Latency, Outcome};
use super::policies::{CONNECTIONS, MOST_FRESH, State, files, states, states_in_turn};
use super::reconcile::{Slowest, Tally, Verdicts, reconcile};
use crate::expect::Judge;
use crate::spec;
use crate::stage::{Error, Fault, Stage};
use driver::meaning::{self, ClassKey};
use driver::{Database, world};
use flow::Family;
use lab::topology::Plan;
use lab::traffic::{Connections, Flow, Nanos, Report, Swap, Traffic};
use lab::{End, Lab, Place, Probe, RunId};
use loader::Pins;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);
/// How often connections carry a number.
const PULSE: Duration = Duration::from_millis(20);
/// How long every pair is sent over before its replies are.
const OPENING: Duration = Duration::from_millis(300);
/// How many images stay loaded: those of the known states and of the steps between them, and the latest others.
const KEPT: usize = 64;
/// How long traffic goes on before the first swap and after the last.
const MARGIN: Duration = Duration::from_millis(500);

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The lab's run.
    pub run: RunId,
    /// One node instead of two, and one end of flows at a time instead of both.
    pub alone: bool,
    /// How many changes.
    pub swaps: u32,
    /// How many of them are edits never seen before; at most [`MOST_FRESH`]. Alone, the change of the other end after one is new as well, since this
    /// end keeps it, and counts as such.
    pub fresh: u32,
    /// Packets per second over all flows.
    pub rate: u32,
    /// The run lasts at least so long: swaps are spread over it.
    pub at_least: Duration,
    /// Chooses rules and the order of states.
    pub seed: u64,
    /// How long a connection may take for one number, each way, before it counts as dead: TCP sends again what a busy machine was late with.
    pub patience: Duration,
    /// What is done wrong on purpose from the second swap on, to show that it would be noticed.
    pub fault: Fault,
}

impl Options {
    fn cluster(&self) -> String {
        cluster::text(if self.alone { 1 } else { 2 })
    }

    fn states(&self) -> Vec<State> {
        let states = if self.alone { states_in_turn } else { states };
        states(self.seed, self.swaps, self.fresh.min(MOST_FRESH))
    }
}

/// What the swapping side noted.
#[derive(Default)]
struct Log {
    swaps: Vec<Swap>,
    verdicts: Vec<Verdicts>,
    replaced: usize,
    rules: Option<usize>,
    fresh: Vec<u64>,
    known: Vec<u64>,
    make: Vec<u64>,
}

/// Makes a lab, swaps under traffic, takes the lab down and accounts for every packet.
///
/// A true `stop` ends it early: what was swapped until then is accounted for. Errors: the lab or the kernel refuses something.
/// Cost: two busy threads for packets beside the one that swaps; 24 bytes of memory a packet, 56 while a flow is accounted for.
pub fn run(options: &Options, stop: &AtomicBool) -> Result<Outcome, Error> {
    let mut db = Database::new();
    db.set_file("cluster.yaml", &options.cluster());
    write(&mut db, options.seed, None);
    let spec = spec::spec(&world::cluster(&db), options.run.clone(), &BTreeSet::new());
    // Cannot fail: the cluster is ours, and its addresses and names are told apart by role and node.
    let plan = Plan::new(spec).map_err(|error| lab::Error::Question { what: format!("a lab: {error}") })?;
    let target = loader::features().map_err(enforce::Error::from)?.target();
    db.set_target(target.clone());
    let mut stage = Stage::up(&plan, &target, || Pins::None, options.seed, stop)?;
    stage.enforcers().for_each(|(_, enforcer)| enforcer.keep_loaded(KEPT));
    stage.apply(&db)?;
    let count = flows(&plan, 1).len().max(1) as u32;
    let watched = flows(&plan, options.rate.div_ceil(count));
    open_pairs(stage.lab(), &watched)?;
    let log = Log { verdicts: vec![Verdicts::default(); watched.len()], ..Log::default() };
    let mut soak = Soak { options, fresh: db, known: BTreeMap::new(), plan, stage, watched, log };
    let (report, connections) = soak.under_traffic(stop)?;
    let outcome = account(&report, &soak.log, connections);
    soak.stage.down()?;
    Ok(outcome)
}

/// What became of the connections.
#[derive(Default)]
struct Survival {
    opened: (usize, usize),
    rounds: u64,
    dead: Vec<(End, End)>,
}

/// A run under way.
struct Soak<'o> {
    options: &'o Options,
    /// The database that is edited.
    fresh: Database,
    /// One for each known state, so that going back to it compiles nothing.
    known: BTreeMap<State, Database>,
    plan: Plan,
    stage: Stage,
    watched: Vec<Watched>,
    log: Log,
}

impl Soak<'_> {
    /// Connections and packets first, then the first policy, then all other swaps.
    fn under_traffic(&mut self, stop: &AtomicBool) -> Result<(Report, Survival), Error> {
        let mut connections = Connections::default();
        let before = self.connect(&mut connections)?;
        let Options { patience, fault, .. } = *self.options;
        let mut dead = connections.exchange(patience);
        let flows: Vec<Flow> = self.watched.iter().map(|one| one.flow).collect();
        let traffic = Traffic::start(self.stage.lab(), &flows)?;
        note(&self.fresh, &self.plan, &self.watched, &mut self.log);
        thread::sleep(MARGIN);

        let mut states = self.options.states().into_iter();
        states.next().map_or(Ok(()), |first| self.swap(first))?;
        let after = self.connect(&mut connections)?;
        self.stage.set_fault(fault);
        let done = AtomicBool::new(false);
        let (swapped, rounds, died) = thread::scope(|scope| {
            let pulse = scope.spawn(|| pulse(&mut connections, patience, &done));
            let swapped = states.take_while(|_| !stop.load(Ordering::Relaxed)).try_for_each(|state| self.swap(state));
            done.store(true, Ordering::Relaxed);
            let (rounds, died) = pulse.join().unwrap_or_default();
            (swapped, rounds, died)
        });
        swapped?;
        dead.extend(died);
        thread::sleep(MARGIN);
        dead.extend(connections.exchange(patience));
        dead.sort();
        dead.dedup();
        let report = traffic.stop(self.stage.lab())?;
        Ok((report, Survival { opened: (before, after), rounds: rounds * (before + after) as u64, dead }))
    }

    /// Edits the files, prepares, and changes what changes of all pods of all nodes.
    fn swap(&mut self, state: State) -> Result<(), Error> {
        let started = Nanos::now();
        let db = match state.is_known() {
            true => self.known.entry(state).or_insert_with(|| {
                let mut db = Database::new();
                db.set_file("cluster.yaml", &self.options.cluster());
                db
            }),
            false => &mut self.fresh,
        };
        write(db, self.options.seed, Some(state));
        let changes = self.stage.prepare(db)?;
        let began = Nanos::now();
        self.log.replaced += self.stage.make(changes)?.replaced;
        let ended = Nanos::now();
        self.log.swaps.push(Swap { began, ended });
        self.log.make.push(since(began, ended));
        let prepared = if state.is_known() { &mut self.log.known } else { &mut self.log.fresh };
        prepared.push(since(started, began));
        note(db, &self.plan, &self.watched, &mut self.log);
        let pause = self.options.at_least / self.options.swaps.max(1);
        thread::sleep(pause.saturating_sub(Duration::from_nanos(since(started, Nanos::now()))));
        Ok(())
    }

    /// Opens a connection between every pair of pods that all states let connect, and between them and the outside. How many.
    fn connect(&self, connections: &mut Connections) -> Result<usize, Error> {
        let place = |role, node| self.plan.pod(&pod(role, node));
        let mut pairs: Vec<(Option<Place>, Option<Place>)> = Vec::new();
        let nodes = self.plan.nodes().len();
        for from in 0..nodes {
            for to in 0..nodes {
                let web = place(Role::Web, from);
                pairs.extend([(web, place(Role::Db, to)), (web, place(Role::Late, to))]);
            }
            let world = Some(Place::World);
            pairs.extend([(place(Role::Web, from), world), (world, place(Role::Db, from))]);
        }
        let mut count = 0;
        for pair in pairs {
            let (Some(from), Some(to)) = pair else { continue };
            for family in [Family::V4, Family::V6] {
                let Some(ends) = Probe::new(&self.plan, from, to, family, lab::Protocol::Tcp(CONNECTIONS)) else {
                    continue;
                };
                connections.open(self.stage.lab(), ends.from, ends.to, CONNECTIONS, CONNECT)?;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// Asks the oracle what each flow comes to in the epoch that has begun, and counts the rules.
fn note(db: &Database, plan: &Plan, watched: &[Watched], log: &mut Log) {
    let judge = Judge::new(db);
    for (one, verdicts) in watched.iter().zip(&mut log.verdicts) {
        verdicts.push(one.question.is_none_or(|question| judge.expect(plan, &question).reached));
    }
    if !log.swaps.is_empty() {
        log.rules = log.rules.into_iter().chain(fewest_rules(db)).min();
    }
}

fn since(began: Nanos, ended: Nanos) -> u64 {
    ended.0.saturating_sub(began.0)
}

fn write(db: &mut Database, seed: u64, state: Option<State>) {
    for (path, text) in files(seed, state) {
        db.set_file(path, &text);
    }
}

/// Sends over every pair in the direction that opens it, so that connections are known at both ends before any reply is sent.
fn open_pairs(lab: &Lab, watched: &[Watched]) -> Result<(), Error> {
    let opening = watched.iter().filter(|one| one.question.is_some());
    let flows: Vec<Flow> = opening.map(|one| Flow { rate: 100, ..one.flow }).collect();
    let traffic = Traffic::start(lab, &flows)?;
    thread::sleep(OPENING);
    traffic.stop(lab)?;
    Ok(())
}

/// The fewest rules that a ruled direction has. A closed direction has one or none, and the other one of its class is ruled.
fn fewest_rules(db: &Database) -> Option<usize> {
    let classes = world::classes(db);
    let counts = classes.keys().filter_map(|class| {
        let sets = meaning::rule_sets(db, ClassKey::new(db, class.clone()));
        sets.iter().map(|set| set.rules().count()).max().filter(|count| *count > 0)
    });
    counts.min()
}

/// Round trips over all connections until told to stop: how many rounds, and who died.
fn pulse(connections: &mut Connections, patience: Duration, done: &AtomicBool) -> (u64, Vec<(End, End)>) {
    let (mut rounds, mut dead) = (0, Vec::new());
    while !done.load(Ordering::Relaxed) {
        dead.extend(connections.exchange(patience));
        rounds += 1;
        if !dead.is_empty() {
            break;
        }
        thread::sleep(PULSE);
    }
    (rounds, dead)
}

fn account(report: &Report, log: &Log, survival: Survival) -> Outcome {
    let slowest = Slowest::of(&report.flows);
    let [mut always, mut never, mut turned] = [Tally::default(), Tally::default(), Tally::default()];
    for (flow, verdicts) in report.flows.iter().zip(&log.verdicts) {
        let tally = reconcile(flow, verdicts, &log.swaps, &slowest);
        // Before the first policy everything passes, which says nothing about the policies.
        match verdicts.since(1) {
            (passing, all) if passing == all => always.add(tally),
            (0, _) => never.add(tally),
            _ => turned.add(tally),
        }
    }
    Outcome {
        swaps: log.swaps.len(),
        fresh: log.fresh.len(),
        replaced: log.replaced,
        rules: log.rules.unwrap_or_default(),
        flows: report.flows.len(),
        always,
        never,
        turned,
        rate: report.rate(),
        lasted: report.lasted,
        losses: report.losses,
        connections: survival.opened,
        rounds: survival.rounds,
        dead: survival.dead,
        prepare_fresh: Latency::of(log.fresh.clone()),
        prepare_known: Latency::of(log.known.clone()),
        make: Latency::of(log.make.clone()),
    }
}
