//! Images are proved from their bytes, and a changed one is not.

use crate::support::Folder;

#[test]
fn what_build_wrote_is_proved_and_a_changed_image_is_not() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    let text = folder.run(&["verify", "out"]).ended(0);
    assert!(text.ends_with("proved\n") && text.contains("every image does what its rules say"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&folder.run(&["verify", "out", "-o", "json"]).ended(0)).unwrap();
    assert_eq!(json["refused"], 0);
    assert_eq!(json["images"][0]["meaning"].as_array().unwrap().len(), 2);
    // The image of the database, with another rule in its notes than its tables have: the digest does not cover notes.
    let images = folder.tree("out/images");
    let (name, bytes) = images.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let mut image = image::Image::from_bytes(bytes).unwrap();
    image.notes.rules[0] = image.notes.rules[0].replace("5432", "5433");
    std::fs::write(folder.join("changed.tgi"), image.to_bytes()).unwrap();
    let text = folder.run(&["verify", "changed.tgi"]).ended(1);
    assert!(text.contains("tcp/5433 gets denied, and the rules say allow"), "{name}: {text}");
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let folder = Folder::of(&[("a.tgi", "text")]);
    let text = folder.run(&["verify", "a.tgi"]).ended(2);
    assert!(text.contains("not a tidegate image"), "{text}");
    assert!(folder.run(&["verify", "absent"]).failed(2).contains("cannot read `absent`"));
}

/// What `verify` says of a folder that somebody touched.
fn after(touch: impl FnOnce(&Folder, Vec<String>)) -> String {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    let images = folder.tree("out/images").into_keys().map(|name| format!("out/images/{name}")).collect();
    touch(&folder, images);
    folder.run(&["verify", "out"]).ended(1)
}

#[test]
fn a_folder_is_compared_with_its_index() {
    let missing = after(|folder, images| std::fs::remove_file(folder.join(&images[0])).unwrap());
    assert!(
        missing.contains("tgi: is missing: the index lists it") && missing.contains("DAMAGED  out  1 file is"),
        "{missing}"
    );
    let extra = after(|folder, images| drop(std::fs::copy(folder.join(&images[0]), folder.join("out/images/a.tgi"))));
    assert!(extra.contains("out/images/a.tgi: the index does not list it"), "{extra}");
    let swapped = after(|folder, images| {
        std::fs::rename(folder.join(&images[0]), folder.join("aside")).unwrap();
        std::fs::rename(folder.join(&images[1]), folder.join(&images[0])).unwrap();
        std::fs::rename(folder.join("aside"), folder.join(&images[1])).unwrap();
    });
    assert_eq!(swapped.matches("its name is the digest of another image").count(), 2, "{swapped}");
    assert_eq!(swapped.matches("holds what the index lists as `images/").count(), 2, "{swapped}");
    for file in ["peers.json", "nodes/north.json", "index.json"] {
        let edited = after(|folder, _| {
            let path = format!("out/{file}");
            let text = std::fs::read_to_string(folder.join(&path)).unwrap();
            folder.write(&path, &text.replacen("shop", "shed", 1));
        });
        assert!(edited.contains(&format!("out/{file}: was changed since the build")), "{edited}");
        assert_eq!(edited.matches("proved   ").count(), 2, "images are proved all the same: {edited}");
    }
    let nothing = after(|folder, _| std::fs::remove_file(folder.join("out/index.json")).unwrap());
    assert!(nothing.contains("out/index.json: is missing"), "{nothing}");
    let broken = after(|folder, _| folder.write("out/index.json", "{}"));
    assert!(broken.contains("out/index.json: is no index of a build"), "{broken}");
    let away = after(|folder, _| {
        let text = std::fs::read_to_string(folder.join("out/index.json")).unwrap();
        folder.write("out/index.json", &text.replace("\"peers.json\"", "\"../policy.yaml\""));
    });
    assert!(
        away.contains("it is no path inside the folder") && away.contains("out/peers.json: the index does not"),
        "{away}"
    );
}

#[test]
fn a_whole_folder_is_said_to_be_whole() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    assert!(folder.run(&["verify", "out"]).ended(0).contains("whole    out  5 files as its index says"));
    let json: serde_json::Value = serde_json::from_str(&folder.run(&["verify", "out", "-o", "json"]).ended(0)).unwrap();
    assert_eq!((&json["folders"][0]["whole"], &json["folders"][0]["faults"]), (&5.into(), &serde_json::json!([])));
    // What carries folders about drops hidden files, and where lines stand decides nothing.
    std::fs::remove_file(folder.join("out/.ignore")).unwrap();
    folder.write("out/sources.json", "{}");
    folder.run(&["verify", "out"]).ended(0);
}
