//! `cargo xtask bench replay`: a million records held against two sets of policies, by the binary that users have.

use crate::tidy::root;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Workloads of the cluster, ten to a namespace, five pods each.
const WORKLOADS: u64 = 200;
/// Ticks of a second in `/proc`, on every Linux that we run on.
const TICKS: f64 = 100.0;

/// Makes the records, runs, prints one line. The exit code is 2 when anything fails.
pub fn run(quick: bool) -> ExitCode {
    match measure(if quick { 100_000 } else { 1_000_000 }) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn measure(records: u64) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--package", "tidegate-cli"])
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !built.success() {
        return Err("the command line does not build".into());
    }
    let folder = root().join("target/bench-replay");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let bytes = write(&folder, records).map_err(|error| format!("cannot write the records: {error}"))?;
    let started = Instant::now();
    let mut child = Command::new(root().join("target/release/tidegate"))
        .args(["replay", "flows.jsonl", "-f", "new.yaml", "--against", "old.yaml", "-o", "json=report.json"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let used = watch(&mut child)?;
    let wall = started.elapsed();
    let report = fs::read_to_string(folder.join("report.json")).map_err(|error| error.to_string())?;
    let report: serde_json::Value = serde_json::from_str(&report).map_err(|error| error.to_string())?;
    Ok(format!(
        "replay {records} records, {} MB: {:.2} s wall, {:.2} s cpu, {} MiB resident; {} decided, {} change",
        bytes / 1_000_000,
        wall.as_secs_f64(),
        used.cpu,
        used.resident >> 10,
        report["coverage"]["decided"],
        report["summary"]["changed"],
    ))
}

/// What a process used.
#[derive(Default)]
struct Used {
    /// Seconds.
    cpu: f64,
    /// The most that was ever resident, in KiB.
    resident: u64,
}

/// Looks at a process until it ends; what it uses in its last hundredth of a second is not seen.
fn watch(child: &mut Child) -> Result<Used, String> {
    let mut used = Used::default();
    loop {
        if let Ok(status) = fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|rest| rest.trim().split(' ').next()?.parse().ok());
            used.resident = peak.unwrap_or(0).max(used.resident);
        }
        if let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", child.id())) {
            let after = stat.rsplit(") ").next().unwrap_or_default();
            let ticks: f64 = after.split(' ').skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
            used.cpu = used.cpu.max(ticks / TICKS);
        }
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return if status.code().is_some_and(|code| code < 2) { Ok(used) } else { Err(format!("replay {status}")) };
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Records, policies that allow them, and policies that close some. Says how many bytes the records have.
fn write(folder: &Path, records: u64) -> std::io::Result<u64> {
    let (mut old, mut new) = (String::new(), String::new());
    for workload in 0..WORKLOADS {
        let namespace = workload / 10;
        // Writing into a String cannot fail.
        let _ = write!(old, "{}", policy(namespace, workload, "{namespaceSelector: {}}"));
        let from = if workload % 7 == 0 { "{podSelector: {}}" } else { "{namespaceSelector: {}}" };
        let _ = write!(new, "{}", policy(namespace, workload, from));
    }
    fs::write(folder.join("old.yaml"), old)?;
    fs::write(folder.join("new.yaml"), new)?;
    let path = folder.join("flows.jsonl");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
    let mut random = Random(1);
    for at in 0..records {
        let destination = random.below(WORKLOADS);
        // Workloads mostly ask the same few others.
        let source = (destination + 1 + random.below(8) * random.below(4)) % WORKLOADS;
        let port = [8080, 9090, 5432][random.below(3) as usize];
        let (a, b) = (source * 5 + random.below(5), destination * 5 + random.below(5));
        writeln!(
            out,
            "{{\"flow\":{{\"time\":\"2026-03-01T{:02}:{:02}:{:02}.{:09}Z\",\"uuid\":\"{at:032x}\",\"verdict\":\"FORWARDED\",\
             \"ethernet\":{{\"source\":\"0a:00:00:00:00:01\",\"destination\":\"0a:00:00:00:00:02\"}},\
             \"IP\":{{\"source\":\"{}\",\"destination\":\"{}\",\"ipVersion\":\"IPv4\"}},\
             \"l4\":{{\"TCP\":{{\"source_port\":{},\"destination_port\":{port},\"flags\":{{\"SYN\":true}}}}}},\
             \"source\":{},\"destination\":{},\"Type\":\"L3_L4\",\"node_name\":\"worker-1\",\"event_type\":{{\"type\":4}},\
             \"traffic_direction\":\"INGRESS\",\"trace_observation_point\":\"TO_ENDPOINT\",\"is_reply\":{},\
             \"interface\":{{\"index\":{a}}},\"Summary\":\"TCP Flags: SYN\"}},\"node_name\":\"worker-1\",\"time\":\"2026-03-01T12:00:00Z\"}}",
            at / 3600 % 24,
            at / 60 % 60,
            at % 60,
            at % 1_000_000_000,
            address(a),
            address(b),
            32_768 + at % 28_000,
            endpoint(a),
            endpoint(b),
            at % 3 == 0,
        )?;
    }
    out.flush()?;
    Ok(fs::metadata(path)?.len())
}

fn policy(namespace: u64, workload: u64, from: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: w{workload}, namespace: n{namespace}}}\nspec:\n  \
         podSelector: {{matchLabels: {{app: w{workload}}}}}\n  policyTypes: [Ingress]\n  ingress:\n    - from: [{from}]\n      \
         ports: [{{port: 8080}}, {{port: 9090}}]\n"
    )
}

fn address(pod: u64) -> String {
    format!("10.{}.{}.{}", pod >> 16 & 255, pod >> 8 & 255, pod & 255)
}

fn endpoint(pod: u64) -> String {
    let (workload, namespace) = (pod / 5, pod / 50);
    format!(
        "{{\"ID\":{pod},\"identity\":{},\"cluster_name\":\"default\",\"namespace\":\"n{namespace}\",\"labels\":[\"k8s:app=w{workload}\",\
         \"k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=n{namespace}\",\"k8s:io.cilium.k8s.policy.cluster=default\",\
         \"k8s:io.cilium.k8s.policy.serviceaccount=default\",\"k8s:io.kubernetes.pod.namespace=n{namespace}\"],\
         \"pod_name\":\"w{workload}-7d4b9c6f5b-{pod:05}\",\"workloads\":[{{\"name\":\"w{workload}\",\"kind\":\"Deployment\"}}]}}",
        1000 + workload
    )
}
