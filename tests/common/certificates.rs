//! Certificates for tests: an authority, and what it signs.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

/// An authority with its files in a folder.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    pub(crate) file: PathBuf,
}

/// The files of a signed certificate.
pub(crate) struct Signed {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Authority {
    /// A new authority; its files in `folder` begin with `name`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, folder: folder.into(), file }
    }

    /// A certificate for `name`, valid now.
    pub(crate) fn sign(&self, name: &str) -> Signed {
        self.sign_until(name, 2120)
    }

    /// A certificate for `name` that is valid until the beginning of `year`.
    pub(crate) fn sign_until(&self, name: &str, year: i32) -> Signed {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.folder.join(format!("{name}-{year}.{end}.pem"));
        let (certificate, key_file) = (file("certificate"), file("key"));
        std::fs::write(&certificate, signed.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        Signed { certificate, key: key_file }
    }
}

impl Signed {
    /// The lines of a TLS listener of mosquitto.
    pub(crate) fn listener(&self) -> String {
        format!("certfile {}\nkeyfile {}\n", self.certificate.display(), self.key.display())
    }
}
