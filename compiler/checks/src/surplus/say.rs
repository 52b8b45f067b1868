//! What is said of a candidate: its places, and its witness in words.

use driver::{Db, locate};
use hir::Policy;
use rules::Origin;
use source::{FileId, Span};

use super::Candidate;
use super::index::Index;
use super::trial::Witness;
use super::without::is_within;
use crate::place::{Spot, Text};
use crate::words::quoted;

/// Everything that the words of a finding are made of.
pub(crate) struct Said<'i> {
    /// The object, as its users call it.
    pub object: &'i str,
    /// The policy.
    pub policy: &'i Policy,
    /// The path of the rule; empty for the whole policy.
    pub path: &'i str,
    /// Whether the rule allows.
    pub allows: bool,
    /// One flow.
    pub witness: Witness,
    text: Text,
}

impl<'i> Said<'i> {
    /// `None` for what stands in no file.
    pub fn new(db: &dyn Db, index: &'i Index<'_>, candidate: &Candidate, witness: Option<Witness>) -> Option<Said<'i>> {
        let object = index.object(candidate.policy);
        let (file, _) = locate::object(db, object)?;
        let path = match candidate.kind {
            super::Kind::Policy => "",
            _ => candidate.rule.map_or("", |rule| index.path(rule)),
        };
        Some(Said {
            object,
            policy: index.policies[candidate.policy],
            path,
            allows: candidate.rule.is_none_or(|rule| index.allows(rule)),
            witness: witness.unwrap_or_default(),
            text: Text::new(db, file),
        })
    }

    /// The object in its file.
    pub fn spot(&self) -> Option<Spot<'_>> {
        spot_of(&self.text, self.policy)
    }

    /// The flow in words: `a packet from pod shop/web 10.0.1.4 (app=web) to pod shop/db 10.0.1.9 (app=db) tcp/5432`.
    pub fn flow(&self) -> Option<String> {
        (!self.witness.flow.is_empty()).then(|| self.witness.flow.clone())
    }

    /// Whoever decides the flow instead: object, path and place.
    pub fn deciders(&self, db: &dyn Db) -> Vec<(&Origin, Option<(FileId, Span)>)> {
        let others = self.witness.by.iter().filter(|it| self.path.is_empty() || !self.is_own(it));
        others.map(|origin| (origin, place(db, origin))).collect()
    }

    /// `` `spec.egress[0]` of `NetworkPolicy shop/db` ``, the object left out where it is this one; nothing when nobody is known.
    pub fn decider_in_words(&self) -> Option<String> {
        let origin = self.witness.by.iter().find(|it| !self.is_own(it))?;
        Some(match (origin.object == self.object, origin.path.as_str()) {
            (_, "") => quoted(&origin.object),
            (true, path) => quoted(path),
            (false, path) => format!("{} of {}", quoted(path), quoted(&origin.object)),
        })
    }

    /// `` by `spec.egressDeny[0]` of `CiliumNetworkPolicy shop/web` ``, or nothing.
    pub fn by_whom(&self) -> String {
        self.decider_in_words().map(|by| format!(" by {by}")).unwrap_or_default()
    }

    /// The object that decides the flow instead, or the rule when it is of the same object.
    pub fn deciding_object(&self) -> Option<String> {
        let origin = self.witness.by.iter().find(|it| !self.is_own(it))?;
        Some(quoted(if origin.object == self.object { &origin.path } else { &origin.object }))
    }

    fn is_own(&self, origin: &Origin) -> bool {
        origin.object == self.object && is_within(&origin.path, self.path)
    }
}

/// Where a rule is written, on one line.
pub(crate) fn place(db: &dyn Db, origin: &Origin) -> Option<(FileId, Span)> {
    let (file, object) = locate::object(db, &origin.object)?;
    let text = Text::new(db, file);
    let spot = text.spots().find(|spot| spot.object.object == object.object && spot.object.at == object.at)?;
    let span = spot.value(&origin.path);
    Some((text.id, text.first_line(span)))
}

/// The policy in its file.
pub(crate) fn spot_of<'t>(text: &'t Text, policy: &Policy) -> Option<Spot<'t>> {
    text.spots().filter(|spot| spot.policy.as_deref() == Some(policy)).last()
}
