//! JUnit XML: a suite for each file, a case for each finding, one passed case where there is none.

use super::{Finding, Review, told};
use crate::junit::{self, Case, Failure, Suite};
use std::collections::BTreeMap;

/// The suite of what stands in no file.
const NOWHERE: &str = "tidegate";

/// Errors: as the writer of XML says.
pub(super) fn render(review: &Review<'_>) -> Result<String, String> {
    let mut suites: BTreeMap<&str, Vec<&Finding>> = review.files.iter().map(|file| (file.as_str(), vec![])).collect();
    for it in &review.findings {
        suites.entry(it.place.as_ref().map_or(NOWHERE, |place| &place.file)).or_default().push(it);
    }
    let suite = |(file, all): (&str, Vec<&Finding>)| {
        let cases = match all.is_empty() {
            true => vec![Case { name: "nothing to report".into(), failure: None }],
            false => all.into_iter().map(case).collect(),
        };
        match file {
            NOWHERE => Suite { name: file.to_owned(), file: String::new(), cases },
            file => Suite { name: review.root.path(file), file: review.root.path(file), cases },
        }
    };
    junit::render("tidegate check", &suites.into_iter().map(suite).collect::<Vec<_>>())
}

fn case(it: &Finding) -> Case {
    let at = it.place.as_ref().map_or(String::new(), |place| format!(" at {}:{}", place.line, place.column));
    let failure = Failure { kind: it.level.clone(), message: it.message.clone(), text: told(it) };
    Case { name: format!("{} {}{at}", it.code, it.slug), failure: Some(failure) }
}
