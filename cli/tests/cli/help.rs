//! Help is part of the surface: a change of it is seen in the diff.

use crate::support::Folder;
use clap::CommandFactory;

#[test]
fn the_root_says_what_there_is() {
    let folder = Folder::of(&[]);
    insta::assert_snapshot!("help", folder.run(&["--help"]).ended(0));
    assert_eq!(folder.run(&[]).code, 2);
}

#[test]
fn every_command_says_what_it_does() {
    let folder = Folder::of(&[]);
    let mut root = cli::args::Args::command();
    root.build();
    let help = root.get_subcommands().filter(|command| command.get_name() != "help");
    let names: Vec<String> = help.map(|command| command.get_name().to_owned()).collect();
    assert!(names.contains(&"build".to_owned()), "{names:?}");
    let listed = folder.run(&["--help"]).ended(0);
    for name in names {
        insta::assert_snapshot!(format!("help-{name}"), folder.run(&[&name, "--help"]).ended(0));
        assert!(listed.lines().any(|line| line.trim_start().starts_with(&name)), "the root's help lists {name}");
    }
}

#[test]
fn every_shell_gets_a_completion_script() {
    let folder = Folder::of(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.run(&["completion", shell]).ended(0);
        assert!(script.contains("--out-dir") || script.contains("out-dir"), "{shell}");
    }
    assert_eq!(folder.run(&["completion", "csh"]).code, 2);
}

#[test]
fn the_heading_of_a_cluster_takes_no_flags_of_commands() {
    let mut root = cli::args::Args::command();
    root.build();
    for command in root.get_subcommands() {
        for argument in command.get_arguments().filter(|it| it.get_help_heading() == Some("Live cluster")) {
            let flag = argument.get_long().unwrap_or_default();
            assert!(["kubeconfig", "context", "as"].contains(&flag), "{} --{flag}", command.get_name());
        }
    }
}
