//! Workflow commands of GitHub Actions: `::error file=…,line=…::message`.

use super::{Finding, Review, told};

pub(super) fn render(review: &Review<'_>) -> String {
    review.findings.iter().map(|it| command(review, it)).collect()
}

fn command(review: &Review<'_>, it: &Finding) -> String {
    let level = match it.level.as_str() {
        "error" => "error",
        "warning" => "warning",
        _ => "notice",
    };
    let mut properties = Vec::new();
    if let Some(place) = &it.place {
        properties.push(("file", review.root.path(&place.file)));
        properties.push(("line", place.line.to_string()));
        properties.push(("col", place.column.to_string()));
        if let Some(end) = it.end {
            properties.push(("endLine", end.line.to_string()));
            // Columns of a command hold only where the whole is on one line.
            properties.extend((end.line == place.line).then(|| ("endColumn", end.column.to_string())));
        }
    }
    properties.push(("title", format!("{} {}", it.code, it.slug)));
    let properties: Vec<String> =
        properties.iter().map(|(name, value)| format!("{name}={}", property(value))).collect();
    format!("::{level} {}::{}\n", properties.join(","), data(&told(it)))
}

/// The text of a message. The runner undoes exactly these three.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which a colon or comma would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("50% a\nb:c,d"), "50%25 a%0Ab:c,d");
        assert_eq!(property("a:b,c%\r\n"), "a%3Ab%2Cc%25%0D%0A");
    }
}
