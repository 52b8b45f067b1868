//! YAML that is to be written: copied from a tree together with its comments, or made anew.

use source::Span;
use syntax::{NodeId, ScalarStyle, Tree, Value};

/// A value that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    what: What,
    /// Whether it is written between brackets, on one line.
    flow: bool,
    /// Comments on lines of their own above it.
    above: Vec<String>,
    /// The comment behind its first line.
    behind: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// As it is written.
    Scalar(String),
    Mapping(Vec<(String, Draft)>),
    List(Vec<Draft>),
}

/// How lists below keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dashes {
    /// Below the key.
    Flush,
    /// Further in.
    Indented,
}

impl Draft {
    fn of(what: What, flow: bool) -> Draft {
        Draft { what, flow, above: Vec::new(), behind: None }
    }

    /// A text, in quotes where YAML would take it for something else.
    pub fn text(text: &str) -> Draft {
        Draft::of(What::Scalar(if crate::complete::is_plain(text) { text.to_owned() } else { quoted(text) }), false)
    }

    /// A text in quotes, whatever it is.
    pub fn quoted(text: &str) -> Draft {
        Draft::of(What::Scalar(quoted(text)), false)
    }

    /// What is no text: a number.
    pub fn number(number: i64) -> Draft {
        Draft::of(What::Scalar(number.to_string()), false)
    }

    /// A mapping in this order.
    pub fn mapping(entries: Vec<(String, Draft)>, flow: bool) -> Draft {
        Draft::of(What::Mapping(entries), flow)
    }

    /// A list.
    pub fn list(items: Vec<Draft>, flow: bool) -> Draft {
        Draft::of(What::List(items), flow)
    }

    /// What a node says, with the comments of its lines: aliases and merges are written out.
    pub fn copy(tree: &Tree, node: NodeId, comments: &mut Comments<'_>) -> Draft {
        let flow = tree.style(tree.target(node)) == ScalarStyle::Flow;
        match tree.value(node) {
            Value::Mapping(entries) => {
                let entry = |it: &syntax::Entry, comments: &mut Comments<'_>| {
                    let head = comments.take(tree.span(it.key).start);
                    (tree.key(it.key).into_owned(), Draft::copy(tree, it.value, comments).headed(head))
                };
                let entries = entries.to_vec();
                Draft::mapping(entries.iter().map(|it| entry(it, comments)).collect(), flow)
            }
            Value::Sequence(items) => {
                let items = items.to_vec();
                Draft::list(items.iter().map(|it| Draft::copy_item(tree, *it, comments)).collect(), flow)
            }
            Value::Str(text) => match tree.style(node) {
                ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if !tree.raw(node).contains('\n') => {
                    Draft::of(What::Scalar(tree.raw(node).to_owned()), false)
                }
                _ => Draft::text(text),
            },
            Value::Null => Draft::of(What::Scalar("null".into()), false),
            _ => Draft::of(What::Scalar(tree.raw(tree.target(node)).to_owned()), false),
        }
    }

    /// A member of a list, with the comments of its line.
    pub fn copy_item(tree: &Tree, item: NodeId, comments: &mut Comments<'_>) -> Draft {
        let head = comments.take(tree.span(item).start);
        Draft::copy(tree, item, comments).headed(head)
    }

    /// The same with the comments of a line, of which those above come before its own.
    pub fn headed(mut self, (above, behind): Head) -> Draft {
        self.above.splice(0..0, above);
        self.behind = behind.or(self.behind);
        self
    }

    /// The same without comments, its own and those of all that is in it.
    pub fn without_comments(mut self) -> Draft {
        (self.above, self.behind) = (Vec::new(), None);
        self.what = match self.what {
            What::Scalar(text) => What::Scalar(text),
            What::Mapping(entries) => {
                What::Mapping(entries.into_iter().map(|(key, it)| (key, it.without_comments())).collect())
            }
            What::List(items) => What::List(items.into_iter().map(Draft::without_comments).collect()),
        };
        self
    }

    /// The same without its own comments.
    pub fn without_head(self) -> Draft {
        Draft { above: Vec::new(), behind: None, ..self }
    }

    /// Its members, where it is a list.
    pub fn items(&self) -> &[Draft] {
        if let What::List(items) = &self.what { items } else { &[] }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Draft> {
        let What::Mapping(entries) = &self.what else { return None };
        entries.iter().find(|(it, _)| it == key).map(|(_, value)| value)
    }

    /// The same with another value of a key, where it has the key.
    pub fn with(mut self, key: &str, change: impl FnOnce(Draft) -> Draft) -> Draft {
        if let What::Mapping(entries) = &mut self.what
            && let Some((_, value)) = entries.iter_mut().find(|(it, _)| it == key)
        {
            *value = change(value.clone());
        }
        self
    }

    /// The same below its own comments of another, the one behind that one among them.
    pub fn below(self, other: &Draft) -> Draft {
        let head = other.above.iter().chain(&other.behind).cloned().collect();
        self.headed((head, None))
    }

    /// The same list with other members.
    pub fn holding(self, items: Vec<Draft>) -> Draft {
        Draft { what: What::List(items), ..self }
    }

    /// Its lines as the value of a key or a member of a list, without indentation of their own; those above it are not among them.
    pub fn lines(&self, dashes: Dashes) -> Vec<String> {
        match &self.what {
            What::Mapping(entries) if !self.flow && !entries.is_empty() => {
                entries.iter().flat_map(|(key, value)| value.lines_below(key, dashes)).collect()
            }
            What::List(items) if !self.flow && !items.is_empty() => {
                items.iter().flat_map(|it| it.lines_behind_dash(dashes)).collect()
            }
            _ => vec![self.on_one_line()],
        }
    }

    fn is_block(&self) -> bool {
        let is_empty = match &self.what {
            What::Scalar(_) => true,
            What::Mapping(entries) => entries.is_empty(),
            What::List(items) => items.is_empty(),
        };
        !self.flow && !is_empty
    }

    fn lines_below(&self, key: &str, dashes: Dashes) -> Vec<String> {
        let mut lines = self.above.clone();
        let first = lines.len();
        let key = Draft::text(key).on_one_line();
        if self.is_block() {
            let is_flush = matches!(self.what, What::List(_)) && dashes == Dashes::Flush;
            let indent = if is_flush { "" } else { "  " };
            lines.push(format!("{key}:"));
            lines.extend(self.lines(dashes).into_iter().map(|line| format!("{indent}{line}")));
        } else {
            lines.push(format!("{key}: {}", self.on_one_line()));
        }
        self.end_line(&mut lines, first);
        lines
    }

    /// Its lines as a member of a list by lines, with what stands above it.
    pub fn lines_behind_dash(&self, dashes: Dashes) -> Vec<String> {
        let mut lines = self.above.clone();
        let inner = self.lines(dashes);
        // What stands above its first key stands above it.
        let hoisted = inner.iter().take_while(|line| line.starts_with('#')).count();
        lines.extend(inner[..hoisted].iter().cloned());
        let first = lines.len();
        let shown = inner[hoisted..].iter().enumerate();
        lines.extend(shown.map(|(at, line)| format!("{}{line}", if at == 0 { "- " } else { "  " })));
        self.end_line(&mut lines, first);
        lines
    }

    /// Writes the comment behind its first line; above it, where another stands there.
    fn end_line(&self, lines: &mut Vec<String>, first: usize) {
        let Some(comment) = &self.behind else { return };
        match lines.get_mut(first) {
            Some(line) if !line.contains(" #") => *line = format!("{line} {comment}"),
            _ => lines.insert(first, comment.clone()),
        }
    }

    /// It between brackets, without comments.
    pub fn on_one_line(&self) -> String {
        match &self.what {
            What::Scalar(text) => text.clone(),
            What::Mapping(entries) => {
                let entry = |(key, value): &(String, Draft)| {
                    format!("{}: {}", Draft::text(key).on_one_line(), value.on_one_line())
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            What::List(items) => format!("[{}]", items.iter().map(Draft::on_one_line).collect::<Vec<_>>().join(", ")),
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The comments of a line: those above it, and the one behind.
pub(crate) type Head = (Vec<String>, Option<String>);

/// The comments of some bytes of a text, each to be written once.
pub(crate) struct Comments<'t> {
    text: &'t str,
    left: Vec<Span>,
}

impl<'t> Comments<'t> {
    /// Those that lie within some bytes.
    pub fn of(tree: &'t Tree, span: Span) -> Comments<'t> {
        let left = tree.comments().iter().map(|it| it.span).filter(|it| span.covers(*it)).collect();
        Comments { text: tree.text(), left }
    }

    /// Takes those on lines of their own directly above the line of an offset, and the one behind on that line.
    pub fn take(&mut self, offset: u32) -> Head {
        let mut line = self.line(offset);
        let behind = self.left.iter().position(|it| it.start >= offset && self.line(it.start) == line);
        let behind = behind.map(|at| self.left.remove(at).slice(self.text).trim_end().to_owned());
        let mut above = Vec::new();
        while let Some(before) = line.checked_sub(1).map(|end| self.line(end)) {
            let alone = |it: &Span| {
                self.line(it.start) == before && self.text[before as usize..it.start as usize].trim().is_empty()
            };
            let Some(at) = self.left.iter().position(alone) else { break };
            above.push(self.left.remove(at).slice(self.text).trim_end().to_owned());
            line = before;
        }
        above.reverse();
        (above, behind)
    }

    /// Where the line of an offset begins.
    fn line(&self, offset: u32) -> u32 {
        self.text[..offset as usize].rfind('\n').map_or(0, |at| at as u32 + 1)
    }
}

/// How an object writes lists: as its first one below a key, by lines, does.
pub(crate) fn dashes(tree: &Tree, node: NodeId) -> Dashes {
    let column = |node: NodeId| {
        let start = tree.span(node).start as usize;
        start - tree.text()[..start].rfind('\n').map_or(0, |at| at + 1)
    };
    let mut waiting = vec![node];
    while let Some(node) = waiting.pop() {
        for entry in tree.entries(node) {
            if tree.style(entry.value) == ScalarStyle::Block && !tree.items(entry.value).is_empty() {
                return if column(entry.value) > column(entry.key) { Dashes::Indented } else { Dashes::Flush };
            }
        }
        waiting.extend(tree.entries(node).iter().map(|it| it.value).chain(tree.items(node).iter().copied()));
    }
    Dashes::Flush
}

/// Lines that are written in place of some bytes, below the comments of these that they lost.
pub(crate) fn with_lost(tree: &Tree, span: Span, lines: Vec<String>) -> Vec<String> {
    let comments =
        tree.comments().iter().filter(|it| span.covers(it.span)).map(|it| it.span.slice(tree.text()).trim_end());
    let has = |comment: &str| {
        let before = |line: &String| line.strip_suffix(comment).is_some_and(|it| it.is_empty() || it.ends_with(' '));
        lines.iter().any(before)
    };
    let lost: Vec<String> = comments.filter(|it| !has(it)).map(str::to_owned).collect();
    [lost, lines].concat()
}

/// Some bytes, to the end of the last line of what stands there.
pub(crate) fn through_line(text: &str, span: Span) -> Span {
    let start = span.start as usize;
    let kept = start + text[start..span.end.max(span.start) as usize].trim_end().len();
    let line = text[kept..].find('\n').unwrap_or(text.len() - kept);
    Span::new(span.start, (kept + text[kept..kept + line].trim_end().len()) as u32)
}

/// The line break that a text uses.
pub(crate) fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let tree = syntax::parse(text, &syntax::Limits::default());
        let root = tree.documents()[0].root.expect("the text has a value");
        let mut comments = Comments::of(&tree, Span::new(0, text.len() as u32));
        let copied = Draft::copy(&tree, root, &mut comments).lines(dashes(&tree, root)).join("\n");
        assert_eq!((copied + "\n", comments.left), (text.to_owned(), Vec::new()));
    }

    #[test]
    fn what_is_copied_is_as_it_was() {
        check("# of a\na: 1 # one\nb: # two\n- x: {y: [1, \"2\"]}\n  # of z\n  z: '3'\n# of the next\n- w: \"yes\"\n");
        check("a:\n  - b:\n      - c\n  - d: {}\n");
    }

    #[test]
    fn texts_are_quoted_where_yaml_would_take_them_for_something_else() {
        for (text, written) in [("web", "web"), ("80", "\"80\""), ("yes", "\"yes\""), ("a\"b\n", "\"a\\\"b\\u000a\"")] {
            assert_eq!(Draft::text(text).on_one_line(), written);
        }
        assert_eq!(Draft::text("k8s:app").on_one_line(), "k8s:app");
    }
}
