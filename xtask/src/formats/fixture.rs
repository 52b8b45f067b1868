//! The folder in which everything runs: the examples, and files that make every format say as much as it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A policy whose names and values have to be escaped in one format or another.
const AWKWARD: &str = "\
# Source: shop/templates/a,b.yaml
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: shop}
spec:
  podSelecter: {\"a|b<c>&'\\\"`#;]]>:50%,é\\u001b[31m\\u0000\\uffff\": x}
";

/// A test that does not hold, by an awkward name.
const WRONG: &str = "\
apiVersion: tidegate.io/v1alpha1
kind: PolicyTest
metadata: {name: 'a|b<c>&\"`#;]]>:50%,é'}
namespace: shop
policies: [examples/shop/cluster.yaml, examples/shop/pods.yaml, examples/shop/policies.yaml]
cases:
- {name: 'nobody, ever: <asks> \"&', from: web, to: api, port: 1/TCP, expect: allow}
- {name: it holds, from: web, to: db, port: 5432/TCP, expect: deny}
";

/// What kustomize hands to a function.
const LIST: &str = "\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: db # stays
  spec:
    podSelector: {}
    ingress:
    - ports:
      - port: 99999
";

/// A capture of one packet: a TCP SYN to port 5432, between the first two pods of the shop.
const CAPTURE: [&[u8]; 5] = [
    // The header of the file: microseconds, little-endian, Ethernet.
    b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x01\x00\x00\x00",
    // Time, and 54 bytes that were 54 bytes.
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x36\x00\x00\x00",
    b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00",
    // IPv4, 40 bytes, TCP, from 10.244.1.10 to 10.244.2.20; the sum is not looked at.
    b"\x45\x00\x00\x28\x00\x01\x00\x00\x40\x06\x00\x00\x0a\xf4\x01\x0a\x0a\xf4\x02\x14",
    b"\x9c\x40\x15\x38\x00\x00\x00\x01\x00\x00\x00\x00\x50\x02\xff\xff\x00\x00\x00\x00",
];

/// Makes the folder below `out`.
///
/// Errors: what cannot be written; a folder that holds something already.
pub fn make(out: &Path, binary: &Path) -> Result<PathBuf, String> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("cannot write {path}: {error}")
    };
    fs::create_dir_all(out).map_err(failed(out))?;
    let work = out.join("work");
    if work.exists() {
        return Err(format!("{} holds an earlier run; name an empty folder", out.display()));
    }
    copy(&crate::tidy::root().join("examples"), &work.join("examples"))?;
    let troubled = work.join("troubled");
    fs::create_dir_all(&troubled).map_err(failed(&troubled))?;
    let mut files: Vec<(PathBuf, Vec<u8>)> = failing().map(|(name, text)| (troubled.join(name), text.into())).collect();
    files.push((troubled.join("no such: name, 100% [a;b] |é.yaml"), AWKWARD.into()));
    files.push((work.join("wrong.yaml"), WRONG.into()));
    files.push((work.join("list.yaml"), LIST.into()));
    files.push((work.join("packets.pcap"), CAPTURE.concat()));
    for (path, bytes) in files {
        fs::write(&path, bytes).map_err(failed(&path))?;
    }
    let mut build = Command::new(binary);
    build.args(["build", "examples/shop", "--out-dir", "images"]).current_dir(&work);
    match build.output() {
        Ok(output) if output.status.success() => Ok(work),
        Ok(output) => Err(format!("no images are built: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("cannot start {}: {error}", binary.display())),
    }
}

/// What the pages of findings show as failing: one file each.
fn failing() -> impl Iterator<Item = (String, String)> {
    checks::REGISTRY.iter().flat_map(|page| {
        let fences: Vec<&str> = page.section("Failing").split("```").skip(1).step_by(2).collect();
        let texts = fences.into_iter().filter_map(|fence| fence.split_once('\n'));
        let yaml = texts.filter(|(language, _)| language.starts_with("yaml"));
        yaml.enumerate()
            .map(|(at, (_, text))| (format!("{}-{at}.yaml", page.code), text.to_owned()))
            .collect::<Vec<_>>()
    })
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot copy {} to {}: {error}", from.display(), to.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target).map_err(failed)?;
        }
    }
    Ok(())
}
