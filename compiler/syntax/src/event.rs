//! The seam to the YAML parser: everything we need of one, and the one we use.
//!
//! Only this file names `granit_parser`, so another parser can take its place.

use std::borrow::Cow;

use granit_parser::{ErrorKind, Event as Raw, Parser, ScalarStyle as RawStyle, StrInput, Tag as RawTag};
use source::Span;

use crate::ScalarStyle;

/// One step of a YAML document, in reading order. Offsets count from the start of the chunk.
#[derive(Debug)]
pub(crate) enum Event<'t> {
    Scalar(Cow<'t, str>, ScalarStyle, Properties<'t>),
    /// A mapping opens; `Flow` or `Block`.
    Mapping(ScalarStyle, Properties<'t>),
    /// A sequence opens; `Flow` or `Block`.
    Sequence(ScalarStyle, Properties<'t>),
    /// The innermost open mapping or sequence ends.
    Close,
    /// An alias of the anchor with this number.
    Alias(usize),
    /// An alias without anchor.
    UnknownAlias,
    Comment,
}

/// Anchor number, where given, and tag.
#[derive(Debug)]
pub(crate) struct Properties<'t> {
    pub anchor: Option<usize>,
    pub tag: Option<Cow<'t, RawTag>>,
}

impl Properties<'_> {
    /// The tag in short form: `!!int`, `!` or whatever else was written.
    pub fn tag(&self) -> Option<String> {
        let tag = self.tag.as_ref()?;
        Some(match tag.core_suffix() {
            Some(suffix) => format!("!!{suffix}"),
            None => format!("{}{}", tag.handle(), tag.suffix()),
        })
    }
}

/// Why the parser stopped.
#[derive(Debug)]
pub(crate) struct Failure {
    pub offset: u32,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Syntax(String),
    Tab,
    Control(char),
    TooDeep,
    TooManyNodes,
    Template,
}

/// Events of one chunk, until the end or the first error.
pub(crate) struct Events<'t> {
    parser: Parser<'t, StrInput<'t>>,
    length: u32,
    done: bool,
}

impl<'t> Events<'t> {
    pub fn new(chunk: &'t str, max_depth: usize) -> Self {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            // Why: comments cost us 8 bytes each and are bounded by the text itself.
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: max_depth,
            block_nesting_limit: max_depth,
        };
        Events { parser: Parser::new_from_str_with_options(chunk, options), length: chunk.len() as u32, done: false }
    }

    fn span(&self, raw: granit_parser::Span) -> Span {
        let range = raw.byte_range().unwrap_or(0..0);
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX).min(self.length);
        Span::new(clamp(range.start), clamp(range.end))
    }

    fn failure(&self, error: &granit_parser::ScanError) -> Failure {
        let offset = error.marker().byte_offset().unwrap_or(0) as u32;
        let reason = match error.kind() {
            ErrorKind::RecursionLimitExceeded => Reason::TooDeep,
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabAtBlockScalarStart => Reason::Tab,
            ErrorKind::UnexpectedCharacter { character } if character.is_control() => Reason::Control(*character),
            kind => Reason::Syntax(kind.to_string().replace('\n', " ")),
        };
        Failure { offset: offset.min(self.length), reason }
    }
}

impl<'t> Iterator for Events<'t> {
    type Item = Result<(Event<'t>, Span), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let (raw, span) = match self.parser.next_event() {
                None => return None,
                Some(Ok(event)) => event,
                Some(Err(error)) => {
                    self.done = true;
                    return Some(Err(self.failure(&error)));
                }
            };
            if let Some(event) = translate(raw) {
                return Some(Ok((event, self.span(span))));
            }
        }
        None
    }
}

fn translate(raw: Raw<'_>) -> Option<Event<'_>> {
    let properties = |anchor: usize, tag| Properties { anchor: (anchor != 0).then_some(anchor), tag };
    Some(match raw {
        Raw::Scalar(text, style, anchor, tag) => Event::Scalar(text, scalar_style(style), properties(anchor, tag)),
        Raw::MappingStart(style, anchor, tag) => Event::Mapping(collection_style(style), properties(anchor, tag)),
        Raw::SequenceStart(style, anchor, tag) => Event::Sequence(collection_style(style), properties(anchor, tag)),
        Raw::MappingEnd | Raw::SequenceEnd => Event::Close,
        Raw::Alias(anchor) => Event::Alias(anchor),
        Raw::UnresolvedAlias(_) => Event::UnknownAlias,
        Raw::Comment(..) => Event::Comment,
        // Stream and document marks say nothing that the top values do not; the parser's enum is open.
        _ => return None,
    })
}

fn scalar_style(raw: RawStyle) -> ScalarStyle {
    match raw {
        RawStyle::Plain => ScalarStyle::Plain,
        RawStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        RawStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        RawStyle::Literal => ScalarStyle::Literal,
        RawStyle::Folded => ScalarStyle::Folded,
    }
}

fn collection_style(raw: granit_parser::StructureStyle) -> ScalarStyle {
    match raw {
        granit_parser::StructureStyle::Block => ScalarStyle::Block,
        granit_parser::StructureStyle::Flow => ScalarStyle::Flow,
    }
}
