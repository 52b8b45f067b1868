//! Compiles decisions into eBPF programs and the tables that they read.
//!
//! In: two diagrams (ingress, egress) and a target.  Out: [`Image`].
//!
//! # Picture
//! ```text
//!  Diagram ──► Matrix ──► candidates, priced ──► the cheapest ─┬─► tables ──┐
//!                                                              └─► plan ──┐ ├──► Image
//!  Target ────────────────────────────────────────────────────────────────┴─ emit
//!     (own, of a node) ─► parse ─► track ─► decide ─► pass or drop
//! ```
//! # Does not know
//! Rules, selectors, Kubernetes; how an image is loaded, what a peer number stands for.
//! # Laws
//! Equal inputs give equal bytes; programs, and what a kernel verifies of them, do not grow with the policy beyond the few comparisons that
//! a small one is decided by (`tests/image.rs`). What is forecast of a shape is what is built (`tests/shapes.rs`).
//! The judge of packets, the programs in user space and the programs in the kernel agree, on whole packets (`tests/packets.rs`) and on
//! damaged ones (`tests/random.rs`); the choices below say where the programs are stricter on purpose. Answered connections survive a flood of openings (`tests/state.rs`).
//! Nothing on the path of an IPv4 packet with ports calls a kernel function (jiffies are inlined), unless a record is written.
//!
//! # Choices
//! * The destination of a packet to the endpoint is not compared with its address: what its interface is given is judged by peer and port,
//!   multicast and broadcast included.
//! * An ICMP error belongs to a connection only if it goes to the sender of the packet inside it; and one with IPv6 extension headers
//!   inside belongs to none. Both are judged by type and code then.
//! * Headers further than 256 bytes into a packet that is not linear drop as `truncated`.
//! * Programs write the time of an entry only when it is a 64th of the lifetime of other flows old, so entries end up to that much early.
//! # Reading order
//! [`compile`], [`Settings`], [`decide`], then `program`, `emit`, `parse`, `track`; [`asm`] is underneath, [`explain`](fn@explain) for people.

pub mod asm;
mod bare;
pub mod decide;
mod emit;
mod explain;
mod oppose;
mod parse;
mod program;
mod settings;
mod templates;
mod track;

pub use bare::compile_decision;
pub use decide::choose::Shapes;
pub use decide::leaves::{class_table, leaf};
pub use decide::matrix::{MAX_CELLS, Matrix};
pub use explain::explain;
pub use oppose::oppose;
pub use settings::Settings;
pub use templates::{listed_targets, small_target, templates};

use crate::decide::blob;
use crate::decide::choose::{self, Candidate, Given, Key};
use diagram::Diagram;
use image::{
    CELL_COUNTERS, CellPlan, DirectionPlan, Fill, Hook, Image, KeyPlan, LeafPlan, MapKind, NARROW_VALUE, NodeMap,
    Notes, PagePlan, Plan, Program, Table, Target,
};

/// The table of the image's digest is always the first.
pub(crate) const DIGEST_TABLE: u16 = 0;

/// Why no image was built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The policy has more distinct behaviours than a table holds.
    #[error(
        "the policy tells {rows} kinds of peers and {columns} kinds of ports apart, which is more than {limit} cells"
    )]
    TooLarge {
        /// Classes of peers.
        rows: u32,
        /// Columns of ports.
        columns: u32,
        /// The greatest product.
        limit: u64,
    },
    /// The numbers of a decision do not fit together.
    #[error("the decision table contradicts itself")]
    Shape,
    /// The target has sizes that no program can be written for.
    #[error("the target is out of range: {0}")]
    Target(&'static str),
    /// A table is larger than kernels of the target allocate.
    #[error("table {table} would have {bytes} bytes, and kernels before 6.0 give one at most {NARROW_VALUE}")]
    Narrow {
        /// The table.
        table: String,
        /// What it would take.
        bytes: u32,
    },
    /// A mistake of this crate: the program would be malformed.
    #[error("the program is malformed: {0}")]
    Malformed(#[from] asm::AsmError),
}

/// Compiles the diagrams of an endpoint class into an image. `subject` is its name, for people; it is no part of the digest.
///
/// Errors: [`Problem`]; nothing is built then. Cost: linear in classes times columns.
pub fn compile(subject: &str, ingress: &Diagram, egress: &Diagram, target: &Target) -> Result<Image, Problem> {
    compile_matrices(subject, &Matrix::of(ingress)?, &Matrix::of(egress)?, target)
}

/// Compiles the diagrams of a node itself into an image, likewise.
///
/// Errors: [`Problem`]; nothing is built then.
pub fn compile_host(subject: &str, ingress: &Diagram, egress: &Diagram, target: &Target) -> Result<Image, Problem> {
    compile_hooks(Hook::HOST, subject, &Matrix::of(ingress)?, &Matrix::of(egress)?, target)
}

/// Compiles the diagrams for the hooks of an endpoint, or for those of a node, on a node with these settings.
///
/// Errors: [`Problem`]; nothing is built then.
pub fn compile_under(
    settings: Settings,
    hooks: [Hook; 2],
    subject: &str,
    [ingress, egress]: [&Diagram; 2],
    target: &Target,
) -> Result<Image, Problem> {
    compile_with(settings, hooks, subject, &Matrix::of(ingress)?, &Matrix::of(egress)?, target)
}

/// Compiles decisions that are numbers already: ingress, then egress.
///
/// Errors: [`Problem`]; nothing is built then.
pub fn compile_matrices(subject: &str, ingress: &Matrix, egress: &Matrix, target: &Target) -> Result<Image, Problem> {
    compile_hooks(Hook::BOTH, subject, ingress, egress, target)
}

/// Compiles decisions for the hooks of an endpoint, or for those of a node.
///
/// Errors: [`Problem`]; nothing is built then.
pub fn compile_hooks(
    hooks: [Hook; 2],
    subject: &str,
    ingress: &Matrix,
    egress: &Matrix,
    target: &Target,
) -> Result<Image, Problem> {
    compile_with(Settings::default(), hooks, subject, ingress, egress, target)
}

/// Compiles decisions on a node with these settings.
///
/// Errors: [`Problem`]; nothing is built then.
pub fn compile_with(
    settings: Settings,
    hooks: [Hook; 2],
    subject: &str,
    ingress: &Matrix,
    egress: &Matrix,
    target: &Target,
) -> Result<Image, Problem> {
    check_target(target)?;
    let mut tables = vec![Table { name: "tg_digest".into(), fill: Fill::Digest }];
    let mut programs = Vec::new();
    let mut plans = Vec::new();
    for (index, (hook, matrix)) in hooks.into_iter().zip([ingress, egress]).enumerate() {
        let given = Given { peers_log2: target.peers_log2, counted: true, shapes: settings.shapes };
        let (plan, key) = direction(index as u8, matrix, target, given, &mut tables)?;
        let built = program::program(hook, target, &plan, &key, settings)?;
        let name = name_of(hook).into();
        programs.push(Program { name, hook, insns: built.insns, relocs: built.relocs });
        plans.push(plan);
    }
    check_tables(target, &tables)?;
    let egress_plan = plans.pop().ok_or(Problem::Shape)?;
    let ingress_plan = plans.pop().ok_or(Problem::Shape)?;
    Ok(Image {
        target: target.clone(),
        programs,
        tables,
        plan: Plan { ingress: ingress_plan, egress: egress_plan },
        notes: Notes { subject: subject.into(), rules: vec![] },
    })
}

/// What the kernel calls a program.
fn name_of(hook: Hook) -> &'static str {
    match hook {
        Hook::ToEndpoint => "tg_to_endpoint",
        Hook::FromEndpoint => "tg_from_endp",
        Hook::ToHost => "tg_to_host",
        Hook::FromHost => "tg_from_host",
    }
}

/// The plan of one direction, its tables appended, with what the code of its keys is made from.
fn direction(
    index: u8,
    matrix: &Matrix,
    target: &Target,
    given: Given,
    tables: &mut Vec<Table>,
) -> Result<(DirectionPlan, Key), Problem> {
    matrix.check()?;
    if let Some(leaf) = matrix.as_constant() {
        return Ok((DirectionPlan::Constant(leaf), Key::One));
    }
    let best = choose::candidates(matrix, given).into_iter().next().ok_or(Problem::Shape)?;
    let suffix = ["in", "out"][usize::from(index)];
    let mut add = |name: String, fill| {
        tables.push(Table { name, fill });
        tables.len() as u16 - 1
    };
    let named = |name: &str| format!("tg_{name}_{suffix}");
    let (key, leaf) = fixed(matrix, &best, target, &mut |fill| add(named("table"), fill))?;
    let class_table = (matrix.class_count > 1).then(|| add(named("class"), Fill::Classes(index)));
    let counters = CELL_COUNTERS[usize::from(index)].to_owned();
    let counter_table = given.counted.then(|| add(counters, Fill::Counters(matrix.leaves.len() as u32)));
    let plan = CellPlan {
        class_count: matrix.class_count,
        column_count: matrix.column_count(),
        class_table,
        counter_table,
        key,
        leaf,
        signatures: matrix.signatures.clone(),
    };
    Ok((DirectionPlan::Cells(plan), best.key))
}

/// The plans of keys and leaves. Pages and matrix, where there are such, share one table, the pages first.
fn fixed(
    matrix: &Matrix,
    best: &Candidate,
    target: &Target,
    add: &mut dyn FnMut(Fill) -> u16,
) -> Result<(KeyPlan, LeafPlan), Problem> {
    let (key, leaf) = (choose::key_plan(&best.key, matrix), choose::leaf_plan(best.leaf, matrix));
    let pages = if key.is_none() { Some(blob::blob(matrix, target.little_endian)?) } else { None };
    let mut bytes = pages.as_ref().map_or(Vec::new(), |blob| blob.bytes.clone());
    let end = bytes.len() as u32;
    if leaf.is_none() {
        bytes.extend_from_slice(&matrix.leaves);
    }
    let table = if bytes.is_empty() { 0 } else { add(Fill::Fixed(bytes)) };
    let paged = pages
        .map(|blob| KeyPlan::Pages(PagePlan { table, protocols: 0, pages: blob.pages, columns: blob.columns, end }));
    let key = key.or(paged).ok_or(Problem::Shape)?;
    Ok((key, leaf.unwrap_or(LeafPlan::Matrix { table, offset: end })))
}

/// Whether every table of the policy fits into what kernels of the target give one.
fn check_tables(target: &Target, tables: &[Table]) -> Result<(), Problem> {
    let size = |table: &Table| table.value_size(1 << target.peers_log2);
    match tables.iter().find(|table| !target.wide_values && size(table) > NARROW_VALUE) {
        Some(table) => Err(Problem::Narrow { table: table.name.clone(), bytes: size(table) }),
        None => Ok(()),
    }
}

/// Sizes whose offsets and masks are 32-bit immediates and fit into what a kernel gives one map.
fn check_target(target: &Target) -> Result<(), Problem> {
    let checks = [
        (target.endpoints_log2 <= 16, "endpoints"),
        (target.address4_pages_log2 <= 16, "IPv4 address pages"),
        (target.peers_log2 <= 24, "peers"),
        (target.track4_sets_log2 <= 20 && target.track6_sets_log2 <= 19, "connections"),
    ];
    match checks.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(Problem::Target(what)),
        None if target.wide_values || arrays_are_narrow(target) => Ok(()),
        None => Err(Problem::Target("arrays of the node")),
    }
}

/// Whether the node's own arrays fit into what kernels before 6.0 give one.
fn arrays_are_narrow(target: &Target) -> bool {
    let sizes = |map: &NodeMap| (map.spec(target).kind == MapKind::Array).then(|| map.spec(target).value_size);
    NodeMap::of(target).iter().filter_map(sizes).all(|size| size <= NARROW_VALUE)
}
