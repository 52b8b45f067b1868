//! Rules for HTTP requests.

use std::collections::BTreeSet;

use crate::pattern::Pattern;
use crate::request::Http;
use crate::rules::Missing;

/// One rule: all its parts must match; a rule without parts matches every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpRule {
    /// For the method; case counts.
    pub method: Option<Pattern>,
    /// For the request target, query included.
    pub path: Option<Pattern>,
    /// For the authority, port included.
    pub host: Option<Pattern>,
    /// Headers.
    pub headers: Vec<HeaderRule>,
}

/// What a header must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderRule {
    /// Its name, lower case.
    pub name: String,
    /// What it must hold.
    pub wanted: Wanted,
    /// What is done with a request whose header is otherwise.
    pub mismatch: Mismatch,
}

/// What a header must hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// Anything, once it is there.
    Present,
    /// Just this.
    Value(String),
    /// A text that is kept elsewhere under this name, and is not read here.
    Secret {
        /// Where it is kept.
        name: String,
        /// What counts when nothing is kept there.
        otherwise: Option<String>,
    },
}

/// What is done with a request whose header is otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mismatch {
    /// The rule does not match it.
    #[default]
    Fail,
    /// It is logged; the rule matches.
    Log,
    /// The header is added; the rule matches.
    Add,
    /// The header is removed; the rule matches.
    Delete,
    /// The header is replaced; the rule matches.
    Replace,
}

impl Mismatch {
    /// Every action with its word in texts.
    pub const ALL: [(&'static str, Mismatch); 5] = [
        ("fail", Mismatch::Fail),
        ("log", Mismatch::Log),
        ("add", Mismatch::Add),
        ("delete", Mismatch::Delete),
        ("replace", Mismatch::Replace),
    ];
}

impl HeaderRule {
    /// Reads `Name`, `Name value` or `Name: value`: up to the first space stands the name, whose final colons do not count.
    ///
    /// Source: Cilium's translation of `headers`, `pkg/envoy`.
    pub fn of_text(text: &str) -> HeaderRule {
        let (name, wanted) = match text.split_once(' ') {
            Some((name, value)) => (name.trim_end_matches(':'), Wanted::Value(value.to_owned())),
            None => (text, Wanted::Present),
        };
        HeaderRule { name: name.to_ascii_lowercase(), wanted, mismatch: Mismatch::Fail }
    }

    /// Whether the header is as wanted, and what that answer depends on.
    fn answer(&self, request: &Http) -> (bool, Option<Missing>) {
        if self.mismatch != Mismatch::Fail {
            return (true, None);
        }
        let found = request.header(&self.name);
        match &self.wanted {
            Wanted::Present => (found.is_some(), None),
            Wanted::Value(value) => (found.as_ref() == Some(value), None),
            Wanted::Secret { name, otherwise } => {
                (otherwise.is_some() && found == *otherwise, Some(Missing::Secret(name.clone())))
            }
        }
    }
}

impl HttpRule {
    /// Whether a request matches. What would have to be known is added to `missing`, where it could change the answer.
    pub fn matches(&self, request: &Http, missing: &mut BTreeSet<Missing>) -> bool {
        let texts = [
            (&self.method, Some(request.method.as_str())),
            (&self.path, Some(request.target.as_str())),
            (&self.host, request.host.as_deref()),
        ];
        let texts = texts.into_iter().filter_map(|(pattern, text)| Some(part(pattern.as_ref()?, text)));
        let parts: Vec<_> = texts.chain(self.headers.iter().map(|header| header.answer(request))).collect();
        if parts.contains(&(false, None)) {
            return false;
        }
        missing.extend(parts.iter().filter_map(|(_, doubt)| doubt.clone()));
        parts.iter().all(|(matches, _)| *matches)
    }

    /// Whether some request with this method can match: the method part does.
    pub fn takes_method(&self, method: &str) -> bool {
        self.method.as_ref().is_none_or(|pattern| pattern.is_match(method) == Ok(true))
    }
}

/// Whether a text matches, and what that answer depends on; what is not there matches nothing.
fn part(pattern: &Pattern, text: Option<&str>) -> (bool, Option<Missing>) {
    match text.map(|text| pattern.is_match(text)) {
        Some(Ok(matches)) => (matches, None),
        Some(Err(_)) => (false, Some(Missing::Pattern(pattern.text().to_owned()))),
        None => (false, None),
    }
}
