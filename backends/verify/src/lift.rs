//! Lifts one decision of a program: from the peer in a register and the key in the frame to where control goes.
//!
//! Every path is followed. A register holds a function of the key ([`crate::dd`]), the peer's number, its class, or a pointer whose
//! offset is such a function; whatever else a decision would do is refused. So an error here can only refuse a good program.

mod machine;
mod value;

pub(crate) use machine::element;
pub use machine::{Exit, Lifted, Refused, lift};

use crate::dd::Dd;
use image::{CellPlan, DirectionPlan, Fill, Image, MapRef, Program, layout};

/// Where a decision stands in its program, and where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first instruction, which stores the peer's number.
    pub start: usize,
    /// The instruction behind it: where denied packets go on.
    pub end: usize,
    /// Where allowed packets go on.
    pub allow: usize,
    /// Where packets go on that need a listener.
    pub no_proxy: usize,
    /// Where packets go on that need a session.
    pub auth_required: usize,
    /// Where packets go on whose table does not fit the program, if any may.
    pub broken: Option<usize>,
}

/// What is known of the class of a packet's peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It was not asked for.
    Unread,
    /// The peer's number is beyond the class table, so it is of class 0.
    Beyond,
    /// This one.
    Is(u32),
    /// One from `low` on.
    From(u32),
}

/// What a decision reads and is compared with.
#[derive(Clone, Copy)]
pub struct Subject<'i> {
    /// The image.
    pub image: &'i Image,
    /// The program.
    pub program: &'i Program,
    /// How the plan says that it decides.
    pub plan: &'i CellPlan,
}

impl<'i> Subject<'i> {
    /// The program of a direction that decides by cells.
    pub fn of(image: &'i Image, program: &'i Program) -> Option<Subject<'i>> {
        let plan = if program.hook.is_egress() { &image.plan.egress } else { &image.plan.ingress };
        match plan {
            DirectionPlan::Cells(plan) => Some(Subject { image, program, plan }),
            DirectionPlan::Constant(_) => None,
        }
    }

    pub(crate) fn fixed(&self) -> Option<&'i [u8]> {
        match &self.image.tables.get(usize::from(self.plan.fixed_table()?))?.fill {
            Fill::Fixed(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Whether a map holds the classes of this direction's peers.
    fn is_class_table(&self, map: MapRef) -> bool {
        let index = u8::from(self.program.hook.is_egress());
        self.plan.class_table.is_some_and(|table| {
            let holds = self.image.tables.get(usize::from(table)).map(|table| &table.fill);
            map == MapRef::Own(table) && holds == Some(&Fill::Classes(index))
        })
    }
}

/// Offsets in the frame and the context that a decision touches. They are the frame of the templates: other ones match no template.
pub(crate) mod place {
    use super::layout::record;
    /// Where the record begins in the frame.
    const RECORD: i16 = -80;
    pub const PEER: i16 = RECORD + record::PEER as i16;
    pub const KEY: i16 = RECORD + record::L4_KEY as i16;
    pub const LEAF: i16 = RECORD + record::LEAF as i16;
    /// `gso_segs` in `struct __sk_buff`.
    pub const GSO_SEGS: i16 = 164;
}

/// One function with the keys for which it holds.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// 1 for the keys that take this path, elsewhere for the others.
    pub care: Dd,
    /// The number of the leaf, as it stands in the record; `None` before it was stored.
    pub leaf: Option<Dd>,
}
