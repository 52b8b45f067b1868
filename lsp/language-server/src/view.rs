//! What a request sees: the workspace as it was when the request came.

use crate::client::Client;
use crate::documents::{LeftOut, key, uri};
use crate::positions::Lines;
use crate::settings::Settings;
use crate::world::{Judge, Keep, World};
use checks::suppress::Rules;
use driver::{Database, SourceFile, locate};
use gen_lsp_types::{Location, Position, Range, TextDocumentPositionParams, Uri};
use source::{FileId, LineIndex, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The workspace as it was.
#[derive(Clone)]
pub(crate) struct View {
    pub db: Database,
    pub client: Arc<Client>,
    pub settings: Arc<Settings>,
    pub keep: Keep,
    pub rules: Judge,
    pub world: Arc<dyn World>,
    /// The open documents that are left out of their folders.
    pub left_out: Arc<BTreeMap<String, LeftOut>>,
    /// The version of each open document, by key.
    pub versions: Arc<BTreeMap<String, i32>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is about a document that the workspace leaves out: there is nothing to say.
    LeftOut,
    /// Nobody here answers such questions.
    Unknown(String),
    /// What was asked makes no sense.
    Wrong(String),
    /// It makes sense, and cannot be done.
    Failed(String),
}

/// Some bytes of a file, with what turns them into positions.
pub(crate) struct Text {
    pub file: SourceFile,
    pub text: Arc<str>,
    index: Arc<LineIndex>,
    client: Arc<Client>,
}

impl Text {
    fn lines(&self) -> Lines<'_> {
        Lines { index: &self.index, encoding: self.client.encoding }
    }

    pub fn range(&self, span: Span) -> Range {
        self.lines().range(span)
    }

    pub fn position(&self, offset: u32) -> Position {
        self.lines().position(offset)
    }

    pub fn offset(&self, position: Position) -> u32 {
        self.lines().offset(&self.text, position)
    }

    pub fn span(&self, range: Range) -> Span {
        self.lines().span(&self.text, range)
    }
}

impl View {
    /// The text of a document. Errors: it is not known here.
    pub fn text(&self, uri: &Uri) -> Result<Text, Refusal> {
        let key = key(uri);
        match self.db.file_at(&key) {
            Some(file) => Ok(self.text_of(file)),
            None if self.left_out.contains_key(&key) => Err(Refusal::LeftOut),
            None => Err(Refusal::Wrong(format!("`{uri}` is not open"))),
        }
    }

    /// How suppressions in a file are judged.
    pub fn rules(&self, file: SourceFile) -> Rules {
        (self.rules)(file.path(&self.db))
    }

    pub fn text_of(&self, file: SourceFile) -> Text {
        let text = file.text(&self.db).unwrap_or_default();
        Text { file, text, index: locate::lines(&self.db, file), client: self.client.clone() }
    }

    /// The text of a file and the offset that a request is about.
    pub fn at(&self, asked: &TextDocumentPositionParams) -> Result<(Text, ide::At), Refusal> {
        let text = self.text(&asked.text_document.uri)?;
        let at = ide::At { file: text.file, offset: text.offset(asked.position) };
        Ok((text, at))
    }

    /// The address of a file.
    pub fn uri(&self, file: SourceFile) -> Option<Uri> {
        uri(file.path(&self.db))
    }

    /// The place of some bytes; `None` for a file that has no address.
    pub fn location(&self, file: FileId, span: Span) -> Option<Location> {
        let file = self.db.file(file)?;
        Some(Location { uri: self.uri(file)?, range: self.text_of(file).range(span) })
    }
}
