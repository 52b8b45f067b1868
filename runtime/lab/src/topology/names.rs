//! Names of namespaces: the run id tells labs apart, and the name alone says that one is ours.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::spec::SpecError;

/// Every namespace of every lab begins so; nothing else on a machine should.
pub const PREFIX: &str = "tg-";

/// The longest name made, well below the 255 bytes of a file name so that tools can append to it.
const LONGEST: usize = 120;

/// Which lab a namespace belongs to: 1 to 12 lower-case letters or digits, never a dash, so that a name reads one way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// A run id of the caller's choice.
    ///
    /// Errors: [`SpecError::RunId`] when the text is empty, longer than 12, or holds anything but `a-z0-9`.
    pub fn new(text: &str) -> Result<RunId, SpecError> {
        let fits = (1..=12).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return Ok(RunId(text.to_string()));
        }
        Err(SpecError::RunId(text.to_string()))
    }

    /// A run id nobody chose: eight hexadecimal digits from the process's hash seed.
    pub fn random() -> RunId {
        let seed = RandomState::new().hash_one(std::process::id());
        RunId(format!("{:08x}", seed as u32))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The run that a namespace's name speaks of, if the name is one of ours.
    pub fn of_namespace(name: &str) -> Option<RunId> {
        let (run, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
        let ours = rest == "core" || rest == "world" || rest.starts_with("n-") || rest.starts_with("p-");
        if ours { RunId::new(run).ok() } else { None }
    }

    /// The namespace that joins the nodes.
    pub fn core(&self) -> String {
        format!("{PREFIX}{self}-core")
    }

    /// The namespace of the outside addresses.
    pub fn world(&self) -> String {
        format!("{PREFIX}{self}-world")
    }

    /// The namespace of a node.
    pub fn node(&self, name: &str) -> String {
        format!("{PREFIX}{self}-n-{}", safe(name))
    }

    /// The namespace of a pod, given as `namespace/name`.
    pub fn pod(&self, name: &str) -> String {
        format!("{PREFIX}{self}-p-{}", safe(name))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name as part of a file name: `/` becomes `_` (which Kubernetes names never hold). A name that is long or holds other
/// characters is cut, cleaned, and ends in a hash of the whole, so that two names stay two.
fn safe(name: &str) -> String {
    let kept = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let text: String = name.chars().map(|c| if kept(c) { c } else { '_' }).collect();
    let plain = name.chars().all(|c| kept(c) || c == '/') && name.matches('/').count() <= 1;
    if plain && name.len() <= LONGEST {
        return text;
    }
    let head: String = text.chars().take(LONGEST - 20).collect();
    format!("{head}_{:016x}", fnv(name.as_bytes()))
}

/// FNV-1a, 64 bits: the same on every machine, which the standard hasher does not promise.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ours_names_its_run_and_no_other_name_does() {
        let run = RunId::new("a1").expect("a plain run id");
        for name in [run.core(), run.world(), run.node("n.1"), run.pod("shop/web")] {
            assert_eq!(RunId::of_namespace(&name), Some(run.clone()), "{name}");
        }
        for name in ["tg-a1", "tg-a1-x", "tg--core", "cni-a1-core", "tg-A1-core", "web"] {
            assert_eq!(RunId::of_namespace(name), None, "{name}");
        }
    }

    #[test]
    fn different_pods_never_share_a_namespace() {
        let run = RunId::new("r").expect("a plain run id");
        let long = "x".repeat(200);
        let names = ["shop/web", "shop_web", "shop//web", "shop/we b", "shop/we_b", &long, &format!("{long}y")];
        let made: std::collections::BTreeSet<String> = names.iter().map(|name| run.pod(name)).collect();
        assert_eq!(made.len(), names.len(), "{made:?}");
        assert!(made.iter().all(|name| name.len() < 200 && !name.contains('/')), "{made:?}");
    }

    #[test]
    fn a_run_id_is_short_and_plain() {
        for text in ["", "a-b", "A", "thirteenchars", "é"] {
            assert_eq!(RunId::new(text), Err(SpecError::RunId(text.to_string())));
        }
        assert!(RunId::new(RunId::random().as_str()).is_ok());
    }
}
