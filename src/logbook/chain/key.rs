//! The key that signs links, and the one that checks them.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use secrecy::{ExposeSecret as _, SecretString};

/// What every signature of a link begins with, so that it can be taken for nothing else.
const PURPOSE: &[u8] = b"havenwacht link 1 signature";

/// How the two kinds of keys begin, so that a secret one is never taken, and shown, for a public one.
const SECRET: &str = "secret-";
const PUBLIC: &str = "public-";

/// Signs links. Written as `secret-` and 64 hexadecimal digits. Shows nothing of itself.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Checks signatures. Written as `public-` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is no key. Never repeats it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not the form of a secret key.
    #[error("a secret key is `secret-` and 64 hexadecimal digits; `havenwacht logbook keygen` makes one")]
    NoSecretKey,
    /// Not the form of a public key, or no point of the curve.
    #[error("a public key is `public-` and 64 hexadecimal digits, as `havenwacht logbook keygen` printed it")]
    NoPublicKey,
    /// The wrong one of a pair.
    #[error("this is the secret key: it signs, and must stay where it is; give the public one, `public-...`")]
    SecretGiven,
    /// The system has no randomness to give.
    #[error("cannot draw a key from /dev/urandom: {0}")]
    NoRandomness(std::io::Error),
}

impl SigningKey {
    /// The key that `secret` spells out.
    pub fn read(secret: &SecretString) -> Result<Self, KeyError> {
        let seed = secret.expose_secret().trim().strip_prefix(SECRET).and_then(unhex);
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed.ok_or(KeyError::NoSecretKey)?)))
    }

    /// A new key, and how it is written in the file that keeps it.
    pub fn generate() -> Result<(Self, SecretString), KeyError> {
        let mut seed = [0; 32];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut seed))
            .map_err(KeyError::NoRandomness)?;
        Ok((Self(ed25519_dalek::SigningKey::from_bytes(&seed)), format!("{SECRET}{}", hex(&seed)).into()))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, hash: &[u8; 32]) -> [u8; 64] {
        self.0.sign(&[PURPOSE, hash].concat()).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl PublicKey {
    /// Whether the holder of the secret key signed `hash`.
    pub(super) fn signed(&self, hash: &[u8; 32], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(&[PURPOSE, hash].concat(), &Signature::from_bytes(signature)).is_ok()
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.starts_with(SECRET) {
            return Err(KeyError::SecretGiven);
        }
        let bytes = text.strip_prefix(PUBLIC).and_then(unhex).ok_or(KeyError::NoPublicKey)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_bad| KeyError::NoPublicKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", hex(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// Lower-case hexadecimal.
pub(in crate::logbook) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] wrote, when it is `N` bytes.
pub(in crate::logbook) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
