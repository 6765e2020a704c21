//! The site file: raw TOML in, a checked [`Site`] or every mistake in it out.

mod secret;
mod site;

pub use secret::{SecretError, SecretSource};
pub use site::*;
