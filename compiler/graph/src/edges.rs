//! From pairs of atoms to edges of vertices.

use crate::atoms::{Atom, on_host_network, shared};
use crate::doubt::Doubts;
use crate::model::{Because, Edge, End, Graph, Kind, Note, Vertex};
use crate::outside;
use crate::sides::Sides;
use crate::stage::Stage;
use crate::wanted::{Filter, Wanted};
use crate::why::{Why, Whys};
use diagram::TooLarge;
use flow::{Direction, L4Set, PeerId};
use hir::subject::Class;
use reason::{Cause, Missing};
use rules::Origin;
use std::collections::{BTreeMap, BTreeSet};

/// Draws the graph of some atoms.
pub(crate) fn graph(stage: &Stage<'_>, atoms: Vec<Atom>, wanted: &Wanted) -> Result<Graph, TooLarge> {
    let classes = || atoms.iter().flat_map(|atom| [&atom.class, &atom.node_class]).flatten();
    let mut sides = Sides::of(stage, classes())?;
    let doubts = Doubts::of(stage, classes(), &wanted.ports);
    let (vertices, of_atom) = vertices(&atoms, &sides);
    let chosen = Chosen::of(&atoms, wanted);
    let mut whys = Whys::default();
    let mut sums: BTreeMap<(usize, usize), Sum> = BTreeMap::new();
    for (a, source) in atoms.iter().enumerate() {
        stage.db.still_wanted();
        for (b, destination) in atoms.iter().enumerate() {
            if !chosen.shows(a, b) || a == b && !source.many {
                continue;
            }
            let Some(pair) = Pair::of(source, destination, &sides) else { continue };
            let sum = sums.entry((of_atom[a], of_atom[b])).or_default();
            let (unknown, missing) = doubts.unknown(source, destination);
            sum.missing.extend(missing);
            sum.add(&pair, &unknown, &mut sides, &mut whys, &wanted.ports);
        }
    }
    let edges = sums.into_iter().filter_map(|((from, to), sum)| sum.edge(stage, from, to));
    let graph = Graph { vertices, edges: edges.collect(), notes: Vec::new() };
    let mut graph = outside::merged(graph);
    graph.notes = notes(stage, &atoms, wanted, &chosen, &graph);
    Ok(graph.only_shown(wanted))
}

/// The vertices in order, and that of each atom.
fn vertices(atoms: &[Atom], sides: &Sides) -> (Vec<Vertex>, Vec<usize>) {
    let mut of_vertex: BTreeMap<(Kind, &str, &str), Vec<usize>> = BTreeMap::new();
    for (at, atom) in atoms.iter().enumerate() {
        of_vertex.entry((order(atom.kind), &atom.namespace, &atom.vertex)).or_default().push(at);
    }
    let mut of_atom = vec![0; atoms.len()];
    let mut vertices: Vec<Vertex> = Vec::new();
    for members in of_vertex.into_values() {
        members.iter().for_each(|at| of_atom[*at] = vertices.len());
        vertices.push(vertex(&members.iter().map(|at| &atoms[*at]).collect::<Vec<_>>(), sides));
    }
    unique(&mut vertices);
    (vertices, of_atom)
}

/// Pods and workloads of a namespace stand beside each other.
fn order(kind: Kind) -> Kind {
    if kind == Kind::Workload { Kind::Pods } else { kind }
}

fn vertex(atoms: &[&Atom], sides: &Sides) -> Vertex {
    let first = atoms[0];
    let mut members: Vec<String> = atoms.iter().flat_map(|atom| atom.members.iter().cloned()).collect();
    members.sort();
    let name = match first.kind {
        Kind::Workload | Kind::Namespace => first.vertex.clone(),
        Kind::Host | Kind::Outside => first.members[0].clone(),
        Kind::Pods | Kind::Nodes => match members.len() {
            1 => members[0].clone(),
            n => format!("{} and {} more", members[0], n - 1),
        },
    };
    let isolated = Direction::BOTH.map(|direction| {
        let numbers = atoms.iter().filter_map(|atom| sides.number(atom.class.as_ref()?));
        numbers.into_iter().any(|class| sides.direct(class, direction).isolated())
    });
    Vertex {
        name,
        kind: first.kind,
        namespace: first.namespace.clone(),
        labels: if first.kind == Kind::Namespace {
            Default::default()
        } else {
            shared(atoms.iter().map(|it| &it.labels))
        },
        members,
        isolated,
    }
}

/// Two workloads of one name differ in kind, which their names do not say.
fn unique(vertices: &mut [Vertex]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for vertex in vertices {
        let count = seen.entry(vertex.name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            vertex.name = format!("{} ({count})", vertex.name);
        }
    }
}

/// Which atoms filters choose.
struct Chosen {
    from: Vec<bool>,
    to: Vec<bool>,
    between: Vec<bool>,
}

impl Chosen {
    fn of(atoms: &[Atom], wanted: &Wanted) -> Chosen {
        let of = |filters: &[Filter]| -> Vec<bool> {
            let chosen = |atom: &Atom| filters.is_empty() || filters.iter().any(|it| it.matches(&atom.candidate()));
            atoms.iter().map(chosen).collect()
        };
        Chosen { from: of(&wanted.from), to: of(&wanted.to), between: of(&wanted.between) }
    }

    fn shows(&self, source: usize, destination: usize) -> bool {
        self.from[source] && self.to[destination] && self.between[source] && self.between[destination]
    }
}

/// Two atoms whose traffic some policy may judge.
struct Pair {
    /// The classes that are asked: of the source, of the destination.
    classes: [Option<usize>; 2],
    /// The source and the destination as peers, for each way in which both have a family in common.
    ways: Vec<(PeerId, PeerId)>,
}

impl Pair {
    fn of(source: &Atom, destination: &Atom, sides: &Sides) -> Option<Pair> {
        let ends = [class(source, destination), class(destination, source)];
        are_apart(source, destination)?;
        let classes = ends.map(|class| sides.number(class?));
        let ways = source.peers.iter().flat_map(|(family, from)| {
            let same = destination.peers.iter().filter(move |(other, _)| other == family);
            same.map(move |(_, to)| (*from, *to))
        });
        let ways: Vec<(PeerId, PeerId)> = ways.collect();
        (classes != [None, None] && !ways.is_empty()).then_some(Pair { classes, ways })
    }
}

/// The own node of a pod has the class of that node.
fn class<'a>(atom: &'a Atom, other: &'a Atom) -> Option<&'a Class> {
    let node = atom.kind == Kind::Host;
    if node { other.node_class.as_ref() } else { atom.class.as_ref() }
}

/// Nodes and what is outside meet the own node of nobody.
fn are_apart(source: &Atom, destination: &Atom) -> Option<()> {
    let host = |atom: &Atom| atom.kind == Kind::Host;
    let far = |atom: &Atom| matches!(atom.kind, Kind::Host | Kind::Nodes | Kind::Outside);
    (!(host(source) && far(destination) || host(destination) && far(source))).then_some(())
}

/// What pairs of one edge come to.
#[derive(Default)]
struct Sum {
    some: L4Set,
    every: Option<L4Set>,
    redirect: L4Set,
    auth: L4Set,
    unknown: L4Set,
    missing: BTreeSet<Missing>,
    ends: [Side; 2],
}

/// What one end comes to.
#[derive(Default)]
struct Side {
    managed: bool,
    open: bool,
    rules: BTreeMap<Origin, L4Set>,
}

impl Side {
    fn add(&mut self, why: &Why) {
        self.open |= why.open;
        for (origin, ports) in &why.rules {
            match self.rules.get_mut(origin) {
                Some(known) if known == ports => {}
                Some(known) => *known = known.union(ports),
                None => drop(self.rules.insert(origin.clone(), ports.clone())),
            }
        }
    }
}

impl Sum {
    fn add(&mut self, pair: &Pair, unknown: &L4Set, sides: &mut Sides, whys: &mut Whys, wanted: &L4Set) {
        self.unknown = self.unknown.union(unknown);
        for (side, class) in self.ends.iter_mut().zip(pair.classes) {
            side.managed |= class.is_some();
        }
        for (from, to) in &pair.ways {
            let egress = sides.answer(pair.classes[0], Direction::Egress, *to);
            let ingress = sides.answer(pair.classes[1], Direction::Ingress, *from);
            let met = sides.meet(egress, ingress, wanted);
            let passing = &sides.met[met];
            self.every = Some(match &self.every {
                Some(every) if *every == passing.all => passing.all.clone(),
                Some(every) => every.intersect(&passing.all),
                None => passing.all.clone(),
            });
            if passing.all.is_empty() {
                continue;
            }
            self.some = self.some.union(&passing.all);
            self.redirect = self.redirect.union(&passing.redirect);
            self.auth = self.auth.union(&passing.auth);
            let asked = [(Direction::Egress, *to), (Direction::Ingress, *from)];
            for (side, (class, (direction, peer))) in self.ends.iter_mut().zip(pair.classes.into_iter().zip(asked)) {
                if let Some(class) = class {
                    side.add(&whys.why(sides, class, direction, peer, met));
                }
            }
        }
    }

    fn edge(self, stage: &Stage<'_>, from: usize, to: usize) -> Option<Edge> {
        let known = self.unknown.complement();
        let ports = self.some.intersect(&known);
        if ports.is_empty() && self.unknown.is_empty() {
            return None;
        }
        let partial = self.every.is_some_and(|every| every.intersect(&known) != ports);
        let [egress, ingress] = self.ends.map(|side| End {
            unmanaged: !side.managed,
            open: side.open,
            rules: side
                .rules
                .into_iter()
                .filter(|(_, of)| !of.intersect(&ports).is_empty())
                .map(|(origin, of)| Because { cause: Cause::of(stage.db, &origin), ports: of.intersect(&ports) })
                .collect(),
        });
        let (redirect, auth) = (self.redirect.intersect(&ports), self.auth.intersect(&ports));
        let (unknown, missing) = (self.unknown, self.missing);
        Some(Edge { from, to, ports, redirect, auth, unknown, missing, partial, egress, ingress })
    }
}

fn notes(stage: &Stage<'_>, atoms: &[Atom], wanted: &Wanted, chosen: &Chosen, graph: &Graph) -> Vec<Note> {
    let mut notes = Vec::new();
    let subjects = atoms.iter().any(|atom| atom.class.is_some());
    if !subjects {
        notes.push(Note::NobodyRead);
    }
    for (filters, found) in [(&wanted.from, &chosen.from), (&wanted.to, &chosen.to), (&wanted.between, &chosen.between)]
    {
        if !found.contains(&true) {
            notes.push(Note::filtered(filters));
        }
    }
    if notes.is_empty() && graph.edges.is_empty() {
        notes.push(Note::AllDenied);
    }
    if subjects && !graph.vertices.iter().any(|vertex| vertex.isolated.contains(&true)) {
        notes.push(Note::NoPolicySelects);
    }
    let on_host = on_host_network(stage);
    if on_host > 0 {
        notes.push(Note::OnHostNetwork(on_host));
    }
    if !stage.supposed.is_empty() {
        notes.push(Note::WithoutPods(stage.supposed.len()));
    }
    notes
}

impl Graph {
    /// Without the vertices that filters leave without edge.
    fn only_shown(mut self, wanted: &Wanted) -> Graph {
        let filtered = !(wanted.from.is_empty() && wanted.to.is_empty() && wanted.between.is_empty());
        let at_edge: BTreeSet<usize> = self.edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
        let special = |vertex: &Vertex| matches!(vertex.kind, Kind::Host | Kind::Nodes | Kind::Outside);
        let keep: Vec<bool> = (0..self.vertices.len())
            .map(|at| at_edge.contains(&at) || !filtered && !special(&self.vertices[at]))
            .collect();
        self.retain(&keep);
        self
    }

    /// Keeps some vertices, which have all edges, and numbers them anew.
    pub(crate) fn retain(&mut self, keep: &[bool]) {
        let mut number = 0;
        let new: Vec<usize> = keep
            .iter()
            .map(|kept| {
                number += usize::from(*kept);
                number.saturating_sub(1)
            })
            .collect();
        let mut kept = keep.iter();
        self.vertices.retain(|_| kept.next().copied().unwrap_or(false));
        self.edges.retain(|edge| keep[edge.from] && keep[edge.to]);
        for edge in &mut self.edges {
            (edge.from, edge.to) = (new[edge.from], new[edge.to]);
        }
    }
}
