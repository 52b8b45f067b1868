//! Suppressions as they stand in a text.

use diag::Edit;
use driver::text::Object;
use jiff::civil::Date;
use source::Span;
use syntax::{NodeId, ScalarStyle, Value};

use super::{Name, Suppression, Unreadable, Written, block::Blocks};
use crate::place::Text;

/// How annotations that suppress begin.
const ANNOTATION: &str = "tidegate.io/ignore";
/// What a comment begins with, after `#` and spaces.
const COMMENT: &str = "tidegate:";

/// Every suppression of a file.
pub(super) fn read(text: &Text) -> Written {
    let mut written = Written::default();
    let blocks = Blocks::new(text);
    for comment in text.tree.comments() {
        match parse(comment.span.start, comment.span.slice(text.tree.text())) {
            None => {}
            Some(Err(why)) => written.unreadable.push(Unreadable { span: comment.span, why }),
            Some(Ok(said)) => {
                let whole = Span::new(0, u32::MAX);
                let (scope, removal) = (blocks.scope(comment.span), blocks.removal(comment.span));
                let removal = Edit { file: text.id, span: removal, replacement: String::new() };
                written.suppressions.push(Suppression {
                    file: text.id,
                    span: comment.span,
                    names: said.names,
                    reason: said.reason,
                    until: said.until,
                    scope: if said.of_file { whole } else { scope },
                    removal: Some(removal),
                });
            }
        }
    }
    for spot in text.spots() {
        if let Some(root) = spot.root {
            annotations(text, spot.object, root, &mut written);
        }
    }
    written
}

/// Words that a file holds in which anything may be for us: most files hold none of them, and are not read again.
pub(super) const TRACES: [&str; 5] = ["idegate", "IDEGATE", "ignor", "Ignor", "IGNOR"];

/// Whether a word is another by a slip of the finger or in other letters.
fn is_near(written: &str, word: &str) -> bool {
    written.len() <= 2 * word.len() && strsim::osa_distance(&written.to_lowercase(), word) <= 2
}

/// The letters, digits and dashes that a text begins with.
fn leading(text: &str) -> &str {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default()
}

/// What is wrong with a comment that almost begins as ours do; `None` for prose and the comments of others.
fn slip_of_comment(body: &str) -> Option<String> {
    let written = leading(body);
    let after = &body[written.len()..];
    let rest = after.trim_start_matches([':', ' ', '\t']);
    let word = leading(rest);
    let has = |is: fn(&str, &str) -> bool| ["ignore", "ignore-file"].iter().any(|known| is(word, known));
    let is_meant = match rest[word.len()..].starts_with('[') {
        true => has(is_near),
        false => after.starts_with(':') && has(|word, known| word.eq_ignore_ascii_case(known)),
    };
    let begins = &body[..body.len() - rest.len()];
    (is_near(written, "tidegate") && is_meant)
        .then(|| format!("it begins with `{}`, and suppressions begin with `tidegate:`", begins.trim_end()))
}

/// What is wrong with the key of an annotation that almost is one of ours. The domain is ours, so all that begins with it is meant for us.
fn slip_of_annotation(key: &str) -> Option<String> {
    let (domain, name) = key.split_once('/')?;
    let word = name.split('.').next().unwrap_or_default();
    let is_ours = domain == "tidegate.io" || is_near(domain, "tidegate.io") && is_near(word, "ignore");
    is_ours.then(|| format!("`{domain}/{word}` is no annotation that is known here; `{ANNOTATION}.CODE` is"))
}

/// What a comment asks for.
struct Said {
    of_file: bool,
    names: Vec<Name>,
    reason: String,
    until: Option<Date>,
}

/// Reads a comment that begins at a byte; `None` for one that is not for us.
fn parse(start: u32, comment: &str) -> Option<Result<Said, String>> {
    let body = comment.trim_start_matches('#').trim_start();
    let Some(rest) = body.strip_prefix(COMMENT) else { return slip_of_comment(body).map(Err) };
    let at = |part: &str| start + (comment.len() - part.len()) as u32;
    let rest = rest.trim_start();
    let word = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
    let of_file = match word {
        "ignore" => false,
        "ignore-file" => true,
        "" => return Some(Err("a word is missing after `tidegate:`".into())),
        other => return Some(Err(format!("`{other}` is no word that follows `tidegate:`"))),
    };
    let after = &rest[word.len()..];
    let Some(list) = after.strip_prefix('[') else {
        return Some(Err(format!("`{word}` without codes would hide everything")));
    };
    let Some((list, reason)) = list.split_once(']') else {
        return Some(Err("the list of codes has no `]`".into()));
    };
    let mut names = Vec::new();
    let mut place = at(&after[1..]);
    for part in list.split(',') {
        let name = part.trim();
        if !name.is_empty() {
            let from = place + (part.len() - part.trim_start().len()) as u32;
            names.push(named(name, Span::new(from, from + name.len() as u32)));
        }
        place += part.len() as u32 + 1;
    }
    if names.is_empty() {
        return Some(Err(format!("`{word}[]` names no code")));
    }
    Some(dated(reason).map(|(until, reason)| Said { of_file, names, reason, until }))
}

fn named(text: &str, span: Span) -> Name {
    Name { text: text.to_owned(), span, slug: crate::explain(text).map(|page| page.slug) }
}

/// Splits `until=2030-01-31 reason`.
fn dated(text: &str) -> Result<(Option<Date>, String), String> {
    let text = text.trim().trim_start_matches(['-', ':']).trim_start();
    let Some(rest) = text.strip_prefix("until=") else { return Ok((None, text.to_owned())) };
    let (date, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    // Why the length: the library takes other forms of dates too, and one form is enough to read.
    let day: Option<Date> = date.parse().ok().filter(|_| date.len() == "2030-01-31".len());
    match day {
        Some(day) => Ok((Some(day), reason.trim().to_owned())),
        None => Err(format!("`{date}` is no day; write it as `until=2030-01-31`")),
    }
}

/// The annotations of one object that suppress.
fn annotations(text: &Text, object: &Object, root: NodeId, written: &mut Written) {
    let tree = &text.tree;
    let Some(found) = tree.find(root, "metadata.annotations") else { return };
    for entry in tree.entries(found) {
        let key = tree.key(entry.key);
        let span = tree.span(entry.key);
        let rest = key.strip_prefix(ANNOTATION).filter(|rest| rest.is_empty() || rest.starts_with('.'));
        let Some(rest) = rest else {
            written.unreadable.extend(slip_of_annotation(&key).map(|why| Unreadable { span, why }));
            continue;
        };
        let name = match rest.strip_prefix('.') {
            Some(name) if !name.is_empty() => name,
            _ => {
                let why = "an annotation without a code would hide everything".to_owned();
                written.unreadable.push(Unreadable { span, why });
                continue;
            }
        };
        let said = match tree.value(entry.value) {
            Value::Str(value) => dated(value),
            Value::Null => Ok((None, String::new())),
            _ => Err("the value of the annotation is no text".to_owned()),
        };
        match said {
            Err(why) => written.unreadable.push(Unreadable { span, why }),
            Ok((until, reason)) => {
                let (name, scope) = (named(name, name_in(tree.raw(entry.key), name, span)), extent(text, object, root));
                let names = vec![name];
                let (file, removal) = (text.id, None);
                written.suppressions.push(Suppression { file, span, names, reason, until, scope, removal });
            }
        }
    }
}

/// The bytes of a name at the end of a key.
fn name_in(raw: &str, name: &str, span: Span) -> Span {
    match raw.rfind(name) {
        Some(at) => Span::new(span.start + at as u32, span.start + (at + name.len()) as u32),
        None => span,
    }
}

/// All bytes of an object: those of its document, where it is alone in it.
fn extent(text: &Text, object: &Object, root: NodeId) -> Span {
    let tree = &text.tree;
    let document = tree.documents().get(object.document).map(|document| document.span);
    match document.filter(|_| object.at.is_empty()) {
        Some(span) => Span::new(span.start, span.end + 1),
        None => {
            let span = tree.span(root);
            let is_block = tree.style(root) == ScalarStyle::Block;
            Span::new(span.start, span.end + u32::from(is_block))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(comment: &str) -> Result<(bool, Vec<String>, Option<String>, String), String> {
        let said = parse(0, comment).unwrap_or(Err("not for us".into()))?;
        for name in &said.names {
            assert_eq!(name.span.slice(comment), name.text);
        }
        let names = said.names.into_iter().map(|name| name.text).collect();
        Ok((said.of_file, names, said.until.map(|day| day.to_string()), said.reason))
    }

    #[test]
    fn codes_day_and_reason_are_read() {
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            read("# tidegate: ignore[TG0012] a reason"),
            Ok((false, names(&["TG0012"]), None, "a reason".into()))
        );
        assert_eq!(
            read("#tidegate:ignore-file[ TG0012 ,list-slip] until=2030-01-31 why"),
            Ok((true, names(&["TG0012", "list-slip"]), Some("2030-01-31".into()), "why".into()))
        );
        assert_eq!(read("# tidegate: ignore[TG0012]"), Ok((false, names(&["TG0012"]), None, String::new())));
        assert_eq!(read("# tidegate: ignore[TG0012] -- why"), Ok((false, names(&["TG0012"]), None, "why".into())));
    }

    #[test]
    fn what_would_hide_everything_or_cannot_be_read_is_said() {
        for (comment, why) in [
            ("# tidegate: ignore", "hide everything"),
            ("# tidegate: ignore all of it", "hide everything"),
            ("# tidegate: ignore[]", "names no code"),
            ("# tidegate: ignore[TG0012", "no `]`"),
            ("# tidegate: disable[TG0012]", "`disable`"),
            ("# tidegate:", "missing"),
            ("# tidegate: ignore[TG0012] until=soon", "no day"),
            ("# tidegate: ignore[TG0012] until=2030-02-30", "no day"),
            ("# about tidegate: it ignores nothing", "not for us"),
            ("# Tidegate: ignore[TG0012] reason", "`Tidegate:`"),
            ("# TIDEGATE: ignore", "`TIDEGATE:`"),
            ("# tidgate: ignore[TG0012]", "`tidgate:`"),
            ("# tidegate ignore[TG0012]", "`tidegate`"),
            ("# tidegate : ignor[TG0012]", "`tidegate :`"),
            ("# Tidegate: ignores nothing here", "not for us"),
            ("# Tidegate ignores nothing here", "not for us"),
            ("# delegate: ignore[all]", "not for us"),
        ] {
            let said = read(comment).unwrap_err();
            assert!(said.contains(why), "{comment}: {said}");
        }
    }
}
