//! Two trees of policies, compared: from text to rows.
//!
//! Each case runs in a process of its own, so that its memory is its own.

use crate::clock::process_time;
use crate::compile::{Failed, memory_kb, milliseconds, threads};
use crate::line::Line;
use crate::world::{self, Files};
use driver::Database;
use std::sync::Arc;
use std::time::Instant;

/// The target's name.
pub const TARGET: &str = "diff";
/// Policies a tree.
pub const SIZE: usize = 10_000;

/// Which of the two trees differs in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// In nothing.
    Same,
    /// In ten policies of one application each.
    Ten,
    /// In every policy that names ports: the worst.
    All,
}

impl Case {
    /// Every case with its name.
    pub const ALL: [(&'static str, Case); 3] =
        [("same", Case::Same), ("ten-policies", Case::Ten), ("every-policy", Case::All)];

    /// The case of a name.
    pub fn named(name: &str) -> Option<Case> {
        Case::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, case)| case)
    }

    fn edition(self, number: usize, n: usize) -> u16 {
        match self {
            Case::Same => 0,
            Case::Ten => u16::from(number % (n / 10) == 5),
            Case::All => 1,
        }
    }
}

/// Compares two trees of `n` policies and `n` pods.
pub fn run(name: &str, case: Case, n: usize, say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
    let old = world::world(n);
    let mut new = world::world(n);
    let facts = new.len() - n;
    for (number, (path, text)) in new.iter_mut().skip(facts).enumerate() {
        debug_assert_eq!(*path, world::policy_path(number));
        *text = world::policy(number, case.edition(number, n));
    }
    let (begin, processor) = (Instant::now(), process_time());
    let (mut before, mut after) = (Database::new(), Database::new());
    set(&mut before, old);
    set(&mut after, new);
    let read = begin.elapsed();
    let delta = delta::diff(&before, &after).map_err(|error| Failed(error.to_string()))?;
    let (wall, cpu) = (begin.elapsed(), process_time() - processor);
    let line = Line::new(TARGET, n, name).figure("ours_ms", milliseconds(wall)).figure("cpu_ms", milliseconds(cpu));
    let line = line.figure("set_ms", milliseconds(read)).with("rows", delta.changes.len());
    let line = line.with("policies_old", delta.policies[0]).with("policies_new", delta.policies[1]);
    say(line.figure("peak_rss_mb", memory_kb("VmHWM") as f64 / 1e3).with("threads", threads()));
    Ok(())
}

fn set(db: &mut Database, files: Files) {
    db.set_files(files.into_iter().map(|(path, text)| (Arc::from(path), Arc::from(text))));
}
