//! `tidegate lab`: the pods of cluster files as namespaces of this machine, with real traffic.

pub mod doubt;
mod made_of;
pub mod play;
pub mod run;
pub mod view;

use super::Exit;
use crate::args::Color;
use crate::output;
use crate::visible::visible;
use clap::{Args, Subcommand};
use driver::{Database, world};
use image::Target;
use lab::RunId;
use lab::topology::Plan;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Run the pods of a cluster file as namespaces with real traffic.
///
/// Everything happens in network namespaces that carry the run's name; interfaces of this machine stay alone.
#[derive(Debug, Args)]
pub struct Lab {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What a lab can do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make the lab, ask every pair, compare with what the policies mean, and take it down.
    Run(run::Run),
    /// Make the lab and leave it up.
    Up(play::Up),
    /// Compile changed files and swap them into a lab that is up.
    Swap(play::Swap),
    /// Run a program inside a pod, a node or the world of a lab that is up.
    Exec(play::Exec),
    /// Take labs down: one by name, or all that no process owns.
    Down(play::Down),
}

impl Lab {
    /// Does it.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        match self.action {
            Action::Run(run) => run.run(color),
            Action::Up(up) => up.run(color),
            Action::Swap(swap) => swap.run(color),
            Action::Exec(exec) => exec.run(),
            Action::Down(down) => down.run(),
        }
    }
}

/// The plan of the lab of what was read.
pub(super) fn plan(db: &Database, run: RunId) -> Result<Plan, String> {
    let spec = rehearsal::spec::spec(&world::cluster(db), run, &Default::default());
    if spec.pods.is_empty() {
        return Err("the files hold no pod with an address, so there is nobody to put into a lab".into());
    }
    Plan::new(spec).map_err(|error| error.to_string())
}

/// A flag that Ctrl-C and termination set. A second Ctrl-C is not needed: whatever waits looks at the flag, and what is made is undone.
pub(super) fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    // Fails only when a handler is set already, which then does the same for its own flag.
    let _ = ctrlc::set_handler(move || seen.store(true, Ordering::SeqCst));
    stop
}

/// Whether this process may make namespaces and load programs; else why not.
pub(super) fn kernel() -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("it needs root".into());
    }
    loader::features().map(|_| ()).map_err(|error| error.to_string())
}

/// The target of the running kernel, for which the database builds from now on.
pub(super) fn target(db: &mut Database) -> Result<Target, String> {
    let target = loader::features().map_err(|error| error.to_string())?.target();
    db.set_target(target.clone());
    Ok(target)
}

/// Text on standard output; a reader who left is no error.
pub(super) fn say(text: &str) -> Result<(), String> {
    output::write_stdout(&visible(text)).map_err(|error| error.to_string())
}

/// The command that does what this process was asked to, as root, for a shell.
pub(super) fn as_root() -> String {
    let program =
        std::env::current_exe().map_or_else(|_| "tidegate".to_owned(), |it| it.to_string_lossy().into_owned());
    let arguments = std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once(program).chain(arguments).map(|it| quoted(&it)).collect();
    format!("sudo -E {}", words.join(" "))
}

/// A word as a POSIX shell reads it back.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A seed for this run, from the clock: printed, and taken back by `--seed`.
pub(super) fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::from(since.subsec_nanos()) << 20 ^ since.as_secs()
    })
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for word in ["plain/path.yaml", "", "a b", "it's", "$HOME", "*"] {
            let shell = std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output();
            assert_eq!(String::from_utf8(shell.unwrap().stdout).unwrap(), word);
        }
    }
}
