//! Whatever the text, what is said of it points into it.

use crate::{lines, project};
use checks::REGISTRY;
use diag::Severity;
use driver::text::{Role, decoded};
use source::FileId;

/// The manifests of all pages.
fn manifests() -> impl Iterator<Item = &'static str> {
    let fences = REGISTRY.iter().flat_map(|page| page.text.split("```yaml").skip(1));
    fences.filter_map(|rest| rest.split_once('\n')?.1.split("```").next())
}

/// Checks a text and everything that is said of it.
fn check(text: &str) {
    let db = project(&[("a.yaml", text)]);
    let found = checks::check(&db);
    for said in &found {
        for label in &said.labels {
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(text.get(start..end).is_some(), "{} points at {start}..{end} of\n{text}", said.headline);
        }
        for fix in &said.fixes {
            assert!(fix.apply(FileId(0), text).is_some(), "{}: {}", said.headline, fix.title);
        }
        assert!(!said.headline.contains(['\n', '\r']), "{}", said.headline);
    }
    let Some(file) = db.file(FileId(0)) else { return };
    let refuses = decoded(&db, file).objects.iter().any(|object| object.role == Role::Rejected);
    let has_error = found.iter().any(|said| said.severity == Severity::Error);
    assert!(has_error || !refuses, "an object is refused without a word: {:#?}\n{text}", lines(&found));
}

#[test]
fn a_text_that_breaks_off_anywhere_is_answered() {
    for text in manifests() {
        for at in (0..text.len()).step_by(5).filter(|at| text.is_char_boundary(*at)) {
            check(&text[..at]);
        }
    }
}

#[test]
fn a_text_that_lost_any_line_is_answered() {
    for text in manifests() {
        let all: Vec<&str> = text.lines().collect();
        for lost in 0..all.len() {
            let kept = all.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| format!("{line}\n"));
            check(&kept.collect::<String>());
        }
    }
}

#[test]
fn a_text_with_any_word_replaced_is_answered() {
    for text in manifests() {
        for (from, to) in
            [(": ", ": é\u{7f}"), ("{", "[{"), ("\"", "'"), ("kind", "\u{feff}kind"), ("\n", "\r\n"), ("1", "{{ x }}")]
        {
            check(&text.replace(from, to));
        }
    }
}
