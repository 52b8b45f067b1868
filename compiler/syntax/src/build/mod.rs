//! Builds the tree of one chunk from its events.

mod layout;
mod mapping;
mod scalars;

use std::collections::HashMap;

use source::Span;

use crate::event::{Event, Failure, Properties, Reason};
use crate::tree::{Data, Node};
use crate::{Comment, Entry, Limits, NodeId, Problem, ProblemKind, ScalarStyle, Tree};

/// What an alias needs to know of its anchor.
#[derive(Clone, Copy)]
struct Anchor {
    node: NodeId,
    size: u64,
    height: usize,
    open: bool,
}

/// An open mapping or sequence.
struct Frame {
    node: NodeId,
    mapping: bool,
    /// Where its children start in `children`.
    first: usize,
    anchor: Option<usize>,
    /// Nodes inside and itself, aliases expanded.
    size: u64,
    /// Levels inside and its own, aliases expanded.
    height: usize,
}

/// Turns the events of one chunk into nodes of `tree`.
pub(crate) struct Builder<'a> {
    pub tree: &'a mut Tree,
    limits: &'a Limits,
    /// Offset of the chunk in the text.
    base: u32,
    /// Whether template actions were masked, byte for byte, before parsing.
    masked: bool,
    frames: Vec<Frame>,
    children: Vec<NodeId>,
    /// The entries of the mapping that is being closed; empty otherwise.
    entries: Vec<Entry>,
    anchors: HashMap<usize, Anchor>,
    /// Top values, one a document.
    pub roots: Vec<NodeId>,
    /// End of the last token, from which indicators are searched.
    token_end: u32,
    /// Nodes that aliases and merges repeated so far in this text.
    repeated: &'a mut u64,
}

impl<'a> Builder<'a> {
    pub fn new(tree: &'a mut Tree, limits: &'a Limits, base: u32, masked: bool, repeated: &'a mut u64) -> Self {
        Builder {
            tree,
            limits,
            base,
            masked,
            frames: Vec::new(),
            children: Vec::new(),
            entries: Vec::new(),
            anchors: HashMap::new(),
            roots: Vec::new(),
            token_end: base,
            repeated,
        }
    }

    /// Takes one event.
    ///
    /// Errors: a limit is passed or a template shows; the builder can still be closed.
    pub fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Failure> {
        let span = self.place(span);
        if self.tree.nodes.len() >= self.limits.max_nodes.min(u32::MAX as usize - 2) {
            return Err(self.fail(span, Reason::TooManyNodes));
        }
        match event {
            Event::Comment => self.tree.comments.push(Comment { span }),
            Event::Close => self.close(span),
            Event::Scalar(text, style, properties) => self.scalar(&text, style, &properties, span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::UnknownAlias => {
                let name = span.slice(&self.tree.text).trim_start_matches('*').to_owned();
                self.problem(ProblemKind::UnknownAnchor { name }, span, None);
                self.leaf(Data::Null, span, ScalarStyle::Alias, None);
            }
            Event::Mapping(style, properties) => self.open(true, style, &properties, span)?,
            Event::Sequence(style, properties) => self.open(false, style, &properties, span)?,
        }
        Ok(())
    }

    /// Ends everything that is still open, so that what was read so far is a whole tree.
    pub fn finish(&mut self) {
        while !self.frames.is_empty() {
            self.close(Span::at(self.token_end));
        }
    }

    /// Where something begins that may lack its end: the outermost and the innermost open bracket and
    /// the token after the last whole one.
    pub fn opened(&self) -> [u32; 3] {
        let node = |frame: &Frame| self.tree.nodes[frame.node.0 as usize];
        let mut brackets = self.frames.iter().map(node);
        let mut brackets = brackets.by_ref().filter(|node| node.style == ScalarStyle::Flow).map(|node| node.span.start);
        let outer = brackets.next().unwrap_or(self.token_end);
        [outer, brackets.last().unwrap_or(outer), self.token_end]
    }

    /// Chunk offsets to text offsets, on character boundaries.
    fn place(&self, span: Span) -> Span {
        let text = &self.tree.text;
        let at = |offset: u32| {
            let offset = (self.base + offset) as usize;
            text.floor_char_boundary(offset.min(text.len())) as u32
        };
        Span::new(at(span.start), at(span.end))
    }

    fn fail(&self, span: Span, reason: Reason) -> Failure {
        Failure { offset: span.start - self.base, reason }
    }

    pub fn problem(&mut self, kind: ProblemKind, span: Span, related: Option<Span>) {
        self.tree.problems.push(Problem { kind, span, related });
    }

    fn push(&mut self, data: Data, span: Span, style: ScalarStyle) -> NodeId {
        let id = NodeId(self.tree.nodes.len() as u32);
        let parent = self.frames.last().map_or(id, |frame| frame.node);
        self.tree.nodes.push(Node { data, span, parent, style });
        id
    }

    /// Adds a node without children.
    fn leaf(&mut self, data: Data, span: Span, style: ScalarStyle, anchor: Option<usize>) {
        let node = self.push(data, span, style);
        self.token_end = self.token_end.max(span.end);
        self.remember(anchor, node, 1, 0, false);
        self.attach(node, 1, 0);
    }

    /// Hands a finished node to what holds it.
    fn attach(&mut self, node: NodeId, size: u64, height: usize) {
        match self.frames.last_mut() {
            None => self.roots.push(node),
            Some(frame) => {
                frame.size = frame.size.saturating_add(size);
                frame.height = frame.height.max(height + 1);
                self.children.push(node);
            }
        }
    }

    fn remember(&mut self, anchor: Option<usize>, node: NodeId, size: u64, height: usize, open: bool) {
        if let Some(anchor) = anchor {
            let value = Anchor { node, size, height, open };
            self.anchors.insert(anchor, value);
        }
    }

    fn open(
        &mut self,
        mapping: bool,
        style: ScalarStyle,
        properties: &Properties<'_>,
        span: Span,
    ) -> Result<(), Failure> {
        if self.frames.len() >= self.limits.max_depth {
            return Err(self.fail(span, Reason::TooDeep));
        }
        if self.opens_template(mapping, style, span) {
            return Err(self.fail(span, Reason::Template));
        }
        let start = if !mapping && style == ScalarStyle::Block { self.first_dash(span) } else { span };
        self.token_end = self.token_end.max(start.end);
        let data = if mapping { Data::Mapping(0, 0) } else { Data::Sequence(0, 0) };
        let node = self.push(data, start, style);
        self.remember(properties.anchor, node, 1, 1, true);
        self.frames.push(Frame {
            node,
            mapping,
            first: self.children.len(),
            anchor: properties.anchor,
            size: 1,
            height: 1,
        });
        Ok(())
    }

    /// `{{` opens a mapping whose first key is a mapping. JSON never has that; templates do.
    fn opens_template(&self, mapping: bool, style: ScalarStyle, span: Span) -> bool {
        let outer = self.frames.last().filter(|frame| frame.mapping);
        mapping
            && style == ScalarStyle::Flow
            && outer.is_some_and(|frame| {
                let outer = &self.tree.nodes[frame.node.0 as usize];
                outer.style == ScalarStyle::Flow && outer.span.start + 1 == span.start && span.start > 0
            })
    }

    fn close(&mut self, end: Span) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        // Taken for as long as they are read, and given back, so that closing asks for no memory.
        let mut all = std::mem::take(&mut self.children);
        let children = &all[frame.first..];
        let own = self.tree.nodes[frame.node.0 as usize];
        let span = self.collection_span(&own, children, frame.mapping, end);
        self.token_end = self.token_end.max(span.end);
        let data = if frame.mapping {
            self.mapping(frame.node, children)
        } else {
            let first = self.tree.items.len() as u32;
            self.tree.items.extend_from_slice(children);
            Data::Sequence(first, self.tree.items.len() as u32)
        };
        all.truncate(frame.first);
        self.children = all;
        let node = &mut self.tree.nodes[frame.node.0 as usize];
        node.data = data;
        node.span = span;
        self.remember(frame.anchor, frame.node, frame.size, frame.height, false);
        self.attach(frame.node, frame.size, frame.height);
    }

    /// Counts repeated nodes; past the limit says so once and refuses.
    fn may_repeat(&mut self, nodes: u64, span: Span) -> bool {
        let limit = self.limits.max_alias_expansion;
        if *self.repeated > limit as u64 {
            return false;
        }
        *self.repeated = self.repeated.saturating_add(nodes);
        if *self.repeated > limit as u64 {
            self.problem(ProblemKind::AliasBomb { limit }, span, None);
            return false;
        }
        true
    }

    fn alias(&mut self, anchor: usize, span: Span) {
        let data = match self.anchors.get(&anchor).copied() {
            None => {
                let name = span.slice(&self.tree.text).trim_start_matches('*').to_owned();
                self.problem(ProblemKind::UnknownAnchor { name }, span, None);
                None
            }
            Some(anchor) if anchor.open => {
                let related = self.tree.span(anchor.node);
                let related = Span::at(related.start);
                self.problem(ProblemKind::RecursiveAlias, span, Some(related));
                None
            }
            Some(anchor) if self.frames.len() + anchor.height > self.limits.max_depth => {
                let limit = self.limits.max_depth;
                self.problem(ProblemKind::TooDeep { limit }, span, None);
                None
            }
            Some(anchor) => self.may_repeat(anchor.size, span).then_some(anchor),
        };
        let Some(anchor) = data else {
            return self.leaf(Data::Null, span, ScalarStyle::Alias, None);
        };
        let node = self.push(Data::Alias(anchor.node), span, ScalarStyle::Alias);
        self.token_end = self.token_end.max(span.end);
        self.attach(node, anchor.size, anchor.height);
    }
}
