//! `cargo xtask prove`: proves every template that is listed, from its first instruction to every exit.

use crate::tidy::root;
use image::Image;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use verify::lift::Refused;
use verify::whole::{self, Whole};

/// Which, and on how many threads.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// One template in so many, evenly; those in between are not proved
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Prove all that the code generator makes, and write the list once all of it is proved
    #[arg(long, conflicts_with = "every")]
    bless: bool,
}

/// The list, from the root of the project.
const LIST: &str = "backends/verify/src/templates.txt";

/// A program, by the name of what it is a template of.
struct Template {
    digest: String,
    name: String,
    image: Image,
    program: usize,
}

/// Proves, prints. Exit code 1 when one is not proved, or one that is listed is not made by the code generator.
pub fn run(arguments: &Arguments) -> ExitCode {
    let begin = Instant::now();
    let (templates, unmade) = match all(arguments.bless) {
        Ok(all) => all,
        Err(why) => {
            println!("{why}");
            return ExitCode::FAILURE;
        }
    };
    let chosen: Vec<&Template> = templates.iter().step_by(arguments.every.max(1)).collect();
    let (mut states, mut refused) = (0, 0);
    for (template, proof) in proofs(&chosen, arguments.threads) {
        match proof {
            Ok(proof) => states += proof.states,
            Err(why) => {
                refused += 1;
                println!("REFUSED  {}: {why}", template.name);
            }
        }
    }
    let (proved, seconds) = (chosen.len() - refused, begin.elapsed().as_secs());
    println!("{proved} of {} templates proved, {refused} refused, {states} states, {seconds} s", templates.len());
    if arguments.bless && refused == 0 {
        unmade.iter().for_each(|digest| println!("no longer listed, for nothing makes it: {digest}"));
        return write(&templates);
    }
    unmade.iter().for_each(|digest| println!("listed, and made by nothing: {digest}"));
    ExitCode::from(u8::from(refused + unmade.len() > 0))
}

/// Writes the list: what was proved, and nothing else.
fn write(proved: &[Template]) -> ExitCode {
    let mut lines: Vec<String> = proved.iter().map(|it| format!("{} {}\n", it.digest, it.name)).collect();
    lines.sort();
    match std::fs::write(root().join(LIST), lines.concat()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("{LIST} cannot be written: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Every template that is listed, or every one that is made, each once; and the digests of the list that nothing is made for.
fn all(made: bool) -> Result<(Vec<Template>, Vec<&'static str>), String> {
    let mut unmade: BTreeSet<&str> = verify::template::known().collect();
    let (listed, mut seen, mut out) = (unmade.clone(), BTreeSet::new(), Vec::new());
    for (name, target) in ebpf::listed_targets() {
        for (form, image) in ebpf::templates(&target).map_err(|problem| problem.to_string())? {
            for (at, program) in image.programs.iter().enumerate() {
                let name = format!("{name} {:?} {form}", program.hook);
                let digest = verify::template_of(&image, program).ok_or_else(|| format!("{name} has no template"))?;
                let digest = digest.to_string();
                unmade.remove(digest.as_str());
                if (made || listed.contains(digest.as_str())) && seen.insert(digest.clone()) {
                    out.push(Template { digest, name, image: image.clone(), program: at });
                }
            }
        }
    }
    Ok((out, unmade.into_iter().collect()))
}

/// The proof of each, in order.
fn proofs<'t>(templates: &[&'t Template], threads: usize) -> Vec<(&'t Template, Result<Whole, Refused>)> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut found = Vec::new();
        while let Some(template) = templates.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.push((*template, whole::prove(&template.image, &template.image.programs[template.program])));
        }
        found
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|it| it.join().unwrap_or_else(|why| std::panic::resume_unwind(why))).collect()
    })
}
