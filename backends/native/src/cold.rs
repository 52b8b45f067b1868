//! Calls from machine code that seldom happen: through a function that leaves all registers as they are, so that what does not happen
//! costs the way past it no register.

use crate::call::Callee;
use crate::machine::BuildError;
use cranelift_codegen::Context;
use cranelift_codegen::ir::{AbiParam, FuncRef, Function, InstBuilder, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Linkage, Module};

/// One function for each callee, with its arguments.
pub(crate) struct Cold<T> {
    pub(crate) load: T,
    pub(crate) store: T,
    pub(crate) atomic: T,
    pub(crate) spent: T,
}

impl Cold<FuncId> {
    /// Makes the functions. Errors: the code generator refuses.
    pub(crate) fn define(module: &mut impl Module, context: &mut Context) -> Result<Cold<FuncId>, BuildError> {
        let mut define = |callee: Callee, name| -> Result<FuncId, BuildError> {
            let config = module.target_config();
            context.func.signature = signature(callee, CallConv::PreserveAll);
            body(callee, config, &mut context.func);
            let id = module.declare_function(name, Linkage::Local, &context.func.signature)?;
            module.define_function(id, context)?;
            module.clear_context(context);
            Ok(id)
        };
        Ok(Cold {
            load: define(Callee::Load, "load")?,
            store: define(Callee::Store, "store")?,
            atomic: define(Callee::Atomic, "atomic")?,
            spent: define(Callee::Spent, "spent")?,
        })
    }

    /// The functions as another one names them.
    pub(crate) fn seen_from(&self, module: &mut impl Module, function: &mut Function) -> Cold<FuncRef> {
        let mut seen = |id| module.declare_func_in_func(id, function);
        Cold { load: seen(self.load), store: seen(self.store), atomic: seen(self.atomic), spent: seen(self.spent) }
    }
}

fn signature(callee: Callee, convention: CallConv) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params = vec![AbiParam::new(types::I64); callee.arguments()];
    signature
}

/// Hands the arguments on.
fn body(callee: Callee, config: TargetFrontendConfig, function: &mut Function) {
    let mut frontend = FunctionBuilderContext::new();
    let mut builder = FunctionBuilder::new(function, &mut frontend);
    let entry = builder.create_block();
    builder.append_block_params_for_function_params(entry);
    builder.switch_to_block(entry);
    let arguments = builder.block_params(entry).to_vec();
    let rust = builder.import_signature(signature(callee, config.default_call_conv));
    let address = builder.ins().iconst(types::I64, callee.address() as i64);
    builder.ins().call_indirect(rust, address, &arguments);
    builder.ins().return_(&[]);
    builder.seal_all_blocks();
    builder.finalize(config);
}
