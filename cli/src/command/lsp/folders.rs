//! The folders that an editor has open, each with the configuration that `check` would find there.

use crate::args::Paths;
use crate::command::check::{Check, settings::Settings};
use crate::files::{self, Gathered, Take};
use checks::suppress::Rules;
use diag::Diagnostic;
use driver::Database;
use std::path::{Path, PathBuf};

/// One folder.
struct Folder {
    path: PathBuf,
    /// `None` where its configuration cannot be read.
    settings: Option<Settings>,
}

/// All folders; one without a path, which holds everything, where there is none.
#[derive(Default)]
pub(super) struct Folders(Vec<Folder>);

impl Folders {
    /// Reads their configuration; `paths` says what flags say of one. Faults are told, each once.
    pub fn read(roots: &[PathBuf], paths: impl Fn(&[PathBuf]) -> Paths, faults: &mut Vec<String>) -> Folders {
        let mut folder = |path: &Path, roots: &[PathBuf]| {
            let settings = Settings::of(&Check::of(paths(roots)));
            let settings = settings.map_err(|why| faults.push(why)).ok();
            Folder { path: path.to_path_buf(), settings }
        };
        let folders = match roots {
            [] => vec![folder(Path::new(""), &[])],
            roots => roots.iter().map(|it| folder(it, std::slice::from_ref(it))).collect(),
        };
        faults.sort();
        faults.dedup();
        Folders(folders)
    }

    /// What holds for all of them, as they are one workspace: what the first one says of the cluster and of the reading.
    pub fn first(&self) -> Option<&Settings> {
        self.0.first().and_then(|it| it.settings.as_ref())
    }

    /// The manifests of each folder, less those of folders in it.
    pub fn gathered(&self) -> Gathered {
        let mut all = Gathered::default();
        for folder in self.0.iter().filter(|it| it.path != Path::new("")) {
            let mut found = files::read_with(&[folder.path.to_string_lossy().into_owned()], &folder.take());
            found.manifests.retain(|it| self.of(Path::new(&it.path)).is_some_and(|of| of.path == folder.path));
            all.manifests.append(&mut found.manifests);
            all.unreadable.append(&mut found.unreadable);
        }
        all
    }

    /// The innermost folder that holds a path.
    fn of(&self, path: &Path) -> Option<&Folder> {
        let around = self.0.iter().filter(|it| path.starts_with(&it.path));
        around.max_by_key(|it| it.path.components().count())
    }

    /// The settings that hold for a path: of what lies in no folder, those of the first.
    fn settings(&self, path: &str) -> Option<&Settings> {
        self.of(Path::new(path)).or(self.0.first())?.settings.as_ref()
    }

    /// Whether reading its folder takes a file that is there.
    pub fn takes(&self, path: &Path) -> bool {
        self.of(path).is_some_and(|it| files::takes(&it.path, path, &it.take()))
    }

    /// Whether a finding is asked for where it stands.
    pub fn keeps(&self, db: &Database, found: &Diagnostic) -> bool {
        let file = found.place().and_then(|label| db.file(label.file));
        let settings = self.settings(file.map_or("", |it| it.path(db)));
        settings.is_none_or(|it| it.keeps(db, found))
    }

    /// How suppressions of a file are judged.
    pub fn rules(&self, path: &str) -> Rules {
        self.settings(path).map_or(Rules::default(), |it| it.rules)
    }
}

impl Folder {
    fn take(&self) -> Take {
        self.settings.as_ref().map_or(Take::default(), |it| it.take.clone())
    }
}
