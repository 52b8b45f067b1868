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
