//! Named network namespaces: make, enter, list, remove.
//!
//! A name is a file under `/run/netns` with the namespace mounted on it, as iproute2 keeps them, so `ip netns exec` works on
//! a lab. Entering happens on threads of its own, because a namespace belongs to a thread: the caller's never changes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use crate::error::{Error, Result};

/// Where names live (iproute2 `NETNS_RUN_DIR`).
pub const FOLDER: &str = "/run/netns";

/// A named namespace, held open.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    file: File,
}

impl Namespace {
    /// Makes a namespace of that name; `set_up` runs inside it before it is returned.
    ///
    /// Errors: the name is taken, or the process may not make namespaces. A namespace whose `set_up` fails is removed.
    pub fn create<R: Send>(name: &str, set_up: impl FnOnce() -> Result<R> + Send) -> Result<(Namespace, R)> {
        let failed = |operation| move |source| Error::Namespace { operation, name: name.to_string(), source };
        let path = path_of(name);
        std::fs::create_dir_all(FOLDER).map_err(failed("make the folder for"))?;
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed("make a name for"))?;
        let made = on_thread(name, || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| failed("make")(errno.into()))?;
            let file = File::open("/proc/thread-self/ns/net").map_err(failed("open"))?;
            mount(Some("/proc/thread-self/ns/net"), &path, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .map_err(|errno| failed("mount")(errno.into()))?;
            Ok((file, set_up()?))
        });
        match made {
            Ok((file, value)) => Ok((Namespace { name: name.to_string(), file }, value)),
            Err(error) => {
                // The first failure is the one worth telling.
                let _ = remove(name);
                Err(error)
            }
        }
    }

    /// Opens a namespace that exists.
    pub fn open(name: &str) -> Result<Namespace> {
        let failed = |source| Error::Namespace { operation: "open", name: name.to_string(), source };
        let file = File::open(path_of(name)).map_err(failed)?;
        Ok(Namespace { name: name.to_string(), file })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The open handle, for requests that name a namespace by descriptor.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Runs `work` on a new thread inside the namespace and waits for it.
    ///
    /// Sockets made there keep the namespace when they leave the thread. `/proc/sys/net` and `/proc/thread-self/net` are the
    /// namespace's there; `/proc/self/net` and `/proc/net` are not.
    /// Errors: those of `work`, or the namespace cannot be entered.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
        on_thread(&self.name, || {
            self.enter()?;
            work()
        })
    }

    /// Puts the calling thread, and no other, into the namespace for good.
    pub(crate) fn enter(&self) -> Result<()> {
        setns(&self.file, CloneFlags::CLONE_NEWNET).map_err(|errno| Error::Namespace {
            operation: "enter",
            name: self.name.clone(),
            source: errno.into(),
        })
    }

    /// Claims the namespace for as long as this value lives, also across a crash: the kernel lets go when the process ends.
    ///
    /// Shape: `false` when another holds it.
    pub(crate) fn claim(&self) -> Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => {
                Err(Error::Namespace { operation: "claim", name: self.name.clone(), source })
            }
        }
    }
}

/// The names under `/run/netns` that begin so, sorted.
pub fn list(prefix: &str) -> Result<Vec<String>> {
    let failed = |source| Error::Namespace { operation: "list", name: format!("{prefix}*"), source };
    let entries = match std::fs::read_dir(FOLDER) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(failed(error)),
    };
    let mut names = vec![];
    for entry in entries {
        let name = entry.map_err(failed)?.file_name();
        names.extend(name.to_str().filter(|name| name.starts_with(prefix)).map(str::to_string));
    }
    names.sort();
    Ok(names)
}

/// Removes a name; the namespace and its links go when nothing else holds it. A name that is gone already is no error.
pub fn remove(name: &str) -> Result<()> {
    let failed = |operation| move |source| Error::Namespace { operation, name: name.to_string(), source };
    let path = path_of(name);
    // A name may be mounted over more than once; `EINVAL` says that no mount is left.
    while umount2(&path, MntFlags::MNT_DETACH).is_ok() {}
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove")(error)),
        _ => Ok(()),
    }
}

fn path_of(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

/// A thread of its own, so that what it does to its namespace ends with it.
fn on_thread<R: Send>(name: &str, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    let ended = thread::scope(|scope| scope.spawn(work).join());
    ended.unwrap_or_else(|_| Err(Error::Panicked { name: name.to_string() }))
}
