//! The key that signs links, and the one that checks them.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use secrecy::{ExposeSecret as _, SecretString};

/// Every signed message begins with this, so that no signature is valid for another purpose.
const PURPOSE: &[u8] = b"havenwacht link 1 signature";

/// The prefixes of the two keys: a secret key is never taken for a public one, and shown.
const SECRET: &str = "secret-";
const PUBLIC: &str = "public-";

/// Signs links. Written as `secret-` and 64 hexadecimal digits. Its `Debug` output does not show it.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Checks signatures. Written as `public-` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is not a key. Never contains the text.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// Not the form of a secret key.
    #[error("a secret key is `secret-` and 64 hexadecimal digits; `havenwacht logbook keygen` makes one")]
    NoSecretKey,
    /// Not the form of a public key, or not a point of the curve.
    #[error("a public key is `public-` and 64 hexadecimal digits, as `havenwacht logbook keygen` printed it")]
    NoPublicKey,
    /// The secret key of a pair where the public one is wanted.
    #[error("this is the secret key, which signs and must stay secret; use the public key, `public-...`")]
    SecretGiven,
    /// The system gives no random numbers.
    #[error("cannot make a key from /dev/urandom: {0}")]
    NoRandomness(std::io::Error),
}

impl SigningKey {
    /// Reads a secret key.
    pub fn read(secret: &SecretString) -> Result<Self, SigningKeyError> {
        let seed = secret.expose_secret().trim().strip_prefix(SECRET).and_then(unhex);
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed.ok_or(SigningKeyError::NoSecretKey)?)))
    }

    /// A new key, and its text for the file that stores it.
    pub fn generate() -> Result<(Self, SecretString), SigningKeyError> {
        let mut seed = [0; 32];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut seed))
            .map_err(SigningKeyError::NoRandomness)?;
        Ok((Self(ed25519_dalek::SigningKey::from_bytes(&seed)), format!("{SECRET}{}", hex(&seed)).into()))
    }

    /// The key that checks signatures of this key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(in crate::logbook) fn sign(&self, hash: &[u8; 32]) -> [u8; 64] {
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
    type Err = SigningKeyError;

    fn from_str(text: &str) -> Result<Self, SigningKeyError> {
        let text = text.trim();
        if text.starts_with(SECRET) {
            return Err(SigningKeyError::SecretGiven);
        }
        let bytes = text.strip_prefix(PUBLIC).and_then(unhex).ok_or(SigningKeyError::NoPublicKey)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_bad| SigningKeyError::NoPublicKey)
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

/// The `N` bytes that [`hex`] wrote; `None` where it is another text.
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
