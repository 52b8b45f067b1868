//! The suite: Markdown files of policies, clusters and expectations (`docs/dev/testing.md` says what blocks hold).
//!
//! ```text
//!  *.md ─markdown─► tests ─┬─ cluster, config, text ─► a database ─┐
//!                          ├─ row, end ─► ask each engine ◄────────┤
//!                          ├─ script ─► node: packets, in order ◄──┤
//!                          └─ rerun, claims ◄──────────────────────┴─► report
//! ```

pub mod ask;
pub mod claims;
pub mod cluster;
pub mod config;
pub mod end;
pub mod markdown;
pub mod node;
pub mod report;
pub mod rerun;
pub mod row;
pub mod run;
pub mod script;
pub mod text;

pub use report::{Count, Failure, Report};

use markdown::Block;
use run::Rewrite;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Runs every `*.md` below a folder. With `bless`, blocks that machines write are brought up to date. Only tests whose file or
/// heading holds `filter` run.
///
/// Errors: a folder or file that cannot be read or written.
pub fn run_folder(folder: &Path, bless: bool, filter: &str) -> std::io::Result<Report> {
    let mut texts = BTreeMap::new();
    for path in files(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        texts.insert(name, std::fs::read_to_string(&path)?);
    }
    let mut report = Report::default();
    for name in texts.keys() {
        let rewrites = run_text(&texts, name, filter, &mut report);
        if bless && !rewrites.is_empty() {
            std::fs::write(folder.join(name), rewritten(&texts[name], rewrites))?;
        }
    }
    Ok(report)
}

/// Runs the tests of one text; the others are those that it may include. Says what blessing would change.
fn run_text(texts: &BTreeMap<String, String>, name: &str, filter: &str, report: &mut Report) -> Vec<Rewrite> {
    let mut rewrites = Vec::new();
    report.files += 1;
    let read = markdown::read(name, &texts[name]).and_then(|file| {
        let preamble = included(texts, &file.preamble)?;
        Ok((file, preamble))
    });
    match read {
        Ok((file, preamble)) => {
            for test in file.tests.iter().filter(|test| name.contains(filter) || test.name.contains(filter)) {
                run::run(name, &preamble, test, report, &mut rewrites);
            }
        }
        Err((line, message)) => {
            let (file, test) = (name.to_owned(), String::new());
            report.failures.push(Failure { file, line, test, message });
        }
    }
    rewrites
}

/// The preamble with the preambles of files that it includes in the place of `include` blocks.
fn included(texts: &BTreeMap<String, String>, preamble: &[Block]) -> Result<Vec<Block>, (usize, String)> {
    let mut blocks = Vec::new();
    for block in preamble {
        if block.kind != "include" {
            blocks.push(block.clone());
            continue;
        }
        let name = block.arguments.join(" ");
        let text = texts.get(&name).ok_or_else(|| (block.line, format!("there is no file `{name}` to include")))?;
        blocks
            .extend(markdown::read(&name, text).map_err(|(_, why)| (block.line, format!("`{name}`: {why}")))?.preamble);
    }
    Ok(blocks)
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.extend(path.extension().is_some_and(|it| it == "md").then_some(path)),
        }
    }
    found.sort();
    Ok(found)
}

/// The text with the blocks replaced. Of two rewrites of one block (two dialects that print different things) the first stands.
fn rewritten(text: &str, mut rewrites: Vec<Rewrite>) -> String {
    rewrites.sort_by_key(|rewrite| rewrite.line);
    rewrites.dedup_by_key(|rewrite| rewrite.line);
    let mut out = String::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line)).peekable();
    for rewrite in rewrites {
        while let Some((_, line)) = lines.next_if(|(at, _)| *at < rewrite.line) {
            out.push_str(line);
            out.push('\n');
        }
        while lines.next_if(|(at, _)| *at < rewrite.line + rewrite.lines).is_some() {}
        out.push_str(&rewrite.text);
    }
    lines.for_each(|(_, line)| {
        out.push_str(line);
        out.push('\n');
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blessing_changes_the_inside_of_blocks_only() {
        let rewrite = |line, lines, text: &str| Rewrite { line, lines, text: text.to_owned() };
        let text = "a\n```\nold\nold\n```\nb\n```\n```\n";
        let blessed = rewritten(text, vec![rewrite(8, 0, "two\n"), rewrite(3, 2, "one\n")]);
        assert_eq!(blessed, "a\n```\none\n```\nb\n```\ntwo\n```\n");
    }
}
