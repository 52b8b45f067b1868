//! The flows of the soak, each with the question that the oracle is asked about it.

use super::cluster::{Role, pod};
use super::policies::{
    ALWAYS, CROSSES, NEVER_IN, NEVER_OUT, TURNS_BOTH, TURNS_EACH, TURNS_IN, TURNS_OUT, TURNS_OUTSIDE,
};
use crate::pairs::Question;
use flow::{Family, L4Key, Protocol};
use lab::topology::Plan;
use lab::traffic::Flow;
use lab::{Place, Probe};

/// The first source port; every pair has its own.
const FIRST_SOURCE: u16 = 40_000;
/// Bytes of each packet after the UDP header.
const PAYLOAD_BYTES: u16 = 32;

/// One flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// What is sent.
    pub flow: Flow,
    /// What a policy is asked; `None` for replies of a pair that was opened before the first policy: they always pass.
    pub question: Option<Question>,
}

/// All flows: pods of both roles on one node and on two, the outside and pods both ways, pods whose policy comes and goes.
///
/// Every flow with a question comes before the replies to it, so that whoever starts them in order opens the pair.
pub fn flows(plan: &Plan, rate: u32) -> Vec<Watched> {
    let mut all = Maker { plan, rate, next: FIRST_SOURCE, flows: Vec::new() };
    let nodes = plan.nodes().len();
    for (from, to) in (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to))) {
        let pair = (all.place(Role::Web, from), all.place(Role::Db, to));
        for port in [ALWAYS, NEVER_IN, TURNS_OUT, TURNS_IN] {
            all.pair(pair, port, true);
        }
        for port in [NEVER_OUT, CROSSES, TURNS_BOTH, TURNS_EACH] {
            all.pair(pair, port, false);
        }
        let (web, late, free) = (all.place(Role::Web, from), all.place(Role::Late, to), all.place(Role::Free, from));
        all.pair((web, late), ALWAYS, true);
        all.pair((free, late), ALWAYS, false);
        all.pair((late, free), ALWAYS, true);
    }
    for node in 0..nodes {
        let (web, db) = (all.place(Role::Web, node), all.place(Role::Db, node));
        let world = Some(Place::World);
        let gate = all.place(Role::Gate, node);
        all.pair((world, gate), ALWAYS, true);
        all.pair((gate, world), ALWAYS, true);
        for pair in [(web, world), (world, db)] {
            all.pair(pair, ALWAYS, true);
            all.pair(pair, TURNS_OUTSIDE, false);
        }
    }
    all.flows
}

struct Maker<'p> {
    plan: &'p Plan,
    rate: u32,
    next: u16,
    flows: Vec<Watched>,
}

impl Maker<'_> {
    fn place(&self, role: Role, node: usize) -> Option<Place> {
        self.plan.pod(&pod(role, node))
    }

    /// In both families; a pair that is not in the plan adds nothing.
    fn pair(&mut self, (from, to): (Option<Place>, Option<Place>), port: u16, replies: bool) {
        let (Some(from), Some(to)) = (from, to) else { return };
        for family in [Family::V4, Family::V6] {
            let Some(probe) = Probe::new(self.plan, from, to, family, lab::Protocol::Udp(port)) else { continue };
            let question = Some(Question { probe, key: L4Key::new(Protocol::UDP, port) });
            let (from_port, rate) = (self.next, self.rate);
            let flow =
                Flow { from: probe.from, from_port, to: probe.to, to_port: port, rate, payload_bytes: PAYLOAD_BYTES };
            self.flows.push(Watched { flow, question });
            if replies {
                self.flows.push(Watched { flow: flow.reversed(), question: None });
            }
            self.next += 1;
        }
    }
}
