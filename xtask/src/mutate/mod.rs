//! `cargo xtask mutate`: spoils images in the ways that a compiler spoils them, and says whether the proof notices.
//!
//! A mutant that is proved all the same has to be equal in meaning: the machine in user space then runs its decisions for every class of
//! peers and the keys around every boundary, and compares with the rules. One that differs was missed. With `--whole` the list of templates is left aside: mutants of
//! code are proved from their first instruction on, and those that are proved meet packets of every kind beside the image that they were made of.

mod bases;
mod plant;
mod probe;
mod whole;

use image::Image;
use plant::{Fault, Planted};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many, and from where on.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many mutants
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// The seed: the same one plants the same faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prove mutants of code from their first instruction on, instead of by the list of templates, and judge by packets those that are proved
    #[arg(long)]
    whole: bool,
}

/// What became of some mutants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// How many there were.
    pub mutants: usize,
    /// Those that were refused.
    pub caught: usize,
    /// Those that are proved and mean the same.
    pub equal: usize,
    /// Those that are proved and mean something else, in words.
    pub missed: Vec<String>,
    /// Sound images that were refused, in words.
    pub false_alarms: Vec<String>,
    /// Of each fault: how many were planted, how many refused.
    pub by_fault: Vec<(Fault, usize, usize)>,
}

/// Plants, proves, prints. Exit code 1 when a mutant was missed or a sound image refused.
pub fn run(arguments: &Arguments) -> ExitCode {
    let score = score_by(arguments.count, arguments.seed, arguments.whole);
    for (fault, planted, caught) in &score.by_fault {
        println!("{fault:?}: {planted} planted, {caught} caught");
    }
    score.false_alarms.iter().for_each(|it| println!("false alarm: {it}"));
    score.missed.iter().for_each(|it| println!("missed: {it}"));
    let Score { mutants, caught, equal, missed, .. } = &score;
    println!("{mutants} mutants, {caught} caught, {equal} proved equal, {} missed", missed.len());
    ExitCode::from(u8::from(!missed.is_empty() || !score.false_alarms.is_empty()))
}

/// What becomes of so many mutants, by the list of templates.
pub fn score(count: usize, seed: u64) -> Score {
    score_by(count, seed, false)
}

/// What becomes of so many mutants; those of code as whole programs, or by the list of templates.
pub fn score_by(count: usize, seed: u64, whole: bool) -> Score {
    let bases = bases::all(seed);
    let mut score = Score { false_alarms: bases.iter().filter_map(false_alarm).collect(), ..Score::default() };
    score.by_fault = Fault::ALL.iter().map(|fault| (*fault, 0, 0)).collect();
    let next = AtomicUsize::new(0);
    let found: Vec<(usize, Fault, What)> = std::thread::scope(|scope| {
        let worker = || {
            let mut found = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    return found;
                }
                let base = &bases[at % bases.len()];
                let Some(planted) = plant::plant(base, Fault::ALL[at / bases.len() % Fault::ALL.len()], seed, at)
                else {
                    continue;
                };
                let what = match whole && planted.fault.is_of_code() {
                    true => whole::judge(base, &planted.image, &planted.place),
                    false => judge(base, &planted),
                };
                found.push((at, planted.fault, what));
            }
        };
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|it| it.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    });
    for (at, fault, what) in found {
        score.mutants += 1;
        for row in score.by_fault.iter_mut().filter(|(known, ..)| *known == fault) {
            row.1 += 1;
            row.2 += usize::from(matches!(what, What::Caught));
        }
        match what {
            What::Caught => score.caught += 1,
            What::Equal => score.equal += 1,
            What::Missed(why) => score.missed.push(format!("mutant {at} ({fault:?}): {why}")),
        }
    }
    score.missed.sort();
    score
}

/// What became of one mutant.
enum What {
    Caught,
    Equal,
    /// And why it should not.
    Missed(String),
}

fn false_alarm(base: &Image) -> Option<String> {
    let refusals = verify::certify(base).err()?;
    Some(format!("{}: {}", base.notes.subject, refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
}

fn judge(base: &Image, planted: &Planted) -> What {
    if verify::certify(&planted.image).is_err() {
        return What::Caught;
    }
    match probe::differs(base, &planted.image) {
        None => What::Equal,
        Some(why) => What::Missed(format!("{}: {why}", planted.place)),
    }
}
