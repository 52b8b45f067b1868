//! The same program under another name: `kubectl-tidegate` is run by kubectl as `kubectl tidegate`, and asks the live cluster.

use crate::args::{Args, Command as Subcommand};
use clap::parser::ValueSource;
use clap::{Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::Path;

/// The name by which kubectl finds its plugin.
const FILE: &str = "kubectl-tidegate";

/// Whether a program of this name is a plugin of kubectl.
pub fn is_plugin(program: &OsString) -> bool {
    Path::new(program).file_stem().is_some_and(|name| name == FILE)
}

/// The command tree as it is called by this name.
pub fn command(plugin: bool) -> Command {
    if !plugin {
        return Args::command();
    }
    // Why two names: usage texts show this one, and a dash would be a plugin of a plugin.
    let root = Args::command().bin_name("kubectl tidegate");
    root.mut_subcommands(|command| {
        let reads = command.get_arguments().any(|it| it.get_id() == "cluster");
        if !reads {
            return command;
        }
        command.mut_arg("cluster", |it| it.default_value("live"))
    })
}

/// Reads the arguments of this process; help, version and faults of usage end it, as clap does.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Args {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let plugin = arguments.first().is_some_and(is_plugin);
    let mut command = command(plugin);
    let matches = command.clone().get_matches_from(arguments);
    let mut args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit());
    let given = |id: &str| {
        let (_, matches) = matches.subcommand()?;
        let told = matches.try_contains_id(id).ok()? && matches.value_source(id) == Some(ValueSource::CommandLine);
        told.then(|| matches.get_one::<String>(id).cloned())?
    };
    // Why here: by itself `-n` names the namespace of objects that name none; kubectl chooses objects by it.
    if let (true, Subcommand::Check(check)) = (plugin, &mut args.command) {
        check.listed.namespace = given("namespace");
    }
    args
}
