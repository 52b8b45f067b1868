//! Reads the form on paper.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use flow::{Auth, L4Set, ListenerId, PeerId, PeerSet, Peers};

use crate::text::is_plain;
use crate::{
    Effect, Fallback, Level, Origin, OriginId, Redirect, RequestRules, RequestsId, Rule, RuleSet, Tier, requests,
};

/// The greatest peer number that a text may name: a set is a bitmap, and a typing error must not fill the memory.
pub const MAX_PEER: u32 = (1 << 24) - 1;

/// A text that is no rule set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1; one past the last when the text ends too early.
    pub line: usize,
    /// What would have been right.
    pub expected: String,
    /// What stood there instead, or `the end of the line`, or `the end of the text`.
    pub found: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}, found {}", self.line, self.expected, self.found)
    }
}

impl std::error::Error for ParseError {}

impl RuleSet {
    /// Reads what a rule set prints as; see [`crate::text`]. Equal peer sets come out shared.
    ///
    /// Errors: the first line that is not understood.
    pub fn parse(text: &str) -> Result<RuleSet, ParseError> {
        let mut reader = Reader::default();
        let mut lines = 0;
        for (line, content) in (1..).zip(text.lines()) {
            lines = line;
            let mut words = Words::of(content, line)?;
            if !words.at_end() {
                reader.statement(&mut words)?;
                words.finish()?;
            }
        }
        reader.finish(lines + 1)
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    listeners: Vec<String>,
    requests: Vec<RequestRules>,
    names_by_port: bool,
    tiers: Vec<Tier>,
    fallback: Option<Fallback>,
    origins: Vec<Origin>,
    numbers: HashMap<Origin, OriginId>,
    /// Equal texts share one set.
    sets: HashMap<String, Arc<PeerSet>>,
}

impl Reader {
    fn statement(&mut self, words: &mut Words<'_>) -> Result<(), ParseError> {
        if self.fallback.is_some() {
            return Err(words.error("nothing after the fallback"));
        }
        match words.plain() {
            Some("listener") => self.listener(words),
            Some("requests") => self.requests(words),
            Some("request") => match self.requests.last_mut().filter(|_| self.tiers.is_empty()) {
                Some(rules) => requests::read_rule(&mut rules.requests.rules, words),
                None => Err(words.back("`requests` first, since none are open here")),
            },
            Some("names") => {
                words.keyword("by")?;
                words.keyword("port")?;
                self.names_by_port = true;
                Ok(())
            }
            Some("origin") => self.origin(words).map(|_| ()),
            Some("tier") => {
                let name = words.word("the name of a tier")?;
                self.tiers.push(Tier { name, levels: Vec::new(), end: None });
                Ok(())
            }
            Some("level") => {
                self.open_tier(words)?;
                let order = words.number("an order number below 2^32", u32::MAX)?;
                self.open_tier(words)?.levels.push(Level { order, rules: Vec::new() });
                Ok(())
            }
            Some(effect @ ("deny" | "allow" | "pass")) => {
                self.open_level(words)?;
                let rule = self.rule(effect, words)?;
                self.open_level(words)?.rules.push(rule);
                Ok(())
            }
            Some("end") => {
                self.open_tier(words)?;
                words.keyword("deny")?;
                let by = self.by_list(words)?;
                self.open_tier(words)?.end = Some(by);
                Ok(())
            }
            Some("fallback") => {
                self.fallback = Some(match words.plain() {
                    Some("allow") => Fallback::Allow,
                    Some("deny") => Fallback::Deny(self.by_list(words)?),
                    _ => return Err(words.back("`allow` or `deny`")),
                });
                Ok(())
            }
            _ => Err(words.back(
                "`listener`, `requests`, `request`, `names`, `origin`, `tier`, `level`, `deny`, `allow`, `pass`, `end` or `fallback`",
            )),
        }
    }

    /// The tier that statements now belong to.
    fn open_tier(&mut self, words: &mut Words<'_>) -> Result<&mut Tier, ParseError> {
        let open = self.tiers.last_mut().filter(|tier| tier.end.is_none());
        open.ok_or_else(|| words.back("`tier` first, since no tier is open here"))
    }

    /// The level that rules now belong to.
    fn open_level(&mut self, words: &mut Words<'_>) -> Result<&mut Level, ParseError> {
        let open = self.tiers.last_mut().filter(|tier| tier.end.is_none()).and_then(|tier| tier.levels.last_mut());
        open.ok_or_else(|| words.back("`level` first, since no level is open here"))
    }

    fn listener(&mut self, words: &mut Words<'_>) -> Result<(), ParseError> {
        let next = format!("l{}", self.listeners.len());
        if words.plain() != Some(&next) {
            return Err(words.back(&format!("`{next}`, the next listener")));
        }
        let name = words.word("the name of a listener")?;
        self.listeners.push(name);
        Ok(())
    }

    fn requests(&mut self, words: &mut Words<'_>) -> Result<(), ParseError> {
        let next = format!("q{}", self.requests.len());
        if words.plain() != Some(&next) {
            return Err(words.back(&format!("`{next}`, the next requests")));
        }
        let requests = requests::read_head(words)?;
        words.keyword("by")?;
        let origin = self.origin(words)?;
        self.requests.push(RequestRules { origin, requests });
        Ok(())
    }

    fn rule(&mut self, effect: &str, words: &mut Words<'_>) -> Result<Rule, ParseError> {
        words.keyword("peers")?;
        let peers = self.peers(words)?;
        words.keyword("l4")?;
        let l4 = words.list().and_then(|list| L4Set::parse(&list));
        let l4 = l4.ok_or_else(|| words.back("`any`, `none` or keys such as `tcp/80,udp/1000-2000`"))?;
        let effect = match effect {
            "deny" => Effect::Deny,
            "pass" => Effect::Pass,
            _ => {
                let redirect = words.take("redirect").then(|| self.redirect(words)).transpose()?;
                let auth = words.take("auth").then(|| auth(words)).transpose()?;
                Effect::Allow { redirect, auth }
            }
        };
        words.keyword("by")?;
        let origin = self.origin(words)?;
        Ok(Rule { peers, l4, effect, origin })
    }

    fn peers(&mut self, words: &mut Words<'_>) -> Result<Peers, ParseError> {
        if words.take("any") {
            return Ok(Peers::All);
        }
        let expected = "`any` or peer numbers below 2^24 such as `{3,7-9}`";
        let text = words.braces().ok_or_else(|| words.error(expected))?;
        if let Some(known) = self.sets.get(&text) {
            return Ok(Peers::Of(known.clone()));
        }
        let set = Arc::new(peer_set(&text).ok_or_else(|| words.back(expected))?);
        self.sets.insert(text, set.clone());
        Ok(Peers::Of(set))
    }

    fn redirect(&mut self, words: &mut Words<'_>) -> Result<Redirect, ParseError> {
        let number = words.plain().and_then(|word| word.strip_prefix('l')?.parse::<u16>().ok());
        let number = number.filter(|number| usize::from(*number) < self.listeners.len());
        let number = number.ok_or_else(|| words.back("a listener that is declared above, such as `l0`"))?;
        words.keyword("priority")?;
        let priority = words.number("a priority below 256", u32::from(u8::MAX))? as u8;
        let requests = words.take("requests").then(|| self.requests_number(words)).transpose()?;
        Ok(Redirect { listener: ListenerId(number), priority, requests })
    }

    fn requests_number(&self, words: &mut Words<'_>) -> Result<RequestsId, ParseError> {
        let number = words.plain().and_then(|word| word.strip_prefix('q')?.parse::<u32>().ok());
        let number = number.filter(|number| (*number as usize) < self.requests.len());
        number.map(RequestsId).ok_or_else(|| words.back("requests that are declared above, such as `q0`"))
    }

    /// Reads `by OBJECT PATH, …`, or nothing.
    fn by_list(&mut self, words: &mut Words<'_>) -> Result<Vec<OriginId>, ParseError> {
        let mut out = Vec::new();
        if words.take("by") {
            out.push(self.origin(words)?);
            while words.comma() {
                out.push(self.origin(words)?);
            }
        }
        Ok(out)
    }

    fn origin(&mut self, words: &mut Words<'_>) -> Result<OriginId, ParseError> {
        let object = words.word("the object of an origin")?;
        let path = words.word("the path of an origin, `\"\"` for none")?;
        let origin = Origin { object, path };
        let next = OriginId(self.origins.len() as u32);
        let origins = &mut self.origins;
        Ok(*self.numbers.entry(origin).or_insert_with_key(|origin| {
            origins.push(origin.clone());
            next
        }))
    }

    fn finish(self, line: usize) -> Result<RuleSet, ParseError> {
        let Some(fallback) = self.fallback else {
            let expected = "`fallback allow` or `fallback deny`".to_owned();
            return Err(ParseError { line, expected, found: "the end of the text".to_owned() });
        };
        let Reader { tiers, origins, listeners, requests, names_by_port, .. } = self;
        let mut rules = RuleSet { tiers, fallback, origins, listeners, requests, names_by_port };
        rules.sort_origins();
        Ok(rules)
    }
}

fn auth(words: &mut Words<'_>) -> Result<Auth, ParseError> {
    match words.plain() {
        Some("disabled") => Ok(Auth::Disabled),
        Some("required") => Ok(Auth::Required),
        Some("always-fail") => Ok(Auth::AlwaysFail),
        _ => Err(words.back("`disabled`, `required` or `always-fail`")),
    }
}

/// Reads the inside of braces: `3,7-9`, or nothing.
fn peer_set(text: &str) -> Option<PeerSet> {
    let mut set = PeerSet::default();
    if text.trim().is_empty() {
        return Some(set);
    }
    for item in text.split(',') {
        let (low, high) = item.split_once('-').unwrap_or((item, item));
        let (low, high) = (digits(low.trim())?, digits(high.trim())?);
        if low > high || high > MAX_PEER {
            return None;
        }
        (low..=high).for_each(|peer| {
            set.insert(PeerId(peer));
        });
    }
    Some(set)
}

/// Digits only: the standard parser would let a plus sign through.
fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// One token of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A run of plain characters.
    Plain(&'a str),
    /// The content of quotes, escapes resolved.
    Quoted(String),
    /// The content of braces.
    Braces(&'a str),
    Comma,
}

/// The tokens of one line, read from the left.
pub(crate) struct Words<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    line: usize,
}

impl<'a> Words<'a> {
    fn of(content: &'a str, line: usize) -> Result<Words<'a>, ParseError> {
        let mut tokens = Vec::new();
        let mut rest = content;
        loop {
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { break };
            let fail = |expected: &str| {
                Err(ParseError { line, expected: expected.to_owned(), found: format!("`{}`", rest.trim_end()) })
            };
            match first {
                '#' => break,
                ',' => {
                    tokens.push(Token::Comma);
                    rest = &rest[1..];
                }
                '{' => match rest.find('}') {
                    Some(end) => {
                        tokens.push(Token::Braces(&rest[1..end]));
                        rest = &rest[end + 1..];
                    }
                    None => return fail("a closing `}`"),
                },
                '"' => match quoted(&rest[1..]) {
                    Some((word, tail)) => {
                        tokens.push(Token::Quoted(word));
                        rest = tail;
                    }
                    None => {
                        return fail(
                            "a closing `\"` and only the escapes `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t`, `\\u{…}`",
                        );
                    }
                },
                plain if is_plain(plain) => {
                    let end = rest.find(|char| !is_plain(char)).unwrap_or(rest.len());
                    tokens.push(Token::Plain(&rest[..end]));
                    rest = &rest[end..];
                }
                _ => return fail("a word; other characters need quotes"),
            }
        }
        Ok(Words { tokens, next: 0, line })
    }

    pub(crate) fn at_end(&self) -> bool {
        self.next == self.tokens.len()
    }

    fn take_token(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    /// The next token if it is an unquoted word; moves on in any case.
    pub(crate) fn plain(&mut self) -> Option<&'a str> {
        match self.take_token() {
            Some(Token::Plain(word)) => Some(word),
            _ => None,
        }
    }

    /// Moves past an unquoted word if it comes next.
    pub(crate) fn take(&mut self, keyword: &str) -> bool {
        let comes = matches!(self.tokens.get(self.next), Some(Token::Plain(word)) if *word == keyword);
        self.next += usize::from(comes);
        comes
    }

    pub(crate) fn comma(&mut self) -> bool {
        let comes = self.tokens.get(self.next) == Some(&Token::Comma);
        self.next += usize::from(comes);
        comes
    }

    fn braces(&mut self) -> Option<String> {
        match self.tokens.get(self.next) {
            Some(Token::Braces(text)) => {
                self.next += 1;
                Some((*text).to_owned())
            }
            _ => None,
        }
    }

    /// Unquoted words joined by commas, as one text.
    fn list(&mut self) -> Option<String> {
        let mut text = self.plain()?.to_owned();
        while self.comma() {
            text.push(',');
            text.push_str(self.plain()?);
        }
        Some(text)
    }

    pub(crate) fn keyword(&mut self, keyword: &str) -> Result<(), ParseError> {
        if self.take(keyword) { Ok(()) } else { Err(self.error(&format!("`{keyword}`"))) }
    }

    pub(crate) fn word(&mut self, expected: &str) -> Result<String, ParseError> {
        match self.take_token() {
            Some(Token::Plain(word)) => Ok(word.to_owned()),
            Some(Token::Quoted(word)) => Ok(word),
            _ => Err(self.back(expected)),
        }
    }

    pub(crate) fn number(&mut self, expected: &str, max: u32) -> Result<u32, ParseError> {
        let number = self.plain().and_then(digits).filter(|number| *number <= max);
        number.ok_or_else(|| self.back(expected))
    }

    fn finish(&mut self) -> Result<(), ParseError> {
        if self.at_end() { Ok(()) } else { Err(self.error("the end of the line")) }
    }

    /// What is wrong with the next token.
    pub(crate) fn error(&self, expected: &str) -> ParseError {
        let found = match self.tokens.get(self.next) {
            None => "the end of the line".to_owned(),
            Some(Token::Plain(word)) => format!("`{word}`"),
            Some(Token::Quoted(word)) => format!("`{word:?}`"),
            Some(Token::Braces(text)) => format!("`{{{text}}}`"),
            Some(Token::Comma) => "`,`".to_owned(),
        };
        ParseError { line: self.line, expected: expected.to_owned(), found }
    }

    /// What is wrong with the token that was just taken.
    pub(crate) fn back(&mut self, expected: &str) -> ParseError {
        self.next = self.next.saturating_sub(1);
        self.error(expected)
    }
}

/// Reads up to the closing quote; gives the word and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((word, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                same @ ('"' | '\\') => word.push(same),
                'u' => {
                    let (open, brace) = chars.next()?;
                    let len = text[open..].find('}').filter(|_| brace == '{')?;
                    word.push(char::from_u32(u32::from_str_radix(&text[open + 1..open + len], 16).ok()?)?);
                    chars = text.char_indices();
                    chars.by_ref().take_while(|(at, _)| *at < open + len).for_each(drop);
                }
                _ => return None,
            },
            other => word.push(other),
        }
    }
    None
}
