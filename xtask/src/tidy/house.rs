//! What rules look at: the paths and texts of the repository, and its crates.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// The repository.
#[derive(Default)]
pub struct House {
    /// Every path that git would keep, relative to the root, with `/`.
    pub paths: BTreeSet<String>,
    /// The texts that some rule reads, by path.
    pub texts: BTreeMap<String, String>,
    /// Every member of the workspace, by folder.
    pub crates: Vec<Crate>,
}

/// One member of the workspace.
#[derive(Clone, Debug, Default)]
pub struct Crate {
    /// Its folder, for example `ir/flow`.
    pub folder: String,
    /// The package name.
    pub package: String,
    /// `[package.metadata.house] layer`.
    pub layer: Option<i64>,
    /// The folders of the workspace members that its code imports, tests apart.
    pub imports: BTreeSet<String>,
    /// The packages from elsewhere that its code imports, tests apart.
    pub foreign: BTreeSet<String>,
    /// `path` of its `[[bin]]`, `[[test]]`, `[[bench]]` and `[[example]]` tables.
    pub roots: Vec<String>,
}

/// Endings of the files whose text some rule reads.
const TEXTS: [&str; 5] = [".rs", ".toml", ".md", ".snap", "Cargo.lock"];

impl House {
    /// Reads a repository from disk, leaving out what its ignore files leave out.
    pub fn read(root: &Path) -> io::Result<House> {
        let mut files = Vec::new();
        let walk = ignore::WalkBuilder::new(root)
            .hidden(false)
            .ignore(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry.map_err(io::Error::other)?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let Ok(relative) = entry.path().strip_prefix(root) else { continue };
            let path = relative.to_string_lossy().replace('\\', "/");
            let text = match TEXTS.iter().any(|ending| path.ends_with(ending)) {
                true => std::fs::read_to_string(entry.path())?,
                false => String::new(),
            };
            files.push((path, text));
        }
        Ok(House::of(files))
    }

    /// A house made of these files.
    pub fn of<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> House {
        let mut house = House::default();
        for (path, text) in files {
            let path = path.into();
            house.paths.insert(path.clone());
            if TEXTS.iter().any(|ending| path.ends_with(ending)) {
                house.texts.insert(path, text.into());
            }
        }
        house.crates = house.members();
        house
    }

    /// The text of a file, if it is one that rules read.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The Rust files, by path.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().filter(|(path, _)| path.ends_with(".rs")).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Whether a file or a folder of this name exists.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.paths.contains(path) || self.contains_folder(path)
    }

    /// Whether a folder of this name exists.
    pub fn contains_folder(&self, path: &str) -> bool {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        self.paths.range(prefix.clone()..).next().is_some_and(|first| first.starts_with(&prefix))
    }

    /// The crate that a file belongs to: the one with the longest folder above it.
    pub fn crate_of(&self, path: &str) -> Option<&Crate> {
        let holds = |member: &&Crate| path.strip_prefix(&member.folder).is_some_and(|rest| rest.starts_with('/'));
        self.crates.iter().filter(holds).max_by_key(|member| member.folder.len())
    }

    fn members(&self) -> Vec<Crate> {
        let manifests: Vec<(String, toml::Table)> = self
            .texts
            .iter()
            .filter_map(|(path, text)| Some((path.strip_suffix("/Cargo.toml")?, text)))
            .filter_map(|(folder, text)| Some((folder.to_string(), text.parse::<toml::Table>().ok()?)))
            .filter(|(_, manifest)| manifest.contains_key("package"))
            .collect();
        let folders: BTreeSet<&str> = manifests.iter().map(|(folder, _)| folder.as_str()).collect();
        let shared = self.text("Cargo.toml").and_then(|text| text.parse::<toml::Table>().ok()).unwrap_or_default();
        let shared = table(table(Some(&shared), "workspace"), "dependencies");
        manifests
            .iter()
            .map(|(folder, manifest)| {
                let package = table(Some(manifest), "package");
                let metadata = table(package, "metadata");
                let mut member = Crate {
                    folder: folder.clone(),
                    package: string(package, "name").unwrap_or_default(),
                    layer: table(metadata, "house")
                        .and_then(|house| house.get("layer"))
                        .and_then(|layer| layer.as_integer()),
                    roots: roots(folder, manifest),
                    ..Crate::default()
                };
                for (name, value) in dependencies(manifest) {
                    match workspace_folder(folder, name, value, shared, &folders) {
                        Some(import) => member.imports.insert(import),
                        None => member.foreign.insert(name.clone()),
                    };
                }
                member
            })
            .collect()
    }
}

/// The normal and build dependencies of a manifest, those of targets included.
fn dependencies(manifest: &toml::Table) -> Vec<(&String, &toml::Value)> {
    let targets = table(Some(manifest), "target");
    let places = targets.into_iter().flat_map(|targets| targets.values().filter_map(|target| target.as_table()));
    std::iter::once(manifest)
        .chain(places)
        .flat_map(|place| [table(Some(place), "dependencies"), table(Some(place), "build-dependencies")])
        .flatten()
        .flatten()
        .collect()
}

/// The folder of the workspace member that a dependency names, or none when it comes from elsewhere.
fn workspace_folder(
    from: &str,
    name: &str,
    value: &toml::Value,
    shared: Option<&toml::Table>,
    folders: &BTreeSet<&str>,
) -> Option<String> {
    let inherits = value.get("workspace").and_then(|inherits| inherits.as_bool()) == Some(true);
    let (base, place) = if inherits { ("", shared?.get(name)?) } else { (from, value) };
    let path = join(base, place.get("path")?.as_str()?);
    folders.contains(path.as_str()).then_some(path)
}

/// The paths that a manifest gives to its targets.
fn roots(folder: &str, manifest: &toml::Table) -> Vec<String> {
    let lists = ["bin", "test", "bench", "example"].iter().filter_map(|kind| manifest.get(*kind)?.as_array()).flatten();
    let tables = ["lib"].iter().filter_map(|kind| manifest.get(*kind));
    lists.chain(tables).filter_map(|target| Some(join(folder, target.get("path")?.as_str()?))).collect()
}

/// Joins two relative paths and takes out `.` and `..`.
pub fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn table<'a>(value: Option<&'a toml::Table>, key: &str) -> Option<&'a toml::Table> {
    value?.get(key)?.as_table()
}

fn string(value: Option<&toml::Table>, key: &str) -> Option<String> {
    Some(value?.get(key)?.as_str()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inherited_dependency_is_followed_to_its_folder() {
        let house = House::of([
            (
                "Cargo.toml",
                "[workspace.dependencies]\nflow = { package = 'tidegate-flow', path = 'ir/flow' }\nserde = '1'",
            ),
            ("ir/flow/Cargo.toml", "[package]\nname = 'tidegate-flow'\n[package.metadata.house]\nlayer = 0"),
            (
                "ir/rules/Cargo.toml",
                "[package]\nname = 'tidegate-rules'\n[dependencies]\nflow.workspace = true\nserde.workspace = true\n\
                 [dev-dependencies]\nproptest = '1'",
            ),
        ]);
        let rules = &house.crates[1];
        assert_eq!(rules.imports, BTreeSet::from(["ir/flow".to_string()]));
        assert_eq!(rules.foreign, BTreeSet::from(["serde".to_string()]));
        assert_eq!(house.crates[0].layer, Some(0));
    }

    #[test]
    fn a_file_belongs_to_the_deepest_crate_above_it() {
        let house = House::of([
            ("testdata/runner/Cargo.toml", "[package]\nname = 'tidegate-runner'"),
            ("testdata/runner/src/lib.rs", ""),
        ]);
        assert_eq!(
            house.crate_of("testdata/runner/src/lib.rs").map(|member| member.folder.as_str()),
            Some("testdata/runner")
        );
        assert!(house.crate_of("testdata/suite/a.md").is_none());
    }
}
