//! Where a node's objects are pinned, so that they outlive the process.
//!
//! ```text
//!  <bpffs>/tidegate/v1/<node>/
//!    tg_config …                       the node maps
//!    images/<digest>/                  one folder an image; its name is the image's whole identity
//!      to-<program>  from-<program>
//!      00-fixed-<table>  01-classes_to-<table>  02-digest-<table>  03-counters-<table>
//!    endpoints/<endpoint>/
//!      to  from                        TCX links
//!      to-clsact-<ifindex>/            an empty folder: our filter is there
//!    clsact/<ifindex>/                 an empty folder: we made the interface's clsact qdisc
//! ```
//! A folder of an image is filled under another name and then renamed, so that a folder with a digest for its name is whole.
//! Names of nodes and endpoints keep their letters, digits and hyphens; every other byte stands as `_` and two hexadecimal digits.

use crate::error::{Context as _, Error, Operation, Result};
use crate::load::{Holds, Loaded, LoadedProgram, LoadedTable};
use crate::sys::map::Map;
use crate::sys::memory::Mapped;
use crate::sys::object;
use crate::sys::program::Program;
use image::{Digest, Hook};
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// The longest name of a node or endpoint in bytes: three characters for each byte fit a file name of 255.
const NAME_LIMIT: usize = 80;

/// Mounts the BPF file system unless it is there.
pub(crate) fn mounted(root: &Path) -> Result<()> {
    let there = |root: &Path| statfs(root).map(|stat| stat.filesystem_type() == BPF_FS_MAGIC).map_err(io::Error::from);
    if there(root).on(Operation::Mount, root.display())? {
        return Ok(());
    }
    let mounted = mount(Some("bpf"), root, Some("bpf"), MsFlags::empty(), Some("mode=0700"));
    mounted.map_err(io::Error::from).on(Operation::Mount, root.display())
}

/// A name as a file name.
pub(crate) fn encode(name: &str, what: &'static str) -> Result<String> {
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(Error::Name { name: name.into(), what });
    }
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
        _ => format!("_{byte:02x}"),
    };
    Ok(name.bytes().map(byte).collect())
}

/// The name that a file name stands for; `None` when we did not write it.
pub(crate) fn decode(file: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = file.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The name of a hook in pins.
pub(crate) fn hook_name(hook: Hook) -> &'static str {
    match hook {
        Hook::ToEndpoint => "to",
        Hook::FromEndpoint => "from",
        Hook::ToHost => "host_to",
        Hook::FromHost => "host_from",
    }
}

/// The hook of a name in pins.
pub(crate) fn hook_of(name: &str) -> Option<Hook> {
    Hook::ALL.into_iter().find(|&hook| hook_name(hook) == name)
}

/// Makes a folder and those above it.
pub(crate) fn folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).on(Operation::Pin, path.display())
}

/// Pins an object; what is pinned there already is replaced in one step.
pub(crate) fn put(fd: impl AsFd, path: &Path) -> Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push("_new");
    let fresh = PathBuf::from(fresh);
    remove(&fresh)?;
    object::pin(fd.as_fd(), &fresh).on(Operation::Pin, path.display())?;
    fs::rename(&fresh, path).on(Operation::Pin, path.display())
}

/// Removes a pin, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    absent_is_fine(fs::remove_file(path)).on(Operation::RemovePin, path.display())
}

/// Removes an empty folder, if it is there; a folder that holds something stays.
pub(crate) fn remove_empty(path: &Path) -> Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.raw_os_error() == Some(libc::ENOTEMPTY) => Ok(()),
        answer => absent_is_fine(answer).on(Operation::RemovePin, path.display()),
    }
}

/// Removes a folder and the pins in it, if it is there.
pub(crate) fn remove_folder(path: &Path) -> Result<()> {
    absent_is_fine(fs::remove_dir_all(path)).on(Operation::RemovePin, path.display())
}

fn absent_is_fine(answer: io::Result<()>) -> io::Result<()> {
    match answer {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        answer => answer,
    }
}

/// The names in a folder, ascending; none without the folder.
pub(crate) fn names(path: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.on(Operation::OpenPin, path.display())?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.on(Operation::OpenPin, path.display())?.file_name();
        names.extend(name.into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// Pins an image's programs and tables in `images/<digest>`, unless they are there.
pub(crate) fn put_image(images: &Path, loaded: &Loaded) -> Result<()> {
    let whole = images.join(loaded.digest().to_string());
    if whole.exists() {
        return Ok(());
    }
    let partial = images.join(format!("{}_new", loaded.digest()));
    remove_folder(&partial)?;
    folder(&partial)?;
    for program in &loaded.programs {
        put(&program.program, &partial.join(format!("{}-{}", hook_name(program.hook), program.name)))?;
    }
    for (index, table) in loaded.tables.iter().enumerate() {
        put(&table.map, &partial.join(format!("{index:05}-{}-{}", holds_name(table.holds), table.name)))?;
    }
    fs::rename(&partial, &whole).on(Operation::Pin, whole.display())
}

fn holds_name(holds: Holds) -> String {
    match holds {
        Holds::Fixed => "fixed".into(),
        Holds::Classes(hook) => format!("classes_{}", hook_name(hook)),
        Holds::Digest => "digest".into(),
        Holds::Counters => "counters".into(),
    }
}

fn holds_of(name: &str) -> Option<Holds> {
    match name {
        "fixed" => Some(Holds::Fixed),
        "digest" => Some(Holds::Digest),
        "counters" => Some(Holds::Counters),
        name => name.strip_prefix("classes_").and_then(hook_of).map(Holds::Classes),
    }
}

/// The digest that a folder of an image names.
pub(crate) fn digest_of(name: &str) -> Option<Digest> {
    let pairs = name.as_bytes().as_chunks::<2>().0;
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok()))
        .collect();
    let digest = Digest(bytes?.try_into().ok()?);
    (digest.to_string() == name).then_some(digest)
}

/// Opens an image that an earlier process pinned.
///
/// Errors: [`Error::Damaged`] when the folder holds what we did not put there, or its digest table says another digest.
pub(crate) fn open_image(images: &Path, digest: Digest) -> Result<Loaded> {
    let path = images.join(digest.to_string());
    let mut loaded = Loaded { digest, programs: Vec::new(), tables: Vec::new() };
    for name in names(&path)? {
        let pin = path.join(&name);
        let damaged = |what: &str| Error::Damaged { path: pin.clone(), what: what.into() };
        let fd = object::open(&pin).on(Operation::OpenPin, pin.display())?;
        let (first, rest) = name.split_once('-').ok_or_else(|| damaged("its name is not ours"))?;
        if let Some(hook) = hook_of(first) {
            let program = Program::from_fd(fd).on(Operation::OpenPin, pin.display())?;
            loaded.programs.push(LoadedProgram { name: rest.into(), hook, program, stats: None });
            continue;
        }
        let (holds, table) = rest.split_once('-').ok_or_else(|| damaged("its name is not ours"))?;
        let holds = holds_of(holds).ok_or_else(|| damaged("its name is not ours"))?;
        let map = Map::from_fd(fd).on(Operation::OpenPin, pin.display())?;
        if holds == Holds::Digest
            && map.lookup(&[0; 4]).on(Operation::ReadMap, pin.display())? != Some(digest.short().into())
        {
            return Err(damaged("it holds another digest"));
        }
        let mapped = match holds {
            Holds::Classes(_) | Holds::Counters => Some(Mapped::new(&map).on(Operation::MapMemory, pin.display())?),
            Holds::Fixed | Holds::Digest => None,
        };
        loaded.tables.push(LoadedTable { name: table.into(), holds, map, mapped });
    }
    if loaded.programs.is_empty() {
        return Err(Error::Damaged { path, what: "it holds no program".into() });
    }
    Ok(loaded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_from_their_files() {
        for name in ["shop/db-0", "a_b.c", "Käse", "-"] {
            let file = encode(name, "endpoint").unwrap();
            assert!(file.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'), "{file}");
            assert_eq!(decode(&file).as_deref(), Some(name));
        }
        assert!(encode("", "endpoint").is_err());
        assert!(encode(&"x".repeat(81), "endpoint").is_err());
        assert_eq!(decode("a_4"), None);
    }

    #[test]
    fn only_a_whole_digest_names_an_image() {
        let digest = Digest(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(digest_of(&digest.to_string()), Some(digest));
        for name in [format!("{digest}_new"), digest.to_string().to_uppercase(), String::new(), "00".into()] {
            assert_eq!(digest_of(&name), None, "{name}");
        }
    }
}
