//! Proves whole programs: every path from the first instruction to an exit does what the rules of packets say (`ir/packet`).
//!
//! A path of the program and the rules run side by side over the same terms. Where the path forks, both ways are followed; where the rules
//! ask what the path does not know at its end, both answers are. So that paths stay few, the state is renamed where the rules take a step:
//! what they remember becomes a variable, in registers and frame too, and what was learnt before is forgotten. Two paths that are then alike
//! are one. Renaming and forgetting can only make a proof fail.
//!
//! ```text
//!  program ─┬─ packet, context, maps: terms ──────────────┐
//!           └─ what it does to the outside: events ───────┤ the same, on every path?
//!  rules ───── what is asked, what is expected ───────────┘
//! ```

mod ends;
mod facts;
mod forget;
mod live;
mod machine;
mod path;
mod place;
mod rules;
mod term;
mod track;
mod upper;

pub use path::{Whole, prove};
pub use place::Settings;

use crate::lift::Refused;
use crate::prove::template_of;
use image::{Digest, Image, Program};
use rustc_hash::FxHashMap;

/// Proofs of whole programs: of programs with one template around their decisions one is followed.
#[derive(Default)]
pub struct Proofs(FxHashMap<Digest, Whole>);

impl Proofs {
    /// The proof of a program around its decisions.
    ///
    /// A template says everything that a path meets outside of decisions, and where these lead. Errors: as [`prove`].
    pub fn of(&mut self, image: &Image, program: &Program) -> Result<Whole, Refused> {
        let template = template_of(image, program);
        if let Some(known) = template.and_then(|it| self.0.get(&it)) {
            return Ok(*known);
        }
        let whole = prove(image, program)?;
        if let Some(template) = template {
            self.0.insert(template, whole);
        }
        Ok(whole)
    }
}
