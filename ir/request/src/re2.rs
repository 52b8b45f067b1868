//! From the syntax of RE2 to that of the `regex` crate, where they differ.
//!
//! | written | RE2 | `regex` | here |
//! | --- | --- | --- | --- |
//! | `\d \w \s \b` | ASCII | Unicode | written out as ASCII |
//! | `{` that begins no repetition | itself | an error, `{,3}` a repetition | itself |
//! | `[`, `&&`, `--`, `~~` in a class | themselves | nested classes and set operations | escaped |
//! | `\Q…\E` | the text itself | an error | escaped |
//! | `\012` | a character by octal number | an error | by hexadecimal number |
//! | `\C` | one byte | an error | one byte |
//! | `\<`, `\_` and the like | the character | a word boundary, an error | escaped |
//! | `\p{^Greek}` | the opposite | an error | `\P{Greek}` |
//! | `a**`, `(?x)`, `x{1001}` | errors | taken | errors |
//!
//! Source: `doc/syntax.txt` and `re2/parse.cc` of RE2; the documentation of `regex` and `regex-syntax`.

use std::iter::Peekable;
use std::str::Chars;

/// Greatest number in a repetition. Source: `maximum_repeat_count` of RE2.
const MAX_REPEAT: u32 = 1000;

/// An expression that means the same to `regex`.
///
/// Errors: what RE2 refuses and `regex` would take. What both refuse may come out as it is.
pub(crate) fn translate(text: &str) -> Result<String, String> {
    let mut writer = Writer { rest: text.chars().peekable(), out: String::new(), repeatable: false };
    while let Some(c) = writer.rest.next() {
        writer.one(c)?;
    }
    Ok(writer.out)
}

struct Writer<'t> {
    rest: Peekable<Chars<'t>>,
    out: String,
    /// Whether a repetition may follow.
    repeatable: bool,
}

impl Writer<'_> {
    fn one(&mut self, c: char) -> Result<(), String> {
        let repeatable = std::mem::replace(&mut self.repeatable, true);
        match c {
            '*' | '+' | '?' => return self.repetition(c.to_string(), repeatable),
            '{' => match self.counts()? {
                Some(counts) => return self.repetition(counts, repeatable),
                None => self.out.push_str("\\{"),
            },
            '[' => self.class()?,
            '\\' => self.escape()?,
            '(' => {
                self.repeatable = false;
                self.out.push('(');
                if self.rest.next_if_eq(&'?').is_some() {
                    self.group()?;
                }
            }
            '|' => {
                self.repeatable = false;
                self.out.push('|');
            }
            other => self.out.push(other),
        }
        Ok(())
    }

    fn repetition(&mut self, operator: String, repeatable: bool) -> Result<(), String> {
        if !repeatable {
            return Err(format!("nothing stands in front of `{operator}`"));
        }
        self.out.push_str(&operator);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        // Why: RE2 refuses a repetition of a repetition.
        self.repeatable = false;
        Ok(())
    }

    /// Reads `3}`, `3,}` or `3,5}`; `None`, and nothing is taken, when it is something else.
    fn counts(&mut self) -> Result<Option<String>, String> {
        let mut ahead = self.rest.clone();
        let mut inside = String::new();
        loop {
            match ahead.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => inside.push(c),
                _ => return Ok(None),
            }
        }
        let (low, high) = inside.split_once(',').map_or((inside.as_str(), None), |(low, high)| (low, Some(high)));
        if low.is_empty() || high.is_some_and(|high| high.contains(',')) {
            return Ok(None);
        }
        self.rest = ahead;
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= MAX_REPEAT);
        let too_many = || format!("`{{{inside}}}` repeats more than {MAX_REPEAT} times");
        let low = number(low).ok_or_else(too_many)?;
        if let Some(high) = high.filter(|high| !high.is_empty()) {
            let high = number(high).ok_or_else(too_many)?;
            if high < low {
                return Err(format!("`{{{inside}}}` ends before it begins"));
            }
        }
        Ok(Some(format!("{{{inside}}}")))
    }

    /// Behind `(?`.
    fn group(&mut self) -> Result<(), String> {
        self.out.push('?');
        let mut flags = String::new();
        while let Some(c) = self.rest.next() {
            flags.push(c);
            match c {
                'i' | 'm' | 's' | 'U' | '-' => {}
                ':' | ')' => {
                    self.out.push_str(&flags);
                    return Ok(());
                }
                'P' | '<' if flags.len() == 1 => return self.named(c),
                other => return Err(format!("`(?{other}` is no group")),
            }
        }
        Err("a group is not closed".to_owned())
    }

    fn named(&mut self, first: char) -> Result<(), String> {
        if first == 'P' && self.rest.next() != Some('<') {
            return Err("`(?P` begins a name in `<…>`".to_owned());
        }
        let mut name = String::new();
        for c in self.rest.by_ref() {
            match c {
                '>' => {
                    self.out.push_str(&format!("P<{name}>"));
                    return Ok(());
                }
                c if c.is_ascii_alphanumeric() || c == '_' => name.push(c),
                other => return Err(format!("`{other}` stands in the name of a group")),
            }
        }
        Err("the name of a group is not closed".to_owned())
    }

    /// Behind a backslash outside classes.
    fn escape(&mut self) -> Result<(), String> {
        match self.rest.peek().copied() {
            Some('Q') => {
                self.rest.next();
                self.quoted();
            }
            Some('E') => {
                self.rest.next();
            }
            Some('C') => {
                self.rest.next();
                self.out.push_str("(?s-u:.)");
            }
            Some(c @ ('b' | 'B')) => {
                self.rest.next();
                self.out.push_str(&format!("(?-u:\\{c})"));
            }
            Some(c @ ('A' | 'z')) => {
                self.rest.next();
                self.out.push_str(&format!("\\{c}"));
            }
            _ => match escaped(&mut self.rest)? {
                Escaped::Char(c) => self.out.push_str(&literal(c)),
                Escaped::Set(set, negated) => {
                    let open = if negated { "[^" } else { "[" };
                    self.out.push_str(&format!("{open}{set}]"));
                }
                Escaped::Property(property) => self.out.push_str(&property),
            },
        }
        Ok(())
    }

    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.out.push_str(&literal(c));
        }
    }

    /// Behind `[`.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.rest.next().ok_or("a class is not closed")?;
            match c {
                ']' if !first => break,
                '[' if self.rest.peek() == Some(&':') => self.named_class()?,
                c => self.range(c)?,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:alpha:]`, behind its first bracket; without its end the bracket stands for itself.
    fn named_class(&mut self) -> Result<(), String> {
        let mut ahead = self.rest.clone();
        ahead.next();
        let name: String = ahead.by_ref().take_while(|c| *c != ':').collect();
        if ahead.next() != Some(']') {
            return self.range('[');
        }
        self.rest = ahead;
        self.out.push_str(&format!("[:{name}:]"));
        Ok(())
    }

    /// One character, set or range of a class that begins with `c`.
    fn range(&mut self, c: char) -> Result<(), String> {
        let low = match c {
            '\\' => match escaped(&mut self.rest)? {
                Escaped::Char(c) => c,
                Escaped::Set(set, false) => {
                    self.out.push_str(set);
                    return Ok(());
                }
                Escaped::Set(set, true) => {
                    self.out.push_str(&format!("[^{set}]"));
                    return Ok(());
                }
                Escaped::Property(property) => {
                    self.out.push_str(&property);
                    return Ok(());
                }
            },
            c => c,
        };
        self.out.push_str(&literal(low));
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || ahead.peek().is_none_or(|c| *c == ']') {
            return Ok(());
        }
        self.rest = ahead;
        let high = match self.rest.next() {
            Some('\\') => match escaped(&mut self.rest)? {
                Escaped::Char(c) => c,
                _ => return Err("a range of characters ends in a set".to_owned()),
            },
            Some(c) => c,
            None => return Err("a class is not closed".to_owned()),
        };
        if high < low {
            return Err(format!("the range `{low}-{high}` ends before it begins"));
        }
        self.out.push('-');
        self.out.push_str(&literal(high));
        Ok(())
    }
}

/// What an escape stands for, in a class or outside.
enum Escaped {
    Char(char),
    /// The inside of a class, and whether the opposite is meant.
    Set(&'static str, bool),
    Property(String),
}

/// Reads behind a backslash.
fn escaped(rest: &mut Peekable<Chars<'_>>) -> Result<Escaped, String> {
    let c = rest.next().ok_or("a backslash stands at the end")?;
    Ok(match c {
        'd' | 'D' => Escaped::Set("0-9", c == 'D'),
        's' | 'S' => Escaped::Set("\\t\\n\\x0c\\r ", c == 'S'),
        'w' | 'W' => Escaped::Set("0-9A-Za-z_", c == 'W'),
        'a' => Escaped::Char('\x07'),
        'f' => Escaped::Char('\x0c'),
        't' => Escaped::Char('\t'),
        'n' => Escaped::Char('\n'),
        'r' => Escaped::Char('\r'),
        'v' => Escaped::Char('\x0b'),
        'x' => Escaped::Char(hexadecimal(rest)?),
        '0' => Escaped::Char(octal(rest, 0, 2)),
        // One digit alone would be a back reference, which no linear matcher has.
        '1'..='7' if rest.peek().is_some_and(|c| ('0'..='7').contains(c)) => {
            Escaped::Char(octal(rest, c as u32 - '0' as u32, 2))
        }
        'p' | 'P' => Escaped::Property(property(c, rest)?),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Escaped::Char(c),
        other => return Err(format!("`\\{other}` is no escape")),
    })
}

fn octal(rest: &mut Peekable<Chars<'_>>, first: u32, more: usize) -> char {
    let mut number = first;
    for _ in 0..more {
        let Some(digit) = rest.next_if(|c| ('0'..='7').contains(c)).and_then(|c| c.to_digit(8)) else { break };
        number = number * 8 + digit;
    }
    // Cannot fail: three octal digits end at 511, and every number that small is a character.
    char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn hexadecimal(rest: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    let digits: String = if rest.next_if_eq(&'{').is_some() {
        let mut digits = String::new();
        loop {
            match rest.next() {
                Some('}') => break digits,
                Some(c) => digits.push(c),
                None => return Err("`\\x{` is not closed".to_owned()),
            }
        }
    } else {
        rest.by_ref().take(2).collect::<String>()
    };
    let valid = digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(&digits, 16).ok());
    let char = valid.flatten().and_then(char::from_u32);
    char.ok_or_else(|| format!("`\\x{digits}` is no character"))
}

fn property(letter: char, rest: &mut Peekable<Chars<'_>>) -> Result<String, String> {
    let mut negated = letter == 'P';
    let name = match rest.next() {
        Some('{') => {
            let mut name: String = rest.by_ref().take_while(|c| *c != '}').collect();
            if let Some(positive) = name.strip_prefix('^') {
                (negated, name) = (!negated, positive.to_owned());
            }
            name
        }
        Some(c) => c.to_string(),
        None => String::new(),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("`\\{letter}{name}` is no property of characters"));
    }
    Ok(format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }))
}

/// A character that stands for itself, in a class or outside.
fn literal(c: char) -> String {
    match c {
        c if c.is_ascii_alphanumeric() || !c.is_ascii() => c.to_string(),
        c => format!("\\x{{{:x}}}", c as u32),
    }
}
