//! Waits until files change.

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long nothing may happen before what happened is looked at: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(100);

/// Files and folders that are watched.
pub struct Watch {
    watcher: RecommendedWatcher,
    changes: Receiver<()>,
    watched: BTreeSet<(PathBuf, RecursiveMode)>,
}

impl Watch {
    /// Watches nothing yet.
    ///
    /// Errors: the system refuses to watch.
    pub fn new() -> Result<Watch, String> {
        let (send, changes) = channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Why errors too: what was missed is found by reading again.
            if event.as_ref().map_or(true, |it| !matches!(it.kind, EventKind::Access(_))) {
                let _ = send.send(());
            }
        });
        let watcher = watcher.map_err(|error| format!("cannot watch files: {error}"))?;
        Ok(Watch { watcher, changes, watched: BTreeSet::new() })
    }

    /// Watches these paths too: folders with all below, and of a file its folder, for editors replace files.
    ///
    /// Errors: standard input, or a path that cannot be watched.
    pub fn add(&mut self, paths: impl IntoIterator<Item = String>) -> Result<(), String> {
        for path in paths {
            if path == "-" {
                return Err("`--watch` cannot watch standard input; name files or folders".into());
            }
            let watched = folder(Path::new(&path));
            if self.watched.contains(&watched) {
                continue;
            }
            let (folder, mode) = &watched;
            self.watcher
                .watch(folder, *mode)
                .map_err(|error| format!("cannot watch `{}`: {error}", folder.display()))?;
            self.watched.insert(watched);
        }
        Ok(())
    }

    /// Waits for a change and for the quiet after it; `false` when nobody watches any more.
    pub fn changed(&self) -> bool {
        if self.changes.recv().is_err() {
            return false;
        }
        while self.changes.recv_timeout(QUIET).is_ok() {}
        true
    }
}

fn folder(path: &Path) -> (PathBuf, RecursiveMode) {
    match path.is_dir() {
        true => (path.to_owned(), RecursiveMode::Recursive),
        false => {
            let folder = path.parent().filter(|it| *it != Path::new("")).unwrap_or(Path::new("."));
            (folder.to_owned(), RecursiveMode::NonRecursive)
        }
    }
}
