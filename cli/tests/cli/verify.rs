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
    assert!(json["images"][0].get("states").is_none());
    // The image of the database, with another rule in its notes than its tables have: the digest does not cover notes.
    let images = folder.tree("out/images");
    let (name, bytes) = images.iter().max_by_key(|(_, bytes)| bytes.len()).unwrap();
    let mut image = image::Image::from_bytes(bytes).unwrap();
    image.notes.rules[0] = image.notes.rules[0].replace("5432", "5433");
    std::fs::write(folder.join("changed.tgi"), image.to_bytes()).unwrap();
    let text = folder.run(&["verify", "changed.tgi"]).ended(1);
    assert!(text.contains("tcp/5433 gets denied, and the rules say allow"), "{name}: {text}");
    assert!(
        text.contains("error[TG0070]: `changed.tgi` is not proved") && text.ends_with("0 proved, 1 refused\n"),
        "{text}"
    );
}

#[test]
fn programs_are_proved_from_their_first_instruction_on_where_that_is_asked() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    let json = folder.run(&["verify", "out", "--whole", "-o", "json"]).ended(0);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let images = json["images"].as_array().unwrap();
    assert!(!images.is_empty() && images.iter().all(|image| image["states"].as_u64().unwrap() > 1000), "{json}");
    let told = folder.run(&["verify", "out", "--whole"]).ended(0);
    assert!(
        told.contains("states of whole programs") && told.contains("fragments of both families followed"),
        "{told}"
    );
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let folder = Folder::of(&[("a.tgi", "text")]);
    let text = folder.run(&["verify", "a.tgi"]).ended(2);
    assert!(text.contains("not a tidegate image"), "{text}");
    assert!(folder.run(&["verify", "absent"]).failed(2).contains("cannot read `absent`"));
}

/// The images of a build, by path.
fn images(folder: &Folder) -> Vec<String> {
    let names = folder.tree("out/images").into_keys().filter(|name| name.ends_with(".tgi"));
    names.map(|name| format!("out/images/{name}")).collect()
}

/// What `verify` says of a folder that somebody touched.
fn after(touch: impl FnOnce(&Folder, Vec<String>)) -> String {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    touch(&folder, images(&folder));
    folder.run(&["verify", "out"]).ended(1)
}

#[test]
fn a_folder_is_compared_with_its_index() {
    let missing = after(|folder, images| std::fs::remove_file(folder.join(&images[0])).unwrap());
    assert!(missing.ends_with("1 proved, 1 missing\n") && missing.contains("error[TG0075]: "), "{missing}");
    assert!(
        missing.contains("tgi` is missing: the index lists it") && missing.contains("DAMAGED  out  1 file is"),
        "{missing}"
    );
    let extra = after(|folder, images| drop(std::fs::copy(folder.join(&images[0]), folder.join("out/images/a.tgi"))));
    assert!(extra.contains("`out/images/a.tgi` is not listed in the index"), "{extra}");
    let swapped = after(|folder, images| {
        std::fs::rename(folder.join(&images[0]), folder.join("aside")).unwrap();
        std::fs::rename(folder.join(&images[1]), folder.join(&images[0])).unwrap();
        std::fs::rename(folder.join("aside"), folder.join(&images[1])).unwrap();
    });
    assert_eq!(swapped.matches("its name is the digest of another image").count(), 2, "{swapped}");
    assert_eq!(swapped.matches("holds what the index lists as `images/").count(), 2, "{swapped}");
    for file in ["peers.json", "nodes/north.json", "sources.json", "index.json"] {
        let edited = after(|folder, _| {
            let path = format!("out/{file}");
            let text = std::fs::read_to_string(folder.join(&path)).unwrap();
            folder.write(&path, &text.replacen("shop", "shed", 1));
        });
        assert!(edited.contains(&format!("`out/{file}` was changed since the build")), "{edited}");
        assert_eq!(edited.matches("proved   ").count(), 2, "images are proved all the same: {edited}");
    }
    let nothing = after(|folder, _| std::fs::remove_file(folder.join("out/index.json")).unwrap());
    assert!(nothing.contains("`out/index.json` is missing"), "{nothing}");
    let broken = after(|folder, _| folder.write("out/index.json", "{}"));
    assert!(broken.contains("`out/index.json` is no index of a build"), "{broken}");
    let away = after(|folder, _| {
        let text = std::fs::read_to_string(folder.join("out/index.json")).unwrap();
        folder.write("out/index.json", &text.replace("\"peers.json\"", "\"../policy.yaml\""));
    });
    assert!(away.contains("is no path inside the folder") && away.contains("`out/peers.json` is not listed"), "{away}");
}

#[test]
fn a_whole_folder_is_said_to_be_whole() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    assert!(folder.run(&["verify", "out"]).ended(0).contains("whole    out  7 files as its index says"));
    let json: serde_json::Value = serde_json::from_str(&folder.run(&["verify", "out", "-o", "json"]).ended(0)).unwrap();
    assert_eq!((&json["folders"][0]["whole"], &json["folders"][0]["faults"]), (&7.into(), &serde_json::json!([])));
    // What carries folders about drops hidden files.
    std::fs::remove_file(folder.join("out/.ignore")).unwrap();
    folder.run(&["verify", "out"]).ended(0);
}

/// The certificate of an image, read and ready to be changed.
fn certificate(folder: &Folder, image: &str) -> (String, serde_json::Value) {
    let path = image.replace(".tgi", ".certificate.json");
    let text = std::fs::read_to_string(folder.join(&path)).unwrap();
    (path, serde_json::from_str(&text).unwrap())
}

#[test]
fn an_image_has_a_certificate_of_both_directions_and_families_that_names_its_cuts() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    let (isolated, open): (Vec<_>, Vec<_>) = images(&folder)
        .iter()
        .map(|image| certificate(&folder, image).1)
        .partition(|it| it["ingress"].get("constant").is_none());
    let [isolated] = &isolated[..] else { panic!("one image isolates: {isolated:?}") };
    assert_eq!(
        (&isolated["checker"], &isolated["kind"]),
        (&verify::certificate::CHECKER.into(), &"Certificate".into())
    );
    let families: Vec<_> =
        isolated["ingress"]["decisions"].as_array().unwrap().iter().map(|it| it["family"].clone()).collect();
    assert_eq!(families, ["IPv4", "IPv6"]);
    assert_eq!((&isolated["egress"]["constant"], &isolated["ingress"]["classes"]), (&"allow".into(), &3.into()));
    assert_eq!(open[0]["ingress"]["constant"], "allow");
    let cuts: Vec<_> =
        isolated["cuts"].as_array().unwrap().iter().map(|it| (it["to"].clone(), it["by"].clone())).collect();
    let named = [("tuple", "template"), ("peer", "node"), ("leaf", "proof")].map(|(to, by)| (to.into(), by.into()));
    assert_eq!(cuts, named);
    let image =
        image::Image::from_bytes(&folder.tree("out")[&format!("images/{}.tgi", isolated["image"].as_str().unwrap())]);
    let meaning = verify::certify(&image.unwrap()).unwrap().meaning;
    assert_eq!(isolated["ingress"]["meaning"], meaning[0].to_string());
}

#[test]
fn a_certificate_that_is_of_something_else_or_is_gone_is_told_with_a_way_out() {
    let gone = after(|folder, images| std::fs::remove_file(folder.join(&certificate(folder, &images[0]).0)).unwrap());
    assert!(gone.contains("error[TG0071]") && gone.contains("help: copy the certificate"), "{gone}");
    assert!(gone.ends_with("2 proved, 1 without their certificate\n"), "{gone}");
    for damage in ["{", "[]", "", "{\"apiVersion\": \"tidegate.io/v1alpha1\", \"kind\": \"Certificate\"}"] {
        let damaged = after(|folder, images| folder.write(&certificate(folder, &images[0]).0, damage));
        assert!(damaged.contains("error[TG0072]") && damaged.contains("help: "), "{damage}: {damaged}");
    }
    for (part, named) in [
        ("/image", "image"),
        ("/ingress/meaning", "meaning of ingress"),
        ("/egress/template", "template of egress"),
        ("/ingress/classes", "proof of ingress"),
        ("/cuts/2/by", "list of cuts"),
    ] {
        let other = after(|folder, images| {
            let (path, mut value) = certificate(folder, &images[0]);
            let part = value.pointer_mut(part).unwrap();
            *part = if part.is_number() { 99.into() } else { "00".into() };
            folder.write(&path, &value.to_string());
        });
        assert!(other.contains("error[TG0073]") && other.contains(&format!("its {named} differs")), "{part}: {other}");
    }
    let swapped = after(|folder, images| {
        let [one, two] = [&images[0], &images[1]].map(|image| certificate(folder, image));
        folder.write(&one.0, &two.1.to_string());
        folder.write(&two.0, &one.1.to_string());
    });
    assert_eq!(swapped.matches("error[TG0073]").count(), 2, "{swapped}");
}

#[test]
fn a_certificate_by_another_checker_is_proved_again_and_said() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    // Alone, without an index whose digests would speak, too.
    let image = images(&folder).remove(0);
    let (path, mut value) = certificate(&folder, &image);
    for (checker, age) in
        [(verify::certificate::CHECKER + 1, "a newer"), (verify::certificate::CHECKER - 1, "an older")]
    {
        value["checker"] = checker.into();
        // What another version proves may have another form.
        value["ingress"] = "proved".into();
        folder.write(&path, &value.to_string());
        let said = folder.run(&["verify", &image]).ended(0);
        assert!(said.contains("hint[TG0074]") && said.contains(&format!("is by {age} checker")), "{said}");
        assert!(said.contains("every image does what its rules say: 1 proved"), "{said}");
    }
    value["image"] = "00".into();
    folder.write(&path, &value.to_string());
    assert!(folder.run(&["verify", &image]).ended(1).contains("its image differs"));
}

#[test]
fn an_image_under_a_name_of_ones_own_is_not_asked_for_a_certificate() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    std::fs::copy(folder.join(&images(&folder)[0]), folder.join("mine.tgi")).unwrap();
    assert!(!folder.run(&["verify", "mine.tgi"]).ended(0).contains("certificate"));
    folder.write("mine.certificate.json", "{}");
    assert!(folder.run(&["verify", "mine.tgi"]).ended(1).contains("`mine.certificate.json` is no certificate"));
}

#[test]
fn elf_objects_are_those_of_their_images() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out", "--elf"]).ended(0);
    let objects: Vec<String> = folder.tree("out/elf").into_keys().collect();
    let digests: Vec<String> = images(&folder).iter().map(|it| it[11..].replace(".tgi", ".o")).collect();
    assert_eq!(objects, digests);
    let first = folder.tree("out");
    folder.run(&["build", "policy.yaml", "cluster.yaml", "--facts", "all", "--out-dir", "out", "--elf"]).ended(0);
    assert!(first == folder.tree("out"), "objects are the same bytes from every run");
    assert!(folder.run(&["verify", "out"]).ended(0).contains("whole    out  9 files"));
    // Another object under a name that the index has, its digest in the index.
    let path = format!("out/elf/{}", objects[0]);
    let mut bytes = first[&format!("elf/{}", objects[0])].clone();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(folder.join(&path), bytes).unwrap();
    let said = folder.run(&["verify", "out"]).ended(1);
    assert!(said.contains(&format!("error[TG0076]: `{path}` is not the ELF object")), "{said}");
    assert!(said.contains("error[TG0075]") && said.ends_with("2 proved, 1 with another ELF object\n"), "{said}");
    // A build without leaves none.
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    assert!(!folder.join("out/elf").exists());
    assert!(folder.run(&["build", ".", "--elf"]).failed(2).contains("--out-dir"));
}

#[test]
fn kernels_are_asked_and_what_one_refuses_is_named() {
    let folder = Folder::shop();
    folder.run(&["build", ".", "--facts", "all", "--out-dir", "out"]).ended(0);
    let text = folder.run(&["verify", "out", "--kernel", "6.18"]).ended(0);
    assert!(text.contains("kernel 6.18 takes it: tg_to_endpoint ") && text.contains(", headroom "), "{text}");
    let text = folder.run(&["verify", "out", "--kernel", "5.10,6.6"]).ended(1);
    assert!(text.contains("kernel 5.10 REFUSES tg_to_endpoint, instruction "), "{text}");
    assert!(
        text.contains("kernel 6.6 takes it: about tg_to_endpoint ") && text.ends_with("refused by a kernel\n"),
        "{text}"
    );
    let json = folder.run(&["verify", "out", "--kernel", "all", "-o", "json"]).ended(1);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["untaken"].as_u64(), json["proved"].as_u64());
    let kernels = json["images"][0]["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 29);
    let last = &kernels[28];
    let dearest = last["programs"].as_array().unwrap().iter().map(|it| it["processed"].as_u64().unwrap()).max();
    assert_eq!(last["headroom"].as_u64(), dearest.map(|dearest| 1_000_000 / dearest));
    let unknown = folder.run(&["verify", "out", "--kernel", "5.4"]).failed(2);
    assert!(unknown.contains("kernel 5.4 is not known here; known are 5.10 to 6.18"), "{unknown}");
}
