//! What is known of a code, whatever the text: its name, its level, its page.

use diag::{Code, Diagnostic, Severity};

/// One code of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number; never used for anything else.
    pub code: Code,
    /// Its name, which names the fault: `selector-matches-nothing`.
    pub slug: &'static str,
    /// How grave it is. A finding may be milder where its page says so, never graver.
    pub level: Severity,
    /// What kind of trouble it is about.
    pub group: Group,
    /// The first version that knew it.
    pub since: &'static str,
    /// The page that `explain`, the editor and the book show. Markdown.
    pub text: &'static str,
}

/// What kind of trouble a code is about. A name for choosing codes: `security`, `cost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The text cannot be read, or a cluster refuses or drops it.
    Validity,
    /// The text is taken, and means something else than it seems to say.
    Correctness,
    /// As correctness, and more is open than it seems.
    Security,
    /// Implementations disagree on it.
    Parity,
    /// tidegate does not enforce it.
    Reach,
    /// It costs more than it needs to.
    Cost,
    /// It says the same in more words than it needs.
    Style,
}

impl Group {
    /// Every group.
    pub const ALL: [Group; 7] =
        [Group::Validity, Group::Correctness, Group::Security, Group::Parity, Group::Reach, Group::Cost, Group::Style];

    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Group::Validity => "validity",
            Group::Correctness => "correctness",
            Group::Security => "security",
            Group::Parity => "parity",
            Group::Reach => "reach",
            Group::Cost => "cost",
            Group::Style => "style",
        }
    }

    /// The group of this name; `None` for another word.
    pub fn named(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name() == name)
    }
}

/// Where the pages of codes stand in public.
const PAGES: &str = "https://github.com/tidegate/tidegate/blob/main/compiler/checks/src";

impl Page {
    /// Where the page stands in public.
    pub fn address(&self) -> String {
        let folder = self.slug.replace('-', "_");
        format!("{PAGES}/{}_{folder}/page.md", self.code.to_string().to_lowercase())
    }

    /// The text of one of its sections, such as `Why`; empty for a section that no page has.
    pub fn section(&self, name: &str) -> &'static str {
        let after = self.text.split_once(&format!("\n## {name}\n")).map_or("", |(_, after)| after);
        after.split("\n## ").next().unwrap_or_default().trim()
    }

    /// A diagnostic of this code.
    pub(crate) fn says(&self, headline: impl Into<String>) -> Diagnostic {
        self.says_as(self.level, headline)
    }

    /// A diagnostic of this code at a milder level.
    pub(crate) fn says_as(&self, level: Severity, headline: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.code, self.slug, level.max(self.level), headline)
    }
}

/// The page of a folder: number, slug, level, first version, group (validity when unnamed); the text stands beside the folder's
/// `mod.rs`.
macro_rules! page {
    ($number:literal, $slug:literal, $level:ident, $since:literal) => {
        page!($number, $slug, $level, $since, Validity)
    };
    ($number:literal, $slug:literal, $level:ident, $since:literal, $group:ident) => {
        Page {
            code: diag::Code($number),
            slug: $slug,
            level: diag::Severity::$level,
            group: $crate::page::Group::$group,
            since: $since,
            text: include_str!("page.md"),
        }
    };
}
pub(crate) use page;
