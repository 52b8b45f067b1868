//! What changes, as people read it: the worst first.

use crate::fates::Decided;
use flow::{Direction, L4Key, L4Set};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a flow changes at one end. Ordered as people want to read: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It was denied and passes.
    Gained,
    /// It passes before and after, and surely all that did and more: a proxy admits other requests too, or none asks any more.
    Widened,
    /// It passed and is denied.
    Lost,
    /// It passes before and after, but not alike, and nobody can say which lets more through.
    Altered,
    /// It passes before and after, and surely nothing that did not: a proxy refuses some of it, or asks for authentication.
    Tightened,
}

/// One end of the flows of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ends {
    /// Workloads, nodes, blocks of addresses, groups; sorted, never empty.
    pub names: Vec<String>,
    /// No file tells of anybody of them: they are what policies mention.
    pub supposed: bool,
}

/// One flow of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sample {
    /// Who opens the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// By which protocol, and to which port.
    pub key: L4Key,
}

/// One row: flows that change alike and because of the same rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: Kind,
    /// At which end: ingress of the subjects, or their egress.
    pub direction: Direction,
    /// Whose policies decide otherwise.
    pub subjects: Ends,
    /// Who is on the other side.
    pub peers: Ends,
    /// Whether addresses outside the cluster are among the peers.
    pub world: bool,
    /// Which protocols and ports.
    pub l4: L4Set,
    /// Numbers among the ports that stand for a name which no pod in the files declares.
    pub port_names: BTreeMap<u16, String>,
    /// Whether the flow changes from end to end; otherwise the other end denies it, before and after.
    pub end_to_end: bool,
    /// What decided before.
    pub old: Decided,
    /// What decides now.
    pub new: Decided,
    /// Facts that were not read and on which it hangs whether this change is one; empty when it is certain.
    pub missing: BTreeSet<String>,
    /// One of the flows.
    pub sample: Sample,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Gained => "gained",
            Kind::Widened => "widened",
            Kind::Lost => "lost",
            Kind::Altered => "altered",
            Kind::Tightened => "tightened",
        })
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}

impl Change {
    /// Its protocols and ports for people: `tcp/80`, `any except tcp/5432`; `tcp/pg` where nobody knows the number of a name.
    pub fn ports(&self) -> String {
        self.named(ports(&self.l4))
    }

    /// Its sample for people: `shop/web -> shop/db tcp/5432`.
    pub fn sample(&self) -> String {
        let Sample { source, destination, key } = &self.sample;
        format!("{source} -> {destination} {}", self.named(key.to_string()))
    }

    fn named(&self, text: String) -> String {
        self.port_names
            .iter()
            .fold(text, |text, (number, name)| text.replace(&format!("/{number}"), &format!("/{name}")))
    }
}

impl fmt::Display for Change {
    /// One line, for example `gained: ingress of shop/db from shop/web on tcp/80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { kind, direction, subjects, peers, .. } = self;
        let from = if *direction == Direction::Ingress { "from" } else { "to" };
        let sure = if self.missing.is_empty() { "" } else { "perhaps " };
        write!(f, "{sure}{kind}: {direction} of {subjects} {from} {peers} on {}", self.ports())?;
        if !self.end_to_end {
            f.write_str(", closed at the other end")?;
        }
        if !self.missing.is_empty() {
            let missing: Vec<&str> = self.missing.iter().map(String::as_str).collect();
            write!(f, ", hangs on {}", missing.join(", "))?;
        }
        Ok(())
    }
}

/// Protocols and ports: `any except tcp/5432` where that is shorter.
fn ports(l4: &L4Set) -> String {
    let rest = l4.complement();
    let many = l4.intervals().len() >= rest.intervals().len()
        && l4.intervals().iter().any(|(low, high)| low.protocol() != high.protocol());
    if many && !rest.is_empty() { format!("any except {rest}") } else { l4.to_string() }
}

/// The worst first.
pub(crate) fn sort(changes: &mut [Change]) {
    changes.sort_by(|a, b| rank(a).cmp(&rank(b)));
}

/// The worst first: what changes from end to end, gains from outside, gains, losses, the rest.
fn rank(change: &Change) -> impl Ord + '_ {
    let Change { kind, end_to_end, world, subjects, peers, direction, l4, .. } = change;
    let supposed = subjects.supposed || peers.supposed;
    let opens = matches!(kind, Kind::Gained | Kind::Widened);
    (!end_to_end, (!opens || !world, *kind), supposed, subjects, *direction == Direction::Egress, peers, l4)
}
