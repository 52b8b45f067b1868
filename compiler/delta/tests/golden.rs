//! Hand-made pairs of before and after, each with exactly the flows that differ: `testdata/diff`.

use delta::{Change, Decided, Passes, Step, diff, equal};
use driver::{Database, Knowledge};
use hir::Dialect;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A case: prose, then parts that begin with `=== NAME`.
struct Case {
    parts: BTreeMap<String, String>,
}

impl Case {
    fn read(text: &str) -> Case {
        let mut parts = BTreeMap::new();
        let mut name = "prose".to_owned();
        for line in text.lines() {
            match line.strip_prefix("=== ") {
                Some(next) => name = next.trim().to_owned(),
                None => {
                    let part: &mut String = parts.entry(name.clone()).or_default();
                    part.push_str(line);
                    part.push('\n');
                }
            }
        }
        Case { parts }
    }

    fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.part("prose").lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }

    fn side(&self, name: &str) -> Database {
        let mut db = Database::new();
        let dialect = self.setting(&format!("{name} dialect")).or(self.setting("dialect")).unwrap_or("standard");
        db.set_dialect(Dialect::named(dialect).unwrap_or_else(|| panic!("no dialect {dialect}")));
        let all = self.setting("facts") == Some("all");
        db.set_knowledge(if all { Knowledge::Complete } else { Knowledge::Partial });
        if let Some(shared) = self.setting("cluster") {
            db.set_file("shared.yaml", &fs::read_to_string(folder().join(shared)).unwrap());
        }
        db.set_file("cluster.yaml", self.part("cluster"));
        // Of the same name on both sides: a text that stands for both is written once.
        let text = if self.parts.contains_key(name) { self.part(name) } else { self.part("both") };
        db.set_file("policy.yaml", text);
        for file in db.files() {
            for object in driver::text::decoded(&db, file).objects.iter() {
                let read = object.role == driver::text::Role::Policy || object.role == driver::text::Role::Fact;
                assert!(read || self.setting("rejected").is_some(), "{name}: {} is not read", object.object);
            }
        }
        db
    }
}

#[test]
fn every_pair_differs_in_exactly_what_it_says() {
    let mut paths: Vec<_> = fs::read_dir(folder()).unwrap().map(|it| it.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    assert!(paths.len() >= 40, "{} pairs", paths.len());
    let mut wrong = String::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let case = Case::read(&text);
        let (old, new) = (case.side("old"), case.side("new"));
        let delta = diff(&old, &new).unwrap();
        let found: String = delta.changes.iter().map(|change| format!("{change}\n{}", because(change))).collect();
        if found != case.part("expect") {
            let name = path.file_name().unwrap().to_string_lossy();
            wrong += &format!("--- {name}\n{found}");
            if std::env::var_os("BLESS").is_some() {
                let (before, _) = text.split_once("=== expect\n").unwrap();
                fs::write(path, format!("{before}=== expect\n{found}")).unwrap();
            }
        }
        // Whatever differs is not equal, and what is equal differs in nothing; where it does not hang on what was not read.
        if old.dialect() == new.dialect() {
            assert_eq!(equal(&old, &new).is_ok(), found.is_empty(), "{}", path.display());
        }
    }
    assert!(wrong.is_empty(), "found:\n{wrong}");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/diff")
}

/// The rules of both sides, a line each.
fn because(change: &Change) -> String {
    let side = |name: &str, decided: &Decided| {
        let by: Vec<String> = decided.by.iter().map(ToString::to_string).collect();
        let step = match decided.step {
            Step::Rules => "by",
            Step::Isolated => "isolated by",
            Step::Open => "nothing isolates it",
        };
        let asks = match &decided.fate.passes {
            Passes::Proxied { proxy, asks } => format!(" through {proxy} {asks:?}"),
            _ => String::new(),
        };
        format!("  {name}: {step} {}{asks}\n", by.join("; "))
    };
    side("old", &change.old) + &side("new", &change.new)
}
