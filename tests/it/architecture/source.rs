//! The source files of a crate with their modules, and what each names of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::lexer::{Token, tokens};

/// A path that a file names, in a `use` item or in its code, from the root of the crate where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) path: Vec<String>,
    /// The name under which a `use` item brings it in; `*` for all of a module.
    pub(super) binds: Option<String>,
    /// Whether it is a `pub use`, which shows an item to others and uses nothing.
    pub(super) is_export: bool,
}

/// A source file.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// Its module, from the root of the crate.
    pub(super) module: Vec<String>,
    /// All of it.
    pub(super) tokens: Vec<Token>,
    /// Without items under `#[cfg(test)]`.
    pub(super) code: Vec<Token>,
    pub(super) references: Vec<Reference>,
    /// Whether the whole file is compiled for tests alone.
    pub(super) is_test: bool,
}

impl Source {
    fn read(path: &Path, root: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let below = path.strip_prefix(root).unwrap().with_extension("");
        let mut module: Vec<String> = below.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        module.pop_if(|name| ["mod", "lib"].contains(&name.as_str()));
        let tokens = tokens(&text);
        let code = without_tests(&tokens);
        Self { path: path.to_owned(), module, tokens, code, references: Vec::new(), is_test: false }
    }

    /// The first part of its module: the file's own name at the top.
    pub(super) fn top(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

/// The source files below `root`.
pub(super) fn read_sources(root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    walk(root, &mut |path| sources.push(Source::read(path, root)));
    assert!(!sources.is_empty(), "no sources in {}", root.display());
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let modules: BTreeSet<Vec<String>> = sources.iter().map(|source| source.module.clone()).collect();
    let tests: BTreeSet<Vec<String>> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        source.is_test = (1..=source.module.len()).any(|length| tests.contains(&source.module[..length]));
        source.references = references(&source.code, &source.module, &modules);
    }
    sources
}

/// Calls `each` with every Rust file below `folder`.
pub(super) fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&path);
        }
    }
}

/// The tokens without items that are compiled for tests alone.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut code = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            at = end_of_item(tokens, at);
        } else {
            code.push(tokens[at].clone());
            at += 1;
        }
    }
    code
}

fn is_test_attribute(tokens: &[Token]) -> bool {
    ["#", "[", "cfg", "(", "test", ")", "]"].iter().zip(tokens).all(|(text, token)| token.is(text))
        && tokens.len() > 7
}

/// Where the item ends that starts at `at`, attributes included.
pub(super) fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at).is_some_and(|token| token.is("#")) {
        at = closing(tokens, at + 1) + 1;
    }
    while at < tokens.len() && !tokens[at].is(";") {
        if tokens[at].is("{") {
            return closing(tokens, at) + 1;
        }
        at = if tokens[at].is("(") || tokens[at].is("[") { closing(tokens, at) } else { at } + 1;
    }
    at + 1
}

/// The bracket that closes the one at `at`.
pub(super) fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

/// The modules in files of their own that `source` declares for tests alone.
fn test_modules(source: &Source) -> Vec<Vec<String>> {
    let tokens = &source.tokens;
    let starts = (0..tokens.len()).filter(|&at| is_test_attribute(&tokens[at..]));
    let names = starts.filter_map(|start| {
        let item = &tokens[start..end_of_item(tokens, start).min(tokens.len())];
        let at = item.iter().position(|token| token.is("mod"))?;
        item.get(at + 2)?.is(";").then(|| item[at + 1].text.clone())
    });
    names.map(|name| [source.module.as_slice(), &[name]].concat()).collect()
}

/// Every path in the code of `module`.
fn references(code: &[Token], module: &[String], modules: &BTreeSet<Vec<String>>) -> Vec<Reference> {
    let mut found = Vec::new();
    // The inline modules round the place, and the bracket that closes each.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while at < code.len() {
        inline.pop_if(|(_, end)| *end <= at);
        let next = |n: usize| code.get(at + n).map_or("", |token| token.text.as_str());
        let here = || -> Vec<String> {
            module.iter().cloned().chain(inline.iter().map(|(name, _)| name.clone())).collect()
        };
        match code[at].text.as_str() {
            "mod" if next(2) == "{" => {
                inline.push((code[at + 1].text.clone(), closing(code, at + 2)));
                at += 3;
            }
            // `pub(in crate::x)` says who sees an item and uses nothing.
            "pub" if next(1) == "(" => at = closing(code, at + 1) + 1,
            "use" if next(1) != "<" => {
                let is_export = at > 0 && (code[at - 1].is("pub") || code[at - 1].is(")"));
                let mut names = Vec::new();
                at = use_tree(code, at + 1, &[], &mut names) + 1;
                // A path in a macro that starts with a parameter is unknown.
                names.retain(|(path, _)| !path.is_empty());
                let here = here();
                found.extend(names.into_iter().map(|(path, binds)| {
                    let path = absolute(path, &here, modules);
                    Reference { path, binds: Some(binds), is_export }
                }));
            }
            _ if code[at].is_name() && next(1) == "::" && !is_tail(code, at) => {
                let (path, end) = inline_path(code, at);
                let path = absolute(path, &here(), modules);
                found.push(Reference { path, binds: None, is_export: false });
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// Whether the name at `at` continues something before it.
fn is_tail(code: &[Token], at: usize) -> bool {
    at > 0 && (code[at - 1].is("::") || code[at - 1].is("."))
}

fn inline_path(code: &[Token], mut at: usize) -> (Vec<String>, usize) {
    let mut path = vec![code[at].text.clone()];
    while code.get(at + 1).is_some_and(|token| token.is("::")) && code.get(at + 2).is_some_and(Token::is_name)
    {
        path.push(code[at + 2].text.clone());
        at += 2;
    }
    (path, at + 1)
}

/// Reads one tree of a `use` item from `at` on: each path with the name it binds. Gives the place of what follows it.
fn use_tree(
    code: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = code.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while !code[at].is("}") {
                    at = use_tree(code, at, &path, found);
                    at += usize::from(code[at].is(","));
                }
                return at + 1;
            }
            "*" => {
                found.push((path, "*".to_owned()));
                return at + 1;
            }
            "as" => {
                found.push((path, code[at + 1].text.clone()));
                return at + 2;
            }
            _ if token.is_name() => {
                if !token.is("self") || path.is_empty() {
                    path.push(token.text.clone());
                }
                at += 1;
            }
            _ => break,
        }
    }
    let binds = path.last().cloned().unwrap_or_default();
    found.push((path, binds));
    at
}

/// The path from the root of the crate: `crate::..`. Names of other crates and of local imports stay as they are.
fn absolute(path: Vec<String>, here: &[String], modules: &BTreeSet<Vec<String>>) -> Vec<String> {
    let own = |base: &[String], rest: &[String]| {
        let root = ["crate".to_owned()];
        root.iter().chain(base).chain(rest).cloned().collect::<Vec<_>>()
    };
    match path[0].as_str() {
        "crate" => path,
        "havenwacht" => own(&[], &path[1..]),
        "self" => own(here, &path[1..]),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            own(&here[..here.len().saturating_sub(up)], &path[up..])
        }
        first => {
            let child = [here, &[first.to_owned()]].concat();
            if modules.contains(&child) { own(here, &path) } else { path }
        }
    }
}

/// Which file each path of the crate is in, through what modules export.
pub(super) struct Index<'s> {
    files: BTreeMap<&'s [String], &'s Source>,
}

impl<'s> Index<'s> {
    pub(super) fn new(sources: &'s [Source]) -> Self {
        Self { files: sources.iter().map(|source| (source.module.as_slice(), source)).collect() }
    }

    /// The file that defines what `path`, from `crate` on, names.
    pub(super) fn file(&self, path: &[String]) -> Option<&'s Source> {
        self.find(path, 0)
    }

    fn find(&self, path: &[String], depth: usize) -> Option<&'s Source> {
        let rest = path.strip_prefix(&["crate".to_owned()][..])?;
        let length = (0..=rest.len()).rev().find(|&length| self.files.contains_key(&rest[..length]))?;
        let source = self.files[&rest[..length]];
        let Some(name) = rest.get(length).filter(|_| depth < 8) else { return Some(source) };
        let named =
            source.references.iter().filter(|r| r.binds.as_ref() == Some(name) && r.path[0] == "crate");
        let through = named.filter(|r| r.path != path).find_map(|r| self.find(&r.path, depth + 1));
        let all = || {
            let globs = source.references.iter().filter(|r| r.binds.as_deref() == Some("*") && r.is_export);
            globs
                .map(|r| [r.path.as_slice(), std::slice::from_ref(name)].concat())
                .find_map(|p| self.find(&p, depth + 1).filter(|file| defines(&file.code, name)))
        };
        through.or_else(|| if defines(&source.code, name) { None } else { all() }).or(Some(source))
    }
}

fn defines(code: &[Token], name: &str) -> bool {
    const KEYWORDS: [&str; 7] = ["struct", "enum", "trait", "type", "fn", "const", "static"];
    code.windows(2).any(|pair| KEYWORDS.contains(&pair[0].text.as_str()) && pair[1].is(name))
}

#[test]
fn every_form_of_use_is_found() {
    let source = "use crate::a; pub use crate::{b, c::{self, D as E}}; use super::f::*;\n\
                  fn g() { crate::h::i(); self::j::k(); x.y::<u8>() } pub(in crate::q) mod inner { use super::l; }\n\
                  #[cfg(test)] mod tests { use crate::m; } #[cfg(test)] mod n; use o::p;";
    let code = without_tests(&tokens(source));
    let found = references(&code, &["x".to_owned(), "y".to_owned()], &BTreeSet::new());
    let paths: Vec<_> = found.iter().map(|reference| reference.path.join("::")).collect();
    assert_eq!(
        paths,
        [
            "crate::a",
            "crate::b",
            "crate::c",
            "crate::c::D",
            "crate::x::f",
            "crate::h::i",
            "crate::x::y::j::k",
            "crate::x::y::l",
            "o::p",
        ]
    );
    let exports: Vec<_> = found.iter().filter(|r| r.is_export).filter_map(|r| r.binds.as_deref()).collect();
    assert_eq!(exports, ["b", "c", "E"]);
}
