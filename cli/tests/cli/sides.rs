//! What of a side could be passed over in silence: links, other repositories, what a configuration leaves out, audit mode.

use crate::deploy::have;
use crate::reports::valid;
use crate::support::{CLUSTER, Folder, POLICY};
use std::os::unix::fs::symlink;
use std::process::Command;

/// The policy with the whole world beside the web pod.
fn wider() -> String {
    POLICY.replace(
        "from: [{podSelector: {matchLabels: {app: web}}}]",
        "from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 0.0.0.0/0}}]",
    )
}

fn git(folder: &Folder, args: &[&str]) {
    let who = ["-c", "user.name=n", "-c", "user.email=n@example.com"];
    let output = Command::new("git").args(who).args(args).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
}

fn commit(folder: &Folder) {
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "-m", "a"]);
}

/// A repository with some files, not yet committed.
fn repository(files: &[(&str, &str)]) -> Option<Folder> {
    let folder = have(&["git"]).then(|| Folder::of(files))?;
    git(&folder, &["init", "--quiet"]);
    Some(folder)
}

#[test]
fn a_revision_leaves_out_what_a_folder_does() {
    let Some(folder) = repository(&[("tree/cluster.yaml", CLUSTER), ("tree/policy.yaml", POLICY)]) else { return };
    folder.write(".ignore", "up.yaml\n");
    folder.write("tree/.tidegateignore", "!dir/kept.yaml\ndir/*\n!dir/again.yaml\n");
    folder.write("tree/.ignore", "dir/again.yaml\n");
    let left_out =
        ["tree/.hidden.yaml", "tree/.git-crypt/a.yaml", "tree/up.yaml", "tree/dir/a.yaml", "tree/dir/kept.yaml"];
    for (number, path) in left_out.iter().chain(&["tree/dir/again.yaml"]).enumerate() {
        folder.write(path, &wider().replace("{name: db", &format!("{{name: db-{number}")));
    }
    commit(&folder);
    let report = |args: &[&str]| -> serde_json::Value {
        serde_json::from_str(&folder.run(&[args, &["-o", "json"]].concat()).ended(0)).unwrap()
    };
    let report = report(&["diff", "HEAD:tree", "tree"]);
    assert_eq!([&report["old"]["policies"], &report["new"]["policies"]], [2, 2], "{report}");
    // A path that is named is read, whatever it is called and wherever it lies.
    for path in left_out {
        folder.run(&["diff", &format!("HEAD:{path}"), path]).ended(0);
    }
    folder.run(&["diff", "HEAD:tree/.git-crypt", "tree/.git-crypt"]).ended(0);
}

#[test]
fn a_change_does_not_hide_what_it_opens_by_an_ignore_file() {
    let Some(folder) = repository(&[("tree/cluster.yaml", CLUSTER), ("tree/policy.yaml", POLICY)]) else { return };
    folder.write("tree/same.yaml", POLICY);
    folder.write("tree/.ignore", "same.yaml\n");
    commit(&folder);
    assert_eq!(folder.run(&["diff", "HEAD:tree", "tree"]).code, 0, "what is left out and stays as it was is no news");
    for ignores in [".ignore", ".tidegateignore"] {
        folder.write("tree/open.yaml", &wider().replace("{name: db", "{name: open"));
        folder.write(&format!("tree/{ignores}"), "same.yaml\nopen.yaml\n");
        let said = folder.run(&["diff", "HEAD:tree", "tree"]).ended(1);
        assert!(said.contains("excluded and different") && said.contains("tree/open.yaml"), "{said}");
        assert!(!said.contains("same.yaml"), "{said}");
        folder.run(&["diff", "HEAD:tree", "tree", "--fail-on", "unknown"]).ended(1);
    }
}

#[test]
fn links_of_a_revision_are_followed_within_it_and_others_are_told() {
    let Some(folder) = repository(&[("base/np.yaml", POLICY), ("prod/cluster.yaml", CLUSTER)]) else { return };
    symlink("../base/np.yaml", folder.join("prod/np.yaml")).unwrap();
    symlink("prod", folder.join("live")).unwrap();
    commit(&folder);
    for side in ["prod", "live", "live/np.yaml"] {
        folder.run(&["diff", &format!("HEAD:{side}"), side]).ended(0);
    }
    folder.write("base/np.yaml", &wider());
    for side in ["prod", "live"] {
        let said = folder.run(&["diff", &format!("HEAD:{side}"), side]).ended(1);
        assert!(said.contains("1 gained (1 with the world)") && !said.contains("lost"), "{side}: {said}");
        assert!(said.contains(&format!("HEAD:{side}/np.yaml:7:3")), "{side}: {said}");
    }
    // Where they lead out of the repository, or nowhere, on either side.
    for (at, to) in [("out.yaml", "../../x.yaml"), ("nowhere.yaml", "../base/gone.yaml")] {
        symlink(to, folder.join("prod").join(at)).unwrap();
        let said = folder.run(&["diff", "HEAD:prod", "prod"]);
        assert!(said.code == 2 && said.err.contains(&format!("`prod/{at}`: it is a link")), "{said:?}");
        commit(&folder);
        std::fs::remove_file(folder.join("prod").join(at)).unwrap();
        let said = folder.run(&["diff", "HEAD:prod", "prod"]);
        assert!(said.code == 2 && said.err.contains(&format!("cannot read `HEAD:prod/{at}`: a link")), "{said:?}");
        folder.run(&["diff", "HEAD:prod", "prod", "--config", &format!("exclude=['{at}']")]).ended(0);
        commit(&folder);
    }
}

#[test]
fn a_submodule_below_a_side_is_told() {
    let Some(folder) = repository(&[("own/cluster.yaml", CLUSTER)]) else { return };
    commit(&folder);
    let pointer = format!("160000,{},own/policies", "1".repeat(40));
    git(&folder, &["update-index", "--add", "--cacheinfo", &pointer]);
    git(&folder, &["commit", "--quiet", "-m", "b"]);
    let ran = folder.run(&["diff", "HEAD:own", "own", "-o", "markdown"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("cannot read `HEAD:own/policies`: it is a submodule"), "{ran:?}");
    assert!(ran.out.contains("not everything was read"), "{ran:?}");
    folder.run(&["diff", "HEAD:own", "own", "--config", "exclude=['policies']"]).ended(0);
    folder.run(&["diff", "HEAD~1:own", "own"]).ended(0);
}

#[test]
fn a_change_cannot_hide_by_the_configuration_what_it_opens() {
    let files = [("deploy/cluster.yaml", CLUSTER), ("deploy/policy.yaml", POLICY), ("deploy/more.yaml", POLICY)];
    let Some(folder) = repository(&files) else { return };
    commit(&folder);
    folder.write("deploy/policy.yaml", &wider());
    folder.write("tidegate.toml", "exclude = ['policy.yaml']\n");
    let diff = |more: &[&str]| folder.run(&[&["diff", "HEAD:deploy", "deploy"], more].concat());
    let comment = diff(&["-o", "markdown"]);
    assert_eq!(comment.code, 1, "{comment:?}");
    let of_config = "`tidegate.toml` is not in `HEAD`, and the configuration of now holds for both sides";
    assert!(comment.err.contains(of_config) && diff(&[]).out.contains(of_config), "{comment:?}");
    assert!(comment.err.contains("`exclude` and ignore files leave out 1 manifest before, 1 after"), "{comment:?}");
    assert!(comment.out.contains("manifests that `exclude` or an ignore file leaves out differ"), "{comment:?}");
    assert!(!comment.out.contains("The same flows pass as before"), "{comment:?}");
    let report = valid(&diff(&["-o", "json", "--fail-on", "unknown"]).ended(1));
    assert_eq!(report["leftOut"], serde_json::json!(["deploy/policy.yaml"]));
    assert_eq!((&report["old"]["excluded"], &report["summary"]["unknown"]), (&1.into(), &1.into()));
    diff(&["--fail-on", "gained"]).ended(0);
    // What is excluded and stays as it was is counted, and the configuration that changed is told.
    folder.write("deploy/policy.yaml", POLICY);
    let same = diff(&["-o", "markdown"]).ended(0);
    assert!(same.contains("as far as the configuration lets them be compared, and it changes too."), "{same}");
    commit(&folder);
    let plain = diff(&["-o", "markdown"]).ended(0);
    assert!(plain.contains("The same flows pass as before.") && plain.contains("leave out 1 manifest"), "{plain}");
    std::fs::remove_file(folder.join("tidegate.toml")).unwrap();
    assert!(diff(&[]).ended(0).contains("`tidegate.toml` of `HEAD` is gone"));
}

#[test]
fn audit_mode_that_is_turned_on_is_no_equal_side() {
    let config = |audit: bool| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cilium-config, namespace: kube-system}}\ndata: {{policy-audit-mode: \"{audit}\"}}\n"
        )
    };
    let folder = Folder::of(&[("off/policy.yaml", POLICY), ("on/policy.yaml", POLICY)]);
    for side in ["off", "on"] {
        folder.write(&format!("{side}/cluster.yaml"), CLUSTER);
        folder.write(&format!("{side}/config.yaml"), &config(side == "on"));
    }
    for (which, on, off) in
        [("any", 1, 1), ("gained", 1, 0), ("world", 1, 0), ("lost", 0, 1), ("unknown", 1, 1), ("none", 0, 0)]
    {
        folder.run(&["diff", "off", "on", "--fail-on", which]).ended(on);
        folder.run(&["diff", "on", "off", "--fail-on", which]).ended(off);
    }
    let comment = folder.run(&["diff", "off", "on", "-o", "markdown"]);
    let said = "udit mode is turned on: what policies deny passes and is logged";
    assert!(comment.out.contains(said) && comment.err.contains(said), "{comment:?}");
    assert!(!comment.out.contains("The same flows pass as before"), "{comment:?}");
    let report = valid(&folder.run(&["diff", "on", "off", "-o", "json"]).ended(1));
    assert_eq!(report["auditMode"], "turned-off");
    folder.run(&["diff", "on", "on"]).ended(0);
}
