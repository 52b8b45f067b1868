use super::AgentConfig;
use crate::Fact;
use crate::decode::{Problem, name};
use crate::read::At;

/// The name of the ConfigMap of the agent.
pub const NAME: &str = "cilium-config";

/// Reads the ConfigMap of an agent; any other says nothing of the cluster.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    if at.dig(&["metadata", "name"])?.text() != Some(NAME) {
        return None;
    }
    name(at, problems)?;
    Some(Fact::AgentConfig(AgentConfig { data: at.labels("data") }))
}
