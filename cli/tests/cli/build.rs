//! `build`: the same bytes everywhere, or nothing.

use crate::support::{CLUSTER, Folder, POLICY, refused};
use image::Image;
use std::fs;

const OUT: &[&str] = &["build", "--out-dir", "out"];

#[test]
fn an_image_is_named_by_its_digest_and_reads_back() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--out-dir", "out"]).ended(0);
    let files = folder.tree("out/images");
    assert_eq!(files.len(), 4, "one image isolates, one does not; each has a certificate");
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".tgi")) {
        let image = Image::from_bytes(bytes).unwrap();
        assert_eq!(*name, format!("{}.tgi", image.digest()));
        assert!(files.contains_key(&format!("{}.certificate.json", image.digest())));
    }
}

#[test]
fn classes_that_decide_alike_share_one_image() {
    let more = CLUSTER.replace(
        "name: web, namespace: shop, labels: {app: web}",
        "name: other, namespace: shop, labels: {app: other}",
    );
    let folder = Folder::of(&[
        ("cluster.yaml", CLUSTER),
        ("more.yaml", &more.replace("10.1.0.4", "10.1.0.5")),
        ("policy.yaml", POLICY),
    ]);
    let out = folder.run(&["build"]).ended(0);
    assert!(out.contains("2 images for 3 endpoints in 3 classes"), "{out}");
}

#[test]
fn the_same_bytes_come_from_files_in_any_order_and_from_every_run() {
    let folder = Folder::shop();
    folder.run(&[OUT, &["cluster.yaml", "policy.yaml"]].concat()).ended(0);
    let first = folder.tree("out");
    folder.run(&[OUT, &["policy.yaml", "./cluster.yaml", "policy.yaml"]].concat()).ended(0);
    assert!(first == folder.tree("out"), "paths in another order");
    folder.run(&[OUT, &["."]].concat()).ended(0);
    assert!(first == folder.tree("out"), "an output folder among the inputs is no input");

    // The documents in other files and in another order; where they stand is all that may differ.
    let documents: Vec<&str> = CLUSTER.split("---\n").chain([POLICY]).collect();
    let shuffled = Folder::of(&[]);
    for (at, document) in documents.iter().rev().enumerate() {
        shuffled.write(&format!("{at}.yaml"), document);
    }
    shuffled.run(&[OUT, &["."]].concat()).ended(0);
    let (mut one, mut other) = (first, shuffled.tree("out"));
    assert!(one.remove("sources.json") != other.remove("sources.json"));
    let [index, moved] =
        [one.remove("index.json"), other.remove("index.json")].map(|it| String::from_utf8(it.unwrap()).unwrap());
    let differ = index.lines().zip(moved.lines()).filter(|(one, other)| one != other).count();
    assert_eq!(differ, 2, "the digest of sources.json, and that of the index itself");
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    assert!(one == other, "documents in another order");
}

#[test]
fn a_refused_policy_leaves_the_old_output_and_nothing_beside_it() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--out-dir", "out"]).ended(0);
    let before = folder.tree("out");
    for broken in [
        refused().as_str(),
        "kind: [",
        "a: &a [*a]\n",
        "a:\n\t- x",
        "\u{0}",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n",
    ] {
        folder.write("policy.yaml", broken);
        let error = folder.run(&["build", ".", "--out-dir", "out"]).failed(2);
        assert!(error.contains("nothing is built") && error.contains("policy.yaml"), "{error}");
        assert!(before == folder.tree("out"));
    }
    let error = folder.run(&["build", "cluster.yaml", "absent.yaml", "--out-dir", "new/out"]).failed(2);
    assert!(error.contains("absent.yaml"), "{error}");
    assert!(!folder.join("new").exists());
    let names = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with('.')).count(), 0, "no temporary name stays");
}

#[test]
fn a_folder_of_somebody_else_is_not_replaced() {
    let folder = Folder::shop();
    folder.write("theirs/notes.txt", "mine");
    let error = folder.run(&["build", "policy.yaml", "--out-dir", "theirs"]).failed(2);
    assert!(error.contains("`--out-dir`") && error.contains("index"), "{error}");
    folder.run(&["build", ".", "--out-dir", "policy.yaml"]).failed(2);
    assert_eq!(folder.tree("theirs")["notes.txt"], b"mine");
}

#[test]
fn a_decision_that_no_table_holds_names_its_pod_and_the_rules_that_weigh_most() {
    let rule = |n: u32| {
        format!(
            "    - from: [{{ipBlock: {{cidr: 203.{}.{}.7/32}}}}]\n      ports: [{{port: {}}}]\n",
            n / 250,
            n % 250,
            n * 3 + 1
        )
    };
    let rules: String = (0..2_100).map(rule).collect();
    let head = POLICY.split("    - from").next().unwrap();
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &format!("{head}{rules}"))]);
    let error = folder.run(&["build", ".", "--out-dir", "out"]).failed(2);
    for word in ["pod shop/db", "NetworkPolicy shop/db spec.ingress[", "nothing is written"] {
        assert!(error.contains(word), "{word} in {error}");
    }
    assert!(!folder.join("out").exists());
}

#[test]
fn forms_of_one_pod_are_shown() {
    let folder = Folder::shop();
    for form in ["rules", "diagram", "tree", "dot"] {
        let shown = folder.run(&["build", ".", "--emit", form, "--subject", "shop/db"]).ended(0);
        insta::assert_snapshot!(format!("emit-{form}"), shown);
    }
    let error = folder.run(&["build", ".", "--emit", "tree", "--subject", "shop/nobody"]).failed(2);
    assert!(error.contains("shop/nobody"), "{error}");
    let error = folder.run(&["build", ".", "--emit", "tree", "--subject", "shop/bd"]).failed(2);
    assert!(error.contains("did you mean `shop/db`?"), "{error}");
}

#[test]
fn rules_that_are_shown_are_rules_that_are_read() {
    let shown = Folder::shop().run(&["build", ".", "--emit", "rules", "--subject", "shop/db"]).ended(0);
    for part in shown.split("# ingress").flat_map(|it| it.split("# egress")).skip(1) {
        let text = part.split_once('\n').unwrap().1;
        assert!(rules::RuleSet::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn instructions_are_shown_with_what_they_read_and_call() {
    let asked = ["build", ".", "--emit", "asm", "--subject", "shop/db", "--shapes", "tables"];
    let shown = Folder::shop().run(&asked).ended(0);
    assert_eq!(shown.matches("; program ").count(), 2);
    for comment in ["; tg_class_in: peer -> class", "column, class -> leaf", "; jiffies64(), inlined", "exit"] {
        assert!(shown.contains(comment), "{comment}");
    }
    let locked = [&asked[..], &["--target-kernel", "5.10"]].concat();
    let locked = Folder::shop().run(&locked).ended(0);
    assert!(locked.contains("; spin_lock(lock)") && !locked.contains("; ?"), "{locked}");
    // Both ways of decisions, and the rules behind them with their lines.
    assert_eq!(shown.matches("; the decision about flows of ").count(), 2, "{shown}");
    let allowed = shown.lines().find(|it| it.starts_with("; cell") && it.contains("spec.ingress[0]"));
    assert!(allowed.is_some_and(|it| it.contains("allow") && it.contains(".yaml:")), "{allowed:?}");
}

#[test]
fn what_is_explained_is_what_was_forecast() {
    let shown = Folder::shop().run(&["build", ".", "--explain"]).ended(0);
    assert_eq!(shown.matches("as forecast").count(), 4, "{shown}");
    assert!(!shown.contains("not as forecast"), "{shown}");
    assert!(
        shown.contains("3 classes x 2 columns = 6 cells; class by array, column by sum, leaf by word")
            && shown.contains("every flow: allow, nothing is asked")
            && shown.contains("key -> column sum ")
            && shown.contains("or else       pages, matrix "),
        "{shown}"
    );
    for shapes in ["tables", "sum", "tree"] {
        let shown = Folder::shop().run(&["build", ".", "--explain", "--shapes", shapes]).ended(0);
        assert_eq!(shown.matches(" as forecast").count(), 4, "{shown}");
        let column = if shapes == "tables" { "pages" } else { shapes };
        assert!(shown.contains(&format!("column by {column}")), "{shown}");
    }
    let one = Folder::shop().run(&["build", ".", "--explain", "--subject", "shop/web"]).ended(0);
    assert!(one.contains("pod shop/web") && !one.contains("pod shop/db"), "{one}");
}
