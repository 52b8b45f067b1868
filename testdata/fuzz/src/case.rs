//! A case as text: options in a comment, then documents; the same text is a regression's file.
//!
//! ```text
//! # options: dialect=cilium-1.19 host-firewall always no-ipv6 dns:example.com=203.0.113.9
//! apiVersion: v1
//! …
//! ---
//! apiVersion: networking.k8s.io/v1
//! …
//! ```

use driver::Database;
use facts::{Cluster, Enforcement};
use hir::Dialect;
use std::sync::Arc;

/// What no object of a case tells.
#[derive(Clone, Debug)]
pub struct Options {
    /// The reading of the policy language.
    pub dialect: &'static Dialect,
    /// Whether policies of nodes are enforced.
    pub host_firewall: bool,
    /// Whether every pod is isolated.
    pub always: bool,
    /// Whether only IPv4 is in use.
    pub no_ipv6: bool,
    /// What DNS answered: name, address.
    pub dns: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Options {
        Options { dialect: &Dialect::STANDARD, host_firewall: false, always: false, no_ipv6: false, dns: Vec::new() }
    }
}

impl Options {
    /// The comment that says them.
    pub fn line(&self) -> String {
        let flag = |set: bool, name: &str| if set { format!(" {name}") } else { String::new() };
        let dns: String = self.dns.iter().map(|(name, address)| format!(" dns:{name}={address}")).collect();
        let flags = [(self.host_firewall, "host-firewall"), (self.always, "always"), (self.no_ipv6, "no-ipv6")];
        let flags: String = flags.into_iter().map(|(set, name)| flag(set, name)).collect();
        format!("# options: dialect={}{flags}{dns}\n", self.dialect.name)
    }

    /// Reads the comment; what it does not say, or says wrongly, is as by default.
    fn read(text: &str) -> Options {
        let mut options = Options::default();
        let line = text.lines().next().and_then(|line| line.strip_prefix("# options:")).unwrap_or_default();
        for word in line.split_whitespace() {
            match word {
                "host-firewall" => options.host_firewall = true,
                "always" => options.always = true,
                "no-ipv6" => options.no_ipv6 = true,
                _ => {
                    if let Some(dialect) = word.strip_prefix("dialect=").and_then(Dialect::named) {
                        options.dialect = dialect;
                    }
                    if let Some((name, address)) = word.strip_prefix("dns:").and_then(|it| it.split_once('=')) {
                        options.dns.push((name.to_owned(), address.to_owned()));
                    }
                }
            }
        }
        options
    }

    fn cluster(&self) -> Cluster {
        let mut cluster = Cluster::default();
        cluster.config.host_firewall = self.host_firewall;
        cluster.config.ipv6 = !self.no_ipv6;
        if self.always {
            cluster.config.enforcement = Enforcement::Always;
        }
        for (name, address) in &self.dns {
            if let Ok(address) = address.parse() {
                cluster.dns.entry(name.clone()).or_default().insert(address);
            }
        }
        cluster
    }
}

/// A case that is about a whole cluster.
#[derive(Clone, Debug)]
pub struct World {
    /// What no object tells.
    pub options: Options,
    /// The documents, each a text of its own.
    pub documents: Vec<String>,
}

impl World {
    /// Reads a case. Never fails: any text is one.
    pub fn read(text: &str) -> World {
        let mut documents = vec![String::new()];
        for line in text.split_inclusive('\n') {
            if line.trim_end() == "---" {
                documents.push(String::new());
            } else if let Some(last) = documents.last_mut() {
                last.push_str(line);
            }
        }
        World { options: Options::read(text), documents }
    }

    /// The case as text.
    pub fn write(options: &Options, documents: &[String]) -> String {
        options.line() + &documents.join("---\n")
    }

    /// A database that holds each document as a file, at the place in the order of files that `order` gives it.
    pub fn database(&self, order: &[usize]) -> Database {
        let mut db = self.empty();
        let file = |(at, document): (&usize, &String)| (path(*at), Arc::from(document.as_str()));
        db.set_files(order.iter().zip(&self.documents).map(file));
        db
    }

    /// A database that holds all documents in one file.
    pub fn one_file(&self) -> Database {
        let mut db = self.empty();
        db.set_file("all.yaml", &self.documents.join("---\n"));
        db
    }

    /// A database that holds nothing but the options.
    pub fn empty(&self) -> Database {
        let mut db = Database::new();
        db.set_dialect(self.options.dialect);
        db.set_target(runner::engine::small_target());
        db.set_cluster(self.options.cluster());
        db
    }
}

/// The path of the file at a place; files are read in the order of their paths.
pub fn path(at: usize) -> Arc<str> {
    format!("{at:05}.yaml").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_reads_as_it_was_written() {
        let options = Options {
            dialect: &Dialect::CILIUM_1_19,
            no_ipv6: true,
            dns: vec![("a.b".into(), "1.2.3.4".into())],
            ..Options::default()
        };
        let text = World::write(&options, &["a: 1\n".to_owned(), "b: 2\n".to_owned()]);
        let world = World::read(&text);
        assert_eq!(World::write(&world.options, &world.documents[..]).lines().last(), Some("b: 2"));
        assert_eq!(world.options.line(), options.line());
        assert_eq!(world.documents.len(), 2);
    }
}
