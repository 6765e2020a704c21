//! `logbook verify`, `head` and `keygen`: the hash chain and its keys.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::ExposeSecret as _;

use super::check::exit_code;
use super::source::Source;
use crate::logbook::{ChainHead, PublicKey, SigningKey, TrustAnchors, Verification, VerifyProgress};

/// Faults that are listed, at most; the others are counted.
const LISTED: usize = 20;

/// Which logbook, and what is known from outside of it.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Which logbook.
    #[command(flatten)]
    source: Source,
    /// Public key that signed the links (`public-...`), or a file that holds it.
    #[arg(long)]
    key: Option<String>,
    /// File with an end of the chain that was published earlier (the message on `havenwacht/<site>/logbook/head`). May be
    /// repeated.
    #[arg(long)]
    head: Vec<PathBuf>,
}

/// Where the key is stored.
#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// File for the secret key. It must not exist yet.
    #[arg(long)]
    out: PathBuf,
}

/// Verifies; exit status 65 when something does not match.
pub(super) fn verify(args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let key = args.key.as_deref().map(public_key).transpose()?;
    let heads = args.head.iter().map(|path| published(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let anchors = TrustAnchors { key, heads };
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {eta} left")?);
    let verified = args.source.open()?.verify(&anchors, |VerifyProgress { done, of, links }| {
        bar.set_message(if links { "events" } else { "passes" });
        bar.set_length(of);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    write_verification(&verified, &anchors, out)?;
    Ok(exit_code(verified.faults.is_empty()))
}

fn write_verification(
    verified: &Verification,
    anchors: &TrustAnchors,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let Verification { links, signed, removed, passes, detections, removed_seals, unsealed, faults, head } =
        verified;
    writeln!(out, "events: {links} links; {removed} rows were removed with a receipt")?;
    writeln!(
        out,
        "detections: {detections} in {passes} passes match their seals; passes of {removed_seals} seals were removed with a \
         receipt; {unsealed} passes are not sealed yet"
    )?;
    match &anchors.key {
        Some(key) => writeln!(out, "{signed} links signed by {key}")?,
        None => writeln!(out, "signatures not checked (no --key)")?,
    }
    match anchors.heads.len() {
        0 => writeln!(out, "not compared with a published end of the chain (no --head)")?,
        heads => writeln!(out, "published ends of the chain that were compared: {heads}")?,
    }
    writeln!(out, "the chain ends at link {}: {}", head.seq, head.hash_hex())?;
    let Some(first) = faults.first() else {
        return writeln!(out, "intact: nothing was altered, removed, added or reordered");
    };
    writeln!(out, "NOT INTACT: {}", first.what)?;
    for fault in faults.iter().take(LISTED).skip(1) {
        writeln!(out, "  and: {}", fault.what)?;
    }
    match faults.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more faults"),
    }
}

/// Prints the end of the chain.
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
        .with_context(|| format!("cannot create {}", args.out.display()))?;
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
        "The public key checks signatures; store it elsewhere, for `logbook verify --key`:\n{}",
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

fn published(path: &Path) -> anyhow::Result<ChainHead> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    ChainHead::from_json(&text).with_context(|| {
        format!(
            "{} is not an end of a chain such as {{\"seq\": 17, \"hash\": \"64 hexadecimal digits\"}}",
            path.display()
        )
    })
}
