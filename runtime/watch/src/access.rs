//! Which cluster is asked, and as whom.

use crate::error::Error;
use crate::list::{self, Outcome};
use crate::resource::Resource;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::PathBuf;
use std::time::Duration;

/// Which cluster is asked, and as whom.
#[derive(Clone, Debug)]
pub struct Access {
    /// A kubeconfig; `None` for those of `KUBECONFIG`, else `~/.kube/config`, else the service account of the pod that this runs in.
    pub kubeconfig: Option<PathBuf>,
    /// A context of it; `None` for the current one.
    pub context: Option<String>,
    /// Somebody to act as.
    pub act_as: Option<String>,
    /// The namespace that is read of where the whole cluster may not be.
    pub namespace: Option<String>,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How many objects are asked for at once.
    pub page: u32,
}

impl Default for Access {
    /// The current context, 30 seconds an answer, pages of 500 as kubectl has them.
    fn default() -> Access {
        Access {
            kubeconfig: None,
            context: None,
            act_as: None,
            namespace: None,
            timeout: Duration::from_secs(30),
            page: 500,
        }
    }
}

/// A cluster that can be asked.
pub struct Cluster {
    runtime: tokio::runtime::Runtime,
    client: Client,
    context: String,
    access: Access,
}

impl Cluster {
    /// Reads the kubeconfig and prepares the connection; login plugins of the kubeconfig run when the first answer is asked for.
    ///
    /// Errors: no kubeconfig, or one that cannot be used.
    pub fn connect(access: &Access) -> Result<Cluster, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
        let (mut config, context) = runtime.block_on(config(access))?;
        config.connect_timeout = Some(access.timeout);
        config.read_timeout = Some(access.timeout);
        config.auth_info.impersonate = access.act_as.clone().or(config.auth_info.impersonate);
        let refused = |error: kube::Error| Error::Connect { context: context.clone(), reason: chain(&error) };
        let client = {
            let _inside = runtime.enter();
            Client::try_from(config).map_err(refused)?
        };
        Ok(Cluster { runtime, client, context, access: access.clone() })
    }

    /// The name of the context, or `in-cluster`.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// What came of each resource, in their order.
    ///
    /// Errors: what concerns all of them; it ends the reading at once.
    pub fn read(&self, resources: &[Resource]) -> Result<Vec<Outcome>, Error> {
        self.runtime.block_on(async {
            let mut out = Vec::new();
            for resource in resources {
                out.push(list::read(&self.client, &self.context, resource, &self.access).await?);
            }
            Ok(out)
        })
    }
}

/// The configuration of a context, and its name.
async fn config(access: &Access) -> Result<(Config, String), Error> {
    let none = |reason: String| Error::NoCluster(reason);
    let found = kubeconfig(access)?;
    let Some(found) = found else {
        if let Some(context) = &access.context {
            return Err(none(format!("there is no kubeconfig that could hold the context `{context}`")));
        }
        return match Config::incluster() {
            Ok(config) => Ok((config, "in-cluster".to_owned())),
            Err(_) => Err(none(format!("there is no kubeconfig {}, and this is no pod of a cluster", looked_at()))),
        };
    };
    let context = access.context.clone().or_else(|| found.current_context.clone()).unwrap_or_default();
    if context.is_empty() {
        return Err(none("the kubeconfig has no current context; `--context` names one".into()));
    }
    let known: Vec<String> = found.contexts.iter().map(|it| format!("`{}`", it.name)).collect();
    if !found.contexts.iter().any(|it| it.name == context) {
        return Err(none(format!("no context `{context}` in the kubeconfig; known: {}", known.join(", "))));
    }
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(found, &options).await;
    let config = config.map_err(|error| Error::Connect { context: context.clone(), reason: chain(&error) })?;
    Ok((config, context))
}

/// The kubeconfig that counts; `None` when there is no file at all.
fn kubeconfig(access: &Access) -> Result<Option<Kubeconfig>, Error> {
    let read = |path: &PathBuf| {
        Kubeconfig::read_from(path)
            .map_err(|error| Error::NoCluster(format!("cannot read `{}`: {}", path.display(), chain(&error))))
    };
    if let Some(path) = &access.kubeconfig {
        return read(path).map(Some);
    }
    let (_, paths) = places();
    // Why: as in kubectl, a file of the list that is not there is nothing wrong.
    let mut merged: Option<Kubeconfig> = None;
    for path in paths.iter().filter(|path| path.exists()) {
        let next = read(path)?;
        let both = match merged {
            None => Ok(next),
            Some(merged) => merged.merge(next),
        };
        merged = Some(both.map_err(|error| Error::NoCluster(format!("`{}`: {}", path.display(), chain(&error))))?);
    }
    Ok(merged)
}

/// Where kubeconfigs are looked for, and whether KUBECONFIG says so.
fn places() -> (bool, Vec<PathBuf>) {
    match std::env::var_os("KUBECONFIG").filter(|it| !it.is_empty()) {
        Some(paths) => (true, std::env::split_paths(&paths).filter(|it| !it.as_os_str().is_empty()).collect()),
        None => (false, std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect()),
    }
}

/// The same for people: `at `/home/me/.kube/config` (KUBECONFIG is not set)`.
fn looked_at() -> String {
    let (by_variable, paths) = places();
    let paths: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    match (by_variable, paths.is_empty()) {
        (true, _) => format!("at {}, which KUBECONFIG names", paths.join(", ")),
        (false, false) => format!("at {} (KUBECONFIG is not set)", paths.join(", ")),
        (false, true) => "to look for: neither KUBECONFIG nor HOME is set".to_owned(),
    }
}

/// An error with all its causes, each once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said += &format!(": {text}");
        }
        cause = error.source();
    }
    said
}
