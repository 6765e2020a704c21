//! Cycles: files that use each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::source::{Index, Source};

/// The largest sets of files in which each file uses all others, directly or through others. Only uses between files of one
/// module count.
///
/// `pub use` is not a use: it only exports an item. Tests do not count.
pub(super) fn cycles(
    sources: &[Source],
    is_one_module: impl Fn(&Source, &Source) -> bool,
) -> Vec<Vec<PathBuf>> {
    let index = Index::new(sources);
    let mut uses: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test && !source.top().is_empty()) {
        let used = source.references.iter().filter(|r| !r.is_export && r.path[0] == "crate");
        let used = used.filter_map(|r| index.file(&r.path)).filter(|file| is_one_module(file, source));
        let used = used.filter(|file| file.path != source.path).map(|file| file.path.as_path());
        uses.insert(&source.path, used.collect());
    }
    let reached: BTreeMap<&Path, BTreeSet<&Path>> =
        uses.keys().map(|&start| (start, reach(start, &uses))).collect();
    let mut found = BTreeSet::new();
    for (&file, others) in &reached {
        let cycle: Vec<PathBuf> =
            others.iter().filter(|other| reached[**other].contains(file)).map(|p| p.to_path_buf()).collect();
        if cycle.len() > 1 {
            found.insert(cycle);
        }
    }
    found.into_iter().collect()
}

/// All files that `start` uses, directly or through others.
fn reach<'s>(start: &'s Path, uses: &BTreeMap<&'s Path, BTreeSet<&'s Path>>) -> BTreeSet<&'s Path> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        for &used in uses.get(file).into_iter().flatten() {
            if uses.contains_key(used) && reached.insert(used) {
                open.push(used);
            }
        }
    }
    reached
}
