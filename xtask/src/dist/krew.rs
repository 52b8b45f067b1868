//! The manifest by which krew installs the kubectl plugin.

use super::Target;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The manifest of a version; `url` is the folder of its version folders.
pub fn manifest(version: &str, url: &str, targets: &[Target], sums: &BTreeMap<String, String>) -> String {
    let mut text = format!(
        "apiVersion: krew.googlecontainertools.github.com/v1alpha2\nkind: Plugin\nmetadata:\n  name: tidegate\nspec:\n  version: v{version}\n  \
         shortDescription: Check, compare and explain network policies\n  description: |\n    \
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
             bin: kubectl-tidegate\n    files:\n    - {{from: {folder}/kubectl-tidegate, to: .}}\n    - {{from: {folder}/LICENSE, to: .}}\n",
            target.processor()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_platform_names_its_archive_and_its_sum() {
        let sums = BTreeMap::from([("tidegate-1.2.3-linux-arm64.tar.gz".to_owned(), "abc".to_owned())]);
        let text = manifest("1.2.3", "https://example.invalid/releases", &[Target::Arm], &sums);
        assert!(text.contains(
            "uri: https://example.invalid/releases/v1.2.3/tidegate-1.2.3-linux-arm64.tar.gz\n    sha256: abc\n"
        ));
        assert!(text.contains("{from: tidegate-1.2.3-linux-arm64/kubectl-tidegate, to: .}"));
    }
}
