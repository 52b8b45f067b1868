//! `-o FORMAT[=FILE]` of commands whose formats are their own.

use crate::output::{Destination, twice, write_file, write_stdout};
use crate::visible::visible;
use std::io;
use std::path::PathBuf;

/// The formats of one command.
pub trait Formats: Copy + PartialEq + 'static {
    /// Every format, as `--help` lists them; the first is written when none is asked for.
    const ALL: &'static [Self];

    /// The name that a user writes.
    fn name(self) -> &'static str;

    /// Whether it is for people, so that what acts on a terminal is written out.
    fn is_shown(self) -> bool;
}

/// One `-o`: a format, and a file when it is not for standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct To<F> {
    /// How.
    pub format: F,
    /// Where; `None` is standard output.
    pub file: Option<PathBuf>,
}

impl<F: Formats> std::str::FromStr for To<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<To<F>, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name is missing after `=`".into()),
            Some((name, file)) => (name, (file != "-").then(|| PathBuf::from(file))),
            None => (text, None),
        };
        let format = F::ALL.iter().find(|format| format.name() == name).ok_or_else(|| {
            let known: Vec<&str> = F::ALL.iter().map(|format| format.name()).collect();
            format!("unknown format `{name}`; known: {}", known.join(", "))
        })?;
        Ok(To { format: *format, file })
    }
}

/// Writes each output with what `render` makes of its format.
///
/// Errors: the first file or stream that cannot be written, with its name. A reader that closed the pipe is no error.
pub fn write_all<F: Formats>(
    outputs: &[To<F>],
    render: impl Fn(F, Destination) -> Result<String, String>,
) -> Result<(), String> {
    if let Some(file) = twice(outputs.iter().filter_map(|it| it.file.as_deref())) {
        return Err(format!("two outputs go to `{}`, and one would replace the other", file.display()));
    }
    let default = [To { format: F::ALL[0], file: None }];
    for output in if outputs.is_empty() { &default } else { outputs } {
        let destination = if output.file.is_some() { Destination::File } else { Destination::Stdout };
        let text = render(output.format, destination)?;
        let text = if output.format.is_shown() { visible(&text).into_owned() } else { text };
        let written: io::Result<()> = match &output.file {
            Some(file) => write_file(file, text.as_bytes())
                .map_err(|error| io::Error::new(error.kind(), format!("cannot write `{}`: {error}", file.display()))),
            None => write_stdout(&text),
        };
        written.map_err(|error| error.to_string())?;
    }
    Ok(())
}
