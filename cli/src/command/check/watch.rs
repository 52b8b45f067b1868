//! `--watch`: the same database, checked again whenever a file changes.

use super::{Check, settings::Settings};
use crate::args::Color;
use crate::command::Exit;
use crate::render::{count, say};
use crate::session;
use crate::watch::Watch;

/// Checks until it is stopped.
///
/// Errors: nothing can be watched, or a report cannot be written.
pub(super) fn run(check: &Check, mut settings: Settings, color: Color) -> Result<Exit, String> {
    let mut watch = Watch::new()?;
    // Before the first look, so that no change falls between.
    watch.add(settings.paths.all())?;
    let mut session = session::open_with(&settings.paths, &settings.take);
    loop {
        check.report(&mut session, &settings, color)?;
        let files = count(session.db.files().count(), "file", "files");
        say(&format!("watching {files}; Ctrl-C ends"));
        loop {
            if !watch.changed() {
                return Ok(Exit::Clean);
            }
            match Settings::of(check) {
                Ok(read) => settings = read,
                Err(why) => say(&format!("error: {why}")),
            }
            if session.refresh(&settings.paths, &settings.take) {
                break;
            }
        }
    }
}
