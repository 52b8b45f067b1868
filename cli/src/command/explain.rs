//! `tidegate explain`: the page of a code, offline.

pub mod report;

use super::Exit;
use crate::formats::{self, Formats, To};
use checks::{Page, REGISTRY};
use clap::Args;
use report::{ExplainReport, Rule};

/// Print the page of a code, offline: what it finds, why it matters, what fails, what is right, and what it cannot see.
///
/// Without a name, the table of all codes.
#[derive(Debug, Args)]
pub struct Explain {
    /// A code such as TG0152, or its name such as host-bits-set.
    #[arg(value_name = "CODE|NAME")]
    pub name: Option<String>,
    /// Format, and its file when it is not for standard output: text, markdown, json. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<To<Format>>,
}

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// As it is written.
    Markdown,
    /// One JSON object.
    Json,
}

impl Formats for Format {
    const ALL: &'static [Format] = &[Format::Text, Format::Markdown, Format::Json];

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Markdown => "markdown",
            Format::Json => "json",
        }
    }

    fn is_shown(self) -> bool {
        self != Format::Json
    }
}

/// The page of a code or name. Errors: for people: there is none of it.
pub(in crate::command) fn named(name: &str) -> Result<&'static Page, String> {
    checks::explain(name).ok_or_else(|| format!("`{name}` is no code: {}", findings::select::unknown(name)))
}

impl Explain {
    /// Looks the name up and prints.
    pub fn run(self) -> Result<Exit, String> {
        let page = self.name.as_deref().map(named).transpose()?;
        formats::write_all(&self.outputs, |format, _| {
            Ok(match (format, page) {
                (Format::Text, Some(page)) => text(page),
                (Format::Markdown, Some(page)) => page.text.to_owned(),
                (Format::Text, None) => table("", "  ", ""),
                (Format::Markdown, None) => {
                    "| code | level | group | name |\n| --- | --- | --- | --- |\n".to_owned()
                        + &table("| ", " | ", " |")
                }
                (Format::Json, _) => {
                    let pages: Vec<&'static Page> = page.map_or_else(|| REGISTRY.to_vec(), |page| vec![page]);
                    super::json(&ExplainReport::of(pages.into_iter().map(Rule::of).collect()))?
                }
            })
        })?;
        Ok(Exit::Clean)
    }
}

/// One line a code.
fn table(before: &str, between: &str, after: &str) -> String {
    let row = |page: &&Page| {
        let (level, group) = (page.level.to_string(), page.group.name());
        format!("{before}{}{between}{level:7}{between}{group:11}{between}{}{after}\n", page.code, page.slug)
    };
    REGISTRY.iter().map(row).collect()
}

/// A page without the marks of its form: texts indented, headings on lines of their own.
fn text(page: &Page) -> String {
    let mut out = format!(
        "{} {}: {} of the group {}, since {}\n",
        page.code,
        page.slug,
        page.level,
        page.group.name(),
        page.since
    );
    let mut fenced = false;
    for line in page.text.lines().skip(1) {
        match (line.starts_with("```"), line.strip_prefix("## ")) {
            (true, _) => fenced = !fenced,
            (_, Some(heading)) if !fenced => out += &format!("{heading}\n"),
            _ if line.is_empty() => out.push('\n'),
            _ => out += &format!("{}{line}\n", if fenced { "    " } else { "  " }),
        }
    }
    out
}
