//! `benches [--quick] [TARGET…]`: prints one line a measurement.

use benches::{clock, compile, datapath, diff, editor, live, tenants, user_space};
use clap::Parser;
use std::io::Write;
use std::process::{Command, ExitCode};

/// That of the `tidegate` program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures targets of the design; all of them when none is named
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Fewer sizes and rounds: ends within 50 seconds
    #[arg(long)]
    quick: bool,
    /// Targets, by their names: T1, T4 …
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Compiles a world of this size in this process
    #[arg(long, hide = true)]
    world: Option<usize>,
    /// Has a node enforce edits of a world of this size in this process
    #[arg(long, hide = true)]
    live: Option<usize>,
    /// Loads and swaps images in this process
    #[arg(long, hide = true)]
    images: bool,
    /// Compiles the tenants' world of so many namespaces in this process
    #[arg(long, hide = true)]
    tenants: Option<usize>,
    /// Compares two trees in this process
    #[arg(long, hide = true)]
    trees: Option<String>,
    /// Edits a workspace in this process
    #[arg(long, hide = true)]
    workspace: bool,
}

impl Arguments {
    fn wanted(&self, target: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|name| name == target)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let all_targets = || {
        datapath::TARGETS
            .iter()
            .chain(&user_space::TARGETS)
            .chain(&compile::TARGETS)
            .chain([&diff::TARGET, &editor::TARGET])
    };
    let known = |name: &&String| !all_targets().any(|target| target == name);
    if let Some(unknown) = arguments.targets.iter().find(known) {
        let names: Vec<&str> = all_targets().copied().collect();
        eprintln!("`{unknown}` is not measured; {} are", names.join(", "));
        return ExitCode::from(2);
    }
    let trees = arguments.trees.as_deref().and_then(|name| Some((name, diff::Case::named(name)?)));
    let done = match (trees, arguments.world) {
        (Some((name, case)), _) => diff::run(name, case, diff::SIZE, &mut say).map_err(|error| error.to_string()),
        _ if arguments.images => live::images(&[10, 1000, 10_000], &mut say).map_err(|error| error.to_string()),
        _ if let Some(n) = arguments.live => live::run(n, &mut say).map_err(|error| error.to_string()),
        _ if arguments.workspace => editor::run(&mut say).map_err(|error| error.to_string()),
        _ if let Some(n) = arguments.tenants => compile::run_tenants(n, &mut say).map_err(|error| error.to_string()),
        (None, Some(n)) => {
            compile::run(n, &|target| arguments.wanted(target), &mut say).map_err(|error| error.to_string())
        }
        (None, None) => all(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// A line at once, so that a reader of a pipe sees it when it is there. A reader that is gone wants no more of them, and that is no failure.
fn say(line: benches::line::Line) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn all(arguments: &Arguments) -> Result<(), String> {
    // Worlds first: they use all processors, and this thread is not yet bound to one.
    if ["T9", "T12"].iter().any(|target| arguments.wanted(target)) {
        for n in [100, 1000, 10_000] {
            world(arguments, &["--world", &n.to_string()])?;
        }
    }
    if arguments.wanted("T9") {
        if datapath::kernel::is_permitted().map_err(|error| error.to_string())? {
            world(arguments, &["--images"])?;
            for n in [100, 1000, 10_000] {
                world(arguments, &["--live", &n.to_string()])?;
            }
        } else {
            let _ = writeln!(std::io::stdout(), "skipped T9 on a node: bpf(2) is not permitted here; run as root");
        }
    }
    if arguments.wanted(compile::TENANTS) {
        world(arguments, &["--tenants", &tenants::NAMESPACES.to_string()])?;
    }
    if arguments.wanted(editor::TARGET) {
        world(arguments, &["--workspace"])?;
    }
    if arguments.wanted(diff::TARGET) {
        for (name, _) in diff::Case::ALL {
            world(arguments, &["--trees", name])?;
        }
    }
    if user_space::TARGETS.iter().any(|target| arguments.wanted(target)) {
        user_space::run(&|target| arguments.wanted(target), arguments.quick, &mut say).map_err(|it| it.to_string())?;
    }
    if !datapath::TARGETS.iter().any(|target| arguments.wanted(target)) {
        return Ok(());
    }
    clock::pin();
    match datapath::run(&|target| arguments.wanted(target), arguments.quick, &mut say) {
        Err(error) if error.is_permission() => {
            let skipped: Vec<&str> = datapath::TARGETS.into_iter().filter(|target| arguments.wanted(target)).collect();
            let names = skipped.join(" ");
            let _ = writeln!(std::io::stdout(), "skipped {names}: bpf(2) is not permitted here; run as root");
            Ok(())
        }
        done => done.map_err(|error| error.to_string()),
    }
}

/// Compiles a world in a process of its own.
fn world(arguments: &Arguments, which: &[&str]) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let targets = compile::TARGETS.iter().filter(|target| arguments.wanted(target));
    let status = Command::new(program).args(which).args(targets).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the world {} ended with {status}", which.join(" "))),
        Err(error) => Err(error.to_string()),
    }
}
