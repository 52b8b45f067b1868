//! Calls of kernel functions.

use crate::helper::{Argument, Gives, Helper, LOCK, UNLOCK, helper};
use crate::memory::{Access, named};
use crate::run::{Path, Run};
use crate::value::{Kind, Value};
use image::MapKind;

impl Run<'_> {
    /// Calls a function: arguments are checked, R1 to R5 are gone, R0 is what it gives.
    pub fn call(&mut self, path: &mut Path, number: i32) -> Result<(), String> {
        let helper = helper(number).ok_or_else(|| format!("call of kernel function {number}"))?;
        if path.state.lock != 0 && number != UNLOCK {
            return Err(format!("call of {} while a lock is held", helper.name));
        }
        let mut map = None;
        for (at, argument) in helper.arguments.iter().enumerate() {
            let register = at + 1;
            self.argument(path, register, *argument, &mut map)
                .map_err(|what| format!("call of {}, R{register}: {what}", helper.name))?;
        }
        if matches!(number, LOCK | UNLOCK) {
            path.state.lock = locked(path, number)?;
        }
        path.state.regs[..6].fill(Value::UNSET);
        path.state.regs[0] = self.result(&helper, map)?;
        if helper.moves_packet {
            for value in path.state.values_mut().filter(|value| value.is_packet()) {
                *value = Value::ANY;
            }
        }
        Ok(())
    }

    fn result(&mut self, helper: &Helper, map: Option<usize>) -> Result<Value, String> {
        Ok(match helper.gives {
            Gives::Nothing => Value::UNSET,
            Gives::Number => Value::ANY,
            Gives::ValueOrNull => {
                let map = map.ok_or("call without a map")?;
                Value { id: self.fresh_id(), ..Value::pointer(Kind::ValueOrNull(map)) }
            }
        })
    }

    fn argument(
        &mut self,
        path: &mut Path,
        register: usize,
        argument: Argument,
        map: &mut Option<usize>,
    ) -> Result<(), String> {
        let value = self.read(path, register)?;
        let spec = map.map(|map| self.tables.tables[map].spec);
        match argument {
            Argument::Any => Ok(()),
            Argument::Context => match value.kind {
                Kind::Context if value.offset == 0 && value.number.constant() == Some(0) => Ok(()),
                other => Err(format!("{} instead of the context", named(other))),
            },
            Argument::Map(kinds) => match value.kind {
                Kind::Map(number) if kinds.contains(&self.tables.tables[number].spec.kind) => {
                    *map = Some(number);
                    Ok(())
                }
                other => Err(format!("{} instead of a map for it", named(other))),
            },
            Argument::Key => self.memory(path, &value, spec.map_or(0, |spec| spec.key_size).into()),
            Argument::Value => self.memory(path, &value, spec.map_or(0, |spec| spec.value_size).into()),
            Argument::Lock => match value.kind {
                Kind::Value(map)
                    if self.tables.tables[map].spec.kind == MapKind::Locks
                        && value.offset == 0
                        && value.number.constant() == Some(0) =>
                {
                    Ok(())
                }
                other => Err(format!("{} instead of a lock", named(other))),
            },
            // Checked with its size, which comes next.
            Argument::Memory => Ok(()),
            Argument::Size => {
                let size = value.as_constant().ok_or("size that is not known")?;
                let size =
                    i64::try_from(size).ok().filter(|size| (1..=1 << 16).contains(size)).ok_or("size out of range")?;
                let memory = self.read(path, register - 1)?;
                self.memory(path, &memory, size)?;
                self.need_exactly(path, register);
                Ok(())
            }
        }
    }

    /// Memory that a function reads.
    fn memory(&mut self, path: &mut Path, base: &Value, size: i64) -> Result<(), String> {
        match base.kind {
            Kind::Frame => self.read_frame(path, base, size),
            Kind::Value(map) => self.in_value(map, base, 0, size, Access::Load),
            other => Err(format!("{} instead of memory", named(other))),
        }
    }
}

/// The lock that is held after R1 was locked or given back: what was looked up together with it; 0 for none.
fn locked(path: &Path, number: i32) -> Result<u32, String> {
    let (held, asked) = (path.state.lock, path.state.regs[1].id);
    match number {
        LOCK if held == 0 && asked != 0 => Ok(asked),
        UNLOCK if held != 0 && held == asked => Ok(0),
        LOCK => Err("lock beside another".into()),
        _ => Err("unlock of what is not locked".into()),
    }
}
