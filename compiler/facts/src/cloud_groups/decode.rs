use flow::Prefix;

use super::CloudGroups;
use crate::Fact;
use crate::decode::{Problem, ProblemKind};
use crate::json::json;
use crate::read::At;

/// Reads a CloudGroups.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let mut found = CloudGroups::default();
    for member in at.list("groups") {
        let Some(group) = member.get("group") else { continue };
        let prefixes = member.list("addresses").filter_map(|it| block(&it, problems));
        found.groups.entry(json(&group)).or_default().extend(prefixes);
    }
    Some(Fact::CloudGroups(found))
}

/// A prefix, or an address for itself alone.
fn block(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Prefix> {
    let text = at.text()?;
    let prefix = Prefix::parse(text).or_else(|| text.parse().ok().map(Prefix::host));
    if prefix.is_none() {
        problems.push(Problem { path: at.path(), kind: ProblemKind::NotAPrefix(text.to_owned()) });
    }
    prefix
}
