//! The manifest by which krew installs the kubectl plugin.

use super::Target;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Its file is called as the plugin is, which krew asks for.
pub const FILE: &str = "tidegate.yaml";

/// The manifest of a version. kubectl finds a plugin by its file name, and krew takes no links out of archives, so the program gets its other
/// name on the way; `url` is the folder of its version folders.
pub fn manifest(
    version: &str,
    url: &str,
    homepage: &str,
    targets: &[Target],
    sums: &BTreeMap<String, String>,
) -> String {
    let mut text = format!(
        "apiVersion: krew.googlecontainertools.github.com/v1alpha2\nkind: Plugin\nmetadata:\n  name: tidegate\nspec:\n  version: v{version}\n  \
         homepage: {homepage}\n  shortDescription: Check, compare and explain network policies\n  description: |\n    \
         Reads NetworkPolicies and Cilium policies with what a cluster is, and says which flows\n    \
         pass, which lines of YAML decide, what a change opens and closes, and what is probably\n    \
         not meant. It reads the cluster and changes nothing in it.\n  caveats: |\n    \
         `kubectl tidegate snapshot --rbac` prints the role that reading a cluster needs.\n  platforms:\n"
    );
    for target in targets {
        let archive = format!("tidegate-{version}-linux-{}.tar.gz", target.processor());
        let sum = sums.get(&archive).map_or("", String::as_str);
        let folder = format!("tidegate-{version}-linux-{}", target.processor());
        // Cannot fail: writing into a String never does.
        let _ = write!(
            text,
            "  - selector:\n      matchLabels: {{os: linux, arch: {}}}\n    uri: {url}/v{version}/{archive}\n    sha256: {sum}\n    \
             bin: kubectl-tidegate\n    files:\n    - {{from: {folder}/tidegate, to: kubectl-tidegate}}\n    - {{from: {folder}/LICENSE, to: .}}\n",
            target.processor()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use syntax::tree::Value;
    use syntax::{NodeId, Tree};

    fn of(version: &str) -> (String, Tree) {
        let sums = Target::ALL
            .map(|it| (format!("tidegate-{version}-linux-{}.tar.gz", it.processor()), "0123456789abcdef".repeat(4)));
        let releases = "https://example.invalid/releases";
        let text = manifest(version, releases, "https://example.invalid", &Target::ALL, &BTreeMap::from(sums));
        let tree = syntax::parse(&text, &syntax::Limits::default());
        assert!(tree.problems().is_empty(), "{text}");
        (text, tree)
    }

    fn at(tree: &Tree, from: NodeId, path: &[&str]) -> NodeId {
        path.iter().fold(from, |at, key| tree.get(at, key).unwrap_or_else(|| panic!("no `{key}`")).value)
    }

    fn text<'t>(tree: &'t Tree, from: NodeId, path: &[&str]) -> &'t str {
        match tree.value(at(tree, from, path)) {
            Value::Str(text) => text,
            other => panic!("{path:?} is {other:?}"),
        }
    }

    /// Source: krew's `internal/index/validation/validate.go` and `cmd/validate-krew-manifest`, which its index runs on every manifest.
    #[test]
    fn the_manifest_has_what_krew_asks_of_one() {
        let (_, tree) = of("1.2.3");
        let root = tree.documents()[0].root.unwrap();
        assert_eq!(text(&tree, root, &["apiVersion"]), "krew.googlecontainertools.github.com/v1alpha2");
        assert_eq!(text(&tree, root, &["kind"]), "Plugin");
        let name = text(&tree, root, &["metadata", "name"]);
        assert_eq!(format!("{name}.yaml"), FILE, "the file is called as the plugin");
        assert!(name.chars().all(|it| it.is_ascii_alphanumeric() || "-_".contains(it)));
        // A semantic version behind a `v`.
        let version = text(&tree, root, &["spec", "version"]).strip_prefix('v').unwrap();
        assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()) && version.split('.').count() == 3);
        let short = text(&tree, root, &["spec", "shortDescription"]);
        assert!(!short.is_empty() && !short.contains('\n') && short.len() <= 50);
        assert!(!text(&tree, root, &["spec", "description"]).is_empty());
        assert!(text(&tree, root, &["spec", "homepage"]).starts_with("https://"));
        let mut selected = Vec::new();
        for platform in tree.items(at(&tree, root, &["spec", "platforms"])) {
            let labels = at(&tree, *platform, &["selector", "matchLabels"]);
            let keys: Vec<_> = tree.entries(labels).iter().map(|it| tree.key(it.key).into_owned()).collect();
            assert_eq!(keys, ["os", "arch"]);
            selected.push((text(&tree, labels, &["os"]), text(&tree, labels, &["arch"])));
            assert!(text(&tree, *platform, &["uri"]).ends_with(".tar.gz"));
            let sum = text(&tree, *platform, &["sha256"]);
            assert!(sum.len() == 64 && sum.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')), "{sum}");
            let files = tree.items(at(&tree, *platform, &["files"]));
            let installed = files.iter().map(|it| match text(&tree, *it, &["to"]) {
                "." => text(&tree, *it, &["from"]).rsplit('/').next().unwrap(),
                to => to,
            });
            let installed: Vec<&str> = installed.collect();
            assert!(installed.contains(&text(&tree, *platform, &["bin"])), "the program is among the files");
            assert!(installed.contains(&"LICENSE"), "so is the licence");
        }
        assert_eq!(selected, [("linux", "amd64"), ("linux", "arm64")], "no two platforms overlap");
    }

    #[test]
    fn each_platform_names_its_archive() {
        let (text, _) = of("1.2.3");
        for processor in ["amd64", "arm64"] {
            let archive =
                format!("uri: https://example.invalid/releases/v1.2.3/tidegate-1.2.3-linux-{processor}.tar.gz\n");
            assert!(text.contains(&archive), "{text}");
        }
    }
}
