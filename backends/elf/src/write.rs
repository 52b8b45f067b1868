//! Sections, symbols and relocations.

use crate::btf::{Btf, Line, Type};
use crate::lines;
use crate::places::{Holds, Place, definition, parts};
use crate::{Contents, PROGRAMS, Problem};
use image::{Image, MapKind, MapRef, Program};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};
use rules::RuleSet;
use std::collections::BTreeMap;

/// What the programs tell the kernel of their terms: they call no function that is kept for GPL programs.
const LICENCE: &[u8] = b"Apache-2.0\0";
/// Bytes of an instruction.
const INSN: u64 = 8;
/// Bytes of `struct __sk_buff`, which programs are given.
const SKB: u32 = 192;

/// The object of an image.
pub(crate) fn object(image: &Image, contents: Option<&Contents>) -> Result<Vec<u8>, Problem> {
    let order = if image.target.little_endian { Endianness::Little } else { Endianness::Big };
    let mut out = Writer {
        image,
        contents,
        object: Object::new(BinaryFormat::Elf, Architecture::Bpf, order),
        types: Types::new(image.target.little_endian),
        maps: BTreeMap::new(),
    };
    let licence = out.section("license", SectionKind::Data);
    out.object.append_section_data(licence, LICENCE, 1);
    out.maps()?;
    out.programs()?;
    let btf = out.section(".BTF", SectionKind::Other);
    out.object.append_section_data(btf, &out.types.btf.finish(), 4);
    out.object.write().map_err(|error| Problem::Format(error.to_string()))
}

struct Writer<'i> {
    image: &'i Image,
    contents: Option<&'i Contents>,
    object: Object<'static>,
    types: Types,
    maps: BTreeMap<MapRef, SymbolId>,
}

/// Types that many others are made of.
struct Types {
    btf: Btf,
    int: Type,
    index: Type,
    /// Unsigned numbers of one, two, four and eight bytes.
    numbers: [Type; 4],
}

impl Types {
    fn new(little_endian: bool) -> Types {
        let mut btf = Btf::new(little_endian);
        Types {
            int: btf.int("int", 4, true),
            index: btf.int("__ARRAY_SIZE_TYPE__", 4, false),
            numbers: [("unsigned char", 1), ("unsigned short", 2), ("unsigned int", 4), ("unsigned long long", 8)]
                .map(|(name, bytes)| btf.int(name, bytes, false)),
            btf,
        }
    }

    /// An array of numbers of some bytes.
    fn numbers(&mut self, bytes: u32, element: u32) -> Type {
        let number = self.numbers[element.trailing_zeros().min(3) as usize];
        self.btf.array(number, self.index, bytes / element)
    }
}

impl Writer<'_> {
    fn section(&mut self, name: &str, kind: SectionKind) -> SectionId {
        self.object.add_section(Vec::new(), name.into(), kind)
    }

    fn symbol(&mut self, name: &str, section: SectionId, (value, size): (u64, u64), kind: SymbolKind) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.into(),
            value,
            size,
            kind,
            // Seen by everybody: libbpf maps only such data into memory.
            scope: SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        })
    }

    /// Every map that a program uses, once, and every array of the node where they share a section.
    fn maps(&mut self) -> Result<(), Problem> {
        let (mut data, mut defined) = (BTreeMap::new(), BTreeMap::new());
        for program in &self.image.programs {
            for reloc in &program.relocs {
                let place = Place::of(self.image, reloc.map).ok_or_else(|| fault(program, reloc, "is not there"))?;
                match (&place.holds, reloc.value_offset) {
                    (Holds::Defined(_), Some(_)) => return Err(fault(program, reloc, "has no bytes to address")),
                    (Holds::Defined(_), None) => defined.insert(reloc.map, place),
                    (_, None) => return Err(fault(program, reloc, "is data, and not to be had as a map")),
                    (Holds::Node(_), _) => None,
                    _ => data.insert(reloc.map, place),
                };
            }
        }
        for (map, place) in data {
            self.data(map, &place)?;
        }
        if self.image.target.wide_values {
            self.node()?;
        }
        self.definitions(&defined);
        Ok(())
    }

    /// A map that is a section of its own.
    fn data(&mut self, map: MapRef, place: &Place) -> Result<(), Problem> {
        let (bytes, element, kind) = match &place.holds {
            Holds::Fixed(bytes) => (bytes.clone(), 1, SectionKind::ReadOnlyData),
            Holds::Own(bytes, element) => {
                let first = self.contents.and_then(|it| match map {
                    MapRef::Own(index) => it.own.get(&index),
                    MapRef::Node(map) => it.node.get(&map),
                });
                (filled(*bytes, first, &place.symbol)?, *element, SectionKind::Data)
            }
            Holds::Node(_) | Holds::Defined(_) => return Ok(()),
        };
        let (name, size) = (place.section(), bytes.len() as u32);
        let section = self.section(&name, kind);
        self.object.append_section_data(section, &bytes, 8);
        let symbol = self.symbol(&place.symbol, section, (0, u64::from(size)), SymbolKind::Data);
        self.maps.insert(map, symbol);
        let numbers = self.types.numbers(size, element);
        let variable = self.types.btf.variable(&place.symbol, numbers);
        self.types.btf.section(&name, size, &[(variable, 0, size)]);
        Ok(())
    }

    /// The arrays of the node, in one section.
    fn node(&mut self) -> Result<(), Problem> {
        let (name, kind) = match self.contents {
            None => (".bss", SectionKind::UninitializedData),
            Some(_) => (".data.node", SectionKind::Data),
        };
        let section = self.section(name, kind);
        let (mut variables, mut end) = (Vec::new(), 0);
        for (map, part) in parts(&self.image.target) {
            let size = u64::from(part.offset + part.bytes - end);
            match self.contents {
                None => drop(self.object.append_section_bss(section, size, 1)),
                Some(contents) => {
                    let mut bytes = vec![0; (part.offset - end) as usize];
                    bytes.extend(filled(part.bytes, contents.node.get(&map), map.name())?);
                    self.object.append_section_data(section, &bytes, 1);
                }
            }
            end = part.offset + part.bytes;
            let place = (u64::from(part.offset), u64::from(part.bytes));
            let symbol = self.symbol(map.name(), section, place, SymbolKind::Data);
            self.maps.insert(MapRef::Node(map), symbol);
            let numbers = self.types.numbers(part.bytes, part.element);
            variables.push((self.types.btf.variable(map.name(), numbers), part.offset, part.bytes));
        }
        self.types.btf.section(name, end, &variables);
        Ok(())
    }

    /// The maps that types define: each a structure of pointers, whose types say the numbers.
    fn definitions(&mut self, defined: &BTreeMap<MapRef, Place>) {
        if defined.is_empty() {
            return;
        }
        let section = self.section(".maps", SectionKind::Data);
        let mut variables = Vec::new();
        for (map, place) in defined {
            let Holds::Defined(spec) = &place.holds else { continue };
            let types = &mut self.types;
            let mut members = Vec::new();
            for (name, value) in definition(spec) {
                let array = types.btf.array(types.int, types.index, value);
                members.push((name, types.btf.pointer(array)));
            }
            if spec.kind == MapKind::Locks {
                let [_, _, number, _] = types.numbers;
                let lock = types.btf.structure("bpf_spin_lock", 4, &[("val", number)]);
                let value = types.btf.structure("tg_lock", spec.value_size, &[("lock", lock)]);
                members.extend([("key", types.btf.pointer(number)), ("value", types.btf.pointer(value))]);
            }
            let size = members.len() as u32 * 8;
            let structure = types.btf.structure("", size, &members);
            let variable = types.btf.variable(&place.symbol, structure);
            let at = self.object.append_section_data(section, &vec![0; size as usize], 8);
            variables.push((variable, at as u32, size));
            let symbol = self.symbol(&place.symbol, section, (at, u64::from(size)), SymbolKind::Data);
            self.maps.insert(*map, symbol);
        }
        let size = variables.last().map_or(0, |(_, at, size)| at + size);
        self.types.btf.section(".maps", size, &variables);
    }

    fn programs(&mut self) -> Result<(), Problem> {
        let section = self.section(PROGRAMS, SectionKind::Text);
        let context = self.types.btf.structure("__sk_buff", SKB, &[]);
        let context = self.types.btf.pointer(context);
        let (mut functions, mut lines) = (Vec::new(), Vec::new());
        for program in &self.image.programs {
            let bytes = self.instructions(program)?;
            let at = self.object.append_section_data(section, &bytes, INSN);
            self.symbol(&program.name, section, (at, bytes.len() as u64), SymbolKind::Text);
            for reloc in &program.relocs {
                // Cannot miss: `maps` went through the same list.
                let Some(symbol) = self.maps.get(&reloc.map).copied() else { continue };
                let flags = RelocationFlags::Elf { r_type: elf::R_BPF_64_64 };
                let offset = at + u64::from(reloc.at) * INSN;
                let added = self.object.add_relocation(section, Relocation { offset, symbol, addend: 0, flags });
                added.map_err(|error| Problem::Format(error.to_string()))?;
            }
            let function = self.types.btf.function(&program.name, self.types.int, ("skb", context));
            functions.push((at as u32, function));
            let rules = self.rules(program)?;
            lines.extend(lines::marks(self.image, program, rules.as_ref()).into_iter().map(|mark| Line {
                offset: at as u32 + mark.at * INSN as u32,
                file: mark.object,
                text: mark.path,
            }));
        }
        let about = self.types.btf.about(PROGRAMS, &functions, &lines);
        let section = self.section(".BTF.ext", SectionKind::Other);
        self.object.append_section_data(section, &about, 4);
        Ok(())
    }

    /// The rules behind a program; `None` where the image carries none.
    fn rules(&self, program: &Program) -> Result<Option<RuleSet>, Problem> {
        let Some(text) = self.image.notes.rules.get(usize::from(program.hook.is_egress())) else { return Ok(None) };
        let fault = |error: rules::ParseError| Problem::Rules { program: program.name.clone(), why: error.to_string() };
        RuleSet::parse(text).map(Some).map_err(fault)
    }

    /// The bytes of a program, with the offset into its map as the immediate of each reference.
    fn instructions(&self, program: &Program) -> Result<Vec<u8>, Problem> {
        let mut out: Vec<[u8; 8]> = program.insns.iter().map(|word| lines::bytes(self.image, *word)).collect();
        for reloc in &program.relocs {
            let wide = out.get_mut(reloc.at as usize..).and_then(|rest| rest.first_chunk_mut());
            let Some([first, second]) = wide.filter(|[first, _]| first[0] == lines::WIDE) else {
                return Err(fault(program, reloc, "is filled in at no wide load"));
            };
            let offset = reloc.value_offset.unwrap_or(0);
            let offset = if self.image.target.little_endian { offset.to_le_bytes() } else { offset.to_be_bytes() };
            first[4..].copy_from_slice(&offset);
            second[4..].fill(0);
            // The loader says what kind of reference it is. Registers share a byte, the destination's half as the byte order has it.
            first[1] &= if self.image.target.little_endian { 0x0f } else { 0xf0 };
        }
        Ok(out.concat())
    }
}

/// The bytes of a map with what is in it at first.
fn filled(bytes: u32, first: Option<&Vec<u8>>, name: &str) -> Result<Vec<u8>, Problem> {
    let mut all = vec![0; bytes as usize];
    if let Some(first) = first {
        let room = all.get_mut(..first.len());
        room.ok_or_else(|| Problem::Format(format!("{name} has no room for {} bytes", first.len())))?
            .copy_from_slice(first);
    }
    Ok(all)
}

fn fault(program: &Program, reloc: &image::Reloc, why: &'static str) -> Problem {
    Problem::Reference { program: program.name.clone(), at: reloc.at, map: reloc.map, why }
}
