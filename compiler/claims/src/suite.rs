//! A `PolicyTest` as written.

use driver::Knowledge;
use facts::Pod;
use request::Request;
use source::Span;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelt {
    /// The word.
    pub text: String,
    /// Its bytes in the file of the test.
    pub span: Span,
}

/// One document of kind `PolicyTest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// `metadata.name`; empty when it has none.
    pub name: String,
    /// The namespace of names that say none.
    pub namespace: String,
    /// Files and folders that it speaks of, relative to its own file.
    pub policies: Vec<Spelt>,
    /// Whether those hold all of a cluster or a part of it.
    pub facts: Knowledge,
    /// The readings under which every case is asked.
    pub dialects: Vec<Spelt>,
    /// Pods that exist for this test only.
    pub pods: Vec<Pod>,
    /// Objects that exist for this test only: the bytes of each.
    pub objects: Vec<Span>,
    /// What it says.
    pub cases: Vec<Case>,
}

/// One thing that a test says, of one flow or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// Who opens the connection: any of these.
    pub from: Vec<Spelt>,
    /// With whom: any of these.
    pub to: Vec<Spelt>,
    /// To which ports: every one of these.
    pub ports: Vec<Spelt>,
    /// What is asked over the connection.
    pub request: Option<Request>,
    /// How it ends.
    pub expect: Expect,
    /// What makes it so: each of these.
    pub by: Vec<Spelt>,
    /// The readings under which it is asked; those of the suite when there are none.
    pub dialects: Vec<Spelt>,
}

/// How a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expect {
    /// It passes both ends.
    Allow,
    /// An end denies it, or a proxy refuses what is asked.
    Deny,
    /// It hangs on facts that were not read.
    Unknown,
    /// It passes both ends, at least one of them through a proxy.
    Redirect,
}

impl Expect {
    /// Every one, as tests spell it.
    pub const ALL: [(&'static str, Expect); 4] = [
        ("allow", Expect::Allow),
        ("deny", Expect::Deny),
        ("unknown", Expect::Unknown),
        ("redirect", Expect::Redirect),
    ];

    /// As tests spell it.
    pub fn name(self) -> &'static str {
        match self {
            Expect::Allow => "allow",
            Expect::Deny => "deny",
            Expect::Unknown => "unknown",
            Expect::Redirect => "redirect",
        }
    }
}

/// A mistake in the text of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What is wrong, for people.
    pub headline: String,
    /// What to write instead.
    pub help: String,
}
