//! `cargo xtask`: one file per subcommand, one line each here.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Keeps the project's house.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks layers, words, effects, orphans, pages, maps and paths
    Tidy(xtask::tidy::Arguments),
    /// Long runs; each has a short version among the tests
    Soak(xtask::soak::Arguments),
    /// Compares what is said of manifests with what an API server answered
    Admission(xtask::admission::Arguments),
    /// Asks every engine every case of a folder of conformance scenarios
    Conformance(xtask::conformance::Arguments),
    /// Compares published JSON schemas with the types of reports, or writes them
    Schema(xtask::schema::Arguments),
    /// Compares the pages of kinds with the schema tables, or writes them
    Parity(xtask::parity::Arguments),
    /// Runs random texts through the compiler and minimises what does not hold
    Fuzz(xtask::fuzz::Arguments),
    /// Has every output format judged by a published schema or a program of others
    Formats(xtask::formats::Arguments),
    /// Puts the book for users together
    Book(xtask::book::Arguments),
    /// Spoils images as a compiler would, and says whether the proof notices
    Mutate(xtask::mutate::Arguments),
    /// Proves every template that is listed, on every path
    Prove(xtask::prove::Arguments),
    /// Makes what is published: static binaries, packages, pages, sums
    Dist(xtask::dist::Arguments),
    /// Runs our programs and their loader on stock kernels of Debian, each in an emulator
    Kernel(xtask::kernel::Arguments),
    /// Builds the extension for Visual Studio Code and tries it in a real editor
    Vscode(xtask::vscode::Arguments),
    /// Measures the targets of the design: one line a measurement
    Bench(xtask::bench::Arguments),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Tidy(arguments) => xtask::tidy::run(&arguments),
        Command::Admission(arguments) => xtask::admission::run(&arguments),
        Command::Schema(arguments) => xtask::schema::run(&arguments),
        Command::Parity(arguments) => xtask::parity::run(&arguments),
        Command::Fuzz(arguments) => xtask::fuzz::run(&arguments),
        Command::Formats(arguments) => xtask::formats::run(&arguments),
        Command::Book(arguments) => xtask::book::run(&arguments),
        Command::Mutate(arguments) => xtask::mutate::run(&arguments),
        Command::Prove(arguments) => xtask::prove::run(&arguments),
        Command::Dist(arguments) => xtask::dist::run(&arguments),
        Command::Kernel(arguments) => xtask::kernel::run(&arguments),
        Command::Vscode(arguments) => xtask::vscode::run(&arguments),
        Command::Bench(arguments) => xtask::bench::run(&arguments),
        Command::Soak(arguments) => xtask::soak::run_one(&arguments),
        Command::Conformance(arguments) => xtask::conformance::run_all(&arguments),
    }
}
