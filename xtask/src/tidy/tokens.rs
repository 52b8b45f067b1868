//! Rust sources as tokens: comments and strings gone, test code told from the rest.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::str::FromStr;

/// One word of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The identifier.
    pub text: String,
    /// From 1.
    pub line: usize,
}

/// A path such as `std::fs::read`, groups of a `use` taken apart. A glob ends in `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Its segments.
    pub segments: Vec<String>,
    /// From 1, of its first segment.
    pub line: usize,
}

/// A `mod name;` of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name, below the inline modules around it: `a/b` for `mod a { mod b; }`.
    pub name: String,
    /// The content of `#[path = …]`.
    pub path: Option<String>,
    /// Whether it stands under `#[cfg(test)]`.
    pub test: bool,
}

/// A call of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub name: String,
    /// From 1, of the name.
    pub line: usize,
    /// Whether it takes nothing.
    pub is_empty: bool,
    /// Whether it takes a text that is written there.
    pub of_text: bool,
}

/// The tokens of a source; none when it does not even lex (the compiler says more about that than we could).
pub fn lex(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap_or_default()
}

/// The tokens without items under `#[cfg(test)]` or `#[test]`.
pub fn without_tests(tokens: TokenStream) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        if let Some(attribute) = attribute(&trees, at)
            && is_test(&attribute)
        {
            at = after_item(&trees, at);
            continue;
        }
        out.push(match &trees[at] {
            TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), without_tests(group.stream()));
                inner.set_span(group.span());
                inner.into()
            }
            tree => tree.clone(),
        });
        at += 1;
    }
    out.into_iter().collect()
}

/// Every identifier, in order.
pub fn words(tokens: &TokenStream) -> Vec<Word> {
    let mut out = Vec::new();
    visit(tokens, &mut |trees| {
        for tree in trees {
            if let TokenTree::Ident(ident) = tree {
                out.push(Word { text: ident.to_string(), line: ident.span().start().line });
            }
        }
    });
    out
}

/// Every call of a method, in no particular order.
pub fn calls(tokens: &TokenStream) -> Vec<Call> {
    let mut out = Vec::new();
    visit(tokens, &mut |trees| {
        for three in trees.windows(3) {
            let [TokenTree::Punct(dot), TokenTree::Ident(name), TokenTree::Group(group)] = three else { continue };
            if dot.as_char() == '.' && group.delimiter() == Delimiter::Parenthesis {
                let first = group.stream().into_iter().next();
                let of_text = matches!(&first, Some(TokenTree::Literal(text)) if text.to_string().contains('"'));
                let (name, line) = (name.to_string(), name.span().start().line);
                out.push(Call { name, line, is_empty: first.is_none(), of_text });
            }
        }
    });
    out
}

/// Every attribute, as its words in order: `#[cfg(test)]` is `["cfg", "test"]`.
pub fn attributes(tokens: &TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut out = Vec::new();
    visit(tokens, &mut |trees| {
        for at in 0..trees.len() {
            if let Some(stream) = attribute(trees, at) {
                let line = trees[at].span().start().line;
                out.push((words(&stream).into_iter().map(|word| word.text).collect(), line));
            }
        }
    });
    out
}

/// Every path of two segments or more.
pub fn paths(tokens: &TokenStream) -> Vec<Path> {
    let mut out = Vec::new();
    collect_paths(tokens, &mut out);
    out
}

fn collect_paths(tokens: &TokenStream, out: &mut Vec<Path>) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while at < trees.len() {
        at = match &trees[at] {
            TokenTree::Ident(_) => path_at(&trees, at, &[], out),
            TokenTree::Group(group) => {
                collect_paths(&group.stream(), out);
                at + 1
            }
            _ => at + 1,
        };
    }
}

/// Every `mod name;`, and every name given to a macro at the level of items: registries such as `checks! { … }` declare
/// their modules that way, and the reader of this list looks which of them are files.
pub fn modules(tokens: &TokenStream) -> Vec<Module> {
    let mut out = Vec::new();
    collect_modules(tokens, "", false, &mut out);
    out
}

fn collect_modules(tokens: &TokenStream, above: &str, test: bool, out: &mut Vec<Module>) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let (mut under_test, mut path) = (test, None);
    for at in 0..trees.len() {
        if let Some(attribute) = attribute(&trees, at) {
            under_test |= is_test(&attribute);
            path = path_attribute(&attribute).or(path);
            continue;
        }
        match (&trees[at], trees.get(at + 1), trees.get(at + 2)) {
            (TokenTree::Ident(word), Some(TokenTree::Ident(name)), Some(next)) if word == "mod" => {
                let name = format!("{above}{name}");
                match next {
                    TokenTree::Group(group) => collect_modules(&group.stream(), &format!("{name}/"), under_test, out),
                    _ => out.push(Module { name, path: path.take(), test: under_test }),
                }
            }
            (TokenTree::Punct(bang), Some(TokenTree::Group(group)), _) if bang.as_char() == '!' => {
                for word in words(&group.stream()) {
                    out.push(Module { name: format!("{above}{}", word.text), path: None, test: under_test });
                }
            }
            (TokenTree::Punct(end), ..) if end.as_char() == ';' => (under_test, path) = (test, None),
            (TokenTree::Group(group), ..) if group.delimiter() == Delimiter::Brace => (under_test, path) = (test, None),
            _ => {}
        }
    }
}

/// Calls a function with the trees of the stream and of every group in it.
fn visit(tokens: &TokenStream, each: &mut impl FnMut(&[TokenTree])) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    each(&trees);
    for tree in &trees {
        if let TokenTree::Group(group) = tree {
            visit(&group.stream(), each);
        }
    }
}

/// Reads the path that begins at `at` behind a prefix; gives the position after it.
fn path_at(trees: &[TokenTree], mut at: usize, prefix: &[String], out: &mut Vec<Path>) -> usize {
    let mut segments = prefix.to_vec();
    let line = trees[at].span().start().line;
    loop {
        match trees.get(at) {
            Some(TokenTree::Ident(ident)) => segments.push(ident.to_string()),
            Some(TokenTree::Punct(star)) if star.as_char() == '*' && segments.len() > prefix.len() => {
                segments.push("*".into())
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace && !segments.is_empty() => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut position = 0;
                while position < inner.len() {
                    position = match &inner[position] {
                        TokenTree::Ident(_) => path_at(&inner, position, &segments, out),
                        _ => position + 1,
                    };
                }
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if !is_colons(trees, at) {
            break;
        }
        at += 2;
    }
    if segments.len() > 1 {
        out.push(Path { segments, line });
    }
    at
}

fn is_colons(trees: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

/// The content of the attribute whose `#` stands at `at`.
fn attribute(trees: &[TokenTree], at: usize) -> Option<TokenStream> {
    let TokenTree::Punct(hash) = trees.get(at)? else { return None };
    if hash.as_char() != '#' {
        return None;
    }
    let inner = matches!(trees.get(at + 1), Some(TokenTree::Punct(bang)) if bang.as_char() == '!');
    match trees.get(at + 1 + usize::from(inner))? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group.stream()),
        _ => None,
    }
}

fn is_test(attribute: &TokenStream) -> bool {
    let words: Vec<String> = words(attribute).into_iter().map(|word| word.text).collect();
    words == ["test"]
        || (words.first().is_some_and(|first| first == "cfg")
            && words.contains(&"test".into())
            && !words.contains(&"not".into()))
}

fn path_attribute(attribute: &TokenStream) -> Option<String> {
    let trees: Vec<TokenTree> = attribute.clone().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(path), TokenTree::Punct(_), TokenTree::Literal(text)] if path == "path" => {
            Some(text.to_string().trim_matches('"').to_string())
        }
        _ => None,
    }
}

/// The position after the item that the attribute at `at` belongs to: behind its `;` or its braces.
fn after_item(trees: &[TokenTree], mut at: usize) -> usize {
    while at < trees.len() {
        let ends = match &trees[at] {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        at += 1;
        if ends {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        paths(&lex(text)).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn a_group_of_imports_is_taken_apart() {
        assert_eq!(
            found("use std::{fs, net::{IpAddr, TcpStream}, time::*};"),
            ["std::fs", "std::net::IpAddr", "std::net::TcpStream", "std::time::*"]
        );
    }

    #[test]
    fn comments_strings_and_tests_are_no_code() {
        let text =
            "// std::fs\n const A: &str = \"std::fs\"; #[cfg(test)] mod tests { use std::fs; } fn f() { a::b() }";
        assert_eq!(paths(&without_tests(lex(text))).len(), 1);
    }

    #[test]
    fn code_left_out_of_tests_is_code() {
        let text = "#[cfg(not(test))] fn f() { std::fs::read(a) }";
        assert_eq!(paths(&without_tests(lex(text))).len(), 1);
    }

    #[test]
    fn modules_of_tests_are_told_from_the_others() {
        let names: Vec<(String, bool)> = modules(&lex("mod a; #[cfg(test)] mod b; mod c { mod d; } kinds! { e }"))
            .into_iter()
            .map(|m| (m.name, m.test))
            .collect();
        let expected = [("a", false), ("b", true), ("c/d", false), ("e", false)];
        assert_eq!(names, expected.map(|(name, test)| (name.to_string(), test)));
    }
}
