//! Faults as compilers make them.

use super::bases;
use fuzz::random::Random;
use image::{DirectionPlan, Fill, Image, KeyPlan, LeafPlan};

/// What is wrong with a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A comparison asks the opposite.
    FlippedJump,
    /// A jump leads an instruction further, or one less far.
    OtherTarget,
    /// A rule is missing from what was compiled.
    DroppedRule,
    /// A range of ports has one port more or less.
    RangeOffByOne,
    /// Two leaves changed places.
    SwappedLeaves,
    /// A cell of a table is one of another compile.
    StaleCell,
    /// An access a few bytes beside.
    WrongOffset,
    /// A number in the other byte order.
    WrongByteOrder,
    /// An immediate that is one more or less.
    WrongImmediate,
    /// Another register.
    WrongRegister,
    /// An operation that is another.
    WrongOperation,
    /// A number of the plan is another.
    WrongPlan,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 12] = [
        Fault::FlippedJump,
        Fault::OtherTarget,
        Fault::DroppedRule,
        Fault::RangeOffByOne,
        Fault::SwappedLeaves,
        Fault::StaleCell,
        Fault::WrongOffset,
        Fault::WrongByteOrder,
        Fault::WrongImmediate,
        Fault::WrongRegister,
        Fault::WrongOperation,
        Fault::WrongPlan,
    ];

    /// Whether it is one of instructions.
    pub fn is_of_code(self) -> bool {
        !matches!(
            self,
            Fault::DroppedRule | Fault::RangeOffByOne | Fault::SwappedLeaves | Fault::StaleCell | Fault::WrongPlan
        )
    }
}

/// A mutant.
pub struct Planted {
    /// What is wrong.
    pub fault: Fault,
    /// Where, for people.
    pub place: String,
    /// The image.
    pub image: Image,
}

/// Plants a fault. `None` where the image has no place for it.
pub fn plant(base: &Image, fault: Fault, seed: u64, number: usize) -> Option<Planted> {
    let mut random = Random::of_case(seed, number as u64);
    let mut image = base.clone();
    let place = match fault {
        Fault::DroppedRule | Fault::RangeOffByOne => of_rules(base, &mut image, fault, &mut random)?,
        Fault::SwappedLeaves | Fault::StaleCell => of_table(&mut image, fault, &mut random)?,
        Fault::WrongPlan => of_plan(&mut image, &mut random)?,
        _ => of_code(&mut image, fault, &mut random)?,
    };
    (image != *base).then(|| Planted { fault, place: format!("{} {place}", base.notes.subject), image })
}

/// Compiles other rules than those that the image says it has.
fn of_rules(base: &Image, image: &mut Image, fault: Fault, random: &mut Random) -> Option<String> {
    let text = base.notes.rules.first().filter(|text| Some(*text) == base.notes.rules.get(1))?;
    let is_rule = |line: &&str| ["allow", "deny", "pass"].iter().any(|word| line.trim_start().starts_with(word));
    let rules: Vec<&str> = text.lines().filter(is_rule).collect();
    let chosen = *rules.get(random.below(rules.len().max(1)))?;
    let other: String = match fault {
        Fault::DroppedRule => text.lines().filter(|line| *line != chosen).map(|line| format!("{line}\n")).collect(),
        _ => {
            let (before, rest) = chosen.split_once('/')?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let port: u32 = digits.parse().ok()?;
            let other = if random.below(2) == 0 { port.checked_sub(1)? } else { port };
            // A single port becomes a range of two; a range begins or ends one earlier or later.
            let rest = &rest[digits.len()..];
            let ports = match rest.strip_prefix('-') {
                None => format!("{other}-{}", if other == port { port + 1 } else { port }),
                Some(_) if other != port => format!("{other}"),
                Some(_) => format!("{}", port + 1),
            };
            let changed = format!("{before}/{ports}{rest}");
            text.lines().map(|line| if line == chosen { changed.clone() + "\n" } else { format!("{line}\n") }).collect()
        }
    };
    rules::RuleSet::parse(&other).ok()?;
    let shapes = bases::shapes_of(&base.notes.subject);
    let compiled = bases::of_rules(&other, &base.notes.subject, shapes);
    *image = Image { notes: image.notes.clone(), ..compiled };
    Some(format!("without `{}`", chosen.trim()))
}

fn of_table(image: &mut Image, fault: Fault, random: &mut Random) -> Option<String> {
    let plans = [&image.plan.ingress, &image.plan.egress];
    let plan = match plans[random.below(2)] {
        DirectionPlan::Cells(plan) => plan.clone(),
        DirectionPlan::Constant(_) => return None,
    };
    let table = image.tables.get_mut(usize::from(plan.fixed_table()?))?;
    let Fill::Fixed(bytes) = &mut table.fill else { return None };
    let at = match (fault, &plan.leaf) {
        (Fault::SwappedLeaves, LeafPlan::Matrix { offset, .. }) => {
            let leaves = *offset as usize;
            let (a, b) = (leaves + random.below(bytes.len() - leaves), leaves + random.below(bytes.len() - leaves));
            bytes.swap(a, b);
            a
        }
        _ => {
            let at = random.below(bytes.len());
            bytes[at] = bytes[at].wrapping_add(1 + random.below(3) as u8);
            at
        }
    };
    Some(format!("byte {at} of {}", table.name))
}

fn of_plan(image: &mut Image, random: &mut Random) -> Option<String> {
    let plan = if random.below(2) == 0 { &mut image.plan.ingress } else { &mut image.plan.egress };
    match plan {
        DirectionPlan::Constant(leaf) => *leaf = (*leaf + 1 + random.below(3) as u8) % 4,
        DirectionPlan::Cells(plan) => match random.below(5) {
            0 => plan.class_count += 1,
            1 => plan.class_count = plan.class_count.checked_sub(1)?,
            2 => plan.column_count = plan.column_count.checked_sub(1)?,
            3 => match &mut plan.key {
                KeyPlan::One => return None,
                KeyPlan::Sum(cuts) | KeyPlan::Tree(cuts) => {
                    let at = random.below(cuts.len());
                    cuts[at].0 += 1;
                }
                KeyPlan::Pages(plan) => plan.columns += 2,
            },
            _ => match &mut plan.leaf {
                LeafPlan::Word { word, .. } => *word ^= 1 << random.below(64),
                LeafPlan::Matrix { offset, .. } => *offset = offset.checked_sub(1)?,
                LeafPlan::Ends(leaves) => {
                    let at = random.below(leaves.len());
                    leaves[at] ^= 1;
                }
            },
        },
    }
    Some("a number of the plan".into())
}

/// Changes one instruction that the fault can be made of. Half of them stand in or near a decision, which is a small part of the code.
fn of_code(image: &mut Image, fault: Fault, random: &mut Random) -> Option<String> {
    let little = image.target.little_endian;
    let index = random.below(image.programs.len());
    let subject = verify::lift::Subject::of(image, &image.programs[index]);
    let regions = subject.and_then(verify::template::regions).unwrap_or_default();
    let program = &mut image.programs[index];
    for _ in 0..400 {
        let at = match regions.get(random.below(regions.len().max(1))) {
            Some(region) if random.below(2) == 0 => region.start + random.below(region.end + 1 - region.start),
            _ => random.below(program.insns.len()),
        };
        let word = *program.insns.get(at)?;
        let mut bytes = if little { word.to_le_bytes() } else { word.to_be_bytes() };
        if spoil(&mut bytes, fault, random, little).is_some() {
            program.insns[at] = if little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) };
            return Some(format!("instruction {at} of {}", program.name));
        }
    }
    None
}

/// Spoils the bytes of an instruction: opcode, registers, offset, immediate. `None` where the fault cannot be made of it.
fn spoil(bytes: &mut [u8; 8], fault: Fault, random: &mut Random, little: bool) -> Option<()> {
    let (opcode, class) = (bytes[0], bytes[0] & 7);
    let conditional = matches!(class, 5 | 6) && !matches!(opcode, 0x05 | 0x85 | 0x95);
    let lowest = |first: usize, len: usize| if little { first } else { first + len - 1 };
    match fault {
        Fault::FlippedJump => {
            let opposite = match opcode & 0xf0 {
                0x10 => 0x50,
                0x50 => 0x10,
                0x20 => 0xb0,
                0xb0 => 0x20,
                0x30 => 0xa0,
                0xa0 => 0x30,
                0x60 => 0xd0,
                _ => return None,
            };
            conditional.then(|| bytes[0] = opcode & 0x0f | opposite)
        }
        Fault::OtherTarget => (conditional || opcode == 0x05).then(|| step(&mut bytes[lowest(2, 2)], random)),
        Fault::WrongOffset => matches!(class, 1..=3).then(|| step(&mut bytes[lowest(2, 2)], random)),
        Fault::WrongByteOrder => match (opcode, class) {
            // A swap that is left out becomes a move of the register to itself.
            (0xdc, _) => {
                bytes[0] = 0xd4;
                Some(())
            }
            (_, 1) if opcode & 0x18 == 0x08 => {
                bytes[0] = opcode & !0x18;
                Some(())
            }
            _ => None,
        },
        Fault::WrongImmediate => {
            let has = matches!(class, 4..=7) && opcode & 8 == 0 && !matches!(opcode, 0x05 | 0x85 | 0x95) || class == 2;
            has.then(|| step(&mut bytes[lowest(4, 4)], random))
        }
        Fault::WrongRegister => {
            let writes = matches!(class, 1 | 4 | 7);
            writes.then(|| {
                let shift = if little { 0 } else { 4 };
                let register = bytes[1] >> shift & 15;
                let other = (register + 1 + random.below(9) as u8) % 10;
                bytes[1] = bytes[1] & !(15 << shift) | other << shift;
            })
        }
        Fault::WrongOperation => {
            let other = match opcode & 0xf0 {
                0x00 => 0x10,
                0x50 => 0x40,
                0x40 => 0x50,
                0x60 => 0x70,
                0x70 => 0x60,
                0x20 => 0x00,
                _ => return None,
            };
            (class == 7).then(|| bytes[0] = opcode & 0x0f | other)
        }
        _ => None,
    }
}

fn step(byte: &mut u8, random: &mut Random) {
    *byte = if random.below(2) == 0 { byte.wrapping_add(1) } else { byte.wrapping_sub(1) };
}
