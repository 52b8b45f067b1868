//! Two threads beside the one that owns the database: one answers requests, the other looks for diagnostics, so that neither waits.

use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;

/// Work of a lane.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// A thread that does one job after another.
pub(crate) struct Lane {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    /// Starts it. Errors: the system gives no thread.
    pub fn start(name: &str) -> std::io::Result<Lane> {
        let (jobs, waiting): (Sender<Job>, Receiver<Job>) = unbounded();
        let work = move || waiting.into_iter().for_each(|job| job());
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Lane { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has a job done after those that came before.
    pub fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Fails only when the thread is gone, and then the server is going, too.
            let _ = jobs.send(job);
        }
    }
}

/// Waits for what is under way.
impl Drop for Lane {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How a question ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended<T> {
    /// With an answer.
    Answered(T),
    /// An edit overtook it.
    Overtaken,
    /// By a fault of ours, which says so.
    Failed(String),
}

/// Asks a question that an edit may overtake. A panic ends the question and nothing else.
pub(crate) fn ask<T>(question: impl FnOnce() -> T) -> Ended<T> {
    match catch_unwind(AssertUnwindSafe(|| driver::until_changed(question))) {
        Ok(Some(answer)) => Ended::Answered(answer),
        Ok(None) => Ended::Overtaken,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given");
            Ended::Failed(format!("this is a fault of tidegate, not of your files (TG9999): {said}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_one_question_alone() {
        let (done, ended) = unbounded();
        let lane = Lane::start("test").unwrap();
        for fails in [true, false] {
            let done = done.clone();
            let question = move || if fails { panic!("oh {}", 1) } else { 2 };
            lane.send(Box::new(move || done.send(ask(question)).unwrap()));
        }
        assert!(matches!(ended.recv().unwrap(), Ended::Failed(said) if said.ends_with("oh 1")));
        assert_eq!(ended.recv().unwrap(), Ended::Answered(2));
    }
}
