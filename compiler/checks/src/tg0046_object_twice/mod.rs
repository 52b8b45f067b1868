//! An object that stands twice.

use std::collections::BTreeMap;

use diag::{Diagnostic, Severity};
use driver::Db;
use driver::text::Role;
use facts::Fact;
use source::{FileId, Span};

use crate::page::{Page, page};
use crate::place::Text;

pub const PAGE: Page = page!(46, "object-twice", Error, "0.1.0");

/// One place where an object stands.
struct Stand {
    file: FileId,
    path: String,
    span: Span,
    content: Content,
}

/// What an object says, so that two of a name can be compared.
#[derive(PartialEq)]
enum Content {
    Policy(Vec<hir::Section>),
    Rejected,
    Fact(Fact),
}

/// Every object that stands twice, blamed where it is lost; by path of the file.
pub fn find(db: &dyn Db) -> Vec<Diagnostic> {
    let mut stands: BTreeMap<String, Vec<Stand>> = BTreeMap::new();
    for file in crate::files(db) {
        let text = Text::new(db, file);
        let mut facts = text.decoded.facts.iter();
        for spot in text.spots() {
            let content = match spot.object.role {
                Role::Policy => spot.policy.as_ref().map(|policy| Content::Policy(policy.sections.clone())),
                Role::Rejected => Some(Content::Rejected),
                Role::Fact if spot.object.object.name.is_empty() => None,
                Role::Fact => facts.next().cloned().map(Content::Fact),
                Role::Other => None,
            };
            let elsewhere = matches!(&content, Some(Content::Fact(Fact::Pod(pod))) if pod.cluster.is_some());
            if let Some(content) = content.filter(|_| !elsewhere && !spot.object.object.name.is_empty()) {
                let (path, span) = (file.path(db).to_owned(), spot.value("metadata.name"));
                let stand = Stand { file: text.id, path, span, content };
                stands.entry(spot.object.object.to_string()).or_default().push(stand);
            }
        }
    }
    stands
        .iter()
        .filter_map(|(object, stands)| stands.split_last().map(|(last, lost)| (object, last, lost)))
        .flat_map(|(object, last, lost)| lost.iter().map(move |stand| render(object, stand, last)))
        .collect()
}

fn render(object: &str, lost: &Stand, last: &Stand) -> Diagnostic {
    let same = lost.content == last.content && lost.content != Content::Rejected;
    let is_fact = matches!(last.content, Content::Fact(_));
    let level = if same || is_fact { Severity::Warning } else { Severity::Error };
    let place = if lost.file == last.file { String::new() } else { format!(", again in `{}`", last.path) };
    let said = PAGE.says_as(level, format!("`{object}` stands twice{place}"));
    let said = said.blame(lost.file, lost.span, "this one is lost").note(last.file, last.span, "this one counts");
    let why = match same {
        true => "a cluster holds one object of a name; these two say the same, so one of them is waste",
        false => {
            "a cluster holds one object of a name: whichever is applied last replaces the other, and what only the other says is lost"
        }
    };
    said.why(why).help("rename one of them, or delete it; check folders of different clusters one by one")
}
