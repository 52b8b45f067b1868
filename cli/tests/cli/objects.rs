//! What `build --elf` writes of real policies is taken by bpftool, and so by the kernel, as it stands.

use crate::support::{Folder, Ran};
use std::process::Command;

#[test]
fn bpftool_loads_every_object_of_the_examples_unchanged() {
    let folder = Folder::shop();
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop");
    for (policies, out) in [(shop, "one"), (".", "other")] {
        folder.run(&["build", policies, "--out-dir", out, "--elf"]).ended(0);
    }
    // A BPF file system in a mount namespace of its own, so that nothing stays.
    let script = "set -e
        PATH=$PATH:/usr/sbin
        command -v bpftool >/dev/null || { echo 'absent: bpftool is not installed'; exit 0; }
        mount -t bpf bpf /sys/fs/bpf 2>/dev/null || { echo 'absent: bpf(2) is not permitted'; exit 0; }
        for object in */elf/*.o; do
            at=$((at + 1))
            bpftool prog loadall $object /sys/fs/bpf/$at
        done
        ls /sys/fs/bpf/*/* | wc -l; ls */elf/*.o | wc -l";
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script]).current_dir(folder.path());
    let ran = match command.output() {
        Ok(output) => Ran::of(output),
        Err(error) => return println!("absent: 1 test of objects, for there is no unshare: {error}"),
    };
    if ran.err.contains("Operation not permitted") && ran.out.is_empty() {
        return println!("absent: 1 test of objects, for a mount namespace is not permitted here");
    }
    let said = ran.ended(0);
    if said.starts_with("absent") {
        return print!("{said}");
    }
    let counts: Vec<usize> = said.lines().map(|line| line.trim().parse().unwrap()).collect();
    let [programs, objects] = counts[..] else { panic!("{said}") };
    assert!(objects >= 6 && programs == 2 * objects, "{programs} programs of {objects} objects");
}
