//! The pages that the program writes about itself: its commands, its rules, the kinds that it reads.

use checks::{Group, REGISTRY};
use clap::{Command, CommandFactory};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One page of the book.
pub struct Page {
    /// As the table of contents calls it.
    pub title: String,
    /// Below docs.
    pub path: PathBuf,
    /// Markdown.
    pub text: String,
}

/// Every page, by the marker of the table of contents that stands for it.
pub fn pages() -> BTreeMap<&'static str, Vec<Page>> {
    BTreeMap::from([("commands", commands()), ("rules", rules()), ("kinds", kinds())])
}

fn commands() -> Vec<Page> {
    let mut root = cli::args::Args::command().term_width(100);
    root.build();
    let mut pages = Vec::new();
    let shown = |command: &&mut Command| !command.is_hide_set() && command.get_name() != "help";
    for command in root.get_subcommands_mut().filter(shown) {
        let name = command.get_name().to_owned();
        let mut text = format!("# tidegate {name}\n");
        told(command, &mut text);
        pages.push(Page {
            title: format!("tidegate {name}"),
            path: format!("reference/commands/{name}.md").into(),
            text,
        });
    }
    pages
}

fn told(command: &mut Command, text: &mut String) {
    *text += &format!("\n```text\n{}\n```\n", command.render_long_help().to_string().trim_end());
    let shown = |command: &&mut Command| !command.is_hide_set() && command.get_name() != "help";
    for below in command.get_subcommands_mut().filter(shown) {
        let name = below.get_display_name().unwrap_or(below.get_name()).replace('-', " ");
        *text += &format!("\n## {name}\n");
        told(below, text);
    }
}

fn rules() -> Vec<Page> {
    let group = |group: Group| REGISTRY.iter().filter(move |page| page.group == group);
    Group::ALL
        .into_iter()
        .flat_map(group)
        .map(|page| Page {
            title: format!("{} {}", page.code, page.slug),
            path: format!("reference/rules/{}.md", page.code).into(),
            text: format!(
                "{}\n---\n\n*{}* of the group *{}*, since {}. Leave it out with `--ignore {}`; `tidegate explain {}` prints this page.\n",
                page.text,
                page.level.as_str(),
                page.group.name(),
                page.since,
                page.slug,
                page.code
            ),
        })
        .collect()
}

/// The pages stand in docs already; the table of contents lists them.
fn kinds() -> Vec<Page> {
    let pages = crate::parity::all().into_iter().filter(|(name, _)| name != "README.md");
    let page = |(name, text): (String, String)| Page {
        title: name.trim_end_matches(".md").to_owned(),
        path: format!("parity/{name}").into(),
        text,
    };
    pages.map(page).collect()
}
