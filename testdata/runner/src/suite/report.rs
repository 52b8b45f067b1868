//! What a run of the suite says.

use std::collections::BTreeMap;
use std::fmt;

/// The outcome of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Headings run, once for each dialect.
    pub tests: usize,
    /// By engine.
    pub counts: BTreeMap<&'static str, Count>,
    /// Claims of diagnostics that were compared.
    pub claims: usize,
    /// `rerun` blocks that were compared.
    pub reruns: usize,
    /// Everything that is not as expected.
    pub failures: Vec<Failure>,
}

/// How often an engine was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Questions.
    pub asked: usize,
    /// Answers other than expected.
    pub wrong: usize,
    /// Flows about which programs are no judge: nodes, protocols that they drop undecided, path MTU.
    pub no_question: usize,
    /// Flows that were not asked for want of permission.
    pub not_permitted: usize,
}

/// One thing that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The fixture.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The heading.
    pub test: String,
    /// What is wrong.
    pub message: String,
}

impl Report {
    /// Adds the outcome of another run behind this one.
    pub fn add(&mut self, other: Report) {
        self.files += other.files;
        self.tests += other.tests;
        self.claims += other.claims;
        self.reruns += other.reruns;
        self.failures.extend(other.failures);
        for (engine, count) in other.counts {
            let sum = self.counts.entry(engine).or_default();
            sum.asked += count.asked;
            sum.wrong += count.wrong;
            sum.no_question += count.no_question;
            sum.not_permitted += count.not_permitted;
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n    {}", self.file, self.line, self.test, self.message.replace('\n', "\n    "))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        writeln!(f, "{} files, {} tests, {} claims, {} re-runs", self.files, self.tests, self.claims, self.reruns)?;
        for (engine, count) in &self.counts {
            let Count { asked, wrong, no_question, not_permitted } = count;
            write!(f, "{engine}: {asked} asked, {wrong} wrong, {no_question} out of its reach")?;
            match not_permitted {
                0 => writeln!(f)?,
                n => writeln!(f, ", {n} skipped: the process may not call bpf(2)")?,
            }
        }
        Ok(())
    }
}
