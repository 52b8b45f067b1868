//! A disk without room leaves the old output.

use crate::support::{Folder, Ran};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

/// What a shell prints and how it ends, with the binary as `$1`.
fn shell(folder: &Folder, script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tidegate")]).current_dir(folder.path());
    command.output().unwrap()
}

#[test]
fn a_file_that_may_not_grow_leaves_the_old_output() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--out-dir", "out"]).ended(0);
    let before = folder.tree("out");
    // Files of at most one block of 512 or 1024 bytes; the signal of the limit is ignored, so that writing fails instead.
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$1\" build . --dialect cilium --out-dir out";
    let output = shell(&folder, script);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error} {:?}", output.status.signal());
    assert!(error.contains("cannot write `") && error.contains("is as it was"), "{error}");
    assert!(before == folder.tree("out"));
    let hidden = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|it| it.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0, "no temporary name stays");
}

#[test]
fn a_full_disk_leaves_the_old_output() {
    let folder = Folder::shop();
    folder.write("disk/.keep", "");
    // A file system of one megabyte in a mount namespace of its own, filled up to the last page.
    let script = "set -e
        mount -t tmpfs -o size=1m tmpfs disk
        \"$1\" build cluster.yaml policy.yaml --out-dir disk/out >/dev/null
        sums() { (cd disk && find . -type f ! -name fill | sort | xargs sha256sum; ls -A); }
        dd if=/dev/zero of=disk/fill bs=4096 2>/dev/null || true
        sums > before
        code=0; \"$1\" build cluster.yaml policy.yaml --dialect cilium --out-dir disk/out 2> error || code=$?
        sums > after
        cat error; cmp before after; test -s disk/out/index.json; exit $code";
    let probe = Command::new("unshare").args(["-m", "true"]).output();
    if !probe.is_ok_and(|it| it.status.success()) {
        println!("absent: 1 test of a full disk, for a mount namespace is not permitted here");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_tidegate")]);
    let output = command.current_dir(folder.path()).output().unwrap();
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    let said = ran.ended(2);
    assert!(said.contains("No space left on device") && said.contains("is as it was"), "{said}");
}

#[test]
fn a_build_that_is_stopped_leaves_nothing_behind() {
    let folder = Folder::shop();
    let hidden = || -> Vec<String> {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".tidegate-")).collect()
    };
    for _ in 0..5 {
        let mut child = folder.command(&["build", ".", "--out-dir", "out"]).stdout(Stdio::null()).spawn().unwrap();
        // Until its temporary folder is there, or it has ended.
        while hidden().is_empty() && child.try_wait().unwrap().is_none() {}
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id() as i32), nix::sys::signal::SIGINT);
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 130)), "{code:?}");
        let left: Vec<_> = hidden().iter().map(|it| folder.tree(it).into_keys().collect::<Vec<_>>()).collect();
        assert_eq!(hidden(), [""; 0], "{code:?} {left:?}");
    }
}
