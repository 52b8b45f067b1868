//! Streams: colours, pipes, standard input, order.

use crate::support::{CLUSTER, Folder, POLICY, doubtful};
use std::io::Read;
use std::process::Stdio;

const COMMANDS: [&[&str]; 4] = [
    &["check", "."],
    &["build", ".", "--explain"],
    &["build", ".", "--emit", "tree"],
    &["trace", "shop/web", "shop/db", "80/TCP", "-f", "."],
];

fn both() -> Folder {
    Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &doubtful())])
}

#[test]
fn no_colour_reaches_a_file_a_pipe_or_a_reader_who_asked_for_none() {
    let folder = both();
    for command in COMMANDS {
        for ran in [folder.run(command), folder.run(&[command, &["--color", "never"]].concat())] {
            assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{command:?}: {ran:?}");
        }
        let quiet = folder.command(command).env("NO_COLOR", "1").output().unwrap();
        assert!(!quiet.stdout.contains(&0x1b) && !quiet.stderr.contains(&0x1b), "{command:?}");
    }
    let always = folder.run(&["check", ".", "--color", "always"]);
    assert!(always.out.contains('\u{1b}'), "--color always colours");
    let in_file = folder.run(&["check", ".", "--color", "always", "-o", "text=report.txt"]);
    assert_eq!((in_file.code, in_file.out.as_str()), (1, ""));
    assert!(!std::fs::read(folder.join("report.txt")).unwrap().contains(&0x1b), "no colour reaches a file");
}

#[test]
fn a_reader_who_leaves_causes_no_panic() {
    let folder = both();
    for command in COMMANDS {
        let mut child = folder.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 1)), "{command:?} {code:?}: {err}");
        assert!(!err.contains("TG9999") && !err.contains("panicked"), "{command:?}: {err}");
    }
}

#[test]
fn a_dash_is_standard_input() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER)]);
    let ran = folder.run_with_input(&["check", "cluster.yaml", "-"], &doubtful());
    assert!(ran.out.contains("[-:"), "{ran:?}");
    assert_eq!(ran.code, 1);
    let built = folder.run_with_input(&["build", "cluster.yaml", "-"], POLICY);
    assert_eq!(built.code, 0, "{built:?}");
    assert!(built.out.contains("pod shop/db"), "{built:?}");
}

#[test]
fn the_same_input_gives_the_same_output_in_any_order_of_files() {
    let folder = both();
    for command in COMMANDS {
        let first = folder.run(command);
        let again = folder.run(command);
        assert_eq!((&first.out, &first.err), (&again.out, &again.err), "{command:?}");
    }
    let one = folder.run(&["check", "cluster.yaml", "policy.yaml"]);
    let other = folder.run(&["check", "policy.yaml", "cluster.yaml", "./policy.yaml"]);
    assert_eq!(one.out, other.out);
}

#[test]
fn a_report_that_cannot_be_written_is_2_and_says_where() {
    let folder = both();
    let ran = folder.run(&["check", ".", "-o", "json=absent/report.json"]);
    assert!(ran.err.contains("absent/report.json"), "{ran:?}");
    assert_eq!(ran.code, 2);
}

#[test]
fn standard_output_by_its_path_is_written_into_even_when_it_is_a_file() {
    let folder = both();
    let file = std::fs::File::create(folder.join("out")).unwrap();
    let mut command = folder.command(&["check", ".", "-o", "concise", "-o", "concise=/dev/stdout"]);
    assert_eq!(command.stdout(file.try_clone().unwrap()).status().unwrap().code(), Some(1));
    let once = folder.run(&["check", "cluster.yaml", "policy.yaml", "-o", "concise"]).out;
    assert_eq!(std::fs::read_to_string(folder.join("out")).unwrap(), once.repeat(2));
}

#[test]
fn a_closed_standard_error_causes_no_panic() {
    let folder = both();
    for command in
        [&["check", "absent"][..], &["trace", "shop/nobody", "shop/db", "80/TCP", "-f", "."], &["build", "."]]
    {
        let mut child = folder.command(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        let mut out = String::new();
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(0 | 2)), "{command:?}: {code:?}");
    }
}

#[test]
fn what_a_manifest_holds_does_nothing_to_a_terminal() {
    let loud = POLICY.replace("{app: web}", "{app: \"w\\e[2Jb\\x07\"}");
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &loud)]);
    for color in ["never", "always"] {
        for command in [&["check", "."][..], &["trace", "shop/web", "shop/db", "5432/TCP", "-f", "."]] {
            let ran = folder.run(&[command, &["--color", color]].concat());
            for text in [&ran.out, &ran.err] {
                assert!(!text.contains("\u{1b}[2J") && !text.contains('\u{7}'), "{command:?}: {text}");
            }
        }
    }
    let json = folder.run(&["check", ".", "-o", "json"]).out;
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
}

#[test]
fn no_output_replaces_what_is_read() {
    let folder = both();
    for (args, file) in [
        (&["check", "policy.yaml", "-o", "json=policy.yaml"][..], "policy.yaml"),
        (&["check", ".", "-o", "sarif=first.sarif", "-o", "json=cluster.yaml"], "cluster.yaml"),
        (&["trace", "shop/web", "shop/db", "80", "-f", ".", "-o", "json=./policy.yaml"], "policy.yaml"),
        (&["diff", "policy.yaml", "cluster.yaml", "-o", "json=cluster.yaml"], "cluster.yaml"),
    ] {
        let before = std::fs::read(folder.join(file)).unwrap();
        let said = folder.run(args).failed(2);
        assert!(said.contains(file) && said.contains("which is read"), "{args:?}: {said}");
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), before, "{args:?}");
    }
    assert!(!folder.join("first.sarif").exists(), "nothing is written before");
    // An earlier report in the folder is replaced.
    for _ in 0..2 {
        folder.run(&["check", ".", "-o", "json=report.json"]).ended(1);
    }
}
