//! Where a report goes and in which format: `-o FORMAT[=FILE]`, repeatable.

use crate::temporary::Temporary;
use crate::visible::visible;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For people.
    Text,
    /// One line a finding: `file:line:column: level[code]: headline`.
    Concise,
    /// One JSON object with `apiVersion` and `kind`.
    Json,
}

impl Format {
    /// Every format, as `--help` lists them.
    pub const ALL: [Format; 3] = [Format::Text, Format::Concise, Format::Json];

    /// The name that a user writes.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Concise => "concise",
            Format::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One `-o`: a format, and a file when it is not for standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How.
    pub format: Format,
    /// Where; `None` and `-` are standard output.
    pub file: Option<PathBuf>,
}

impl std::str::FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Output, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name is missing after `=`".into()),
            Some((name, file)) => (name, (file != "-").then(|| PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let known = Format::ALL.map(Format::name).join(", ");
            format!("unknown format `{name}`; known: {known}")
        })?;
        Ok(Output { format, file })
    }
}

/// Writes each output with what `render` makes of its format; text to standard output when none is asked for.
///
/// Errors: the first file or stream that cannot be written, with its name. A reader that closed the pipe is no error.
pub fn write_all(outputs: &[Output], render: impl Fn(Format, Destination) -> String) -> io::Result<()> {
    if let Some(file) = twice(outputs.iter().filter_map(|it| it.file.as_deref())) {
        let reason = format!("two outputs go to `{}`, and one would replace the other", file.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    }
    let default = [Output { format: Format::Text, file: None }];
    for output in if outputs.is_empty() { &default } else { outputs } {
        let shown = |destination| match (output.format, render(output.format, destination)) {
            // JSON has escapes of its own.
            (Format::Json, text) => text,
            (Format::Text | Format::Concise, text) => visible(&text).into_owned(),
        };
        match &output.file {
            Some(file) => write_file(file, shown(Destination::File).as_bytes())
                .map_err(|error| io::Error::new(error.kind(), format!("cannot write `{}`: {error}", file.display())))?,
            None => write_stdout(&shown(Destination::Stdout))?,
        }
    }
    Ok(())
}

/// A file that is named twice. Devices take any number of outputs.
pub fn twice<'f>(files: impl Iterator<Item = &'f Path>) -> Option<&'f Path> {
    let mut seen = std::collections::BTreeSet::new();
    let mut files = files.filter(|file| !file.starts_with("/dev"));
    files.find(|file| !seen.insert(*file))
}

/// Whether text may carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output: colours as `--color` says.
    Stdout,
    /// A file: never colours.
    File,
}

/// Writes to standard output. A closed pipe ends the output quietly, as a pager expects.
pub fn write_stdout(text: &str) -> io::Result<()> {
    let written = io::stdout().lock().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    quietly(written).map_err(|error| io::Error::new(error.kind(), format!("cannot write to standard output: {error}")))
}

/// A reader who left is no error.
fn quietly(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Replaces a file in one step: readers see the old bytes or the new, and a full disk leaves the old.
///
/// A link stays a link, and what it points at is replaced. Devices, pipes and open descriptors are written into.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &match target(path)? {
        Target::File(path) => path,
        Target::Open(path) => return write_into(&path, bytes),
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.exists() {
        let absent = format!("there is no folder `{}`", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, absent));
    }
    let make = || tempfile::Builder::new().prefix(".tidegate-").tempfile_in(folder);
    let (mut file, temporary) = Temporary::make(make, |file| file.path()).map_err(without_name)?;
    // Why the file itself: errors of its wrapper carry the temporary name, which means nothing to a reader.
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    set_usual_mode(file.as_file())?;
    temporary.settle(|| file.persist(path).map_err(|error| error.error))?;
    Ok(())
}

/// How many links lead to a file at most, as in the kernel (path_resolution(7)).
const LINKS: usize = 40;

/// What a path names in the end.
enum Target {
    /// A file, whether or not it exists, or a folder.
    File(PathBuf),
    /// Something that is written into and never replaced.
    Open(PathBuf),
}

fn target(path: &Path) -> io::Result<Target> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        // Why: what stands there are descriptors, even where they look like links to files; `/dev/stdout` leads there too.
        let lives = ["/proc", "/dev/fd"].iter().any(|it| path.starts_with(it));
        if lives || std::fs::metadata(&path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
            return Ok(Target::Open(path));
        }
        match std::fs::read_link(&path) {
            // Joined to the link's own folder; an absolute target stands alone.
            Ok(to) => path = path.parent().unwrap_or(Path::new("")).join(to),
            Err(_) => return Ok(Target::File(path)),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

fn write_into(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let names = |known: [&str; 2]| known.iter().any(|it| path == Path::new(it));
    // Why not opened anew: a second description of the same file has a place of its own, and would write over what is there.
    if names(["/dev/fd/1", "/proc/self/fd/1"]) {
        return quietly(io::stdout().lock().write_all(bytes).and_then(|()| io::stdout().flush()));
    }
    if names(["/dev/fd/2", "/proc/self/fd/2"]) {
        return io::stderr().lock().write_all(bytes);
    }
    std::fs::OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

/// What the system said of a temporary file, without that file's name.
fn without_name(error: io::Error) -> io::Error {
    let said = error.get_ref().and_then(|inner| inner.source()).map(ToString::to_string);
    said.map_or_else(|| io::Error::from(error.kind()), |said| io::Error::new(error.kind(), said))
}

/// A temporary file is private; a report is not.
fn set_usual_mode(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_may_name_its_file() {
        assert_eq!("json=out.json".parse(), Ok(Output { format: Format::Json, file: Some("out.json".into()) }));
        assert_eq!("json=-".parse(), Ok(Output { format: Format::Json, file: None }));
        assert!("jsn".parse::<Output>().unwrap_err().contains("text, concise, json"));
        assert!("json=".parse::<Output>().is_err());
    }

    #[test]
    fn a_file_that_cannot_be_written_keeps_its_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        write_file(&path, b"old").unwrap();
        assert!(write_file(&path.join("below-a-file"), b"new").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        write_file(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_link_stays_a_link_and_its_target_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        std::os::unix::fs::symlink("file", &link).unwrap();
        for text in ["new", "newer"] {
            write_file(&link, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
            assert!(link.is_symlink());
        }
    }

    #[test]
    fn a_device_is_written_into_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        write_file(&link, b"gone").unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn the_folder_that_is_missing_is_named_and_no_temporary_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_file(&folder.path().join("absent/report"), b"new").unwrap_err().to_string();
        assert_eq!(error, format!("there is no folder `{}`", folder.path().join("absent").display()));
    }

    #[test]
    fn a_pipe_is_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read_to_string(pipe).unwrap()
        });
        write_file(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
    }
}
