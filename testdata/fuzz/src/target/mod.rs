//! What is fuzzed: each target makes texts and says what has to hold of any text.

mod compiler;
mod decoder;
mod laws;
mod parser;

use crate::random::Random;
use std::fmt;

/// One target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Text to tree: bytes, pieces of YAML, documents in many styles, with damage.
    Parser,
    /// Objects that follow the schema tables and then do not: decoded, worded and compiled alone.
    Decoder,
    /// Whole clusters: every verdict by oracle and diagram, images, other orders, edits and their undoing.
    Compiler,
    /// Whole clusters that are changed in ways that must not change their meaning.
    Laws,
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 4] = [Target::Parser, Target::Decoder, Target::Compiler, Target::Laws];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Target::Parser => "parser",
            Target::Decoder => "decoder",
            Target::Compiler => "compiler",
            Target::Laws => "laws",
        }
    }

    /// The target of this name.
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|target| target.name() == name)
    }

    /// The text of a case. Depends on seed and number alone.
    pub fn generate(self, seed: u64, number: u64) -> String {
        let mut random = Random::of_case(seed, number);
        match self {
            Target::Parser => parser::generate(&mut random),
            Target::Decoder => decoder::generate(&mut random),
            Target::Compiler => compiler::generate(&mut random),
            Target::Laws => laws::generate(&mut random),
        }
    }

    /// What has to hold of a text. Depends on the text alone.
    ///
    /// Errors: what does not hold, beginning with its name and a colon. A panic is a failure, too.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            Target::Parser => parser::check(text),
            Target::Decoder => decoder::check(text),
            Target::Compiler => compiler::check(text),
            Target::Laws => laws::check(text),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Fails with a text when a condition does not hold.
macro_rules! hold {
    ($condition:expr, $($text:tt)*) => {
        if !$condition {
            return Err(format!($($text)*));
        }
    };
}
use hold;
