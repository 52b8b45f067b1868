//! Loads and stores elsewhere than in the frame: context, packet, values of maps.

use crate::frame::Source;
use crate::run::{Path, Run};
use crate::value::{Kind, Reach, Value};
use image::MapKind;

/// Above this, a variable part of an address is no offset: 2^29, in every kernel.
pub(crate) const FARTHEST: i64 = 1 << 29;

/// What is done to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Load,
    Store,
}

impl Run<'_> {
    /// Loads; the result is not narrowed yet.
    pub fn load(&mut self, path: &mut Path, base: &Value, displacement: i64, width: i64) -> Result<Value, String> {
        match base.kind {
            Kind::Frame => self.load_frame(path, base, displacement, width),
            Kind::Context => context(base, displacement, width),
            Kind::Packet => in_packet(base, displacement, width).map(|()| Value::ANY),
            Kind::Value(map) => {
                self.in_value(map, base, displacement, width, Access::Load)?;
                Ok(self.folded(map, base, displacement, width).map_or(Value::ANY, Value::constant))
            }
            other => Err(format!("load through {}", named(other))),
        }
    }

    /// Stores.
    pub fn store(
        &mut self,
        path: &mut Path,
        base: &Value,
        displacement: i64,
        width: i64,
        source: Source,
    ) -> Result<(), String> {
        match base.kind {
            Kind::Frame => self.store_frame(path, base, displacement, width, source),
            Kind::Packet => in_packet(base, displacement, width),
            Kind::Value(map) => self.in_value(map, base, displacement, width, Access::Store),
            other => Err(format!("store through {}", named(other))),
        }
    }

    /// Whether an access lies in a value of a map, wherever its variable part leads.
    pub fn in_value(
        &self,
        map: usize,
        base: &Value,
        displacement: i64,
        width: i64,
        access: Access,
    ) -> Result<(), String> {
        let table = &self.tables.tables[map];
        if table.spec.kind == MapKind::Locks {
            return Err(format!("access of map {}, which holds locks", table.name));
        }
        if access == Access::Store && table.content.is_some() {
            return Err(format!("store to map {}, which programs only read", table.name));
        }
        let size = i64::from(table.spec.value_size);
        let offset = base.offset + displacement;
        let number = &base.number;
        let least = number.smin.checked_add(offset).filter(|least| *least >= 0 && least + width <= size);
        let greatest = i64::try_from(number.umax).ok().filter(|greatest| *greatest < FARTHEST).map(|it| it + offset);
        let fits = greatest.is_some_and(|greatest| greatest >= 0 && greatest + width <= size);
        match least.is_some() && fits {
            true => Ok(()),
            false => Err(format!(
                "access of {width} bytes in a value of map {}, which has {size}, from {offset} and what lies between {} and {}",
                table.name, number.smin, number.umax
            )),
        }
    }

    /// The number that a kernel reads from a frozen map while it verifies.
    fn folded(&self, map: usize, base: &Value, displacement: i64, width: i64) -> Option<u64> {
        let content = self.tables.tables[map].content.as_ref()?;
        let at = usize::try_from((base.offset + displacement).checked_add(base.number.constant()? as i64)?).ok()?;
        let bytes = content.get(at..at + width as usize)?;
        let mut out = [0; 8];
        if self.little_endian {
            out[..bytes.len()].copy_from_slice(bytes);
            Some(u64::from_le_bytes(out))
        } else {
            out[8 - bytes.len()..].copy_from_slice(bytes);
            Some(u64::from_be_bytes(out))
        }
    }
}

/// What a register holds, for people.
pub(crate) fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Unset => "a register that nothing wrote",
        Kind::Number => "a number",
        Kind::Context => "the context",
        Kind::Frame => "an address in the frame",
        Kind::Packet => "an address in the packet",
        Kind::PacketEnd => "the end of the packet",
        Kind::Value(_) => "an address in a map",
        Kind::ValueOrNull(_) => "an address in a map that may be null",
        Kind::Map(_) => "a map",
    }
}

fn in_packet(base: &Value, displacement: i64, width: i64) -> Result<(), String> {
    let offset = base.offset + displacement;
    let known = match base.reach {
        Reach::Bytes(known) if base.number.smin >= 0 => known,
        _ => return Err("access of the packet at a place that was not compared with its end".into()),
    };
    match offset >= 0 && offset + width <= known {
        true => Ok(()),
        false => {
            Err(format!("access of {width} bytes of the packet at {offset}, of which {known} are known to be there"))
        }
    }
}

/// A load from `struct __sk_buff`, as programs of traffic control may. Source: linux/bpf.h, bpf(2).
fn context(base: &Value, displacement: i64, width: i64) -> Result<Value, String> {
    if base.offset != 0 || base.number.constant() != Some(0) {
        return Err("load through a context pointer that was changed".into());
    }
    let value = match (displacement, width) {
        (76, 4) => Value::pointer(Kind::Packet),
        (80, 4) => Value::pointer(Kind::PacketEnd),
        // Fields of four bytes: `len` to `tc_classid`, `napi_id`, `wire_len`, `gso_segs`, `gso_size`. A part of one may be loaded alone.
        (0..76 | 84..88 | 160..168 | 176..180, 1 | 2 | 4) if displacement % width == 0 => Value::ANY,
        _ => return Err(format!("load of {width} bytes of the context at {displacement}")),
    };
    Ok(value)
}
