//! A graph as a page: one file, nothing loaded from elsewhere.

use super::report::GraphReport;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page. Errors: for people; a report that is no JSON.
pub(super) fn page(report: &GraphReport) -> Result<String, String> {
    let data = serde_json::to_string(report).map_err(|error| format!("the report is no JSON: {error}"))?;
    // Why: inside a script element only `<` can end it or begin a comment; in JSON it stands in strings alone.
    let data = data.replace('<', "\\u003c");
    let mut out = String::with_capacity(PAGE.len() + STYLE.len() + SCRIPT.len() + data.len());
    let mut rest = PAGE;
    for (mark, text) in [("/*STYLE*/", STYLE), ("/*DATA*/", data.as_str()), ("/*SCRIPT*/", SCRIPT)] {
        // Cannot miss: the page is part of the program, and a test opens it.
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        out += before;
        out += text.trim_end();
        rest = after;
    }
    Ok(out + rest)
}
