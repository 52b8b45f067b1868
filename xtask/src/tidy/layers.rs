//! Who may import whom: strictly downward, and a few imports never.

use super::{Finding, House};

/// Crates of ours that may not be imported: (importer, imported, why).
const FORBIDDEN: [(&str, &str, &str); 1] =
    [("backends/verify", "backends/ebpf", "the proof shares no code with what it proves")];

/// Packages that only some crates may import: (package, crates, why).
const RESERVED: [(&str, &[&str], &str); 2] = [
    (
        "salsa",
        &["compiler/inputs", "compiler/hir", "compiler/driver"],
        "stages are plain functions; only the database is incremental",
    ),
    ("kube", &["runtime/watch", "runtime/operator", "runtime/webhook"], "objects arrive as text everywhere else"),
];

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for member in &house.crates {
        let manifest = format!("{}/Cargo.toml", member.folder);
        let mut report = |text: String| out.push(Finding::error("layers", &manifest, 0, text));
        let Some(layer) = member.layer else {
            report("give it a layer: `[package.metadata.house] layer = n`".into());
            continue;
        };
        for import in &member.imports {
            let below = house.crates.iter().find(|other| &other.folder == import).and_then(|other| other.layer);
            if below.is_some_and(|below| below >= layer) {
                let below = below.unwrap_or_default();
                report(format!(
                    "layer {layer} imports `{import}` of layer {below}; imports go to a strictly lower layer"
                ));
            }
            if member.folder.starts_with("ir/") && !import.starts_with("ir/") {
                report(format!("`ir/` imports nothing of ours outside `ir/`, and this imports `{import}`"));
            }
            for (importer, imported, why) in FORBIDDEN {
                if member.folder == importer && import == imported {
                    report(format!("never imports `{imported}`: {why}"));
                }
            }
        }
        for (package, allowed, why) in RESERVED {
            if member.foreign.contains(package) && !allowed.contains(&member.folder.as_str()) {
                report(format!("`{package}` belongs to {}: {why}", allowed.join(", ")));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A house of crates: folder, layer, dependencies.
    fn found(crates: &[(&str, &str, &str)]) -> Vec<String> {
        let mut files: Vec<(String, String)> = crates
            .iter()
            .map(|(folder, layer, dependencies)| {
                let text = format!("[package]\nname = 'x'\n{layer}\n[dependencies]\n{dependencies}");
                (format!("{folder}/Cargo.toml"), text)
            })
            .collect();
        let shared: String = crates
            .iter()
            .map(|(folder, ..)| {
                format!("{} = {{ path = '{folder}' }}\n", folder.rsplit('/').next().unwrap_or_default())
            })
            .collect();
        files.push(("Cargo.toml".into(), format!("[workspace.dependencies]\n{shared}")));
        check(&House::of(files)).into_iter().map(|finding| finding.text).collect()
    }

    const ZERO: &str = "[package.metadata.house]\nlayer = 0";
    const ONE: &str = "[package.metadata.house]\nlayer = 1";

    #[test]
    fn an_import_goes_down() {
        let house = |layer| found(&[("ir/flow", ZERO, ""), ("ir/rules", layer, "flow.workspace = true")]);
        assert_eq!(house(ONE), [""; 0]);
        assert_eq!(house(ZERO), ["layer 0 imports `ir/flow` of layer 0; imports go to a strictly lower layer"]);
    }

    #[test]
    fn a_crate_without_a_layer_is_found() {
        assert_eq!(found(&[("ir/flow", "", "")]).len(), 1);
    }

    #[test]
    fn meaning_imports_nothing_outside_itself() {
        assert_eq!(found(&[("backends/image", ZERO, ""), ("ir/rules", ONE, "image.workspace = true")]).len(), 1);
    }

    #[test]
    fn the_proof_does_not_import_what_it_proves() {
        let text = found(&[("backends/ebpf", ZERO, ""), ("backends/verify", ONE, "ebpf.workspace = true")]);
        assert_eq!(text, ["never imports `backends/ebpf`: the proof shares no code with what it proves"]);
    }

    #[test]
    fn salsa_and_kube_stay_where_they_belong() {
        assert_eq!(found(&[("compiler/hir", ONE, "salsa = '1'"), ("runtime/watch", ONE, "kube = '1'")]), [""; 0]);
        assert_eq!(found(&[("compiler/kinds", ONE, "salsa = '1'"), ("cli", ONE, "kube = '1'")]).len(), 2);
    }
}
