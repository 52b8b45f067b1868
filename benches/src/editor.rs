//! What an editor waits for: findings after an edit, completion, hover, in a workspace of 2,000 policies and 5,000 pods.

use crate::compile::{Failed, memory_kb};
use crate::line::Line;
use crate::world::{self, Files};
use checks::suppress::Rules;
use driver::Database;
use ide::At;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The target's name.
pub const TARGET: &str = "T13";
/// Pods of the workspace. Two fifths of the policies that belong to so many are there.
const PODS: usize = 5_000;
/// How many edits are made.
const EDITS: u16 = 200;

/// Opens the workspace, then edits policy after policy and asks about each.
pub fn run(say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
    let files = workspace();
    let policies = files.iter().filter(|(path, _)| path.starts_with("policies/")).count();
    let mut db = Database::new();
    db.expect_edits();
    let begin = Instant::now();
    db.set_files(files.into_iter().map(|(path, text)| (Arc::from(path), Arc::from(text))));
    let rules = Rules::default();
    ide::diagnostics(&db, file(&db, number(0))?, &rules);
    let opened = begin.elapsed();
    let (mut edits, mut completions, mut hovers) = (Vec::new(), Vec::new(), Vec::new());
    let mut found = 0;
    for edit in 0..EDITS {
        let number = number(usize::from(edit));
        let text = world::policy(number, edit + 1);
        let path = world::policy_path(number);
        edits.push(timed(|| {
            db.set_file(&path, &text);
            found += db.file_at(&path).map_or(0, |file| ide::diagnostics(&db, file, &rules).len());
        }));
        // Inside the labels of the selector that says whom the policy is about.
        let offset = text.find("matchLabels: {").map_or(0, |at| at + "matchLabels: {".len()) as u32;
        let at = At { file: file(&db, number)?, offset };
        completions.push(timed(|| found += ide::complete(&db, at).len()));
        hovers.push(timed(|| found += usize::from(ide::hover(&db, at).is_some())));
    }
    for (pattern, times) in [("edit-findings", edits), ("completion", completions), ("hover", hovers)] {
        let [p50, p95, most] = percentiles(times);
        let line = Line::new(TARGET, policies, pattern).with("pods", PODS);
        say(line.figure("p50_ms", p50).figure("p95_ms", p95).figure("max_ms", most));
    }
    let line = Line::new(TARGET, policies, "open").figure("first_ms", opened.as_secs_f64() * 1e3).with("found", found);
    say(line.figure("rss_mb", memory_kb("VmRSS") as f64 / 1e3));
    Ok(())
}

/// Of every five namespaces two have policies.
fn workspace() -> Files {
    let mut files = world::world(PODS);
    let of_policy =
        |path: &str| path.strip_prefix("policies/ns-").and_then(|rest| rest.split('/').next()?.parse().ok());
    files.retain(|(path, _)| of_policy(path).is_none_or(|namespace: usize| namespace % 5 < 2));
    files
}

/// The policy of an edit: those with labels, in one namespace after another.
fn number(edit: usize) -> usize {
    let namespace = edit / 7 * 5 % 250;
    namespace * world::A_NAMESPACE + 3 + edit * 5 % 16
}

fn file(db: &Database, number: usize) -> Result<driver::SourceFile, Failed> {
    db.file_at(&world::policy_path(number)).ok_or_else(|| Failed(format!("policy {number} is in no file")))
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// The median, the 95th of a hundred, and the greatest, in milliseconds.
fn percentiles(mut times: Vec<Duration>) -> [f64; 3] {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
    [50, 95, 100].map(|share| at(share).map_or(0.0, |time| time.as_secs_f64() * 1e3))
}
