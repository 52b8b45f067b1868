//! The border between machine code and Rust: the frame that both see, the calls in both directions, and all that is unsafe.
//!
//! What makes it sound: machine code gets one pointer, to a [`Frame`] that outlives the call, and from it takes windows of memory
//! that Rust does not touch while machine code runs. Calls back into Rust borrow the same space anew, and hand out its windows anew
//! before they return.
// Why: machine code is called through a pointer and calls back with one.
#![allow(unsafe_code)]

use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use std::mem::{offset_of, transmute};
use vm::helper::World;
use vm::instruction::Instruction;
use vm::run::{UNWRITTEN, atomically};
use vm::space::Space;
use vm::{Fault, What};

/// The code of a program.
pub(crate) type Function = unsafe extern "C" fn(*mut Frame);

/// Memory that machine code may touch within its length: the only value of a map.
#[repr(C)]
pub(crate) struct Window {
    start: *mut u8,
    readable: u64,
    writable: u64,
}

/// Bytes from one window to the next.
pub(crate) const WINDOW: i64 = size_of::<Window>() as i64;
/// Where a window says how much of it may be read, and written.
pub(crate) const READABLE: i32 = offset_of!(Window, readable) as i32;
pub(crate) const WRITABLE: i32 = offset_of!(Window, writable) as i32;

/// What machine code is given. The first fields are its own to read; the rest is what its calls need.
#[repr(C)]
pub(crate) struct Frame {
    packet_tag: u64,
    packet: *mut u8,
    linear: u64,
    stack: *mut u8,
    windows: *const Window,
    window_count: u64,
    left: u64,
    failed: u64,
    at: u64,
    registers: [u64; 16],
    space: *mut Space<'static>,
    world: *mut World,
    instructions: *const [Instruction],
    fault: Option<Fault>,
}

/// Offsets of the frame's fields.
pub(crate) mod field {
    use super::{Frame, offset_of};
    pub(crate) const PACKET_TAG: i32 = offset_of!(Frame, packet_tag) as i32;
    pub(crate) const PACKET: i32 = offset_of!(Frame, packet) as i32;
    pub(crate) const LINEAR: i32 = offset_of!(Frame, linear) as i32;
    pub(crate) const STACK: i32 = offset_of!(Frame, stack) as i32;
    pub(crate) const WINDOWS: i32 = offset_of!(Frame, windows) as i32;
    pub(crate) const WINDOW_COUNT: i32 = offset_of!(Frame, window_count) as i32;
    pub(crate) const LEFT: i32 = offset_of!(Frame, left) as i32;
    pub(crate) const FAILED: i32 = offset_of!(Frame, failed) as i32;
    pub(crate) const AT: i32 = offset_of!(Frame, at) as i32;
    pub(crate) const REGISTERS: i32 = offset_of!(Frame, registers) as i32;
}

/// A run that reached an exit.
pub(crate) struct Done {
    /// The exit.
    pub(crate) at: usize,
    /// What it answered.
    pub(crate) r0: u64,
    /// What is left of the budget.
    pub(crate) left: u64,
}

impl Frame {
    /// The windows of all maps; those that are not one plain value have no length.
    pub(crate) fn windows(space: &mut Space<'_>) -> Vec<Window> {
        let count = space.map_count();
        let window = |number| match space.single_value(number) {
            Some((bytes, writable)) => {
                let len = bytes.len() as u64;
                Window { start: bytes.as_mut_ptr(), readable: len, writable: if writable { len } else { 0 } }
            }
            None => Window { start: std::ptr::null_mut(), readable: 0, writable: 0 },
        };
        (0..count).map(window).collect()
    }

    /// Runs machine code. Errors: its fault.
    pub(crate) fn enter(
        function: Function,
        instructions: &[Instruction],
        space: &mut Space<'_>,
        world: &mut World,
        windows: &mut [Window],
        budget: u64,
    ) -> Result<Done, Fault> {
        let mut frame = Frame {
            packet_tag: 0,
            packet: std::ptr::null_mut(),
            linear: 0,
            stack: std::ptr::null_mut(),
            windows: windows.as_ptr(),
            window_count: windows.len() as u64,
            left: budget,
            failed: 0,
            at: 0,
            registers: [UNWRITTEN; 16],
            space: std::ptr::from_mut(space).cast(),
            world,
            instructions,
            fault: None,
        };
        // SAFETY: `space` is borrowed exclusively until this function returns, and is used through the frame alone.
        unsafe { frame.refresh() };
        // SAFETY: the function was made by `translate` for these instructions; every pointer of the frame outlives the call.
        unsafe { function(&raw mut frame) };
        match frame.fault {
            Some(fault) => Err(fault),
            None => Ok(Done { at: frame.at as usize, r0: frame.registers[0], left: frame.left }),
        }
    }

    /// Takes the windows of stack and packet anew.
    ///
    /// # Safety
    /// Nothing else may borrow the space.
    unsafe fn refresh(&mut self) {
        // SAFETY: by the caller.
        let space = unsafe { &mut *self.space };
        self.stack = space.stack().as_mut_ptr();
        let (address, bytes) = space.packet();
        self.packet_tag = address >> vm::space::TAG_SHIFT;
        self.linear = bytes.len() as u64;
        self.packet = bytes.as_mut_ptr();
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

/// A load that is not plainly inside a window.
unsafe extern "C" fn load(frame: *mut Frame, at: u64, address: u64) -> u64 {
    // SAFETY: machine code hands on the frame that it was given.
    unsafe { &mut *frame }.ask(at, |instruction, _, space, _| {
        let size = instruction.size();
        space.load(address, size).ok_or(What::Load { address, size })
    })
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
}

impl Code {
    /// Takes a finished function out of a module of its own.
    pub(crate) fn new(module: JITModule, id: FuncId) -> Code {
        let code = module.get_finalized_function(id);
        // SAFETY: the module made a function of this very signature at this address.
        let function = unsafe { transmute::<*const u8, Function>(code) };
        Code { module: Some(module), function }
    }

    /// What may be called for as long as this value lives.
    pub(crate) fn function(&self) -> Function {
        self.function
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
