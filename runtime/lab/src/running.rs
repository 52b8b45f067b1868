//! A lab that is up.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::error::{Error, Result};
use crate::netns::{self, Namespace};
use crate::topology::names::PREFIX;
use crate::topology::{Place, Plan, RunId};
use crate::wire;

/// How many namespaces are worked on at once: most of the time is spent waiting for the kernel's one lock over links.
const WORKERS: usize = 4;

/// The namespaces of one plan, up and wired. Dropping it takes them down.
///
/// A crash or `SIGKILL` leaves names under `/run/netns` and nothing else; [`orphans`] finds them. The crate installs no
/// signal handler: a caller that wants Ctrl-C to clean up sets the flag it gave to [`Lab::up_unless`] while the lab is being
/// made, and afterwards returns so that the lab is dropped.
#[derive(Debug)]
pub struct Lab {
    plan: Plan,
    namespaces: Vec<Namespace>,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Down,
    Stay,
}

impl Lab {
    /// Makes everything the plan names.
    ///
    /// Errors: the first failure, after taking down what had been made. Cost: a few
    /// milliseconds a pod.
    pub fn up(plan: &Plan) -> Result<Lab> {
        Lab::up_unless(plan, &AtomicBool::new(false))
    }

    /// As [`Lab::up`], and gives up with [`Error::Stopped`] soon after `stop` becomes true.
    pub fn up_unless(plan: &Plan, stop: &AtomicBool) -> Result<Lab> {
        let plans = plan.namespaces();
        let mut lab = Lab { plan: plan.clone(), namespaces: vec![], fate: Fate::Down };
        // The core comes first and is claimed at once: whoever can claim a run's core knows that its owner is gone.
        for part in [0..1, 1..plans.len()] {
            let part = plans.get(part).unwrap_or_default();
            let made =
                each(part.len(), stop, |index| Namespace::create(&part[index].name, || wire::settings(&part[index])));
            let mut failed = None;
            for one in made {
                match one {
                    Ok((namespace, ())) => lab.namespaces.push(namespace),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            // Dropping the lab here removes what was made.
            failed.map_or(Ok(()), Err)?;
            lab.claim()?;
        }
        let namespaces = &lab.namespaces;
        for step in [Step::Links, Step::Routes, Step::Ready] {
            let work = |index: usize| {
                namespaces[index].run(|| match step {
                    Step::Links if plans[index].veths.is_empty() => Ok(()),
                    Step::Links => wire::links(&plans[index], namespaces),
                    Step::Routes => wire::routes(&plans[index]),
                    Step::Ready => wire::ready(&plans[index]),
                })
            };
            each(plans.len(), stop, work).into_iter().collect::<Result<Vec<()>>>()?;
        }
        Ok(lab)
    }

    /// Opens a lab that another process made and kept, by its plan. Dropping it leaves it as it is.
    ///
    /// Errors: a namespace of the plan is missing.
    pub fn open(plan: &Plan) -> Result<Lab> {
        let opened = plan.namespaces().iter().map(|one| Namespace::open(&one.name));
        Ok(Lab { plan: plan.clone(), namespaces: opened.collect::<Result<_>>()?, fate: Fate::Stay })
    }

    /// What was made.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The namespace of a place.
    ///
    /// Errors: [`Error::NoSuchPlace`].
    pub fn namespace(&self, place: Place) -> Result<&Namespace> {
        let found = self.plan.namespace_of(place).and_then(|index| self.namespaces.get(index));
        found.ok_or_else(|| Error::NoSuchPlace { what: format!("{place:?}") })
    }

    /// Runs `work` on a thread inside the namespace of a place and waits for it: see [`Namespace::run`]. A process that `work`
    /// starts is born in that namespace too.
    ///
    /// Errors: failures of `work` come back as [`Error::Inside`].
    pub fn inside<R: Send, E>(&self, place: Place, work: impl FnOnce() -> std::result::Result<R, E> + Send) -> Result<R>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.namespace(place)?.run(|| work().map_err(|error| Error::Inside(error.into())))
    }

    /// As [`Lab::inside`], by the name of a node: where programs are attached to host ends ([`Plan::host_end`]).
    pub fn in_node<R: Send, E>(&self, name: &str, work: impl FnOnce() -> std::result::Result<R, E> + Send) -> Result<R>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let node = self.plan.node(name).ok_or_else(|| Error::NoSuchPlace { what: format!("node `{name}`") })?;
        self.inside(node, work)
    }

    /// Takes everything down.
    ///
    /// Errors: the first name that could not be removed; the others are removed all the same.
    pub fn down(mut self) -> Result<()> {
        self.fate = Fate::Stay;
        self.remove()
    }

    /// Leaves everything up when this process ends; [`down_all`] takes it down later.
    pub fn keep(mut self) {
        self.fate = Fate::Stay;
    }

    fn claim(&self) -> Result<()> {
        let Some(core) = self.namespaces.first() else { return Ok(()) };
        if core.claim()? { Ok(()) } else { Err(Error::NoSuchPlace { what: "claim on its own core".to_string() }) }
    }

    fn remove(&mut self) -> Result<()> {
        // Last made, first removed: the core's claim holds until all else is gone.
        let mut first = Ok(());
        while let Some(namespace) = self.namespaces.pop() {
            let removed = netns::remove(namespace.name());
            first = first.and(removed);
        }
        first
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.fate == Fate::Down {
            // There is nobody left to tell; `orphans` finds what stayed.
            let _ = self.remove();
        }
    }
}

/// A run whose namespaces are there and whose owner is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The run.
    pub run: RunId,
    /// Its namespaces, sorted.
    pub names: Vec<String>,
}

/// Runs, found by name, that no process holds: left by a crash or by [`Lab::keep`].
///
/// `run_prefix` narrows to runs that begin so; empty means all.
pub fn orphans(run_prefix: &str) -> Result<Vec<Orphan>> {
    let mut found: Vec<Orphan> = vec![];
    for name in netns::list(&format!("{PREFIX}{run_prefix}"))? {
        let Some(run) = RunId::of_namespace(&name) else { continue };
        match found.last_mut().filter(|orphan| orphan.run == run) {
            Some(orphan) => orphan.names.push(name),
            None => found.push(Orphan { run, names: vec![name] }),
        }
    }
    let mut orphans = vec![];
    for orphan in found {
        if ownerless(&orphan.run)? {
            orphans.push(orphan);
        }
    }
    Ok(orphans)
}

/// Takes one run down, if no process owns it, and says what it was; `None` when there is no such run or it has an owner.
///
/// Errors: as [`down_all`].
pub fn down(run: &RunId) -> Result<Option<Orphan>> {
    // Why the dash: a run id holds none, so no other run begins so.
    Ok(down_all(&format!("{run}-"))?.pop())
}

/// Takes every orphan down and says which they were.
///
/// Errors: the first failure; the others are removed all the same. A process that still lives in a namespace keeps it alive
/// without a name until it ends.
pub fn down_all(run_prefix: &str) -> Result<Vec<Orphan>> {
    let found = orphans(run_prefix)?;
    let removed: Vec<Result<()>> = found.iter().flat_map(|one| &one.names).map(|name| netns::remove(name)).collect();
    removed.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(found)
}

fn ownerless(run: &RunId) -> Result<bool> {
    let core = run.core();
    match Namespace::open(&core) {
        Ok(namespace) => namespace.claim(),
        // No core: its owner died while making it or while taking it down.
        Err(Error::Namespace { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

#[derive(Clone, Copy)]
enum Step {
    Links,
    Routes,
    Ready,
}

/// Runs `work` for every index on a few threads; results in the order of indices.
fn each<R: Send>(count: usize, stop: &AtomicBool, work: impl Fn(usize) -> Result<R> + Sync) -> Vec<Result<R>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let worker = || {
        let mut mine = vec![];
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return mine;
            }
            let halted = stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed);
            let result = if halted { Err(Error::Stopped) } else { work(index) };
            if matches!(&result, Err(error) if !matches!(error, Error::Stopped)) {
                failed.store(true, Ordering::Relaxed);
            }
            mine.push((index, result));
        }
    };
    let mut all: Vec<(usize, Result<R>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS.min(count)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(index, result)| (matches!(result, Err(Error::Stopped)), *index));
    if all.len() < count {
        all.push((count, Err(Error::Panicked { name: "lab worker".to_string() })));
    }
    all.into_iter().map(|(_, result)| result).collect()
}
