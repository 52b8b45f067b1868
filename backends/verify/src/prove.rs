//! The proof of an image, and what may be wrong with one.

use crate::dd::{Dd, Op, Store, Term};
use crate::lift::{Class, Exit, Refused, Region, Subject, lift};
use crate::whole::Settings;
use crate::{planned, template};
use diagram::{ClassId, Diagram, L4Map};
use flow::{Action, Auth, Direction, Family, L4Key, Verdict};
use image::{Digest, DirectionPlan, Image, Program, layout};

/// What was proved of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramProof {
    /// The direction that it decides.
    pub direction: Direction,
    /// The template that surrounds its decisions.
    pub template: Digest,
    /// What every flow gets, of whichever IP version, when that is the same for all: a leaf of [`layout`]. There is no decision then.
    pub constant: Option<u8>,
    /// Its decisions: that of IPv4, then that of IPv6.
    pub decisions: Vec<DecisionProof>,
    /// Classes of peers.
    pub classes: usize,
}

/// What was proved of one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionProof {
    /// The IP version that it decides.
    pub family: Family,
    /// Paths that were followed to their end.
    pub paths: usize,
}

/// Why an image is not proved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has not exactly one program for each direction.
    #[error("the image has no program for {0}, or several")]
    Programs(Direction),
    /// What surrounds the decisions is no known template.
    #[error("{direction}: what surrounds the decisions is no template that is known (it would be {found})")]
    Template {
        /// The direction.
        direction: Direction,
        /// The digest that it has; zero where it has none.
        found: Digest,
    },
    /// A decision stands where none is expected, or does what no decision does.
    #[error("{direction}: {refused}")]
    Decision {
        /// The direction.
        direction: Direction,
        /// Where and what.
        refused: Refused,
    },
    /// The programs are for nodes that differ.
    #[error("the programs are for different nodes: ingress for {ingress}, egress for {egress}")]
    Settings {
        /// For which nodes the program towards the endpoint is.
        ingress: Settings,
        /// For which nodes the other one is.
        egress: Settings,
    },
    /// A path of the program does something else than the rules of packets say, or something that is not understood.
    #[error("{direction}: around the decisions, {refused}")]
    Path {
        /// The direction.
        direction: Direction,
        /// Where and what.
        refused: Refused,
    },
    /// The decisions are not that of IPv4 and then that of IPv6.
    #[error("{direction}: the decisions are not one for IPv4 and then one for IPv6")]
    Families {
        /// The direction.
        direction: Direction,
    },
    /// A flow is answered otherwise than the rules say.
    #[error("{direction}: a peer of class {class} with {key} gets {found}, and the rules say {expected}")]
    Wrong {
        /// The direction.
        direction: Direction,
        /// The class of the peer.
        class: u32,
        /// Protocol and port.
        key: L4Key,
        /// What the program does.
        found: &'static str,
        /// What the rules say.
        expected: Verdict,
    },
    /// The plan says something else than the rules.
    #[error("{direction}: the plan has {found} classes, and the rules have {expected}")]
    Classes {
        /// The direction.
        direction: Direction,
        /// In the plan.
        found: u32,
        /// In the diagram.
        expected: usize,
    },
    /// The plan decides otherwise than the rules, or not at all.
    #[error("{direction}: the plan {what}")]
    Plan {
        /// The direction.
        direction: Direction,
        /// What is wrong.
        what: &'static str,
    },
    /// The rules that the image carries cannot be used.
    #[error("{direction}: the rules of the image: {why}")]
    Rules {
        /// The direction.
        direction: Direction,
        /// Why.
        why: String,
    },
}

/// Proves that both programs of an image decide as two diagrams say. Shape: ingress, then egress.
///
/// Errors: every program that is not proved, with the first reason.
pub fn prove(image: &Image, diagrams: &[Diagram; 2]) -> Result<[ProgramProof; 2], Vec<Refusal>> {
    prove_with(image, diagrams, &template::is_known)
}

/// As [`prove`], with other templates than those that are known.
///
/// Errors: likewise.
pub fn prove_with(
    image: &Image,
    diagrams: &[Diagram; 2],
    is_known: &dyn Fn(Digest) -> bool,
) -> Result<[ProgramProof; 2], Vec<Refusal>> {
    let one = |direction: Direction, diagram: &Diagram| {
        let mut programs = image.programs.iter().filter(|it| it.hook.is_egress() == (direction == Direction::Egress));
        match (programs.next(), programs.next()) {
            (Some(program), None) => of_program(image, program, direction, diagram, is_known),
            _ => Err(Refusal::Programs(direction)),
        }
    };
    match (one(Direction::Ingress, &diagrams[0]), one(Direction::Egress, &diagrams[1])) {
        (Ok(ingress), Ok(egress)) => Ok([ingress, egress]),
        (ingress, egress) => Err([ingress.err(), egress.err()].into_iter().flatten().collect()),
    }
}

/// The digest of what surrounds the decisions of a program; for making a list of templates.
pub fn template_of(image: &Image, program: &Program) -> Option<Digest> {
    let regions = match Subject::of(image, program) {
        Some(subject) => template::regions(subject)?,
        None => Vec::new(),
    };
    template::digest(image, program, &regions)
}

fn of_program(
    image: &Image,
    program: &Program,
    direction: Direction,
    diagram: &Diagram,
    is_known: &dyn Fn(Digest) -> bool,
) -> Result<ProgramProof, Refusal> {
    let template = template_of(image, program).unwrap_or(Digest([0; 32]));
    if !is_known(template) {
        return Err(Refusal::Template { direction, found: template });
    }
    let plan = if direction == Direction::Egress { &image.plan.egress } else { &image.plan.ingress };
    match (plan, Subject::of(image, program)) {
        (DirectionPlan::Cells(plan), Some(subject)) => {
            let (found, expected) = (plan.class_count, diagram.classes());
            if found as usize != expected {
                return Err(Refusal::Classes { direction, found, expected });
            }
            let regions = template::regions(subject).unwrap_or_default();
            let families: Vec<Family> = regions.iter().filter_map(|it| template::family(program, *it)).collect();
            if families != [Family::V4, Family::V6] {
                return Err(Refusal::Families { direction });
            }
            let paths = cells(subject, &regions, direction, diagram)?;
            let decisions = families.into_iter().zip(paths).map(|(family, paths)| DecisionProof { family, paths });
            let decisions = decisions.collect();
            Ok(ProgramProof { direction, template, constant: None, decisions, classes: expected })
        }
        (DirectionPlan::Constant(leaf), _) => {
            constant(*leaf, direction, diagram)?;
            let (constant, classes) = (Some(*leaf), diagram.classes());
            Ok(ProgramProof { direction, template, constant, decisions: Vec::new(), classes })
        }
        _ => Err(Refusal::Programs(direction)),
    }
}

/// Every flow has the leaf of the plan.
fn constant(leaf: u8, direction: Direction, diagram: &Diagram) -> Result<(), Refusal> {
    for (class, map) in (0..).zip(diagram.maps()) {
        if let Some((key, expected)) = map.intervals().iter().find(|(_, verdict)| leaf_of(*verdict) != leaf) {
            return Err(Refusal::Wrong { direction, class, key: *key, found: word(leaf), expected: *expected });
        }
    }
    Ok(())
}

/// The paths of each decision.
fn cells(
    subject: Subject<'_>,
    regions: &[Region],
    direction: Direction,
    diagram: &Diagram,
) -> Result<Vec<usize>, Refusal> {
    let mut store = Store::default();
    let specs: Vec<_> = diagram.maps().iter().map(|map| store.pieces(&pieces(map))).collect();
    let of_plan = |what| Refusal::Plan { direction, what };
    let plan = planned::rows(subject, &mut store).map_err(of_plan)?;
    let mut paths = Vec::new();
    for region in regions {
        let refuse = |refused| Refusal::Decision { direction, refused };
        for way in [region.end, region.allow, region.no_proxy, region.auth_required] {
            if template::live(subject.image, subject.program, way) != Some(0) {
                return Err(refuse(Refused {
                    at: way,
                    what: "what follows the decision reads a register that it leaves open",
                }));
            }
        }
        let exits = lift(subject, *region, &mut store).map_err(refuse)?;
        for exit in &exits {
            let mut judge = Judge { subject, region, direction, diagram, plan: &plan, store: &mut store, exit };
            match exit.class {
                Class::From(_) => judge.closed()?,
                Class::Unread if diagram.classes() > 1 => judge.closed()?,
                Class::Unread | Class::Beyond => judge.of_class(0, specs[0])?,
                Class::Is(class) => judge.of_class(class, specs[class as usize])?,
            }
        }
        paths.push(exits.len());
    }
    // Behind the programs, which say more of what is wrong.
    planned::leaves(subject, &plan, &specs, &mut store).map_err(of_plan)?;
    Ok(paths)
}

/// One path, against what the rules say of its class.
struct Judge<'i, 's> {
    subject: Subject<'i>,
    region: &'s Region,
    direction: Direction,
    diagram: &'s Diagram,
    /// The cell of each class as a function of the key, by the plan.
    plan: &'s [Dd],
    store: &'s mut Store,
    exit: &'s Exit,
}

impl Judge<'_, '_> {
    fn refuse(&self, what: &'static str) -> Refusal {
        Refusal::Decision { direction: self.direction, refused: Refused { at: self.exit.at, what } }
    }

    /// The leaf that this way out stands for; `None` for a denial without one, where the table does not belong to the program.
    fn leaf(&self) -> Option<u8> {
        match self.exit.at {
            at if at == self.region.allow => Some(layout::LEAF_ALLOW),
            at if at == self.region.no_proxy => Some(layout::LEAF_REDIRECT),
            at if at == self.region.auth_required => Some(layout::LEAF_AUTH),
            at if at == self.region.end => Some(layout::LEAF_DENY),
            _ => None,
        }
    }

    /// A peer whose class is none of the plan's is denied.
    fn closed(&self) -> Result<(), Refusal> {
        match self.leaf() {
            None => self.is_broken(),
            Some(_) => Err(self.refuse("a peer of no class of the plan is decided")),
        }
    }

    /// The way of a table that does not fit: the template's own, which denies. It begins behind the decision's denial.
    fn is_broken(&self) -> Result<(), Refusal> {
        let own = self.region.broken == Some(self.exit.at);
        if own { Ok(()) } else { Err(self.refuse("a decision leads elsewhere than its template says")) }
    }

    fn of_class(&mut self, class: u32, spec: Dd) -> Result<(), Refusal> {
        let leaf = self.leaf();
        let care = self.exit.cell.care;
        let expected = self.store.apply(Op::Where, spec, care);
        let wanted = u64::from(leaf.unwrap_or(layout::LEAF_DENY));
        let wrong = self.store.find(expected, &|term| !matches!(term, Term::Elsewhere) && term != Term::Value(wanted));
        if let Some((raw, _)) = wrong {
            let key = L4Key::from_raw(raw).unwrap_or(L4Key::MIN);
            let expected = self.diagram.l4(ClassId(class)).eval(key);
            let found = leaf.map_or("denied without a leaf", word);
            return Err(Refusal::Wrong { direction: self.direction, class, key, found, expected });
        }
        if leaf.is_none() {
            return self.is_broken();
        }
        self.names_its_cell(class)
    }

    /// The number in the record is that of the plan's cell, and its counter was counted.
    fn names_its_cell(&mut self, class: u32) -> Result<(), Refusal> {
        let stored = self.exit.cell.leaf.ok_or_else(|| self.refuse("no leaf is stored"))?;
        let planned = *self.plan.get(class as usize).ok_or_else(|| self.refuse("the plan has no such class"))?;
        let care = self.exit.cell.care;
        let [stored, planned] = [stored, planned].map(|it| self.store.apply(Op::Where, it, care));
        if stored != planned {
            return Err(self.refuse("the record names another cell"));
        }
        if self.exit.counted != self.subject.plan.counter_table.is_some() {
            return Err(self.refuse("the leaf is not counted"));
        }
        Ok(())
    }
}

/// The leaf of a verdict. A redirect is one whatever else it asks for: without its listener nothing passes.
fn leaf_of(verdict: Verdict) -> u8 {
    match (verdict.action, verdict.auth) {
        (Action::Deny, _) => layout::LEAF_DENY,
        (Action::Redirect(_), _) => layout::LEAF_REDIRECT,
        (Action::Allow, Auth::Disabled) => layout::LEAF_ALLOW,
        (Action::Allow, Auth::Required | Auth::AlwaysFail) => layout::LEAF_AUTH,
    }
}

fn word(leaf: u8) -> &'static str {
    match leaf {
        layout::LEAF_ALLOW => "allowed",
        layout::LEAF_REDIRECT => "sent to a proxy",
        layout::LEAF_AUTH => "asked for authentication",
        _ => "denied",
    }
}

fn pieces(map: &L4Map) -> Vec<(u32, u64)> {
    map.intervals().iter().map(|(start, verdict)| (start.raw(), u64::from(leaf_of(*verdict)))).collect()
}
