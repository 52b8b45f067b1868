//! How reports about flows are written: beside text and JSON, one line a row.

use crate::visible::visible;
use clap::Args;
use std::path::PathBuf;

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

impl Form {
    /// Every form with its name.
    pub const ALL: [(&'static str, Form); 5] = [
        ("text", Form::Text),
        ("concise", Form::Concise),
        ("json", Form::Json),
        ("jsonl", Form::Jsonl),
        ("csv", Form::Csv),
    ];
}

/// One `-o`: a form, and a file when it is not for standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How.
    pub form: Form,
    /// Where; `None` is standard output.
    pub file: Option<PathBuf>,
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name is missing after `=`".into()),
            Some((name, file)) => (name, (file != "-").then(|| PathBuf::from(file))),
            None => (text, None),
        };
        let form = Form::ALL.into_iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known = Form::ALL.map(|(name, _)| name).join(", ");
            format!("unknown format `{name}`; known: {known}")
        })?;
        Ok(Wanted { form: form.1, file })
    }
}

/// Where reports go.
#[derive(Clone, Debug, Args)]
pub struct Forms {
    /// Format of the report (text, concise, json, jsonl, csv), and its file when it is not for standard output. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<Wanted>,
}

impl Forms {
    /// What is asked for; text on standard output when nothing is.
    pub fn all(&self) -> Vec<Wanted> {
        match self.outputs.is_empty() {
            true => vec![Wanted { form: Form::Text, file: None }],
            false => self.outputs.clone(),
        }
    }
}

/// A report as it is written: what people read shows control characters, the others have escapes of their own.
pub fn shown(form: Form, text: String) -> String {
    match form {
        Form::Text | Form::Concise => visible(&text).into_owned(),
        Form::Json | Form::Jsonl | Form::Csv => text,
    }
}
