//! What an edit that is not saved yet changes.

use delta::{Edit, Kind};
use diagram::TooLarge;
use driver::Database;

/// How many rows of flows change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Flows that pass now and did not, or pass more widely.
    pub gained: usize,
    /// Flows that passed and do not, or pass more narrowly.
    pub lost: usize,
    /// Flows that pass otherwise, and nobody can say which lets more through.
    pub altered: usize,
    /// One flow of each row, in words, the worst first.
    pub samples: Vec<String>,
}

impl Effect {
    /// In a few words: `+2 −1 flows`, `no flow changes`.
    pub fn brief(&self) -> String {
        let parts = [("+", self.gained), ("−", self.lost), ("~", self.altered)];
        let told: Vec<String> =
            parts.iter().filter(|(_, many)| *many > 0).map(|(sign, many)| format!("{sign}{many}")).collect();
        match (told.is_empty(), self.gained + self.lost + self.altered) {
            (true, _) => "no flow changes".into(),
            (false, 1) => format!("{} flow", told.join(" ")),
            (false, _) => format!("{} flows", told.join(" ")),
        }
    }
}

/// What the texts of now decide otherwise than older texts of some files did; `None` as a text for a file that was not there.
///
/// Errors: a limit of diagrams. Cost: that of `tidegate diff`: more than an answer while somebody types.
pub fn effect(db: &Database, old: &[(String, Option<String>)]) -> Result<Effect, TooLarge> {
    let old: Vec<Edit> = old.iter().map(|(path, text)| Edit { path: path.clone(), text: text.clone() }).collect();
    let mut effect = Effect::default();
    for change in delta::diff_from(&old, db)?.changes {
        match change.kind {
            Kind::Gained | Kind::Widened => effect.gained += 1,
            Kind::Lost | Kind::Tightened => effect.lost += 1,
            Kind::Altered => effect.altered += 1,
        }
        effect.samples.push(format!("{}: {}", change.kind, change.sample()));
    }
    Ok(effect)
}
