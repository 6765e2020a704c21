//! Passwords: no message repeats them, and their files are private.

use super::super::*;
use super::{EXAMPLE, check, check_in, folder, lines};

#[test]
fn no_message_repeats_a_password() {
    let secret = "zeer-geheim-77";
    for (old, new) in [
        ("port = 1883", format!("password = \"{secret}\"")),
        ("port = 1883", format!("passwort = \"{secret}\"")),
        ("port = 1883", format!("password = \"\"\"\n{secret}\"\"\"")),
        ("port = 1883", format!("password = [\n\"{secret}\"\n]")),
        ("port = 1883", format!("Password = [\"{secret}\"]")),
        ("port = 1883", format!("username = \"a\"\npassword_file = \"{secret}\"")),
        ("port = 1883", format!("username = \"a\"\npassword_fiel = \"{secret}\"")),
        ("port = 1883", format!("username = \"a\"\npassword_credential = \"{secret}!\"")),
        ("127.0.0.1", format!("user:{secret}@127.0.0.1")),
        ("rtsp://", format!("rtsp://viewer:{secret}@")),
        ("rtsp://", format!("rtsp://viewer:{secret}/x@")),
        ("rtsp://", format!("http://viewer:{secret}@")),
        ("rtsp://", format!("viewer:{secret}@")),
        ("stream1", format!("user=viewer_password={secret}")),
    ] {
        let text = EXAMPLE.replacen(old, &new, 1);
        let found = check(&text).unwrap_err();
        let (plain, drawing) = (lines(&found), rendered(&found, &text, true));
        assert!(!plain.contains(secret) && !drawing.contains(secret), "{new}: {plain}{drawing}");
        assert!(plain.contains("password"), "{new}: {plain}");
    }
    let found = check(&EXAMPLE.replace("port = 1883", "password = \"x\"")).unwrap_err();
    let plain = lines(&found);
    assert!(plain.contains("broker.password: a password must not be in the site file"), "{plain}");
    assert!(plain.contains("password_file = ") && plain.contains("password_credential = "), "{plain}");
}

#[test]
fn an_at_sign_in_the_path_is_no_login_unless_a_host_follows() {
    let address = |address: &str| check(&EXAMPLE.replacen("rtsp://192.0.2.10:554/stream1", address, 1));
    for good in ["rtsp://192.0.2.10:554/cam@1/main", "rtsp://192.0.2.10/live@main", "rtsp://camera:554/cam@1"]
    {
        assert!(address(good).is_ok(), "{good}: {:?}", address(good));
    }
    for bad in [
        "rtsp://user:12/ab@192.0.2.10/main",
        "rtsp://user:12/ab@camera/main",
        "rtsp://user:x/y@1/main",
        "rtsp://j.jansen:2024/geheim@camera1/s",
        "rtsp://admin:12/34@10/main",
    ] {
        let plain = lines(&address(bad).unwrap_err());
        assert!(plain.contains("holds a user name or a password"), "{bad}: {plain}");
    }
}

#[test]
fn a_secret_in_the_query_is_a_warning_without_its_value() {
    let text = EXAMPLE.replacen("stream1", "live?channel=1&subtype=0&authToken=abcdef0123", 1);
    let plain = lines(&check(&text).unwrap().1);
    assert!(plain.contains("`token` in the address may be a secret") && !plain.contains("abcdef"), "{plain}");
    let text = EXAMPLE.replacen("stream1", "live?user=viewer&loginpas=abcdef", 1);
    assert!(lines(&check(&text).unwrap().1).contains("`loginpas` in the address"));
    let text = EXAMPLE.replacen("stream1", "cam/realmonitor?channel=1&subtype=0", 1);
    assert_eq!(check(&text).unwrap().1, []);
}

#[test]
fn a_password_file_readable_by_all_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let text = EXAMPLE.replace("port = 1883", "username = \"a\"\npassword_file = \"secret\"");
    let (site, warnings) = check_in(folder.path(), &text).unwrap();
    assert_eq!(warnings, []);
    let place = SecretSource::File(folder.path().join("config/secret"));
    assert_eq!(site.broker.login.map(|login| login.password), Some(place));
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.path().join("config/secret"), open).unwrap();
    let (_, warnings) = check_in(folder.path(), &text).unwrap();
    assert!(lines(&warnings).contains("every user of this box can read"), "{warnings:?}");
}
