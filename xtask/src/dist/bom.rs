//! A bill of materials in the form of CycloneDX 1.5.

use super::crates::{Crate, Crates};
use serde_json::{Value, json};

/// Every crate that is linked into the binary, with its licence and what it uses.
///
/// Shape: the same bytes for the same lock file; without time and serial number, which would differ each time.
/// Source: CycloneDX 1.5 JSON reference.
pub fn of(crates: &Crates) -> String {
    let libraries = crates.all.iter().filter(|it| it.name != "tidegate-cli");
    let mut components: Vec<Value> = libraries.map(component).collect();
    components.sort_by_key(|it| it["bom-ref"].to_string());
    let dependencies: Vec<Value> = crates
        .all
        .iter()
        .map(|it| {
            let uses: Vec<String> = it.uses.iter().map(|(name, version)| reference(name, version)).collect();
            json!({"ref": reference(&it.name, &it.version), "dependsOn": uses})
        })
        .collect();
    let bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "bom-ref": reference("tidegate-cli", &crates.version),
            "name": "tidegate",
            "version": crates.version,
            "licenses": [{"expression": "Apache-2.0"}],
        }},
        "components": components,
        "dependencies": dependencies,
    });
    format!("{bom:#}\n")
}

fn component(it: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(&it.name, &it.version),
        "name": it.name,
        "version": it.version,
        "purl": reference(&it.name, &it.version),
    });
    if !it.licence.is_empty() {
        component["licenses"] = json!([{"expression": it.licence}]);
    }
    component
}

/// A package URL, by which bills of materials refer to crates.
fn reference(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}
