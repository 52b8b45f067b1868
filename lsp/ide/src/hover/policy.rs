//! What a policy does on the whole: whom it is about, and what it isolates.

use checks::Population;
use driver::Database;
use flow::Direction;
use hir::{Isolation, Policy, Subjects};

use crate::here::Here;
use crate::selectors::{self, selected};

pub(super) fn said(db: &Database, here: &Here, policy: &Policy) -> Option<String> {
    (here.path_text() == "metadata.name").then(|| text(db, policy))
}

fn text(db: &Database, policy: &Policy) -> String {
    let population = Population::of(db);
    let mut parts = Vec::new();
    for section in &policy.sections {
        let whom = match &section.subjects {
            Subjects::Endpoints(selector) => {
                let (pods, workloads) = selected(&population, selector);
                selectors::count(pods.len(), workloads.len())
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
