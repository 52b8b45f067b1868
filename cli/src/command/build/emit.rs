//! What stands between the policies and the images, for people who want to see it: `--emit`.

use super::tables::place;
use super::{Built, Made};
use clap::ValueEnum;
use diagram::Diagram;
use driver::{Database, meaning, world};
use ebpf::asm::{self, CALL, Helper, Insn};
use flow::{Direction, PeerId, PeerSet, Peers};
use hir::peers::PeerTable;
use image::{CellPlan, DirectionPlan, Image, KeyPlan, LeafPlan, MapRef, Program, Reloc};
use rules::{Origin, RuleSet};
use std::fmt::Write;

/// A form of a class's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// The rules in order, with their origins.
    Rules,
    /// The canonical form: classes of peers, and a map from protocol and port to verdict for each.
    Diagram,
    /// The decision as comparisons, each end with its verdict and origins.
    Tree,
    /// The instructions of both programs.
    Asm,
    /// Tree and diagram as graphs for Graphviz.
    Dot,
}

/// The forms of some classes, class by class.
pub fn emit(db: &Database, built: &Built, forms: &[Emit], chosen: impl Fn(&Made) -> bool) -> String {
    let peers = world::peers(db);
    let mut out = String::new();
    for made in built.classes.iter().filter(|made| chosen(made)) {
        let rules = meaning::rule_sets(db, meaning::ClassKey::new(db, made.class.clone()));
        for form in forms {
            for direction in Direction::BOTH {
                let at = meaning::slot(direction);
                let view = View { db, made, direction, rules: &rules[at], diagram: &made.diagrams[at], peers: &peers };
                out += &view.form(*form);
            }
        }
    }
    out
}

/// One direction of a class.
struct View<'a> {
    db: &'a Database,
    made: &'a Made,
    direction: Direction,
    rules: &'a RuleSet,
    diagram: &'a Diagram,
    peers: &'a PeerTable,
}

impl View<'_> {
    fn form(&self, form: Emit) -> String {
        let title = format!("{} of {}", self.direction, self.made.who());
        let decision = draw::Decision {
            title: &title,
            rules: self.rules,
            diagram: self.diagram,
            peer: &|peer| self.peers.name(peer),
            place: &|origin: &Origin| place(self.db, origin).map(|place| place.to_string()),
        };
        match form {
            Emit::Rules => format!("# {}\n{}{}\n", line(&title), self.legend(&self.named()), self.rules),
            Emit::Diagram => format!("# {}\n{}{}\n", line(&title), self.legend(&self.classed()), self.diagram),
            Emit::Tree => draw::text::tree(&decision) + "\n",
            Emit::Dot => draw::dot::tree(&decision) + &draw::dot::diagram(&decision),
            Emit::Asm => format!("; {}\n{}\n", line(&title), self.asm()),
        }
    }

    /// The peers that a rule names.
    fn named(&self) -> PeerSet {
        let sets = self.rules.rules().filter_map(|rule| match &rule.peers {
            Peers::Of(set) => Some(set),
            Peers::All => None,
        });
        sets.fold(PeerSet::default(), |all, set| all.union(set))
    }

    /// The peers that are in a class of their own.
    fn classed(&self) -> PeerSet {
        let all = (0..self.diagram.peers()).map(PeerId);
        all.filter(|peer| self.diagram.class_of(*peer) != diagram::ClassId::DEFAULT).collect()
    }

    /// Who the numbers are, as comments.
    fn legend(&self, peers: &PeerSet) -> String {
        peers.iter().fold(String::new(), |mut out, peer| {
            // Writing into a string cannot fail.
            let _ = writeln!(out, "# peer {}: {}", peer.0, line(&self.peers.name(peer)));
            out
        })
    }

    fn asm(&self) -> String {
        let image = &self.made.image;
        let [to, from] = image.hooks();
        let hook = match self.direction {
            Direction::Ingress => to,
            Direction::Egress => from,
        };
        image.program(hook).map_or(String::new(), |program| annotated(image, program))
    }
}

/// One line of a comment, whatever a name holds.
fn line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}

/// The text of a program, with what its maps and calls are.
fn annotated(image: &Image, program: &Program) -> String {
    let text = asm::text(program, image.target.little_endian);
    let mut out = format!("; program {}, {} instructions\n", program.name, program.insns.len());
    for line in text.lines() {
        let number = line.split(':').next().and_then(|number| number.trim().parse::<u32>().ok());
        let comment = number.and_then(|at| comment(image, program, at));
        let _ = match comment {
            Some(comment) => writeln!(out, "{line:<44} ; {comment}"),
            None => writeln!(out, "{line}"),
        };
    }
    out
}

fn comment(image: &Image, program: &Program, at: u32) -> Option<String> {
    if let Some(reloc) = program.relocs.iter().find(|reloc| reloc.at == at) {
        return map(image, program, reloc);
    }
    let insn = Insn::from_word(*program.insns.get(at as usize)?, image.target.little_endian);
    (insn.opcode == CALL).then(|| helper(insn.imm).to_owned())
}

/// What a reference to a table of the image is.
fn map(image: &Image, program: &Program, reloc: &Reloc) -> Option<String> {
    let MapRef::Own(index) = reloc.map else { return None };
    let name = &image.tables.get(usize::from(index))?.name;
    let plan = if program.hook.is_egress() { &image.plan.egress } else { &image.plan.ingress };
    let part = match plan {
        DirectionPlan::Cells(plan) if plan.fixed_table() == Some(index) => part(plan, reloc.value_offset?),
        DirectionPlan::Cells(plan) if plan.class_table == Some(index) => "peer -> class",
        DirectionPlan::Cells(plan) if plan.counter_table == Some(index) => "packets of each leaf",
        _ => "digest of this image",
    };
    Some(format!("{name}: {part}"))
}

fn part(plan: &CellPlan, offset: u32) -> &'static str {
    match (&plan.key, &plan.leaf) {
        (_, LeafPlan::Matrix { offset: leaves, .. }) if offset == *leaves => "column, class -> leaf",
        (KeyPlan::Pages(plan), _) if offset == plan.protocols => "protocol -> slot",
        (KeyPlan::Pages(plan), _) if offset == plan.pages => "slot, high byte of the port -> page",
        (KeyPlan::Pages(plan), _) if offset == plan.columns => "page, low byte of the port -> column",
        _ => "?",
    }
}

fn helper(number: i32) -> &'static str {
    const KNOWN: [(Helper, &str); 6] = [
        (Helper::MapLookup, "map_lookup_elem(map, key)"),
        (Helper::MapUpdate, "map_update_elem(map, key, value, flags)"),
        (Helper::KtimeNs, "ktime_get_ns()"),
        (Helper::PullData, "skb_pull_data(skb, len)"),
        (Helper::Jiffies64, "jiffies64(), inlined"),
        (Helper::RingbufOutput, "ringbuf_output(ring, data, size, flags)"),
    ];
    KNOWN.into_iter().find(|(helper, _)| *helper as i32 == number).map_or("?", |(_, name)| name)
}
