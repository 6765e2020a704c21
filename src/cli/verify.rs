//! `havenwacht logbook verify`, `head` and `keygen`: whether the logbook still says what was written.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret as _;

use super::logbook::Source;
use crate::logbook::{Evidence, Head, PublicKey, SigningKey, Step, Verification};

/// Data are not what they should be (EX_DATAERR of sysexits.h).
const ALTERED: u8 = 65;

/// Faults that are listed; the rest is counted.
const LISTED: usize = 20;

/// Which logbook, and what is known from elsewhere.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Which logbook.
    #[command(flatten)]
    source: Source,
    /// Public key that signed the links (`public-...`), or a file that holds it.
    #[arg(long)]
    key: Option<String>,
    /// An end of the chain that was published earlier (the message on `havenwacht/<site>/logbook/head`), in a file; may be
    /// given more than once.
    #[arg(long)]
    head: Vec<PathBuf>,
}

/// Where the key goes.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// Where the secret key goes; must not exist yet.
    #[arg(long)]
    out: PathBuf,
}

/// Verifies, and says what was found.
pub(super) fn verify(args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let key = args.key.as_deref().map(public_key).transpose()?;
    let heads = args.head.iter().map(|path| published(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let evidence = Evidence { key, heads };
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {eta} left")?);
    let verified = args.source.open()?.verify(&evidence, |Step { done, of, links }| {
        bar.set_message(if links { "events" } else { "looks" });
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    tell(&verified, &evidence, out)?;
    Ok(if verified.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(ALTERED) })
}

fn tell(verified: &Verification, evidence: &Evidence, out: &mut impl Write) -> std::io::Result<()> {
    let Verification { links, signed, gone, looks, detections, seals_gone, unsealed, faults, head } =
        verified;
    writeln!(out, "events: {links} links; {gone} were taken out with a receipt")?;
    writeln!(
        out,
        "detections: {detections} of {looks} looks fit their seals; {seals_gone} stretches were taken out with a receipt; \
         {unsealed} looks are not sealed yet"
    )?;
    match &evidence.key {
        Some(key) => writeln!(out, "{signed} links signed by {key}")?,
        None => writeln!(out, "signatures not checked (no --key)")?,
    }
    match evidence.heads.len() {
        0 => writeln!(out, "not compared with a published end of the chain (no --head)")?,
        heads => writeln!(out, "compared with {heads} published ends of the chain")?,
    }
    writeln!(out, "the chain ends at link {}: {}", head.seq, head.hash_hex())?;
    let Some(first) = faults.first() else {
        return writeln!(out, "whole: nothing was altered, removed, added or reordered");
    };
    writeln!(out, "NOT WHOLE: {}", first.what)?;
    for fault in faults.iter().take(LISTED).skip(1) {
        writeln!(out, "  and: {}", fault.what)?;
    }
    match faults.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// Where the chain ends, to be written down or kept elsewhere.
pub(super) fn head(source: &Source, out: &mut impl Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", source.open()?.head()?.to_json())?)
}

/// Makes a key.
pub(super) fn keygen(args: &KeygenArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (key, digits) = SigningKey::generate()?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.out)
        .with_context(|| format!("cannot make {}", args.out.display()))?;
    writeln!(file, "{}", digits.expose_secret())?;
    file.sync_all()?;
    writeln!(
        out,
        "The secret key is in {} (mode 0600). Let the unit load it, and name it in the site file:",
        args.out.display()
    )?;
    writeln!(out, "  LoadCredential=logbook-key:{}", args.out.display())?;
    writeln!(out, "  [logbook]\n  signing_key_credential = \"logbook-key\"")?;
    writeln!(
        out,
        "The public key verifies; keep it away from the box, for `logbook verify --key`:\n{}",
        key.public()
    )?;
    Ok(())
}

fn public_key(given: &str) -> anyhow::Result<PublicKey> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text,
        Err(_) if !Path::new(given).exists() => given.to_owned(),
        Err(cause) => bail!("cannot read {given}: {cause}"),
    };
    Ok(text.parse()?)
}

fn published(path: &Path) -> anyhow::Result<Head> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Head::from_json(&text).with_context(|| {
        format!(
            "{} is no end of a chain: {{\"seq\": 17, \"hash\": \"64 hexadecimal digits\"}}",
            path.display()
        )
    })
}
