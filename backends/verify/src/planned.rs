//! What a plan says by itself: user space decides by it, without the programs, so it has to say the same.

use crate::dd::{Dd, KEYS, Op, Store, Term};
use crate::lift::{Subject, element};
use image::{Fill, KeyPlan, LeafPlan, PagePlan};

/// The cell of each class, as functions of the key.
///
/// Shape: one a class of the plan. Errors: in words, what is wrong with a plan that does not name its tables.
pub fn rows(subject: Subject<'_>, store: &mut Store) -> Result<Vec<Dd>, &'static str> {
    let (plan, index) = (subject.plan, u8::from(subject.program.hook.is_egress()));
    let fill = |table: u16| subject.image.tables.get(usize::from(table)).map(|table| &table.fill);
    match plan.class_table {
        None if plan.class_count > 1 => return Err("tells peers apart without a table"),
        Some(table) if fill(table) != Some(&Fill::Classes(index)) => return Err("names another table for classes"),
        _ => {}
    }
    let cells = plan.cells().ok_or("has more cells than there are numbers")?;
    match plan.counter_table {
        Some(table) if fill(table) != Some(&Fill::Counters(cells)) => return Err("names another table for counters"),
        _ => {}
    }
    let column = column(subject, store)?;
    let count = store.constant(u64::from(plan.class_count));
    let first = store.apply(Op::Alu(0x20), column, count);
    let mut rows = Vec::with_capacity(plan.class_count as usize);
    for class in 0..plan.class_count {
        let class = store.constant(class.into());
        let cell = store.apply(Op::Alu(0x00), first, class);
        if store.find(cell, &|cell| !matches!(cell, Term::Value(cell) if cell < u64::from(cells))).is_some() {
            return Err("leads outside of its cells");
        }
        rows.push(cell);
    }
    Ok(rows)
}

/// Whether the leaves of all cells are those of the rules; `specs` are theirs, one a class. Errors: in words, that they are not.
pub fn leaves(subject: Subject<'_>, rows: &[Dd], specs: &[Dd], store: &mut Store) -> Result<(), &'static str> {
    let same = rows.iter().zip(specs).all(|(row, spec)| leaf(subject, *row, store) == Some(*spec));
    if same { Ok(()) } else { Err("gives another leaf than the rules") }
}

fn column(subject: Subject<'_>, store: &mut Store) -> Result<Dd, &'static str> {
    match &subject.plan.key {
        KeyPlan::One => Ok(store.constant(0)),
        KeyPlan::Sum(cuts) | KeyPlan::Tree(cuts) => {
            let ascends = cuts.windows(2).all(|pair| pair[0].0 < pair[1].0);
            let covers = cuts.first().is_some_and(|cut| cut.0 == 0) && cuts.iter().all(|cut| u64::from(cut.0) < KEYS);
            if !ascends || !covers {
                return Err("has cuts that are none");
            }
            Ok(store.pieces(&cuts.iter().map(|(start, column)| (*start, u64::from(*column))).collect::<Vec<_>>()))
        }
        KeyPlan::Pages(plan) => paged(subject, plan, store).ok_or("reads columns outside of its table"),
    }
}

/// Slot, page and column, as the plan says that they are read.
fn paged(subject: Subject<'_>, plan: &PagePlan, store: &mut Store) -> Option<Dd> {
    let bytes = subject.fixed()?;
    let little = subject.image.target.little_endian;
    let (size, one) = (store.constant(8), store.constant(1));
    let read = |base: u32, width: usize, at: Dd, store: &mut Store| {
        let base = u64::from(base);
        store.load(base, width, at, &|of| element(bytes, base + of, width, little))
    };
    let next = |number: Dd, byte: Dd, store: &mut Store| {
        let first = store.apply(Op::Alu(0x60), number, size);
        let at = store.apply(Op::Alu(0x00), first, byte);
        store.apply(Op::Alu(0x60), at, one)
    };
    let [protocol, high, low] = [(16, 255), (8, 255), (0, 255)].map(|(shift, mask)| store.bits(shift, mask));
    let slot = read(plan.protocols, 1, protocol?, store);
    let at = next(slot, high?, store);
    let page = read(plan.pages, 2, at, store);
    let at = next(page, low?, store);
    Some(read(plan.columns, 2, at, store))
}

/// The leaf of a cell; `None` for a plan without.
fn leaf(subject: Subject<'_>, cell: Dd, store: &mut Store) -> Option<Dd> {
    match &subject.plan.leaf {
        LeafPlan::Word { bits, word } => {
            let (bits, word) = (u64::from(*bits), *word);
            let of = |cell: u64| {
                let shift = u32::try_from(cell.checked_mul(bits)?).ok()?;
                Some(word.checked_shr(shift)? & (1u64.checked_shl(bits as u32)? - 1))
            };
            Some(store.map(cell, &|cell| of(cell).map_or(Term::Poison, Term::Value)))
        }
        LeafPlan::Matrix { offset, .. } => {
            let (bytes, little, base) = (subject.fixed()?, subject.image.target.little_endian, u64::from(*offset));
            Some(store.load(base, 1, cell, &|cell| element(bytes, base + cell, 1, little)))
        }
        LeafPlan::Ends(leaves) => {
            let of = |cell: u64| leaves.get(usize::try_from(cell).ok()?).copied();
            Some(store.map(cell, &|cell| of(cell).map_or(Term::Poison, |leaf| Term::Value(leaf.into()))))
        }
    }
}
