//! Two rules for one port of one peer that contradict each other, so that the policy of a subject cannot be computed.

use std::collections::BTreeMap;
use std::sync::Arc;

use diag::Diagnostic;
use driver::meaning::{self, ClassKey};
use driver::{Db, locate, world};
use hir::subject::{Subject, selects};
use hir::{Conflict, ConflictKind, Effect, Entry, Origin, Parser, Policy};
use source::{FileId, Span};

use crate::page::{Page, page};
use crate::place::Text;
use crate::words::quoted;

pub const PAGE: Page = page!(111, "contradicting-rules", Error, "0.1.0");

/// Every contradiction, once for each pair of places, with a subject that it is about.
///
/// `only`: of contradictions with one of these policies.
///
/// Cost: nothing when no two rules could contradict each other; else binding the classes that such rules select.
pub fn find(db: &dyn Db, only: Option<&[Arc<Policy>]>) -> Vec<Diagnostic> {
    let index = world::index(db);
    let policies: Vec<&Policy> = index.values().flat_map(|policies| policies.iter().map(|it| &**it)).collect();
    let suspects: Vec<&Policy> = policies.into_iter().filter(|policy| entries(policy).next().is_some()).collect();
    if !may_contradict(&suspects) {
        return Vec::new();
    }
    let of_some: Vec<&Policy> = match only {
        Some(only) => only.iter().map(|it| &**it).filter(|policy| entries(policy).next().is_some()).collect(),
        None => suspects,
    };
    if of_some.is_empty() {
        return Vec::new();
    }
    let mut found: BTreeMap<Conflict, Subject> = BTreeMap::new();
    for (class, subjects) in world::classes(db).iter() {
        let selected = of_some.iter().any(|policy| policy.sections.iter().any(|section| selects(section, class)));
        let Some(subject) = subjects.first().filter(|_| selected) else { continue };
        for conflict in meaning::conflicts(db, ClassKey::new(db, class.clone())).iter() {
            found.entry(conflict.clone()).or_insert_with(|| subject.clone());
        }
    }
    found.iter().filter_map(|(conflict, subject)| render(db, conflict, subject)).collect()
}

/// The entries of a policy that a contradiction can be about.
fn entries(policy: &Policy) -> impl Iterator<Item = &Entry> {
    let entries = policy.sections.iter().flat_map(|section| &section.entries);
    entries.filter(|entry| entry.effect == Effect::Allow && (entry.l7.is_some() || entry.auth.is_some()))
}

/// Whether there are two proxies or two kinds of authentication at all.
fn may_contradict(policies: &[&Policy]) -> bool {
    let all = || policies.iter().flat_map(|policy| entries(policy));
    let mut proxies: Vec<&Parser> = all().filter_map(|entry| entry.l7.as_ref()).map(|l7| &l7.parser).collect();
    let mut modes: Vec<flow::Auth> = all().filter_map(|entry| entry.auth).collect();
    proxies.sort();
    proxies.dedup();
    modes.sort();
    modes.dedup();
    let redirects = || all().filter_map(|entry| entry.l7.as_ref());
    let tls = redirects().any(|l7| l7.terminating.is_some() || l7.originating.is_some());
    proxies.len() > 1 || modes.len() > 1 || tls
}

fn render(db: &dyn Db, conflict: &Conflict, subject: &Subject) -> Option<Diagnostic> {
    let (what, field, help) = match conflict.kind {
        ConflictKind::Proxies => (
            "send one port of one peer to different proxies",
            "rules",
            "keep one kind of rules for the port, or give the rules different ports or peers",
        ),
        ConflictKind::Listeners => (
            "send one port of one peer to different listeners of one priority",
            "listener",
            "give one of the listeners a smaller `priority`, which wins",
        ),
        ConflictKind::TlsContexts => (
            "give the proxy of one port of one peer different sides of TLS",
            "",
            "write the same `terminatingTLS` and `originatingTLS` in both rules",
        ),
        ConflictKind::ServerNames => (
            "ask for names of TLS clients and for what is inside TLS, at one port of one peer",
            "",
            "end TLS with `terminatingTLS` in one of them, or keep one kind of rules",
        ),
        ConflictKind::Authentication => (
            "ask for different authentication of one peer and port",
            "authentication",
            "write the same mode in both rules",
        ),
    };
    let (first, second) = (place(db, &conflict.first, field)?, place(db, &conflict.second, field)?);
    let (one, other) = (conflict.first.object.to_string(), conflict.second.object.to_string());
    let who = match one == other {
        true => format!("two rules of {}", quoted(&one)),
        false => format!("{} and {}", quoted(&one), quoted(&other)),
    };
    let said = PAGE.says(format!("{who} {what}"));
    let said = said.blame(second.0, second.1, "this contradicts").note(first.0, first.1, "what stands here");
    let why = format!(
        "the policy of every subject that both rules are about, such as {subject}, cannot be computed: what was in \
         force before stays, and a subject without anything before is closed"
    );
    Some(said.why(why).help(help))
}

fn place(db: &dyn Db, origin: &Origin, field: &str) -> Option<(FileId, Span)> {
    let path = match field {
        "" => origin.path.clone(),
        field => format!("{}.{field}", origin.path),
    };
    let place = locate::locate_bound(db, &Origin { object: origin.object.clone(), path })?;
    let file = crate::files(db).into_iter().find(|file| file.id(db) == place.file)?;
    Some((place.file, Text::new(db, file).first_line(place.span)))
}
