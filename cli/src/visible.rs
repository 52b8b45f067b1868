//! Text for terminals: what manifests hold must not move the cursor, hide words or turn them round.

use std::borrow::Cow;

/// The text with every character that would do something instead of showing itself written out: `\u{7}` for a bell.
///
/// Kept are line ends, tabs and colours (`ESC [ digits m`); colours that hide text are written out too. Written out are control
/// characters of both ranges and those that change the direction of writing.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(acts) {
        out += &rest[..at];
        rest = &rest[at..];
        let kept = colour(rest);
        if kept > 0 {
            out += &rest[..kept];
            rest = &rest[kept..];
            continue;
        }
        let mut characters = rest.chars();
        out.extend(characters.next().into_iter().flat_map(char::escape_default));
        rest = characters.as_str();
    }
    out += rest;
    Cow::Owned(out)
}

/// Whether a character does something to a terminal.
fn acts(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// How many bytes of a colour a text begins with; 0 for none, and for one that hides what follows.
fn colour(text: &str) -> usize {
    let Some(codes) = text.strip_prefix("\u{1b}[") else { return 0 };
    let Some(end) = codes.find(|c: char| !c.is_ascii_digit() && c != ';') else { return 0 };
    let hides = codes[..end].split(';').any(|code| code.trim_start_matches('0') == "8");
    if codes[end..].starts_with('m') && !hides { 2 + end + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_would_act_is_written_out_and_the_rest_stays() {
        for (text, shown) in [
            ("plain\tté\n", "plain\tté\n"),
            ("bell\u{7}", "bell\\u{7}"),
            ("over\rwritten", "over\\rwritten"),
            ("\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{1b}[1;8mhidden", "\\u{1b}[1;8mhidden"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("\u{1b}", "\\u{1b}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
