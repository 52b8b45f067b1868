//! Recorded flows: replay, suggestions, and what policies cost.

use crate::support::Folder;
use std::io::Write;
use std::path::Path;

const EXAMPLE: [&str; 4] = ["cluster.yaml", "flows.jsonl", "old/db.yaml", "new/db.yaml"];

/// The example of the guide.
fn example() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/replay");
    let folder = Folder::of(&[]);
    for name in EXAMPLE {
        folder.write(name, &std::fs::read_to_string(root.join(name)).unwrap());
    }
    folder
}

const COMPARE: [&str; 8] = ["replay", "flows.jsonl", "-f", "new", "-f", "cluster.yaml", "--against", "old"];

fn compare(folder: &Folder, more: &[&str]) -> crate::support::Ran {
    folder.run(&[&COMPARE[..], more].concat())
}

#[test]
fn changed_verdicts_are_listed_with_the_rules_of_both_sides() {
    let folder = example();
    for form in ["text", "concise", "json", "jsonl", "csv"] {
        insta::assert_snapshot!(format!("replay-{form}"), compare(&folder, &["-o", form]).ended(1));
    }
    let same = folder.run(&["replay", "flows.jsonl", "-f", "old", "-f", "cluster.yaml", "--against", "old"]).ended(0);
    assert!(same.starts_with("nothing changes: 15 records are decided alike"), "{same}");
}

#[test]
fn without_another_set_the_record_itself_is_what_was() {
    let folder = example();
    let found = folder.run(&["replay", "flows.jsonl", "--policies", "new", "-f", "cluster.yaml"]).ended(1);
    assert!(found.contains("3 of 15 decided records differ from what was recorded: 2 lost, 1 gained"), "{found}");
    folder.run(&["replay", "flows.jsonl", "-f", "old", "-f", "cluster.yaml"]).ended(0);
}

#[test]
fn what_a_git_revision_holds_can_be_compared_with() {
    let folder = example();
    let git = |args: &[&str]| {
        let names = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let ran = std::process::Command::new("git").args(names).args(args).current_dir(folder.path()).output();
        ran.is_ok_and(|it| it.status.success())
    };
    if !(git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-qm", "first"])) {
        println!("skipped: git does not run here");
        return;
    }
    folder.write("old/db.yaml", &std::fs::read_to_string(folder.join("new/db.yaml")).unwrap());
    let args = ["replay", "flows.jsonl", "-f", "old", "-f", "cluster.yaml", "--against", "HEAD:old"];
    let found = folder.run(&args).ended(1);
    assert!(found.contains("NetworkPolicy shop/db spec.ingress[0].from[0]   HEAD:old/db.yaml:9:14"), "{found}");
    let said = folder.run(&["replay", "flows.jsonl", "-f", "old", "--against", "no-such:old"]).failed(2);
    assert!(said.contains("no-such"), "{said}");
}

#[test]
fn packed_flows_and_standard_input_read_as_the_file_does() {
    let folder = example();
    let plain = std::fs::read(folder.join("flows.jsonl")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&plain).unwrap();
    std::fs::write(folder.join("flows.gz"), gzip.finish().unwrap()).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    std::fs::write(folder.join("flows.zst"), zstd).unwrap();
    let expected = compare(&folder, &[]).ended(1);
    for name in ["flows.gz", "flows.zst"] {
        let args = ["replay", name, "-f", "new", "-f", "cluster.yaml", "--against", "old"];
        assert_eq!(folder.run(&args).ended(1).replace(name, "flows.jsonl"), expected);
    }
    let text = String::from_utf8(plain).unwrap();
    let piped = folder.run_with_input(&["replay", "-", "-f", "new", "-f", "cluster.yaml", "--against", "old"], &text);
    assert_eq!(piped.ended(1).replace("    -:18", "    flows.jsonl:18"), expected);
}

#[test]
fn what_cannot_be_read_is_named_and_ends_in_2() {
    let folder = example();
    folder.write("noise.txt", "what is this\nnothing\n");
    folder.write("half.csv", "source,destination,port\na/b,c/d,80\n");
    folder.write("broken.jsonl", "{\"flow\":\n{]\n");
    std::fs::write(folder.join("cut.gz"), [0x1f, 0x8b, 8, 0, 0, 0]).unwrap();
    for (name, why) in [
        ("absent.jsonl", "No such file"),
        ("noise.txt", "neither JSON records"),
        ("half.csv", "lacks the columns protocol, verdict"),
        ("cut.gz", "`cut.gz`"),
    ] {
        let said = folder.run(&["replay", name, "-f", "new"]).failed(2);
        assert!(said.contains(why), "{name}: {said}");
    }
    let said = folder.run(&["replay", "broken.jsonl", "-f", "new"]);
    assert_eq!(said.code, 2);
    assert!(said.out.contains("broken.jsonl:2:"), "{}", said.out);
    assert_eq!(folder.run(&["replay", "flows.jsonl"]).code, 2, "policies are needed");
    let way_out = "it is a JSON array, and records are objects, one a line; `jq -c '.[]'` writes them so";
    for array in ["[]", "[{\"flow\": {}}]\n"] {
        folder.write("array.json", array);
        let said = folder.run(&["replay", "array.json", "-f", "new"]).failed(2);
        assert!(said.contains(&format!("cannot read `array.json`: {way_out}")), "{said}");
        let said = folder.run(&["replay", "array.json", "-f", "new", "--input-format", "json"]);
        assert!(said.out.contains(&format!("array.json:1: {way_out}")), "{said:?}");
    }
}

#[test]
fn policies_are_suggested_and_allow_what_was_recorded() {
    let folder = example();
    let ran = folder.run(&["suggest", "flows.jsonl", "-f", "cluster.yaml"]);
    insta::assert_snapshot!("suggest", format!("{}\n{}", ran.err, ran.out));
    assert_eq!(ran.code, 0);
    folder.write("suggested/all.yaml", &ran.out);
    let replayed = folder.run(&["replay", "flows.jsonl", "-f", "suggested", "-f", "cluster.yaml"]).ended(0);
    assert!(replayed.starts_with("nothing changes from what was recorded"), "{replayed}");
    insta::assert_snapshot!("suggest-cnp", folder.run(&["suggest", "flows.jsonl", "--kind", "cnp"]).ended(0));
}

#[test]
fn labels_that_multiply_identities_are_named_and_left_out() {
    let folder = Folder::shop();
    let pod = |n: u32| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: job-{n}, namespace: shop, labels: {{app: job, run: \"2026030{n}\"}}}}\n"
        )
    };
    folder.write("jobs.yaml", &(1..5).map(pod).collect::<String>());
    insta::assert_snapshot!("suggest-labels", folder.run(&["suggest", "labels", "."]).ended(1));
}

#[test]
fn costs_are_listed_and_budgets_name_the_rules_that_exceed_them() {
    let folder = Folder::shop();
    insta::assert_snapshot!("cost", folder.run(&["cost", "."]).ended(0));
    insta::assert_snapshot!("cost-endpoints", folder.run(&["cost", ".", "--by", "endpoints"]).ended(0));
    for text in [folder.run(&["cost", ".", "absent"]).ended(2), folder.run(&["cost", "absent"]).ended(2)] {
        assert!(text.starts_with("not everything was read, because of 1 error, so it may cost more\n"), "{text}");
        assert!(!text.contains("nothing costs anything"), "{text}");
    }
    let over = folder.run(&["cost", ".", "--max-entries", "2"]).failed(1);
    assert!(over.contains("error: max-entries is exceeded: 3 instead of at most 2 for pod shop/db"), "{over}");
    assert!(over.contains("NetworkPolicy shop/db spec.ingress[0].from[0]   policy.yaml:8:"), "{over}");
    folder.run(&["check", "--budget", "max-entries=16384,max-bytes=10000000", "."]).ended(0);
    folder.write("budget", "max-entries = 2 # far too low\n");
    assert_eq!(folder.run(&["check", "--budget", "max-entires=1", "."]).code, 2);
    let twice = folder.run(&["check", "--budget", "max-entries=2,max-entries=100", "."]).failed(2);
    assert!(twice.contains("`max-entries` stands twice, with 2 and with 100; keep one"), "{twice}");
}

#[test]
fn what_exceeds_a_budget_is_a_finding_in_every_format() {
    let folder = Folder::shop();
    let check = |more: &[&str]| folder.run(&[&["check", ".", "--budget", "max-entries=2"], more].concat());
    insta::assert_snapshot!("check-budget", check(&[]).ended(1));
    for format in ["concise", "json", "jsonl", "sarif", "junit", "github", "gitlab", "azure", "rdjson", "markdown"] {
        let said = check(&["-o", format]).ended(1);
        assert!(said.contains("TG0106") && said.contains("3 instead of at most 2"), "{format}: {said}");
    }
    // A finding like any other: at its line, chosen by code, accepted by a baseline.
    assert!(check(&["-o", "concise"]).out.starts_with("policy.yaml:8:"));
    check(&["--ignore", "group:cost"]).ended(0);
    check(&["--baseline", "known.json", "--update-baseline"]).ended(0);
    check(&["--baseline", "known.json"]).ended(0);
}

/// Runs with `cat` for the programs that render.
fn rendered(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let mut command = folder.command(args);
    let output = command.env("TIDEGATE_KUSTOMIZE", "cat").env("TIDEGATE_HELM", "cat").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn policies_and_facts_come_from_where_other_commands_take_them() {
    let folder = example();
    folder.run(&["snapshot", "--from", "cluster.yaml", "-o", "snapshot.json"]).ended(0);
    let expected = compare(&folder, &[]).ended(1);
    let headline = expected.lines().next().unwrap().split("   ").next().unwrap();
    for flag in ["-k", "--helm"] {
        let args = ["replay", "flows.jsonl", flag, "new/db.yaml", "-f", "cluster.yaml", "--against", "old"];
        let (code, out, err) = rendered(&folder, &args);
        assert!(code == 1 && out.starts_with(headline), "{flag}: {out}{err}");
        let (code, out, err) =
            rendered(&folder, &["replay", "flows.jsonl", flag, "new/db.yaml", "--cluster", "snapshot.json"]);
        assert!(code == 1 && out.starts_with("3 of 15 decided records differ"), "{flag}: {out}{err}");
        let (code, out, err) = rendered(&folder, &["suggest", "flows.jsonl", flag, "cluster.yaml"]);
        assert!(code == 0 && out == folder.run(&["suggest", "flows.jsonl", "-f", "cluster.yaml"]).ended(0), "{err}");
        let (code, out, err) = rendered(&folder, &["cost", flag, "new/db.yaml", "--cluster", "snapshot.json"]);
        assert!(code == 0 && out.contains("pod shop/db"), "{flag}: {out}{err}");
    }
    let cluster = ["replay", "flows.jsonl", "-f", "new", "--against", "old", "--cluster", "snapshot.json"];
    assert!(folder.run(&cluster).ended(1).starts_with(headline));
    let facts = folder.run(&["suggest", "flows.jsonl", "--cluster", "snapshot.json"]).ended(0);
    assert_eq!(facts, folder.run(&["suggest", "flows.jsonl", "-f", "cluster.yaml"]).ended(0));
}

#[test]
fn objects_that_name_no_namespace_are_in_that_of_the_flag() {
    let folder = example();
    for set in ["old", "new"] {
        let text = std::fs::read_to_string(folder.join(&format!("{set}/db.yaml"))).unwrap();
        folder.write(
            &format!("{set}/db.yaml"),
            &text.replace("  namespace: shop\n", "").replace(", namespace: shop", ""),
        );
    }
    let found = compare(&folder, &["-n", "shop"]).ended(1);
    assert!(found.contains("NetworkPolicy shop/db spec.ingress[0].from[0]"), "{found}");
    let cost = folder.run(&["cost", "new", "cluster.yaml", "-n", "shop"]).ended(0);
    assert!(cost.contains("pod shop/db"), "{cost}");
    folder.run(&["suggest", "flows.jsonl", "-f", "cluster.yaml", "-n", "shop"]).ended(0);
}

#[test]
fn a_record_of_an_address_that_may_be_a_pods_is_not_guessed() {
    let folder = Folder::of(&[("cluster.yaml", crate::support::CLUSTER), ("policy.yaml", crate::support::POLICY)]);
    folder.write("flows.jsonl", concat!(
        r#"{"flow":{"verdict":"DROPPED","drop_reason_desc":"POLICY_DENIED","IP":{"source":"10.1.0.77","destination":"10.1.0.9"},"#,
        r#""l4":{"TCP":{"destination_port":5432}},"traffic_direction":"INGRESS","is_reply":false}}"#, "\n"));
    let found = folder.run(&["replay", "flows.jsonl", "-f", "policy.yaml", "-f", "cluster.yaml"]).ended(0);
    assert!(found.contains("address-owner") && found.contains("10.1.0.77"), "{found}");
}
