//! The formats of `diff`.

use crate::output::{Destination, write_file, write_stdout};
use crate::visible::visible;
use std::path::PathBuf;

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// One JSON object with `apiVersion` and `kind`.
    Json,
    /// For a comment of a pull request.
    Markdown,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl Format {
    const ALL: [(&'static str, Format); 4] =
        [("text", Format::Text), ("json", Format::Json), ("markdown", Format::Markdown), ("sarif", Format::Sarif)];
}

/// One `-o`: a format, and a file when it is not for standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct To {
    format: Format,
    file: Option<PathBuf>,
}

impl std::str::FromStr for To {
    type Err = String;

    fn from_str(text: &str) -> Result<To, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name is missing after `=`".into()),
            Some((name, file)) => (name, (file != "-").then(|| PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::ALL.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<&str> = Format::ALL.iter().map(|(known, _)| *known).collect();
            format!("unknown format `{name}`; known: {}", known.join(", "))
        })?;
        Ok(To { format: format.1, file })
    }
}

/// Writes each output with what `render` makes of its format; text to standard output when none is asked for.
///
/// Errors: the first file or stream that cannot be written, with its name. A reader that closed the pipe is no error.
pub fn write_all(outputs: &[To], render: impl Fn(Format, Destination) -> String) -> Result<(), String> {
    let default = [To { format: Format::Text, file: None }];
    for output in if outputs.is_empty() { &default } else { outputs } {
        let destination = if output.file.is_some() { Destination::File } else { Destination::Stdout };
        let text = match (output.format, render(output.format, destination)) {
            // JSON has escapes of its own.
            (Format::Json | Format::Sarif, text) => text,
            (Format::Text | Format::Markdown, text) => visible(&text).into_owned(),
        };
        match &output.file {
            Some(file) => write_file(file, text.as_bytes())
                .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?,
            None => write_stdout(&text).map_err(|error| error.to_string())?,
        }
    }
    Ok(())
}
