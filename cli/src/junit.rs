//! JUnit XML, as CI systems read it: what findings and tests have in common.
//!
//! Of the form we write the part that every reader knows, so that the strictest schema of it, that of the xUnit plugin of Jenkins, takes it.

use crate::visible::visible;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;

/// Cases that belong together.
pub struct Suite {
    /// Its name.
    pub name: String,
    /// The file that they are about; empty when there is none.
    pub file: String,
    /// In the order of the report.
    pub cases: Vec<Case>,
}

/// One thing that holds, or does not.
pub struct Case {
    /// Its name.
    pub name: String,
    /// Why it does not hold.
    pub failure: Option<Failure>,
}

/// Why a case does not hold.
pub struct Failure {
    /// What kind of failure, in one word.
    pub kind: String,
    /// In one line.
    pub message: String,
    /// All of it.
    pub text: String,
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }
}

/// The report of a command.
///
/// Errors: for people; none is known, for what is written to is memory.
pub fn render(name: &str, suites: &[Suite]) -> Result<String, String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    report(&mut writer, name, suites).map_err(|error| format!("cannot write JUnit: {error}"))?;
    let mut text = String::from_utf8(writer.into_inner()).map_err(|error| format!("cannot write JUnit: {error}"))?;
    text.push('\n');
    Ok(text)
}

type Xml = Writer<Vec<u8>>;

fn report(xml: &mut Xml, name: &str, suites: &[Suite]) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let tests = suites.iter().map(|it| it.cases.len()).sum::<usize>().to_string();
    let failures = suites.iter().map(Suite::failures).sum::<usize>().to_string();
    let counts = [("tests", tests.as_str()), ("failures", failures.as_str()), ("errors", "0")];
    let element = xml.create_element("testsuites").with_attribute(("name", name)).with_attributes(counts);
    element.write_inner_content(|xml| suites.iter().try_for_each(|it| suite(xml, it)))?;
    Ok(())
}

fn suite(xml: &mut Xml, it: &Suite) -> io::Result<()> {
    let (name, file) = (legal(&it.name), legal(&it.file));
    let (tests, failures) = (it.cases.len().to_string(), it.failures().to_string());
    let counts = [("tests", tests.as_str()), ("failures", failures.as_str()), ("errors", "0")];
    let mut element = xml.create_element("testsuite").with_attribute(("name", name.as_str())).with_attributes(counts);
    if !file.is_empty() {
        element = element.with_attribute(("file", file.as_str()));
    }
    let class = if file.is_empty() { &name } else { &file };
    element.write_inner_content(|xml| it.cases.iter().try_for_each(|it| case(xml, class, it)))?;
    Ok(())
}

fn case(xml: &mut Xml, class: &str, it: &Case) -> io::Result<()> {
    let name = legal(&it.name);
    let element = xml.create_element("testcase").with_attributes([("name", name.as_str()), ("classname", class)]);
    let Some(failure) = &it.failure else {
        element.write_empty()?;
        return Ok(());
    };
    let (kind, message, text) = (legal(&failure.kind), legal(&failure.message), legal(&failure.text));
    element.write_inner_content(|xml| {
        let element = xml.create_element("failure");
        let element = element.with_attributes([("type", kind.as_str()), ("message", message.as_str())]);
        element.write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// A text whose every character may stand in XML and acts on no terminal.
///
/// Source: XML 1.0, production 2, `Char`.
fn legal(text: &str) -> String {
    let may_stand = |it: char| matches!(it, '\t' | '\n' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        if may_stand(it) {
            out.push(it);
        } else {
            out.extend(it.escape_default());
        }
    }
    visible(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_xml_is_written_out_and_the_rest_comes_back() {
        let text = "a<b>&\"'\u{1b}[31m\u{0}\u{ffff}\r\n é";
        let failure = Failure { kind: "error".into(), message: text.into(), text: text.into() };
        let cases = vec![Case { name: text.into(), failure: Some(failure) }];
        let xml = render("test", &[Suite { name: "suite".into(), file: String::new(), cases }]).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let failure = document.descendants().find(|it| it.has_tag_name("failure")).unwrap();
        let shown = "a<b>&\"'\\u{1b}[31m\\u{0}\\u{ffff}\\r\n é";
        assert_eq!(failure.text(), Some(shown));
        // A reader of XML takes a line end in an attribute for a space.
        assert_eq!(failure.attribute("message").map(|it| it.replace('\n', " ")), Some(shown.replace('\n', " ")));
    }
}
