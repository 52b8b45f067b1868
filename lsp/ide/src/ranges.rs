//! What can be folded, and what a selection grows to.

use driver::{Database, SourceFile, text};
use source::Span;
use syntax::{NodeId, ScalarStyle, Tree, Value};

use crate::{At, cursor};

/// Something that can be folded: from the end of its first line to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fold {
    /// Its bytes.
    pub span: Span,
    /// Whether it is comments.
    pub is_comment: bool,
}

/// Every value, document and block of comments that reaches over several lines, in order.
pub fn folds(db: &Database, file: SourceFile) -> Vec<Fold> {
    let tree = text::tree(db, file);
    let mut found = Vec::new();
    for document in tree.documents() {
        let Some(root) = document.root else { continue };
        add(&tree, tree.span(root), &mut found);
        below(&tree, root, &mut found);
    }
    comments(&tree, &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn below(tree: &Tree, root: NodeId, found: &mut Vec<Fold>) {
    let mut left = vec![root];
    while let Some(node) = left.pop() {
        for entry in tree.entries(node).iter().filter(|it| tree.parent(it.value) == Some(node)) {
            let is_large = matches!(tree.value(entry.value), Value::Mapping(_) | Value::Sequence(_))
                || matches!(tree.style(entry.value), ScalarStyle::Literal | ScalarStyle::Folded);
            if is_large {
                add(tree, tree.span(entry.key).join(tree.span(entry.value)), found);
            }
            left.push(entry.value);
        }
        for item in tree.items(node).iter().filter(|it| tree.parent(**it) == Some(node)) {
            add(tree, tree.span(*item), found);
            left.push(*item);
        }
    }
}

fn add(tree: &Tree, span: Span, found: &mut Vec<Fold>) {
    if span.slice(tree.text()).trim_end().contains('\n') {
        found.push(Fold { span, is_comment: false });
    }
}

/// Comments on lines of their own that follow each other.
fn comments(tree: &Tree, found: &mut Vec<Fold>) {
    let mut block: Option<Span> = None;
    for comment in tree.comments() {
        let joined = block.filter(|block| {
            let between = Span::new(block.end, comment.span.start).slice(tree.text());
            between.trim().is_empty() && between.matches('\n').count() == 1
        });
        match joined {
            Some(above) => block = Some(above.join(comment.span)),
            None => {
                found.extend(block.filter(|it| it.slice(tree.text()).contains('\n')).map(comment_fold));
                block = Some(comment.span);
            }
        }
    }
    found.extend(block.filter(|it| it.slice(tree.text()).contains('\n')).map(comment_fold));
}

fn comment_fold(span: Span) -> Fold {
    Fold { span, is_comment: true }
}

/// What a selection at a place grows to, innermost first: word, entry, mapping, and so on, then the document and the file.
pub fn selections(db: &Database, at: At) -> Vec<Span> {
    let tree = text::tree(db, at.file);
    let offset = cursor::floor(tree.text(), at.offset) as u32;
    let touches = |span: Span| span.start <= offset && offset <= span.end;
    let mut found = vec![Span::new(0, tree.text().len() as u32)];
    let mut add = |span: Span| {
        if found.last().is_some_and(|last| *last != span && last.covers(span)) {
            found.push(span);
        }
    };
    let document = tree.documents().iter().rfind(|it| touches(it.span));
    let mut next = document.and_then(|it| it.root).filter(|root| touches(tree.span(*root)));
    document.into_iter().for_each(|it| add(it.span));
    while let Some(node) = next {
        add(tree.span(node));
        next = None;
        for entry in tree.entries(node).iter().filter(|it| tree.parent(it.value) == Some(node)) {
            let (key, value) = (tree.span(entry.key), tree.span(entry.value));
            if touches(key.join(value)) {
                add(key.join(value));
                if touches(key) {
                    add(key);
                } else if touches(value) {
                    next = Some(entry.value);
                }
                break;
            }
        }
        let item = tree.items(node).iter().rfind(|it| touches(tree.span(**it)) && tree.parent(**it) == Some(node));
        next = next.or(item.copied());
    }
    found.reverse();
    found
}
