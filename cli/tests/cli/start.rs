//! The first minutes: a configuration, a CI file, the version.

use crate::support::{CLUSTER, Folder, POLICY};

#[test]
fn init_writes_what_is_asked_for_and_spares_what_is_there() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", POLICY)]);
    let out = folder.run(&["init", "--ci", "github", "--ci", "gitlab", "--ci", "pre-commit"]).ended(0);
    let names = ["tidegate.toml", ".github/workflows/tidegate.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"];
    for name in names {
        assert!(out.contains(&format!("{name} written")), "{out}");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(!text.contains("@VERSION@"), "{text}");
    }
    // Once more: nothing to do is no failure.
    let again = folder.run(&["init", "--ci", "github", "--ci", "gitlab", "--ci", "pre-commit"]).ended(0);
    let stands: Vec<String> = names.iter().map(|name| format!("{name} stands already")).collect();
    assert_eq!(again.lines().collect::<Vec<_>>(), stands);
    // The files are no manifests, and none of them disturbs the first check.
    folder.run(&["check", "."]).ended(0);
    folder.write("tidegate.toml", "dialect = \"cilium\"\n");
    let again = folder.run(&["init", "--ci", "github"]).ended(1);
    assert!(again.contains("tidegate.toml is there already and says something else, so it stays as it is"), "{again}");
    assert!(again.contains(".github/workflows/tidegate.yml stands already"), "{again}");
    assert_eq!(std::fs::read_to_string(folder.join("tidegate.toml")).unwrap(), "dialect = \"cilium\"\n");
    folder.run(&["init", "--force"]).ended(0);
    assert_ne!(std::fs::read_to_string(folder.join("tidegate.toml")).unwrap(), "dialect = \"cilium\"\n");
}

#[test]
fn the_version_says_what_the_binary_knows() {
    let folder = Folder::of(&[]);
    let text = folder.run(&["version"]).ended(0);
    assert!(text.starts_with(&format!("tidegate {}\n", env!("CARGO_PKG_VERSION"))), "{text}");
    let json: serde_json::Value = serde_json::from_str(&folder.run(&["version", "-o", "json"]).ended(0)).unwrap();
    assert_eq!(json["kind"], "VersionReport");
    let dialects = json["dialects"].as_array().unwrap();
    assert!(dialects.contains(&"standard".into()) && dialects.contains(&"cilium-1.20".into()), "{json}");
}
