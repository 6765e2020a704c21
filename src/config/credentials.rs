//! User names, and where passwords and keys are. No message here repeats a value of the file, which could be the secret.

use std::os::unix::fs::PermissionsExt;

use super::files;
use super::reader::{TableReader, ValueReader};
use super::secret::SecretSource;
use super::site::Login;

/// How to give a password.
pub(super) const HELP: &str = "leave it out, and write username = \"...\" with password_file = \"/etc/havenwacht/secrets/...\" (a file with nothing else in it, mode 0600) or password_credential = \"...\" (a systemd credential)";

/// The login of a section: a user name and one source of the password, or neither.
pub(super) fn login(section: &TableReader<'_>) -> Option<Login> {
    let username = section.optional("username", |item| item.text().map(|name| item.at(name.to_owned())));
    let file = section.optional("password_file", |item| secret_file(item, "password"));
    let credential = section.optional("password_credential", |item| credential(item, "mqtt-password"));
    let (by_file, by_credential) = (section.get("password_file"), section.get("password_credential"));
    let collector = section.collector;
    match (section.get("username"), by_file, by_credential) {
        (_, Some(_), Some(second)) => {
            second.error("there is also a password_file", "keep one of the two");
        }
        (None, Some(place), None) | (None, None, Some(place)) => {
            let help = "add username = \"...\" beside it";
            collector.error(&place.place, "a password without a user name", help);
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

/// The source of the key that signs the logbook's chain.
pub(super) fn signing_key(section: &TableReader<'_>) -> Option<SecretSource> {
    let file = section.optional("signing_key_file", |item| secret_file(item, "key"));
    let credential = section.optional("signing_key_credential", |item| credential(item, "logbook-key"));
    if let (Some(_), Some(second)) = (section.get("signing_key_file"), section.get("signing_key_credential"))
    {
        second.error("there is also a signing_key_file", "keep one of the two");
    }
    file.or(credential)
}

/// `what`: password, key.
pub(super) fn secret_file(item: &ValueReader<'_>, what: &str) -> Option<SecretSource> {
    let path = files::resolved(item)?;
    let folder = item.collector.folder.display();
    match path.metadata() {
        Ok(meta) if meta.is_file() => {
            if meta.permissions().mode() & 0o004 != 0 {
                let help = "run chmod 0600 on it, and give it to the user that runs havenwacht";
                item.warning(format!("every user of this box can read the {what} in this file"), help);
            }
        }
        Ok(_) => {
            item.error("is not a file", format!("a file that holds the {what} and nothing else"));
            return None;
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::PermissionDenied => {
            let help = "run this check as the user that runs havenwacht";
            item.warning("cannot be read by the user who runs this check", help);
        }
        Err(_) => {
            let help = format!(
                "the path of a file that holds the {what} and nothing else; relative paths start in {folder}"
            );
            let found =
                format!("there is no such file (it is not repeated here, in case it is the {what} itself)");
            item.error(found, help);
            return None;
        }
    }
    Some(SecretSource::File(path))
}

pub(super) fn credential(item: &ValueReader<'_>, example: &str) -> Option<SecretSource> {
    let name = item.text()?;
    let fits = name.len() <= 255
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if !fits {
        let help =
            format!("the name alone, as in LoadCredential={example}:/etc/havenwacht/secrets/{example}");
        item.error("is not a name for a systemd credential", help);
        return None;
    }
    Some(SecretSource::Credential(name.to_owned()))
}
