//! What goes wrong around a command: a reader who leaves, a file that cannot be read, is no text, is empty or too great, an output that
//! cannot be written. One table of commands a side, one test a hazard.

use crate::support::{Folder, Ran};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Every way in which a command reads a file, here `IN`; behind `<` as its standard input. With it the code for an empty file.
const READERS: &[(&str, i32)] = &[
    ("check cluster.yaml IN", 0),
    ("check cluster.yaml -f IN", 0),
    ("check cluster.yaml - < IN", 2),
    ("check . --baseline IN", 2),
    ("check . --budget IN", 0),
    ("check . --config IN", 0),
    ("check . --cluster IN", 2),
    ("build cluster.yaml IN", 0),
    ("verify IN", 2),
    ("diff IN policy.yaml --facts-from cluster.yaml", 1),
    ("diff policy.yaml IN --facts-from cluster.yaml", 1),
    ("diff policy.yaml policy.yaml --facts-from IN", 0),
    ("trace shop/web shop/db 5432 -f cluster.yaml -f IN", 0),
    ("graph cluster.yaml IN", 0),
    ("test IN", 2),
    ("test tests.yaml -f IN", 0),
    ("replay IN -f cluster.yaml", 2),
    ("replay - -f cluster.yaml < IN", 2),
    ("replay flows.csv -f cluster.yaml -f IN", 0),
    ("replay flows.csv -f cluster.yaml --against IN", 0),
    ("suggest IN -f cluster.yaml", 2),
    ("suggest flows.csv -f IN", 1),
    ("suggest labels cluster.yaml IN", 1),
    ("cost cluster.yaml IN", 0),
    ("lab run cluster.yaml IN", 0),
    ("snapshot --from cluster.yaml --from IN", 0),
    ("fn < IN", 2),
];

/// Commands that read no file which is named to them: what they print is part of the program, or the machine's.
const READ_NOTHING: [&str; 6] = ["explain", "version", "completion", "init", "demo", "lsp"];

/// Every way in which a command prints, with the code that it ends in.
const PRINTERS: &[(&str, i32)] = &[
    ("check .", 0),
    ("check . -o sarif", 0),
    ("check fix.yaml --diff", 1),
    ("build .", 0),
    ("build . --emit tree", 0),
    ("verify images", 0),
    ("diff empty.yaml policy.yaml --facts-from cluster.yaml", 1),
    ("explain", 0),
    ("explain TG0012", 0),
    ("trace shop/web shop/db 5432 -f .", 0),
    ("graph .", 0),
    ("graph . -o html", 0),
    ("test tests.yaml", 0),
    ("replay flows.csv -f .", 0),
    ("suggest flows.csv -f .", 0),
    ("suggest labels .", 0),
    ("cost .", 0),
    ("lab run .", 0),
    ("fn < list.yaml", 0),
    ("snapshot --from .", 0),
    ("snapshot --rbac", 0),
    ("init new", 0),
    ("version", 0),
    ("completion bash", 0),
];

/// Every way in which a command writes: with the file, which is there before.
const WRITERS: &[(&str, &str)] = &[
    ("check . -o json=OUT", "out.txt"),
    ("check . --baseline OUT --update-baseline", "out.txt"),
    ("build . -o json=OUT", "out.txt"),
    ("verify images -o json=OUT", "out.txt"),
    ("diff empty.yaml policy.yaml --facts-from cluster.yaml -o markdown=OUT", "out.txt"),
    ("explain -o markdown=OUT", "out.txt"),
    ("trace shop/web shop/db 5432 -f . -o json=OUT", "out.txt"),
    ("graph . -o html=OUT", "out.txt"),
    ("test tests.yaml -o junit=OUT", "out.txt"),
    ("replay flows.csv -f . -o csv=OUT", "out.txt"),
    ("suggest flows.csv -f . -o json=OUT", "out.txt"),
    ("suggest labels . -o json=OUT", "out.txt"),
    ("cost . -o jsonl=OUT", "out.txt"),
    ("lab run . -o json=OUT", "out.txt"),
    ("snapshot --from . -o OUT", "out.txt"),
    ("version -o json=OUT", "out.txt"),
    ("check fix.yaml --fix", "fix.yaml"),
    ("build . --out-dir images", "images"),
    ("build . --out-dir images --elf", "images"),
    ("init --force", "tidegate.toml"),
    ("snapshot --from . --redact --redact-policies redacted", "redacted/"),
];

const TESTS: &str = "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\nmetadata: {name: db}\nnamespace: shop\npolicies: [cluster.yaml, policy.yaml]\ncases:\n- {from: web, to: db, port: 5432, expect: allow}\n";
const FLOWS: &str = "source,destination,protocol,port,verdict\nshop/web,shop/db,tcp,5432,allow\n";
const LIST: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n";

/// What has a fix.
const FIX: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: office, namespace: shop}\nspec: {endpointSelector: {}, ingress: [{fromCIDR: [10.0.0.1/8]}]}\n";

/// A folder in which every command of the tables has what it needs.
fn folder() -> Folder {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--out-dir", "images"]).ended(0);
    folder.write("tests.yaml", TESTS);
    folder.write("flows.csv", FLOWS);
    folder.write("list.yaml", LIST);
    folder.write("empty.yaml", "");
    folder.write("fix.yaml", FIX);
    folder.write("tidegate.toml", "fail-on = \"warning\"\n");
    folder.write("redacted/networkpolicy-a-b.json", "{}");
    // What stands here beside manifests is named where it is meant.
    folder.write(".ignore", "list.yaml\nempty.yaml\nfix.yaml\nin.yaml\nimages\nredacted\n");
    folder
}

/// A command of a table, ready to run: its files named, its standard input in place.
fn command(folder: &Folder, line: &str) -> Command {
    let line = line.replace("IN", "in.yaml").replace("OUT", "out.txt");
    let (words, input) = line.split_once(" < ").map_or((line.as_str(), None), |(words, input)| (words, Some(input)));
    let mut command = folder.command(&words.split(' ').collect::<Vec<_>>());
    if let Some(input) = input {
        command.stdin(std::fs::File::open(folder.join(input)).unwrap());
    }
    command
}

/// Runs every reader, and holds each run against the code that it is to end in and the words that it is to say.
fn all_readers(folder: &Folder, code: impl Fn(&str, i32) -> i32, said: impl Fn(&str) -> Vec<&'static str>) {
    for (line, of_empty) in READERS {
        let ran = Ran::of(command(folder, line).output().unwrap());
        // Without the line ends that drawing adds.
        let all = format!("{}{}", ran.out, ran.err).replace("\n  │ ", " ");
        assert_eq!(ran.code, code(line, *of_empty), "{line}: {all}");
        assert!(!all.contains("panicked") && !all.contains("TG9999"), "{line}: {all}");
        for word in said(line) {
            assert!(all.contains(word), "{line}: {word}: {all}");
        }
    }
}

/// What a message calls the file: standard input has no name.
fn name(line: &str) -> &'static str {
    match line {
        "fn < IN" => "standard input",
        line if line.contains('<') => "`-`",
        _ => "in.yaml",
    }
}

#[test]
fn every_command_is_in_a_table() {
    let mut root = <cli::args::Args as clap::CommandFactory>::command();
    root.build();
    let names: Vec<&str> = root.get_subcommands().map(|it| it.get_name()).filter(|it| *it != "help").collect();
    let first = |line: &str| line.split(' ').next().unwrap().to_owned();
    let readers: Vec<String> = READERS.iter().map(|(line, _)| first(line)).collect();
    let printers: Vec<String> = PRINTERS.iter().map(|(line, _)| first(line)).collect();
    for name in names {
        assert!(READ_NOTHING.contains(&name) || readers.iter().any(|it| it == name), "no reader: {name}");
        // The demonstration takes half a minute, and prints as the lab does; the language server speaks with an editor (`lsp.rs`).
        assert!(["demo", "lsp"].contains(&name) || printers.iter().any(|it| it == name), "no printer: {name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_ends_in_2() {
    let folder = folder();
    // Why this file: its bytes are refused to root, too.
    std::os::unix::fs::symlink("/proc/self/mem", folder.join("in.yaml")).unwrap();
    all_readers(&folder, |_, _| 2, |line| vec![name(line), "Input/output error"]);
}

#[test]
fn a_folder_where_a_file_is_wanted_is_named() {
    let folder = folder();
    std::fs::create_dir(folder.join("in.yaml")).unwrap();
    // An empty folder is a side without policies, and an empty set of facts.
    let none = |line: &str| line.starts_with("diff IN") || line.starts_with("diff policy.yaml IN");
    all_readers(&folder, |line, _| if none(line) { 1 } else { 2 }, |line| vec![name(line)]);
}

#[test]
fn bytes_that_are_no_text_are_named_and_end_in_2() {
    let folder = folder();
    let bytes: Vec<u8> = (0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 0x80).collect();
    std::fs::write(folder.join("in.yaml"), bytes).unwrap();
    all_readers(&folder, |_, _| 2, |line| vec![name(line)]);
}

#[test]
fn an_empty_file_is_no_fault_of_the_program() {
    let folder = folder();
    folder.write("in.yaml", "");
    all_readers(&folder, |_, code| code, |_| vec![]);
}

#[test]
fn a_file_above_the_limit_is_refused_before_it_is_read() {
    let folder = folder();
    // A gibibyte that takes no room on the disk.
    std::fs::File::create(folder.join("in.yaml")).unwrap().set_len(1 << 30).unwrap();
    // Logs of flows have no limit but that of a line.
    let limits = |line: &str| match line {
        line if line.starts_with("replay IN") || line.starts_with("suggest IN") => vec!["in.yaml", "64 MiB"],
        line if line.starts_with("replay -") => vec!["`-`", "64 MiB"],
        line => vec![name(line), "256 MiB", "split it into several files"],
    };
    all_readers(&folder, |_, _| 2, limits);
    // Half of the limit is room enough to say so.
    for line in ["check cluster.yaml IN", "verify IN", "check . --baseline IN", "check cluster.yaml - < IN", "fn < IN"]
    {
        let mut limited = Command::new("sh");
        let inner = command(&folder, line);
        limited.args(["-c", "ulimit -d 131072; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
        limited.current_dir(folder.path());
        if line.contains('<') {
            limited.stdin(std::fs::File::open(folder.join("in.yaml")).unwrap());
        }
        let output = limited.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{line}: {:?} {said}", output.status.signal());
        assert!(said.contains("256 MiB"), "{line}: {said}");
    }
}

#[test]
fn a_reader_who_left_before_ends_every_command_quietly() {
    let folder = folder();
    for (line, code) in PRINTERS {
        let _ = std::fs::remove_dir_all(folder.join("new"));
        let plain = Ran::of(command(&folder, line).output().unwrap());
        assert_eq!(plain.code, *code, "{line}: {plain:?}");
        let _ = std::fs::remove_dir_all(folder.join("new"));
        // Nobody is at the other end from the first byte on.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let left = Ran::of(command(&folder, line).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!((left.code, left.err.lines().count()), (*code, plain.err.lines().count()), "{line}: {left:?}");
        assert!(!left.err.contains("error") && !left.err.contains("panicked"), "{line}: {left:?}");
    }
}

#[test]
fn standard_output_that_takes_nothing_is_2_and_said() {
    let folder = folder();
    for (line, _) in PRINTERS {
        let _ = std::fs::remove_dir_all(folder.join("new"));
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(command(&folder, line).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ran.code, 2, "{line}: {ran:?}");
        let said = "error: cannot write to standard output: No space left on device";
        assert!(ran.err.contains(said) && !ran.err.contains("panicked"), "{line}: {ran:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_stays_as_it_was() {
    let folder = folder();
    folder.write("out.txt", "{\"apiVersion\":\"tidegate.io/v1alpha1\",\"kind\":\"Baseline\",\"findings\":[]}");
    let before = folder.tree(".");
    for (line, file) in WRITERS {
        // No file may grow at all; the signal of that limit is ignored, so that writing fails instead.
        let mut limited = Command::new("sh");
        let inner = command(&folder, line);
        limited.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]);
        limited.arg(inner.get_program()).args(inner.get_args()).current_dir(folder.path());
        let ran = Ran::of(limited.output().unwrap());
        assert_eq!(ran.code, 2, "{line}: {ran:?}");
        assert!(["cannot write `", file, "File too large"].iter().all(|it| ran.err.contains(it)), "{line}: {ran:?}");
        assert!(folder.tree(".") == before, "{line}: {:?}", folder.tree(".").keys());
    }
}

#[test]
fn a_folder_in_the_place_of_an_output_stays() {
    let folder = folder();
    folder.write("out.txt/kept", "kept");
    let before = folder.tree(".");
    for (line, _) in WRITERS.iter().filter(|(_, file)| *file == "out.txt") {
        let ran = Ran::of(command(&folder, line).output().unwrap());
        assert_eq!(ran.code, 2, "{line}: {ran:?}");
        assert!(ran.err.contains("out.txt"), "{line}: {ran:?}");
        assert!(folder.tree(".") == before, "{line}: {:?}", folder.tree(".").keys());
    }
}

#[test]
fn a_written_file_is_whole_though_standard_output_is_closed() {
    let folder = folder();
    for (line, _) in WRITERS.iter().filter(|(line, file)| *file == "out.txt" && !line.contains("baseline")) {
        let _ = std::fs::remove_file(folder.join("out.txt"));
        command(&folder, line).output().unwrap();
        let whole = std::fs::read(folder.join("out.txt")).unwrap();
        std::fs::remove_file(folder.join("out.txt")).unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        command(&folder, line).stdout(writer).output().unwrap();
        let again = std::fs::read(folder.join("out.txt")).unwrap();
        // Reports of runs say when and how they ran; their length is what shows a cut.
        assert_eq!(whole.len(), again.len(), "{line}");
    }
}
