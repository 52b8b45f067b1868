//! The bytes behind a map's values.

/// Values of equal size, one behind the other at multiples of eight bytes.
///
/// Shape: the bytes never move. An access must lie inside one value; the gap up to the next multiple of eight belongs to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    bytes: Vec<u8>,
    value_size: usize,
    stride: usize,
}

impl Memory {
    /// Zeroed room for a number of values.
    pub fn new(value_size: u32, count: u32) -> Memory {
        let stride = (value_size as usize).next_multiple_of(8);
        Memory { bytes: vec![0; stride * count as usize], value_size: value_size as usize, stride }
    }

    /// The offset of a value.
    #[inline]
    pub fn offset(&self, slot: u32) -> usize {
        slot as usize * self.stride
    }

    /// `len` bytes at an offset; `None` unless they lie inside one value.
    #[inline]
    pub fn get(&self, offset: usize, len: usize) -> Option<&[u8]> {
        if !self.inside(offset, len) {
            return None;
        }
        self.bytes.get(offset..offset.checked_add(len)?)
    }

    /// As [`Memory::get`], to be written.
    #[inline]
    pub fn get_mut(&mut self, offset: usize, len: usize) -> Option<&mut [u8]> {
        if !self.inside(offset, len) {
            return None;
        }
        self.bytes.get_mut(offset..offset.checked_add(len)?)
    }

    /// A whole value.
    #[inline]
    pub fn value(&self, slot: u32) -> &[u8] {
        &self.bytes[self.offset(slot)..][..self.value_size]
    }

    /// A whole value, to be written.
    #[inline]
    pub fn value_mut(&mut self, slot: u32) -> &mut [u8] {
        let offset = self.offset(slot);
        &mut self.bytes[offset..][..self.value_size]
    }

    #[inline]
    fn inside(&self, offset: usize, len: usize) -> bool {
        // Most maps hold one large value; the division is for the others.
        let within = if self.bytes.len() == self.stride { offset } else { offset % self.stride.max(1) };
        within.checked_add(len).is_some_and(|end| end <= self.value_size)
    }
}
