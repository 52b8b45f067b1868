//! `textDocument/definition`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{
    Definition as Places, DefinitionParams, DefinitionRequest, DefinitionResponse, Location, LocationLink,
};

pub(super) struct Definition;

impl Ask for Definition {
    type Message = DefinitionRequest;

    fn answer(view: &View, asked: DefinitionParams) -> Result<Option<DefinitionResponse>, Refusal> {
        let (text, at) = view.at(&asked.text_document_position_params)?;
        let found = ide::definition(&view.db, at);
        let links = found.into_iter().filter_map(|it| {
            let file = view.db.file(it.file)?;
            let there = view.text_of(file);
            Some(LocationLink {
                origin_selection_range: Some(text.range(it.origin)),
                target_uri: view.uri(file)?,
                target_range: there.range(it.full),
                target_selection_range: there.range(it.focus),
            })
        });
        let links: Vec<LocationLink> = links.collect();
        if view.client.links {
            return Ok(Some(links.into()));
        }
        let places = links.into_iter().map(|it| Location { uri: it.target_uri, range: it.target_selection_range });
        Ok(Some(Places::LocationList(places.collect()).into()))
    }
}
