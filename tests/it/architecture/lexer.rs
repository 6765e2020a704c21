//! Splits Rust source text into tokens: enough to find paths, items and their length.

/// One identifier, number or punctuation character. `::` is one token; texts and comments leave none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(super) fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of a source file.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: source, line: 1, tokens: Vec::new() };
    while lexer.step() {}
    lexer.tokens
}

struct Lexer<'s> {
    rest: &'s str,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    /// Takes the next token. False at the end of the text.
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else { return false };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(self.block_comment());
        } else if let Some(length) = self.quoted() {
            self.skip(length);
        } else if first.is_alphanumeric() || first == '_' {
            let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
            self.take(end);
        } else {
            self.take(if self.rest.starts_with("::") { 2 } else { first.len_utf8() });
        }
        true
    }

    fn take(&mut self, length: usize) {
        let text = self.rest[..length].to_owned();
        self.tokens.push(Token { text, line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest[..length].matches('\n').count();
        self.rest = &self.rest[length..];
    }

    /// Length of the block comment that starts here; block comments nest.
    fn block_comment(&self) -> usize {
        let (mut depth, mut at) = (0, 0);
        while at < self.rest.len() {
            match self.rest.as_bytes()[at..] {
                [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
                [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
                _ => at += 1,
            }
            if depth == 0 {
                return at;
            }
        }
        self.rest.len()
    }

    /// Length of the text or character literal, or of the lifetime, that starts here.
    fn quoted(&self) -> Option<usize> {
        let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
            let after = self.rest.strip_prefix(prefix).map(|rest| rest.trim_start_matches('#'));
            after.is_some_and(|after| after.starts_with('"'))
        });
        match prefix {
            Some(prefix) if prefix.ends_with('r') => {
                let hashes = self.rest[prefix.len()..].chars().take_while(|c| *c == '#').count();
                let start = prefix.len() + hashes + 1;
                let end = format!("\"{}", "#".repeat(hashes));
                Some(self.rest[start..].find(&end).map_or(self.rest.len(), |at| start + at + end.len()))
            }
            Some(prefix) if self.rest[prefix.len()..].starts_with('"') => {
                Some(prefix.len() + self.escaped(prefix.len(), b'"'))
            }
            _ => self.character(),
        }
    }

    fn character(&self) -> Option<usize> {
        let start = usize::from(self.rest.starts_with("b'"));
        let body = self.rest[start..].strip_prefix('\'')?;
        let mut letters = body.chars();
        let (first, second) = (letters.next()?, letters.next());
        if first == '\\' || second == Some('\'') {
            return Some(start + self.escaped(start, b'\''));
        }
        Some(start + 1 + body.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len()))
    }

    /// Length of the literal that starts at `start` and ends with the quote `quote`.
    fn escaped(&self, start: usize, quote: u8) -> usize {
        let bytes = &self.rest.as_bytes()[start..];
        let mut at = 1;
        while at < bytes.len() && bytes[at] != quote {
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        (at + 1).min(bytes.len())
    }
}

#[test]
fn comments_and_literals_leave_no_tokens() {
    let source = "a /* b /* c */ d */ :: 'e' 'f g b'\\'' r#\"h \" i\"# \"j \\\" k\" // l\nm";
    let found = tokens(source);
    let texts: Vec<_> = found.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(texts, ["a", "::", "g", "m"]);
    assert_eq!(found[3].line, 2);
}
