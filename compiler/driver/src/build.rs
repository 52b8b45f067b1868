//! From diagrams to images.

use crate::meaning::{self, ClassKey};
use ::image::{Digest, DirectionPlan, Hook, Image};
use diagram::Diagram;
use ebpf::Matrix;
use facts::Config;
use flow::Direction;
use hir::resolve::{BoundDirection, BoundRule};
use hir::subject::{Class, SubjectKind};
use inputs::Db;
use std::fmt::Write;
use std::sync::Arc;

/// Why a class has no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A diagram would exceed a limit.
    Diagram(diagram::TooLarge),
    /// The code generator refuses.
    Compile(ebpf::Problem),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::Diagram(problem) => problem.fmt(f),
            Problem::Compile(problem) => problem.fmt(f),
        }
    }
}

impl std::error::Error for Problem {}

/// `compile`: the image of a class.
///
/// Errors: [`Problem`]; other classes have their images all the same.
#[salsa::tracked(returns(clone))]
pub fn image<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Result<Arc<Image>, Problem> {
    db.ran("compile", &meaning::name(key.class(db)));
    image_by(db, key, &How::default()).map(Arc::new)
}

/// How images are made, beside what they mean.
pub struct How<'a> {
    /// Which shapes of a decision are asked.
    pub shapes: ebpf::Shapes,
    /// Packets that were counted in each cell of a decision; empty where none were.
    pub hits: &'a dyn Fn(Direction, &Diagram) -> Vec<u64>,
}

impl Default for How<'_> {
    fn default() -> Self {
        How { shapes: ebpf::Shapes::default(), hits: &|_, _| Vec::new() }
    }
}

impl How<'_> {
    /// A diagram in numbers, with its hits. Errors: as [`Matrix::of`]; hits of other cells than it has are none.
    pub fn matrix(&self, direction: Direction, diagram: &Diagram) -> Result<Matrix, ebpf::Problem> {
        let mut matrix = Matrix::of(diagram)?;
        let hits = (self.hits)(direction, diagram);
        if hits.len() == matrix.leaves.len() {
            matrix.hits = hits;
        }
        Ok(matrix)
    }
}

/// The image of a class, made in some other way than a node makes it. It means the same.
///
/// Errors: [`Problem`].
pub fn image_by<'db>(db: &'db dyn Db, key: ClassKey<'db>, how: &How<'_>) -> Result<Image, Problem> {
    let subject = meaning::name(key.class(db));
    let diagrams = meaning::diagrams(db, key).map_err(Problem::Diagram)?;
    let [ingress, egress] = &*diagrams;
    let hooks = match key.class(db).kind {
        SubjectKind::Host => Hook::HOST,
        SubjectKind::Endpoint | SubjectKind::Init => Hook::BOTH,
    };
    let settings = ebpf::Settings { shapes: how.shapes, ..settings(&meaning::config(db)) };
    let target = db.project().target(db);
    let matrix = |direction, diagram| how.matrix(direction, diagram).map_err(Problem::Compile);
    let (ingress, egress) = (matrix(Direction::Ingress, ingress)?, matrix(Direction::Egress, egress)?);
    let compiled = ebpf::compile_with(settings, hooks, &subject, &ingress, &egress, &target);
    let mut image = compiled.map_err(Problem::Compile)?;
    let bound = meaning::bound(db, key);
    sign(&mut image.plan.ingress, &bound.ingress);
    sign(&mut image.plan.egress, &bound.egress);
    image.notes.rules = meaning::rule_sets(db, key).iter().map(rules::RuleSet::to_string).collect();
    Ok(image)
}

/// What programs do with packets whatever the policy says, as the cluster is set up.
pub fn settings(config: &Config) -> ebpf::Settings {
    ebpf::Settings {
        untracked_fragments4: !config.fragments4,
        untracked_fragments6: !config.fragments6,
        tunnel_port: config.tunnel_port(),
        shapes: ebpf::Shapes::default(),
    }
}

/// The images of all classes, in the order of the classes.
pub fn images(db: &dyn Db) -> Vec<(Class, Result<Arc<Image>, Problem>)> {
    meaning::keys(db).iter().map(|key| (key.class(db).clone(), image(db, *key))).collect()
}

/// Writes signatures that follow from the text of the rules: rule numbers become words of what each rule says, and the default class,
/// which no rule names, carries what all rules say together.
pub fn sign(plan: &mut DirectionPlan, bound: &BoundDirection) {
    let DirectionPlan::Cells(plan) = plan else { return };
    let said: Vec<Digest> = bound.rules.iter().map(said).collect();
    for signature in &mut plan.signatures {
        *signature =
            signature.iter().map(|rule| said.get(*rule as usize).map_or(*rule, |said| words(*said)[0])).collect();
    }
    let mut all: Vec<Digest> = said;
    all.sort_unstable();
    all.dedup();
    let mut text: Vec<u8> = all.iter().flat_map(|it| it.0).collect();
    text.extend([u8::from(bound.isolated_by.is_empty()), u8::from(bound.normal_tier_is_final)]);
    if let Some(default) = plan.signatures.first_mut() {
        *default = words(Digest::of(&text)).to_vec();
    }
}

/// What a rule says, without where it says so and without peer numbers.
fn said(rule: &BoundRule) -> Digest {
    let mut text = String::new();
    let BoundRule { tier, order, effect, selector, l4, l7, auth, peers: _, origin: _ } = rule;
    // Why not what is asked of requests: programs hand flows over, and proxies apply it.
    let l7 = l7.as_ref().map(|l7| (&l7.parser, l7.priority));
    // Cannot fail: writing into a String never does.
    let _ = write!(text, "{tier:?} {order} {effect:?} {l4} {l7:?} {auth:?} {selector}");
    Digest::of(text.as_bytes())
}

fn words(digest: Digest) -> [u32; 8] {
    std::array::from_fn(|at| u32::from_le_bytes(std::array::from_fn(|byte| digest.0[at * 4 + byte])))
}
