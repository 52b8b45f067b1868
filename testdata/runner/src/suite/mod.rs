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
pub mod flows;
pub mod markdown;
pub mod node;
pub mod report;
mod requests;
pub mod rerun;
pub mod routes;
pub mod row;
pub mod run;
pub mod script;
pub mod text;

pub use report::{Count, Failure, Report};

use markdown::Block;
use run::Rewrite;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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
    for (name, part, rewrites) in in_parallel(&texts, filter) {
        report.add(part);
        if bless && !rewrites.is_empty() {
            std::fs::write(folder.join(name), rewritten(&texts[name], rewrites))?;
        }
    }
    Ok(report)
}

/// Runs the texts on as many threads as there are processors; the answers are in the order of the texts.
fn in_parallel<'t>(texts: &'t BTreeMap<String, String>, filter: &str) -> Vec<(&'t str, Report, Vec<Rewrite>)> {
    let names: Vec<&str> = texts.keys().map(String::as_str).collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut report = Report::default();
            let rewrites = run_text(texts, name, filter, &mut report);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((*name, report, rewrites));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZeroUsize::get) {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(name, ..)| *name);
    done
}

/// Runs the tests of one text; the others are those that it may include. Says what blessing would change.
fn run_text(texts: &BTreeMap<String, String>, name: &str, filter: &str, report: &mut Report) -> Vec<Rewrite> {
    let mut rewrites = Vec::new();
    report.files += 1;
    let read = markdown::read(&texts[name]).and_then(|file| {
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
        blocks.extend(markdown::read(text).map_err(|(_, why)| (block.line, format!("`{name}`: {why}")))?.preamble);
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

    /// What a run of one text finds wrong: line and message of each failure.
    fn failures(text: &str) -> Vec<(usize, String)> {
        let mut report = Report::default();
        run_text(&BTreeMap::from([("f.md".to_owned(), text.to_owned())]), "f.md", "", &mut report);
        report.failures.into_iter().map(|it| (it.line, it.message)).collect()
    }

    /// A fixture in which everything is right; lines of it are made wrong below.
    const RIGHT: &str = "\
```cluster
node n1  10.0.0.1
pod a/web  10.244.1.10  app=web  on n1
pod a/cli  10.244.1.11  app=cli  on n1
```
# A law
```spec netpol a/p
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{podSelector: {matchLabels: {app: cil}}}]}]   # warn: [TG0012] \"app=cil\"
```
```flows
a/cli -> a/web  tcp 80  deny  by default
```
```packets a/web
0s  in  a/cli:40000 -> a/web:80  tcp syn  drop policy
```
```edit
pod a/new  10.244.1.12  app=cli  on n1
```
```rerun
classes() cluster() peers() space()
```
";

    #[test]
    fn a_fixture_that_is_right_has_no_failures() {
        assert_eq!(failures(RIGHT), []);
    }

    #[test]
    fn each_kind_of_expectation_that_is_wrong_fails_at_its_line() {
        let wrong = [
            (12, "deny  by default", "allow", "expected allow, got deny"),
            (12, "by default", "by a/p", "owed to others"),
            (15, "drop policy", "pass allowed", "expected pass"),
            (15, "drop policy", "drop vlan", "got drop policy"),
            (9, "# warn: [TG0012]", "# error: [TG0012]", "claimed, but not said"),
            (8, "podSelector: {matchLabels: {app: web}}", "podSelectr: {}", "said, but not claimed"),
            (21, "space()", "", "ran beyond what is expected: space()"),
            (12, "a/cli -> a/web", "a/nobody -> a/web", "names nobody"),
            (11, "```flows", "```flow", "is no block"),
        ];
        for (line, old, new, message) in wrong {
            let found = failures(&RIGHT.replace(old, new));
            let is_said = |(at, said): &(usize, String)| *at >= line && said.contains(message);
            assert!(found.iter().any(is_said), "{old} -> {new}: {found:?}");
        }
    }

    #[test]
    fn a_heading_that_asserts_nothing_fails() {
        assert_eq!(failures("# A law\nand words\n"), [(1, "the test asserts nothing".to_owned())]);
    }

    #[test]
    fn blessing_changes_the_inside_of_blocks_only() {
        let rewrite = |line, lines, text: &str| Rewrite { line, lines, text: text.to_owned() };
        let text = "a\n```\nold\nold\n```\nb\n```\n```\n";
        let blessed = rewritten(text, vec![rewrite(8, 0, "two\n"), rewrite(3, 2, "one\n")]);
        assert_eq!(blessed, "a\n```\none\n```\nb\n```\ntwo\n```\n");
    }
}
