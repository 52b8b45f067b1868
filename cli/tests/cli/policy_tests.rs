//! `test`: what it says of cases that hold, that do not, and that cannot be read.

use crate::support::Folder;

const HEAD: &str = "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\nmetadata: {name: db}\nnamespace: shop\npolicies: [../cluster.yaml, ../policy.yaml]\nfacts: all\n";

/// The small shop with a test of it.
fn folder(cases: &str) -> Folder {
    let folder = Folder::shop();
    folder.write("tests/db.yaml", &format!("{HEAD}cases:\n{cases}"));
    folder
}

const GOOD: &str = "\
- {name: the web pod asks, from: web, to: db, port: 5432, expect: allow, by: 'NetworkPolicy shop/db spec.ingress[0]'}
- {name: nothing else, from: web, to: db, ports: [80, 5432/UDP], expect: deny, by: no rule}
- {name: and back, from: db, to: web, port: 80, expect: allow, by: no rule, dialects: [standard, cilium]}
";

const BAD: &str = "\
- {name: the web pod asks, from: web, to: db, port: 5432, expect: allow}
- {name: 'nobody, ever: <asks>', from: web, to: db, ports: [5432, 80], expect: deny}
- {name: by another, from: web, to: db, port: 5432, expect: allow, by: 'shop/db ingress[1]'}
";

#[test]
fn cases_that_hold_end_in_0() {
    let folder = folder(GOOD);
    insta::assert_snapshot!("test-good", folder.run(&["test", "tests"]).ended(0));
    // The manifests of a folder may hold its tests.
    assert!(folder.run(&["check"]).ended(0).contains("1 policy"));
}

#[test]
fn a_configuration_says_how_the_manifests_of_tests_are_read() {
    let folder = folder(GOOD);
    folder.write("tests/old/broken.yaml", "a: [1\n");
    folder
        .write("tests/more.yaml", &format!("{}cases:\n{GOOD}", HEAD.replace("../policy.yaml", "../policy.yaml, old")));
    let ran = folder.run(&["test", "tests/more.yaml"]);
    assert!(ran.code == 2 && ran.err.contains("tests/old/broken.yaml"), "{ran:?}");
    assert!(ran.err.contains("tests/more.yaml: of its manifests some cannot be read"), "{ran:?}");
    folder.write("tests/old/good.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
    folder.write("tidegate.toml", "exclude = ['broken.yaml']\ndialect = 'cilium-1.19'\n");
    let told = folder.run(&["test", "tests/more.yaml"]).ended(0);
    assert!(told.contains("cilium-1.19"), "{told}");
    folder.run(&["test", "tests/more.yaml", "--isolated"]).ended(2);
}

#[test]
fn cases_that_do_not_hold_end_in_1_and_say_what_decides() {
    insta::assert_snapshot!("test-bad", folder(BAD).run(&["test", "tests/db.yaml"]).ended(1));
}

#[test]
fn junit_and_annotations_name_the_lines() {
    let folder = folder(BAD);
    let ran = folder.run(&["test", "tests", "-o", "junit=report.xml", "-o", "github"]).ended(1);
    let lines: Vec<&str> = ran.lines().collect();
    assert_eq!(lines.len(), 2, "{ran}");
    assert!(
        lines[0].starts_with("::error file=tests/db.yaml,line=9,col=3,title=nobody%2C ever%3A <asks>::expected deny, found allow: shop/web -> shop/db  tcp/5432%0A"),
        "{ran}"
    );
    let xml = std::fs::read_to_string(folder.join("report.xml")).unwrap();
    for part in [
        "failures=\"2\"",
        "<testcase name=\"nobody, ever: &lt;asks&gt;\"",
        "tests/db.yaml:9:3",
        "message=\"allow as expected, but not by `shop/db ingress[1]`",
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
}

#[test]
fn coverage_and_mutants_are_listed_and_may_be_wanted() {
    let few = "- {from: web, to: db, port: 80, expect: deny}\n";
    let folder = folder(few);
    insta::assert_snapshot!("test-mutate", folder.run(&["test", "tests", "--coverage", "--mutate"]).ended(0));
    assert!(
        folder.run(&["test", "tests", "--coverage-min", "51"]).ended(1).contains("less than the 51 % that are wanted")
    );
    folder.run(&["test", "tests", "--coverage-min", "50"]).ended(0);
    folder.run(&["test", "tests", "--mutate-min", "100"]).ended(1);
}

#[test]
fn what_cannot_be_read_is_said_with_its_place_and_ends_in_2() {
    let folder = folder(
        "- {from: wbe, to: db, prot: 80, expect: deny}\n- {from: web, to: db, port: 5432, expect: allow, dialects: [x]}\n",
    );
    let ran = folder.run(&["test", "tests"]);
    for said in [
        "error: tests/db.yaml:8:23: a case has no field `prot`; did you mean `port`?",
        "error: tests/db.yaml:9:61: `x` is no dialect",
        "error: tests/db.yaml:8:10: `wbe` is no pod",
    ] {
        assert!(ran.err.contains(said), "{said}\n{}", ran.err);
    }
    assert_eq!(ran.code, 2);
    let ran = folder.run(&["test", "tests", "absent.yaml"]);
    let last = ran.out.lines().last().unwrap_or_default();
    assert!(last.starts_with("not everything was asked, because of ") && !ran.out.contains("ok: "), "{ran:?}");
    assert!(
        folder.run(&["test", "tests", "-o", "junit"]).ended(2).contains("type=\"error\" message=\"tests/db.yaml:8:10")
    );
    assert!(folder.run(&["test", "tests", "-o", "github"]).ended(2).contains("::error::tests/db.yaml:8:10"));
    assert!(folder.run(&["test", "policy.yaml"]).failed(2).contains("no document of kind PolicyTest in `policy.yaml`"));
    assert!(folder.run(&["test", "absent.yaml"]).failed(2).contains("cannot read `absent.yaml`"));
}

#[test]
fn cases_are_listed_with_their_places_and_not_run() {
    let folder = folder(BAD);
    let listed = folder.run(&["test", "tests", "--list"]).ended(0);
    assert_eq!(
        listed.lines().collect::<Vec<_>>(),
        [
            "tests/db.yaml:8:3: db: the web pod asks",
            "tests/db.yaml:9:3: db: nobody, ever: <asks>",
            "tests/db.yaml:10:3: db: by another",
        ]
    );
    assert_eq!(folder.run(&["test", "tests", "--list", "--filter", "another"]).ended(0).lines().count(), 1);
    assert!(folder.run(&["test", "tests", "--list", "--filter", "xyz"]).failed(2).contains("none was run"));
    folder.write("tests/bad.yaml", "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\ncases: 1\n");
    let ran = folder.run(&["test", "tests", "--list"]);
    assert!(ran.code == 2 && ran.out.lines().count() == 3 && ran.err.contains("tests/bad.yaml:3:"), "{ran:?}");
}

#[test]
fn a_filter_that_fits_no_case_says_so() {
    let folder = folder(GOOD);
    assert!(folder.run(&["test", "tests", "--filter", "nothing"]).ended(0).contains("1 passed, 0 failed, 2 flows"));
    let said = folder.run(&["test", "tests", "--filter", "xyz"]).failed(2);
    assert!(said.contains("no name of the 4 cases holds `xyz`"), "{said}");
}

#[test]
fn pods_and_objects_of_a_test_exist_for_it_alone() {
    let folder = Folder::shop();
    let more = "\
pods:
- {name: batch, labels: {app: batch}, node: north, ips: [10.1.0.77]}
objects:
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: closed, namespace: shop}
  spec: {podSelector: {matchLabels: {app: batch}}, policyTypes: [Ingress]}
cases:
- {from: web, to: batch, port: 80, expect: allow}
";
    folder.write("tests/db.yaml", &format!("{HEAD}{more}"));
    let said = folder.run(&["test", "tests"]).ended(1);
    assert!(said.contains("NetworkPolicy shop/closed spec.policyTypes   tests/db.yaml:13:52"), "{said}");
    let unknown = folder.run(&["trace", "shop/web", "shop/batch", "80", "-f", "."]).failed(2);
    assert!(unknown.contains("is not in the files read") || unknown.contains("is no pod"), "{unknown}");
}

#[test]
fn the_schema_has_the_fields_that_are_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas/PolicyTest.json");
    let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let of = |name: &str| match name {
        "a PolicyTest" => schema["properties"].clone(),
        name => schema["$defs"][name]["properties"].clone(),
    };
    let names = ["a PolicyTest", "TestCase", "RequestParts", "TestPod", "TestPort"];
    for (name, (what, fields)) in names.into_iter().zip(claims::FIELDS) {
        let mut read: Vec<&str> = fields.to_vec();
        read.sort_unstable();
        let properties = of(name);
        let mut published: Vec<&str> = properties.as_object().unwrap().keys().map(String::as_str).collect();
        published.sort_unstable();
        assert_eq!(read, published, "{what}");
    }
}

#[test]
fn the_shop_keeps_its_promises() {
    let folder = Folder::of(&[]);
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop/tests");
    let said = folder.run(&["test", shop, "--coverage-min", "100", "--mutate-min", "90"]).ended(0);
    assert!(said.contains("19 passed, 0 failed") && said.contains("100 %"), "{said}");
}

#[test]
fn a_watched_test_is_run_again_when_its_policies_change() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = folder(GOOD);
    let mut child = folder
        .command(&["test", "tests", "--watch", "-o", "json"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(said.next().as_deref(), Some("watching; Ctrl-C ends"));
    folder.write("policy.yaml", &crate::support::POLICY.replace("port: pg", "prot: pg"));
    let again: Vec<String> = said.by_ref().take_while(|line| line != "watching; Ctrl-C ends").collect();
    assert!(again.iter().any(|line| line.contains("prot")), "{again:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}
