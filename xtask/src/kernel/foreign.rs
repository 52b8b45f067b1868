//! Machines of another make: nothing of ours runs there, so that objects of images are loaded by Debian's bpftool, and asked about the
//! packets about which the kernel of this machine was asked.

use super::fetch::{Unpacked, said};
use super::guest::archive;
use super::judge::{Judged, came_to_its_end};
use crate::tidy::root;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the machine does: each case is loaded, and each frame of it is put through the program that is named.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox mkdir -p /bin /proc /sys /dev
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -t bpf bpf /sys/fs/bpf
echo; echo "kernel $(uname -r) $(uname -m)"
ip link set lo up
for folder in /cases/*; do
  name=${folder##*/}; asked=0; wrong=0
  if ! said=$(bpftool prog loadall "$folder/object.o" "/sys/fs/bpf/$name" 2>&1); then
    echo "$said" | tail -5; echo "end $name 0 1"; continue
  fi
  while read -r program frame answer; do
    said=$(bpftool prog run pinned "/sys/fs/bpf/$name/$program" data_in "$folder/$frame" repeat 1 2>&1)
    asked=$((asked + 1))
    case $said in
      "Return value: $answer,"*) ;;
      *) wrong=$((wrong + 1)); echo "$name $program $frame: $answer here, there: $said" ;;
    esac
  done < "$folder/asked"
  echo "end $name $asked $wrong"
  rm -r "/sys/fs/bpf/$name"
done
echo done; poweroff -f
"#;

/// Makes the cases in a folder, and asks the kernel of this machine. Returns the folder of each.
///
/// Errors: what cargo says, or that this machine cannot load programs.
pub fn cases(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["test", "--quiet", "--workspace", "--test", "holding"]);
    said(cargo.env("TIDEGATE_CASES", folder).stderr(Stdio::inherit()))?;
    let entries =
        std::fs::read_dir(folder).map_err(|_| "no cases: this machine loads no programs, or has no bpftool")?;
    let mut cases: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    cases.sort();
    Ok(cases)
}

/// Packs programs of the other make and the cases into an initramfs; its path.
pub fn pack(folder: &Path, unpacked: &Unpacked, cases: &[PathBuf]) -> Result<PathBuf, String> {
    let inside = folder.join("root");
    let make =
        |path: &Path| std::fs::create_dir_all(path).map_err(|error| format!("cannot make {}: {error}", path.display()));
    make(&inside)?;
    let copy = |from: &Path, to: &Path| said(Command::new("cp").arg("-a").arg(from).arg(to)).map(drop);
    for name in ["usr/bin", "usr/sbin", "usr/lib"] {
        make(&inside.join(name))?;
        let has = std::fs::read_dir(unpacked.root.join(name)).into_iter().flatten().filter_map(Result::ok);
        for entry in has.filter(|entry| entry.file_name() != "modules") {
            copy(&entry.path(), &inside.join(name))?;
        }
    }
    for (link, to) in [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib")] {
        std::os::unix::fs::symlink(to, inside.join(link)).map_err(|error| format!("cannot link {link}: {error}"))?;
    }
    make(&inside.join("cases"))?;
    cases.iter().try_for_each(|case| copy(case, &inside.join("cases")))?;
    archive(folder, &inside, INIT)
}

/// Judges what the machine said: every case was loaded, and every frame was answered as here.
///
/// Errors: the machine did not come to its end.
pub fn judge(name: &str, said: &str, cases: &[PathBuf]) -> Result<Judged, String> {
    came_to_its_end(name, said)?;
    let ended = said.lines().filter_map(|line| {
        let [wrong, asked] = line.strip_prefix("end ")?.rsplitn(3, ' ').take(2).collect::<Vec<_>>().try_into().ok()?;
        Some((asked.parse::<u32>().ok()?, wrong.parse::<u32>().ok()?))
    });
    let ended: Vec<(u32, u32)> = ended.collect();
    let (asked, wrong) = ended.iter().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    let mut lines: Vec<String> =
        said.lines().filter_map(|it| it.strip_prefix("kernel ")).map(|it| format!("{name}: {it}")).collect();
    lines.push(format!(
        "  {} of {} objects loaded, {asked} packets answered, {wrong} faults",
        ended.len(),
        cases.len()
    ));
    if wrong > 0 {
        lines.extend(said.lines().filter(|line| !line.starts_with("end ")).map(|it| format!("    {it}")));
    }
    Ok(Judged { lines, passed: wrong == 0 && asked > 0 && ended.len() == cases.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_must_load_and_every_answer_agree() {
        let cases = [PathBuf::from("a"), PathBuf::from("b")];
        let passed = |said: &str| judge("x", said, &cases).map(|it| it.passed);
        assert_eq!(passed("kernel 6.12 aarch64\nend a 7 0\nend b 0 0\ndone\n"), Ok(true));
        assert_eq!(passed("end a 7 1\nend b 0 0\ndone\n"), Ok(false), "an answer differs, or an object does not load");
        assert_eq!(passed("end a 7 0\ndone\n"), Ok(false), "a case is missing");
        assert!(passed("end a 7 0\nend b 0 0\n").is_err_and(|why| why.contains("did not come to its end")));
    }
}
