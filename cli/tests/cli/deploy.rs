//! The scripts by which others run tidegate: they install what was released, and nothing else, and keep one comment.

use crate::support::Folder;
use std::path::PathBuf;
use std::process::{Command, Output};

pub fn script(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy")).join(name)
}

fn processor() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

/// Whether the programs that the scripts need are there; what is absent is said and counted by nobody else.
pub fn have(programs: &[&str]) -> bool {
    let absent: Vec<&&str> = programs.iter().filter(|it| Command::new(it).arg("--version").output().is_err()).collect();
    if !absent.is_empty() {
        println!("absent: {absent:?}, so a script was not run");
    }
    absent.is_empty()
}

/// A folder that looks like the released files of a version: an archive with a program that says its version.
fn release(folder: &Folder, version: &str) -> String {
    let name = format!("tidegate-{version}-linux-{}", processor());
    folder.write(&format!("pack/{name}/tidegate"), &format!("#!/bin/sh\necho tidegate {version} \"$@\"\n"));
    let run = |program: &str, args: &[&str], place: &str| {
        let status = Command::new(program).args(args).current_dir(folder.join(place)).output().unwrap().status;
        assert!(status.success(), "{program} {args:?}");
    };
    run("chmod", &["+x", &format!("{name}/tidegate")], "pack");
    std::fs::create_dir_all(folder.join(&format!("releases/v{version}"))).unwrap();
    run("tar", &["-czf", &format!("../releases/v{version}/{name}.tar.gz"), &name], "pack");
    let sum = Command::new("sha256sum")
        .arg(format!("{name}.tar.gz"))
        .current_dir(folder.join(&format!("releases/v{version}")))
        .output()
        .unwrap();
    folder.write(&format!("releases/v{version}/SHA256SUMS"), &String::from_utf8(sum.stdout).unwrap());
    format!("file://{}", folder.join("releases").display())
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_released_binary_is_installed_and_a_changed_one_is_not() {
    if !have(&["curl", "tar", "sha256sum"]) {
        return;
    }
    let folder = Folder::of(&[]);
    let releases = release(&folder, "1.2.3");
    let install = |to: &str| {
        let mut command = Command::new("sh");
        command.arg(script("install.sh")).args(["v1.2.3", to]).env("TIDEGATE_RELEASES", &releases);
        command.current_dir(folder.path()).output().unwrap()
    };
    let good = install("bin");
    assert!(good.status.success(), "{}", said(&good));
    assert_eq!(said(&good), "tidegate 1.2.3 --version\n");
    let sums = folder.join("releases/v1.2.3/SHA256SUMS");
    let other = std::fs::read_to_string(&sums).unwrap().replace(|it: char| it.is_ascii_digit(), "0");
    let name = format!("tidegate-1.2.3-linux-{}.tar.gz", processor());
    let rest = other.split_once("  ").unwrap().0.to_owned();
    folder.write("releases/v1.2.3/SHA256SUMS", &format!("{rest}  {name}\n"));
    let bad = install("elsewhere");
    assert_eq!(bad.status.code(), Some(2));
    assert!(said(&bad).contains("is not the file that was released; nothing is installed"), "{}", said(&bad));
    assert!(!folder.join("elsewhere").exists());
}

/// A `gh` that keeps what it is asked to write in a file a comment.
pub const GH: &str = r#"#!/bin/sh
echo "$*" >>"$LOG"
for word in "$@"; do case $word in body=@*) cp "${word#body=@}" "$COMMENTS/41" ;; esac; done
case "$*" in *--paginate*) [ ! -e "$COMMENTS/41" ] || echo 41 ;; esac
"#;

#[test]
fn a_second_review_changes_the_comment_of_the_first() {
    if !have(&["sh"]) {
        return;
    }
    let folder = Folder::of(&[("bin/gh", GH), ("comment.md", "<!-- tidegate -->\nfirst\n"), ("comments/.keep", "")]);
    Command::new("chmod").arg("+x").arg(folder.join("bin/gh")).status().unwrap();
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let comment = || {
        let mut command = Command::new("sh");
        command.arg(script("github/comment.sh")).arg("comment.md").current_dir(folder.path()).env("PATH", &path);
        command.envs([("REPOSITORY", "o/r"), ("NUMBER", "7"), ("GH_TOKEN", "t")]);
        command.env("LOG", folder.join("log")).env("COMMENTS", folder.join("comments"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    };
    comment();
    folder.write("comment.md", "<!-- tidegate -->\nsecond\n");
    comment();
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    assert!(log.contains("--method POST repos/o/r/issues/7/comments"), "{log}");
    assert!(log.contains("--method PATCH repos/o/r/issues/comments/41"), "{log}");
    assert_eq!(std::fs::read_to_string(folder.join("comments/41")).unwrap(), "<!-- tidegate -->\nsecond\n");
    // A list that cannot be had is not taken for one without the comment.
    folder.write("bin/gh", &GH.replace("echo \"$*\"", "case \"$*\" in *--paginate*) exit 1 ;; esac; echo \"$*\""));
    let mut command = Command::new("sh");
    command.arg(script("github/comment.sh")).arg("comment.md").current_dir(folder.path()).env("PATH", &path);
    command.envs([("REPOSITORY", "o/r"), ("NUMBER", "7"), ("GH_TOKEN", "t")]);
    command.env("LOG", folder.join("log")).env("COMMENTS", folder.join("comments"));
    assert!(!command.output().unwrap().status.success());
    assert_eq!(std::fs::read_to_string(folder.join("log")).unwrap(), log);
}

#[test]
fn the_hook_downloads_once_what_the_path_does_not_have() {
    if !have(&["curl", "tar", "sha256sum"]) {
        return;
    }
    let version = env!("CARGO_PKG_VERSION");
    let folder = Folder::of(&[]);
    let releases = release(&folder, version);
    let hook = |releases: &str| {
        let mut command = Command::new("sh");
        command.arg(script("pre-commit/hook.sh")).arg("policy.yaml").current_dir(folder.path());
        command.env("PATH", "/usr/bin:/bin").env("TIDEGATE_RELEASES", releases);
        command.env("XDG_CACHE_HOME", folder.join("cache")).output().unwrap()
    };
    let first = hook(&releases);
    assert!(said(&first).starts_with(&format!("tidegate {version} check policy.yaml\n")), "{}", said(&first));
    let second = hook("file:///nowhere");
    assert_eq!(said(&second), format!("tidegate {version} check policy.yaml\n"));
}
