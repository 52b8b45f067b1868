//! From an image to machine code, and a run of it.

use crate::call::{Code, Session};
use crate::cold::Cold;
use crate::translate::{entry, translate};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, ModuleError, default_libcall_names};
use image::{Hook, Image};
use maps::{NodeMaps, OwnTables};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use vm::instruction::Instruction;
use vm::{Context, Fault, LoadError, Outcome};

/// Why there is no machine code.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The interpreter would not run it either.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// No code can be made for this computer.
    #[error("no machine code for this computer: {0}")]
    Host(String),
    /// The code generator refuses.
    #[error("the code generator refuses: {0}")]
    Generator(#[from] Box<ModuleError>),
}

impl From<ModuleError> for BuildError {
    fn from(error: ModuleError) -> BuildError {
        BuildError::Generator(Box::new(error))
    }
}

/// Programs that have been translated, by their instructions: images of one node differ in their tables more than in their code.
#[derive(Default)]
pub struct Cache {
    known: HashMap<(Vec<Instruction>, bool), Rc<Code>>,
}

impl Cache {
    fn code(&mut self, instructions: &[Instruction], little_endian: bool) -> Result<Rc<Code>, BuildError> {
        match self.known.entry((instructions.to_vec(), little_endian)) {
            Entry::Occupied(known) => Ok(known.get().clone()),
            Entry::Vacant(place) => Ok(place.insert(Rc::new(compile(instructions, little_endian)?)).clone()),
        }
    }
}

fn compile(instructions: &[Instruction], little_endian: bool) -> Result<Code, BuildError> {
    let mut module = JITModule::new(JITBuilder::with_isa(host()?, default_libcall_names()));
    let mut context = module.make_context();
    let cold = Cold::define(&mut module, &mut context)?;
    let config = module.target_config();
    context.func.signature = entry(config);
    let cold = cold.seen_from(&mut module, &mut context.func);
    let mut frontend = FunctionBuilderContext::new();
    let translated = translate(instructions, little_endian, config, cold, &mut context.func, &mut frontend);
    let id = module.declare_function("program", Linkage::Local, &context.func.signature)?;
    module.define_function(id, &mut context)?;
    module.finalize_definitions()?;
    Ok(Code::new(module, id, translated))
}

/// An image in machine code, with its own tables. Connections, records and counters live in [`NodeMaps`], apart.
pub struct Machine {
    interpreted: vm::Machine,
    programs: Vec<(Hook, Rc<Code>)>,
}

impl Machine {
    /// Translates an image. Errors: [`BuildError`]; nothing of the image is then kept.
    pub fn load(image: &Image) -> Result<Machine, BuildError> {
        Machine::load_with(image, &mut Cache::default())
    }

    /// As [`Machine::load`], with what has been translated before.
    pub fn load_with(image: &Image, cache: &mut Cache) -> Result<Machine, BuildError> {
        let interpreted = vm::Machine::load(image)?;
        let little_endian = interpreted.little_endian();
        let translated = |(hook, instructions)| Ok((hook, cache.code(instructions, little_endian)?));
        let programs = interpreted.instructions().map(translated).collect::<Result<_, BuildError>>()?;
        Ok(Machine { interpreted, programs })
    }

    /// The image's own tables: classes to fill, counters to read.
    pub fn tables(&self) -> &OwnTables {
        self.interpreted.tables()
    }

    /// The image's own tables, to be filled.
    pub fn tables_mut(&mut self) -> &mut OwnTables {
        self.interpreted.tables_mut()
    }

    /// Stores the class of a peer for a hook's program. Errors: as [`OwnTables::set_class`].
    pub fn set_class(&mut self, hook: Hook, peer: u32, class: u16) -> bool {
        self.interpreted.set_class(hook, peer, class)
    }

    /// The packet as the last run left it.
    pub fn packet(&self) -> &[u8] {
        self.interpreted.packet()
    }

    /// Runs the program of a hook on a packet. As [`vm::Machine::run`].
    pub fn run(&mut self, maps: &mut NodeMaps, hook: Hook, packet: &[u8], context: &Context) -> Result<Outcome, Fault> {
        self.session(maps, hook)?.run(packet, context)
    }

    /// Begins to run packets. Errors: as [`vm::Machine::session`].
    pub fn session<'a>(&'a mut self, maps: &'a mut NodeMaps, hook: Hook) -> Result<Session<'a>, Fault> {
        let code = self.programs.iter().find(|(at, _)| *at == hook);
        let interpreted = self.interpreted.session(maps, hook)?;
        let (_, code) = code.ok_or(Fault { at: 0, what: vm::What::NoProgram })?;
        Ok(Session::new(interpreted, code))
    }
}

fn host() -> Result<cranelift_codegen::isa::OwnedTargetIsa, BuildError> {
    let refuse = |what: String| BuildError::Host(what);
    let mut flags = settings::builder();
    // Why `speed`: it folds what is known of addresses, and with that most of the checks of windows.
    for (name, value) in [("is_pic", "false"), ("use_colocated_libcalls", "false"), ("opt_level", "speed")] {
        flags.set(name, value).map_err(|error| refuse(error.to_string()))?;
    }
    let isa = cranelift_native::builder().map_err(|what| refuse(what.to_owned()))?;
    isa.finish(settings::Flags::new(flags)).map_err(|error| refuse(error.to_string()))
}
