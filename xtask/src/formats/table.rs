//! Which outputs are judged, and by whom.

use super::judge::Judge::{self, *};
use std::path::PathBuf;

/// One output.
pub struct Case {
    /// How it is made: words with spaces between, and perhaps `< FILE`.
    pub command: String,
    /// What it is.
    pub format: &'static str,
    /// The file that holds it, `*` standing for a digest, of which the least is taken; standard output when absent.
    pub file: Option<&'static str>,
    /// The file that holds it already.
    pub made: Option<PathBuf>,
    /// Who judges it.
    pub judges: Vec<Judge>,
}

/// Formats that nothing of others reads back, and why.
#[cfg(test)]
const NOT_JUDGED: [(&str, &str); 3] = [
    ("text", "for people"),
    ("github", "its runner is the only reader; `cli/tests/cli/formats.rs` undoes its escapes as the runner does"),
    ("azure", "its agent is the only reader; `cli/tests/cli/formats.rs` takes its lines apart"),
];

/// Commands with `-o FORMAT`: the words before it, the formats, the schema of their JSON.
const REPORTS: &[(&str, &str, &str)] = &[
    ("check troubled", "concise json jsonl sarif junit gitlab rdjson markdown", "CheckReport"),
    ("check examples/shop", "concise json jsonl sarif junit gitlab rdjson markdown", "CheckReport"),
    (
        "check examples/shop --budget max-entries=2",
        "concise json jsonl sarif junit gitlab rdjson markdown",
        "CheckReport",
    ),
    ("check absent.yaml examples/shop --exit-zero", "", "CheckReport"),
    (DIFF, "json sarif markdown", "DiffReport"),
    ("trace shop/web shop/db 5432/TCP -f examples/shop", "json", "TraceReport"),
    ("trace shop/api shop/db 5432/TCP -f examples/shop", "json", "TraceReport"),
    ("graph examples/shop", "json dot mermaid csv html", "GraphReport"),
    ("graph examples/gate --level pod", "json dot mermaid csv html", "GraphReport"),
    ("test examples/shop/tests --coverage --mutate", "json junit", "TestReport"),
    ("test wrong.yaml", "json junit", "TestReport"),
    (REPLAY, "json jsonl csv", "ReplayReport"),
    ("replay packets.pcap -f examples/shop", "json jsonl csv", "PacketReport"),
    ("suggest examples/replay/flows.jsonl -f examples/replay/cluster.yaml", "json jsonl csv", "SuggestReport"),
    ("suggest labels examples/shop", "json jsonl csv", "LabelsReport"),
    ("cost examples/shop", "json jsonl csv", "CostReport"),
    ("cost examples/shop --max-entries 2", "json jsonl csv", "CostReport"),
    ("explain", "json markdown", "ExplainReport"),
    ("explain TG0012", "json markdown", "ExplainReport"),
    ("build examples/shop", "json", "BuildReport"),
    ("verify images", "json", "VerifyReport"),
    ("lab run examples/shop", "json", "LabReport"),
    ("version", "json", "VersionReport"),
];

const DIFF: &str = "diff examples/replay/old examples/replay/new --facts-from examples/replay/cluster.yaml";
const REPLAY: &str = "replay examples/replay/flows.jsonl -f examples/replay/new -f examples/replay/cluster.yaml --against examples/replay/old";

/// Outputs that are no reports.
fn others() -> Vec<(&'static str, &'static str, Option<&'static str>, Vec<Judge>)> {
    vec![
        ("check troubled --unsafe-fixes --diff", "patch", None, vec![Patch]),
        (
            "check examples/shop --baseline known.json --update-baseline",
            "json",
            Some("known.json"),
            vec![Jq, Ours("Baseline")],
        ),
        ("snapshot --from examples/shop", "json", None, vec![Jq, Ours("Snapshot")]),
        (
            "snapshot --from examples/shop --policies -o cluster.json",
            "json",
            Some("cluster.json"),
            vec![Jq, Ours("Snapshot")],
        ),
        ("snapshot --rbac", "yaml", None, vec![Yaml]),
        ("suggest examples/replay/flows.jsonl -f examples/replay/cluster.yaml", "yaml", None, vec![Yaml]),
        ("fn < list.yaml", "yaml", None, vec![Yaml]),
        ("build examples/shop --out-dir images", "json", Some("images/index.json"), vec![Jq, Ours("BuildIndex")]),
        ("build examples/shop --out-dir images", "json", Some("images/peers.json"), vec![Jq, Ours("PeerList")]),
        ("build examples/shop --out-dir images", "json", Some("images/sources.json"), vec![Jq, Ours("SourceList")]),
        ("build examples/shop --out-dir images", "json", Some("images/nodes/north.json"), vec![Jq, Ours("NodeTables")]),
        (
            "build examples/shop --out-dir images",
            "json",
            Some("images/images/*.certificate.json"),
            vec![Jq, Ours("Certificate")],
        ),
        ("build examples/shop --out-dir objects --elf", "elf", Some("objects/elf/*.o"), vec![Types]),
        ("build examples/shop --emit dot", "dot", None, vec![Dot]),
        ("init new --force --ci github", "yaml", Some("new/.github/workflows/tidegate.yml"), vec![Yaml]),
        ("init new --force --ci gitlab", "yaml", Some("new/.gitlab-ci.yml"), vec![Yaml]),
        ("init new --force --ci pre-commit", "yaml", Some("new/.pre-commit-config.yaml"), vec![Yaml]),
        ("init new --force", "toml", Some("new/tidegate.toml"), vec![Toml, OursInToml("Configuration")]),
        ("completion bash", "bash", None, vec![Script("bash")]),
        ("completion zsh", "zsh", None, vec![Script("zsh")]),
        ("completion fish", "fish", None, vec![Script("fish")]),
    ]
}

/// Every output of the program itself.
pub fn cases() -> Vec<Case> {
    let mut out = Vec::new();
    for (words, formats, kind) in REPORTS {
        for format in formats.split(' ').filter(|it| !it.is_empty()) {
            let judges = judges(format, kind);
            out.push(Case { command: format!("tidegate {words} -o {format}"), format, file: None, made: None, judges });
        }
    }
    for (words, format, file, judges) in others() {
        out.push(Case { command: format!("tidegate {words}"), format, file, made: None, judges });
    }
    out
}

fn judges(format: &str, kind: &'static str) -> Vec<Judge> {
    match format {
        "json" => vec![Jq, Ours(kind)],
        "jsonl" => vec![JqLines],
        "sarif" => vec![Jq, Sarif],
        "junit" => vec![Junit],
        "gitlab" => vec![Jq, Schema("gitlab-code-quality.json")],
        "rdjson" => vec![Jq, Rdjson],
        "markdown" => vec![Markdown],
        "dot" => vec![Dot],
        "mermaid" => vec![Mermaid],
        "csv" => vec![Csv],
        "html" => vec![Html],
        "concise" => vec![QuickFix],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cli::command::{diff, explain, graph, replay, test};
    use cli::formats::{Formats, Plain};

    fn names<F: Formats>() -> Vec<&'static str> {
        F::ALL.iter().map(|format| format.name()).collect()
    }

    #[test]
    fn every_format_of_every_command_is_judged_or_says_why_not() {
        let flows = names::<replay::forms::Form>();
        let of = [
            ("check", names::<cli::format::Format>()),
            ("diff", names::<diff::format::Format>()),
            ("explain", names::<explain::Format>()),
            ("graph", names::<graph::Format>()),
            ("test", names::<test::Format>()),
            ("replay", flows.clone()),
            ("suggest", flows.clone()),
            ("cost", flows),
            ("build", names::<Plain>()),
            ("verify", names::<Plain>()),
            ("trace", names::<Plain>()),
            ("lab", names::<Plain>()),
            ("version", names::<Plain>()),
        ];
        let cases = cases();
        for (command, formats) in of {
            for format in formats {
                let judged = cases.iter().any(|it| {
                    it.format == format
                        && !it.judges.is_empty()
                        && it.command.starts_with(&format!("tidegate {command}"))
                });
                // One line for people: only of findings is it a form that editors read.
                let excused = NOT_JUDGED.iter().any(|(name, _)| *name == format) || format == "concise";
                assert!(judged || excused, "{command} -o {format}");
            }
        }
    }

    #[test]
    fn every_command_has_an_output_that_is_judged() {
        let mut root = <cli::args::Args as clap::CommandFactory>::command();
        root.build();
        let cases = cases();
        // The demonstration speaks to people alone, the language server with editors, whose libraries judge it (`cargo xtask vscode`).
        let spared = ["help", "demo", "lsp"];
        for name in root.get_subcommands().map(|it| it.get_name()).filter(|it| !spared.contains(it)) {
            assert!(cases.iter().any(|it| it.command.split(' ').nth(1) == Some(name)), "{name}");
        }
    }
}
