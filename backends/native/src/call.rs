//! The border between machine code and Rust: the frame that both see, the calls in both directions, and all that is unsafe.
//!
//! What makes it sound: machine code gets one pointer, to a [`Frame`] that outlives the call, and from it takes windows of memory
//! that Rust does not touch while machine code runs. Calls back into Rust borrow the same space anew, and hand out its windows anew
//! before they return. Where stack, context, packet and values of maps lie stays as it is for a whole run; how much of the packet may be
//! touched, and by which address, does not.
// Why: machine code is called through a pointer and calls back with one.
#![allow(unsafe_code)]

use crate::translate::Translated;
use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use std::mem::{offset_of, transmute};
use vm::helper::World;
use vm::instruction::Instruction;
use vm::run::{UNWRITTEN, atomically};
use vm::space::{Maps, Space};
use vm::{Context, Fault, Outcome, What};

/// The code of a program.
pub(crate) type Function = unsafe extern "C" fn(*mut Frame);

/// Memory that machine code may touch: the packet, the stack, the only value of a map.
#[repr(C)]
pub(crate) struct Window {
    start: *mut u8,
    /// At how many places, from the start on, 1, 2, 4 and 8 bytes lie inside.
    places: [u64; 4],
}

/// Bytes from one window to the next.
pub(crate) const WINDOW: i32 = size_of::<Window>() as i32;
/// Where a window says at how many places an access of 1 byte may begin, and at 8 bytes' distance that of 2, 4 and 8.
pub(crate) const PLACES: i32 = offset_of!(Window, places) as i32;

impl Window {
    const NONE: Window = Window { start: std::ptr::null_mut(), places: [0; 4] };

    #[inline]
    fn of(bytes: &mut [u8]) -> Window {
        let len = bytes.len() as u64;
        let places = [len, len.saturating_sub(1), len.saturating_sub(3), len.saturating_sub(7)];
        Window { start: bytes.as_mut_ptr(), places }
    }
}

/// What a window of a map is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Read,
    Write,
}

/// What machine code is given. The first fields are its own to read; the rest is what its calls need.
#[repr(C)]
pub(crate) struct Frame {
    packet_address: u64,
    packet_end: u64,
    packet: Window,
    stack: Window,
    context: *const u8,
    windows: *const Window,
    left: u64,
    failed: u64,
    answer: u64,
    at: u64,
    now_jiffies: u64,
    registers: [u64; 16],
    space: *mut Space<'static>,
    world: *mut World,
    instructions: *const [Instruction],
    fault: Option<Fault>,
    asked: u64,
}

/// Offsets of the frame's fields.
pub(crate) mod field {
    use super::{Frame, offset_of};
    pub(crate) const PACKET_ADDRESS: i32 = offset_of!(Frame, packet_address) as i32;
    pub(crate) const PACKET_END: i32 = offset_of!(Frame, packet_end) as i32;
    pub(crate) const PACKET: i32 = offset_of!(Frame, packet) as i32;
    /// A window begins with its start.
    pub(crate) const STACK: i32 = offset_of!(Frame, stack) as i32;
    pub(crate) const CONTEXT: i32 = offset_of!(Frame, context) as i32;
    pub(crate) const WINDOWS: i32 = offset_of!(Frame, windows) as i32;
    pub(crate) const LEFT: i32 = offset_of!(Frame, left) as i32;
    pub(crate) const FAILED: i32 = offset_of!(Frame, failed) as i32;
    pub(crate) const ANSWER: i32 = offset_of!(Frame, answer) as i32;
    pub(crate) const NOW_JIFFIES: i32 = offset_of!(Frame, now_jiffies) as i32;
    pub(crate) const AT: i32 = offset_of!(Frame, at) as i32;
    pub(crate) const REGISTERS: i32 = offset_of!(Frame, registers) as i32;
}

impl Frame {
    /// Takes windows of maps; where there is not one plain value with that right, one without a place.
    fn windows(wanted: &[(usize, Right)], maps: &mut Maps<'_>) -> Vec<Window> {
        let window = |&(number, right): &(usize, Right)| match maps.single_value(number) {
            Some((bytes, may_write)) if may_write || right == Right::Read => Window::of(bytes),
            _ => Window::NONE,
        };
        wanted.iter().map(window).collect()
    }

    /// The frame of a run.
    ///
    /// # Safety
    /// While it lives, everything that it is made of does, and is used through the frame alone.
    unsafe fn new(
        space: &mut Space<'_>,
        world: &mut World,
        instructions: &[Instruction],
        windows: &[Window],
        budget: u64,
    ) -> Frame {
        let mut frame = Frame {
            packet_address: 0,
            packet_end: 0,
            packet: Window::NONE,
            stack: Window::NONE,
            context: std::ptr::null(),
            windows: windows.as_ptr(),
            left: budget,
            failed: 0,
            answer: 0,
            at: 0,
            now_jiffies: world.now_jiffies(),
            registers: [UNWRITTEN; 16],
            space: std::ptr::from_mut(space).cast(),
            world,
            instructions,
            fault: None,
            asked: 0,
        };
        // SAFETY: by the caller.
        unsafe { frame.refresh() };
        frame
    }

    /// Takes the windows of stack and packet anew.
    ///
    /// # Safety
    /// Nothing else may borrow the space.
    unsafe fn refresh(&mut self) {
        // SAFETY: by the caller.
        let space = unsafe { &mut *self.space };
        self.stack = Window::of(space.stack());
        self.context = space.context().as_ptr();
        let (address, bytes) = space.packet();
        (self.packet_address, self.packet_end) = (address, address | bytes.len() as u64);
        self.packet = Window::of(bytes);
    }

    fn fail(&mut self, at: u64, what: What) {
        self.failed = 1;
        self.fault = Some(Fault { at: at as usize, what });
    }

    /// Does something in the interpreter's memory; its fault becomes the frame's.
    fn ask<T: Default>(
        &mut self,
        at: u64,
        act: impl FnOnce(&Instruction, &mut [u64; 16], &mut Space<'static>, &mut World) -> Result<T, What>,
    ) -> T {
        self.asked += 1;
        // SAFETY: machine code waits for this call, and uses no window until the refresh below. The pointers are those of `enter`.
        let done = unsafe {
            let instruction = &(&*self.instructions)[at as usize];
            act(instruction, &mut self.registers, &mut *self.space, &mut *self.world)
        };
        // SAFETY: the borrow of the space has ended with `act`.
        unsafe { self.refresh() };
        done.unwrap_or_else(|what| {
            self.fail(at, what);
            T::default()
        })
    }
}

/// What machine code may call.
#[derive(Clone, Copy)]
pub(crate) enum Callee {
    Load,
    Store,
    Atomic,
    Helper,
    Spent,
}

impl Callee {
    /// How many arguments it takes: the frame, where, and for memory the address and the value.
    pub(crate) fn arguments(self) -> usize {
        match self {
            Callee::Atomic | Callee::Helper | Callee::Spent => 2,
            Callee::Load => 3,
            Callee::Store => 4,
        }
    }

    /// Its address, as a number.
    pub(crate) fn address(self) -> u64 {
        let function = match self {
            Callee::Load => load as *const (),
            Callee::Store => store as *const (),
            Callee::Atomic => atomic as *const (),
            Callee::Helper => helper as *const (),
            Callee::Spent => spent as *const (),
        };
        function.expose_provenance() as u64
    }
}

/// A load that is not plainly inside a window; its answer lies in the frame.
unsafe extern "C" fn load(frame: *mut Frame, at: u64, address: u64) {
    // SAFETY: machine code hands on the frame that it was given.
    let frame = unsafe { &mut *frame };
    frame.answer = frame.ask(at, |instruction, _, space, _| {
        let size = instruction.size();
        space.load(address, size).ok_or(What::Load { address, size })
    });
}

/// A store that is not plainly inside a window.
unsafe extern "C" fn store(frame: *mut Frame, at: u64, address: u64, value: u64) {
    // SAFETY: as for `load`.
    unsafe { &mut *frame }.ask(at, |instruction, _, space, _| {
        let size = instruction.size();
        space.store(address, size, value).ok_or(What::Store { address, size })
    })
}

/// An atomic operation; its registers lie in the frame.
unsafe extern "C" fn atomic(frame: *mut Frame, at: u64) {
    // SAFETY: as for `load`.
    unsafe { &mut *frame }.ask(at, |instruction, registers, space, _| atomically(instruction, registers, space))
}

/// A helper; its arguments lie in the frame.
unsafe extern "C" fn helper(frame: *mut Frame, at: u64) -> u64 {
    // SAFETY: as for `load`.
    unsafe { &mut *frame }.ask(at, |instruction, registers, space, world| {
        let [_, a, b, c, d, e, ..] = *registers;
        vm::helper::call(instruction.imm, [a, b, c, d, e], space, world)
    })
}

/// The budget does not reach to the end of the block that begins here.
unsafe extern "C" fn spent(frame: *mut Frame, at: u64) {
    // SAFETY: as for `load`.
    unsafe { &mut *frame }.fail(at, What::Budget);
}

/// The machine code of one program, freed with this value.
pub(crate) struct Code {
    module: Option<JITModule>,
    function: Function,
    translated: Translated,
}

impl Code {
    /// Takes a finished function out of a module of its own.
    pub(crate) fn new(module: JITModule, id: FuncId, translated: Translated) -> Code {
        let code = module.get_finalized_function(id);
        // SAFETY: the module made a function of this very signature at this address.
        let function = unsafe { transmute::<*const u8, Function>(code) };
        Code { module: Some(module), function, translated }
    }
}

/// A machine with the code of one hook and the maps of a node, for packet after packet with nobody in between.
///
/// The windows of maps are taken once: the session has the maps to itself for as long as it lives, and their bytes never move.
pub struct Session<'a> {
    interpreted: vm::Session<'a>,
    code: &'a Code,
    windows: Vec<Window>,
    asked: u64,
}

impl<'a> Session<'a> {
    pub(crate) fn new(mut interpreted: vm::Session<'a>, code: &'a Code) -> Session<'a> {
        let windows = Frame::windows(&code.translated.windows, interpreted.maps());
        Session { interpreted, code, windows, asked: 0 }
    }

    /// The packet as the last run left it.
    pub fn packet(&self) -> &[u8] {
        self.interpreted.packet()
    }

    /// How often machine code has asked the interpreter for something since the session began.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// Runs the program on a packet. As [`vm::Session::run`].
    pub fn run(&mut self, packet: &[u8], context: &Context) -> Result<Outcome, Fault> {
        if context.budget < self.code.translated.least_budget {
            return self.interpreted.run(packet, context);
        }
        let Session { interpreted, code, windows, asked } = self;
        interpreted.run_by(packet, context, |instructions, space, world| {
            // SAFETY: all of it outlives this closure, and is not used until the function has returned.
            let mut frame = unsafe { Frame::new(space, world, instructions, windows, context.budget) };
            // SAFETY: the function was made by `translate` for these instructions; every pointer of the frame outlives the call.
            unsafe { (code.function)(&raw mut frame) };
            *asked += frame.asked;
            match frame.fault {
                Some(fault) => Err(fault),
                None => vm::run::leave(frame.at as usize, frame.registers[0], context.budget - frame.left, space),
            }
        })
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        if let Some(module) = self.module.take() {
            // SAFETY: functions are called for the time of a run only, which borrows this value.
            unsafe { module.free_memory() };
        }
    }
}
