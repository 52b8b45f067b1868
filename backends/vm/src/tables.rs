//! Decides as an image's plan says, from its tables and without its programs: what a program should answer, and what replay uses.

use image::codec::get_u16;
use image::{CellPlan, DirectionPlan, Fill, Image, KeyPlan, LeafPlan, layout};

/// What the plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// One of `image::layout::LEAF_*`.
    pub byte: u8,
    /// `column * classes + class`; `None` when the direction has no cells.
    pub index: Option<u32>,
}

/// The leaf of a peer and an L4 key (`protocol << 16 | port`).
///
/// `classes` is the class of each peer number; a peer beyond its end has class 0. Errors: a plan that points outside its table, or a
/// class beyond the plan's, denies without an index, as a zeroed table would.
pub fn decide(image: &Image, plan: &DirectionPlan, classes: &[u16], peer: u32, key: u32) -> Leaf {
    match plan {
        DirectionPlan::Constant(byte) => Leaf { byte: *byte, index: None },
        DirectionPlan::Cells(plan) => {
            let class = classes.get(peer as usize).copied().unwrap_or(0);
            from_cells(image, plan, class, key).unwrap_or(Leaf { byte: layout::LEAF_DENY, index: None })
        }
    }
}

/// The column of an L4 key. Errors: `None` when the plan points outside its table, or has no cut for the key.
pub fn column(image: &Image, plan: &CellPlan, key: u32) -> Option<u32> {
    let plan = match &plan.key {
        KeyPlan::One => return Some(0),
        KeyPlan::Sum(cuts) | KeyPlan::Tree(cuts) => {
            let at = cuts.partition_point(|(start, _)| *start <= key);
            return Some(cuts.get(at.checked_sub(1)?)?.1);
        }
        KeyPlan::Pages(plan) => plan,
    };
    let table = fixed(image, plan.table)?;
    let word = |at: u32| {
        table.get(at as usize..)?.get(..2)?;
        Some(u32::from(get_u16(&image.target, table, at)))
    };
    let slot = u32::from(*table.get(plan.protocols.checked_add(key >> 16 & 255)? as usize)?);
    let page = word(plan.pages.checked_add(2 * (slot * 256 + (key >> 8 & 255)))?)?;
    word(plan.columns.checked_add(2 * (page * 256 + (key & 255)))?)
}

fn from_cells(image: &Image, plan: &CellPlan, class: u16, key: u32) -> Option<Leaf> {
    let class = u32::from(class);
    if class >= plan.class_count {
        return None;
    }
    let index = column(image, plan, key)?.checked_mul(plan.class_count)?.checked_add(class)?;
    let byte = match &plan.leaf {
        LeafPlan::Word { bits, word } => {
            let shifted = word.checked_shr(index.checked_mul(u32::from(*bits))?)?;
            (shifted & (1u64.checked_shl(u32::from(*bits))? - 1)) as u8
        }
        LeafPlan::Matrix { table, offset } => *fixed(image, *table)?.get(offset.checked_add(index)? as usize)?,
        LeafPlan::Ends(leaves) => *leaves.get(index as usize)?,
    };
    Some(Leaf { byte, index: Some(index) })
}

fn fixed(image: &Image, table: u16) -> Option<&[u8]> {
    match &image.tables.get(usize::from(table))?.fill {
        Fill::Fixed(bytes) => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codec::put_u16;
    use image::{Notes, PagePlan, Plan, Table, Target};

    /// Two classes, three columns: 0 everything, 1 tcp/80, 2 the rest of TCP.
    fn image(little_endian: bool) -> Image {
        let target = Target { little_endian, ..Target::default() };
        let (pages, columns, leaves) = (256, 256 + 2 * 512, 256 + 2 * 512 + 2 * 768);
        let mut table = vec![0; leaves];
        table[6] = 1; // TCP has slot 1
        let mut put = |at: usize, value: u16| table[at..at + 2].copy_from_slice(&put_u16(&target, value));
        for high in 0..256 {
            put(pages + 2 * (256 + high), if high == 0 { 2 } else { 1 });
        }
        for low in 0..256 {
            put(columns + 2 * (256 + low), 2);
            put(columns + 2 * (512 + low), if low == 80 { 1 } else { 2 });
        }
        table.extend([0, 0, 0, 1, 0, 2]);
        let plan = CellPlan {
            class_table: Some(1),
            counter_table: None,
            class_count: 2,
            column_count: 3,
            key: KeyPlan::Pages(PagePlan {
                table: 0,
                protocols: 0,
                pages: pages as u32,
                columns: columns as u32,
                end: leaves as u32,
            }),
            leaf: LeafPlan::Matrix { table: 0, offset: leaves as u32 },
            signatures: vec![vec![], vec![0]],
        };
        Image {
            target,
            programs: vec![],
            tables: vec![
                Table { name: "leaves".into(), fill: Fill::Fixed(table) },
                Table { name: "classes".into(), fill: Fill::Classes(0) },
            ],
            plan: Plan { ingress: DirectionPlan::Cells(plan), egress: DirectionPlan::Constant(1) },
            notes: Notes::default(),
        }
    }

    #[test]
    fn tables_answer_by_class_and_column_in_both_byte_orders() {
        for little_endian in [true, false] {
            let image = image(little_endian);
            let ask = |peer, key| decide(&image, &image.plan.ingress, &[0, 1], peer, key);
            assert_eq!(ask(1, 6 << 16 | 80), Leaf { byte: 1, index: Some(3) });
            assert_eq!(ask(0, 6 << 16 | 80), Leaf { byte: 0, index: Some(2) });
            assert_eq!(ask(9, 6 << 16 | 80), Leaf { byte: 0, index: Some(2) });
            assert_eq!(ask(1, 6 << 16 | 336), Leaf { byte: 2, index: Some(5) });
            assert_eq!(ask(1, 17 << 16 | 80), Leaf { byte: 0, index: Some(1) });
            assert_eq!(decide(&image, &image.plan.egress, &[], 1, 0), Leaf { byte: 1, index: None });
        }
    }

    #[test]
    fn what_lies_outside_the_tables_denies() {
        let mut image = image(true);
        let DirectionPlan::Cells(plan) = &mut image.plan.ingress else { unreachable!("built with tables") };
        let LeafPlan::Matrix { offset, .. } = &mut plan.leaf else { unreachable!("built with a matrix") };
        *offset += 100;
        let deny = Leaf { byte: 0, index: None };
        assert_eq!(decide(&image, &image.plan.ingress, &[0, 1], 1, 6 << 16 | 80), deny);
        assert_eq!(decide(&image, &image.plan.ingress, &[0, 7], 1, 6 << 16 | 80), deny);
    }

    #[test]
    fn every_shape_of_a_plan_answers_alike() {
        let mut image = image(true);
        let cuts = vec![(0, 0), (6 << 16, 2), (6 << 16 | 80, 1), (6 << 16 | 81, 2), (7 << 16, 0)];
        let keys = [KeyPlan::Sum(cuts.clone()), KeyPlan::Tree(cuts)];
        let leaves =
            [LeafPlan::Word { bits: 2, word: 1 << 6 | 2 << 10 }, LeafPlan::Matrix { table: 0, offset: 256 + 2560 }];
        let pages = image.plan.ingress.clone();
        for (key, leaf) in keys.iter().flat_map(|key| leaves.iter().map(move |leaf| (key.clone(), leaf.clone()))) {
            let DirectionPlan::Cells(plan) = &mut image.plan.ingress else { unreachable!("built with cells") };
            (plan.key, plan.leaf) = (key, leaf);
            for key in [0, 6 << 16, 6 << 16 | 80, 6 << 16 | 81, 17 << 16 | 80, 0xff_ffff] {
                for peer in 0..3 {
                    let decide = |plan| decide(&image, plan, &[0, 1, 7], peer, key);
                    assert_eq!(decide(&image.plan.ingress), decide(&pages), "{key:#x} {peer} {:?}", image.plan.ingress);
                }
            }
        }
    }
}
