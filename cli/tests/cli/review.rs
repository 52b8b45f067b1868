//! A review as a pipeline runs it: the scripts with the real binary on a repository with a base and a change. Only the forge is played.

use crate::deploy::{GH, have, said, script};
use crate::formats::wrong_sarif;
use crate::support::{CLUSTER, Folder, POLICY};
use crate::templates::Yaml;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// The policy with an office beside the web pod, and its block written as newer API servers refuse it.
fn wider() -> String {
    POLICY.replace(
        "{podSelector: {matchLabels: {app: web}}}",
        "{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 203.0.113.5/24}}",
    )
}

/// A repository whose base has the policy; what it has now is the change.
struct Repository {
    folder: Folder,
    base: String,
}

impl Repository {
    fn new() -> Repository {
        let folder = Folder::of(&[
            ("deploy/cluster.yaml", CLUSTER),
            ("deploy/policy.yaml", POLICY),
            ("bin/gh", GH),
            ("comments/.keep", ""),
        ]);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tidegate"), folder.join("bin/tidegate")).unwrap();
        Command::new("chmod").arg("+x").arg(folder.join("bin/gh")).status().unwrap();
        let mut repository = Repository { folder, base: String::new() };
        repository.git(&["init", "--quiet"]);
        repository.git(&["add", "deploy"]);
        repository.git(&["commit", "--quiet", "-m", "base"]);
        repository.base = repository.git(&["rev-parse", "HEAD"]);
        repository
    }

    fn git(&self, args: &[&str]) -> String {
        let who = ["-c", "user.name=n", "-c", "user.email=n@example.com"];
        let output = Command::new("git").args(who).args(args).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A command with the binary, and the stand-in for `gh`, on its path.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = format!("{}:{}", self.folder.join("bin").display(), std::env::var("PATH").unwrap());
        command.current_dir(self.folder.path()).env("PATH", path).env_remove("GITHUB_OUTPUT");
        command.env("LOG", self.folder.join("log")).env("COMMENTS", self.folder.join("comments"));
        command
    }

    fn review(&self, more: &[(&str, &str)]) -> Output {
        let mut command = self.command("sh");
        command.arg(script("review.sh")).env("REVIEW_PATH", "deploy").env("REVIEW_BASE", &self.base);
        command.env("REVIEW_FAIL_ON", "world").env("REVIEW_OUT", "out").envs(more.iter().copied()).output().unwrap()
    }

    fn comment_on_github(&self) {
        let mut command = self.command("sh");
        command.arg(script("github/comment.sh")).arg("out/comment.md");
        let output = command.envs([("REPOSITORY", "o/r"), ("NUMBER", "7"), ("GH_TOKEN", "t")]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

#[test]
fn a_review_says_what_is_found_and_what_opens_and_a_later_one_replaces_it() {
    if !have(&["git"]) {
        return;
    }
    let repository = Repository::new();
    repository.folder.write("deploy/policy.yaml", &wider());
    let first = repository.review(&[]);
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    assert!(said(&first).contains("deploy/policy.yaml:8:"), "{}", said(&first));
    insta::assert_snapshot!("review-comment", repository.read("out/comment.md").replace(&repository.base[..7], "BASE"));
    let sarif: Value = serde_json::from_str(&repository.read("out/check.sarif")).unwrap();
    assert_eq!(wrong_sarif(&sarif), [""; 0]);
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "TG0062");
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "deploy/policy.yaml");
    let quality: Value = serde_json::from_str(&repository.read("out/codequality.json")).unwrap();
    assert_eq!(quality[0]["location"]["path"], "deploy/policy.yaml");
    roxmltree::Document::parse(&repository.read("out/junit.xml")).unwrap();
    repository.comment_on_github();

    // The change is mended: nothing is left of the first comment, and there is still one.
    repository.folder.write("deploy/policy.yaml", POLICY);
    let second = repository.review(&[]);
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    repository.comment_on_github();
    let comment = repository.read("comments/41");
    assert!(comment.starts_with("<!-- tidegate -->\n") && comment.matches("<!--").count() == 1, "{comment}");
    assert!(
        comment.contains("no flow changes") && !comment.contains("TG0062") && !comment.contains("203.0.113"),
        "{comment}"
    );
    let log = repository.read("log");
    assert_eq!((log.matches("--method POST").count(), log.matches("--method PATCH").count()), (1, 1), "{log}");
}

#[test]
fn on_github_the_result_is_an_output_and_the_step_goes_on() {
    if !have(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let on_github = [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary"), ("REVIEW_ANNOTATIONS", "github")];
    repository.folder.write("deploy/policy.yaml", &wider());
    let found = repository.review(&on_github);
    assert_eq!(found.status.code(), Some(0), "{}", said(&found));
    assert!(said(&found).contains("::warning file=deploy/policy.yaml,line=8"), "{}", said(&found));
    assert_eq!(repository.read("output"), "code=1\nresult=findings\nsarif=true\n");
    assert_eq!(repository.read("summary"), repository.read("out/comment.md"));
    let lost = repository.review(&[&on_github[..], &[("REVIEW_BASE", "0123456789")]].concat());
    assert_eq!(lost.status.code(), Some(0));
    assert!(repository.read("output").ends_with("code=2\nresult=error\nsarif=true\n"));
}

#[test]
fn a_base_that_is_not_there_is_an_error_that_the_comment_admits() {
    if !have(&["git"]) {
        return;
    }
    let repository = Repository::new();
    let output = repository.review(&[("REVIEW_BASE", "0123456789")]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("0123456789"), "{}", said(&output));
    let comment = repository.read("out/comment.md");
    assert!(
        comment.contains("**The change could not be compared.**") && !comment.contains("no flow changes"),
        "{comment}"
    );
    // Without a base nothing is compared, and that is no error.
    assert_eq!(repository.review(&[("REVIEW_BASE", "")]).status.code(), Some(0));
}

#[test]
fn on_gitlab_the_template_keeps_one_note_beyond_the_first_page_of_notes() {
    if !have(&["git", "curl", "jq"]) {
        return;
    }
    let repository = Repository::new();
    let forge = Forge::start(120);
    for (from, name) in [("review.sh", "review.sh"), ("gitlab/comment.sh", "gitlab-comment.sh")] {
        repository.folder.write(&format!("tools/{name}"), &std::fs::read_to_string(script(from)).unwrap());
    }
    let lines = Yaml::of("gitlab/review.yml").texts(&["tidegate", "script"]).join("\n");
    let lines = lines.replace("/tmp/", &format!("{}/", repository.folder.join("tools").display()));
    let job = |token: Option<&str>| {
        let mut command = repository.command("sh");
        command.args(["-e", "-c", &lines]).env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &repository.base);
        command.env("CI_API_V4_URL", format!("http://{}/api/v4", forge.address)).env("CI_PROJECT_ID", "5");
        command.envs([("CI_MERGE_REQUEST_IID", "9"), ("TIDEGATE_PATH", "deploy"), ("TIDEGATE_FAIL_ON", "none")]);
        command.envs([("TIDEGATE_CLUSTER", ""), ("TIDEGATE_DIALECT", "auto")]);
        command.env_remove("TIDEGATE_TOKEN").env("NO_PROXY", "*").envs(token.map(|token| ("TIDEGATE_TOKEN", token)));
        command.output().unwrap()
    };
    repository.folder.write("deploy/policy.yaml", &wider());
    let without = job(None);
    assert_eq!(without.status.code(), Some(1), "{}", said(&without));
    assert!(
        said(&without).contains("no TIDEGATE_TOKEN, so no comment; it would say:\n<!-- tidegate -->"),
        "{}",
        said(&without)
    );
    assert!(forge.asked().is_empty());
    let first = job(Some("secret"));
    assert_eq!(first.status.code(), Some(1), "{}", said(&first));
    assert!(forge.notes()[120].contains("203.0.113.0/24"), "{:?}", forge.notes()[120]);
    repository.folder.write("deploy/policy.yaml", POLICY);
    assert_eq!(job(Some("secret")).status.code(), Some(0));
    let notes = forge.notes();
    assert_eq!(notes.len(), 121);
    assert_eq!(notes[120], repository.read("tidegate-review/comment.md"));
    let methods: Vec<String> = forge.asked().into_iter().filter(|it| !it.starts_with("GET")).collect();
    assert_eq!(
        methods,
        ["POST /api/v4/projects/5/merge_requests/9/notes", "PUT /api/v4/projects/5/merge_requests/9/notes/121"]
    );
    let refused = job(Some("wrong"));
    assert_eq!(refused.status.code(), Some(0), "what was found decides: {}", said(&refused));
    assert!(said(&refused).contains("the comment could not be written; it would say:"), "{}", said(&refused));
    for named in ["codequality.json", "junit.xml"] {
        assert!(repository.folder.join("tidegate-review").join(named).exists(), "{named}");
    }
}

/// GitLab's notes of one merge request, on this machine.
struct Forge {
    address: String,
    state: Arc<Mutex<(Vec<String>, Vec<String>)>>,
}

impl Forge {
    fn start(others: usize) -> Forge {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new((vec!["from somebody".to_owned(); others], Vec::new())));
        let served = Arc::clone(&state);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &served)));
        Forge { address, state }
    }

    fn notes(&self) -> Vec<String> {
        self.state.lock().unwrap().0.clone()
    }

    fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().1.clone()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<(Vec<String>, Vec<String>)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let field = |name: &str| {
        head.iter().find_map(|line| {
            line.split_once(": ").filter(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.to_owned())
        })
    };
    let mut body = vec![0; field("content-length").map_or(0, |it| it.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let text = decoded(String::from_utf8(body).unwrap().strip_prefix("body=").unwrap_or_default());
    let request = head[0].trim_end_matches(" HTTP/1.1").to_owned();
    let (notes, asked) = &mut *state.lock().unwrap();
    let answer = if field("private-token").as_deref() == Some("secret") {
        asked.push(request.clone());
        match request.split_once(' ').unwrap() {
            ("GET", path) => {
                let page: usize = path.split_once("page=100&page=").unwrap().1.parse().unwrap();
                let all = notes.iter().enumerate().map(|(at, body)| json!({"id": at + 1, "body": body}));
                ("200 OK", Value::from(all.skip((page - 1) * 100).take(100).collect::<Vec<_>>()))
            }
            ("POST", _) => {
                notes.push(text);
                ("201 Created", json!({}))
            }
            (_, path) => {
                let id: usize = path.rsplit('/').next().unwrap().parse().unwrap();
                notes[id - 1] = text;
                ("200 OK", json!({}))
            }
        }
    } else {
        ("401 Unauthorized", json!({"message": "401 Unauthorized"}))
    };
    let body = answer.1.to_string();
    let _ =
        write!(stream, "HTTP/1.1 {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", answer.0, body.len());
}

/// The text of a form field.
fn decoded(form: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), form.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
                rest = &after[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).unwrap()
}
