//! The process that runs cases, so that what ends it does not end the run.
//!
//! It prints `at N` before each case and `failed N TEXT` after one that does not hold. A case that overflows the stack or exhausts
//! memory ends the process; one that hangs is ended by whoever watches.

use crate::Target;
use nix::sys::resource::{Resource, setrlimit};
use std::any::Any;
use std::cell::RefCell;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// The stack of a case: what a thread of Rust has, the least of those that cases run on elsewhere.
const STACK: usize = 2 << 20;
/// The memory of a worker, in bytes.
const MEMORY: u64 = 3 << 30;
/// The exit code of a worker that ran its cases.
const DONE: u8 = 0;
/// The exit code of one text that does not hold.
const FAILED: u8 = 1;
/// The exit code when there is no worker.
const BROKEN: u8 = 2;

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs cases `from` and on, `count` of them.
pub fn cases(target: Target, seed: u64, from: u64, count: u64) -> ExitCode {
    in_own_thread(move || {
        let mut out = std::io::stdout().lock();
        for number in from..from.saturating_add(count) {
            // A watcher that is gone wants no more cases.
            if writeln!(out, "at {number}").and_then(|()| out.flush()).is_err() {
                return DONE;
            }
            if let Err(what) = run(|| target.check(&target.generate(seed, number))) {
                let written = writeln!(out, "failed {number} {}", what.replace('\n', " "));
                if written.and_then(|()| out.flush()).is_err() {
                    return DONE;
                }
            }
        }
        DONE
    })
}

/// Checks the text of standard input; prints what does not hold.
pub fn one(target: Target) -> ExitCode {
    in_own_thread(move || {
        let mut bytes = Vec::new();
        if std::io::stdin().read_to_end(&mut bytes).is_err() {
            return BROKEN;
        }
        match run(|| target.check(&String::from_utf8_lossy(&bytes))) {
            Ok(()) => DONE,
            Err(what) => {
                // Whoever does not read knows by the exit code.
                let _ = writeln!(std::io::stdout(), "{}", what.replace('\n', " "));
                FAILED
            }
        }
    })
}

fn in_own_thread(work: impl FnOnce() -> u8 + Send + 'static) -> ExitCode {
    // Where the limit cannot be set, exhaustion is found all the same, only later.
    let _ = setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY);
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|it| format!("{}:{}", it.file(), it.line())).unwrap_or_default();
        PLACE.with(|cell| cell.replace(place));
    }));
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work);
    ExitCode::from(thread.map_or(BROKEN, |thread| thread.join().unwrap_or(FAILED)))
}

/// The outcome of a case, a panic included.
fn run(check: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|payload| {
        let place = PLACE.with(|cell| cell.borrow().clone());
        Err(format!("panic at {place}: {}", words(&*payload)))
    })
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("without words").to_owned()
}
