//! Diagnostics with the lines of the site file, for a terminal.

use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};

use super::diagnostic::{Diagnostic, Level};

/// Each diagnostic with its line of `text`, the site file. Passwords in it are redacted.
pub fn rendered(diagnostics: &[Diagnostic], text: &str, colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1).with_links(false);
    let text = redacted(text);
    let mut drawing = String::new();
    for diagnostic in diagnostics {
        let file = NamedSource::new(&diagnostic.file, text.clone());
        let shown = Shown { diagnostic, file, label: first_line(&text, &diagnostic.span) };
        if handler.render_report(&mut drawing, &shown).is_err() {
            drawing.push_str(&diagnostic.to_string());
        }
        drawing.push('\n');
    }
    drawing
}

/// The text with asterisks in place of each value that may contain a password or a key.
fn redacted(text: &str) -> String {
    let suspects = ["pass", "pwd", "secret", "token", "wachtwoord", "signing_key", "@"];
    let mut redacted = String::with_capacity(text.len());
    let mut until: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        let lower = line.to_lowercase();
        let begin = match (until, line.find(['=', ':'])) {
            (Some(end), _) => {
                until = until.filter(|_| !line.contains(end));
                0
            }
            (None, Some(sign)) if suspects.iter().any(|suspect| lower.contains(suspect)) => {
                let value = line[sign + 1..].trim();
                let long = [("\"\"\"", "\"\"\""), ("'''", "'''"), ("[", "]"), ("{", "}")];
                until = long
                    .into_iter()
                    .find(|(open, close)| value.strip_prefix(open).is_some_and(|rest| !rest.contains(close)))
                    .map(|(_, close)| close);
                sign + 1
            }
            _ => line.len(),
        };
        redacted.push_str(&line[..begin]);
        // One asterisk a byte, so that locations stay right.
        for c in line[begin..].chars() {
            match c {
                '\n' | '\r' | ' ' | '"' => redacted.push(c),
                other => redacted.extend(std::iter::repeat_n('*', other.len_utf8())),
            }
        }
    }
    redacted
}

/// The first line of a span, within the text and at character boundaries.
fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    let mut end = span.end.clamp(start, line);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end
}

#[derive(Debug)]
struct Shown<'d> {
    diagnostic: &'d Diagnostic,
    file: NamedSource<String>,
    label: Range<usize>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.diagnostic.key.is_empty() {
            write!(f, "{}: ", self.diagnostic.key)?;
        }
        f.write_str(&self.diagnostic.what)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(match self.diagnostic.level {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.diagnostic.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, self.label.clone()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_the_line_and_redacts_passwords() {
        let text = "[site]\nspeed = 60\npassword = \"hunter2 é\"\nurl = \"rtsp://u:hunter2@h/\"\n";
        let at = |line, span| Diagnostic {
            level: Level::Error,
            file: "site.toml".to_owned(),
            line,
            column: 1,
            key: "camera[0].x".to_owned(),
            what: "is wrong".to_owned(),
            help: Some("do it right".to_owned()),
            span,
        };
        let all: Vec<_> = [15..17, 18..26, 0..text.len(), 500..600, 9..9]
            .into_iter()
            .enumerate()
            .map(|(i, s)| at(i, s))
            .collect();
        let drawing = rendered(&all, text, false);
        assert!(drawing.contains("speed = 60") && drawing.contains("site.toml:2:9"), "{drawing}");
        assert!(
            drawing.contains("camera[0].x: is wrong") && drawing.contains("help: do it right"),
            "{drawing}"
        );
        assert!(!drawing.contains("hunter2"), "{drawing}");
        assert_eq!(redacted(text).len(), text.len());
    }
}
