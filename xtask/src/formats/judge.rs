//! Who judges, and what they say.

use super::tools::{Said, Tools};
use serde_json::Value;
use std::fmt;
use std::fs;
use std::path::Path;

/// Somebody who reads a format and is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// A schema of `docs/schemas`, by another's reading of JSON schemas.
    Ours(&'static str),
    /// The same of a file that is TOML.
    OursInToml(&'static str),
    /// A schema of `testdata/schemas`.
    Schema(&'static str),
    /// The published schema of SARIF.
    Sarif,
    /// `jq` reads one value.
    Jq,
    /// `jq` reads as many values as there are lines.
    JqLines,
    /// The schema of JUnit reports, by `xmllint`.
    Junit,
    /// The validator of reviewdog's format.
    Rdjson,
    /// bpftool reads the types of an ELF object.
    Types,
    /// Graphviz draws it, and `xmllint` reads what it drew.
    Dot,
    /// Mermaid's own parser.
    Mermaid,
    /// Python's reader of tables finds the same columns in each row.
    Csv,
    /// Python's reader of YAML.
    Yaml,
    /// Python's reader of TOML.
    Toml,
    /// HTML Tidy.
    Html,
    /// GitHub's Markdown makes a row of each line of a table.
    Markdown,
    /// git could apply it.
    Patch,
    /// Vim finds a place in each line.
    QuickFix,
    /// A shell reads it without running it.
    Script(&'static str),
    /// mandoc's lint.
    Mandoc,
    /// groff, with all warnings.
    Roff,
}

/// What a judge says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is what it says it is.
    Valid,
    /// The judge is not here; how it is installed.
    Missing(String),
    /// What is wrong with it.
    Invalid(String),
}

impl Verdict {
    /// 0 for the best, 2 for the worst.
    pub fn rank(&self) -> u8 {
        match self {
            Verdict::Valid => 0,
            Verdict::Missing(_) => 1,
            Verdict::Invalid(_) => 2,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Valid => f.write_str("valid"),
            Verdict::Missing(how) => write!(f, "skipped: {how}"),
            Verdict::Invalid(why) => write!(f, "INVALID: {}", why.trim().replace('\n', " / ")),
        }
    }
}

/// Rows of the same width, as another reader of CSV finds them.
const COLUMNS: &str = "import csv,sys
rows = list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))
widths = {len(row) for row in rows}
sys.exit(0 if len(widths) == 1 and widths.pop() > 1 else f'rows of different widths: {sorted(widths)}')";
const YAML: &str = "import yaml,sys
sys.exit(0 if [it for it in yaml.safe_load_all(open(sys.argv[1], encoding='utf-8')) if it] else 'no document')";
const TOML: &str = "import json,tomllib,sys
json.dump(tomllib.load(open(sys.argv[1], 'rb')), sys.stdout)";
const MERMAID: &str = "import { JSDOM } from 'jsdom'; import fs from 'node:fs';
const { window } = new JSDOM(''); globalThis.window = window; globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');
await mermaid.parse(fs.readFileSync(process.argv[1], 'utf8'));";

impl Judge {
    /// As a line of the report names it.
    pub fn name(self) -> String {
        match self {
            Judge::Ours(kind) | Judge::OursInToml(kind) => format!("docs/schemas/{kind}.json"),
            Judge::Schema(file) => format!("testdata/schemas/{file}"),
            Judge::Sarif => "testdata/schemas/sarif-2.1.0.json".into(),
            Judge::Jq | Judge::JqLines => "jq".into(),
            Judge::Junit => "xmllint --schema junit-10.xsd".into(),
            Judge::Rdjson => "rdformat-validator".into(),
            Judge::Types => "bpftool btf dump".into(),
            Judge::Dot => "dot -Tsvg".into(),
            Judge::Mermaid => "mermaid".into(),
            Judge::Csv => "python csv".into(),
            Judge::Yaml => "python yaml".into(),
            Judge::Toml => "python tomllib".into(),
            Judge::Html => "tidy".into(),
            Judge::Markdown => "cmark-gfm".into(),
            Judge::Patch => "git apply --check".into(),
            Judge::QuickFix => "vim errorformat".into(),
            Judge::Script(shell) => format!("{shell}, without running it"),
            Judge::Mandoc => "mandoc -T lint".into(),
            Judge::Roff => "groff -ww".into(),
        }
    }

    /// Judges a file, which was made by a command that ran in `work`.
    pub fn judge(self, file: &Path, work: &Path, tools: &Tools) -> Verdict {
        let said = match self {
            Judge::Ours(kind) => by_schema(file, &format!("docs/schemas/{kind}.json")),
            Judge::OursInToml(kind) => toml(file, kind, tools),
            Judge::Schema(name) => by_schema(file, &format!("testdata/schemas/{name}")),
            Judge::Sarif => by_schema(file, "testdata/schemas/sarif-2.1.0.json"),
            Judge::Jq => tools.quiet("jq", &["-e", "type"], file),
            Judge::JqLines => lines(file, tools),
            Judge::Junit => {
                let schema = crate::tidy::root().join("testdata/schemas/junit-10.xsd");
                tools.quiet("xmllint", &["--noout", "--schema", &schema.to_string_lossy()], file)
            }
            Judge::Rdjson => tools.node_program("rdformat-validator", &[], file),
            Judge::Types => tools.quiet("bpftool", &["btf", "dump", "file"], file),
            Judge::Dot => drawn(file, tools),
            Judge::Mermaid => tools.node(MERMAID, file),
            Judge::Csv => tools.quiet("python3", &["-c", COLUMNS], file),
            Judge::Yaml => tools.quiet("python3", &["-c", YAML], file),
            Judge::Toml => tools.quiet("python3", &["-c", TOML], file),
            Judge::Html => tools.quiet("tidy", &["-quiet", "-errors", "--show-warnings", "no"], file),
            Judge::Markdown => rows(file, tools),
            Judge::Patch => tools.quiet_in(work, "git", &["apply", "--check"], file),
            Judge::QuickFix => places(file, tools),
            Judge::Script(shell) => tools.quiet(shell, &["-n"], file),
            Judge::Mandoc => linted(file, tools),
            Judge::Roff => tools.silent("groff", &["-Kutf8", "-ww", "-man", "-z", "-Tutf8"], file),
        };
        match said {
            Ok(()) => Verdict::Valid,
            Err(Said::Missing(how)) => Verdict::Missing(how),
            Err(Said::Wrong(why)) => Verdict::Invalid(why),
        }
    }
}

fn read(file: &Path) -> Result<String, Said> {
    fs::read_to_string(file).map_err(|error| Said::Wrong(format!("{}: {error}", file.display())))
}

fn wrong(error: impl fmt::Display) -> Said {
    Said::Wrong(error.to_string())
}

fn by_schema(file: &Path, schema: &str) -> Result<(), Said> {
    holds(&serde_json::from_str(&read(file)?).map_err(wrong)?, schema)
}

fn holds(value: &Value, schema: &str) -> Result<(), Said> {
    let mut schema: Value = serde_json::from_str(&read(&crate::tidy::root().join(schema))?).map_err(wrong)?;
    // Why: the pattern of languages that SARIF published has a bracket too many, and the judge takes no schema with it.
    for of in ["run", "toolComponent"] {
        if let Some(language) = schema.pointer_mut(&format!("/definitions/{of}/properties/language")) {
            language.as_object_mut().map(|it| it.remove("pattern"));
        }
    }
    let judge = jsonschema::validator_for(&schema).map_err(wrong)?;
    let found: Vec<String> =
        judge.iter_errors(value).take(3).map(|it| format!("{}: {it}", it.instance_path())).collect();
    if found.is_empty() { Ok(()) } else { Err(Said::Wrong(found.join("; "))) }
}

fn toml(file: &Path, kind: &str, tools: &Tools) -> Result<(), Said> {
    let read = tools.run("python3", &["-c", TOML], file)?;
    holds(&serde_json::from_str(&read).map_err(wrong)?, &format!("docs/schemas/{kind}.json"))
}

/// As many values as lines, so that no value goes over two.
fn lines(file: &Path, tools: &Tools) -> Result<(), Said> {
    let (lines, found) = (read(file)?.lines().count(), tools.run("jq", &["-n", "[inputs] | length"], file)?);
    same(lines, found.trim(), "lines", "values")
}

/// Each graph of the file is drawn, one document after another.
fn drawn(file: &Path, tools: &Tools) -> Result<(), Said> {
    let graphs = read(file)?.lines().filter(|line| line.starts_with("digraph ")).count();
    let drawn = tools.run("dot", &["-Tsvg"], file)?;
    let documents: Vec<&str> = drawn.split("<?xml ").skip(1).collect();
    for document in &documents {
        let svg = file.with_extension("svg");
        fs::write(&svg, format!("<?xml {document}")).map_err(wrong)?;
        tools.quiet("xmllint", &["--noout", "--nonet"], &svg)?;
    }
    same(graphs, &documents.len().to_string(), "graphs", "drawings")
}

/// All that mandoc's lint says, but for the date that pages leave out.
fn linted(file: &Path, tools: &Tools) -> Result<(), Said> {
    match tools.quiet("mandoc", &["-T", "lint", "-W", "warning"], file) {
        Err(Said::Wrong(said)) if said.lines().all(|line| line.contains("missing date")) => Ok(()),
        other => other,
    }
}

/// Every line of a table is a row, but for the one that separates.
fn rows(file: &Path, tools: &Tools) -> Result<(), Said> {
    let text = read(file)?;
    let html = tools.run("cmark-gfm", &["-e", "table", "-t", "html"], file)?;
    let mut fenced = false;
    let of_tables = text.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced && line.starts_with('|') && !line.chars().all(|it| "|-: ".contains(it))
    });
    same(of_tables.count(), &html.matches("<tr>").count().to_string(), "lines of tables", "rows")
}

fn places(file: &Path, tools: &Tools) -> Result<(), Said> {
    let out = file.with_extension("places");
    let found = format!("call writefile([len(filter(getqflist(), 'v:val.valid'))], '{}')", out.display());
    let script = ["-N", "-u", "NONE", "-i", "NONE", "-es", "-c", "cgetfile %", "-c", &found, "-c", "qa!"];
    tools.run("vim", &script, file)?;
    same(read(file)?.lines().count(), read(&out)?.trim(), "lines", "places")
}

fn same(wanted: usize, found: &str, of: &str, what: &str) -> Result<(), Said> {
    if wanted.to_string() == found { Ok(()) } else { Err(Said::Wrong(format!("{wanted} {of}, but {found} {what}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a judge says of a text.
    fn said(judge: Judge, text: &str) -> Verdict {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("text");
        fs::write(&file, text).unwrap();
        judge.judge(&file, folder.path(), &Tools::new(folder.path()))
    }

    #[test]
    fn schemas_of_ours_and_of_others_refuse_what_they_should() {
        let sarif = r#"{"version": "2.1.0", "runs": []}"#;
        assert_eq!(said(Judge::Sarif, sarif), Verdict::Valid);
        assert!(matches!(said(Judge::Sarif, r#"{"version": "2.1.0"}"#), Verdict::Invalid(_)));
        assert!(matches!(said(Judge::Ours("VersionReport"), "{}"), Verdict::Invalid(_)));
        assert!(matches!(
            said(Judge::Schema("gitlab-code-quality.json"), r#"[{"description": ""}]"#),
            Verdict::Invalid(_)
        ));
        assert_eq!(said(Judge::Schema("gitlab-code-quality.json"), "[]"), Verdict::Valid);
    }

    #[test]
    fn programs_refuse_what_they_should_where_they_are() {
        let right = [
            (Judge::Jq, "{}"),
            (Judge::JqLines, "{}\n[]\n"),
            (Judge::Junit, "<testsuites><testsuite name='a' tests='0' failures='0' errors='0'/></testsuites>"),
            (Judge::Dot, "digraph { a -> b }"),
            (Judge::Csv, "a,b\n1,\"2,3\"\n"),
            (Judge::Yaml, "a: 1\n"),
            (Judge::Markdown, "| a | b |\n| --- | --- |\n| 1 | 2 |\n"),
            (Judge::QuickFix, "a.yaml:1:2: error[X]: b\n"),
            (Judge::Script("bash"), "echo a"),
        ];
        let wrong = [
            (Judge::Jq, "{"),
            (Judge::JqLines, "{\n}\n"),
            (Judge::Junit, "<testsuites><testsuite name='a'/></testsuites>"),
            (Judge::Dot, "digraph { a -> }"),
            (Judge::Csv, "a,b\n1\n"),
            (Judge::Yaml, "a: [\n"),
            (Judge::Markdown, "| a | b |\n| 1 | 2 |\n"),
            (Judge::QuickFix, "nowhere\n"),
            (Judge::Script("bash"), "if"),
        ];
        for (judge, text) in right {
            assert!(said(judge, text).rank() < 2, "{judge:?}: {}", said(judge, text));
        }
        for (judge, text) in wrong {
            assert!(said(judge, text).rank() > 0, "{judge:?}");
        }
    }
}
