//! Paths. Relative paths start in the folder of the site file. Files that must exist are checked, never opened.

use std::path::PathBuf;

use super::reader::ValueReader;

/// The path a value names.
pub(super) fn resolved(item: &ValueReader<'_>) -> Option<PathBuf> {
    let text = item.text()?;
    if text.contains('\0') || text.starts_with('~') {
        item.error("is not a path", "an absolute path, or one that starts in the folder of the site file");
        return None;
    }
    Some(item.collector.folder.join(text))
}

/// A file that must exist. `meaning` says what it is and where to get it.
pub(super) fn existing(item: &ValueReader<'_>, meaning: &str) -> Option<PathBuf> {
    let path = resolved(item)?;
    match path.metadata() {
        Ok(meta) if meta.is_dir() => item.error(format!("{} is a folder", path.display()), meaning),
        Ok(_) => return Some(path),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            item.error(format!("there is no file {}", path.display()), meaning);
        }
        Err(cause) => {
            item.error(format!("{}: {cause}", path.display()), meaning);
        }
    }
    None
}

/// A file that the first start creates. Its folder should exist.
pub(super) fn in_a_folder(item: &ValueReader<'_>) -> Option<PathBuf> {
    let path = resolved(item)?;
    if path.is_dir() {
        item.error(format!("{} is a folder", path.display()), "name the file in it: \"logbook.sqlite\"");
        return None;
    }
    // A bare file name has an empty parent: the current folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir());
    if let Some(folder) = folder {
        item.warning(
            format!("there is no folder {} yet", folder.display()),
            "systemd creates /var/lib/havenwacht at the first start (StateDirectory=); create any other folder yourself",
        );
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::check_text;
    use crate::config::tests::EXAMPLE;

    #[test]
    fn a_logbook_in_the_current_folder_is_no_warning() {
        let text = EXAMPLE.replace("/var/lib/havenwacht/", "");
        let found = check_text("site.toml", &text, Path::new("")).unwrap_err().to_string();
        assert!(!found.contains("there is no folder"), "{found}");
    }
}
