//! Logging commands of Azure Pipelines: `##vso[task.logissue …]message`.

use super::{Finding, Review, told};

pub(super) fn render(review: &Review<'_>) -> String {
    review.findings.iter().map(|it| command(review, it)).collect()
}

fn command(review: &Review<'_>, it: &Finding) -> String {
    // Issues are errors or warnings; there is no third.
    let level = if it.level == "error" { "error" } else { "warning" };
    let mut out = format!("##vso[task.logissue type={level};");
    if let Some(place) = &it.place {
        let path = property(&review.root.path(&place.file));
        out += &format!("sourcepath={path};linenumber={};columnnumber={};", place.line, place.column);
    }
    out + &format!("code={};]{}\n", it.code, data(&format!("{}: {}", it.slug, told(it))))
}

fn data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(';', "%3B").replace(']', "%5D")
}
