//! The code of each shape: the class of a peer, the column of a key, the leaf of a cell.
//!
//! ```text
//!  R1 class    R2 peer, then key    R3 what is found: column, cell, leaf    R4 between    R5 cell, for its counter
//! ```

use super::choose::Key;
use super::sum::{Sum, Term};
use super::tree::{Node, Tree};
use crate::asm::{Alu, Cond, Label, Reg::*, Size};
use crate::emit::Emit;
use image::layout::record;
use image::{CellPlan, LeafPlan, MapRef, PagePlan};
use std::collections::BTreeMap;

impl Emit<'_> {
    /// R1 = class of the peer R2; class 0 for numbers beyond the table. Nothing at all where there is one class.
    pub(super) fn class(&mut self, plan: &CellPlan, broken: Label) {
        let Some(table) = plan.class_table else { return };
        let classed = self.asm.label();
        self.asm.mov(R1, 0);
        self.asm.jump_if(Cond::Ge, R2, 1 << self.target.peers_log2, classed);
        self.asm.alu(Alu::Shl, R2, 1);
        self.asm.value(R3, MapRef::Own(table), 0);
        self.asm.alu(Alu::Add, R3, R2);
        self.asm.load(Size::Half, R1, R3, 0);
        self.asm.bind(classed);
        if plan.class_count < 1 << 16 {
            self.asm.jump_if(Cond::Ge, R1, plan.class_count as i32, broken);
        }
    }

    /// R3 = cell of the class R1 and the key; or its leaf, and R5 the cell, where a tree knows it.
    pub(super) fn cell(&mut self, plan: &CellPlan, broken: Label) {
        let cells = plan.class_count * plan.column_count;
        // The plan and this are made together.
        match self.key {
            Key::One => {
                self.asm.mov(R3, R1);
                if plan.class_count == 1 << 16 {
                    self.bound(cells, u32::MAX, broken);
                }
            }
            Key::Sum(sum) => {
                self.sum(sum);
                if plan.class_count > 1 {
                    self.asm.alu(Alu::Add, R3, R1);
                }
                self.bound(cells, u32::MAX, broken);
            }
            Key::Tree(tree) => {
                self.tree(tree, plan);
                if plan.class_count > 1 {
                    self.asm.alu(Alu::Add, R3, R1);
                }
            }
            Key::Pages { slots, pages } => {
                if let image::KeyPlan::Pages(plan) = &plan.key {
                    self.pages(plan, (*slots, *pages), broken);
                }
                if plan.class_count > 1 {
                    self.asm.alu(Alu::Mul, R3, plan.class_count as i32);
                    self.asm.alu(Alu::Add, R3, R1);
                }
                self.bound(cells, u32::MAX, broken);
            }
        }
    }

    fn sum(&mut self, sum: &Sum) {
        self.asm.get(Size::Word, R2, self.record(record::L4_KEY));
        self.asm.mov(R3, sum.base);
        for term in &sum.terms {
            // R4 becomes negative exactly for the keys that the term is about, and its sign bit is how often the number is added.
            let delta = match *term {
                Term::Step { at, delta } => {
                    self.asm.mov(R4, at as i32 - 1);
                    self.asm.alu(Alu::Sub, R4, R2);
                    delta
                }
                Term::Block { shift, value, delta } => {
                    self.asm.mov(R4, R2);
                    if shift > 0 {
                        self.asm.alu(Alu::Shr, R4, shift as i32);
                    }
                    self.asm.alu(Alu::Xor, R4, value as i32);
                    self.asm.alu(Alu::Add, R4, -1);
                    delta
                }
            };
            // Why not the sign all over, as a mask: kernels from 6.18 on follow both of its values, each with all that comes behind.
            self.asm.alu(Alu::Shr, R4, 63);
            if delta.abs() != 1 {
                self.asm.alu(Alu::Mul, R4, delta.abs());
            }
            self.asm.alu(if delta < 0 { Alu::Sub } else { Alu::Add }, R3, R4);
        }
    }

    /// R3 = the first cell of the column; with one class the leaf, and R5 the cell.
    fn tree(&mut self, tree: &Tree, plan: &CellPlan) {
        let (found, first) = (self.asm.label(), tree.root.last());
        let mut order: Vec<u32> = tree.root.columns().into_iter().collect();
        // The first end follows the last comparison; the last one needs no jump.
        order.sort_by_key(|column| (*column != first, *column == tree.hottest, *column));
        let ends: BTreeMap<u32, Label> = order.iter().map(|column| (*column, self.asm.label())).collect();
        self.asm.get(Size::Word, R2, self.record(record::L4_KEY));
        self.node(&tree.root, &ends, true);
        for (at, column) in order.iter().enumerate() {
            self.asm.bind(ends[column]);
            match &plan.leaf {
                LeafPlan::Ends(leaves) => {
                    self.asm.mov(R5, *column as i32);
                    self.asm.mov(R3, i32::from(leaves.get(*column as usize).copied().unwrap_or_default()));
                }
                _ => self.asm.mov(R3, (*column * plan.class_count) as i32),
            }
            if at + 1 < order.len() {
                self.asm.jump(found);
            }
        }
        self.asm.bind(found);
    }

    /// The comparisons of R2 below a node. The last node's end follows it.
    fn node(&mut self, node: &Node, ends: &BTreeMap<u32, Label>, last: bool) {
        match node {
            Node::End(_) if last => {}
            Node::End(column) => self.asm.jump(ends[column]),
            Node::Is(key, column, next) => {
                self.asm.jump_if(Cond::Eq, R2, *key as i32, ends[column]);
                self.node(next, ends, last);
            }
            Node::Below(key, below, above) => match (&**below, &**above) {
                (Node::End(column), above) => {
                    self.asm.jump_if(Cond::Lt, R2, *key as i32, ends[column]);
                    self.node(above, ends, last);
                }
                (below, Node::End(column)) => {
                    self.asm.jump_if(Cond::Ge, R2, *key as i32, ends[column]);
                    self.node(below, ends, last);
                }
                (below, above) => {
                    let right = self.asm.label();
                    self.asm.jump_if(Cond::Ge, R2, *key as i32, right);
                    self.node(below, ends, false);
                    self.asm.bind(right);
                    self.node(above, ends, last);
                }
            },
        }
    }

    /// R3 = column of the key.
    fn pages(&mut self, plan: &PagePlan, (slots, pages): (u32, u32), broken: Label) {
        let table = |offset| (MapRef::Own(plan.table), offset);
        self.asm.get(Size::Word, R2, self.record(record::L4_KEY));
        // R3: protocol, then slot, then page, then column.
        self.asm.mov(R3, R2);
        self.asm.alu(Alu::Shr, R3, 16);
        self.asm.alu(Alu::And, R3, 255);
        self.element(Size::Byte, table(plan.protocols));
        self.bound(slots, 256, broken);
        self.asm.alu(Alu::Shl, R3, 8);
        self.asm.mov(R4, R2);
        self.asm.alu(Alu::Shr, R4, 8);
        self.asm.alu(Alu::And, R4, 255);
        self.asm.alu(Alu::Add, R3, R4);
        self.element(Size::Half, table(plan.pages));
        self.bound(pages, 1 << 16, broken);
        self.asm.alu(Alu::Shl, R3, 8);
        self.asm.alu(Alu::And, R2, 255);
        self.asm.alu(Alu::Add, R3, R2);
        self.element(Size::Half, table(plan.columns));
    }

    /// R3 = leaf of the cell R3, which R5 keeps.
    pub(super) fn leaf(&mut self, plan: &LeafPlan) {
        match plan {
            LeafPlan::Ends(_) => {}
            LeafPlan::Matrix { table, offset } => {
                self.asm.mov(R5, R3);
                self.element(Size::Byte, (MapRef::Own(*table), *offset));
            }
            LeafPlan::Word { bits, word } => {
                self.asm.mov(R5, R3);
                let mut by = R5;
                if *bits > 1 {
                    self.asm.mov(R4, R3);
                    self.asm.alu(Alu::Shl, R4, 1);
                    by = R4;
                }
                self.asm.constant(R3, *word);
                self.asm.alu(Alu::Shr, R3, by);
                self.asm.alu(Alu::And, R3, (1 << bits) - 1);
            }
        }
    }

    /// R3 = element R3 of an array in a table. Clobbers R4.
    fn element(&mut self, size: Size, (map, offset): (MapRef, u32)) {
        if size == Size::Half {
            self.asm.alu(Alu::Shl, R3, 1);
        }
        self.asm.value(R4, map, offset);
        self.asm.alu(Alu::Add, R4, R3);
        self.asm.load(size, R3, R4, 0);
    }

    /// Leaves when R3 is not below `limit`; nothing where its width says so already.
    fn bound(&mut self, limit: u32, width: u32, broken: Label) {
        if limit < width {
            self.asm.jump_if(Cond::Ge, R3, limit as i32, broken);
        }
    }
}
