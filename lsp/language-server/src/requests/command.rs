//! `workspace/executeCommand`: what is shown and not edited. The program draws it, as its commands do.

use super::Ask;
use crate::view::{Refusal, View};
use crate::world::Form;
use gen_lsp_types::{Command, ExecuteCommandParams, ExecuteCommandRequest, LspAny, WorkspaceEdit};
use serde::Deserialize;
use serde_json::{Value, json};

/// The commands, by their names in the protocol. An editor has names of its own for what it shows them in.
pub(crate) const COMMANDS: [&str; 6] = [
    "tidegate.server.graph",
    "tidegate.server.decision",
    "tidegate.server.bytecode",
    "tidegate.server.trace",
    "tidegate.server.cost",
    "tidegate.server.explain",
];

/// What a command is told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    subject: Option<String>,
    from: Option<String>,
    to: Option<String>,
    port: Option<String>,
    code: Option<String>,
}

pub(super) struct Execute;

impl Ask for Execute {
    type Message = ExecuteCommandRequest;

    fn answer(view: &View, asked: ExecuteCommandParams) -> Result<Option<LspAny>, Refusal> {
        let told = asked.arguments.and_then(|it| it.into_iter().next()).unwrap_or_else(|| json!({}));
        let told = Told::deserialize(told).map_err(|error| Refusal::Wrong(format!("it cannot be read: {error}")))?;
        let wanted = |it: Option<String>, name: &str| {
            it.filter(|it| !it.is_empty()).ok_or_else(|| Refusal::Wrong(format!("`{name}` is missing")))
        };
        let form = match asked.command.as_str() {
            "tidegate.server.graph" => Form::Graph { to: told.to },
            "tidegate.server.decision" => Form::Decision { subject: wanted(told.subject, "subject")? },
            "tidegate.server.bytecode" => Form::Bytecode { subject: wanted(told.subject, "subject")? },
            "tidegate.server.trace" => {
                Form::Trace { from: wanted(told.from, "from")?, to: wanted(told.to, "to")?, port: told.port }
            }
            "tidegate.server.cost" => Form::Cost,
            "tidegate.server.explain" => Form::Page { code: wanted(told.code, "code")? },
            other => return Err(Refusal::Wrong(format!("there is no command `{other}`"))),
        };
        view.world.draw(&view.db, &form).map(|it| Some(Value::String(it))).map_err(Refusal::Failed)
    }
}

/// Silence with a reason, which the editor asks for: it takes the place of the second argument in the edit, the first one.
pub(super) fn suppress(title: String, edit: &WorkspaceEdit) -> Command {
    let arguments = Some(vec![json!(edit), json!(checks::suppress::PLACEHOLDER)]);
    Command { title, tooltip: None, command: "tidegate.suppress".into(), arguments }
}

/// What a click does, under the names that editors give it; they ask for the form of a like name here.
pub(super) fn of(title: String, it: &ide::Command) -> Command {
    let (command, argument) = match it {
        ide::Command::WhoReaches { subjects, .. } => ("tidegate.showReach", subjects.first().map(|it| json!(it))),
        ide::Command::ShowCost { policy } => ("tidegate.showCost", Some(json!(policy))),
        ide::Command::Explain(code) => ("tidegate.explain", Some(json!(code.to_string()))),
    };
    Command { title, tooltip: None, command: command.into(), arguments: argument.map(|it| vec![it]) }
}
