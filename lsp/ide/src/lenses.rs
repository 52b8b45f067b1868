//! Lines above policies: whom they are about, what they cost, who can reach those.

use std::collections::BTreeSet;

use checks::Population;
use cost::Costing;
use driver::text::{self, Role};
use driver::{Database, SourceFile, world};
use hir::subject::selects;
use hir::{Policy, Subjects};
use source::Span;

use crate::commands::Command;
use crate::here;
use crate::selectors::{self, selected};

/// Some words above a line, with what a click does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// The bytes that it is about; it stands above their first line.
    pub span: Span,
    /// What it says.
    pub title: String,
    /// What a click does.
    pub command: Command,
}

/// How many classes of subjects are looked at for costs; a policy about more says nothing of it.
const CLASSES: usize = 64;

/// Three for each policy of a file that takes part: subjects, cost, who reaches them.
pub fn lenses(db: &Database, file: SourceFile) -> Vec<Lens> {
    let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
    let mut found = Vec::new();
    for (at, object) in decoded.objects.iter().enumerate().filter(|(_, it)| it.role == Role::Policy) {
        let Some(policy) = here::policy(&decoded, at, object) else { continue };
        let root = tree.documents().get(object.document).and_then(|it| it.root);
        let Some(root) = root.and_then(|root| tree.find(root, &object.at)) else { continue };
        let span = Span::at(tree.span(root).start);
        let name = object.object.to_string();
        let (title, subjects) = subjects(db, &policy);
        let reach = Command::WhoReaches { policy: name.clone(), subjects };
        found.push(Lens { span, title, command: reach.clone() });
        if let Some(title) = cost(db, &policy) {
            found.push(Lens { span, title, command: Command::ShowCost { policy: name } });
        }
        found.push(Lens { span, title: "who can reach this?".into(), command: reach });
    }
    found
}

/// How many subjects a policy has, and the first of them.
fn subjects(db: &Database, policy: &Policy) -> (String, Vec<String>) {
    let population = Population::of(db);
    let (mut pods, mut workloads, mut nodes) = (BTreeSet::new(), BTreeSet::new(), false);
    for section in &policy.sections {
        match &section.subjects {
            Subjects::Endpoints(selector) => {
                let (some, made) = selected(&population, selector);
                pods.extend(some.iter().map(|it| it.pod.name.to_string()));
                workloads.extend(made.iter().map(|it| selectors::object_name(it)));
            }
            Subjects::Nodes(_) => nodes = true,
        }
    }
    let title = match nodes {
        true if pods.is_empty() => "is about nodes".to_owned(),
        _ => format!("is about {}", selectors::count(pods.len(), workloads.len())),
    };
    (title, pods.into_iter().take(10).collect())
}

/// The greatest cost among the subjects of a policy: what all policies about them cost together.
fn cost(db: &Database, policy: &Policy) -> Option<String> {
    let classes = world::classes(db);
    let is_about = |class: &hir::Class| policy.sections.iter().any(|section| selects(section, class));
    let about: Vec<_> = classes.iter().filter(|(class, _)| is_about(class)).take(CLASSES + 1).collect();
    if about.is_empty() || about.len() > CLASSES {
        return None;
    }
    let costing = Costing::of(db);
    let costs = about.iter().map(|(class, subjects)| costing.class(class, subjects).entries);
    let most = costs.max()?;
    let entries = if most == 1 { "entry" } else { "entries" };
    Some(format!("{most} map {entries} an endpoint"))
}
