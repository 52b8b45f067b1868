//! A tree in plain text.

use crate::tree::{Step, Tree};
use crate::{Decision, plain};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The classes of a decision and its tree, each leaf with its verdict and everything that makes it so.
///
/// Shape: a part that is used twice is drawn once, marked `#7`, and called `as #7` where it is used again.
pub fn tree(decision: &Decision<'_>) -> String {
    let mut out = format!("{}\n", plain(decision.title));
    let tree = match Tree::of(decision) {
        Ok(tree) => tree,
        Err(problem) => return out + &format!("  {problem}\n"),
    };
    for (class, members) in decision.members().iter().enumerate() {
        let _ = writeln!(out, "  class {class}: {members}");
    }
    let leaves = tree.steps().filter(|step| matches!(step, Step::Leaf(_))).count();
    let _ = writeln!(out, "  {leaves} different ends, {} comparisons at most", tree.depth());
    let mut drawing = Drawing { decision, tree: &tree, shared: shared(&tree), drawn: BTreeSet::new(), out };
    drawing.node(0, "  ", "  ");
    drawing.out
}

/// Comparisons that more than one arrow goes to.
fn shared(tree: &Tree) -> BTreeSet<usize> {
    let mut arrows = vec![0; tree.steps().count()];
    for number in 0..arrows.len() {
        if let Some((yes, no)) = tree.next(number) {
            arrows[yes] += 1;
            arrows[no] += 1;
        }
    }
    (0..arrows.len()).filter(|number| arrows[*number] > 1 && tree.next(*number).is_some()).collect()
}

struct Drawing<'a> {
    decision: &'a Decision<'a>,
    tree: &'a Tree,
    shared: BTreeSet<usize>,
    drawn: BTreeSet<usize>,
    out: String,
}

impl Drawing<'_> {
    /// Draws a node: `first` stands before its first line, `rest` before the others.
    fn node(&mut self, number: usize, first: &str, rest: &str) {
        let mark = if self.shared.contains(&number) { format!("#{number} ") } else { String::new() };
        if !mark.is_empty() && !self.drawn.insert(number) {
            self.line(format_args!("{first}as #{number}"));
            return;
        }
        // Cannot miss: numbers come from the tree's own arrows.
        let Some(step) = self.tree.steps().nth(number) else { return };
        match step {
            Step::Class(cut) => self.line(format_args!("{first}{mark}class < {}?", cut.0)),
            Step::Key(cut) => self.line(format_args!("{first}{mark}key < {cut}?")),
            Step::Leaf(leaf) => {
                let origins = self.decision.causes(leaf);
                let verdict = leaf.verdict.to_string();
                match origins.split_first() {
                    None => self.line(format_args!("{first}{verdict}  no policy isolates it")),
                    Some((one, others)) => {
                        self.line(format_args!("{first}{verdict}  by {one}"));
                        let blank = " ".repeat(verdict.len());
                        for other in others {
                            self.line(format_args!("{rest}{blank}  and {other}"));
                        }
                    }
                }
            }
        }
        if let Some((yes, no)) = self.tree.next(number) {
            self.node(yes, &format!("{rest}├─ yes  "), &format!("{rest}│       "));
            self.node(no, &format!("{rest}└─ no   "), &format!("{rest}        "));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.out, "{line}");
    }
}
