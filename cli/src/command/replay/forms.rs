//! How reports about flows are written: beside text and JSON, one line a row.

use crate::formats::{Formats, To};
use clap::Args;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One line a row, for people.
    Concise,
    /// One JSON object with `apiVersion` and `kind`.
    Json,
    /// One JSON object a row.
    Jsonl,
    /// A table with a header.
    Csv,
}

impl Formats for Form {
    const ALL: &'static [Form] = &[Form::Text, Form::Concise, Form::Json, Form::Jsonl, Form::Csv];

    fn name(self) -> &'static str {
        match self {
            Form::Text => "text",
            Form::Concise => "concise",
            Form::Json => "json",
            Form::Jsonl => "jsonl",
            Form::Csv => "csv",
        }
    }

    fn is_shown(self) -> bool {
        // The others have escapes of their own.
        matches!(self, Form::Text | Form::Concise)
    }

    fn is_manifests(self) -> bool {
        // What `suggest` writes by default.
        self == Form::Text
    }
}

/// Where reports go.
#[derive(Clone, Debug, Args)]
pub struct Forms {
    /// Format of the report (text, concise, json, jsonl, csv), and its file when it is not for standard output. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<To<Form>>,
}
