//! The key that signs links, and the one that checks them.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use secrecy::{ExposeSecret as _, SecretString};

/// What every signature of a link begins with, so that it can be taken for nothing else.
const PURPOSE: &[u8] = b"havenwacht link 1 signature";

/// Signs links. Shows nothing of itself.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Checks signatures. 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is no key. Never repeats it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not 64 hexadecimal digits.
    #[error("a key is 64 hexadecimal digits; `havenwacht logbook keygen` makes one")]
    NotHex,
    /// Digits that are no point of the curve.
    #[error("these 64 digits are no public key (is it the secret one, or was it copied wrongly?)")]
    NoPublicKey,
    /// The system has no randomness to give.
    #[error("cannot draw a key from /dev/urandom: {0}")]
    NoRandomness(std::io::Error),
}

impl SigningKey {
    /// The key that `secret` spells out.
    pub fn read(secret: &SecretString) -> Result<Self, KeyError> {
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&digits(secret.expose_secret())?)))
    }

    /// A new key, and its 64 digits for the file that keeps it.
    pub fn generate() -> Result<(Self, SecretString), KeyError> {
        let mut seed = [0; 32];
        std::fs::File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut seed))
            .map_err(KeyError::NoRandomness)?;
        Ok((Self(ed25519_dalek::SigningKey::from_bytes(&seed)), hex(&seed).into()))
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
        VerifyingKey::from_bytes(&digits(text)?).map(Self).map_err(|_bad| KeyError::NoPublicKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

fn digits(text: &str) -> Result<[u8; 32], KeyError> {
    unhex(text.trim()).ok_or(KeyError::NotHex)
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
