//! The two engines that need no packet.

use super::{Answer, Engine, Outcome, Place, Question, Reply, World};
use driver::meaning::slot;
use flow::{Action, Verdict};
use rules::RuleSet;

/// `oracle::decide` on the rules of the subject's class.
pub(super) struct Oracle<'w> {
    pub world: &'w World<'w>,
}

impl Engine for Oracle<'_> {
    fn ask(&mut self, place: &Place, questions: &[Question]) -> Result<Vec<Reply>, String> {
        let compiled = self.world.asked(place)?;
        let answer = |question: &Question| {
            let rules = &compiled.rules[slot(question.direction)];
            let peer = self.world.peer(place.node.as_deref(), question.peer);
            let decision = oracle::decide(rules, peer, question.key);
            let verdict = decision.verdict;
            let decision = Some(decision);
            Ok(Answer { decision, ..of(verdict, rules, peer) })
        };
        Ok(questions.iter().map(answer).collect())
    }
}

/// `Diagram::eval` of the diagram of the subject's class.
pub(super) struct Diagrams<'w> {
    pub world: &'w World<'w>,
}

impl Engine for Diagrams<'_> {
    fn ask(&mut self, place: &Place, questions: &[Question]) -> Result<Vec<Reply>, String> {
        let compiled = self.world.asked(place)?;
        let answer = |question: &Question| {
            let slot = slot(question.direction);
            let peer = self.world.peer(place.node.as_deref(), question.peer);
            let verdict = compiled.diagrams[slot].eval(peer, question.key);
            Ok(of(verdict, &compiled.rules[slot], peer))
        };
        Ok(questions.iter().map(answer).collect())
    }
}

fn of(verdict: Verdict, rules: &RuleSet, peer: flow::PeerId) -> Answer {
    let listener = match verdict.action {
        Action::Redirect(listener) => rules.listeners.get(usize::from(listener.0)).cloned(),
        Action::Allow | Action::Deny => None,
    };
    let outcome = Outcome::of(verdict);
    Answer { verdict: Some(verdict), listener, ..Answer::plain(outcome, Some(peer)) }
}
