//! Admission tables: manifests, and what an API server answered to each (`docs/dev/testing.md`).

use kinds::Admission;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

/// One manifest with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name in the table.
    pub id: String,
    /// The kind of the object.
    pub kind: String,
    /// The text as sent.
    pub manifest: String,
    /// What the API server answered.
    pub answer: Admission,
}

/// What came of some lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// By kind.
    pub counts: BTreeMap<String, Counts>,
    /// Every wrong line: its name, what was wanted and what was got.
    pub wrong: Vec<String>,
    /// How many lines are of a kind that is not compared with a schema, by kind.
    pub absent: BTreeMap<String, usize>,
}

/// How many lines there are, and how many are right in each respect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub lines: usize,
    /// Those whose verdict is right.
    pub verdict: usize,
    /// Those whose causes are right.
    pub causes: usize,
    /// Those whose unknown fields are right.
    pub unknown: usize,
}

/// Reads one file: a JSON object a line, perhaps compressed with gzip.
///
/// Errors: the file cannot be read, or a line is none of a table; the text names file and line.
pub fn read(path: &Path) -> Result<Vec<Line>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let bytes = std::fs::read(path).map_err(|why| wrong(&why))?;
    let mut text = String::new();
    match path.extension().is_some_and(|it| it == "gz") {
        true => flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text),
        false => bytes.as_slice().read_to_string(&mut text),
    }
    .map_err(|why| wrong(&why))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| parse(line).map_err(|why| wrong(&format!("line {}: {why}", at + 1)))).collect()
}

/// Reads one line.
///
/// Errors: it is no JSON, or a key is missing.
pub fn parse(line: &str) -> Result<Line, String> {
    let value: Value = serde_json::from_str(line).map_err(|why| why.to_string())?;
    let text = |key: &str| {
        let found = value.get(key).and_then(Value::as_str).map(str::to_owned);
        found.ok_or_else(|| format!("`{key}` is no text"))
    };
    let list = |key: &str| value.get(key).and_then(Value::as_array).ok_or_else(|| format!("`{key}` is no list"));
    let causes = list("causes")?.iter().filter_map(|cause| cause.get("field")?.as_str());
    // Why: this is how a missing field is written by the API server's own words.
    let causes = causes.filter(|field| *field != "<nil>").map(str::to_owned).collect();
    let unknown = list("unknown")?.iter().filter_map(|field| Some(field.as_str()?.to_owned())).collect();
    let answer = Admission { accepted: text("verdict")? == "accepted", causes, unknown };
    Ok(Line { id: text("id")?, kind: text("kind")?, manifest: text("manifest")?, answer })
}

/// What we say of a manifest: of its first object. `None` where it has none of a kind that is compared.
///
/// The client that sent the tables reads scalars as YAML 1.1 has them, to the letter: `08` is text there, being no octal number, while
/// the readers of the API server and of its own client take it for 8. Such a scalar is read as its text here, too.
pub fn answer(manifest: &str) -> Option<Admission> {
    let limits = syntax::Limits::default();
    let mut tree = syntax::parse(manifest, &limits);
    let loose: Vec<_> = tree.nodes().filter(|node| is_loose_number(&tree, *node)).map(|node| tree.span(node)).collect();
    if !loose.is_empty() {
        let mut text = manifest.to_owned();
        for span in loose.iter().rev() {
            let range = span.start as usize..span.end as usize;
            text.replace_range(range.clone(), &format!("'{}'", &manifest[range]));
        }
        tree = syntax::parse(&text, &limits);
    }
    let root = tree.documents().iter().find_map(|document| document.root)?;
    kinds::admission(&tree, root).into_iter().next()?
}

/// Whether a node is a number only to readers that are laxer than YAML 1.1: digits after a zero that are no octal number, or an exponent
/// without a point.
fn is_loose_number(tree: &syntax::Tree, node: syntax::NodeId) -> bool {
    let is_number =
        matches!(tree.value(node), syntax::Value::Int(_) | syntax::Value::UInt(_) | syntax::Value::Float(_));
    if !is_number || tree.style(node) != syntax::ScalarStyle::Plain {
        return false;
    }
    let digits = tree.raw(node).trim_start_matches(['+', '-']);
    let decimal = digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let octal = digits.starts_with('0') && digits.bytes().any(|b| b == b'8' || b == b'9');
    decimal && octal || !digits.contains('.') && !digits.starts_with("0x") && digits.contains(['e', 'E', 'o'])
}

impl Report {
    /// Compares some lines.
    pub fn add(&mut self, lines: &[Line]) {
        for line in lines {
            let Some(ours) = answer(&line.manifest) else {
                *self.absent.entry(line.kind.clone()).or_default() += 1;
                continue;
            };
            let counts = self.counts.entry(line.kind.clone()).or_default();
            counts.lines += 1;
            let right = [
                ours.accepted == line.answer.accepted,
                ours.causes == line.answer.causes,
                ours.unknown == line.answer.unknown,
            ];
            counts.verdict += usize::from(right[0]);
            counts.causes += usize::from(right[1]);
            counts.unknown += usize::from(right[2]);
            if right.contains(&false) {
                self.wrong.push(format!(
                    "{} {}: wanted {}; got {}",
                    line.id,
                    line.kind,
                    words(&line.answer),
                    words(&ours)
                ));
            }
        }
    }

    /// The first `most` wrong lines, then one line for each kind and one for all.
    pub fn lines(&self, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.wrong.iter().take(most).map(|wrong| format!("wrong: {wrong}")).collect();
        if self.wrong.len() > most {
            lines.push(format!("wrong: {} more", self.wrong.len() - most));
        }
        let mut all = Counts::default();
        for (kind, counts) in &self.counts {
            lines.push(format!("{kind}: {}", counts.words()));
            all.lines += counts.lines;
            all.verdict += counts.verdict;
            all.causes += counts.causes;
            all.unknown += counts.unknown;
        }
        lines.extend(self.absent.iter().map(|(kind, count)| format!("{kind}: {count} manifests, not compared")));
        lines.push(format!("all: {}, {} wrong", all.words(), self.wrong.len()));
        lines
    }
}

impl Counts {
    fn words(self) -> String {
        let Counts { lines, verdict, causes, unknown } = self;
        format!("{lines} manifests, verdict right {verdict}, causes right {causes}, unknown fields right {unknown}")
    }
}

fn words(answer: &Admission) -> String {
    let listed = |fields: &BTreeSet<String>| fields.iter().cloned().collect::<Vec<_>>().join(" ");
    let verdict = if answer.accepted { "accepted" } else { "rejected" };
    format!("{verdict} causes [{}] unknown [{}]", listed(&answer.causes), listed(&answer.unknown))
}
