//! The entries of a revision: its files, where its links lead, and the repositories in it.

use super::git;
use std::collections::{BTreeMap, VecDeque};

/// How many links lead to a file at most, as in the kernel (path_resolution(7)).
const LINKS: usize = 40;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// Another repository.
    Submodule,
}

/// One entry that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub kind: Kind,
    /// The name by which git knows what it holds.
    pub object: String,
    /// Its path.
    pub path: String,
}

/// The entries at or below some paths of a commit; paths are relative to the current folder, or to the root of the repository with `full`.
///
/// Errors: what git says.
pub(super) fn list(commit: &str, paths: &[String], full: bool) -> Result<Vec<Entry>, String> {
    let mut args = vec!["ls-tree", "-r", "-z"];
    args.extend(full.then_some("--full-tree"));
    args.extend([commit, "--"]);
    args.extend(paths.iter().map(String::as_str));
    let listed = git(&args)?;
    Ok(listed.split('\0').filter_map(entry).collect())
}

/// Reads `MODE TYPE OBJECT<tab>PATH`.
fn entry(line: &str) -> Option<Entry> {
    let (head, path) = line.split_once('\t')?;
    let mut head = head.split(' ');
    let kind = match head.next()? {
        "120000" => Kind::Link,
        "160000" => Kind::Submodule,
        _ => Kind::File,
    };
    let object = head.nth(1)?.to_owned();
    Some(Entry { kind, object, path: path.to_owned() })
}

/// All entries of a commit, by their paths from the root of the repository.
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
    /// Where the current folder is in it: empty, or with `/` at its end.
    prefix: String,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A file: the object that it holds.
    File(String),
    /// A folder, by its path from the root.
    Folder(String),
}

impl Tree {
    /// Errors: what git says.
    pub fn of(commit: &str) -> Result<Tree, String> {
        let prefix = git(&["rev-parse", "--show-prefix"])?.trim_end_matches('\n').to_owned();
        let entries = list(commit, &[], true)?.into_iter().map(|it| (it.path.clone(), it)).collect();
        Ok(Tree { entries, prefix })
    }

    /// Where a path leads that is relative to the current folder, links followed within the commit.
    ///
    /// Errors: for people; it leads out of the repository, into another one, nowhere, or in a circle.
    pub fn place(&self, path: &str) -> Result<Place, String> {
        self.follow(path, |link| git(&["cat-file", "blob", link]))
    }

    fn follow(&self, path: &str, target: impl Fn(&str) -> Result<String, String>) -> Result<Place, String> {
        let parts = |text: &str| text.split('/').map(str::to_owned).collect::<VecDeque<_>>();
        let mut rest = parts(&format!("{}{path}", self.prefix));
        let (mut here, mut links): (Vec<String>, usize) = (Vec::new(), 0);
        while let Some(part) = rest.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    here.pop().ok_or_else(|| "a link that leads out of the repository".to_owned())?;
                    continue;
                }
                _ => here.push(part),
            }
            let Some(entry) = self.entries.get(&here.join("/")) else { continue };
            match entry.kind {
                Kind::File => {}
                Kind::Submodule => return Err(format!("`{}` is a submodule, another repository", entry.path)),
                Kind::Link => {
                    links += 1;
                    let to = target(&entry.object)?;
                    if to.starts_with('/') {
                        return Err(format!("a link that leads out of the repository, to `{to}`"));
                    }
                    if links > LINKS {
                        return Err("its links lead in a circle".into());
                    }
                    here.pop();
                    let mut all = parts(&to);
                    all.append(&mut rest);
                    rest = all;
                }
            }
        }
        let path = here.join("/");
        let folder = format!("{path}/");
        match self.entries.get(&path) {
            Some(entry) => Ok(Place::File(entry.object.clone())),
            None if path.is_empty() => Ok(Place::Folder(path)),
            None if self.entries.range(folder.clone()..).next().is_some_and(|(it, _)| it.starts_with(&folder)) => {
                Ok(Place::Folder(path))
            }
            None => Err(format!("a link to `{path}`, which the revision does not have")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_within_the_revision_and_no_further() {
        let lines = [
            "100644 blob f1\tbase/np.yaml",
            "120000 blob l1\tprod/np.yaml",
            "120000 blob l2\tlive",
            "120000 blob l3\tout.yaml",
            "120000 blob l4\tbroken.yaml",
            "120000 blob l5\tround",
            "160000 commit s1\tother",
            "120000 blob l6\tabsolute",
        ];
        let entries: Vec<Entry> = lines.iter().filter_map(|line| entry(line)).collect();
        let entries = entries.into_iter().map(|it| (it.path.clone(), it)).collect();
        let tree = Tree { entries, prefix: String::new() };
        let to = |link: &str| {
            let known = [
                ("l1", "../base/np.yaml"),
                ("l2", "prod"),
                ("l3", "../x"),
                ("l4", "gone"),
                ("l5", "round"),
                ("l6", "/etc"),
            ];
            Ok(known.iter().find(|it| it.0 == link).unwrap().1.to_owned())
        };
        let follow = |path: &str| tree.follow(path, to);
        assert_eq!(follow("live/np.yaml"), Ok(Place::File("f1".into())));
        assert_eq!(follow("./live"), Ok(Place::Folder("prod".into())));
        for (path, why) in [
            ("out.yaml", "out of the repository"),
            ("absolute", "to `/etc`"),
            ("broken.yaml", "`gone`, which the revision does not have"),
            ("round", "circle"),
            ("other/a.yaml", "`other` is a submodule"),
        ] {
            assert!(follow(path).unwrap_err().contains(why), "{path}: {:?}", follow(path));
        }
    }
}
