//! What people set in their editor, under `tidegate`. What all runs on a repository should agree on stands in `tidegate.toml`.

use serde::Deserialize;
use serde_json::Value;

/// How long a command may take at most, whatever is set. Units: seconds.
const LONGEST: u64 = 3600;

/// The settings. Whatever is missing or of another type is as by default, and a fault to tell.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one setting")]
pub struct Settings {
    /// Whether lenses are drawn above policies.
    pub code_lens: bool,
    /// Whether hints are drawn beside selectors and port names.
    pub inlay_hints: bool,
    /// Whether files that are not open are checked, too.
    pub workspace_diagnostics: bool,
    /// Whether another server tells of YAML that cannot be read, so that this one does not.
    pub beside_yaml_language_server: bool,
    /// Whether the editor has a command `tidegate.suppress`, which asks for the reason of a silence before it is written.
    pub asks_reasons: bool,
    /// Commands that print manifests, each as a program with its arguments, run in the first folder: `[["kustomize", "build", "."]]`.
    pub render: Vec<Vec<String>>,
    /// How long each of them may take, an hour at most. Units: seconds.
    pub render_timeout: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            code_lens: true,
            inlay_hints: true,
            workspace_diagnostics: true,
            beside_yaml_language_server: false,
            asks_reasons: false,
            render: Vec::new(),
            render_timeout: 30,
        }
    }
}

impl Settings {
    /// Reads what a client sends, alone or below `tidegate`. Errors: for people, what is wrong; then all is as by default.
    pub fn read(sent: &Value) -> Result<Settings, String> {
        let own = sent.get("tidegate").unwrap_or(sent);
        if own.is_null() {
            return Ok(Settings::default());
        }
        let read = Settings::deserialize(own);
        let mut read = read.map_err(|error| format!("the settings of `tidegate` cannot be read: {error}"))?;
        read.render_timeout = read.render_timeout.min(LONGEST);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_is_as_by_default() {
        assert_eq!(Settings::read(&Value::Null), Ok(Settings::default()));
        let read = Settings::read(&json!({"tidegate": {"codeLens": false, "another": 1}}));
        assert_eq!(read, Ok(Settings { code_lens: false, ..Settings::default() }));
    }

    #[test]
    fn no_command_may_take_longer_than_an_hour() {
        let read = Settings::read(&json!({ "renderTimeout": u64::MAX }));
        assert_eq!(read.map(|it| it.render_timeout), Ok(3600));
    }

    #[test]
    fn what_is_of_another_type_is_told() {
        let told = Settings::read(&json!({"inlayHints": "no"})).unwrap_err();
        assert!(told.contains("invalid type: string \"no\", expected a boolean"), "{told}");
    }
}
