//! Budgets: what a class of endpoints, or a rule, may cost at most.

use super::report::{Breach, CostReport, CostRule, planned};
use crate::files;
use checks::Spending;
use clap::Args;
use diag::Diagnostic;
use driver::{Choice, Database, locate};
use rules::Origin;
use std::path::Path;

/// What must not be exceeded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct Budget {
    /// Entries of a policy map of Cilium, for each class of endpoints; its own limit is 16384 unless the agent is told otherwise.
    #[arg(long, value_name = "NUMBER")]
    pub max_entries: Option<u64>,
    /// Bytes of our tables, for each class of endpoints.
    #[arg(long, value_name = "NUMBER")]
    pub max_bytes: Option<u64>,
    /// Identities that a rule selects.
    #[arg(long, value_name = "NUMBER")]
    pub max_identities: Option<u64>,
}

/// The keys of a budget.
const KEYS: [&str; 3] = ["max-entries", "max-bytes", "max-identities"];
/// How many rules are named where a budget is exceeded.
const NAMED: usize = 3;

impl Budget {
    /// Reads `KEY=N,…`, or a file with a `KEY=N` a line, `#` for comments.
    ///
    /// Errors: for people.
    pub fn read(text: &str) -> Result<Budget, String> {
        if text.contains('=') {
            return Budget::parse(text);
        }
        let read = files::text(Path::new(text)).map_err(|why| format!("cannot read the budget `{text}`: {why}"))?;
        Budget::parse(&read).map_err(|error| format!("in the budget `{text}`: {error}"))
    }

    fn parse(text: &str) -> Result<Budget, String> {
        let mut budget = Budget::default();
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        for part in lines.flat_map(|line| line.split(',')).map(str::trim).filter(|part| !part.is_empty()) {
            let (key, number) =
                part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form KEY=NUMBER"))?;
            let number = number.trim().replace('_', "");
            let number = number.parse().map_err(|_| format!("`{number}` is no number"))?;
            let place = match key.trim() {
                "max-entries" => &mut budget.max_entries,
                "max-bytes" => &mut budget.max_bytes,
                "max-identities" => &mut budget.max_identities,
                other => {
                    let near = reason::party::near(other, KEYS.map(str::to_owned));
                    let near = near.first().map(|it| format!("; did you mean `{it}`")).unwrap_or_default();
                    return Err(format!("`{other}` is no budget{near}; known: {}", KEYS.join(", ")));
                }
            };
            if let Some(before) = place.replace(number) {
                return Err(format!("`{}` stands twice, with {before} and with {number}; keep one", key.trim()));
            }
        }
        Ok(budget)
    }

    /// What exceeds the budget, in the order of classes and rules.
    pub fn breaches(&self, report: &CostReport) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for class in &report.classes {
            let spent = [("max-entries", self.max_entries, class.entries), ("max-bytes", self.max_bytes, class.bytes)];
            for (budget, limit, value) in spent {
                if let Some(limit) = limit.filter(|limit| value > *limit) {
                    let mine = report.rules.iter().filter(|rule| class.rules.contains(&rule.number()));
                    let rules: Vec<CostRule> = mine.take(NAMED).cloned().collect();
                    breaches.push(Breach { budget: budget.into(), limit, value, of: class.who.clone(), rules });
                }
            }
        }
        let Some(limit) = self.max_identities else { return breaches };
        let mut over: Vec<&CostRule> = report.rules.iter().filter(|rule| rule.identities > limit).collect();
        over.sort_by_key(|rule| u64::MAX - rule.identities);
        for rule in over {
            let of = format!("{} {}", rule.cause.object, rule.cause.path);
            let rules = vec![rule.clone()];
            breaches.push(Breach { budget: "max-identities".into(), limit, value: rule.identities, of, rules });
        }
        breaches
    }
}

/// Breaches in words, with the rules that cost the most.
pub fn lines(breaches: &[Breach]) -> Vec<String> {
    let mut lines = Vec::new();
    for it in breaches {
        lines.push(format!(
            "error: {} is exceeded: {} instead of at most {} for {}",
            it.budget, it.value, it.limit, it.of
        ));
        lines.extend(it.rules.iter().map(|rule| format!("  {rule}")));
    }
    lines
}

/// Holds what was read against a budget, for `check --budget`: a finding for each breach.
pub fn check(db: &Database, choice: &Choice, budget: &Budget) -> Vec<Diagnostic> {
    let breaches = CostReport::of(&planned(db), choice, budget).breaches;
    let place = |rule: &CostRule| {
        let origin = Origin { object: rule.cause.object.clone(), path: rule.cause.path.clone() };
        Some((locate::locate(db, &origin)?, rule.costs()))
    };
    let finding = |it: Breach| {
        let rules = it.rules.iter().filter_map(place).collect();
        let Breach { budget, limit, value: spent, of: by, .. } = it;
        checks::over_budget(&Spending { budget, limit, spent, by, rules })
    };
    breaches.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_read_as_it_is_written() {
        let wanted = Budget { max_entries: Some(16384), max_bytes: None, max_identities: Some(100) };
        assert_eq!(Budget::read("max-entries=16_384,max-identities=100"), Ok(wanted.clone()));
        assert_eq!(Budget::parse("# ours\nmax-entries=16384\nmax-identities = 100 # a rule\n"), Ok(wanted));
        assert!(Budget::read("max-entires=1").unwrap_err().contains("did you mean `max-entries`; known: max-entries"));
        assert!(Budget::read("max-entries=many").unwrap_err().contains("no number"));
        assert!(Budget::read("no-such-file").unwrap_err().contains("cannot read the budget"));
    }
}
