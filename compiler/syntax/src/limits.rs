//! Limits against hostile text.

/// How much text may ask of us. Passing a limit gives one problem, never a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Longest text in bytes; at most 4 GiB − 1, since spans are 32 bits wide.
    /// Default 256 MiB, ten times a `kubectl get pods -A -o json` of 10,000 pods.
    pub max_bytes: usize,
    /// Deepest nesting of mappings and sequences, aliases followed.
    /// Default 128; Kubernetes objects stay below 32, and readers of the tree may recurse.
    pub max_depth: usize,
    /// Most keys and values in one text. Default 32 Mi, about 1 GiB of memory.
    pub max_nodes: usize,
    /// Most nodes of one document that exist only because an alias or a merge repeats them.
    /// Default 400,000, the figure of the API server's reader.
    pub max_alias_expansion: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 256 << 20, max_depth: 128, max_nodes: 32 << 20, max_alias_expansion: 400_000 }
    }
}
