//! The maps that a program uses, as far as a verifier asks.

use crate::form::Form;
use crate::insn::Class;
use crate::kernel::Rules;
use image::{Fill, Image, MapKind, MapRef, MapSpec, Program};

/// One map.
pub(crate) struct Table {
    pub name: String,
    pub spec: MapSpec,
    /// The content, where programs may only read and user space may no longer write: a kernel reads it while it verifies.
    pub content: Option<Vec<u8>>,
}

/// What a wide load gives.
#[derive(Clone, Copy)]
pub(crate) enum Wide {
    /// A map, by its number.
    Map(usize),
    /// A place in its only value.
    Value(usize, u32),
}

/// The maps of a program, and its wide loads that refer to them, by position.
pub(crate) struct Tables {
    pub tables: Vec<Table>,
    references: Vec<(u32, Wide)>,
}

/// The most maps that one program may use.
const MAPS: usize = 64;
/// The greatest value of an array before 6.0: what one allocation of the kernel gives.
const VALUE: u32 = 4 << 20;

impl Tables {
    /// Reads the references of a program.
    ///
    /// Errors: the instruction, and what is wrong with the map that it refers to.
    pub fn of(image: &Image, program: &Program, rules: &Rules) -> Result<Tables, (usize, String)> {
        let mut out = Tables { tables: Vec::new(), references: Vec::new() };
        let mut known: Vec<MapRef> = Vec::new();
        for reloc in &program.relocs {
            let at = reloc.at as usize;
            let number = match known.iter().position(|map| *map == reloc.map) {
                Some(number) => number,
                None => {
                    let table = table(image, reloc.map).ok_or((at, "reference to a table that is not there".into()))?;
                    if table.spec.kind == MapKind::Array && table.spec.value_size > VALUE && !rules.wide_values {
                        let Table { name, spec, .. } = table;
                        let what =
                            format!("map {name} has a value of {} bytes, before 6.0 at most {VALUE}", spec.value_size);
                        return Err((at, what));
                    }
                    known.push(reloc.map);
                    out.tables.push(table);
                    out.tables.len() - 1
                }
            };
            let spec = out.tables[number].spec;
            let wide = match reloc.value_offset {
                None => Wide::Map(number),
                Some(_) if spec.kind != MapKind::Array || spec.max_entries != 1 => {
                    return Err((at, "address of a value in a map that has many".into()));
                }
                Some(offset) if offset >= spec.value_size => {
                    return Err((at, format!("address of byte {offset} of a value that has {}", spec.value_size)));
                }
                Some(offset) => Wide::Value(number, offset),
            };
            out.references.push((reloc.at, wide));
        }
        if out.tables.len() > MAPS {
            return Err((0, format!("{} maps, at most {MAPS}", out.tables.len())));
        }
        Ok(out)
    }

    /// What the wide load at a position refers to; `None` for a plain number.
    pub fn reference(&self, at: usize) -> Option<Wide> {
        self.references.iter().find(|(place, _)| *place as usize == at).map(|(_, wide)| *wide)
    }

    /// Whether every reference stands at a wide load, one at each.
    ///
    /// Errors: the instruction where one does not.
    pub fn check(&self, form: &Form) -> Result<(), (usize, String)> {
        for (place, _) in &self.references {
            let at = *place as usize;
            if !form.at(at).is_some_and(|(_, class)| class == Class::Wide) {
                return Err((at, "reference to a map without a wide load".into()));
            }
            if self.references.iter().filter(|(other, _)| other == place).count() > 1 {
                return Err((at, "wide load that refers to two maps".into()));
            }
        }
        Ok(())
    }
}

fn table(image: &Image, map: MapRef) -> Option<Table> {
    let index = match map {
        MapRef::Node(map) => {
            return Some(Table { name: map.name().into(), spec: map.spec(&image.target), content: None });
        }
        MapRef::Own(index) => index,
    };
    let table = image.tables.get(usize::from(index))?;
    let spec = MapSpec {
        kind: MapKind::Array,
        key_size: 4,
        value_size: table.value_size(1 << image.target.peers_log2.min(30)),
        max_entries: 1,
    };
    let content = match &table.fill {
        Fill::Fixed(bytes) => Some(bytes.clone()),
        Fill::Digest => Some(image.digest().short().to_vec()),
        Fill::Classes(_) | Fill::Counters(_) => None,
    };
    Some(Table { name: table.name.clone(), spec, content })
}
