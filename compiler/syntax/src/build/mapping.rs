//! Mappings: keys, duplicates, merges.

use std::borrow::Cow;
use std::collections::HashMap;

use source::Span;

use super::Builder;
use crate::tree::Data;
use crate::{Entry, NodeId, ProblemKind, ScalarStyle, Value};

impl Builder<'_> {
    pub(super) fn mapping(&mut self, map: NodeId, children: &[NodeId]) -> Data {
        let mut entries = std::mem::take(&mut self.entries);
        let mut merges = false;
        for pair in children.chunks(2) {
            let key = pair[0];
            // Why: a chunk that ends too early leaves its last key without a value.
            let value = pair.get(1).copied().unwrap_or_else(|| self.absent(map, key));
            merges |= self.is_merge(key);
            entries.push(Entry { key, value });
        }
        if !self.surely_differ(&entries) {
            self.check_keys(&entries);
        }
        let first = self.tree.entries.len() as u32;
        if merges {
            for &entry in &entries {
                if self.is_merge(entry.key) {
                    self.tree.merges.push((map, entry));
                    self.merge(entry.value);
                } else {
                    self.tree.entries.push(entry);
                }
            }
        } else {
            self.tree.entries.extend_from_slice(&entries);
        }
        entries.clear();
        self.entries = entries;
        Data::Mapping(first, self.tree.entries.len() as u32)
    }

    pub(super) fn absent(&mut self, map: NodeId, key: NodeId) -> NodeId {
        let end = self.tree.span(key).end;
        let id = self.push(Data::Null, Span::at(end), ScalarStyle::Plain);
        self.tree.nodes[id.0 as usize].parent = map;
        id
    }

    pub(super) fn is_merge(&self, key: NodeId) -> bool {
        let node = self.tree.nodes[key.0 as usize];
        node.style == ScalarStyle::Plain && node.span.len() == 2 && node.span.slice(&self.tree.text) == "<<"
    }

    /// Splices the entries of merged mappings in at this place; of a list, earlier ones count more,
    /// so they come later.
    pub(super) fn merge(&mut self, value: NodeId) {
        let target = self.tree.target(value);
        let listed = match self.tree.value(target) {
            Value::Sequence(items) => items.iter().rev().copied().collect(),
            _ => vec![value],
        };
        let mut maps = Vec::with_capacity(listed.len());
        for item in listed {
            let node = self.tree.nodes[item.0 as usize];
            let map = self.tree.target(item);
            match self.tree.value(map) {
                Value::Mapping(_) => maps.push(map),
                // Why: an alias that was refused has its problem already.
                Value::Null if node.style == ScalarStyle::Alias && map == item => {}
                _ => return self.problem(ProblemKind::BadMerge, self.tree.span(value), None),
            }
        }
        for map in maps {
            let Data::Mapping(start, end) = self.tree.nodes[map.0 as usize].data else {
                continue;
            };
            if !self.may_repeat(u64::from(end - start), self.tree.span(value)) {
                return;
            }
            self.tree.entries.extend_from_within(start as usize..end as usize);
        }
    }

    /// Whether a few keys are plainly different texts: most mappings need no closer look.
    fn surely_differ(&self, entries: &[Entry]) -> bool {
        let mut seen: [&[u8]; 16] = [&[]; 16];
        if entries.len() > seen.len() {
            return false;
        }
        for (at, entry) in entries.iter().enumerate() {
            let Data::Source(start, end) = self.tree.nodes[entry.key.0 as usize].data else { return false };
            let text = self.tree.text.as_bytes().get(start as usize..end as usize).unwrap_or_default();
            if text == b"<<" || seen[..at].contains(&text) {
                return false;
            }
            seen[at] = text;
        }
        true
    }

    /// Reports keys that JSON cannot name and keys that stand twice.
    pub(super) fn check_keys(&mut self, entries: &[Entry]) {
        let mut faults = Vec::new();
        let mut seen: HashMap<Cow<'_, str>, NodeId> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if self.is_merge(entry.key) {
                continue;
            }
            let span = self.tree.span(entry.key);
            let Some(key) = self.tree.json_key(entry.key) else {
                faults.push((ProblemKind::NonStringKey, span, None));
                continue;
            };
            // Why: most mappings are short, and there comparing beats hashing.
            let before = if entries.len() <= 16 {
                let mut earlier = entries[..index].iter().rev();
                let same = |e: &&Entry| !self.is_merge(e.key) && self.tree.json_key(e.key).as_ref() == Some(&key);
                earlier.find(same).map(|e| e.key)
            } else {
                seen.insert(key.clone(), entry.key)
            };
            if let Some(before) = before {
                let key = key.into_owned();
                let related = Some(self.tree.span(before));
                faults.push((ProblemKind::DuplicateKey { key }, span, related));
            }
        }
        for (kind, span, related) in faults {
            self.problem(kind, span, related);
        }
    }
}
