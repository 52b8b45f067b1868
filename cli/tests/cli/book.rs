//! The pages show what the program prints: their examples are run, a page as one session in a copy of `examples`.
//!
//! A block ```` ```console run ```` holds commands after `$ ` and what they print; `…` stands for any text, on a line of its own for any
//! lines. A block ```` ```yaml file=NAME ```` is written to that file first. `BLESS=1` writes what is printed into the pages, where no `…` is.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One command of a page and the lines that it prints there.
struct Step {
    command: String,
    shown: Vec<String>,
}

enum Block {
    Run(Vec<Step>),
    File { name: String, text: String },
}

/// The blocks of a page that a session is made of, and the commands whose output is shown and never run.
fn blocks(page: &str) -> (Vec<Block>, Vec<String>) {
    let (mut blocks, mut unrun) = (Vec::new(), Vec::new());
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let marks = line.len() - line.trim_start_matches('`').len();
        if marks < 3 {
            continue;
        }
        let (fence, about) = line.split_at(marks);
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
        if about == "console run" {
            blocks.push(Block::Run(steps(&text)));
        } else if let Some((_, name)) = about.split_once(" file=") {
            blocks.push(Block::File { name: name.to_owned(), text: text.join("\n") + "\n" });
        } else if matches!(about, "console" | "text") {
            let shown =
                steps(&text).into_iter().filter(|step| step.command.starts_with("tidegate ") && !step.shown.is_empty());
            unrun.extend(shown.map(|step| step.command));
        }
    }
    (blocks, unrun)
}

fn steps(text: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            (None, Some(step)) => step.shown.push((*line).to_owned()),
            (None, None) => {}
        }
    }
    steps
}

/// What each command of a session prints, both streams together as on a terminal.
fn run(blocks: &[Block]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (clone, programs) = (folder.path().join("tidegate"), folder.path().join("bin"));
    copy(&root().join("examples"), &clone.join("examples"));
    fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tidegate"), programs.join("tidegate")).unwrap();
    let mut script = "exec 2>&1\n".to_owned();
    for block in blocks {
        match block {
            Block::File { name, text } => {
                let _ =
                    write!(script, "mkdir -p \"$(dirname {name})\"\ncat >{name} <<'END OF FILE'\n{text}END OF FILE\n");
            }
            Block::Run(steps) => {
                for step in steps {
                    let _ = writeln!(script, "printf '\\036'\n{}", step.command);
                }
            }
        }
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(&clone).stdin(Stdio::null()).env("PATH", path).env("HOME", folder.path());
    shell.env("COLUMNS", "100").env("GIT_CONFIG_NOSYSTEM", "1").env_remove("TIDEGATE_RELEASES");
    for who in ["AUTHOR", "COMMITTER"] {
        shell.env(format!("GIT_{who}_NAME"), "A reader").env(format!("GIT_{who}_EMAIL"), "reader@example.com");
    }
    let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    printed.split('\x1e').skip(1).map(str::to_owned).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// Whether lines are as shown.
fn alike(shown: &[String], printed: &[&str]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first.trim() == "…" => {
            (0..=printed.len()).any(|skip| alike(rest, &printed[skip..]))
        }
        (Some((first, rest)), Some((line, others))) => {
            line_alike(first.trim_end(), line.trim_end()) && alike(rest, others)
        }
        _ => false,
    }
}

fn line_alike(shown: &str, printed: &str) -> bool {
    match shown.split_once('…') {
        None => shown == printed,
        Some((before, after)) => printed.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| line_alike(after, &rest[at..]))
        }),
    }
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every page with examples: the book, what it takes from docs, and the first page of the repository.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "docs/unknown.md", "docs/dialects.md"].map(|name| root().join(name)).into();
    for folder in ["docs/book/src", "docs/book/src/guide"] {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    }
    pages.sort();
    pages
}

#[test]
fn every_output_on_a_page_is_what_the_program_prints() {
    if Command::new("git").arg("--version").output().is_err() {
        println!("absent: git, so the pages were not compared");
        return;
    }
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let (mut wrong, mut run_commands) = (String::new(), 0);
    for path in pages() {
        let mut page = fs::read_to_string(&path).unwrap();
        let (blocks, unrun) = blocks(&page);
        for command in unrun {
            let _ = writeln!(
                wrong,
                "{}: `{command}` shows what was never run; let its block begin with ```console run",
                path.display()
            );
        }
        let steps = blocks.iter().flat_map(|block| match block {
            Block::Run(steps) => steps.as_slice(),
            Block::File { .. } => &[],
        });
        let printed = if blocks.is_empty() { Vec::new() } else { run(&blocks) };
        assert_eq!(printed.len(), steps.clone().count(), "{}: the session ended early", path.display());
        let mut at = 0;
        for (step, printed) in steps.zip(&printed) {
            run_commands += 1;
            let lines: Vec<&str> = printed.trim_end().lines().collect();
            let end = step.shown.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
            let shown = step.shown[..end].join("\n");
            let old = format!("$ {}\n{shown}", step.command);
            let old = old.trim_end();
            // Commands come in the order of the page, so that one of two alike is not taken for the other.
            at += page[at..].find(old).unwrap_or_default();
            let new = format!("$ {}\n{}", step.command, printed.trim_end());
            let alike = alike(&step.shown[..end], &lines);
            if !alike && bless && !shown.contains('…') {
                page.replace_range(at..at + old.len(), new.trim_end());
                at += new.trim_end().len();
                continue;
            }
            at += old.len();
            if !alike {
                let _ = writeln!(wrong, "{}: the page says\n{old}\nand the program\n{new}\n", path.display());
            }
        }
        if bless {
            fs::write(&path, &page).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(run_commands >= 30, "{run_commands} commands were run");
}

#[test]
fn an_ellipsis_stands_for_any_text_and_any_lines_and_nothing_else_does() {
    let alike = |shown: &str, printed: &str| {
        alike(&shown.lines().map(str::to_owned).collect::<Vec<_>>(), &printed.lines().collect::<Vec<_>>())
    };
    assert!(alike("a\n…\nd", "a\nb\nc\nd"));
    assert!(alike("taken … (… ago): 3", "taken 2026-11-04 (4 hours ago): 3"));
    assert!(!alike("a\nb", "a\nb\nc"));
    assert!(!alike("a …", "b c"));
}
