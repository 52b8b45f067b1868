//! What configured commands print: run beside all else, kept as documents that nobody types in.

use super::{Asked, Outcome, Server};
use crate::pool::{Ended, ask};
use crate::world::{RENDERED, rendered_key};
use crossbeam_channel::{Receiver, after, never};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long after a run changes of files start no other at once: what the commands wrote may be among them.
const ECHO: Duration = Duration::from_secs(1);

/// How often that time doubles at most while runs for such changes print something else each.
const RARELY: u32 = 6;

/// What a command printed, by the key of its document. Errors: for people.
pub(super) type Printed = Vec<(String, Result<String, String>)>;

/// The runs of the commands.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is asked alone")]
pub(super) struct Rendering {
    /// Whether they run now.
    running: bool,
    /// Whether they are to run again.
    again: bool,
    /// When the last run ended.
    ended: Option<Duration>,
    /// How many of the last runs were for changes that the commands may have made.
    repeats: u32,
    /// Whether the last run printed what was there before.
    prints_same: bool,
    /// Whether a file changed since the last run began, which may have been the commands.
    missed: bool,
    /// When they run for that.
    due: Option<Receiver<Instant>>,
    /// The documents that somebody looks at.
    pub viewed: BTreeSet<String>,
}

impl Rendering {
    /// When the commands are to run for changes that came while they ran or just after.
    pub fn due(&self) -> Receiver<Instant> {
        self.due.clone().unwrap_or_else(never)
    }

    /// Notes a change that the commands may have made. One run more sees what somebody else changed; where that prints the same as
    /// before, what changed beside it was its own. Where each prints something else, they come ever more rarely.
    fn miss(&mut self) {
        self.missed = true;
        if !(self.running || self.repeats > 0 && self.prints_same) {
            let wait = ECHO * (1 << self.repeats.min(RARELY));
            self.due.get_or_insert_with(|| after(wait));
        }
    }
}

impl Server<'_> {
    /// Has the commands run for changes that came while they ran or just after.
    pub(super) fn render_missed(&mut self) {
        let repeats = self.rendering.repeats + 1;
        self.render();
        self.rendering.repeats = repeats;
    }

    /// Has the commands run, once more where they run already.
    pub(super) fn render(&mut self) {
        if self.rendering.running {
            self.rendering.again = true;
            return;
        }
        (self.rendering.repeats, self.rendering.missed, self.rendering.due) = (0, false, None);
        let folder = self.roots.first().cloned();
        if folder.is_none() && !self.settings.render.is_empty() {
            self.show("the commands of `tidegate.render` are not run: they run in the first folder, and none is open");
        }
        let commands = folder.iter().flat_map(|_| &self.settings.render);
        let keys: BTreeSet<String> = commands.map(|it| rendered_key(it)).collect();
        let known = self.db.files().map(|it| it.path(&self.db).to_owned());
        let gone: Vec<String> = known.filter(|it| it.starts_with(RENDERED) && !keys.contains(it)).collect();
        for key in &gone {
            self.inputs().remove_file(key);
            self.forget(key);
        }
        let (Some(folder), false) = (folder, keys.is_empty()) else { return };
        self.rendering.running = true;
        let (world, settings, outcomes) = (self.world.clone(), self.settings.clone(), self.outcomes.clone());
        let limit = Duration::from_secs(settings.render_timeout);
        let shown = self.begin("running the commands of `tidegate.render`", false);
        // Why no lane: whoever leaves does not wait for them.
        let run = move || {
            let run = |command: &Vec<String>| {
                // Why `ask`: the loop waits for an outcome, also where one of them panics.
                let printed = match ask(|| world.render(&folder, command, limit)) {
                    Ended::Answered(printed) => printed,
                    Ended::Failed(said) => Err(said),
                    Ended::Overtaken => Err(format!("`{}` was overtaken by an edit", command.join(" "))),
                };
                (rendered_key(command), printed)
            };
            // Fails only when the loop is gone.
            let _ = outcomes.send(Outcome::Rendered(settings.render.iter().map(run).collect(), shown));
        };
        if let Err(error) = std::thread::Builder::new().name("rendering".into()).spawn(run) {
            self.rendering.running = false;
            self.show(&format!("the commands of `tidegate.render` cannot be run: {error}"));
        }
    }

    /// The same after a file was changed: later where the commands themselves may have done it.
    pub(super) fn render_after_change(&mut self) {
        let is_echo = self.rendering.ended.is_some_and(|ended| self.world.now() - ended < ECHO);
        if self.rendering.running || is_echo {
            self.rendering.miss();
        } else {
            self.render();
        }
    }

    /// Takes over what the commands printed. What one that failed printed before stays.
    pub(super) fn rendered(&mut self, printed: Printed, shown: Option<&serde_json::Value>) {
        (self.rendering.running, self.rendering.ended) = (false, Some(self.world.now()));
        let mut changed = Vec::new();
        for (key, printed) in printed {
            let before = self.db.file_at(&key).and_then(|it| it.text(&self.db));
            match printed {
                Ok(text) if before.as_deref() != Some(text.as_str()) => {
                    self.inputs().set_file(&key, &text);
                    changed.push(key);
                }
                Ok(_) => {}
                Err(why) => self.show(&why),
            }
        }
        self.end(shown);
        self.rendering.prints_same = changed.is_empty();
        if self.rendering.missed {
            self.rendering.miss();
        }
        if !changed.is_empty() {
            self.settle();
            self.touch(None);
            self.refresh();
        }
        if !self.client.contents {
            changed.clear();
        }
        for key in changed {
            self.ask("workspace/textDocumentContent/refresh", json!({ "uri": key }), Asked::Nothing);
        }
        if std::mem::take(&mut self.rendering.again) {
            self.render();
        }
    }
}
