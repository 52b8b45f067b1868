//! What came out: counts, wrong cases, what was not asked.

use crate::engine::{Kind, NotAsked};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One wrong answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrong {
    /// The scenario.
    pub scenario: String,
    /// The dialect under which it was asked.
    pub dialect: &'static str,
    /// What was asked, what was expected, what came.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.scenario, self.dialect, self.what)
    }
}

/// What one engine answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Scenarios within reach.
    pub scenarios: usize,
    /// Rows of their tables that were asked, each once, however many dialects and families they were asked in.
    pub cases: usize,
    /// Rows asked under `standard` too.
    pub standard_cases: usize,
    /// Sides of rows asked, all dialects and families; those asked in IPv6 after IPv4 are counted beside.
    pub answers: usize,
    /// Sides of rows asked a second time, in IPv6.
    pub second_family: usize,
    /// Questions of the comparison with the oracle.
    pub compared: usize,
    /// Wrong answers.
    pub wrong: Vec<Wrong>,
    /// Scenarios out of reach, with the fields that no stage takes yet.
    pub out_of_reach: BTreeMap<String, BTreeSet<String>>,
    /// Sides that could not be put to the engine, by reason.
    pub not_asked: BTreeMap<NotAsked, usize>,
    /// The same of the comparison.
    pub not_compared: BTreeMap<NotAsked, usize>,
}

impl Report {
    /// Adds what came out of another part.
    pub fn add(&mut self, other: Report) {
        self.scenarios += other.scenarios;
        self.cases += other.cases;
        self.standard_cases += other.standard_cases;
        self.answers += other.answers;
        self.second_family += other.second_family;
        self.compared += other.compared;
        self.wrong.extend(other.wrong);
        self.out_of_reach.extend(other.out_of_reach);
        for (why, count) in other.not_asked {
            *self.not_asked.entry(why).or_default() += count;
        }
        for (why, count) in other.not_compared {
            *self.not_compared.entry(why).or_default() += count;
        }
    }

    /// The report as people read it: at most `limit` wrong cases, what was not asked, the counts; the closing line last.
    pub fn lines(&self, kind: Kind, limit: usize) -> Vec<String> {
        let mut lines: Vec<String> =
            self.wrong.iter().take(limit).map(|wrong| format!("{kind}: wrong: {wrong}")).collect();
        if self.wrong.len() > limit {
            lines.push(format!("{kind}: and {} more", self.wrong.len() - limit));
        }
        for (scenario, fields) in &self.out_of_reach {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            lines.push(format!("{kind}: out of reach: {scenario}: {}", fields.join(", ")));
        }
        for (of, counts) in [("not asked", &self.not_asked), ("not compared", &self.not_compared)] {
            lines.extend(counts.iter().map(|(why, count)| format!("{kind}: {of}: {count} of {why}")));
        }
        lines.push(format!(
            "{kind}: {} answers, {} of them in a second family; {} cases also under standard; {} compared with the oracle",
            self.answers, self.second_family, self.standard_cases, self.compared
        ));
        lines.push(format!(
            "{kind}: {} scenarios, {} cases, {} wrong, {} out of reach",
            self.scenarios,
            self.cases,
            self.wrong.len(),
            self.out_of_reach.len()
        ));
        lines
    }
}
