//! What the server asks of the machine. The program answers with files, tests with texts.

use checks::suppress::Rules;
use diag::Diagnostic;
use driver::{Database, Heeded, Knowledge, Wish};
use gen_lsp_types::Uri;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How the name of a manifest begins that a command printed.
pub const RENDERED: &str = "rendered:";

/// The address of what a command prints: its words, as a path that every editor writes alike, with the ending of YAML.
pub(crate) fn rendered_key(command: &[String]) -> String {
    let mut key = format!("{RENDERED}/");
    for byte in command.join(" ").trim_start_matches('/').bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => key.push(byte as char),
            _ => key.push_str(&format!("%{byte:02X}")),
        }
    }
    key + ".yaml"
}

/// Whether a finding is one that the configuration of its file asks for.
pub type Keep = Arc<dyn Fn(&Database, &Diagnostic) -> bool + Send + Sync>;

/// How suppressions in a file are judged, by its path.
pub type Judge = Arc<dyn Fn(&str) -> Rules + Send + Sync>;

/// A workspace as it was read.
#[derive(Clone)]
pub struct Opened {
    /// Absolute path and text of each manifest.
    pub manifests: Vec<(String, String)>,
    /// What is known of the cluster beside the manifests.
    pub cluster: facts::Cluster,
    /// Which facts of the manifests count.
    pub heeded: Heeded,
    /// Whether what was not read may exist.
    pub knowledge: Knowledge,
    /// The reading of the policy language that was asked for.
    pub wish: Wish,
    /// The namespace of objects that name none.
    pub namespace: String,
    /// Which findings are wanted.
    pub keep: Keep,
    /// How suppressions are judged.
    pub rules: Judge,
    /// What could not be read or understood, for people.
    pub faults: Vec<String>,
}

/// Something that is drawn on request, of the texts as they stand in the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Who reaches whom, as a page; with `to` alone those who reach that one.
    Graph {
        /// A pod, `shop/db-0`.
        to: Option<String>,
    },
    /// The decisions of a pod, as trees of comparisons.
    Decision {
        /// The pod.
        subject: String,
    },
    /// The program of a pod with the rules that it serves.
    Bytecode {
        /// The pod.
        subject: String,
    },
    /// Whether a flow passes, and which lines make it so.
    Trace {
        /// Who opens it.
        from: String,
        /// With whom.
        to: String,
        /// Protocol and port; all where it is missing.
        port: Option<String>,
    },
    /// What policies cost, and which rules.
    Cost,
    /// The page of a code.
    Page {
        /// The code or its name.
        code: String,
    },
}

/// The machine.
pub trait World: Send + Sync {
    /// Reads the manifests of folders. For a file holds the configuration of its folder, for what is known of the
    /// cluster and for the reading that of the first. Without folders there are no manifests.
    fn open(&self, roots: &[PathBuf]) -> Opened;
    /// What a command prints that is run in a folder. Errors: for people, also where it takes longer than it may.
    fn render(&self, folder: &Path, command: &[String], limit: Duration) -> Result<String, String>;
    /// The text of one file; `None` where there is none, or none that can be read.
    fn read(&self, path: &Path) -> Option<String>;
    /// Whether a file is one that [`World::open`] takes.
    fn takes(&self, path: &Path) -> bool;
    /// Whether a file that is there is left out of its folder: by its configuration, or by what `.ignore` files name.
    fn leaves_out(&self, path: &Path) -> bool;
    /// The text of a file as it was committed last; `None` where nobody knows.
    fn committed(&self, path: &Path) -> Option<String>;
    /// The page of a code, as an address.
    fn page(&self, code: &str) -> Option<Uri>;
    /// Draws something. Errors: for people.
    fn draw(&self, db: &Database, form: &Form) -> Result<String, String>;
    /// The time since some moment.
    fn now(&self) -> Duration;
}
