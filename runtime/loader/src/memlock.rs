//! The limit on locked memory, which kernels below 5.11 hold BPF objects against.

use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use std::io;

/// Tries, and tries once more with the limit raised when the kernel answers `EPERM`.
///
/// Why: those kernels do not say that the limit was the reason, and where it is not, raising it harms nobody.
pub(crate) fn with<T, E>(attempt: impl Fn() -> Result<T, E>, errno: impl Fn(&E) -> &io::Error) -> Result<T, E> {
    attempt().or_else(|error| {
        let refused = errno(&error).raw_os_error() == Some(libc::EPERM);
        if refused && setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY).is_ok() {
            return attempt();
        }
        Err(error)
    })
}
