//! The tables that belong to one image.

use crate::map::{Access, Map};
use image::codec::{get_u16, get_u64, put_u16};
use image::{Fill, Image, MapKind, MapSpec, Target};

/// The tables of an image, in its order, as a loader would make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTables {
    target: Target,
    tables: Vec<Map>,
    /// (table, program) of each class table.
    class_tables: Vec<(usize, u8)>,
}

impl OwnTables {
    /// Fixed tables filled, the digest stored, classes and counters zero.
    pub fn new(image: &Image) -> OwnTables {
        let target = image.target.clone();
        let peers = 1u32 << target.peers_log2;
        let make = |table: &image::Table| {
            let (access, content) = match &table.fill {
                Fill::Fixed(bytes) => (Access::ReadOnly, bytes.clone()),
                Fill::Digest => (Access::ReadWrite, image.digest().short().to_vec()),
                Fill::Classes(_) | Fill::Counters(_) => (Access::ReadWrite, Vec::new()),
            };
            let value_size = table.value_size(peers);
            let spec = MapSpec { kind: MapKind::Array, key_size: 4, value_size, max_entries: 1 };
            let mut map = Map::new(spec, access, target.little_endian);
            map.memory_mut().value_mut(0)[..content.len()].copy_from_slice(&content);
            map
        };
        let tables = image.tables.iter().map(make).collect();
        let class_table = |(i, table): (usize, &image::Table)| match table.fill {
            Fill::Classes(program) => Some((i, program)),
            _ => None,
        };
        let class_tables = image.tables.iter().enumerate().filter_map(class_table).collect();
        OwnTables { target, tables, class_tables }
    }

    /// A table, by index.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&Map> {
        self.tables.get(index)
    }

    /// A table, to be written.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Map> {
        self.tables.get_mut(index)
    }

    /// How many tables there are.
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Stores the class of a peer for a program (by its index in the image).
    ///
    /// Errors: `false` when the program has no class table or the peer is beyond its end; such a peer has class 0.
    pub fn set_class(&mut self, program: u8, peer: u32, class: u16) -> bool {
        let Some(&(table, _)) = self.class_tables.iter().find(|&&(_, of)| of == program) else { return false };
        let bytes = put_u16(&self.target, class);
        let place = self.tables[table].memory_mut().get_mut(peer as usize * 2, 2);
        place.map(|place| place.copy_from_slice(&bytes)).is_some()
    }

    /// The class of a peer for a program; 0 when none is stored.
    pub fn class(&self, program: u8, peer: u32) -> u16 {
        let table = self.class_tables.iter().find(|&&(_, of)| of == program);
        let bytes = table.and_then(|&(table, _)| self.tables[table].memory().get(peer as usize * 2, 2));
        bytes.map_or(0, |bytes| get_u16(&self.target, bytes, 0))
    }

    /// The counters of a table, by leaf; empty when there is no such table.
    pub fn counters(&self, table: usize) -> Vec<u64> {
        let bytes = self.tables.get(table).map_or(&[][..], |map| map.memory().value(0));
        bytes.chunks_exact(8).map(|word| get_u64(&self.target, word, 0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DirectionPlan, Notes, Plan, Table};

    #[test]
    fn tables_start_as_the_image_says() {
        let table = |name: &str, fill| Table { name: name.into(), fill };
        let image = Image {
            target: Target { peers_log2: 2, ..Target::default() },
            programs: vec![],
            tables: vec![
                table("fixed", Fill::Fixed(vec![1, 2, 3])),
                table("classes", Fill::Classes(1)),
                table("digest", Fill::Digest),
                table("counters", Fill::Counters(2)),
            ],
            plan: Plan { ingress: DirectionPlan::Constant(1), egress: DirectionPlan::Constant(1) },
            notes: Notes::default(),
        };
        let mut own = OwnTables::new(&image);
        assert_eq!(own.get(0).unwrap().memory().value(0), [1, 2, 3]);
        assert_eq!(own.get(0).unwrap().access(), Access::ReadOnly);
        assert_eq!(own.get(2).unwrap().memory().value(0), image.digest().short());
        assert_eq!(own.counters(3), [0, 0]);
        assert!(own.set_class(1, 3, 77));
        assert_eq!((own.class(1, 3), own.class(1, 2), own.class(0, 3)), (77, 0, 0));
        assert!(!own.set_class(1, 4, 1) && !own.set_class(0, 0, 1));
    }
}
