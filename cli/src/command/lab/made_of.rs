//! What a lab that stays up was made of, remembered beside its namespaces.

use lab::RunId;
use lab::topology::Plan;
use std::io;
use std::path::{Path, PathBuf};

/// Gone after a restart, as namespaces are.
const FOLDER: &str = "/run/tidegate";

fn file(folder: &Path, run: &RunId) -> PathBuf {
    folder.join(format!("lab-{run}.plan"))
}

/// Remembers the plan of a lab. Errors: for people.
pub fn remember(plan: &Plan) -> Result<(), String> {
    remember_in(Path::new(FOLDER), plan)
}

fn remember_in(folder: &Path, plan: &Plan) -> Result<(), String> {
    let path = file(folder, plan.run());
    let write =
        || std::fs::create_dir_all(folder).and_then(|()| crate::output::write_file(&path, plan.listing().as_bytes()));
    write().map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

/// Whether a lab was made of what a plan says. Errors: for people; it was made of something else, or nobody knows.
pub fn compare(plan: &Plan) -> Result<(), String> {
    compare_in(Path::new(FOLDER), plan)
}

fn compare_in(folder: &Path, plan: &Plan) -> Result<(), String> {
    let (run, path) = (plan.run(), file(folder, plan.run()));
    let again = "take it down and up again";
    let known = crate::files::text(&path).map_err(|why| {
        format!("cannot read `{}`, which says what the lab `{run}` was made of: {why}; {again}", path.display())
    })?;
    // Why all of it: programs are attached by the index of a link, and the same index may be another pod's.
    if known == plan.listing() {
        return Ok(());
    }
    Err(format!("the lab `{run}` was made of other pods, nodes or addresses; {again}"))
}

/// Forgets a lab. Errors: for people; one that is not known is none.
pub fn forget(run: &RunId) -> Result<(), String> {
    let path = file(Path::new(FOLDER), run);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("cannot remove `{}`: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab::{NodeSpec, PodSpec, Spec};

    fn plan(pods: &[&str]) -> Plan {
        let pods = (1..).zip(pods).map(|(at, name)| PodSpec {
            name: (*name).to_owned(),
            node: "north".into(),
            addresses: vec![std::net::Ipv4Addr::new(10, 0, 0, at).into()],
            ports: Vec::new(),
        });
        let nodes =
            vec![NodeSpec { name: "north".into(), addresses: vec!["192.0.2.1".parse().unwrap()], ports: Vec::new() }];
        Plan::new(Spec { run: RunId::new("rv").unwrap(), nodes, pods: pods.collect(), world: Vec::new() }).unwrap()
    }

    #[test]
    fn a_lab_of_other_pods_is_told_from_its_own() {
        let folder = tempfile::tempdir().unwrap();
        remember_in(folder.path(), &plan(&["shop/web", "shop/db"])).unwrap();
        assert_eq!(compare_in(folder.path(), &plan(&["shop/web", "shop/db"])), Ok(()));
        let other = compare_in(folder.path(), &plan(&["shop/db"])).unwrap_err();
        assert_eq!(other, "the lab `rv` was made of other pods, nodes or addresses; take it down and up again");
    }
}
