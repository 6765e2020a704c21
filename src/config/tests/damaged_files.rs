//! Damaged site files: the check reports a line and never panics.

use proptest::prelude::*;

use super::super::*;
use super::EXAMPLE;

/// Damages the text: removes, repeats, overwrites and swaps parts.
fn damage(text: &str, cuts: &[(u8, usize, usize, u8)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for &(how, at, length, byte) in cuts {
        if bytes.is_empty() {
            break;
        }
        let at = at % bytes.len();
        let end = (at + length).min(bytes.len());
        match how % 5 {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            2 => bytes[at] = byte,
            3 => {
                let mut lines: Vec<_> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
                let (a, b) = (at % lines.len(), length % lines.len());
                lines.swap(a, b);
                bytes = lines.join(&b'\n');
            }
            _ => {
                // Swapped values stay valid TOML with a wrong meaning.
                let mut lines: Vec<String> =
                    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
                let with: Vec<_> = (0..lines.len()).filter(|i| lines[*i].contains(" = ")).collect();
                if with.len() < 2 {
                    continue;
                }
                let (a, b) = (with[at % with.len()], with[length % with.len()]);
                let split =
                    |line: &str| line.split_once(" = ").map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap();
                let ((ka, va), (kb, vb)) = (split(&lines[a]), split(&lines[b]));
                lines[a] = format!("{ka} = {vb}");
                if a != b {
                    lines[b] = format!("{kb} = {va}");
                }
                bytes = lines.join("\n").into_bytes();
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_damage_makes_the_check_panic_or_lose_the_line(
        cuts in proptest::collection::vec((any::<u8>(), any::<usize>(), 0..40usize, any::<u8>()), 1..6),
    ) {
        let text = damage(EXAMPLE, &cuts);
        let found = match syntax::utf8("site.toml", &text) {
            Err(found) => found,
            Ok(text) => match check_text("site.toml", text, Path::new("/nonexistent")) {
                Ok((_, warnings)) => warnings,
                Err(ConfigError::Invalid(found)) => {
                    prop_assert!(found.iter().any(|d| d.level == Level::Error), "refused without a reason");
                    found
                }
                Err(other) => panic!("{other}"),
            },
        };
        let count = text.split(|b| *b == b'\n').count();
        for diagnostic in &found {
            prop_assert!((1..=count).contains(&diagnostic.line), "{}", diagnostic);
            prop_assert!(diagnostic.column >= 1 && !diagnostic.what.is_empty());
        }
        if let Ok(text) = std::str::from_utf8(&text) {
            prop_assert!(found.is_empty() || !rendered(&found, text, false).is_empty());
        }
    }
}
