//! What stands between the policies and the images, for people who want to see it: `--emit`.

use super::tables::place;
use super::{Built, Made, listing};
use clap::ValueEnum;
use diagram::Diagram;
use driver::{Database, meaning, world};
use flow::{Direction, PeerId, PeerSet, Peers};
use hir::peers::PeerTable;
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
    /// The instructions of both programs, with the rules behind each cell of a decision and where they stand.
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
            Emit::Asm => format!("; {}\n{}\n", line(&title), self.asm(&decision)),
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

    fn asm(&self, decision: &draw::Decision<'_>) -> String {
        let image = &self.made.image;
        let [to, from] = image.hooks();
        let hook = match self.direction {
            Direction::Ingress => to,
            Direction::Egress => from,
        };
        image.program(hook).map_or(String::new(), |program| listing::listing(image, program, decision))
    }
}

/// One line of a comment, whatever a name holds.
fn line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}
