//! Watches workers: starts them, names the case that ended one, minimises, and counts.

use crate::Target;
use crate::minimise::minimise;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that runs as a worker, see [`crate::worker`].
    pub program: PathBuf,
    /// The targets, one after the other.
    pub targets: Vec<Target>,
    /// How long each target runs; the number of cases alone decides when there is none.
    pub time: Option<Duration>,
    /// The most cases of a target.
    pub cases: u64,
    /// Chooses the cases.
    pub seed: u64,
    /// How long one case may take.
    pub patience: Duration,
    /// Where minimised texts go, each target in a folder of its own; nowhere when there is none.
    pub keep: Option<PathBuf>,
}

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of which target.
    pub target: Target,
    /// The number of the case under the run's seed.
    pub number: u64,
    /// What does not hold.
    pub what: String,
    /// The text, minimised.
    pub text: String,
    /// How many cases of the run failed in the same way.
    pub times: u64,
}

/// What a run of one target came to.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The target.
    pub target: Target,
    /// How many cases were run to their end.
    pub executions: u64,
    /// How long it took, minimising included.
    pub time: Duration,
    /// One for each way to fail.
    pub failures: Vec<Failure>,
}

/// Runs the targets. `say` gets one line an event.
///
/// Errors: text, when a worker cannot be started or a text cannot be kept.
pub fn run(options: &Options, say: &mut dyn FnMut(String)) -> Result<Vec<Summary>, String> {
    options.targets.iter().map(|target| of_target(*target, options, say)).collect()
}

fn of_target(target: Target, options: &Options, say: &mut dyn FnMut(String)) -> Result<Summary, String> {
    let begin = Instant::now();
    let mut found: BTreeMap<String, Failure> = BTreeMap::new();
    let (mut next, mut failed_cases) = (0, 0_u64);
    while next < options.cases && options.time.is_none_or(|time| begin.elapsed() < time) {
        let left = options.time.map(|time| time.saturating_sub(begin.elapsed()));
        let ended = worker(target, options, next, left, &mut |what| match found.get_mut(&signature(what)) {
            Some(known) => {
                known.times += 1;
                failed_cases += 1;
                true
            }
            None => false,
        })?;
        next = ended.next;
        if let Some((number, what)) = ended.failure {
            failed_cases += 1;
            let signature = signature(&what);
            say(format!("{target} case {number}: {what}"));
            let same = |text: &str| {
                let outcome = check(options, target, text);
                matches!(outcome, Ok(Some(other)) if self::signature(&other) == signature)
            };
            let text = minimise(&target.generate(options.seed, number), &same);
            let failure = Failure { target, number, what, text, times: 1 };
            keep(options, &failure, say)?;
            found.insert(signature, failure);
        }
    }
    let executions = next;
    let summary = Summary { target, executions, time: begin.elapsed(), failures: found.into_values().collect() };
    say(format!(
        "fuzz target={target} seed={} executions={executions} seconds={:.0} failures={} failed_cases={failed_cases}",
        options.seed,
        summary.time.as_secs_f64(),
        summary.failures.len()
    ));
    Ok(summary)
}

/// Where a worker ended.
struct Ended {
    /// The first case that was not run to its end.
    next: u64,
    /// The case that failed as none did before.
    failure: Option<(u64, String)>,
}

/// Runs one worker until it is done, a case fails in a new way, or time is over.
fn worker(
    target: Target,
    options: &Options,
    from: u64,
    left: Option<Duration>,
    known: &mut dyn FnMut(&str) -> bool,
) -> Result<Ended, String> {
    let count = options.cases - from;
    let mut child = Command::new(&options.program)
        .args(["worker", target.name(), &options.seed.to_string(), &from.to_string(), &count.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", options.program.display()))?;
    let lines = lines(&mut child);
    let begin = Instant::now();
    let mut at = from;
    loop {
        let failure = match lines.recv_timeout(options.patience) {
            Ok(line) => {
                match (line.strip_prefix("at "), line.strip_prefix("failed ").and_then(|it| it.split_once(' '))) {
                    (Some(number), _) => {
                        at = number.parse().unwrap_or(at);
                        if left.is_none_or(|left| begin.elapsed() < left) {
                            continue;
                        }
                        end(&mut child);
                        return Ok(Ended { next: at, failure: None });
                    }
                    (None, Some((_, what))) if known(what) => continue,
                    (None, Some((_, what))) => what.to_owned(),
                    (None, None) => continue,
                }
            }
            Err(RecvTimeoutError::Timeout) => hang(options),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(|error| error.to_string())?;
                if status.success() {
                    return Ok(Ended { next: options.cases, failure: None });
                }
                crash(status)
            }
        };
        end(&mut child);
        return Ok(Ended { next: at + 1, failure: (!known(&failure)).then_some((at, failure)) });
    }
}

fn hang(options: &Options) -> String {
    format!("hang: longer than {} s", options.patience.as_secs())
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            // A line that cannot be read ends the reading, as the end of the worker does.
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    receiver
}

/// What does not hold of one text, in a process of its own; `None` when all does.
///
/// Errors: text, when no process can be started.
pub fn check(options: &Options, target: Target, text: &str) -> Result<Option<String>, String> {
    let mut child = Command::new(&options.program)
        .args(["one", target.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{}: {error}", options.program.display()))?;
    if let Some(mut input) = child.stdin.take() {
        // A worker that ends before it has read everything has its reasons; its exit status tells.
        let _ = input.write_all(text.as_bytes());
    }
    let lines = lines(&mut child);
    let said = match lines.recv_timeout(options.patience) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Timeout) => {
            end(&mut child);
            return Ok(Some(hang(options)));
        }
        Err(RecvTimeoutError::Disconnected) => None,
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(match (status.success(), said) {
        (true, _) => None,
        (false, Some(said)) => Some(said),
        (false, None) => Some(crash(status)),
    })
}

/// Ends a worker; one that has ended already is no matter.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn crash(status: ExitStatus) -> String {
    format!("crash: the worker ended with {status} (a stack or memory that is exhausted ends it)")
}

/// What two failures of one cause have in common: the place of a panic, or the name of what does not hold.
fn signature(what: &str) -> String {
    let parts = if what.starts_with("panic at ") { 3 } else { 1 };
    let mut name: Vec<&str> = what.split(':').take(parts.min(2)).collect();
    name.truncate(2);
    name.join(":")
}

fn keep(options: &Options, failure: &Failure, say: &mut dyn FnMut(String)) -> Result<(), String> {
    let Some(folder) = &options.keep else { return Ok(()) };
    let folder = folder.join(failure.target.name());
    let words = |it: char| if it.is_ascii_alphanumeric() { it.to_ascii_lowercase() } else { '-' };
    let name: String = signature(&failure.what).rsplit('/').next().unwrap_or_default().chars().map(words).collect();
    let path = folder.join(format!("{name}-{}-{}.yaml", options.seed, failure.number));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    std::fs::write(&path, &failure.text).map_err(|error| format!("{}: {error}", path.display()))?;
    say(format!("kept {}", path.display()));
    Ok(())
}
