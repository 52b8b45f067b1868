//! What a policy does on the whole: whom it is about, and what it isolates.

use checks::Population;
use driver::{Database, world};
use flow::Direction;
use hir::subject::selects;
use hir::{Isolation, Policy, Subjects};
use std::collections::BTreeSet;

use crate::here::Here;
use crate::selectors::{self, selected};

pub(super) fn said(db: &Database, here: &Here, policy: &Policy) -> Option<String> {
    (here.path_text() == "metadata.name").then(|| text(db, policy))
}

/// How many identities the subjects of a section have: those are one whose labels, as far as identities have them, are the same.
fn identities(db: &Database, section: &hir::Section) -> usize {
    let classes = world::classes(db);
    let about = classes.keys().filter(|class| selects(section, class)).map(|class| &class.labels);
    about.collect::<BTreeSet<_>>().len()
}

fn text(db: &Database, policy: &Policy) -> String {
    let population = Population::of(db);
    let mut parts = Vec::new();
    for section in &policy.sections {
        let whom = match &section.subjects {
            Subjects::Endpoints(selector) => {
                let (pods, workloads) = selected(&population, selector);
                let count = selectors::count(pods.len(), workloads.len());
                match identities(db, section) {
                    0 => count,
                    1 => format!("{count}, of 1 identity"),
                    many => format!("{count}, of {many} identities"),
                }
            }
            Subjects::Nodes(_) => "nodes".into(),
        };
        let lines = [Direction::Ingress, Direction::Egress].map(|direction| {
            let does = match section.isolation(direction) {
                Isolation::Absent => "says nothing of it",
                Isolation::Open => "has rules, and leaves the rest open",
                Isolation::Isolates(_) => "denies what no rule allows",
            };
            let rules = section.entries.iter().filter(|it| it.direction == direction).count();
            format!("- {direction}: {does}{}", if rules == 0 { ", has no rule" } else { "" })
        });
        parts.push(format!("`{}` is about {whom}\n\n{}", section.path, lines.join("\n")));
    }
    format!("**{}**\n\n{}", policy.object, parts.join("\n\n"))
}
