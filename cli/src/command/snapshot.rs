//! `tidegate snapshot`: what a cluster is, in one small file.

pub mod report;
mod salt;

use super::Exit;
use crate::cluster::live::{self, Live, LiveArgs};
use crate::cluster::{age, packed, read};
use crate::files::{self, Manifest};
use crate::output;
use crate::render::{count, say};
use clap::Args;
use driver::text::{self, Role};
use driver::{Database, world};
use facts::Cluster;
use serde_json::Value;
use snapshot::{Header, Redaction};
use std::path::PathBuf;

/// Write what a cluster is into one small file that every command takes as `--cluster FILE`.
///
/// It holds what can decide something and nothing else: labels, addresses, named ports, address ranges, services and their backends,
/// pod templates, settings of the network agent, DNS answers. No environment, no secrets, no annotations.
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Files or folders of what `kubectl get -o yaml` or `-o json` printed, or other snapshots; `-` is standard input. Repeatable.
    #[arg(long, value_name = "PATH")]
    pub from: Vec<String>,
    /// The file to write; it is packed where it ends in `.gz` or `.zst`. Standard output when absent.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Read the cluster itself; with `--from`, what the files hold is put over it.
    #[arg(long)]
    pub live: bool,
    /// Print the ClusterRole that `--live` needs, as YAML, and read nothing.
    #[arg(long, conflicts_with_all = ["live", "from", "output", "redact"])]
    pub rbac: bool,
    /// The namespace that is read of a cluster that may not be read whole.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Also keep the policies, so that questions need no other file.
    #[arg(long)]
    pub policies: bool,
    /// Replace names, values of labels, namespaces and DNS names by hashes, everywhere alike.
    #[arg(long)]
    pub redact: bool,
    /// What the hashes are keyed with, so that two snapshots are redacted alike; random when absent.
    #[arg(long, value_name = "TEXT", requires = "redact")]
    pub salt: Option<String>,
    /// Write the policies, redacted alike, into this folder, one a file.
    #[arg(long, value_name = "DIR", requires = "redact")]
    pub redact_policies: Option<PathBuf>,
    /// When the files were read from the cluster, in RFC 3339; now when absent.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub taken: Option<String>,
    /// Which cluster `--live` is.
    #[command(flatten)]
    pub access: LiveArgs,
}

fn time(text: &str) -> Result<String, String> {
    let time = age::timestamp(text).ok_or("a time such as 2026-11-01T10:00:00Z is wanted")?;
    Ok(time.to_string())
}

/// What was read.
struct Gathered {
    cluster: Cluster,
    policies: Vec<Value>,
    header: Header,
    /// Whether something could not be read at all.
    unsound: bool,
}

impl Snapshot {
    /// Reads, and writes.
    pub fn run(self) -> Result<Exit, String> {
        if self.rbac {
            let role = watch::cluster_role(&live::resources(true));
            output::write_stdout(&role).map_err(|error| error.to_string())?;
            return Ok(Exit::Clean);
        }
        let Gathered { cluster, policies, mut header, unsound } = self.gathered()?;
        if unsound {
            say("error: no snapshot was written: half of a cluster would be taken for all of it");
            return Ok(Exit::Bad);
        }
        if let Some(taken) = &self.taken {
            header.taken.clone_from(taken);
        }
        let mut cluster = snapshot::minimal(&cluster);
        let mut policies = policies;
        if self.redact {
            let redaction = Redaction::new(&salt::of(self.salt.as_deref())?);
            cluster = redaction.cluster(&cluster);
            if self.keeps_policies() {
                policies = redacted(&redaction, &policies)?;
            }
            header.redacted = true;
            header.source = "redacted".into();
        }
        if let Some(folder) = &self.redact_policies {
            write_policies(folder, &policies)?;
        }
        let kept = if self.policies { policies.as_slice() } else { &[] };
        self.write(&snapshot::write(&header, &cluster, kept))?;
        if let Some(file) = &self.output {
            let objects = snapshot::counts(&cluster).values().sum::<usize>() + kept.len();
            say(&format!("wrote {} to {}", count(objects, "object", "objects"), file.display()));
        }
        Ok(Exit::Clean)
    }

    fn gathered(&self) -> Result<Gathered, String> {
        if self.from.is_empty() && !self.live {
            return Err(
                "nothing to read: `--from PATH` names files of `kubectl get -A -o yaml`, `--live` reads the cluster"
                    .into(),
            );
        }
        let live = match self.live {
            true => Some(live::read(&self.access, self.namespace.as_deref(), self.keeps_policies())?),
            false => None,
        };
        Ok(self.together(live))
    }

    fn keeps_policies(&self) -> bool {
        self.policies || self.redact_policies.is_some()
    }

    /// What the live cluster and the files hold together, and everything that is wrong with either.
    fn together(&self, live: Option<Live>) -> Gathered {
        let files::Gathered { mut manifests, unreadable, empty } =
            if self.from.is_empty() { files::Gathered::default() } else { files::read(&self.from) };
        let mut wrong: Vec<String> =
            unreadable.iter().map(|it| format!("error: cannot read `{}`: {}", it.path, it.reason)).collect();
        wrong.extend(empty.iter().map(|it| format!("error: {it}")));
        let files = Header { taken: age::now().to_string(), source: "files".into(), ..Header::default() };
        // Why: a snapshot of snapshots is as old as the oldest of them.
        let mut header = read::oldest_of(&manifests).unwrap_or(files);
        if let Some(live) = live {
            header = live.header();
            live::say_rights(&live.not_read);
            wrong.extend(live.failed.iter().map(|it| format!("error: cannot read {it}")));
            // Why the sign: the last file by name wins, and files are put over what is live.
            let before = live.manifests.into_iter().map(|it| Manifest { path: format!("\0{}", it.path), ..it });
            manifests.extend(before);
        }
        let db = read::database(manifests);
        wrong.extend(read::broken(&db).iter().map(|it| format!("error: cannot read `{}`: {}", it.path, it.reason)));
        doubts(&db).iter().chain(&wrong).for_each(|it| say(it));
        Gathered {
            cluster: Cluster::clone(&world::cluster(&db)),
            policies: read::policies(&db).into_iter().filter_map(|it| serde_json::from_str(&it.text).ok()).collect(),
            header: Header { tidegate: env!("CARGO_PKG_VERSION").into(), ..header },
            unsound: !wrong.is_empty(),
        }
    }

    fn write(&self, text: &str) -> Result<(), String> {
        let Some(file) = &self.output else {
            return output::write_stdout(text).map_err(|error| error.to_string());
        };
        let bytes = packed::packed(file, text).map_err(|error| error.to_string())?;
        output::write_file(file, &bytes).map_err(|error| format!("cannot write `{}`: {error}", file.display()))
    }
}

/// Parts of facts that could not be read, one line each.
fn doubts(db: &Database) -> Vec<String> {
    let of = |file: driver::SourceFile| {
        let decoded = text::decoded(db, file);
        let facts = decoded.objects.iter().filter(|it| it.role == Role::Fact && !it.fact_problems.is_empty());
        let line = |it: &text::Object| format!("warning: {} in {}: a part of it is not read", it.object, file.path(db));
        facts.map(line).collect::<Vec<_>>()
    };
    db.files().flat_map(of).collect()
}

/// The policies under the names of the redacted cluster.
///
/// Errors: every policy with a pattern that cannot be redacted.
fn redacted(redaction: &Redaction, policies: &[Value]) -> Result<Vec<Value>, String> {
    let (mut out, mut refused) = (Vec::new(), Vec::new());
    for policy in policies {
        match redaction.policy(policy) {
            Ok(policy) => out.push(policy),
            Err(patterns) => refused.extend(patterns.into_iter().map(|it| format!("`{}`", it.0))),
        }
    }
    refused.sort();
    refused.dedup();
    if refused.is_empty() {
        return Ok(out);
    }
    Err(format!(
        "policies name {}: a wildcard inside a label of a name means other names once they are hashed; leave these policies out",
        refused.join(", ")
    ))
}

fn write_policies(folder: &std::path::Path, policies: &[Value]) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("cannot make `{}`: {error}", folder.display()))?;
    for policy in policies {
        let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (kind, metadata) = (part(&policy["kind"]), &policy["metadata"]);
        let name = [kind.to_ascii_lowercase(), part(&metadata["namespace"]), part(&metadata["name"])];
        let name: Vec<String> = name.into_iter().filter(|it| !it.is_empty()).collect();
        let file = folder.join(format!("{}.json", name.join("-")));
        let text = serde_json::to_string_pretty(policy).unwrap_or_default() + "\n";
        output::write_file(&file, text.as_bytes())
            .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    }
    say(&format!("wrote {} to {}", count(policies.len(), "redacted policy", "redacted policies"), folder.display()));
    Ok(())
}
