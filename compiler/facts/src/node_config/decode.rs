use super::{NodeCondition, NodeConfig};
use crate::Fact;
use crate::config_map;
use crate::decode::{Problem, name};
use crate::read::At;

/// Reads a CiliumNodeConfig.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = name(at, problems)?;
    let mut found = NodeConfig { name, ..NodeConfig::default() };
    let Some(spec) = at.get("spec") else { return Some(Fact::NodeConfig(found)) };
    found.data = spec.get("defaults").map(|it| config_map::settings(&it, problems)).unwrap_or_default();
    if let Some(selector) = spec.get("nodeSelector") {
        let labels = selector.labels("matchLabels").into_iter();
        found.nodes = labels.map(|(key, value)| NodeCondition { key, wanted: true, values: vec![value] }).collect();
        found.nodes.extend(selector.list("matchExpressions").map(|it| condition(&it)));
    }
    Some(Fact::NodeConfig(found))
}

fn condition(at: &At<'_>) -> NodeCondition {
    let wanted = matches!(at.text_of("operator"), Some("In" | "Exists"));
    let values = at.list("values").filter_map(|it| it.text().map(str::to_owned)).collect();
    NodeCondition { key: at.text_or_empty("key"), wanted, values }
}
