//! Changes of values and of texts that make a right object a wrong one.

use crate::random::Random;
use crate::value::Value;

/// Scalars that readers of YAML disagree about, or that are close to a limit.
const ODD: &[&str] = &[
    "~",
    "null",
    "yes",
    "off",
    "0x50",
    "0o17",
    "010",
    "1e3",
    "1e999",
    "-0",
    ".5",
    ".inf",
    ".nan",
    "65535",
    "65536",
    "-1",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999999",
    "2024-01-01",
    "12:30:45",
    "\"\"",
    "''",
    "*a0",
    "!!int \"5\"",
    "!!str 5",
    "!!binary aGk=",
    "\"\\u0000\"",
    "\"\\ud83d\"",
    "|",
    ">",
    "-",
    "?",
    "{}",
    "[]",
    "{{ x }}",
    "<<",
    "=",
    "0.1",
    "1_000",
    "+12",
    "true",
    "False",
    "\"10.0.0.0/33\"",
    "\"::/0\"",
    "0/0",
];

/// Texts that are long, empty, foreign or nearly something else.
const TEXTS: &[&str] = &[
    "",
    " ",
    "é",
    "名前",
    "a\u{301}",
    "😀",
    "\u{feff}x",
    "\u{202e}abc",
    "a\nb",
    "a\tb",
    "\u{0}",
    "::ffff:10.0.0.1",
    "::ffff:10.0.0.0/104",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "300.1.1.1/8",
    "fe80::1%eth0",
    "10.0.0.1/24",
    "0.0.0.0/0",
    "::/0",
    "/",
    "a/b/c",
    "k8s:",
    ":a",
    "any:x",
    "reserved:host",
    "*",
    "**",
    "*.*.",
    "**.a",
    "a..b",
    ".",
    "-",
    "65536",
    "0",
    "-1",
    "99999999999",
    "1.5",
    "http",
    "HTTP",
    "In",
    "in",
    "{{ .Values.x }}",
    "%s",
    "${x}",
    "$(x)",
    "../..",
    "a,b",
    "a=b",
    "\"",
    "'",
    "\\",
    "[",
    "{",
    "(",
    "(?i)x",
    "x{99}",
    "]",
];

/// Changes a value in one place.
pub fn value(value: &mut Value, random: &mut Random) {
    let places = value.size();
    let (chosen, mut at) = (random.below(places), 0);
    let copy = value.clone();
    value.visit(&mut |place| {
        if at == chosen {
            change(place, &copy, random);
        }
        at += 1;
    });
}

fn change(place: &mut Value, whole: &Value, random: &mut Random) {
    match random.below(12) {
        0 => *place = Value::Null,
        1 | 2 => *place = Value::Raw((random.pick_copy(ODD)).to_owned()),
        3 | 4 => *place = Value::text(random.pick_copy(TEXTS)),
        5 => *place = Value::List(vec![place.clone(); random.between(0, 3)]),
        6 => *place = Value::Map(vec![((random.pick_copy(TEXTS)).to_owned(), place.clone())]),
        7 => *place = another(whole, random),
        8 => {
            let deep = random.pick_copy(&[3, 30, 140]);
            for _ in 0..deep {
                let inner = std::mem::replace(place, Value::Null);
                *place = if random.chance(1, 2) {
                    Value::List(vec![inner])
                } else {
                    Value::Map(vec![("matchLabels".to_owned(), inner)])
                };
            }
        }
        _ => inside(place, whole, random),
    }
}

fn inside(place: &mut Value, whole: &Value, random: &mut Random) {
    match place {
        Value::Map(entries) if !entries.is_empty() => {
            let at = random.below(entries.len());
            match random.below(6) {
                0 => drop(entries.remove(at)),
                1 => entries.insert(random.below(entries.len()), entries[at].clone()),
                2 => entries[at].0 = (random.pick_copy(TEXTS)).to_owned(),
                3 => entries[at].0.make_ascii_uppercase(),
                4 => {
                    let other = random.below(entries.len());
                    entries[at].1 = entries[other].1.clone();
                }
                _ => entries.push((entries[at].0.clone() + "s", another(whole, random))),
            }
        }
        Value::List(items) if !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(5) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => random.shuffle(items),
                3 if random.chance(1, 8) => *items = vec![items[at].clone(); random.pick_copy(&[41, 130, 1200])],
                _ => items.push(another(whole, random)),
            }
        }
        Value::Text(text) => {
            let at = text.char_indices().map(|(at, _)| at).nth(random.below(text.chars().count().max(1))).unwrap_or(0);
            match random.below(5) {
                0 => text.insert_str(at, random.pick_copy(TEXTS)),
                1 => text.truncate(at),
                2 => *text = text.repeat(random.pick_copy(&[2, 40, 300])),
                3 => text.make_ascii_uppercase(),
                _ => text.push(' '),
            }
        }
        Value::Whole(number) => {
            *number =
                random.pick_copy(&[0, -1, 1, 65535, 65536, i64::MAX, i64::MIN, *number ^ 1, number.wrapping_neg()]);
        }
        other => *other = another(whole, random),
    }
}

/// A copy of some other part of the object.
fn another(whole: &Value, random: &mut Random) -> Value {
    let (chosen, mut at, mut found) = (random.below(whole.size()), 0, Value::Null);
    let mut copy = whole.clone();
    copy.visit(&mut |place| {
        if at == chosen {
            found = place.clone();
        }
        at += 1;
    });
    // Why: a copy of the whole in itself, again and again, grows without end.
    if found.size() > 60 { Value::Null } else { found }
}

/// Pieces that YAML gives a meaning to.
pub const PIECES: &[&str] = &[
    "a",
    "b: ",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "? ",
    "|",
    ">-",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "#c",
    " # c",
    "'",
    "\"",
    "\\",
    "&x ",
    "*x",
    "!!str ",
    "---\n",
    "...\n",
    "\t",
    "\r\n",
    "\r",
    "é",
    "😀",
    "{{",
    "}}",
    "<<: ",
    "%",
    "@",
    "`",
    "\u{feff}",
    "1",
    "0x1",
    "yes",
    "~",
    "\u{85}",
    "\u{2028}",
    "\u{0}",
    "%YAML 1.1\n",
    "%TAG ! tag:x,2000:\n",
    "&a0 ",
    "*a0",
    "!<",
    "key: |2\n",
    "{{- if x }}\n",
    "- - - ",
    "? ? ",
    ": : ",
];

/// Changes a text in some places.
pub fn text(text: &mut String, random: &mut Random) {
    for _ in 0..random.between(1, 5) {
        let boundary = |text: &str, at: usize| text.floor_char_boundary(at.min(text.len()));
        let at = boundary(text, random.below(text.len() + 1));
        match random.below(7) {
            0 | 1 => text.insert_str(at, random.pick_copy(PIECES)),
            2 => {
                let end = boundary(text, at + random.between(1, 12)).max(at);
                text.replace_range(at..end, "");
            }
            3 => {
                let end = boundary(text, at + random.between(1, 60)).max(at);
                let piece = text[at..end].to_owned();
                let to = boundary(text, random.below(text.len() + 1));
                text.insert_str(to, &piece);
            }
            4 => {
                let end = boundary(text, at + random.between(1, 6)).max(at);
                text.replace_range(at..end, random.pick_copy(PIECES));
            }
            5 => lines(text, random),
            _ => text.insert(at, char::from_u32(random.below(0x3000) as u32).unwrap_or('\u{fffd}')),
        }
    }
}

/// Indents, swaps or drops lines.
fn lines(text: &mut String, random: &mut Random) {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        return;
    }
    let at = random.below(lines.len());
    match random.below(5) {
        0 => drop(lines.remove(at)),
        1 => lines[at].insert_str(0, random.pick_copy(&[" ", "  ", "\t", "    ", "- "])),
        2 => lines[at] = lines[at].trim_start().to_owned(),
        3 => {
            let other = random.below(lines.len());
            lines.swap(at, other);
        }
        _ => lines.insert(at, lines[at].clone()),
    }
    *text = lines.concat();
}
