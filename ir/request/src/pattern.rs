//! Regular expressions as proxies take them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

use crate::re2;
use crate::texts::{self, Automaton};

/// How much memory one compiled expression may take. Larger ones are refused: their text is somebody's input.
const SIZE_LIMIT: usize = 1 << 20;

/// A regular expression in the syntax of RE2, which must match the whole of a text.
///
/// It is compiled when it is first asked, and once for all clones. Equality and order are those of the text.
#[derive(Clone)]
pub struct Pattern {
    text: Arc<str>,
    compiled: Arc<OnceLock<Result<Regex, BadPattern>>>,
    automaton: Arc<OnceLock<Option<Automaton>>>,
}

/// A text that is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPattern {
    /// What is wrong, for people.
    pub why: String,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for BadPattern {}

impl Pattern {
    /// An expression of this text, understood or not.
    pub fn new(text: &str) -> Pattern {
        Pattern { text: Arc::from(text), compiled: Arc::default(), automaton: Arc::default() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole of a text matches.
    ///
    /// Errors: the expression is none, or larger than we take; it then matches nothing.
    pub fn is_match(&self, text: &str) -> Result<bool, &BadPattern> {
        Ok(self.compiled()?.is_match(text.as_bytes()))
    }

    /// Why the text is no expression; `None` when it is one.
    pub fn problem(&self) -> Option<&BadPattern> {
        self.compiled().err()
    }

    /// The expression as an automaton; `None` where it is none or too large.
    pub(crate) fn automaton(&self) -> Option<&Automaton> {
        let build = || texts::automaton(&whole(&re2::translate(&self.text).ok()?));
        self.automaton.get_or_init(build).as_ref()
    }

    fn compiled(&self) -> Result<&Regex, &BadPattern> {
        self.compiled.get_or_init(|| compile(&self.text)).as_ref()
    }
}

/// An expression that matches only whole texts.
fn whole(translated: &str) -> String {
    format!(r"\A(?:{translated})\z")
}

fn compile(text: &str) -> Result<Regex, BadPattern> {
    let translated = re2::translate(text).map_err(|why| BadPattern { why })?;
    let mut builder = RegexBuilder::new(&whole(&translated));
    let built = builder.size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).nest_limit(100).build();
    built.map_err(|error| {
        let why = match error {
            regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
            // The last line says what is wrong; those above it draw the translated text, which nobody wrote.
            other => other.to_string().lines().last().unwrap_or_default().replace("error: ", ""),
        };
        BadPattern { why }
    })
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Pattern) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Pattern) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
