//! What every decoder carries along: the dialect, the object and the problems found so far.

use facts::read::At;
use hir::{Dialect, ObjectRef};

use crate::problem::{Consequence, Problem, ProblemKind, Stage};

/// One decoding.
pub(crate) struct Context<'d> {
    pub dialect: &'d Dialect,
    pub object: ObjectRef,
    pub problems: Vec<Problem>,
    /// Whether the newest API server is asked, and not any.
    pub newest: bool,
}

impl Context<'_> {
    /// Notes that an object is refused.
    pub fn reject(&mut self, at: &At<'_>, stage: Stage, kind: ProblemKind) {
        self.note(at, stage, Consequence::Rejected, kind);
    }

    /// Notes that the API server refuses an object and points to this field.
    pub fn refuse(&mut self, at: &At<'_>, field: &str, kind: ProblemKind) {
        self.problems.push(Problem::new(&at.path(), Stage::KubernetesApi, Consequence::Rejected, kind).at_field(field));
    }

    /// Notes what the newest API server refuses and older ones take.
    pub fn doubt(&mut self, at: &At<'_>, field: &str, kind: ProblemKind) {
        let consequence = if self.newest { Consequence::Rejected } else { Consequence::Kept };
        self.problems.push(Problem::new(&at.path(), Stage::KubernetesApi, consequence, kind).at_field(field));
    }

    /// Notes that a part cannot be enforced yet.
    pub fn not_yet(&mut self, at: &At<'_>) {
        self.note(at, Stage::Reach, Consequence::Closed, ProblemKind::NotYet);
    }

    /// Notes that a part is closed, because nobody can know what it means.
    pub fn close(&mut self, at: &At<'_>, stage: Stage, kind: ProblemKind) {
        self.note(at, stage, Consequence::Closed, kind);
    }

    /// Notes what is hardly meant.
    pub fn keep(&mut self, at: &At<'_>, stage: Stage, kind: ProblemKind) {
        self.note(at, stage, Consequence::Kept, kind);
    }

    fn note(&mut self, at: &At<'_>, stage: Stage, consequence: Consequence, kind: ProblemKind) {
        self.problems.push(Problem::new(&at.path(), stage, consequence, kind));
    }

    /// Whether something found so far refuses the object.
    pub fn is_rejected(&self) -> bool {
        self.problems.iter().any(|problem| problem.consequence == Consequence::Rejected)
    }
}
