use super::Namespace;
use crate::Fact;
use crate::decode::{Problem, cluster_name};
use crate::read::At;

/// Reads a Namespace; the label that the API server adds is added.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = cluster_name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    Some(Fact::Namespace(Namespace::new(name, labels)))
}
