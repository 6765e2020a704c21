//! Sources of secrets. The site file names the source, never the secret.

use std::path::PathBuf;

use secrecy::SecretString;

/// The source of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// A file with nothing else in it. A final line break is not part of the secret.
    File(PathBuf),
    /// A systemd credential (`LoadCredential=`), found in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// Why a secret could not be read. Names the source, never the content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the secret in {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// systemd did not start the program with this credential.
    #[error("credential `{0}` needs systemd: set LoadCredential={0}:/path in the unit")]
    NoCredentials(String),
}

impl SecretSource {
    /// Reads the secret now.
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY")
                    .ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                PathBuf::from(folder).join(name)
            }
        };
        let text = std::fs::read_to_string(&path).map_err(|cause| SecretError::Unreadable { path, cause })?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned().into())
    }
}
