//! `tidegate lab run`: every pair asked, expected beside observed.

use super::{doubt, view};
use crate::args::{Color, Outputs, Paths};
use crate::command::Exit;
use crate::formats::{self, Plain};
use crate::profile::ProfileFile;
use crate::{render, session};
use clap::Args;
use driver::Database;
use enforce::Hits;
use lab::RunId;
use lab::topology::Plan;
use loader::Pins;
use rehearsal::{Answer, Fault, Question, Sample, Stage, questions};
use std::sync::atomic::{AtomicBool, Ordering};

/// Make the lab, ask every pair, compare with what the policies mean, and take it down.
#[derive(Debug, Args)]
pub struct Run {
    /// Where manifests come from.
    #[command(flatten)]
    pub paths: Paths,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Write how often each cell of each decision was hit into this file, for `build --profile`. Needs the kernel.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_attach", "wrong_image"], requires = "require_kernel")]
    pub profile: Option<std::path::PathBuf>,
    /// Attach nothing, to see that the comparison notices.
    #[arg(long)]
    pub no_attach: bool,
    /// Attach one wrong image, chosen by this seed, to see that the comparison notices.
    #[arg(long, value_name = "SEED", conflicts_with = "no_attach")]
    pub wrong_image: Option<u64>,
    /// Choose the sampled pairs of a large cluster by this seed.
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Fail with exit code 2 where the kernel cannot be used, instead of answering in user space.
    #[arg(long)]
    pub require_kernel: bool,
}

/// What a run found.
pub struct Found {
    /// The questions with their answers.
    pub answers: Vec<Answer>,
    /// How pairs were chosen.
    pub sample: Sample,
    /// How many questions were not asked, because their verdict hangs on what was not read.
    pub unknown: usize,
    /// Whether the kernel answered; else why the user-space engine did.
    pub on_kernel: Result<(), String>,
}

impl Run {
    /// Makes, asks, compares, takes down.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let mut session = session::open(&self.paths)?;
        let unsound = session.report_unsound();
        let seed = super::seed(self.seed);
        let plan = super::plan(&session.db, RunId::random())?;
        let on_kernel = super::kernel();
        if let (Err(why), true) = (&on_kernel, self.require_kernel) {
            return Err(format!("the kernel cannot be used: {why}"));
        }
        let fault = match (self.no_attach, self.wrong_image) {
            (true, _) => Fault::Unattached,
            (_, Some(seed)) => Fault::WrongImage(seed),
            _ => Fault::None,
        };
        let (questions, sample) = questions(&session.db, &plan, seed);
        let (questions, unknown) = doubt::without_unknown(&session.db, questions);
        let answers = match &on_kernel {
            Ok(()) => {
                render::say(&plan.describe());
                let (answers, hits) = on_this_kernel(&mut session.db, &plan, &questions, fault, seed)?;
                if let Some(path) = &self.profile {
                    let text = crate::command::json(&ProfileFile::of(hits))?;
                    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
                }
                answers
            }
            Err(_) => {
                rehearsal::in_user_space(&session.db, &plan, &questions, fault).map_err(|error| error.to_string())?
            }
        };
        let found = Found { answers, sample, unknown, on_kernel };
        let mut report = view::report(&session.db, &plan, &found, &session.choice);
        report.cluster = session.cluster.clone();
        let again = super::as_root();
        formats::write_all(&self.outputs.outputs, |format, destination| match format {
            Plain::Json => crate::command::json(&report),
            Plain::Concise => Ok(view::concise(&report)),
            Plain::Text => Ok(view::text(&report, &again, render::colours(color, destination))),
        })?;
        Ok(match report.summary.differing {
            _ if unsound => Exit::Bad,
            0 => Exit::Clean,
            _ => Exit::Findings,
        })
    }
}

/// The lab on the running kernel, from up to down.
fn on_this_kernel(
    db: &mut Database,
    plan: &Plan,
    questions: &[Question],
    fault: Fault,
    seed: u64,
) -> Result<(Vec<Answer>, Vec<Hits>), String> {
    let stop = super::stop_flag();
    let target = super::target(db)?;
    let mut stage = Stage::up(plan, &target, || Pins::None, seed, &stop).map_err(|error| error.to_string())?;
    let answers = asked(db, &mut stage, questions, fault, &stop);
    let hits = stage.enforcers().flat_map(|(_, enforcer)| enforcer.hits()).collect();
    let down = stage.down().map_err(|error| error.to_string());
    let answers = answers?;
    down.map(|()| (answers, hits))
}

fn asked(
    db: &mut Database,
    stage: &mut Stage,
    questions: &[Question],
    fault: Fault,
    stop: &AtomicBool,
) -> Result<Vec<Answer>, String> {
    stage.set_fault(fault);
    if fault != Fault::Unattached {
        stage.apply(db).map_err(|error| error.to_string())?;
    }
    let mut answers = Vec::with_capacity(questions.len());
    // Asked in parts, so that Ctrl-C is heard between them.
    for part in questions.chunks(2048) {
        if stop.load(Ordering::SeqCst) {
            return Err("stopped; the lab is taken down".into());
        }
        answers.extend(stage.ask(db, part).map_err(|error| error.to_string())?);
    }
    Ok(answers)
}
