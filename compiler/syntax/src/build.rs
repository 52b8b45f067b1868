//! Builds the tree of one chunk from its events.

use std::borrow::Cow;
use std::collections::HashMap;

use source::Span;

use crate::chunks::lines;
use crate::event::{Event, Failure, Properties, Reason};
use crate::scalar::{self, Resolved};
use crate::tree::{Data, Node};
use crate::{Comment, Entry, Limits, NodeId, Problem, ProblemKind, ScalarStyle, Tree, Value};

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

    /// The first dash of a block sequence, which the parser places at the dash or, where the sequence is not
    /// indented, after it.
    fn first_dash(&self, item: Span) -> Span {
        let text = &self.tree.text;
        let mut from = self.token_end;
        let to = item.end + 1;
        // Why: the first dash of the sequence around is a token we have passed, its others are not.
        let around = self.frames.last().filter(|frame| {
            let node = &self.tree.nodes[frame.node.0 as usize];
            !frame.mapping && node.style == ScalarStyle::Block
        });
        if around.is_some_and(|frame| self.children.len() > frame.first) {
            from = indicator(text, from, to, b"-").map_or(from, |at| at + 1);
        }
        indicator(text, from, to, b"-").map_or(item, |at| Span::new(at, at + 1))
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
        let children = self.children.split_off(frame.first);
        let own = self.tree.nodes[frame.node.0 as usize];
        let span = self.collection_span(&own, &children, frame.mapping, end);
        self.token_end = self.token_end.max(span.end);
        let data = if frame.mapping {
            self.mapping(frame.node, &children)
        } else {
            let first = self.tree.items.len() as u32;
            self.tree.items.extend_from_slice(&children);
            Data::Sequence(first, self.tree.items.len() as u32)
        };
        let node = &mut self.tree.nodes[frame.node.0 as usize];
        node.data = data;
        node.span = span;
        self.remember(frame.anchor, frame.node, frame.size, frame.height, false);
        self.attach(frame.node, frame.size, frame.height);
    }

    /// Brackets delimit a flow collection; a block collection is as long as its children.
    fn collection_span(&self, own: &Node, children: &[NodeId], mapping: bool, end: Span) -> Span {
        let bracket = self.tree.text.as_bytes().get(own.span.start as usize);
        if own.style == ScalarStyle::Flow && matches!(bracket, Some(b'{' | b'[')) {
            return Span::new(own.span.start, end.end.max(own.span.end));
        }
        let span_of = |id: &NodeId| self.tree.nodes[id.0 as usize].span;
        let first = children.first().map_or(own.span, span_of);
        let last = children.last().map_or(first, span_of);
        let start = if mapping { first.start } else { own.span.start.min(first.start) };
        Span::new(start, last.end)
    }

    fn mapping(&mut self, map: NodeId, children: &[NodeId]) -> Data {
        let mut entries = Vec::with_capacity(children.len() / 2 + 1);
        let mut merges = false;
        for pair in children.chunks(2) {
            let key = pair[0];
            // Why: a chunk that ends too early leaves its last key without a value.
            let value = pair.get(1).copied().unwrap_or_else(|| self.absent(map, key));
            merges |= self.is_merge(key);
            entries.push(Entry { key, value });
        }
        self.check_keys(&entries);
        let first = self.tree.entries.len() as u32;
        if merges {
            for entry in entries {
                if self.is_merge(entry.key) {
                    self.tree.merges.push((map, entry));
                    self.merge(entry.value);
                } else {
                    self.tree.entries.push(entry);
                }
            }
        } else {
            self.tree.entries.extend(entries);
        }
        Data::Mapping(first, self.tree.entries.len() as u32)
    }

    fn absent(&mut self, map: NodeId, key: NodeId) -> NodeId {
        let end = self.tree.span(key).end;
        let id = self.push(Data::Null, Span::at(end), ScalarStyle::Plain);
        self.tree.nodes[id.0 as usize].parent = map;
        id
    }

    fn is_merge(&self, key: NodeId) -> bool {
        let node = self.tree.nodes[key.0 as usize];
        node.style == ScalarStyle::Plain && node.span.len() == 2 && node.span.slice(&self.tree.text) == "<<"
    }

    /// Splices the entries of merged mappings in at this place; of a list, earlier ones count more,
    /// so they come later.
    fn merge(&mut self, value: NodeId) {
        let target = self.tree.target(value);
        let listed = match self.tree.value(target) {
            Value::Sequence(items) => items.iter().rev().copied().collect(),
            _ => vec![value],
        };
        let mut maps = Vec::with_capacity(listed.len());
        for item in listed {
            let node = self.tree.nodes[item.0 as usize];
            let map = self.tree.target(item);
            match self.tree.value(map) {
                Value::Mapping(_) => maps.push(map),
                // Why: an alias that was refused has its problem already.
                Value::Null if node.style == ScalarStyle::Alias && map == item => {}
                _ => return self.problem(ProblemKind::BadMerge, self.tree.span(value), None),
            }
        }
        for map in maps {
            let Data::Mapping(start, end) = self.tree.nodes[map.0 as usize].data else {
                continue;
            };
            if !self.may_repeat(u64::from(end - start), self.tree.span(value)) {
                return;
            }
            self.tree.entries.extend_from_within(start as usize..end as usize);
        }
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

    fn scalar(&mut self, text: &str, style: ScalarStyle, properties: &Properties<'_>, span: Span) {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let span = if block { self.block_span(span) } else { span };
        // Why: the parser names an absent value `~`; only its empty span tells them apart.
        let absent = style == ScalarStyle::Plain && span.is_empty();
        let text = if absent { "" } else { text };
        let span = if absent { self.absent_span(span) } else { span };
        if style == ScalarStyle::Plain {
            self.check_plain(span);
        }
        let resolved = match properties.tag() {
            None if style == ScalarStyle::Plain => scalar::resolve(text),
            None => Resolved::Text,
            Some(tag) => scalar::resolve_as(&tag, text).unwrap_or_else(|| {
                self.problem(ProblemKind::TagMismatch { tag }, span, None);
                Resolved::Text
            }),
        };
        let data = match resolved {
            Resolved::Null => Data::Null,
            Resolved::Bool(value) => Data::Bool(value),
            Resolved::Int(value) => Data::Int(value),
            Resolved::UInt(value) => Data::UInt(value),
            Resolved::Float(value) => Data::Float(value),
            Resolved::Text => self.text(text, style, span),
            Resolved::NotJson => {
                self.problem(ProblemKind::NotJson, span, None);
                self.text(text, style, span)
            }
        };
        self.leaf(data, span, style, properties.anchor);
    }

    /// The parser puts an absent value before the colon of its key, or at the next token; ours
    /// stands after the colon, on the line of the token before.
    fn absent_span(&self, span: Span) -> Span {
        let before = Span::new(self.token_end, span.start).slice(&self.tree.text);
        let blanks = before.len() - before.trim_ascii_end().len();
        let at = span.start - blanks as u32;
        let is_value =
            self.frames.last().is_some_and(|frame| frame.mapping && (self.children.len() - frame.first) % 2 == 1);
        let colon = self.tree.text.as_bytes().get(at as usize) == Some(&b':');
        Span::at(at + u32::from(is_value && colon))
    }

    /// Text that stands in the source as it is needs no copy.
    fn text(&mut self, text: &str, style: ScalarStyle, span: Span) -> Data {
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let inner = if quoted && span.len() >= 2 { Span::new(span.start + 1, span.end - 1) } else { span };
        let source = inner.slice(&self.tree.text);
        let restored = self.masked && source.len() == text.len();
        if source == text || restored {
            return Data::Source(inner.start, inner.end);
        }
        let start = self.tree.decoded.len() as u32;
        self.tree.decoded.push_str(text);
        Data::Decoded(start, self.tree.decoded.len() as u32)
    }

    /// The parser's span of a block scalar starts at its content and ends after blank lines. Ours
    /// starts at `|` or `>` and ends after the last line that counts.
    fn block_span(&self, content: Span) -> Span {
        let text = &self.tree.text;
        let Some(start) = indicator(text, self.token_end, content.end, b"|>") else {
            return content;
        };
        let end = content.end.max(start + 1);
        let whole = Span::new(start, end).slice(text);
        let header = whole.split(['\n', '\r', ' ', '#']).next().unwrap_or("");
        // Why: `+` keeps blank lines, and an explicit indent does not show which lines are blank.
        if header.contains(|c: char| c == '+' || c.is_ascii_digit()) {
            return Span::new(start, end);
        }
        let body = whole.find('\n').map_or("", |at| &whole[at + 1..]);
        let mut length = whole.len();
        let indent = lines(body)
            .find(|line| !line.trim_ascii().is_empty())
            .map_or(usize::MAX, |line| line.len() - line.trim_ascii_start().len());
        // Why: a blank line that is longer than the indent is content.
        let blank = |line: &&str| line.trim_ascii().is_empty() && line.trim_end_matches(['\n', '\r']).len() <= indent;
        let all: Vec<&str> = lines(body).collect();
        for line in all.iter().rev().take_while(|line| blank(line)) {
            length -= line.len();
        }
        Span::new(start, start + length as u32)
    }

    /// The parser lets a comment pass inside a plain scalar when a tab precedes it; the API server's
    /// reader does not.
    fn check_plain(&mut self, span: Span) {
        let text = self.tree.text.clone();
        let raw = span.slice(&text);
        let Some(first) = lines(raw).next().filter(|line| line.len() < raw.len()) else {
            return;
        };
        let mut at = span.start + first.len() as u32;
        for line in lines(&raw[first.len()..]) {
            let indent = (line.len() - line.trim_ascii_start().len()) as u32;
            if line.trim_ascii_start().starts_with('#') {
                let message = "a comment cannot stand inside a plain value".to_owned();
                let comment = Span::new(at + indent, at + line.trim_ascii_end().len() as u32);
                return self.problem(ProblemKind::Syntax { message }, comment, None);
            }
            at += line.len() as u32;
        }
    }
}

/// Finds one of the indicators `wanted` between the end of a token and the next token, past
/// blanks, comments, tags and anchors.
fn indicator(text: &str, from: u32, to: u32, wanted: &[u8]) -> Option<u32> {
    let bytes = text.as_bytes();
    let mut at = from as usize;
    let to = (to as usize).min(bytes.len());
    while at < to {
        let byte = bytes[at];
        let line_start = at == 0 || matches!(bytes[at - 1], b'\n' | b'\r');
        let rest = &bytes[at..];
        at = match byte {
            b'#' | b'%' => skip(bytes, at, b"\n\r"),
            b'-' | b'.' if line_start && (rest.starts_with(b"---") || rest.starts_with(b"...")) => at + 3,
            _ if wanted.contains(&byte) => return Some(at as u32),
            b'&' | b'!' => skip(bytes, at, b" \t\n\r"),
            _ => at + 1,
        };
    }
    None
}

fn skip(bytes: &[u8], from: usize, stop: &[u8]) -> usize {
    let rest = &bytes[from..];
    let length = rest.iter().position(|byte| stop.contains(byte));
    from + length.unwrap_or(rest.len())
}

/// Keys.
impl Builder<'_> {
    /// Reports keys that JSON cannot name and keys that stand twice.
    fn check_keys(&mut self, entries: &[Entry]) {
        let mut faults = Vec::new();
        let mut seen: HashMap<Cow<'_, str>, NodeId> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if self.is_merge(entry.key) {
                continue;
            }
            let span = self.tree.span(entry.key);
            let Some(key) = self.tree.json_key(entry.key) else {
                faults.push((ProblemKind::NonStringKey, span, None));
                continue;
            };
            // Why: most mappings are short, and there comparing beats hashing.
            let before = if entries.len() <= 16 {
                let mut earlier = entries[..index].iter().rev();
                let same = |e: &&Entry| !self.is_merge(e.key) && self.tree.json_key(e.key).as_ref() == Some(&key);
                earlier.find(same).map(|e| e.key)
            } else {
                seen.insert(key.clone(), entry.key)
            };
            if let Some(before) = before {
                let key = key.into_owned();
                let related = Some(self.tree.span(before));
                faults.push((ProblemKind::DuplicateKey { key }, span, related));
            }
        }
        for (kind, span, related) in faults {
            self.problem(kind, span, related);
        }
    }
}
