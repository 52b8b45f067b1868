//! What an editor can have drawn: the forms that the commands print, of the texts as they stand in the editor.

use crate::command::build::{self, Emit};
use crate::command::{cost, explain, graph, trace};
use crate::session::Session;
use driver::dialect::of_cluster;
use driver::{Because, Choice, Database, Db, Wish, world};
use language_server::Form;

/// Draws one. Errors: for people.
pub(super) fn draw(db: &Database, form: &Form) -> Result<String, String> {
    let session = || Session::over(db.clone(), choice(db), Wish::Named(db.dialect()));
    match form {
        Form::Graph { to } => graph::drawn(&session(), to.as_deref()),
        Form::Decision { subject } => build::drawn(db, subject, &[Emit::Rules, Emit::Tree]),
        Form::Bytecode { subject } => build::drawn(db, subject, &[Emit::Asm]),
        Form::Trace { from, to, port } => {
            trace::drawn(&session(), db.project().namespace(db), [from, to], port.as_deref())
        }
        Form::Cost => Ok(cost::drawn(&session())),
        Form::Page { code } => Ok(explain::named(code)?.text.to_owned()),
    }
}

/// The reading in use, and why: the server settles it after every change.
fn choice(db: &Database) -> Choice {
    let fitting = of_cluster(&world::cluster(db));
    if fitting.dialect == db.dialect() { fitting } else { Choice { dialect: db.dialect(), because: Because::Asked } }
}
