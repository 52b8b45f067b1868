//! The types of an object, and what is said of its instructions: the sections `.BTF` and `.BTF.ext`.
//!
//! Source: Documentation/bpf/btf.rst of the kernel. Everything is 32-bit words in the target's byte order, but for the first four bytes of
//! each header.

use std::collections::BTreeMap;

const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
/// Bytes of a header, of both sections.
const HEADER: u32 = 24;

const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;

/// Of an integer: it has a sign.
const SIGNED: u32 = 1 << 24;
/// Of a function or variable: others may refer to it.
const GLOBAL: u32 = 1;

/// The number of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Type(u32);

/// Types and texts under construction.
pub(crate) struct Btf {
    little_endian: bool,
    types: Vec<u32>,
    count: u32,
    strings: Vec<u8>,
    known: BTreeMap<String, u32>,
}

/// What an instruction is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its offset in the section, in bytes.
    pub offset: u32,
    /// Where a compiler names a file: the object.
    pub file: String,
    /// Where a compiler quotes the line: the path in it.
    pub text: String,
}

impl Btf {
    pub fn new(little_endian: bool) -> Btf {
        // Text 0 is the empty one, type 0 is void.
        Btf { little_endian, types: Vec::new(), count: 0, strings: vec![0], known: BTreeMap::new() }
    }

    /// The offset of a text. What would end it early stands as a question mark.
    fn text(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let plain: String = text.chars().map(|it| if it.is_control() { '?' } else { it }).collect();
        if let Some(known) = self.known.get(&plain) {
            return *known;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(plain.as_bytes());
        self.strings.push(0);
        self.known.insert(plain, at);
        at
    }

    /// Adds a type. `about` is its size, or the type that it refers to.
    fn add(&mut self, name: &str, (kind, members): (u32, u32), about: u32, rest: &[u32]) -> Type {
        let name = self.text(name);
        self.types.extend([name, kind << 24 | members, about]);
        self.types.extend(rest);
        self.count += 1;
        Type(self.count)
    }

    /// An integer of some bytes.
    pub fn int(&mut self, name: &str, bytes: u32, signed: bool) -> Type {
        let sign = if signed { SIGNED } else { 0 };
        self.add(name, (INT, 0), bytes, &[sign | (bytes * 8)])
    }

    /// A pointer.
    pub fn pointer(&mut self, to: Type) -> Type {
        self.add("", (PTR, 0), to.0, &[])
    }

    /// An array of some elements, counted by numbers of type `index`.
    pub fn array(&mut self, of: Type, index: Type, count: u32) -> Type {
        self.add("", (ARRAY, 0), 0, &[of.0, index.0, count])
    }

    /// A structure of some bytes, with members of eight bytes each.
    pub fn structure(&mut self, name: &str, bytes: u32, members: &[(&str, Type)]) -> Type {
        let mut rest = Vec::new();
        for (at, (name, member)) in (0..).zip(members) {
            rest.extend([self.text(name), member.0, at * 64]);
        }
        self.add(name, (STRUCT, members.len() as u32), bytes, &rest)
    }

    /// A function of one argument.
    pub fn function(&mut self, name: &str, gives: Type, (argument, takes): (&str, Type)) -> Type {
        let argument = self.text(argument);
        let form = self.add("", (FUNC_PROTO, 1), gives.0, &[argument, takes.0]);
        self.add(name, (FUNC, GLOBAL), form.0, &[])
    }

    /// A variable.
    pub fn variable(&mut self, name: &str, of: Type) -> Type {
        self.add(name, (VAR, 0), of.0, &[GLOBAL])
    }

    /// A section of some bytes: its variables, with offset and size in bytes.
    pub fn section(&mut self, name: &str, bytes: u32, variables: &[(Type, u32, u32)]) {
        let rest: Vec<u32> = variables.iter().flat_map(|(variable, at, size)| [variable.0, *at, *size]).collect();
        self.add(name, (DATASEC, variables.len() as u32), bytes, &rest);
    }

    /// The section that says where functions of a section begin, by offset in bytes, and what instructions are about. Both ascend.
    pub fn about(&mut self, section: &str, functions: &[(u32, Type)], lines: &[Line]) -> Vec<u8> {
        let section = self.text(section);
        let mut out: Vec<u32> = vec![8, section, functions.len() as u32];
        out.extend(functions.iter().flat_map(|(at, function)| [*at, function.0]));
        let functions_end = out.len() as u32 * 4;
        out.extend([16, section, lines.len() as u32]);
        for line in lines {
            // Number and column of a line of text are left out: they move when nothing else does.
            out.extend([line.offset, self.text(&line.file), self.text(&line.text), 0]);
        }
        let end = out.len() as u32 * 4;
        let mut bytes = self.header([0, functions_end, functions_end, end - functions_end]);
        bytes.extend(out.into_iter().flat_map(|word| self.word(word)));
        bytes
    }

    /// The section of the types.
    pub fn finish(self) -> Vec<u8> {
        let types = self.types.len() as u32 * 4;
        let mut bytes = self.header([0, types, types, self.strings.len() as u32]);
        bytes.extend(self.types.iter().flat_map(|word| self.word(*word)));
        bytes.extend(&self.strings);
        bytes
    }

    fn header(&self, places: [u32; 4]) -> Vec<u8> {
        let mut bytes = if self.little_endian { MAGIC.to_le_bytes() } else { MAGIC.to_be_bytes() }.to_vec();
        bytes.extend([VERSION, 0]);
        bytes.extend([HEADER].into_iter().chain(places).flat_map(|word| self.word(word)));
        bytes
    }

    fn word(&self, word: u32) -> [u8; 4] {
        if self.little_endian { word.to_le_bytes() } else { word.to_be_bytes() }
    }
}
