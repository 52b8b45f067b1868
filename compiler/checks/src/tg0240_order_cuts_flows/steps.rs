//! Which step of an order objects are applied in, as their annotations say.

use std::collections::BTreeMap;
use std::fmt;

use driver::Db;
use source::{FileId, Span};

use crate::place::{Spot, Text};

/// A step: the phase, then the number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    phase: Phase,
    number: i64,
    /// Whether the number is the weight of a hook of Helm; otherwise it is a wave of Argo CD.
    weighs: bool,
}

/// Before, with or after the objects that say nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Before,
    #[default]
    With,
    After,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.weighs { "weight" } else { "wave" };
        match self.phase {
            Phase::Before => write!(f, "{word} {} of the hooks before", self.number),
            Phase::With => write!(f, "{word} {}", self.number),
            Phase::After => write!(f, "{word} {} of the hooks after", self.number),
        }
    }
}

/// The step of each object that has one of its own.
pub(crate) struct Steps {
    by_object: BTreeMap<String, (Step, FileId, Span)>,
}

impl Steps {
    pub fn new(db: &dyn Db) -> Steps {
        let mut by_object = BTreeMap::new();
        for file in crate::files(db) {
            let text = Text::new(db, file);
            let says = |word: &str| text.tree.text().contains(word);
            if !says("sync-wave") && !says("helm.sh/hook") && !says("argocd.argoproj.io/hook") {
                continue;
            }
            for spot in text.spots() {
                if let Some((step, span)) = step(&spot) {
                    by_object.insert(spot.object.object.to_string(), (step, text.id, span));
                }
            }
        }
        Steps { by_object }
    }

    pub fn is_empty(&self) -> bool {
        self.by_object.is_empty()
    }

    /// The step of an object; the one that nothing says of those that say nothing.
    pub fn of(&self, object: &str) -> Step {
        let known = self.by_object.get(object).map(|(step, ..)| *step);
        known.unwrap_or(Step { phase: Phase::With, number: 0, weighs: false })
    }

    /// Where an object says its step.
    pub fn place(&self, object: &str) -> Option<(FileId, Span)> {
        self.by_object.get(object).map(|(_, file, span)| (*file, *span))
    }
}

/// What the annotations of an object say of its step; nothing of the step that is meant anyway.
fn step(spot: &Spot<'_>) -> Option<(Step, Span)> {
    let tree = spot.tree();
    let annotations = spot.node("metadata.annotations")?;
    let said = |key: &str| {
        let entry = tree.entries(annotations).iter().find(|it| tree.key(it.key) == key)?;
        let text = tree.raw(entry.value).trim_matches(['"', '\'', ' ']).to_owned();
        Some((text, tree.span(entry.key)))
    };
    let number = |key: &str| said(key).and_then(|(text, _)| text.trim().parse::<i64>().ok());
    if let Some((hooks, span)) = said("helm.sh/hook") {
        let phase = match hooks.split(',').next().unwrap_or_default().trim() {
            "pre-install" | "pre-upgrade" | "pre-rollback" => Phase::Before,
            "post-install" | "post-upgrade" | "post-rollback" => Phase::After,
            // Tests and what is removed are applied at other times.
            _ => return None,
        };
        return Some((Step { phase, number: number("helm.sh/hook-weight").unwrap_or(0), weighs: true }, span));
    }
    let phase = match said("argocd.argoproj.io/hook").map(|(text, _)| text).as_deref() {
        Some("PreSync") => Phase::Before,
        Some("PostSync") => Phase::After,
        Some("Sync") | None => Phase::With,
        Some(_) => return None,
    };
    let wave = said("argocd.argoproj.io/sync-wave").or_else(|| said("argocd.argoproj.io/hook"))?;
    let number = number("argocd.argoproj.io/sync-wave").unwrap_or(0);
    Some((Step { phase, number, weighs: false }, wave.1))
}
