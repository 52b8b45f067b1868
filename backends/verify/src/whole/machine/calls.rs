//! What the kernel's functions give and do.

use super::{Event, Machine, State, Value};
use crate::insn::Insn;
use crate::whole::term::{Term, What};
use image::{MapKind, MapRef, NodeMap};
use std::rc::Rc;

/// How far into a packet headers are looked for where it is not linear.
pub const PULLED: i128 = 256;

impl Machine<'_> {
    /// Runs a function of the kernel. Errors: `None` for one that no program of this project calls, or with other arguments.
    pub(super) fn call(&mut self, state: &mut State, insn: Insn) -> Option<()> {
        let arguments: Vec<Value> = state.registers[1..6].to_vec();
        let map = |it: Value| if let Value::Map(map) = it { Some(map) } else { None };
        let place = |it: Value| if let Value::Frame(at) = it { Some(at) } else { None };
        let number = |it: Value| if let Value::Number(term) = it { Some(term) } else { None };
        let mut gives = Value::None;
        match insn.imm {
            // ktime_get_ns
            5 => gives = Value::Number(self.answer(state)),
            // jiffies64
            118 if state.now.is_none() => {
                let now = self.answer(state);
                state.now = Some(now);
                gives = Value::Number(now);
            }
            // map_lookup_elem
            1 => {
                let map = map(arguments[0])?;
                let key = self.framed(state, place(arguments[1])?, self.sizes(map)?.0)?;
                gives = Value::Element(map, self.terms.list(key));
            }
            // map_update_elem, without conditions
            2 => {
                let (map, any) = (map(arguments[0])?, number(arguments[3])?);
                let (key, value) = self.sizes(map)?;
                let key = self.framed(state, place(arguments[1])?, key)?;
                let value = self.framed(state, place(arguments[2])?, value)?;
                if self.terms.as_number(any) != Some(0) {
                    return None;
                }
                let (key, value) = (self.terms.list(key), self.terms.list(value));
                state.events.push(Event::Update(map, key, value));
            }
            // spin_lock, spin_unlock
            93 => self.lock(state, arguments[0])?,
            94 => self.unlock(state, arguments[0])?,
            // skb_pull_data
            39 => self.pull(state, arguments[0], number(arguments[1])?)?,
            // ringbuf_output
            130 => {
                let size = usize::try_from(self.terms.as_number(number(arguments[2])?)?).ok()?;
                let bytes = self.framed(state, place(arguments[1])?, size)?;
                let records = map(arguments[0])? == MapRef::Node(NodeMap::Records);
                if !records || self.terms.as_number(number(arguments[3])?) != Some(0) {
                    return None;
                }
                let (bytes, gave) = (self.terms.list(bytes), self.answer(state));
                state.events.push(Event::Record(bytes, gave));
                gives = Value::Number(gave);
            }
            _ => return None,
        }
        state.registers[..6].fill(Value::None);
        state.registers[0] = gives;
        Some(())
    }

    /// The bytes of a key and of a value of a map with keys.
    fn sizes(&self, map: MapRef) -> Option<(usize, usize)> {
        let MapRef::Node(map) = map else { return None };
        let spec = map.spec(&self.image.target);
        let keyed = matches!(spec.kind, MapKind::Hash | MapKind::LruHash | MapKind::LpmTrie | MapKind::Locks);
        keyed.then_some((spec.key_size as usize, spec.value_size as usize))
    }

    /// Makes the first 256 bytes linear, or all if there are fewer.
    fn pull(&mut self, state: &mut State, context: Value, bytes: Term) -> Option<()> {
        let all = bytes == self.len;
        let (least, _) = state.facts.range(&mut self.terms, self.len);
        let enough = self.terms.as_number(bytes) == Some(PULLED as u64) && least >= PULLED;
        if context != Value::Context || !(all || enough) {
            return None;
        }
        let zero = self.terms.number(0);
        // It never becomes shorter by that.
        let (low, high) = state.facts.range(&mut self.terms, state.linear);
        state.linear = self.terms.leaf(What::Linear, zero, state.at as i64, 32);
        Rc::make_mut(&mut state.facts).within(state.linear, low, high.max(u32::MAX.into()));
        state.pulled = true;
        for it in state.registers.iter_mut().filter(|it| matches!(it, Value::Packet(_) | Value::End)) {
            *it = Value::None;
        }
        Some(())
    }
}
