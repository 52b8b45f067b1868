//! Finds tests, and the manifests that they speak of.

use crate::files::{self, Manifest, Take};
use claims::{Problem, Suite};
use source::LineIndex;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// One file with tests.
pub(super) struct TestFile {
    pub path: String,
    pub text: String,
    pub suites: Vec<Suite>,
}

impl TestFile {
    /// The paths of manifests that its suites name.
    pub fn manifests(&self) -> impl Iterator<Item = String> {
        let folder = Path::new(&self.path).parent().unwrap_or(Path::new(""));
        let all = self.suites.iter().flat_map(|suite| &suite.policies);
        all.map(|it| tidy(&folder.join(&it.text))).collect::<Vec<_>>().into_iter()
    }

    /// How many cases it has, and a line for each whose name holds a text: `FILE:LINE:COLUMN: TEST: CASE`, without the test's name where it has none.
    pub fn listed(&self, filter: &str) -> (usize, String) {
        let lines = LineIndex::new(&self.text);
        let all = self.suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite.name.as_str(), case)));
        let wanted = all.clone().filter(|(_, case)| case.name.contains(filter)).map(|(suite, case)| {
            let at = lines.position(case.span.start);
            let of = if suite.is_empty() { String::new() } else { format!("{suite}: ") };
            format!("{}:{}:{}: {of}{}\n", self.path, at.line, at.column, case.name.replace('\n', " "))
        });
        (all.clone().count(), wanted.collect())
    }

    /// A problem of its text, with its place.
    pub fn say(&self, problem: &Problem) -> String {
        let at = LineIndex::new(&self.text).position(problem.span.start);
        format!("{}:{}:{}: {}; {}", self.path, at.line, at.column, problem.headline, problem.help)
    }
}

/// What paths hold.
pub(super) struct Found {
    pub tests: Vec<TestFile>,
    /// For people.
    pub problems: Vec<String>,
}

/// Every test of some files and folders. Files of a folder that hold none are passed over; a file that is named has to hold one.
pub(super) fn tests(paths: &[String], take: &Take) -> Found {
    let files::Gathered { manifests, unreadable, mut empty } = files::read_with(paths, take);
    let mut problems: Vec<String> =
        unreadable.iter().map(|it| format!("cannot read `{}`: {}", it.path, it.reason)).collect();
    problems.append(&mut empty);
    let mut tests = Vec::new();
    for Manifest { path, text } in manifests {
        let (suites, found) = claims::read(&text);
        let named = paths.iter().any(|it| it.strip_prefix("./").unwrap_or(it) == path);
        if suites.is_empty() && found.is_empty() {
            if named {
                problems.push(format!("no document of kind PolicyTest in `{path}`"));
            }
            continue;
        }
        let test = TestFile { path, text, suites };
        problems.extend(found.iter().map(|it| test.say(it)));
        problems.extend(test.suites.iter().flat_map(Suite::unknown_readings).map(|it| test.say(&it)));
        tests.push(test);
    }
    Found { tests, problems }
}

/// Manifests by the list of paths that names them, each read once.
pub(super) struct Manifests<'t> {
    take: &'t Take,
    known: BTreeMap<Vec<String>, Read>,
}

/// What a list of paths holds.
#[derive(Clone, Default)]
pub(super) struct Read {
    pub texts: Vec<(Arc<str>, Arc<str>)>,
    /// For people; said once.
    pub problems: Vec<String>,
}

impl Manifests<'_> {
    /// None yet; of what paths name, this is taken.
    pub fn new(take: &Take) -> Manifests<'_> {
        Manifests { take, known: BTreeMap::new() }
    }

    /// The manifests of a suite. Files that hold tests are no manifests.
    pub fn of(&mut self, test: &TestFile, suite: &Suite, more: &[String]) -> Read {
        let folder = Path::new(&test.path).parent().unwrap_or(Path::new(""));
        let own = suite.policies.iter().map(|it| tidy(&folder.join(&it.text)));
        let mut paths: Vec<String> = own.chain(more.iter().cloned()).collect();
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            return Read::default();
        }
        if let Some(read) = self.known.get(&paths) {
            return Read { problems: Vec::new(), ..read.clone() };
        }
        let files::Gathered { manifests, unreadable, mut empty } = files::read_with(&paths, self.take);
        let is_test = |text: &str| text.contains("PolicyTest") && claims::read(text) != (Vec::new(), Vec::new());
        let texts = manifests.into_iter().filter(|it| !is_test(&it.text));
        let mut read = Read { texts: texts.map(|it| (it.path.into(), it.text.into())).collect(), problems: Vec::new() };
        read.problems.extend(unreadable.iter().map(|it| format!("cannot read `{}`: {}", it.path, it.reason)));
        read.problems.append(&mut empty);
        self.known.insert(paths, read.clone());
        read
    }
}

/// A path without `.` and without `..` behind a folder, as people read it.
fn tidy(path: &Path) -> String {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    let text = out.to_string_lossy().into_owned();
    if text.is_empty() { ".".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_the_folder_of_the_test() {
        for (path, shown) in
            [("a/tests/../policies.yaml", "a/policies.yaml"), ("./a/./b", "a/b"), ("../x", "../x"), ("a/..", ".")]
        {
            assert_eq!(tidy(Path::new(path)), shown);
        }
    }
}
