//! An object that stands twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use diag::{Diagnostic, Severity};
use driver::text::{self, Decoded, Role};
use driver::{Db, SourceFile, locate};
use facts::Fact;
use hir::Policy;
use source::{FileId, Span};

use crate::page::{Page, page};
use crate::place::Text;

pub const PAGE: Page = page!(46, "object-twice", Error, "0.1.0");

/// One place where an object stands.
struct Stand {
    file: SourceFile,
    /// Its number among the objects of the file.
    at: usize,
    content: Content,
}

/// What an object says, so that two of a name can be compared.
#[derive(PartialEq)]
enum Content {
    Policy(Arc<Policy>),
    Rejected,
    Fact(Box<Fact>),
}

/// Every object that stands twice, blamed where it is lost.
pub fn find(db: &dyn Db) -> Vec<Diagnostic> {
    let mut stands: BTreeMap<String, Vec<Stand>> = BTreeMap::new();
    for file in crate::files(db) {
        gather(file, &text::decoded(db, file), &mut stands);
    }
    let mut found = Vec::new();
    for (object, stands) in stands.iter().filter(|(_, stands)| stands.len() > 1) {
        if let Some((last, lost)) = stands.split_last() {
            found.extend(lost.iter().map(|stand| render(db, object, stand, last)));
        }
    }
    found
}

/// The same, of objects of one file that are lost: where another object of the name comes later.
pub fn find_in(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let mut own: BTreeMap<String, Vec<Stand>> = BTreeMap::new();
    gather(file, &text::decoded(db, file), &mut own);
    let mut found = Vec::new();
    // What other files say, each read once, however many of our objects stand there again.
    let mut others: BTreeMap<FileId, BTreeMap<String, Vec<Stand>>> = BTreeMap::new();
    for (object, stands) in &own {
        let Some(last_file) = locate::file_of(db, object) else { continue };
        let there = match last_file == file {
            true => stands.last(),
            false => {
                let others = others.entry(last_file.id(db)).or_insert_with(|| {
                    let mut gathered = BTreeMap::new();
                    gather(last_file, &text::decoded(db, last_file), &mut gathered);
                    gathered
                });
                others.get(object).and_then(|stands| stands.last())
            }
        };
        let Some(last) = there else { continue };
        let is_last = |stand: &&Stand| stand.file == last.file && stand.at == last.at;
        found.extend(stands.iter().filter(|it| !is_last(it)).map(|stand| render(db, object, stand, last)));
    }
    found
}

fn gather(file: SourceFile, decoded: &Decoded, stands: &mut BTreeMap<String, Vec<Stand>>) {
    let (mut policies, mut facts) = (decoded.policies.iter().cloned(), decoded.facts.iter().cloned());
    for (at, object) in decoded.objects.iter().enumerate().filter(|(_, object)| !object.object.name.is_empty()) {
        let content = match object.role {
            Role::Policy => policies.next().map(Content::Policy),
            Role::Rejected => Some(Content::Rejected),
            Role::Fact => facts.next().map(|fact| Content::Fact(Box::new(fact))),
            Role::Other => None,
        };
        // Why: a pod of another cluster of a mesh is another object.
        let elsewhere =
            matches!(&content, Some(Content::Fact(fact)) if matches!(&**fact, Fact::Pod(pod) if pod.cluster.is_some()));
        if let Some(content) = content.filter(|_| !elsewhere) {
            stands.entry(object.object.to_string()).or_default().push(Stand { file, at, content });
        }
    }
}

fn place(db: &dyn Db, stand: &Stand) -> (FileId, Span) {
    let text = Text::new(db, stand.file);
    let span = text.spots().nth(stand.at).map_or(Span::at(0), |spot| spot.value("metadata.name"));
    (text.id, span)
}

fn render(db: &dyn Db, object: &str, lost: &Stand, last: &Stand) -> Diagnostic {
    let same = lost.content == last.content && lost.content != Content::Rejected;
    let is_fact = matches!(last.content, Content::Fact(_));
    let level = if same || is_fact { Severity::Warning } else { Severity::Error };
    let ((file, span), (last_file, last_span)) = (place(db, lost), place(db, last));
    let again = if file == last_file { String::new() } else { format!(", again in `{}`", last.file.path(db)) };
    let said = PAGE.says_as(level, format!("`{object}` stands twice{again}"));
    let said = said.blame(file, span, "this one is lost").note(last_file, last_span, "this one counts");
    let why = match same {
        true => "a cluster holds one object of a name; these two say the same, so one of them is waste",
        false => {
            "a cluster holds one object of a name: whichever is applied last replaces the other, and what only the \
             other says is lost"
        }
    };
    said.why(why).help("rename one of them, or delete it; check folders of different clusters one by one")
}
