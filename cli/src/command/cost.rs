//! `tidegate cost`: what policies cost, before they are applied.

pub mod budget;
pub mod report;
mod text;

use super::Exit;
use super::replay::forms::{Form, Forms};
use crate::args::{Color, Paths};
use crate::formats;
use crate::render::say;
use crate::session::{self, Session};
use budget::Budget;
use clap::{Args, ValueEnum};
use report::CostReport;

/// Say what policies cost before they are applied: entries, bytes, instructions, identities, and which rules make them.
///
/// Exits with 1 when a budget is exceeded.
#[derive(Debug, Args)]
pub struct Cost {
    /// Where manifests come from.
    #[command(flatten)]
    pub paths: Paths,
    /// What the text report lists first.
    #[arg(long, value_name = "WHAT", default_value = "rules")]
    pub by: By,
    /// How many rules and classes the text report lists.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub limit: usize,
    /// What must not be exceeded.
    #[command(flatten)]
    pub budget: Budget,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Forms,
}

/// What costs are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// Rules, by the entries that they make.
    Rules,
    /// Rules, by the identities that they select.
    Identities,
    /// Classes of endpoints, by entries of a policy map.
    Entries,
    /// Classes of endpoints, by bytes of tables over all their endpoints.
    Endpoints,
}

/// What policies cost, as text. Errors: for people.
pub(in crate::command) fn drawn(session: &Session) -> String {
    let db = report::planned(&session.db);
    let report = CostReport::of(&db, &session.choice, &Budget::default());
    text::text(&report, By::Rules, LISTED)
}

/// How many rules are listed where nobody says how many.
const LISTED: usize = 20;

impl Cost {
    /// Reads, counts, prints.
    pub fn run(self, _color: Color) -> Result<Exit, String> {
        let session = session::open(&self.paths)?;
        let unsound = session.report_unsound();
        let db = report::planned(&session.db);
        let cluster = session.cluster.clone();
        let unread = session.unread();
        let report = CostReport { cluster, unread, ..CostReport::of(&db, &session.choice, &self.budget) };
        formats::write_all(&self.outputs.outputs, |form, _| {
            Ok(match form {
                Form::Text => text::text(&report, self.by, self.limit),
                Form::Concise => text::concise(&report, self.by),
                Form::Json => super::json(&report)?,
                Form::Jsonl => text::jsonl(&report),
                Form::Csv => text::csv(&report),
            })
        })?;
        budget::lines(&report.breaches).iter().for_each(|line| say(line));
        Ok(match report.breaches.is_empty() {
            _ if unsound => Exit::Bad,
            true => Exit::Clean,
            false => Exit::Findings,
        })
    }
}
