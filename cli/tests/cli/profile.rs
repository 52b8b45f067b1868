//! `build --profile`: decisions are laid out by what was counted, and mean the same.

use crate::support::{Folder, POLICY};
use serde_json::{Value, json};

/// Builds the shop; the index and the certificate of the image that decides something.
fn built(folder: &Folder, arguments: &[&str]) -> (Value, Value) {
    folder.run(&[&["build", ".", "--out-dir", "out"], arguments].concat()).ended(0);
    let tree = folder.tree("out");
    let read = |path: &str| serde_json::from_slice::<Value>(&tree[path]).unwrap();
    let index = read("index.json");
    let images = index["images"].as_array().unwrap();
    let image = images.iter().find(|it| it["ingress"]["shape"] == "cells").unwrap().clone();
    let certificate = read(&format!("images/{}.certificate.json", image["digest"].as_str().unwrap()));
    (image, certificate)
}

/// A profile of one decision.
fn profile(meaning: &Value, hits: &[u64]) -> String {
    json!({
        "apiVersion": "tidegate.io/v1alpha1",
        "kind": "Profile",
        "decisions": [{"direction": "ingress", "meaning": meaning, "who": ["pod shop/db"], "hits": hits}],
    })
    .to_string()
}

#[test]
fn a_hot_leaf_is_asked_for_first_and_the_meaning_stays() {
    let folder = Folder::shop();
    let (before, proof) = built(&folder, &[]);
    assert_eq!((&before["ingress"]["columnShape"], &before["ingress"]["classes"]), (&"sum".into(), &3.into()));
    folder.write("hits.profile", &profile(&proof["ingress"]["meaning"], &[3, 0, 0, 0, 900_000, 0]));
    let (after, again) = built(&folder, &["--profile", "hits.profile"]);
    assert_eq!(after["ingress"]["columnShape"], "tree");
    assert_ne!(after["digest"], before["digest"]);
    assert_eq!(again["ingress"]["meaning"], proof["ingress"]["meaning"]);
    folder.run(&["verify", "out"]).ended(0);
    let explained = folder.run(&["build", ".", "--explain", "--profile", "hits.profile"]).ended(0);
    assert!(explained.contains("column by tree") && explained.matches(" as forecast").count() == 4, "{explained}");
}

#[test]
fn hits_of_another_decision_are_told_and_change_nothing() {
    let folder = Folder::shop();
    let (before, proof) = built(&folder, &[]);
    let ours = &proof["ingress"]["meaning"];
    let changed = POLICY.replace("port: pg", "port: 80");
    for (policy, meaning, hits, said) in [
        (POLICY, &json!("00"), &[1; 6][..], "no endpoint of these files decides so"),
        (POLICY, ours, &[1; 5][..], "there are 5 for the 6 cells of that decision"),
        (&changed, ours, &[1; 6][..], "no endpoint of these files decides so"),
    ] {
        folder.write("policy.yaml", policy);
        folder.write("hits.profile", &profile(meaning, hits));
        let ran = folder.run(&["build", ".", "--out-dir", "out", "--profile", "hits.profile"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        // The text is broken where lines end.
        let words = ran.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("TG0078") && words.contains(said), "{}", ran.err);
        let (after, _) = built(&folder, &[]);
        assert_eq!(after["digest"] == before["digest"], policy == POLICY);
    }
}

#[test]
fn a_profile_that_is_none_ends_the_build() {
    let folder = Folder::shop();
    for text in ["", "{}", "{\"apiVersion\": \"v1\", \"kind\": \"Profile\", \"decisions\": []}"] {
        folder.write("hits.profile", text);
        let ran = folder.run(&["build", ".", "--out-dir", "out", "--profile", "hits.profile"]);
        assert!(ran.code == 2 && ran.err.contains("TG0077"), "{}", ran.err);
        assert!(!folder.join("out").exists());
    }
    let ran = folder.run(&["build", ".", "--profile", "nowhere.profile"]);
    assert!(ran.code == 2 && ran.err.contains("TG0077"), "{}", ran.err);
}
