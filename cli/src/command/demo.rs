//! `tidegate demo`: the whole of it on this machine, in half a minute.

mod swap;
mod words;

use super::Exit;
use super::lab::run::Found;
use super::lab::{as_root, kernel, plan, say, seed, stop_flag, view};
use crate::args::Color;
use crate::output::Destination;
use crate::render;
use clap::Args;
use driver::{Choice, Database, Wish};
use lab::RunId;
use lab::topology::Plan;
use loader::Pins;
use rehearsal::{Fault, Stage, questions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The bundled cluster, as files of the repository.
const SHOP: [(&str, &str); 4] = [
    ("examples/shop/cluster.yaml", include_str!("../../../examples/shop/cluster.yaml")),
    ("examples/shop/pods.yaml", include_str!("../../../examples/shop/pods.yaml")),
    ("examples/shop/policies.yaml", include_str!("../../../examples/shop/policies.yaml")),
    ("examples/shop/services.yaml", include_str!("../../../examples/shop/services.yaml")),
];

/// The bundled edit: its policies replace those of the same names.
const EDIT: [(&str, &str); 2] = [
    ("examples/shop/edit/cache.yaml", include_str!("../../../examples/shop/edit/cache.yaml")),
    ("examples/shop/edit/db.yaml", include_str!("../../../examples/shop/edit/db.yaml")),
];

/// Show the whole of it on this machine: programs, packets, a swap under traffic, a drop explained.
///
/// The pods of the bundled shop become network namespaces; interfaces of this machine stay alone. Without root the programs run in user
/// space instead.
#[derive(Debug, Args)]
pub struct Demo {
    /// Fail with exit code 2 where the kernel cannot be used, instead of answering in user space.
    #[arg(long)]
    pub require_kernel: bool,
    /// The reading of the policy language.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = crate::session::dialect)]
    pub dialect: Wish,
}

impl Demo {
    /// Shows it.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let mut db = Database::new();
        db.set_files(SHOP.map(|(path, text)| (Arc::from(path), Arc::from(text))));
        let choice = db.settle_dialect(self.dialect);
        let plan = plan(&db, RunId::random())?;
        let colours = render::colours(color, Destination::Stdout);
        match kernel() {
            Ok(()) => on_kernel(&mut db, &choice, &plan, colours),
            Err(why) if self.require_kernel => Err(format!("the kernel cannot be used: {why}")),
            Err(why) => in_user_space(&db, &choice, &plan, &why, colours),
        }
    }
}

fn in_user_space(db: &Database, choice: &Choice, plan: &Plan, why: &str, colours: bool) -> Result<Exit, String> {
    say("the shop: 6 pods on 2 nodes, policies in examples/shop\n")?;
    let (questions, sample) = questions(db, plan, 0);
    let answers = rehearsal::in_user_space(db, plan, &questions, Fault::None)?;
    let found = Found { answers, sample, unknown: 0, on_kernel: Err(why.to_owned()) };
    let report = view::report(db, plan, &found, choice);
    say(&view::text(&report, &as_root(), colours))?;
    Ok(if report.summary.differing == 0 { Exit::Clean } else { Exit::Findings })
}

fn on_kernel(db: &mut Database, choice: &Choice, plan: &Plan, colours: bool) -> Result<Exit, String> {
    let stop = stop_flag();
    say(&format!("{}\n\n", plan.describe()))?;
    let target = super::lab::target(db)?;
    let mut stage = Stage::up(plan, &target, || Pins::None, seed(None), &stop).map_err(|error| error.to_string())?;
    let shown = show(db, choice, plan, &mut stage, colours, &stop);
    let down = stage.down().map_err(|error| error.to_string());
    let exit = shown?;
    down?;
    say("\nthe lab is taken down; nothing is left\n")?;
    Ok(exit)
}

fn show(
    db: &mut Database,
    choice: &Choice,
    plan: &Plan,
    stage: &mut Stage,
    colours: bool,
    stop: &AtomicBool,
) -> Result<Exit, String> {
    let go_on = || if stop.load(Ordering::SeqCst) { Err("stopped".to_owned()) } else { Ok(()) };
    let began = Instant::now();
    let changes = stage.prepare(db).map_err(|error| error.to_string())?;
    let prepared = began.elapsed();
    let applied = stage.make(changes).map_err(|error| error.to_string())?;
    say(&words::compiled(applied, prepared))?;
    go_on()?;

    say(
        "\n1. every pair of pods asked with real TCP, UDP and ICMP; what comes back beside what the policies mean\n\n",
    )?;
    let (questions, sample) = questions(db, plan, 0);
    let answers = stage.ask(db, &questions).map_err(|error| error.to_string())?;
    let report = view::report(db, plan, &Found { answers, sample, unknown: 0, on_kernel: Ok(()) }, choice);
    say(&view::text(&report, "", colours))?;
    go_on()?;

    say("\n2. a drop, explained from the kernel's record down to the line\n\n")?;
    say(&words::drop_of(db, stage, "shop/web", "shop/db")?)?;
    go_on()?;

    say("\n3. a policy edited and swapped while packets flow\n\n")?;
    let swapped = swap::swap(db, plan, stage, &EDIT)?;
    say(&words::swapped(&swapped))?;
    let clean = report.summary.differing == 0 && swapped.is_clean();
    Ok(if clean { Exit::Clean } else { Exit::Findings })
}
