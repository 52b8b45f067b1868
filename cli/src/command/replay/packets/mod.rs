//! Packet captures held against policies: every packet through the programs that a node would run.

mod gather;
pub mod report;
mod text;

use super::flows::{self, FlowFiles};
use super::forms::Form;
use super::{Replay, capture};
use crate::args::Color;
use crate::command::{self, Exit};
use crate::formats;
use crate::render::{self, say};
use crate::session::Session;
use driver::{Database, world};
use gather::Gathered;
use rehearsal::Player;
use report::PacketReport;

/// Whether the files are captures: all of them, or none.
///
/// Errors: captures among records.
pub fn are(files: &FlowFiles) -> Result<bool, String> {
    if files.input_format != flows::InputFormat::Auto {
        return Ok(files.input_format == flows::InputFormat::Pcap);
    }
    // What cannot be opened is reported by whoever reads it.
    let named = files.flows.iter().filter(|path| *path != "-");
    let captures: Vec<bool> = named.map(|path| flows::first_bytes(path).is_ok_and(|it| capture::begins(&it))).collect();
    match (captures.iter().any(|it| *it), captures.len() == files.flows.len() && captures.iter().all(|it| *it)) {
        (true, false) => {
            Err("packets and records stand beside each other; replay captures in a run of their own, from \
                              standard input with `--input-format pcap`"
                .into())
        }
        (any, _) => Ok(any),
    }
}

/// Plays the captures, prints.
pub fn run(replay: &Replay, mut new: Session, mut old: Option<Session>, color: Color) -> Result<Exit, String> {
    let mut unsound = new.report_unsound();
    unsound |= old.as_ref().is_some_and(Session::report_unsound);
    share(&mut new, old.as_mut(), replay);
    let mut players: Vec<Player<'_>> =
        [Some(&new), old.as_ref()].into_iter().flatten().map(|it| Player::new(&it.db)).collect();
    let mut gathered = Gathered::default();
    let unreadable =
        replay.flows.packets(&mut |file, number, packet| gathered.add(&mut players, file, number, &packet))?;
    unreadable.iter().for_each(|it| say(&format!("error: cannot read {it}")));
    let dbs: Vec<&Database> = [Some(&new), old.as_ref()].into_iter().flatten().map(|it| &it.db).collect();
    let report = PacketReport::of(&gathered, &dbs, &new, old.as_ref());
    formats::write_all(&replay.outputs.outputs, |form, destination| {
        Ok(match form {
            Form::Text => text::text(&report, replay.limit, render::colours(color, destination)),
            Form::Concise => text::concise(&report),
            Form::Json => command::json(&report)?,
            Form::Jsonl => text::jsonl(&report),
            Form::Csv => text::csv(&report),
        })
    })?;
    let found = if old.is_some() { report.summary.changed } else { report.summary.dropped };
    Ok(match found {
        _ if unsound || !unreadable.is_empty() || gathered.packets == 0 => Exit::Bad,
        0 => Exit::Clean,
        _ => Exit::Findings,
    })
}

/// Both sets know the facts of each; of an object that both describe, each keeps its own.
fn share(new: &mut Session, old: Option<&mut Session>, replay: &Replay) {
    let Some(old) = old else { return };
    let shared = replay::place::join((*world::cluster(&new.db)).clone(), &world::cluster(&old.db));
    for session in [new, old] {
        session.db.set_cluster(shared.clone());
        session.choice = session.db.settle_dialect(replay.reading.dialect);
    }
}
