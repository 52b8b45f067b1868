//! `tidegate replay`: recorded flows held against policies.

pub mod capture;
pub mod flows;
pub mod forms;
pub mod packets;
pub mod report;
mod tables;
mod text;

use super::Exit;
use crate::args::{Color, Paths, Reading};
use crate::formats;
use crate::git;
use crate::render::{self, say};
use crate::rendered::RenderArgs;
use crate::session::{self, Session};
use clap::Args;
use flows::{FlowFiles, Read};
use forms::{Form, Forms};
use replay::{Judge, Outcome, Tally};
use report::ReplayReport;
use std::sync::Arc;

/// Hold recorded flows against policies, and list every verdict that changes.
///
/// With one set of policies the verdict of each record is compared with what they decide; with `--against` two sets are compared on what
/// was recorded. Packets of captures go one by one through the programs that a node would run. The exit code is 0 when nothing changes, 1
/// when something does; of captures without `--against`, when a packet is dropped.
#[derive(Debug, Args)]
pub struct Replay {
    /// Where the flows are.
    #[command(flatten)]
    pub flows: FlowFiles,
    /// The policies to judge, and the facts of their cluster: files or folders. Repeatable.
    #[arg(short = 'f', long = "policies", alias = "filename", value_name = "PATH", required_unless_present_any = ["kustomize", "helm", "cluster"])]
    pub policies: Vec<String>,
    /// The policies to compare with, for example those in force: files, folders, or `REVISION:PATH` of the git repository of the current
    /// folder. Repeatable.
    #[arg(long, value_name = "PATH|REVISION:PATH")]
    pub against: Vec<String>,
    /// The namespace of objects that name none: `default`, unless the configuration says another.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The reading of the policy language.
    #[command(flatten)]
    pub reading: Reading,
    /// How many changes the text report lists; the other formats list all.
    #[arg(long, value_name = "NUMBER", default_value_t = 40)]
    pub limit: usize,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Forms,
}

impl Replay {
    /// Reads, decides, prints.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let captures = packets::are(&self.flows)?;
        let new = self.open(&self.policies, self.reading.clone())?;
        // Why without: what `-k` and `--helm` render is judged, not compared with.
        let reading = Reading { rendered: RenderArgs::default(), ..self.reading.clone() };
        let old = if self.against.is_empty() { None } else { Some(self.open(&self.against, reading)?) };
        if captures {
            return packets::run(&self, new, old, color);
        }
        let mut unsound = new.report_unsound();
        unsound |= old.as_ref().is_some_and(Session::report_unsound);
        let compared = old.is_some();
        let (cluster, wish) = (new.cluster.clone(), new.wish);
        let mut judge = Judge::new(new.db, old.map(|old| old.db), wish);
        let mut outcome = Outcome::default();
        let read = self.flows.read(&mut |tally: Tally| judge.fold(&tally, &mut outcome));
        read.unreadable.iter().for_each(|it| say(&format!("error: cannot read {it}")));
        let choices = judge.choices();
        let report = ReplayReport::of(judge.db(), &choices, cluster, compared, &outcome);
        formats::write_all(&self.outputs.outputs, |form, destination| {
            Ok(match form {
                Form::Text => text::text(&report, self.limit, render::colours(color, destination)),
                Form::Concise => text::concise(&report),
                Form::Json => super::json(&report)?,
                Form::Jsonl => tables::jsonl(&report),
                Form::Csv => tables::csv(&report),
            })
        })?;
        Ok(ended(unsound, &read, &outcome))
    }

    /// Opens files and folders, and what a revision holds of them. Errors: for people; what git cannot say.
    fn open(&self, paths: &[String], reading: Reading) -> Result<Session, String> {
        let (revised, plain): (Vec<&String>, Vec<&String>) = paths.iter().partition(|path| git::parts(path).is_some());
        let of_revision_alone = plain.is_empty() && !revised.is_empty();
        // Why an empty file where a revision alone is named: no path at all means the current folder, or the policies of a live cluster.
        let nothing = tempfile::NamedTempFile::with_suffix(".yaml").map_err(|error| error.to_string())?;
        let mut paths: Vec<String> = plain.into_iter().cloned().collect();
        if of_revision_alone {
            paths.push(nothing.path().to_string_lossy().into_owned());
        }
        let (filenames, namespace) = (Vec::new(), self.namespace.clone());
        let meant = if of_revision_alone { vec![".".to_owned()] } else { paths.clone() };
        let (paths, take) = session::configured(&Paths { paths, filenames, namespace, reading }, &meant)?;
        let (mut manifests, mut unreadable) = (Vec::new(), Vec::new());
        for (revision, path) in revised.into_iter().filter_map(|path| git::parts(path)) {
            let taken = git::manifests(revision, path, &take)?;
            manifests.extend(taken.manifests);
            unreadable.extend(taken.unreadable);
        }
        let mut session = session::open_with(&paths, &take);
        session.unreadable.extend(unreadable);
        if !manifests.is_empty() {
            session.db.set_files(manifests.into_iter().map(|it| (Arc::from(it.path), Arc::from(it.text))));
            session.choice = session.db.settle_dialect(session.wish);
        }
        Ok(session)
    }
}

fn ended(unsound: bool, read: &Read, outcome: &Outcome) -> Exit {
    let nothing = outcome.seen.records == 0;
    match outcome.changed() {
        _ if unsound || nothing || !read.unreadable.is_empty() => Exit::Bad,
        0 => Exit::Clean,
        _ => Exit::Findings,
    }
}
