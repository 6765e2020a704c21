//! Names and addresses of machines. No message here repeats a password.

use std::net::{IpAddr, Ipv4Addr};

use super::credentials;
use super::reader::{ValueReader, short};

pub(super) const ADDRESS_HELP: &str = "four numbers from 0 to 255, such as 192.0.2.10";

/// Whether a host is meant as an IPv4 address and is none: `300.0.2.10`, `192.0.2`.
pub(super) fn is_impossible_address(host: &str) -> bool {
    let only_numbers = host.contains('.') && host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    only_numbers && host.parse::<Ipv4Addr>().is_err()
}

/// A name or an address, without scheme, login and port.
pub(super) fn host(item: &ValueReader<'_>) -> Option<String> {
    let host = item.text()?;
    let help = "a name or an address alone: host = \"mqtt.example\", port = 1883";
    if host.contains('@') {
        item.error("holds a user name or a password", credentials::HELP);
    } else if host.contains("://") {
        item.error("is an address with a scheme", help);
    } else if host.parse::<IpAddr>().is_err()
        && !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    {
        item.error(format!("\"{}\" is not a host name or address", short(host)), help);
    } else if is_impossible_address(host) {
        item.error(format!("{} is no address", short(host)), ADDRESS_HELP);
    } else {
        return Some(host.to_owned());
    }
    None
}
