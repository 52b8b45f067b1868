//! `cargo xtask schema`: the JSON schemas of what the command line writes, generated from its types.

mod options;

use cli::command::build::report as build;
use cli::command::diff::report as diff;
use cli::command::graph;
use cli::command::snapshot::report::SnapshotFile;
use cli::command::test;
use cli::command::verify::report as verify;
use cli::command::version::report as version;
use cli::command::{check, explain};
use cli::command::{cost, replay, suggest};
use cli::report;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where published schemas stand.
pub const FOLDER: &str = "docs/schemas";

/// Whether to write.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rewrite the files instead of comparing them
    #[arg(long)]
    bless: bool,
    /// The repository
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
}

/// Every schema by its file name: one for each kind of object; and the page of the keys that people write.
pub fn all() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("DiffReport.json", schema::<diff::DiffReport>("DiffReport")),
        ("CheckReport.json", schema::<check::report::CheckReport>("CheckReport")),
        ("../options.md", options::page()),
        ("Baseline.json", schema::<check::baseline::Baseline>("Baseline")),
        ("ExplainReport.json", schema::<explain::report::ExplainReport>("ExplainReport")),
        ("Configuration.json", plain::<cli::config::Config>()),
        ("TraceReport.json", schema::<report::TraceReport>("TraceReport")),
        ("GraphReport.json", schema::<graph::report::GraphReport>("GraphReport")),
        ("TestReport.json", schema::<test::report::TestReport>("TestReport")),
        ("PolicyTest.json", schema::<test::PolicyTest>("PolicyTest")),
        ("LabReport.json", schema::<report::LabReport>("LabReport")),
        ("ReplayReport.json", schema::<replay::report::ReplayReport>("ReplayReport")),
        ("PacketReport.json", schema::<replay::packets::report::PacketReport>("PacketReport")),
        ("SuggestReport.json", schema::<suggest::report::SuggestReport>("SuggestReport")),
        ("LabelsReport.json", schema::<suggest::labels::LabelsReport>("LabelsReport")),
        ("CostReport.json", schema::<cost::report::CostReport>("CostReport")),
        ("BuildReport.json", schema::<build::BuildReport>("BuildReport")),
        ("BuildIndex.json", schema::<build::BuildIndex>("BuildIndex")),
        ("PeerList.json", schema::<build::PeerList>("PeerList")),
        ("NodeTables.json", schema::<build::NodeTables>("NodeTables")),
        ("Certificate.json", schema::<cli::certificate::CertificateFile>("Certificate")),
        ("Profile.json", schema::<cli::profile::ProfileFile>("Profile")),
        ("VerifyReport.json", schema::<verify::VerifyReport>("VerifyReport")),
        ("VersionReport.json", schema::<version::VersionReport>("VersionReport")),
        ("Snapshot.json", schema::<SnapshotFile>("Snapshot")),
        ("SourceList.json", schema::<build::SourceList>("SourceList")),
    ])
}

/// The schema of a type that is an object with `apiVersion` and `kind`, both fixed.
fn schema<T: JsonSchema>(kind: &str) -> String {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema: Schema = generator.into_root_schema_for::<T>();
    if let Some(Value::Object(properties)) = schema.ensure_object().get_mut("properties") {
        for (name, value) in [("apiVersion", report::API_VERSION), ("kind", kind)] {
            if let Some(Value::Object(property)) = properties.get_mut(name) {
                property.insert("const".into(), json!(value));
            }
        }
    }
    // Cannot panic: a schema is a value of JSON, and what is written to is memory.
    let text = serde_json::to_string_pretty(&schema).expect("a schema is plain data with string keys");
    text + "\n"
}

/// The schema of a type that people write.
fn plain<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>();
    // Cannot panic: a schema is a value of JSON, and what is written to is memory.
    let text = serde_json::to_string_pretty(&schema).expect("a schema is plain data with string keys");
    text + "\n"
}

/// Which files differ from the types; files of no type too. Ascending.
pub fn stale(root: &Path) -> Vec<String> {
    let folder = root.join(FOLDER);
    let all = all();
    let differ = |(name, text): (&&str, &String)| {
        let same = fs::read_to_string(folder.join(name)).is_ok_and(|found| found == *text);
        (!same).then(|| (*name).to_owned())
    };
    let mut stale: Vec<String> = all.iter().filter_map(differ).collect();
    let found = fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = found.map(|entry| entry.file_name().to_string_lossy().into_owned());
    stale.extend(names.filter(|name| name.ends_with(".json") && !all.contains_key(name.as_str())));
    stale.sort();
    stale
}

/// Compares or writes. Exit code 1 when files differ, 2 when they cannot be written.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.bless
        && let Err(error) = bless(&arguments.root)
    {
        eprintln!("error: cannot write below {FOLDER}: {error}");
        return ExitCode::from(2);
    }
    let stale = stale(&arguments.root);
    stale
        .iter()
        .for_each(|name| println!("{FOLDER}/{name} is not what the types say; `cargo xtask schema --bless` writes it"));
    if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn bless(root: &Path) -> std::io::Result<()> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder)?;
    for (name, text) in all() {
        fs::write(folder.join(name), text)?;
    }
    for name in stale(root) {
        fs::remove_file(folder.join(name))?;
    }
    Ok(())
}
