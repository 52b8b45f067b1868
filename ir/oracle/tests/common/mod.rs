//! Text in, text out: a rule set, and flows with the answers that they should have.

use flow::{L4Key, PeerId};
use oracle::decide;
use rules::RuleSet;

/// Asks every flow `pN KEY: ANSWER`; the answer is `VERDICT[ by ORIGIN, …]; STEP`.
pub fn check(rules: &str, flows: &[&str]) {
    let rules = RuleSet::parse(rules).unwrap();
    for flow in flows {
        let (peer, rest) = flow.strip_prefix('p').and_then(|flow| flow.split_once(' ')).unwrap();
        let (key, _) = rest.split_once(':').unwrap();
        let decision = decide(&rules, PeerId(peer.parse().unwrap()), L4Key::parse(key).unwrap());
        let by: Vec<String> = decision.by.iter().map(|id| rules.origin(*id).unwrap().to_string()).collect();
        let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
        assert_eq!(format!("p{peer} {key}: {}{by}; {}", decision.verdict, decision.because), *flow);
    }
}
