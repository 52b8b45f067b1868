//! Runs a command that prints manifests, as long as it may take.

use crate::rendered::text_of;
use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked whether it ended.
const LOOK: Duration = Duration::from_millis(10);

/// The process groups of the commands that run now; `None` once no more may begin.
pub(super) struct Running(Mutex<Option<BTreeSet<u32>>>);

impl Default for Running {
    fn default() -> Running {
        Running(Mutex::new(Some(BTreeSet::new())))
    }
}

impl Running {
    /// Starts a command, unless no more may begin.
    fn begin(&self, command: &mut Command) -> std::io::Result<Child> {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = groups.as_mut().ok_or_else(|| std::io::Error::other("the server ends"))?;
        // A group of its own, so that what it starts ends with it.
        let child = command.process_group(0).spawn()?;
        groups.insert(child.id());
        Ok(child)
    }

    fn ended(&self, group: u32) {
        if let Some(groups) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            groups.remove(&group);
        }
    }

    /// Ends all that run, and lets no more begin.
    pub fn end(&self) {
        let groups = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        groups.into_iter().flatten().for_each(end);
    }
}

/// What a command prints that is run in a folder. Errors: for people: it cannot be run, fails, takes too long, or prints no text.
pub(super) fn rendered(
    running: &Running,
    command: &[String],
    folder: &Path,
    limit: Duration,
) -> Result<String, String> {
    let Some((program, args)) = command.split_first() else {
        return Err("a command of `tidegate.render` is empty".into());
    };
    let shown = command.join(" ");
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = running.begin(&mut command).map_err(|error| match error.kind() {
        _ if !folder.is_dir() => format!("`{shown}` cannot be run: there is no folder `{}`", folder.display()),
        std::io::ErrorKind::NotFound => format!("`{shown}` cannot be run: there is no program `{program}`"),
        _ => format!("`{shown}` cannot be run: {error}"),
    })?;
    let ended = output(&mut child, Instant::now() + limit);
    if ended.is_none() {
        end(child.id());
        let _ = child.wait();
    }
    running.ended(child.id());
    let output = ended.ok_or_else(|| {
        format!("`{shown}` was ended after {} s, which is what `tidegate.renderTimeout` grants", limit.as_secs())
    })?;
    text_of(output, &shown)
}

/// What it printed when it ended; `None` where that is not until then.
fn output(child: &mut Child, until: Instant) -> Option<Output> {
    let (stdout, stderr) = (child.stdout.take().map(all_of), child.stderr.take().map(all_of));
    let status = loop {
        match child.try_wait().ok()? {
            Some(status) => break status,
            None if Instant::now() >= until => return None,
            None => std::thread::sleep(LOOK),
        }
    };
    let read = |it: Option<Receiver<Vec<u8>>>| {
        it?.recv_timeout(until.saturating_duration_since(Instant::now()).max(LOOK)).ok()
    };
    Some(Output { status, stdout: read(stdout)?, stderr: read(stderr)? })
}

/// All bytes of a pipe, once it is closed.
fn all_of(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Fails only when the pipe breaks or nobody waits any more.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = to.send(bytes);
    });
    from
}

/// Ends a command and what it started.
fn end(group: u32) {
    let group = nix::unistd::Pid::from_raw(group as i32);
    // Fails only when all of it is gone.
    let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
}
