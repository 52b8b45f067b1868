//! The rights that reading needs, in the words of whoever gives them.

use crate::resource::Resource;
use std::collections::BTreeMap;

/// The name of the role that [`cluster_role`] writes.
pub const ROLE: &str = "tidegate-reader";

/// The rule of a role that lets one resource be read, on one line.
pub fn rule(resource: &Resource) -> String {
    let Resource { group, plural, .. } = resource;
    let which = resource.only.map_or(String::new(), |(_, name)| format!(", resourceNames: [{name}]"));
    format!("{{apiGroups: [\"{group}\"], resources: [{plural}]{which}, verbs: [{}]}}", verb(resource))
}

/// The ClusterRole that lets these resources be read, and no more, as YAML.
pub fn cluster_role(resources: &[Resource]) -> String {
    let mut out = format!(
        "# What tidegate reads of a cluster. Give it to somebody with\n\
         #   kubectl create clusterrolebinding {ROLE} --clusterrole={ROLE} --user=NAME\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {ROLE}\nrules:\n"
    );
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for resource in resources.iter().filter(|it| it.only.is_none()) {
        groups.entry(resource.group).or_default().push(resource.plural);
    }
    for (group, mut plurals) in groups {
        plurals.sort_unstable();
        out += &format!("  - apiGroups: [\"{group}\"]\n    resources: [{}]\n    verbs: [list]\n", plurals.join(", "));
    }
    for resource in resources {
        if let Some((namespace, name)) = resource.only {
            let Resource { group, plural, .. } = resource;
            out += &format!("  # Only {namespace}/{name}.\n");
            out += &format!("  - apiGroups: [\"{group}\"]\n    resources: [{plural}]\n");
            out += &format!("    resourceNames: [{name}]\n    verbs: [get]\n");
        }
    }
    out
}

fn verb(resource: &Resource) -> &'static str {
    if resource.only.is_some() { "get" } else { "list" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::FACTS;

    #[test]
    fn a_rule_asks_for_no_more_than_is_read() {
        assert_eq!(rule(&FACTS[2]), "{apiGroups: [\"\"], resources: [pods], verbs: [list]}");
        let agent = FACTS.iter().find(|it| it.only.is_some()).unwrap();
        assert_eq!(
            rule(agent),
            "{apiGroups: [\"\"], resources: [configmaps], resourceNames: [cilium-config], verbs: [get]}"
        );
    }
}
