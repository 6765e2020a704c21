//! Slips of the pen that many people make.

use super::{EXAMPLE, check, lines};

#[test]
fn a_decimal_comma_and_an_impossible_address_are_named() {
    for (old, new, what, help) in [
        ("codec = \"h264\"", "codec = \"h264\"\ndetect_fps = 2,5", "a comma follows a number", "such as 2.5"),
        ("[0.10, 0.55]", "[0,10, 0,55]", "has 4 numbers", "decimals are written with a point, such as 0.55"),
        ("192.0.2.10", "300.0.2.10", "300.0.2.10 is no address", "four numbers from 0 to 255"),
        ("host = \"127.0.0.1\"", "host = \"127.0.0\"", "127.0.0 is no address", "four numbers from 0 to 255"),
    ] {
        assert!(EXAMPLE.contains(old), "the example has no {old:?}");
        let found = check(&EXAMPLE.replacen(old, new, 1)).unwrap_err();
        let said = lines(&found);
        let helps: String = found.iter().filter_map(|d| d.help.clone()).collect();
        assert!(said.contains(what) && helps.contains(help), "{new}: {said}{helps}");
    }
}
