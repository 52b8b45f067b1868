//! From Markdown to tests: headings and fenced blocks.

/// One file of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Blocks before the first heading: every test of the file begins with them.
    pub preamble: Vec<Block>,
    /// One for each heading.
    pub tests: Vec<Test>,
}

/// One heading and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The heading: a law.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
    /// In order.
    pub blocks: Vec<Block>,
}

/// One fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first word of the info string.
    pub kind: String,
    /// The other words.
    pub arguments: Vec<String>,
    /// The line of the first line inside, from 1.
    pub line: usize,
    /// What is inside.
    pub text: String,
}

impl Block {
    /// The lines that say something, with their numbers; what follows ` #` is a comment.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let without_comment = |line: &'_ str| -> usize {
            match line.find(" #") {
                _ if line.starts_with('#') => 0,
                Some(at) => at,
                None => line.len(),
            }
        };
        let lines = self.text.lines().enumerate().map(|(at, line)| (self.line + at, line));
        lines.map(move |(at, line)| (at, line[..without_comment(line)].trim())).filter(|(_, line)| !line.is_empty())
    }
}

/// Reads a file.
///
/// Errors: a block that does not end, with its line.
pub fn read(text: &str) -> Result<File, (usize, String)> {
    let mut file = File { preamble: Vec::new(), tests: Vec::new() };
    let mut open: Option<(Block, &str)> = None;
    for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        match &mut open {
            Some((_, fence)) if line.trim_end() == *fence => {
                if let Some((block, _)) = open.take() {
                    let test = file.tests.last_mut();
                    test.map_or(&mut file.preamble, |test| &mut test.blocks).push(block);
                }
            }
            Some((block, _)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => match fence_of(line) {
                Some(fence) => open = Some((opened(&line[fence.len()..], at + 1), fence)),
                None => file.tests.extend(heading(line).map(|name| Test { name, line: at, blocks: Vec::new() })),
            },
        }
    }
    match open {
        Some((block, _)) => Err((block.line - 1, "the block does not end".to_owned())),
        None => Ok(file),
    }
}

fn fence_of(line: &str) -> Option<&str> {
    let ticks = line.len() - line.trim_start_matches('`').len();
    (ticks >= 3).then(|| &line[..ticks])
}

fn opened(info: &str, line: usize) -> Block {
    let mut words = info.split_whitespace().map(str::to_owned);
    Block { kind: words.next().unwrap_or_default(), arguments: words.collect(), line, text: String::new() }
}

fn heading(line: &str) -> Option<String> {
    let name = line.trim_start_matches('#');
    (name.len() < line.len() && name.starts_with(' ')).then(|| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: &str = "```";

    #[test]
    fn a_block_belongs_to_the_heading_above_it() {
        let text = format!(
            "{FENCE}config\nx\n{FENCE}\n# One\nprose\n{FENCE}flows standard\na # b\n# c\n\nd\n{FENCE}\n# Two\n"
        );
        let file = read(&text).unwrap();
        assert_eq!(file.preamble.len(), 1);
        let names: Vec<_> = file.tests.iter().map(|test| (test.name.as_str(), test.line)).collect();
        assert_eq!(names, [("One", 4), ("Two", 12)]);
        let block = &file.tests[0].blocks[0];
        assert_eq!((block.kind.as_str(), block.arguments.as_slice()), ("flows", &["standard".to_owned()][..]));
        assert_eq!(block.lines().collect::<Vec<_>>(), [(7, "a"), (10, "d")]);
    }

    #[test]
    fn a_block_without_end_is_an_error_at_its_first_line() {
        assert_eq!(read("\n```flows\n"), Err((2, "the block does not end".to_owned())));
    }
}
