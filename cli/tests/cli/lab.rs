//! A lab that stays up, on the running kernel; each test has a run of its own.

use crate::support::{CLUSTER, Folder, POLICY, refused};

/// Takes its run down whatever happens.
struct Run {
    folder: Folder,
    name: String,
}

impl Run {
    /// A name for this process; `None`, said once, where labs cannot be made.
    fn new(test: &str) -> Option<Run> {
        if !nix::unistd::geteuid().is_root() || loader::features().is_err() {
            println!("absent: {test} needs root and bpf(2)");
            return None;
        }
        Some(Run { folder: Folder::shop(), name: format!("c{}{test}", std::process::id() % 100_000) })
    }

    fn lab(&self, action: &str, more: &[&str]) -> crate::support::Ran {
        self.folder.run(&[&["lab", action, "--run", &self.name], more].concat())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.lab("down", &[]);
    }
}

#[test]
fn a_lab_is_changed_only_as_what_it_was_made_of() {
    let Some(run) = Run::new("made") else { return };
    run.lab("up", &["."]).ended(0);
    let again = run.lab("up", &["."]).failed(2);
    assert!(again.contains("is up; `tidegate lab swap --run"), "{again}");
    run.folder.write("policy.yaml", &POLICY.replace("app: web", "app: db"));
    assert!(run.lab("swap", &["."]).ended(0).contains("replaced"));
    run.folder.write("cluster.yaml", &CLUSTER.replacen("phase: Running", "phase: Failed", 1));
    let other = run.lab("swap", &["."]).failed(2);
    assert!(other.contains("was made of other pods, nodes or addresses; take it down and up again"), "{other}");
    run.folder.write("cluster.yaml", CLUSTER);
    run.folder.write("policy.yaml", &refused());
    let refused = run.lab("swap", &["."]).failed(2);
    assert!(refused.contains("TG0019") && refused.contains("nothing was changed"), "{refused}");
    assert!(run.lab("down", &[]).ended(0).contains("took down"));
    assert!(run.lab("down", &[]).ended(0).contains("no lab is up"));
    run.lab("up", &["."]).failed(2);
    assert!(run.lab("down", &[]).ended(0).contains("no lab is up"), "a refused lab leaves nothing");
}

#[test]
fn a_program_in_a_lab_ends_as_it_does_in_a_shell() {
    let Some(run) = Run::new("exec") else { return };
    run.lab("up", &["."]).ended(0);
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        assert_eq!(run.lab("exec", &["shop/web", "--", "sh", "-c", script]).code, code, "{script}");
    }
    assert_eq!(run.lab("exec", &["shop/web", "--", "no-such-program"]).code, 127);
}

#[test]
fn what_a_lab_counted_is_a_profile_of_the_same_decisions() {
    let Some(run) = Run::new("hits") else { return };
    run.folder.run(&["lab", "run", ".", "--require-kernel", "--profile", "hits.profile"]).ended(0);
    let text = std::fs::read_to_string(run.folder.join("hits.profile")).unwrap();
    let profile: serde_json::Value = serde_json::from_str(&text).unwrap();
    let decisions = profile["decisions"].as_array().unwrap();
    assert_eq!((decisions.len(), &decisions[0]["who"]), (1, &serde_json::json!(["pod shop/db"])), "{text}");
    let hits: u64 = decisions[0]["hits"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).sum();
    assert!(hits > 0, "{text}");
    let ran = run.folder.run(&["build", ".", "--profile", "hits.profile"]);
    assert!(ran.code == 0 && !ran.err.contains("TG0078"), "{}", ran.err);
}
