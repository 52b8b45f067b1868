//! Which findings are listed: the flags of kubectl that choose objects. Answers follow from all objects all the same.

use clap::Args;
use diag::Diagnostic;
use driver::{Database, text};
use facts::Labels;
use facts::read::At;

/// Which objects findings are listed of.
#[derive(Clone, Debug, Default, Args)]
pub struct Listed {
    /// List findings about objects with these labels only: `key=value`, `key!=value`, `key`, `!key`, with commas between.
    #[arg(short = 'l', long = "selector", value_name = "SELECTOR", value_parser = selector)]
    pub selector: Option<Selector>,
    /// List findings about every namespace, which is the default unless kubectl runs this and `-n` names one.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Taken as kubectl has it: folders are always read with what is below them.
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// The namespace that is listed; kubectl's `-n`.
    #[arg(skip)]
    pub namespace: Option<String>,
}

/// Conditions on labels, all of which must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Is(String, String),
    IsNot(String, String),
    Has(String),
    HasNot(String),
}

/// Reads a selector.
///
/// Errors: for clap, with the part that is none.
pub fn selector(text: &str) -> Result<Selector, String> {
    let owned = |key: &str, value: &str| (key.trim().to_owned(), value.trim().to_owned());
    let condition = |part: &str| {
        let part = part.trim();
        let read = if let Some((key, value)) = part.split_once("!=") {
            let (key, value) = owned(key, value);
            Condition::IsNot(key, value)
        } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            let (key, value) = owned(key, value);
            Condition::Is(key, value)
        } else if let Some(key) = part.strip_prefix('!') {
            Condition::HasNot(key.to_owned())
        } else {
            Condition::Has(part.to_owned())
        };
        let (Condition::Is(key, _) | Condition::IsNot(key, _) | Condition::Has(key) | Condition::HasNot(key)) = &read;
        let fine = !key.is_empty() && !key.contains(['(', ')', ' ', '!', '=']);
        if fine {
            Ok(read)
        } else {
            Err(format!("`{part}` is no condition such as key=value, key!=value, key or !key"))
        }
    };
    text.split(',').map(condition).collect::<Result<_, _>>().map(Selector)
}

impl Selector {
    fn selects(&self, labels: &Labels) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Is(key, value) => labels.get(key) == Some(value),
            Condition::IsNot(key, value) => labels.get(key) != Some(value),
            Condition::Has(key) => labels.contains_key(key),
            Condition::HasNot(key) => !labels.contains_key(key),
        })
    }
}

impl Listed {
    /// Whether a finding is listed. What stands in no object, such as a broken text, always is.
    pub fn lists(&self, db: &Database, finding: &Diagnostic) -> bool {
        let namespace = self.namespace.as_ref().filter(|_| !self.all_namespaces);
        if self.selector.is_none() && namespace.is_none() {
            return true;
        }
        let Some((of, labels)) = object(db, finding) else { return true };
        let here = namespace.is_none_or(|it| of.is_empty() || *it == of);
        here && self.selector.as_ref().is_none_or(|it| it.selects(&labels))
    }
}

/// The namespace and the labels of the object that a finding is about.
fn object(db: &Database, finding: &Diagnostic) -> Option<(String, Labels)> {
    let label = finding.place()?;
    let file = db.file(label.file)?;
    let tree = text::tree(db, file);
    let decoded = text::decoded(db, file);
    decoded.objects.iter().find_map(|object| {
        let node = tree.find(tree.documents().get(object.document)?.root?, &object.at)?;
        let labels = || At::root(&tree, node).get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
        tree.span(node).covers(label.span).then(|| (object.object.namespace.clone(), labels()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_as_kubectl_has_them() {
        let labels: Labels = [("app".to_owned(), "web".to_owned())].into();
        for (text, selects) in
            [("app=web", true), ("app==web,!tier", true), ("app!=web", false), ("app,tier", false), ("tier!=x", true)]
        {
            assert_eq!(selector(text).unwrap().selects(&labels), selects, "{text}");
        }
        for wrong in ["", "app=web,", "app in (a)", "=x"] {
            assert!(selector(wrong).is_err(), "{wrong}");
        }
    }
}
