//! User names and the places of passwords. No message here repeats what stands in the file: it could be a password.

use std::os::unix::fs::PermissionsExt;

use super::files;
use super::reader::{Item, Table};
use super::secret::SecretSource;
use super::site::Login;

/// The two right ways.
pub(super) const HELP: &str = "leave it out, and write username = \"...\" with password_file = \"/etc/havenwacht/secrets/...\" (a file with nothing else in it, mode 0600) or password_credential = \"...\" (a systemd credential)";

/// The login of a section: a user name and one place of the password, or neither.
pub(super) fn login(section: &Table<'_>) -> Option<Login> {
    let username = section.optional("username", |item| item.text().map(|name| item.at(name.to_owned())));
    let file = section.optional("password_file", password_file);
    let credential = section.optional("password_credential", credential);
    let (by_file, by_credential) = (section.get("password_file"), section.get("password_credential"));
    let reading = section.reading;
    match (section.get("username"), by_file, by_credential) {
        (_, Some(_), Some(second)) => {
            second.error("there is also a password_file", "keep one of the two");
        }
        (None, Some(place), None) | (None, None, Some(place)) => {
            let help = "add username = \"...\" beside it";
            reading.error(&place.place, "a password without a user name", help);
        }
        (Some(user), None, None) if !section.holds_password() => {
            user.error(
                "a user name without a password",
                "add password_file = \"...\" or password_credential = \"...\"",
            );
        }
        _ => {}
    }
    Some(Login { username: username?.value, password: file.or(credential)? })
}

fn password_file(item: &Item<'_>) -> Option<SecretSource> {
    let path = files::resolved(item)?;
    let folder = item.reading.folder.display();
    match path.metadata() {
        Ok(meta) if meta.is_file() => {
            if meta.permissions().mode() & 0o004 != 0 {
                let help = "chmod 0600 it, and let it belong to the user that havenwacht runs as";
                item.warning("every user of this box can read the password in this file", help);
            }
        }
        Ok(_) => {
            item.error("is no file", "a file that holds the password and nothing else");
            return None;
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::PermissionDenied => {
            let help = "check as the user that havenwacht runs as";
            item.warning("cannot be looked at by the user who runs this check", help);
        }
        Err(_) => {
            let help = format!(
                "the path of a file that holds the password and nothing else; relative paths start in {folder}"
            );
            item.error(
                "there is no such file (it is not repeated here, in case it is the password itself)",
                help,
            );
            return None;
        }
    }
    Some(SecretSource::File(path))
}

fn credential(item: &Item<'_>) -> Option<SecretSource> {
    let name = item.text()?;
    let fits = name.len() <= 255
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !fits {
        let help = "the name alone, as in LoadCredential=mqtt-password:/etc/havenwacht/secrets/mqtt";
        item.error("is no name of a systemd credential", help);
        return None;
    }
    Some(SecretSource::Credential(name.to_owned()))
}
