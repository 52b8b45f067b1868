//! The policies of each state: a great many rules that stay, a few that change, and sometimes one that was never seen before.

use super::cluster::{WORLD4, WORLD6};
use crate::pairs::mixed;
use flow::Prefix;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Allowed at both ends in every state.
pub const ALWAYS: u16 = 7000;
/// Never allowed by the receiver.
pub const NEVER_IN: u16 = 7001;
/// Never allowed by the sender.
pub const NEVER_OUT: u16 = 7002;
/// The sender's policy turns it: [`OUT`].
pub const TURNS_OUT: u16 = 7003;
/// The receiver's policy turns it: [`IN`].
pub const TURNS_IN: u16 = 7004;
/// The sender allows it when the receiver does not, and the other way round: [`CROSSED`]. It never passes.
pub const CROSSES: u16 = 7005;
/// Both turn it together: [`TOGETHER`].
pub const TURNS_BOTH: u16 = 7006;
/// Each turns it in its own time: [`OUT`] and [`IN`].
pub const TURNS_EACH: u16 = 7007;
/// Policies turn it for an outside address: [`OUTSIDE`].
pub const TURNS_OUTSIDE: u16 = 7010;
/// The port of connections that all states allow.
pub const CONNECTIONS: u16 = 8080;

/// The sender's bit.
pub const OUT: u8 = 1;
/// The receiver's bit.
pub const IN: u8 = 2;
/// The sender allows when it is set, the receiver when it is not. Every swap turns it, so that every swap changes both ends.
pub const CROSSED: u8 = 4;
/// Both allow when it is set.
pub const TOGETHER: u8 = 8;
/// The outside address is allowed by its own prefix when it is set.
pub const OUTSIDE: u8 = 16;
/// The policy of the late pods is there when it is set.
pub const LATE: u8 = 32;

/// How many edits never seen before can be told apart: each has a port of its own.
pub const MOST_FRESH: u32 = 50_000;
/// How many rules each ruled direction has beside those that matter to the flows.
const OTHER_RULES: u64 = 180;

/// What one end's policies say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// The bits above.
    pub bits: u8,
    /// Number of the edit never seen before, from 1; 0 in a known state.
    pub fresh: u32,
}

/// What the policies say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State {
    /// Those of senders.
    pub sender: Side,
    /// Those of receivers.
    pub receiver: Side,
}

impl State {
    /// Both ends of one mind.
    fn both(side: Side) -> State {
        State { sender: side, receiver: side }
    }

    /// Whether no edit is in it that was never seen before.
    pub fn is_known(&self) -> bool {
        self.sender.fresh == 0 && self.receiver.fresh == 0
    }
}

/// The states of all swaps in order: `fresh` of them with an edit never seen before, spread evenly.
pub fn states(seed: u64, swaps: u32, fresh: u32) -> Vec<State> {
    let so_far = |swap: u32| (u64::from(swap) * u64::from(fresh) / u64::from(swaps.max(1))) as u32;
    let states = (1..=swaps).map(|swap| {
        let random = mixed(seed ^ u64::from(swap) << 20);
        let crossed = if swap % 2 == 1 { CROSSED } else { 0 };
        let number = so_far(swap);
        let is_fresh = number > so_far(swap - 1);
        // Known are two opposite states, each with either value of `CROSSED`.
        let one = mixed(seed);
        let chosen = match (is_fresh, random & 1) {
            (true, _) => random >> 1,
            (false, 0) => one,
            (false, _) => !one,
        };
        State::both(Side { bits: chosen as u8 & !CROSSED | crossed, fresh: if is_fresh { number } else { 0 } })
    });
    states.collect()
}

/// The same with one end at a time: senders and receivers in turn, each between two sides of its own or with an edit never seen before. No
/// policy comes or goes.
pub fn states_in_turn(seed: u64, swaps: u32, fresh: u32) -> Vec<State> {
    let mut state = State::default();
    let both = states(seed, swaps, fresh).into_iter().zip(1..);
    let turned = both.map(|(next, swap)| {
        let side = Side { bits: next.sender.bits & !LATE, ..next.sender };
        *(if swap % 2 == 0 { &mut state.sender } else { &mut state.receiver }) = side;
        state
    });
    turned.collect()
}

/// The files of a state: path and text. `None` is the state without any policy.
pub fn files(seed: u64, state: Option<State>) -> [(&'static str, String); 4] {
    let State { sender, receiver } = state.unwrap_or_default();
    let text = |of: fn(u64, Side) -> String, side| state.map(|_| of(seed, side)).unwrap_or_default();
    [
        ("web.yaml", text(web, sender)),
        ("db.yaml", text(db, receiver)),
        ("late.yaml", text(late, receiver)),
        ("gate.yaml", text(gate, receiver)),
    ]
}

fn web(seed: u64, Side { bits, fresh }: Side) -> String {
    let mut ports = vec![ALWAYS, NEVER_IN, TURNS_IN];
    ports.extend(
        [(OUT, TURNS_OUT), (OUT, TURNS_EACH), (CROSSED, CROSSES), (TOGETHER, TURNS_BOTH)]
            .iter()
            .filter_map(|(bit, port)| (bits & bit != 0).then_some(*port)),
    );
    let mut rules = String::new();
    rule(&mut rules, "to", "podSelector: {matchLabels: {app: db}}", &udp(&ports));
    rule(&mut rules, "to", "podSelector: {matchExpressions: [{key: app, operator: In, values: [late, db]}]}", &both());
    outside(&mut rules, "to", bits);
    others(&mut rules, "to", mixed(seed ^ 1), fresh);
    policy("web", "web", &format!("  ingress: []\n  egress:\n{rules}"))
}

fn db(seed: u64, Side { bits, fresh }: Side) -> String {
    let crossed = if bits & CROSSED == 0 { CROSSED } else { 0 };
    let bits = bits & !CROSSED | crossed;
    let mut ports = vec![ALWAYS, NEVER_OUT, TURNS_OUT];
    ports.extend(
        [(IN, TURNS_IN), (IN, TURNS_EACH), (CROSSED, CROSSES), (TOGETHER, TURNS_BOTH)]
            .iter()
            .filter_map(|(bit, port)| (bits & bit != 0).then_some(*port)),
    );
    let mut rules = String::new();
    rule(&mut rules, "from", "podSelector: {matchLabels: {app: web}}", &udp(&ports));
    rule(&mut rules, "from", "podSelector: {matchLabels: {app: web}}", &both());
    outside(&mut rules, "from", bits);
    others(&mut rules, "from", mixed(seed ^ 2), fresh);
    policy("db", "db", &format!("  egress: []\n  ingress:\n{rules}"))
}

fn late(seed: u64, Side { bits, fresh }: Side) -> String {
    if bits & LATE == 0 {
        return String::new();
    }
    let mut rules = String::new();
    rule(&mut rules, "from", "podSelector: {matchLabels: {app: web}}", &both());
    others(&mut rules, "from", mixed(seed ^ 3), fresh);
    policy("late", "late", &format!("  egress: []\n  ingress:\n{rules}"))
}

/// The same in every state.
fn gate(seed: u64, _: Side) -> String {
    let (mut from, mut to) = (String::new(), String::new());
    outside(&mut from, "from", 0);
    outside(&mut to, "to", 0);
    others(&mut from, "from", mixed(seed ^ 4), 0);
    policy("gate", "gate", &format!("  egress:\n{to}  ingress:\n{from}"))
}

fn policy(name: &str, app: &str, rules: &str) -> String {
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: soak}}\nspec:\n  \
         podSelector: {{matchLabels: {{app: {app}}}}}\n  policyTypes: [Ingress, Egress]\n{rules}"
    )
}

fn rule(text: &mut String, side: &str, peer: &str, ports: &str) {
    // Writing into a String never fails.
    let _ = writeln!(text, "  - {{{side}: [{{{peer}}}], ports: [{ports}]}}");
}

fn udp(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(|port| format!("{{protocol: UDP, port: {port}}}")).collect();
    ports.join(", ")
}

/// What every state allows: numbered packets and connections.
fn both() -> String {
    format!("{{protocol: UDP, port: {ALWAYS}}}, {{protocol: TCP, port: {CONNECTIONS}}}")
}

/// The outside: always one port, by prefixes around its addresses; another by its very addresses in some states.
fn outside(text: &mut String, side: &str, bits: u8) {
    for prefix in ["203.0.112.0/22", "2001:db8::/48"] {
        rule(text, side, &format!("ipBlock: {{cidr: '{prefix}'}}"), &both());
    }
    if bits & OUTSIDE != 0 {
        for prefix in [format!("{WORLD4}/32"), format!("{WORLD6}/128")] {
            rule(text, side, &format!("ipBlock: {{cidr: '{prefix}'}}"), &udp(&[TURNS_OUTSIDE]));
        }
    }
}

/// Rules about ports that no flow uses: they make policies large, not flows pass.
fn others(text: &mut String, side: &str, seed: u64, fresh: u32) {
    for at in 0..OTHER_RULES {
        let random = mixed(seed ^ at << 8);
        let port = 20_000 + random % 9000;
        let peer = match at % 4 {
            0 => {
                // 198.18.0.0/15 (RFC 2544).
                let address = Ipv4Addr::from_bits(0xc612_0000 | (random >> 16) as u32 & 0x1_ffff);
                format!("ipBlock: {{cidr: '{}'}}", masked(address.into(), 18 + (random >> 40) as u8 % 15))
            }
            1 => {
                // 3fff::/20 (RFC 9637).
                let address = Ipv6Addr::from_bits(0x3fff << 112 | u128::from(random) << 40);
                format!("ipBlock: {{cidr: '{}'}}", masked(address.into(), 28 + (random >> 40) as u8 % 60))
            }
            2 => format!("podSelector: {{matchLabels: {{tier: t{}}}}}", random >> 40 & 7),
            _ => format!(
                "namespaceSelector: {{matchLabels: {{team: t{}}}}}, podSelector: {{matchExpressions: [{{key: tier, operator: NotIn, values: [t{}]}}]}}",
                random >> 40 & 1,
                random >> 43 & 7
            ),
        };
        let protocol = if random >> 50 & 1 == 0 { "TCP" } else { "UDP" };
        let end = if random >> 51 & 1 == 0 { String::new() } else { format!(", endPort: {}", port + random % 40) };
        rule(text, side, &peer, &format!("{{protocol: {protocol}, port: {port}{end}}}"));
    }
    if fresh > 0 {
        let (peer, port) = never_seen(fresh);
        rule(text, side, &peer, &format!("{{protocol: TCP, port: {port}}}"));
    }
}

/// A peer and a port that no other number has: a new port, a new prefix nobody lives in, or a new prefix around an outside address, which
/// gives the live address another peer. Ports here are TCP and none of a connection's.
fn never_seen(fresh: u32) -> (String, u32) {
    let around = |address: &str, len: u32| {
        let address = address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        masked(address, len as u8)
    };
    let peer = match fresh % 4 {
        0 => "podSelector: {}".to_owned(),
        // 100.64.0.0/10 (RFC 6598).
        1 => format!("ipBlock: {{cidr: {}/32}}", Ipv4Addr::from_bits(0x6440_0000 + fresh)),
        2 => format!("ipBlock: {{cidr: '{}'}}", around(WORLD4, 8 + fresh / 4 % 25)),
        _ => format!("ipBlock: {{cidr: '{}'}}", around(WORLD6, 32 + fresh / 4 % 97)),
    };
    (peer, 10_000 + fresh)
}

fn masked(address: IpAddr, len: u8) -> String {
    Prefix::new(address, len).map(|prefix| prefix.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_swap_changes_both_ends_and_no_edit_comes_twice() {
        let states = states(7, 100, 20);
        let fresh: Vec<u32> = states.iter().map(|state| state.sender.fresh).filter(|fresh| *fresh > 0).collect();
        assert_eq!(fresh, (1..=20).collect::<Vec<_>>());
        let crossed = |pair: &[State]| (pair[0].sender.bits ^ pair[1].sender.bits) & CROSSED != 0;
        assert!(states.windows(2).all(crossed) && states.iter().all(|state| state.sender == state.receiver));
        let mut known: Vec<State> = states.iter().filter(|state| state.is_known()).copied().collect();
        known.sort_unstable();
        known.dedup();
        assert!(known.len() <= 4, "{known:?}");
    }

    #[test]
    fn in_turn_one_end_changes_and_the_other_does_not() {
        let states = states_in_turn(7, 100, 20);
        let changed = |pair: &[State]| (pair[0].sender != pair[1].sender, pair[0].receiver != pair[1].receiver);
        assert!(states.windows(2).all(|pair| changed(pair) != (true, true)));
        let count = |of: (bool, bool)| states.windows(2).filter(|pair| changed(pair) == of).count();
        assert!(count((true, false)) > 30 && count((false, true)) > 30, "both ends change often");
    }

    #[test]
    fn the_same_seed_says_the_same() {
        let state = State::both(Side { bits: 63, fresh: 3 });
        assert_eq!(files(1, Some(state)), files(1, Some(state)));
        assert_ne!(files(1, Some(state)), files(2, Some(state)));
    }
}
