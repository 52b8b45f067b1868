use super::{AgentConfig, set};
use crate::Fact;
use crate::Labels;
use crate::cluster::Config;
use crate::decode::{Problem, ProblemKind, name};
use crate::read::At;

/// The name of the ConfigMap of the agent.
pub const NAME: &str = "cilium-config";

/// Reads the ConfigMap of an agent; any other says nothing of the cluster.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    if at.dig(&["metadata", "name"])?.text() != Some(NAME) {
        return None;
    }
    name(at, problems)?;
    Some(Fact::AgentConfig(AgentConfig { data: at.get("data").map(|it| settings(&it, problems)).unwrap_or_default() }))
}

/// Reads settings of an agent by name; those that say nothing are problems, and left out.
pub(crate) fn settings(at: &At<'_>, problems: &mut Vec<Problem>) -> Labels {
    let mut found = Labels::new();
    for (key, value) in at.entries() {
        let mut note = |kind: ProblemKind| problems.push(Problem { path: value.path(), kind });
        let Some(text) = value.text() else {
            if !matches!(value.value(), syntax::Value::Null) {
                note(ProblemKind::SettingNotText);
            }
            continue;
        };
        match set(&key, text, &mut Config::default()) {
            Ok(()) => drop(found.insert(key.into_owned(), text.to_owned())),
            Err(unread) => note(ProblemKind::BadSetting { found: text.to_owned(), wanted: unread.wanted }),
        }
    }
    found
}
