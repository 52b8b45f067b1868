//! `--fix`, `--unsafe-fixes`, `--diff`.

use super::{Check, judge, settings::Settings};
use crate::command::Exit;
use crate::output;
use crate::render::{count, say};
use crate::session::Session;
use driver::Database;
use findings::mend::{Applied, Mended, Wanted, mend};
use similar::TextDiff;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Applies fixes and writes the files, each whole or not at all. The session holds the new texts then.
pub(super) fn apply(check: &Check, session: &mut Session, settings: &Settings) -> Result<(), String> {
    let input = settings.take.input.clone();
    // Standard input is no file, whatever it is called.
    let Mended { texts, applied, .. } = mended(check, &mut session.db, settings, |path| path != input);
    for (path, text) in &texts {
        output::write_file(Path::new(path), text.as_bytes()).map_err(|error| {
            format!("cannot write `{path}`: {error}; files that come after it in the order of names are as they were")
        })?;
    }
    if !applied.is_empty() {
        let files = count(texts.len(), "file", "files");
        say(&format!("mended {} in {files}", count(applied.len(), "finding", "findings")));
    }
    applied.iter().filter(|it| !it.safe).for_each(|it| say(&line(it)));
    Ok(())
}

/// Prints what fixes would change.
pub(super) fn show(check: &Check, session: &mut Session, settings: &Settings) -> Result<Exit, String> {
    let old: BTreeMap<String, Arc<str>> = session
        .db
        .files()
        .map(|file| (file.path(&session.db).to_owned(), file.text(&session.db).unwrap_or_default()))
        .collect();
    let Mended { texts, applied, left } = mended(check, &mut session.db, settings, |_| true);
    let mut out = String::new();
    for (path, text) in &texts {
        let before = old.get(path).map(|it| &**it).unwrap_or_default();
        let diff = TextDiff::from_lines(before, text.as_str());
        out += &diff.unified_diff().context_radius(3).header(&format!("a/{path}"), &format!("b/{path}")).to_string();
    }
    output::write_stdout(&crate::visible::visible(&out)).map_err(|error| error.to_string())?;
    applied.iter().filter(|it| !it.safe).for_each(|it| say(&line(it)));
    if !check.unsafe_fixes {
        say_hidden(left);
    }
    for it in &session.unreadable {
        say(&format!("error: cannot read `{}`: {}", it.path, it.reason));
    }
    Ok(match texts.is_empty() {
        _ if !session.unread().is_empty() => Exit::Bad,
        true => Exit::Clean,
        false => Exit::Findings,
    })
}

/// Says that a diff does not show all; what it does not show is no reason to end in 1.
fn say_hidden(left: usize) {
    if left > 0 {
        let fixes = count(left, "unsafe fix", "unsafe fixes");
        say(&format!("{fixes} not shown: `--unsafe-fixes` shows what may change what is enforced, too"));
    }
}

fn mended(check: &Check, db: &mut Database, settings: &Settings, editable: impl Fn(&str) -> bool) -> Mended {
    let wanted = if check.unsafe_fixes { Wanted::All } else { Wanted::Safe };
    mend(db, wanted, editable, |db| judge::asked(check, db, settings, Vec::new()).found)
}

fn line(it: &Applied) -> String {
    format!("note: this may change what is enforced: {} of {} {} in {}", it.title, it.code, it.slug, it.path)
}
