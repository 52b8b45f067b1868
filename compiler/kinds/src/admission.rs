//! What an API server answers to an object: whether it takes it, and to which fields it points.

use std::collections::BTreeSet;

use facts::decode::{Object, objects};
use facts::read::At;
use hir::Dialect;
use syntax::{NodeId, Tree};

use crate::decode::{object_ref, review};
use crate::problem::{Consequence, Problem, Stage};
use crate::registry::{Class, Kind, classify, fact_kind};

/// The answer to one object, built from problems of its decoding, its schema and the validation of built-in kinds: what an agent thinks
/// of an accepted object is another matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Whether it is taken.
    pub accepted: bool,
    /// The fields to which a refusal points. None for an object that cannot be decoded at all, and none of a cause without a field.
    pub causes: BTreeSet<String>,
    /// The fields that are unknown or stand twice, without which the object is taken.
    pub unknown: BTreeSet<String>,
}

/// Says what the newest API server answers to each object of a document, with the newest definitions installed.
///
/// Shape: one entry for each object, in order; `None` for an object of a kind that is not compared with a schema here.
pub fn admission(tree: &Tree, root: NodeId) -> Vec<Option<Admission>> {
    let objects = objects(&At::root(tree, root));
    objects.iter().map(|object| Some(of_object(object, kind(object)?))).collect()
}

fn kind(object: &Object<'_>) -> Option<&'static Kind> {
    match classify(&object.api_version, &object.kind) {
        Class::Policy(kind) => Some(kind),
        Class::Checked(known) => Some(&known.kind),
        Class::Fact(_) => fact_kind(&object.api_version, &object.kind),
        Class::List | Class::Unknown | Class::Removed(_) | Class::Foreign(_) | Class::Other => None,
    }
}

fn of_object(object: &Object<'_>, kind: &Kind) -> Admission {
    let at = object.at.as_root();
    let name = object_ref(&at, kind.kind, kind.namespaced);
    // Why: of all dialects this one has the newest definitions.
    let problems = review(&at, kind, name, &Dialect::CILIUM_1_20, true).problems;
    let refused: Vec<&Problem> = problems.iter().filter(|it| it.consequence == Consequence::Rejected).collect();
    if refused.iter().any(|it| it.stage == Stage::Decode) {
        return Admission::default();
    }
    let fields = |problems: &[&Problem]| -> BTreeSet<String> {
        problems.iter().map(|it| it.field.clone()).filter(|field| !field.is_empty()).collect()
    };
    let dropped: Vec<&Problem> = problems.iter().filter(|it| it.consequence == Consequence::Dropped).collect();
    let mut unknown = fields(&dropped);
    twice(&at, &mut unknown);
    Admission { accepted: refused.is_empty(), causes: fields(&refused), unknown }
}

/// The fields that stand more than once in their mapping.
fn twice(at: &At<'_>, found: &mut BTreeSet<String>) {
    found.extend(at.repeated().iter().map(|it| crate::problem::dotted(&it.path())));
    at.entries().iter().for_each(|(_, value)| twice(value, found));
    at.items().for_each(|item| twice(&item, found));
}
