//! Text to tree: no panic, spans hold, problems and soundness agree, reading again gives the same, and so does reading all of it by the parser.

use super::hold;
use crate::generate::{cluster, policy};
use crate::mutate;
use crate::random::Random;
use crate::style::Writer;
use hir::Dialect;
use source::Span;
use syntax::{Limits, Tree};

pub(super) fn generate(random: &mut Random) -> String {
    match random.below(10) {
        0 => bytes(random),
        1 | 2 => {
            let many = random.below(60);
            (0..many).map(|_| random.pick_copy(mutate::PIECES)).collect()
        }
        3 => hostile(random),
        _ => documents(random),
    }
}

fn bytes(random: &mut Random) -> String {
    let bytes: Vec<u8> = (0..random.below(300)).map(|_| random.below(256) as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Documents in a random style, most of them damaged.
fn documents(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.between(1, 3) {
        let mut value = match random.below(3) {
            0 => cluster::world(random).1.swap_remove(0),
            _ => policy("p", &Dialect::STANDARD, random),
        };
        if random.chance(1, 2) {
            mutate::value(&mut value, random);
        }
        let oddity = random.pick_copy(&[0, 3, 15]);
        text += random.pick_copy(&["---\n", "", "--- # next\n", "...\n---\n"]);
        text += &Writer::new(random, oddity).document(&value);
    }
    if random.chance(3, 4) {
        mutate::text(&mut text, random);
    }
    text
}

/// Text that asks for much: depth, width, repetition.
fn hostile(random: &mut Random) -> String {
    let many = random.pick_copy(&[60, 129, 1000, 20_000]);
    match random.below(9) {
        0 => "[".repeat(many) + &"]".repeat(if random.chance(1, 2) { many } else { 0 }),
        1 => "{a: ".repeat(many),
        2 => "- ".repeat(many),
        3 => (0..many.min(400)).map(|at| format!("{:at$}a:\n", "")).collect(),
        4 => {
            let levels = (1..random.between(2, 12)).map(|at| {
                let before = format!("*a{}, ", at - 1).repeat(9);
                format!("a{at}: &a{at} [{before}1]\n")
            });
            "a0: &a0 [1, 2]\n".to_owned() + &levels.collect::<String>()
        }
        5 => "a: 'x\n".repeat(many),
        6 => "---\n".repeat(many),
        7 => format!("a: {}\n", "\"\\u00e9\\n".repeat(many)),
        _ => "? ".repeat(many) + &"<<: *a\n".repeat(many.min(100)),
    }
}

pub(super) fn check(text: &str) -> Result<(), String> {
    let limits = Limits::default();
    let tree = syntax::parse(text, &limits);
    hold!(tree.text() == text, "text: the tree holds another text");
    nodes(&tree)?;
    documents_and_problems(&tree)?;
    let again = syntax::parse(text, &limits);
    let said = format!("{tree:?}");
    hold!(said == format!("{again:?}"), "again: reading twice differs");
    let careful = syntax::parse_carefully(text, &limits);
    hold!(said == format!("{careful:?}"), "quick: the quick reader and the parser differ");
    Ok(())
}

fn nodes(tree: &Tree) -> Result<(), String> {
    let text = tree.text();
    let fits = |span: Span| text.get(span.start as usize..span.end as usize).is_some();
    for id in tree.nodes() {
        hold!(fits(tree.span(id)), "span: of {id:?}");
        hold!(!tree.value(id).kind().is_empty(), "kind: of {id:?}");
        if let Some(parent) = tree.parent(id) {
            hold!(parent < id && tree.span(parent).covers(tree.span(id)), "parent: of {id:?}");
        }
    }
    for comment in tree.comments() {
        hold!(fits(comment.span) && comment.span.slice(text).starts_with('#'), "comment: {comment:?}");
    }
    Ok(())
}

fn documents_and_problems(tree: &Tree) -> Result<(), String> {
    let fits = |span: Span| tree.text().get(span.start as usize..span.end as usize).is_some();
    for problem in tree.problems() {
        hold!(fits(problem.span) && problem.related.is_none_or(fits), "problem: {problem:?}");
        let document = tree.document_at(problem.span.start);
        hold!(document.is_some_and(|it| !it.sound), "blame: {problem:?}");
    }
    let mut at = 0;
    for document in tree.documents() {
        hold!(fits(document.span) && document.span.start >= at, "document: {document:?}");
        at = document.span.end;
    }
    let unsound = tree.documents().iter().any(|it| !it.sound);
    hold!(unsound != tree.problems().is_empty(), "sound: documents and problems disagree");
    Ok(())
}
