//! What the server asks of this machine.

use super::folders::Folders;
use super::{Lsp, forms, render};
use crate::args::Paths;
use crate::files;
use crate::{cluster, git};
use driver::{Database, Knowledge, Wish};
use gen_lsp_types::Uri;
use language_server::{Form, Opened, World};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Files, configuration and the clock.
pub(super) struct Disk {
    args: Lsp,
    began: Instant,
    /// The folders, as they were read last.
    folders: Mutex<Arc<Folders>>,
    /// The commands that run.
    pub running: render::Running,
}

impl Disk {
    pub fn new(args: Lsp) -> Disk {
        Disk { args, began: Instant::now(), folders: Mutex::default(), running: render::Running::default() }
    }

    fn paths(&self, roots: &[PathBuf]) -> Paths {
        let paths = roots.iter().map(|it| it.to_string_lossy().into_owned()).collect();
        let (namespace, reading) = (self.args.namespace.clone(), self.args.reading.clone());
        Paths { paths, filenames: Vec::new(), namespace, reading }
    }

    fn folders(&self) -> Arc<Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl World for Disk {
    fn open(&self, roots: &[PathBuf]) -> Opened {
        let mut faults = Vec::new();
        let folders = Arc::new(Folders::read(roots, |roots| self.paths(roots), &mut faults));
        *self.folders.lock().unwrap_or_else(PoisonError::into_inner) = folders.clone();
        let first = folders.first();
        let paths = first.map_or_else(|| self.paths(roots), |it| it.paths.clone());
        let gathered = folders.gathered();
        let manifests: Vec<(String, String)> = gathered.manifests.into_iter().map(|it| (it.path, it.text)).collect();
        let known = cluster::known(&paths.reading.cluster, paths.namespace(), false);
        let unreadable = gathered.unreadable.into_iter().chain(known.unreadable);
        faults.extend(unreadable.map(|it| format!("`{}` cannot be read: {}", it.path, it.reason)));
        let wish = if first.is_some() { paths.reading.dialect } else { Wish::Auto };
        let judge = folders.clone();
        Opened {
            manifests,
            cluster: known.cluster,
            heeded: known.heeded,
            knowledge: Knowledge::from(paths.reading.facts),
            wish,
            namespace: paths.namespace().to_owned(),
            keep: Arc::new(move |db, found| folders.keeps(db, found)),
            rules: Arc::new(move |path| judge.rules(path)),
            faults,
        }
    }

    fn render(&self, folder: &Path, command: &[String], limit: Duration) -> Result<String, String> {
        render::rendered(&self.running, command, folder, limit)
    }

    fn read(&self, path: &Path) -> Option<String> {
        files::text(path).ok()
    }

    fn takes(&self, path: &Path) -> bool {
        self.folders().takes(path)
    }

    fn leaves_out(&self, path: &Path) -> bool {
        files::is_manifest(path) && path.is_file() && !self.folders().takes(path)
    }

    fn committed(&self, path: &Path) -> Option<String> {
        git::committed(path)
    }

    fn page(&self, code: &str) -> Option<Uri> {
        Uri::parse(&checks::explain(code)?.address()).ok()
    }

    fn draw(&self, db: &Database, form: &Form) -> Result<String, String> {
        forms::draw(db, form)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

/// The most memory that this process had, in KiB. Source: `VmHWM` of proc_pid_status(5).
pub(super) fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
