//! Which step of an order objects are applied in, as their annotations say.

use std::collections::BTreeMap;
use std::fmt;

use driver::Db;
use source::{FileId, Span};

use super::flux::Kustomizations;
use crate::place::{Spot, Text};

/// A step: the phase, then the number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    phase: Phase,
    number: i64,
    of: Of,
}

/// What gives a step its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// A wave of Argo CD.
    #[default]
    Wave,
    /// The weight of a hook of Helm.
    Weight,
    /// How many Kustomizations of Flux, one after another, it waits for.
    Dependency,
    /// Its place among all documents. Even, so that there is room between two.
    Document,
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
        let number = self.number;
        match self.of {
            Of::Dependency => return write!(f, "step {} of the Kustomizations", number + 1),
            Of::Document => return write!(f, "document {}", number / 2 + 1),
            Of::Wave => write!(f, "wave {number}")?,
            Of::Weight => write!(f, "weight {number}")?,
        }
        match self.phase {
            Phase::Before => write!(f, " of the hooks before"),
            Phase::With => Ok(()),
            Phase::After => write!(f, " of the hooks after"),
        }
    }
}

impl Step {
    /// Whether nothing else can have the same step.
    pub fn is_alone(self) -> bool {
        self.of == Of::Document
    }

    /// The step that comes with another, or right before it where nothing else can have it.
    pub fn beside(self) -> Step {
        Step { number: self.number - i64::from(self.is_alone()), ..self }
    }
}

/// The step of each object that has one of its own.
pub(crate) struct Steps {
    by_object: BTreeMap<String, Placed>,
    /// The step of those that say nothing.
    usual: Step,
}

impl Steps {
    /// By annotations and by what Flux waits for; or, when asked for, as the documents stand in their files.
    pub fn new(db: &dyn Db, documents: bool) -> Steps {
        let mut by_object = BTreeMap::new();
        let kustomizations = if documents { Kustomizations::default() } else { Kustomizations::new(db) };
        for (at, file) in crate::files(db).into_iter().enumerate() {
            let text = Text::new(db, file);
            let says = |word: &str| text.tree.text().contains(word);
            let annotated = says("sync-wave") || says("helm.sh/hook") || says("argocd.argoproj.io/hook");
            if !documents && !annotated && kustomizations.is_empty() {
                continue;
            }
            for (place, spot) in text.spots().enumerate() {
                let said = if documents { None } else { step(&spot).map(|(step, span)| (step, Some((text.id, span)))) };
                let said = said.or_else(|| {
                    let (phase, room) = (Phase::With, 1 << 32);
                    if documents {
                        let number = 2 * (at as i64 * room + place as i64);
                        return Some((Step { phase, number, of: Of::Document }, None));
                    }
                    // Why: what waits for nothing comes with what is in no Kustomization.
                    let number = kustomizations.depth(&spot, file.path(db)).filter(|depth| *depth > 0)?;
                    Some((Step { phase, number, of: Of::Dependency }, None))
                });
                if let Some(said) = said {
                    by_object.insert(spot.object.object.to_string(), said);
                }
            }
        }
        if documents {
            number(&mut by_object);
        }
        let of = if kustomizations.is_empty() { Of::Wave } else { Of::Dependency };
        Steps { by_object, usual: Step { phase: Phase::With, number: 0, of } }
    }

    pub fn is_empty(&self) -> bool {
        self.by_object.is_empty()
    }

    /// The step of an object; the one that nothing says of those that say nothing.
    pub fn of(&self, object: &str) -> Step {
        let known = self.by_object.get(object).map(|(step, _)| *step);
        known.unwrap_or(self.usual)
    }

    /// Where an object says its step.
    pub fn place(&self, object: &str) -> Option<(FileId, Span)> {
        self.by_object.get(object).and_then(|(_, place)| *place)
    }
}

/// The step of an object, and where it says so.
type Placed = (Step, Option<(FileId, Span)>);

/// Numbers documents without gaps.
fn number(by_object: &mut BTreeMap<String, Placed>) {
    let mut all: Vec<&mut Step> = by_object.values_mut().map(|(step, _)| step).collect();
    all.sort();
    all.into_iter().enumerate().for_each(|(at, step)| step.number = 2 * at as i64);
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
        return Some((Step { phase, number: number("helm.sh/hook-weight").unwrap_or(0), of: Of::Weight }, span));
    }
    let phase = match said("argocd.argoproj.io/hook").map(|(text, _)| text).as_deref() {
        Some("PreSync") => Phase::Before,
        Some("PostSync") => Phase::After,
        Some("Sync") | None => Phase::With,
        Some(_) => return None,
    };
    let wave = said("argocd.argoproj.io/sync-wave").or_else(|| said("argocd.argoproj.io/hook"))?;
    let number = number("argocd.argoproj.io/sync-wave").unwrap_or(0);
    Some((Step { phase, number, of: Of::Wave }, wave.1))
}
