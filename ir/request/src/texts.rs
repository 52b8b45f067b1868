//! The texts that some expressions match and others do not, and whether there are any.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex_automata::Anchored;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{MatchKind, nfa::thompson};

use crate::pattern::Pattern;

/// How much memory one automaton may take. Units: bytes.
const SIZE_LIMIT: usize = 1 << 18;

/// How many steps a search may take, over all bytes and automata.
const STEP_LIMIT: usize = 1 << 22;

/// An expression as an automaton over bytes: a text is matched where its state after the end is a matching one.
pub(crate) type Automaton = dense::DFA<Vec<u32>>;

/// The automaton of an expression of the `regex` crate that must match whole texts; `None` where it is none or too large.
pub(crate) fn automaton(whole: &str) -> Option<Automaton> {
    let dense = dense::Config::new().match_kind(MatchKind::All).start_kind(StartKind::Anchored);
    let dense = dense.dfa_size_limit(Some(SIZE_LIMIT)).determinize_size_limit(Some(SIZE_LIMIT));
    let nfa = thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE_LIMIT));
    let read = syntax::Config::new().utf8(false).nest_limit(100);
    dense::Builder::new().configure(dense).thompson(nfa).syntax(read).build(whole).ok()
}

/// Texts without a line break.
static ONE_LINE: LazyLock<Pattern> = LazyLock::new(|| Pattern::new(".*"));

/// The texts, of one line, that all of some expressions match and none of some others.
#[derive(Clone, Default)]
pub(crate) struct Texts {
    all_of: Vec<Pattern>,
    none_of: Vec<Pattern>,
}

impl Texts {
    /// The texts that an expression matches; every one without it.
    pub(crate) fn of(pattern: Option<&Pattern>) -> Texts {
        Texts { all_of: pattern.cloned().into_iter().collect(), none_of: Vec::new() }
    }

    /// Whether some expression has to match.
    pub(crate) fn is_asked(&self) -> bool {
        !self.all_of.is_empty()
    }

    /// Those of them that an expression matches as well.
    pub(crate) fn and(&mut self, pattern: &Pattern) {
        self.all_of.push(pattern.clone());
    }

    /// Those of them that an expression does not match.
    pub(crate) fn without(mut self, pattern: &Pattern) -> Texts {
        self.none_of.push(pattern.clone());
        self
    }

    /// Whether there are none. `None`: an expression is not understood, or the question is too large.
    ///
    /// Cost: one state for each set of states that the automata can be in together.
    pub(crate) fn is_empty(&self) -> Option<bool> {
        if self.all_of.iter().any(|it| self.none_of.contains(it)) {
            return Some(true);
        }
        let wanted = self.all_of.iter().chain([&*ONE_LINE]);
        let automata: Option<Vec<&Automaton>> = wanted.chain(&self.none_of).map(Pattern::automaton).collect();
        search(&automata?, self.all_of.len() + 1)
    }
}

/// Whether no text is matched by the first automata, `wanted` of them, and by none of the others.
fn search(automata: &[&Automaton], wanted: usize) -> Option<bool> {
    let bytes = representatives(automata);
    let anchored = start::Config::new().anchored(Anchored::Yes);
    let starts: Option<Vec<StateID>> = automata.iter().map(|it| it.start_state(&anchored).ok()).collect();
    let mut open = vec![starts?];
    let mut seen: BTreeSet<Vec<StateID>> = open.iter().cloned().collect();
    while let Some(states) = open.pop() {
        let is_match = |at: usize| automata[at].is_match_state(automata[at].next_eoi_state(states[at]));
        if (0..wanted).all(is_match) && !(wanted..automata.len()).any(is_match) {
            return Some(false);
        }
        if seen.len() * bytes.len() * automata.len() > STEP_LIMIT {
            return None;
        }
        for byte in &bytes {
            let next: Vec<StateID> =
                automata.iter().zip(&states).map(|(automaton, at)| automaton.next_state(*at, *byte)).collect();
            let is_dead = (0..wanted).any(|at| automata[at].is_dead_state(next[at]));
            if !is_dead && seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    Some(true)
}

/// One byte of each set that no automaton tells apart.
fn representatives(automata: &[&Automaton]) -> Vec<u8> {
    let mut seen = BTreeSet::new();
    let classes = |byte: u8| automata.iter().map(|it| it.byte_classes().get(byte)).collect::<Vec<u8>>();
    (0..=u8::MAX).filter(|byte| seen.insert(classes(*byte))).collect()
}
