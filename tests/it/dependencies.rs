//! The dependencies keep to `deny.toml`: licences, one version of each crate, crates.io as the only source.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

use crate::paths::root;

#[derive(Debug, Deserialize)]
struct Policy {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    skip: Vec<Skip>,
}

/// A version that may be built beside a newer one, as `name@version`; the version may be short.
#[derive(Debug, Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    spec: String,
}

impl Skip {
    fn is(&self, package: &Package) -> bool {
        let (name, version) = self.spec.split_once('@').unwrap();
        package.name == name && format!("{}.", package.version).starts_with(&format!("{version}."))
    }
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

fn policy() -> Policy {
    toml::from_str(&std::fs::read_to_string(root().join("deny.toml")).unwrap()).unwrap()
}

/// Every package that is built for this machine.
fn packages() -> Vec<Package> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", &target])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    let built: BTreeSet<String> = metadata.resolve.nodes.into_iter().map(|node| node.id).collect();
    metadata.packages.retain(|package| built.contains(&package.id));
    metadata.packages
}

/// Whether an SPDX expression leaves a choice of allowed licences. Old packages write `/` for `OR`.
fn allowed(expression: &str, allow: &BTreeSet<String>) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    let split = |operator: &str| {
        let mut depth = 0;
        let at = expression.char_indices().find(|&(i, c)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0 && expression[i..].starts_with(operator)
        })?;
        Some((&expression[..at.0], &expression[at.0 + operator.len()..]))
    };
    // OR binds less than AND.
    if let Some((left, right)) = split(" OR ") {
        allowed(left, allow) || allowed(right, allow)
    } else if let Some((left, right)) = split(" AND ") {
        allowed(left, allow) && allowed(right, allow)
    } else if let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        allowed(inner, allow)
    } else {
        allow.contains(expression)
    }
}

#[test]
fn licence_expressions_are_read() {
    let allow = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned()]);
    for good in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "MIT AND ISC", "(GPL-3.0 OR ISC) AND MIT"] {
        assert!(allowed(good, &allow), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "MIT WITH exception"] {
        assert!(!allowed(bad, &allow), "{bad}");
    }
}

#[test]
fn licences_are_on_the_list() {
    let allow = policy().licenses.allow;
    let packages = packages();
    let licence = |package: &Package| package.license.clone().unwrap_or_default();
    let wrong = packages.iter().filter(|package| !allowed(&licence(package), &allow));
    let wrong: Vec<_> = wrong.map(|p| format!("{} {}: {}", p.name, p.version, licence(p))).collect();
    assert!(wrong.is_empty(), "not in deny.toml's [licenses] allow: {wrong:#?}");
}

#[test]
fn each_crate_has_one_version() {
    let skip = policy().bans.skip;
    let packages = packages();
    let unused = skip.iter().filter(|skip| !packages.iter().any(|package| skip.is(package)));
    let unused: Vec<_> = unused.map(|skip| &skip.spec).collect();
    assert!(unused.is_empty(), "nothing uses these any more, remove them from deny.toml: {unused:?}");
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages.iter().filter(|package| !skip.iter().any(|skip| skip.is(package))) {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.retain(|_, versions| versions.len() > 1);
    assert!(versions.is_empty(), "several versions, not in deny.toml's [bans] skip: {versions:#?}");
}

#[test]
fn crates_come_from_crates_io() {
    let source = |package: &Package| package.source.clone().unwrap_or_default();
    let packages = packages();
    // The workspace's own packages have no source.
    let wrong = packages.iter().filter(|p| p.source.is_some() && !source(p).ends_with("/crates.io-index"));
    let wrong: Vec<_> = wrong.map(|p| format!("{} {}: {}", p.name, p.version, source(p))).collect();
    assert!(wrong.is_empty(), "not from crates.io: {wrong:#?}");
}
