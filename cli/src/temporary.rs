//! What must not stay behind when a run is stopped: files and folders that are written beside their final place.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, RwLock};

/// What is being written now.
static OPEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
/// Signals are caught once, and only by a run that writes.
static CAUGHT: Once = Once::new();

/// Whether a signal came: what is not begun is not written any more. Held for reading by whoever writes a file.
static STOPPING: RwLock<bool> = RwLock::new(false);
/// How often a removal is tried.
const TRIES: usize = 100;
/// How a shell tells a run that was stopped by Ctrl-C: 128 and the number of the signal.
const STOPPED: i32 = 130;

fn open() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// A path that is removed when the run is stopped while this lives.
#[derive(Debug)]
pub struct Temporary(PathBuf);

impl Temporary {
    /// Makes something and watches over its path; a signal comes before both or after both.
    pub fn make<T>(make: impl FnOnce() -> io::Result<T>, path: impl FnOnce(&T) -> &Path) -> io::Result<(T, Temporary)> {
        CAUGHT.call_once(|| {
            // Fails only where a lab has a handler, which stops in order and so comes back here.
            let _ = ctrlc::set_handler(stop);
        });
        let mut open = open();
        let made = make()?;
        let path = path(&made).to_path_buf();
        open.insert(path.clone());
        Ok((made, Temporary(path)))
    }

    /// Does one step that must not be interrupted, such as an exchange of names: a signal waits for its end.
    pub fn settle<T>(&self, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let guard = open();
        let done = step();
        drop(guard);
        done
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        open().remove(&self.0);
    }
}

/// Writes one file of many: not begun any more once a signal came, and a signal waits for its end.
pub fn write<T>(step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let stopping = STOPPING.read().unwrap_or_else(|poisoned| poisoned.into_inner());
    if *stopping { Err(io::ErrorKind::Interrupted.into()) } else { step() }
}

/// Removes everything that is open, and ends the run.
#[expect(
    clippy::disallowed_methods,
    reason = "what would stay behind is removed here, by a thread that cannot return a code"
)]
fn stop() {
    // Held to the end, so that no name changes meanwhile; and taken first, so that a run whose writers stop does not let go of its path.
    let paths = open();
    *STOPPING.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = true;
    for path in paths.iter() {
        // Why more than once: the run itself may be removing the same folder. What cannot be removed stays; there is nobody to tell.
        let gone = |_: &usize| {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.is_ok() || path.symlink_metadata().is_err()
        };
        let _ = (0..TRIES).find(gone);
    }
    std::process::exit(STOPPED);
}
