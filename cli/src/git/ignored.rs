//! What the walk through a folder would leave out, asked of a revision: hidden entries, and what `.ignore` and `.tidegateignore` files
//! name.

use super::entries::{Entry, Kind};
use super::{contents, git};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The files that say it, the stronger first.
const NAMES: [&str; 2] = [".tidegateignore", ".ignore"];

/// Why an entry is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Its name, or that of a folder that it is in, begins with a dot.
    Hidden,
    /// A file of the revision names it.
    Named,
}

/// What is left out below a path.
pub(super) struct Ignored {
    /// Where the current folder is.
    prefix: PathBuf,
    /// Where the walk begins; this and every place is written from the root of the repository.
    root: PathBuf,
    /// Of each name, the rules by the folder in which they stand.
    rules: [BTreeMap<PathBuf, Gitignore>; 2],
}

impl Ignored {
    /// What the files of a commit say: those among the entries below a path, and those of the folders above it.
    ///
    /// Errors: what git says.
    pub fn of(commit: &str, path: &str, entries: &[Entry]) -> Result<Ignored, String> {
        let prefix = PathBuf::from(git(&["rev-parse", "--show-prefix"])?.trim_end_matches('\n'));
        let root = place(&prefix, path);
        let mut ignored = Ignored { prefix, root, rules: Default::default() };
        for folder in ignored.root.clone().ancestors().skip(1) {
            for name in NAMES {
                // Most folders have none.
                if let Ok(text) = git(&["cat-file", "blob", &format!("{commit}:{}", folder.join(name).display())]) {
                    ignored.add(&folder.join(name), &text);
                }
            }
        }
        let says = |it: &&Entry| it.kind == Kind::File && NAMES.iter().any(|name| Path::new(&it.path).ends_with(name));
        let files = entries.iter().filter(says).map(|it| (it.object.clone(), it.path.clone())).collect();
        for blob in contents(files)? {
            ignored.add(&place(&ignored.prefix, &blob.path), &blob.text.unwrap_or_default());
        }
        Ok(ignored)
    }

    fn add(&mut self, file: &Path, text: &str) {
        let (Some(folder), Some(at)) = (file.parent(), NAMES.iter().position(|name| file.ends_with(name))) else {
            return;
        };
        let mut builder = GitignoreBuilder::new(folder);
        for line in text.trim_start_matches('\u{feff}').lines() {
            // As the walk has it: a line that is no pattern says nothing.
            let _ = builder.add_line(None, line);
        }
        if let Ok(rules) = builder.build() {
            self.rules[at].insert(folder.to_owned(), rules);
        }
    }

    /// Why an entry is left out, itself or with a folder that it is in.
    pub fn leaves_out(&self, path: &str) -> Option<Why> {
        let place = place(&self.prefix, path);
        let below = place.strip_prefix(&self.root).ok()?;
        let mut here = self.root.clone();
        below.components().find_map(|part| {
            here.push(part);
            self.why(&here, here != place)
        })
    }

    fn why(&self, place: &Path, is_folder: bool) -> Option<Why> {
        let said = self.rules.iter().flat_map(|rules| place.ancestors().skip(1).filter_map(|folder| rules.get(folder)));
        let said = said.map(|rules| rules.matched(place, is_folder)).find(|it| !it.is_none());
        let is_hidden = || place.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        match said {
            Some(Match::Ignore(_)) => Some(Why::Named),
            Some(Match::Whitelist(_)) => None,
            Some(Match::None) | None => is_hidden().then_some(Why::Hidden),
        }
    }
}

/// A path, relative to the current folder, from the root of the repository.
fn place(prefix: &Path, path: &str) -> PathBuf {
    let mut place = PathBuf::new();
    for part in prefix.join(path).components() {
        match part {
            Component::ParentDir => drop(place.pop()),
            Component::Normal(name) => place.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    place
}
