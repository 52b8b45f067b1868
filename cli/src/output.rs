//! Writes what a command says: to standard output, or to a file that is replaced whole.

use crate::temporary::Temporary;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Whether text may carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output: colours as `--color` says.
    Stdout,
    /// A file: never colours.
    File,
}

/// A file that is named twice. Devices take any number of outputs.
pub fn twice<'f>(files: impl Iterator<Item = &'f Path>) -> Option<&'f Path> {
    let mut seen = std::collections::BTreeSet::new();
    let mut files = files.filter(|file| !file.starts_with("/dev"));
    files.find(|file| !seen.insert(*file))
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
/// A link stays a link, and what it points at is replaced; who may read it stays as it was. Devices, pipes and open descriptors are written into.
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
    let before = std::fs::metadata(path).ok().map(|it| it.permissions());
    // What is new gets the mode that the user's mask leaves.
    let usual = Permissions::from_mode(0o666);
    let make = || tempfile::Builder::new().prefix(".tidegate-").permissions(usual).tempfile_in(folder);
    let (mut file, temporary) = Temporary::make(make, |file| file.path()).map_err(without_name)?;
    // Why the file itself: errors of its wrapper carry the temporary name, which means nothing to a reader.
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    before.map_or(Ok(()), |it| file.as_file().set_permissions(it))?;
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
    quietly(std::fs::OpenOptions::new().append(true).open(path)?.write_all(bytes))
}

/// What the system said of a temporary file, without that file's name.
fn without_name(error: io::Error) -> io::Error {
    let said = error.get_ref().and_then(|inner| inner.source()).map(ToString::to_string);
    said.map_or_else(|| io::Error::from(error.kind()), |said| io::Error::new(error.kind(), said))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn who_may_read_a_file_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (path, plain) = (folder.path().join("report"), folder.path().join("plain"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        std::fs::write(&plain, "").unwrap();
        write_file(&path, b"old").unwrap();
        assert_eq!(mode(&path), mode(&plain), "as any new file");
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        write_file(&path, b"new").unwrap();
        assert_eq!(mode(&path), 0o600);
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
