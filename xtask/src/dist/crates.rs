//! The crates that go into the binary, from `cargo metadata`.

use super::Failure;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence as an SPDX expression; empty where it names none.
    pub licence: String,
    /// Whether it is a part of this repository.
    pub own: bool,
    /// The folder that its sources are in.
    pub folder: PathBuf,
    /// The names and versions of the crates that it uses.
    pub uses: BTreeSet<(String, String)>,
}

/// Everything that is linked into the binary.
pub struct Crates {
    /// The version of tidegate.
    pub version: String,
    /// Ascending by name and version; those of this repository too.
    pub all: Vec<Crate>,
}

/// Reads what the binary is made of, for every target that it is published for.
///
/// Errors: cargo fails, or answers with something else than its documented JSON.
pub fn of(root: &Path) -> Result<Crates, Failure> {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["metadata", "--format-version", "1", "--locked"]);
    for target in super::Target::ALL {
        command.args(["--filter-platform", target.triple()]);
    }
    let output = command.output().map_err(|error| format!("cannot start `cargo`: {error}"))?;
    if !output.status.success() {
        return Err(format!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
    read(&metadata).ok_or_else(|| "`cargo metadata` has another form than expected".to_owned())
}

fn read(metadata: &Value) -> Option<Crates> {
    let packages: BTreeMap<&str, &Value> =
        metadata["packages"].as_array()?.iter().filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    let nodes: BTreeMap<&str, &Value> =
        metadata["resolve"]["nodes"].as_array()?.iter().filter_map(|it| Some((it["id"].as_str()?, it))).collect();
    let root = *packages.iter().find(|(_, it)| it["name"] == "tidegate-cli")?.0;
    let mut open = vec![root];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(linked(nodes.get(id)?));
        }
    }
    let name_of = |id: &str| {
        let package = packages.get(id)?;
        Some((package["name"].as_str()?.to_owned(), package["version"].as_str()?.to_owned()))
    };
    let mut all = Vec::new();
    for id in seen {
        let (package, (name, version)) = (packages.get(id)?, name_of(id)?);
        all.push(Crate {
            name,
            version,
            licence: package["license"].as_str().unwrap_or_default().replace('/', " OR "),
            own: package["source"].is_null(),
            folder: Path::new(package["manifest_path"].as_str()?).parent()?.to_owned(),
            uses: linked(nodes.get(id)?).filter_map(name_of).collect(),
        });
    }
    all.sort();
    let version = name_of(root)?.1;
    Some(Crates { version, all })
}

/// The crates that are linked into a crate: neither those of its tests nor those of its build script.
fn linked(node: &Value) -> impl Iterator<Item = &str> {
    let normal = |dependency: &&Value| {
        dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    node["deps"].as_array().into_iter().flatten().filter(normal).filter_map(|dependency| dependency["pkg"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn crates_of_tests_and_build_scripts_are_left_out() {
        let package = |name: &str| {
            json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0",
            "source": if name == "tidegate-cli" { json!(null) } else { json!("registry") }, "manifest_path": format!("/{name}/Cargo.toml")})
        };
        let uses = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("tidegate-cli"), package("linked"), package("tested"), package("built")],
            "resolve": {"nodes": [
                {"id": "tidegate-cli", "deps": [uses("linked", json!(null)), uses("tested", json!("dev"))]},
                {"id": "linked", "deps": [uses("built", json!("build"))]},
                {"id": "tested", "deps": []}, {"id": "built", "deps": []}]},
        });
        let crates = read(&metadata).unwrap();
        let names: Vec<&str> = crates.all.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["linked", "tidegate-cli"]);
        assert_eq!(crates.all[0].licence, "MIT OR Apache-2.0");
        assert!(crates.all[1].own && !crates.all[0].own);
    }
}
