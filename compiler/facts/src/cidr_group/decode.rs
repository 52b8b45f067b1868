use super::CidrGroup;
use crate::Fact;
use crate::decode::{Problem, cluster_name, prefix};
use crate::read::At;

/// Reads a CiliumCIDRGroup.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = cluster_name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let prefixes = at.get("spec").into_iter().flat_map(|it| it.list("externalCIDRs"));
    let prefixes = prefixes.filter_map(|it| prefix(&it, problems)).collect();
    Some(Fact::CidrGroup(CidrGroup { name, labels, prefixes }))
}
