//! Findings in every format, one file each.
//!
//! All but the text for people are made of [`Finding`] alone: what a report says is settled before its form.

mod azure;
mod concise;
mod github;
mod gitlab;
mod json;
mod jsonl;
mod junit;
mod markdown;
mod rdjson;
mod sarif;
mod statistics;
pub mod text;

use crate::cluster::ClusterEntry;
use crate::command::check::report::{Finding, Summary};
use crate::formats::Formats;
use crate::output::Destination;
use crate::report::{DialectEntry, Incomplete};
use diag::Diagnostic;
use driver::Database;
use std::path::{Path, PathBuf};

/// Where tidegate stands in public.
pub(crate) const HOME: &str = "https://github.com/tidegate/tidegate";

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people.
    Text,
    /// One line a finding: `file:line:column: level[code]: headline`.
    Concise,
    /// One JSON object with `apiVersion` and `kind`.
    Json,
    /// One JSON object a line: each finding, then the summary.
    Jsonl,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for test reports.
    Junit,
    /// Workflow commands of GitHub Actions: annotations at lines.
    Github,
    /// The Code Quality report of GitLab.
    Gitlab,
    /// Logging commands of Azure Pipelines.
    Azure,
    /// The diagnostic format of reviewdog.
    Rdjson,
    /// A table, for comments.
    Markdown,
}

impl Formats for Format {
    const ALL: &'static [Format] = &[
        Format::Text,
        Format::Concise,
        Format::Json,
        Format::Jsonl,
        Format::Sarif,
        Format::Junit,
        Format::Github,
        Format::Gitlab,
        Format::Azure,
        Format::Rdjson,
        Format::Markdown,
    ];

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Concise => "concise",
            Format::Json => "json",
            Format::Jsonl => "jsonl",
            Format::Sarif => "sarif",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Gitlab => "gitlab",
            Format::Azure => "azure",
            Format::Rdjson => "rdjson",
            Format::Markdown => "markdown",
        }
    }

    fn is_shown(self) -> bool {
        // JSON has escapes of its own.
        !matches!(self, Format::Json | Format::Jsonl | Format::Sarif | Format::Gitlab | Format::Rdjson)
    }
}

/// Everything that a report says.
pub struct Review<'r> {
    /// What was read.
    pub db: &'r Database,
    /// What was found, as the text for people draws it.
    pub found: &'r [Diagnostic],
    /// The same as plain values, in the same order.
    pub findings: Vec<Finding>,
    /// Counts.
    pub summary: Summary,
    /// The reading of the language.
    pub dialect: DialectEntry,
    /// The cluster facts behind it.
    pub cluster: Option<ClusterEntry>,
    /// Policies of other engines.
    pub incomplete: Vec<Incomplete>,
    /// Every file that was read, by path.
    pub files: Vec<String>,
    /// How paths are written for services that know the repository alone.
    pub root: Root,
    /// The code with which the run ends.
    pub exit: u8,
    /// What the text for people shows.
    pub look: Look,
}

/// What the text for people shows.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Colours on standard output.
    pub colours: bool,
    /// Findings alone.
    pub quiet: bool,
    /// Counts in the place of findings.
    pub statistics: bool,
    /// Whether what a node cannot enforce is listed, so that no line counts it.
    pub listed: bool,
}

/// Writes a review in one format.
pub fn render(review: &Review<'_>, format: Format, destination: Destination) -> Result<String, String> {
    Ok(match format {
        Format::Text => text::render(review, review.look.colours && destination == Destination::Stdout),
        Format::Concise => concise::render(review),
        Format::Json => json::render(review)?,
        Format::Jsonl => jsonl::render(review),
        Format::Sarif => sarif::render(review)?,
        Format::Junit => junit::render(review)?,
        Format::Github => github::render(review),
        Format::Gitlab => gitlab::render(review)?,
        Format::Azure => azure::render(review),
        Format::Rdjson => rdjson::render(review)?,
        Format::Markdown => markdown::render(review),
    })
}

/// The page of a code in public.
fn page_address(code: &str) -> String {
    checks::explain(code).map(|page| page.address()).unwrap_or_default()
}

/// The headline, why it matters and what to do, one paragraph each.
fn told(finding: &Finding) -> String {
    let origin = finding.origin.as_ref().map(|origin| format!("rendered from {origin}"));
    let parts = [Some(finding.message.clone()), finding.why.clone(), finding.help.clone(), origin];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// The root of the repository around the current folder.
#[derive(Clone, Debug, Default)]
pub struct Root {
    /// The folder that holds `.git`; empty when there is none.
    root: PathBuf,
    /// The way from there to the current folder.
    prefix: PathBuf,
}

impl Root {
    /// Looks for a repository around the current folder.
    pub fn here() -> Root {
        Root::around(&std::env::current_dir().unwrap_or_default())
    }

    /// Looks for a repository around a folder, which is absolute.
    pub fn around(folder: &Path) -> Root {
        let root = folder.ancestors().find(|it| it.join(".git").exists());
        root.map_or_else(Root::default, |root| Root {
            root: root.to_owned(),
            prefix: folder.strip_prefix(root).unwrap_or(Path::new("")).to_owned(),
        })
    }

    /// A path of a report as the repository knows it: relative to its root, with slashes.
    pub fn path(&self, shown: &str) -> String {
        let path = Path::new(shown);
        let inside = match path.is_absolute() {
            true => path.strip_prefix(&self.root).unwrap_or(path).to_owned(),
            false => self.prefix.join(path),
        };
        let mut parts: Vec<String> = Vec::new();
        for part in inside.components() {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir if parts.last().is_some_and(|it| it != "..") => {
                    parts.pop();
                }
                other => parts.push(other.as_os_str().to_string_lossy().into_owned()),
            }
        }
        parts.join("/").replace("//", "/")
    }

    /// The same as a URI reference.
    pub fn uri(&self, shown: &str) -> String {
        let path = self.path(shown);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
        let mut out = String::with_capacity(path.len());
        for byte in path.bytes() {
            if plain(byte) {
                out.push(byte as char);
            } else {
                out += &format!("%{byte:02X}");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::fs::create_dir_all(root.join("deploy/prod")).unwrap();
        let inside = Root::around(&root.join("deploy/prod"));
        assert_eq!(inside.path("a.yaml"), "deploy/prod/a.yaml");
        assert_eq!(inside.path("../a.yaml"), "deploy/a.yaml");
        assert_eq!(inside.path(&root.join("x/b.yaml").to_string_lossy()), "x/b.yaml");
        assert_eq!(inside.uri("a b%é.yaml"), "deploy/prod/a%20b%25%C3%A9.yaml");
        assert_eq!(Root::default().path("./a.yaml"), "a.yaml");
    }
}
