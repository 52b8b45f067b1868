//! The frame of SARIF 2.1.0, the form that code scanning reads: what findings and comparisons have in common.
//!
//! Types of our own: of the format we write one part in twenty, and the tests judge it by the published schema.

use crate::format::{HOME, Root};
use crate::report::Place;
use serde_json::{Value, json};

/// The base of every path: the root of the repository.
const BASE: &str = "%SRCROOT%";
/// The name and version of our fingerprints.
pub const FINGERPRINT: &str = "tidegate/v1";

/// One run of a command.
pub struct Run {
    /// Who ran.
    pub tool: &'static str,
    /// What may be found; results say their places here.
    pub rules: Vec<Value>,
    /// What was found.
    pub results: Vec<Value>,
    /// The code with which the run ends.
    pub exit: u8,
    /// What readers may want to know beside.
    pub properties: Value,
}

impl Run {
    /// The run as a whole file. Errors: for people; text that is no JSON.
    pub fn render(self) -> Result<String, String> {
        let driver = json!({
            "name": self.tool,
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": HOME,
            "rules": self.rules,
        });
        crate::command::json(&json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": self.exit < 2, "exitCode": self.exit}],
                "originalUriBaseIds": {BASE: {"description": {"text": "The root of the repository."}}},
                "results": self.results,
                "properties": self.properties,
            }],
        }))
    }
}

/// A region of a file. `end` is a line and a column.
pub fn physical(root: &Root, place: &Place, end: Option<(u32, u32)>) -> Value {
    let mut region = json!({"startLine": place.line, "startColumn": place.column});
    if let Some((line, column)) = end {
        region["endLine"] = json!(line);
        region["endColumn"] = json!(column);
    }
    json!({"artifactLocation": artifact(root, &place.file), "region": region})
}

/// A file, by its path in the repository.
pub fn artifact(root: &Root, file: &str) -> Value {
    json!({"uri": root.uri(file), "uriBaseId": BASE})
}
