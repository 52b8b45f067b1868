//! The memory that a running program sees.
//!
//! An address is a region's tag above an offset of 40 bits, so that arithmetic that leaves a region leaves it for nowhere.
//! ```text
//!  tag   1 stack   2 context   0x10000 + map: its values   0x20000 + map: the map itself
//!        0x40000 + n: record n being written   0x400000 + n: packet (n changes at each pull, so that older pointers are dead)
//! ```

use crate::context::skb;
use image::{MapKind, MapRef, NodeMap};
use maps::ring::Reservation;
use maps::{Access, Map, NodeMaps, OwnTables};

/// Bits of an address below its tag.
pub const TAG_SHIFT: u32 = 40;
/// The offset of an address inside its region.
pub const OFFSET: u64 = (1 << TAG_SHIFT) - 1;
const STACK: u64 = 1;
const CONTEXT: u64 = 2;
/// The tag of the values of map 0; those of the others follow.
pub const VALUES: u64 = 0x1_0000;
/// The tag of map 0 itself; those of the others follow.
pub const MAPS: u64 = 0x2_0000;
const RECORDS: u64 = 0x4_0000;
const PACKET: u64 = 0x40_0000;
/// Bytes of stack.
pub const STACK_SIZE: usize = 512;
/// What the stack holds before a program writes to it; the kernel's verifier would refuse to read it.
const UNWRITTEN: u8 = 0xa5;
const NODE_MAPS: usize = NodeMap::ALL.len();

/// The number by which addresses name a map: node maps first, then the image's own tables.
pub fn map_number(map: MapRef) -> usize {
    match map {
        MapRef::Node(map) => map as usize,
        MapRef::Own(index) => NODE_MAPS + usize::from(index),
    }
}

/// The address of a map itself.
pub fn map_address(map: MapRef) -> u64 {
    (MAPS + map_number(map) as u64) << TAG_SHIFT
}

/// The address of a byte of a map's values.
pub fn value_address(number: usize, offset: usize) -> u64 {
    (VALUES + number as u64) << TAG_SHIFT | offset as u64
}

/// The address of the context.
pub const CONTEXT_ADDRESS: u64 = CONTEXT << TAG_SHIFT;
/// The address just above the stack.
pub const FRAME_ADDRESS: u64 = STACK << TAG_SHIFT | STACK_SIZE as u64;

/// What a load from the context gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextField {
    /// The address of the packet's first byte. The kernel rewrites the 32-bit packet pointers into whole ones as it loads the program.
    Packet,
    /// The address behind the last byte of its linear part.
    PacketEnd,
    /// The bytes at that place of [`Space::context`], as they are.
    Plain,
}

impl ContextField {
    /// What `size` bytes at an offset are; `None` for what cannot be loaded.
    pub fn at(offset: usize, size: usize) -> Option<ContextField> {
        match offset {
            _ if !offset.is_multiple_of(size) => None,
            skb::DATA | skb::DATA_META => (size == 4).then_some(ContextField::Packet),
            skb::DATA_END => (size == 4).then_some(ContextField::PacketEnd),
            77..84 | 141..144 => None,
            _ => (offset < skb::SIZE && size <= skb::SIZE - offset).then_some(ContextField::Plain),
        }
    }
}

/// The maps that a program sees, by their numbers.
pub struct Maps<'a> {
    pub(crate) node: &'a mut NodeMaps,
    pub(crate) own: &'a mut OwnTables,
}

impl Maps<'_> {
    #[inline]
    fn get(&self, number: usize) -> Option<&Map> {
        match number {
            0..NODE_MAPS => Some(self.node.get(NodeMap::ALL[number])),
            _ => self.own.get(number - NODE_MAPS),
        }
    }

    #[inline]
    fn get_mut(&mut self, number: usize) -> Option<&mut Map> {
        match number {
            0..NODE_MAPS => Some(self.node.get_mut(NodeMap::ALL[number])),
            _ => self.own.get_mut(number - NODE_MAPS),
        }
    }

    /// The values of the map of this number when it holds a single one, and whether programs may write them. The bytes never move.
    pub fn single_value(&mut self, number: usize) -> Option<(&mut [u8], bool)> {
        let map = self.get_mut(number).filter(|map| map.has_direct_value())?;
        let writable = map.access() == Access::ReadWrite;
        Some((map.memory_mut().value_mut(0), writable))
    }

    pub(crate) fn reborrow(&mut self) -> Maps<'_> {
        Maps { node: self.node, own: self.own }
    }
}

/// One run's memory.
pub struct Space<'a> {
    maps: Maps<'a>,
    pub(crate) packet: &'a mut [u8],
    pub(crate) linear: usize,
    pulls: u64,
    context: [u8; skb::SIZE],
    stack: [u8; STACK_SIZE],
    records: Vec<Option<(usize, Reservation)>>,
    /// The address of the lock that is held.
    held: Option<u64>,
    little_endian: bool,
}

impl<'a> Space<'a> {
    #[inline]
    pub(crate) fn new(maps: Maps<'a>, packet: &'a mut [u8], linear: usize, context: [u8; skb::SIZE]) -> Space<'a> {
        let little_endian = maps.node.target().little_endian;
        let linear = linear.min(packet.len());
        let stack = [UNWRITTEN; STACK_SIZE];
        Space { maps, packet, linear, pulls: 0, context, stack, records: Vec::new(), held: None, little_endian }
    }

    /// The stack, whose first byte is [`STACK_SIZE`] below [`FRAME_ADDRESS`].
    #[inline]
    pub fn stack(&mut self) -> &mut [u8; STACK_SIZE] {
        &mut self.stack
    }

    /// The bytes of the context; what is no [`ContextField::Plain`] field of them means nothing.
    #[inline]
    pub fn context(&mut self) -> &mut [u8; skb::SIZE] {
        &mut self.context
    }

    /// The linear part of the packet and the address of its first byte, which changes at each pull.
    #[inline]
    pub fn packet(&mut self) -> (u64, &mut [u8]) {
        ((PACKET + self.pulls) << TAG_SHIFT, &mut self.packet[..self.linear])
    }

    /// Loads 1, 2, 4 or 8 bytes, zero-extended; `None` for memory that is not the program's.
    #[inline]
    pub fn load(&self, address: u64, size: usize) -> Option<u64> {
        if address >> TAG_SHIFT == CONTEXT {
            return self.load_context((address & OFFSET) as usize, size);
        }
        if !aligned(address, size) {
            return None;
        }
        let bytes = self.bytes(address, size)?;
        Some(self.number(bytes))
    }

    /// Stores the low 1, 2, 4 or 8 bytes; `None` for memory that the program may not write.
    #[inline]
    pub fn store(&mut self, address: u64, size: usize, value: u64) -> Option<()> {
        if address >> TAG_SHIFT == CONTEXT {
            return self.store_context((address & OFFSET) as usize, size, value);
        }
        if !aligned(address, size) {
            return None;
        }
        let little_endian = self.little_endian;
        let place = self.bytes_mut(address, size)?;
        if little_endian {
            place.copy_from_slice(&value.to_le_bytes()[..size]);
        } else {
            place.copy_from_slice(&value.to_be_bytes()[8 - size..]);
        }
        Some(())
    }

    /// Bytes that the program may read, the context excepted.
    #[inline]
    pub fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let (tag, offset) = (address >> TAG_SHIFT, (address & OFFSET) as usize);
        match tag {
            STACK => self.stack.get(offset..offset.checked_add(len)?),
            VALUES..MAPS => self.map((tag - VALUES) as usize)?.memory().get(offset, len),
            RECORDS..PACKET => {
                let (map, reservation) = (*self.records.get((tag - RECORDS) as usize)?)?;
                self.map(map)?.ring()?.data(reservation)?.get(offset..offset.checked_add(len)?)
            }
            PACKET.. if tag == PACKET + self.pulls => self.packet[..self.linear].get(offset..offset.checked_add(len)?),
            _ => None,
        }
    }

    /// Bytes that the program may write, the context excepted.
    #[inline]
    pub fn bytes_mut(&mut self, address: u64, len: usize) -> Option<&mut [u8]> {
        let (tag, offset) = (address >> TAG_SHIFT, (address & OFFSET) as usize);
        match tag {
            STACK => self.stack.get_mut(offset..offset.checked_add(len)?),
            VALUES..MAPS => {
                let map = self.map_mut((tag - VALUES) as usize)?;
                if map.access() == Access::ReadOnly {
                    return None;
                }
                map.memory_mut().get_mut(offset, len)
            }
            PACKET.. if tag == PACKET + self.pulls => {
                self.packet[..self.linear].get_mut(offset..offset.checked_add(len)?)
            }
            RECORDS..PACKET => {
                let (map, reservation) = (*self.records.get((tag - RECORDS) as usize)?)?;
                let data = self.map_mut(map)?.ring_mut()?.data_mut(reservation)?;
                data.get_mut(offset..offset.checked_add(len)?)
            }
            _ => None,
        }
    }

    #[inline]
    fn number(&self, bytes: &[u8]) -> u64 {
        // The slice has 1, 2, 4 or 8 bytes; naming the sizes lets each become one load.
        match (bytes, self.little_endian) {
            (&[a], _) => u64::from(a),
            (&[a, b], true) => u64::from(u16::from_le_bytes([a, b])),
            (&[a, b], false) => u64::from(u16::from_be_bytes([a, b])),
            (&[a, b, c, d], true) => u64::from(u32::from_le_bytes([a, b, c, d])),
            (&[a, b, c, d], false) => u64::from(u32::from_be_bytes([a, b, c, d])),
            (&[a, b, c, d, e, f, g, h], true) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            (&[a, b, c, d, e, f, g, h], false) => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            _ => 0,
        }
    }

    fn load_context(&self, offset: usize, size: usize) -> Option<u64> {
        let packet = (PACKET + self.pulls) << TAG_SHIFT;
        match ContextField::at(offset, size)? {
            ContextField::Packet => Some(packet),
            ContextField::PacketEnd => Some(packet | self.linear as u64),
            ContextField::Plain => Some(self.number(self.context.get(offset..offset + size)?)),
        }
    }

    fn store_context(&mut self, offset: usize, size: usize, value: u64) -> Option<()> {
        let writable = matches!(
            offset,
            skb::MARK | skb::QUEUE_MAPPING | skb::PRIORITY | skb::TC_INDEX | skb::CB..skb::HASH | skb::TC_CLASSID
        );
        if !writable || size != 4 || !offset.is_multiple_of(4) {
            return None;
        }
        let raw = if self.little_endian { (value as u32).to_le_bytes() } else { (value as u32).to_be_bytes() };
        self.context.get_mut(offset..offset + 4)?.copy_from_slice(&raw);
        Some(())
    }

    /// The number of the map at an address that `ld_imm64` gave.
    pub(crate) fn map_at(&self, address: u64) -> Option<usize> {
        let tag = address >> TAG_SHIFT;
        ((MAPS..RECORDS).contains(&tag) && address & OFFSET == 0).then(|| (tag - MAPS) as usize)
    }

    #[inline]
    pub(crate) fn map(&self, number: usize) -> Option<&Map> {
        self.maps.get(number)
    }

    #[inline]
    pub(crate) fn map_mut(&mut self, number: usize) -> Option<&mut Map> {
        self.maps.get_mut(number)
    }

    pub(crate) fn is_context(&self, address: u64) -> bool {
        address == CONTEXT_ADDRESS
    }

    /// Makes at least `len` bytes linear. All packet pointers die, whether it works or not, as the kernel's verifier has it.
    pub(crate) fn pull(&mut self, len: usize) -> bool {
        self.pulls = (self.pulls + 1) % PACKET;
        let possible = len <= self.packet.len();
        if possible {
            self.linear = self.linear.max(len);
        }
        possible
    }

    /// Whether atomic operations may touch an address: the context and the packet are excluded, as in the kernel.
    pub(crate) fn allows_atomic(&self, address: u64, size: usize) -> bool {
        let tag = address >> TAG_SHIFT;
        tag != CONTEXT && tag < PACKET && address & (size as u64 - 1) == 0
    }

    pub(crate) fn open_record(&mut self, map: usize, reservation: Reservation) -> u64 {
        self.records.push(Some((map, reservation)));
        (RECORDS + self.records.len() as u64 - 1) << TAG_SHIFT
    }

    /// The record at an address, which is its first byte; it is no longer the program's.
    pub(crate) fn close_record(&mut self, address: u64) -> Option<(usize, Reservation)> {
        let index = (address >> TAG_SHIFT).checked_sub(RECORDS)?;
        if address & OFFSET != 0 {
            return None;
        }
        self.records.get_mut(index as usize)?.take()
    }

    pub(crate) fn has_open_records(&self) -> bool {
        self.records.iter().any(Option::is_some)
    }

    /// Takes the lock at an address. `None` when there is none, or the program holds one already.
    pub(crate) fn lock(&mut self, address: u64) -> Option<()> {
        let number = (address >> TAG_SHIFT).checked_sub(VALUES).filter(|_| self.held.is_none())?;
        let spec = self.map(usize::try_from(number).ok()?)?.spec();
        let is_lock = spec.kind == MapKind::Locks && (address & OFFSET).is_multiple_of(u64::from(spec.value_size));
        is_lock.then(|| self.held = Some(address))
    }

    /// Gives the lock at an address back. `None` when the program does not hold it.
    pub(crate) fn unlock(&mut self, address: u64) -> Option<()> {
        self.held.take_if(|held| *held == address).map(drop)
    }

    /// Whether the program holds a lock. Nobody else is there, so that nobody waits for it.
    pub(crate) fn is_locked(&self) -> bool {
        self.held.is_some()
    }

    /// Gives up what a faulting program left open, so that the ring does not stall for those who come after.
    pub(crate) fn abandon_records(&mut self) {
        for (map, reservation) in std::mem::take(&mut self.records).into_iter().flatten() {
            let _ = self.map_mut(map).and_then(Map::ring_mut).map(|ring| ring.discard(reservation));
        }
    }
}

/// The kernel's verifier wants loads from and stores to the stack aligned.
#[inline]
fn aligned(address: u64, size: usize) -> bool {
    address >> TAG_SHIFT != STACK || address & (size as u64 - 1) == 0
}
