//! Where a report goes and in which format: `-o FORMAT[=FILE]`, repeatable.

use crate::inputs;
use crate::output::{Destination, twice, write_file, write_stdout};
use crate::visible::visible;
use std::path::PathBuf;

/// The formats of one command.
pub trait Formats: Copy + PartialEq + 'static {
    /// Every format, as `--help` lists them; the first is written when none is asked for.
    const ALL: &'static [Self];

    /// The name that a user writes.
    fn name(self) -> &'static str;

    /// Whether it is for people, so that what acts on a terminal is written out.
    fn is_shown(self) -> bool;

    /// Whether it is a manifest itself, which a later run may read in its folder and then replace.
    fn is_manifests(self) -> bool {
        false
    }
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

/// The formats of commands that have no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// For people.
    Text,
    /// The same in one line, or one line each.
    Concise,
    /// One JSON object with `apiVersion` and `kind`.
    Json,
}

impl Formats for Plain {
    const ALL: &'static [Plain] = &[Plain::Text, Plain::Concise, Plain::Json];

    fn name(self) -> &'static str {
        match self {
            Plain::Text => "text",
            Plain::Concise => "concise",
            Plain::Json => "json",
        }
    }

    fn is_shown(self) -> bool {
        // JSON has escapes of its own.
        self != Plain::Json
    }
}

/// Whether outputs go to files of their own: to none that is read, and to none together.
///
/// Errors: the first that does not.
pub fn apart<F: Formats>(outputs: &[To<F>]) -> Result<(), String> {
    if let Some(file) = twice(outputs.iter().filter_map(|it| it.file.as_deref())) {
        return Err(format!("two outputs go to `{}`, and one would replace the other", file.display()));
    }
    let over = |it: &&To<F>| it.file.as_deref().is_some_and(|file| inputs::is_one(file, it.format.is_manifests()));
    if let Some(file) = outputs.iter().find(over).and_then(|it| it.file.as_deref()) {
        return Err(format!("an output goes to `{}`, which is read, and would replace it", file.display()));
    }
    Ok(())
}

/// Writes each output with what `render` makes of its format; the first format to standard output when none is asked for.
///
/// Nothing is written before all of them are rendered. Errors: the first file or stream that cannot be written, with its name. A reader
/// that closed the pipe is no error.
pub fn write_all<F: Formats>(
    outputs: &[To<F>],
    render: impl Fn(F, Destination) -> Result<String, String>,
) -> Result<(), String> {
    apart(outputs)?;
    let default = [To { format: F::ALL[0], file: None }];
    let outputs = if outputs.is_empty() { &default } else { outputs };
    let rendered = outputs.iter().map(|output| {
        let destination = if output.file.is_some() { Destination::File } else { Destination::Stdout };
        let text = render(output.format, destination)?;
        Ok(if output.format.is_shown() { visible(&text).into_owned() } else { text })
    });
    let rendered = rendered.collect::<Result<Vec<String>, String>>()?;
    for (output, text) in outputs.iter().zip(rendered) {
        match &output.file {
            Some(file) => write_file(file, text.as_bytes())
                .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?,
            None => write_stdout(&text).map_err(|error| error.to_string())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_may_name_its_file() {
        let to = |text: &str| text.parse::<To<Plain>>();
        assert_eq!(to("json=out.json"), Ok(To { format: Plain::Json, file: Some("out.json".into()) }));
        assert_eq!(to("json=-"), Ok(To { format: Plain::Json, file: None }));
        assert!(to("jsn").unwrap_err().contains("text, concise, json"));
        assert!(to("json=").is_err());
    }

    #[test]
    fn nothing_is_written_when_one_of_several_cannot_be_rendered() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("first");
        let outputs = [To { format: Plain::Text, file: Some(file.clone()) }, To { format: Plain::Json, file: None }];
        let render = |format, _| if format == Plain::Text { Ok("text".into()) } else { Err("no such thing".into()) };
        assert_eq!(write_all(&outputs, render), Err("no such thing".into()));
        assert!(!file.exists());
    }
}
