//! What others include into their pipelines holds together: each name that is used is declared, and each that is declared is used.

use crate::deploy::script;
use std::collections::BTreeSet;
use syntax::tree::Value;
use syntax::{NodeId, Tree};

/// A YAML file below deploy, read by our own reader.
pub struct Yaml(Tree);

impl Yaml {
    pub fn of(name: &str) -> Yaml {
        let tree = syntax::parse(&read(name), &syntax::Limits::default());
        assert!(tree.problems().is_empty(), "{name}: {:?}", tree.problems());
        Yaml(tree)
    }

    fn at(&self, path: &[&str]) -> NodeId {
        let root = self.0.documents()[0].root.unwrap();
        path.iter().fold(root, |at, key| self.0.get(at, key).unwrap_or_else(|| panic!("no `{key}` of {path:?}")).value)
    }

    fn keys(&self, path: &[&str]) -> BTreeSet<String> {
        self.0.entries(self.at(path)).iter().map(|entry| self.0.key(entry.key).into_owned()).collect()
    }

    /// The texts of a list.
    pub fn texts(&self, path: &[&str]) -> Vec<String> {
        let text = |item: &NodeId| match self.0.value(*item) {
            Value::Str(text) => text.to_owned(),
            other => panic!("{other:?} is no text"),
        };
        self.0.items(self.at(path)).iter().map(text).collect()
    }

    /// The steps of the action: the keys of a part of each that has it.
    fn of_steps(&self, part: &str) -> BTreeSet<String> {
        let steps = self.0.items(self.at(&["runs", "steps"])).iter();
        let parts = steps.filter_map(|step| self.0.get(*step, part));
        parts.flat_map(|entry| self.0.entries(entry.value).iter().map(|it| self.0.key(it.key).into_owned())).collect()
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(script(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The words that stand in a text behind a beginning, such as `path` of `inputs.path`; lines that are comments count as little as they do.
fn words(text: &str, before: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let word =
        |rest: &str| rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_".contains(*it)).collect::<String>();
    lines.flat_map(|line| line.split(before).skip(1).map(word)).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn the_action_uses_the_inputs_that_it_declares_and_no_others() {
    let (action, text) = (Yaml::of("github/action.yml"), read("github/action.yml"));
    assert_eq!(words(&text, "inputs."), action.keys(&["inputs"]));
    // What a later step reads is what the script of the review writes.
    let written = words(&read("review.sh"), "printf '").into_iter().chain(words(&read("review.sh"), "\\n"));
    let written: BTreeSet<String> = written.collect();
    assert!(words(&text, "steps.review.outputs.").is_subset(&written), "{written:?}");
    // What a review writes stands outside of the checkout, where `hashFiles` finds nothing.
    assert!(text.contains("steps.review.outputs.sarif == 'true'") && !text.contains("hashFiles"));
    // The repository that the action is in has what it runs.
    for path in words(&text, "$GITHUB_ACTION_PATH/../").into_iter().filter(|it| !it.is_empty()) {
        assert!(script(&format!("{path}.sh")).exists(), "{path}");
    }
}

#[test]
fn the_script_of_the_review_is_told_what_it_asks_for_and_nothing_else() {
    let review = read("review.sh");
    let reads: BTreeSet<String> = ["${REVIEW_", "$REVIEW_"].iter().flat_map(|before| words(&review, before)).collect();
    let of_action = Yaml::of("github/action.yml").of_steps("env").into_iter();
    let told: BTreeSet<String> = of_action.filter_map(|it| it.strip_prefix("REVIEW_").map(str::to_owned)).collect();
    assert_eq!(told, reads);
    let lines = Yaml::of("gitlab/review.yml").texts(&["tidegate", "script"]);
    let exported: BTreeSet<String> =
        lines.iter().filter(|line| line.starts_with("export ")).flat_map(|line| words(line, " REVIEW_")).collect();
    // A job log of GitLab knows no annotations.
    assert_eq!(exported, &reads - &set(&["ANNOTATIONS"]));
}

#[test]
fn the_template_of_gitlab_declares_or_explains_each_variable() {
    let (template, text) = (Yaml::of("gitlab/review.yml"), read("gitlab/review.yml"));
    let declared = template.keys(&["variables"]);
    let used: BTreeSet<String> = ["$TIDEGATE_", "${TIDEGATE_"]
        .iter()
        .flat_map(|before| words(&text, before))
        .map(|it| format!("TIDEGATE_{it}"))
        .collect();
    for name in &used {
        let explained = text.lines().any(|line| line.starts_with('#') && line.contains(name.as_str()));
        assert!(declared.contains(name) || explained, "{name} comes from nowhere");
    }
    assert_eq!(&declared - &used, set(&[]), "declared and not used");
    // The version that it installs is the one that it is part of.
    assert!(text.contains(&format!("TIDEGATE_VERSION: \"{}\"", env!("CARGO_PKG_VERSION"))));
    // What it keeps of a job is what the script writes.
    let review = read("review.sh");
    let reports = words(&text, " tidegate-review/").into_iter().filter(|it| !it.is_empty());
    for report in reports {
        assert!(review.contains(&format!("$out/{report}.")), "{report}");
    }
}

#[test]
fn the_hook_checks_a_folder_in_one_run_and_every_file_that_counts_starts_it() {
    let hook = std::fs::read_to_string(script("../.pre-commit-hooks.yaml")).unwrap();
    assert!(hook.contains("args: [.]") && hook.contains("pass_filenames: false"), "{hook}");
    // By its line: a reader of manifests takes the key `on` for a boolean.
    let text = read("init/github.yml");
    let started = text.lines().find(|line| line.trim_start().starts_with("paths:")).unwrap();
    for counts in ["**.yaml", "**.yml", "**.json", "**tidegate.toml", "**.ignore", "**.tidegateignore"] {
        assert!(started.contains(&format!("\"{counts}\"")), "{counts}: {started}");
    }
}

#[test]
fn the_files_of_init_set_only_what_is_there_to_be_set() {
    let action = Yaml::of("github/action.yml").keys(&["inputs"]);
    let steps = Yaml::of("init/github.yml");
    let with: BTreeSet<String> = {
        let (tree, list) = (&steps.0, steps.at(&["jobs", "tidegate", "steps"]));
        let ours = tree
            .items(list)
            .iter()
            .find(|step| tree.get(**step, "uses").is_some_and(|it| tree.raw(it.value).contains("tidegate/")));
        let with = tree.get(*ours.unwrap(), "with").unwrap().value;
        tree.entries(with).iter().map(|entry| tree.key(entry.key).into_owned()).collect()
    };
    assert!(!with.is_empty() && with.is_subset(&action), "{with:?}");
    let set = Yaml::of("init/gitlab.yml").keys(&["variables"]);
    let text = read("gitlab/review.yml");
    for name in set {
        assert!(text.contains(&format!("${name}")) || text.contains(&format!("${{{name}")), "{name} is read by nobody");
    }
}
