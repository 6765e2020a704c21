//! "Did you mean": finds the known word nearest to an unknown one.

/// Words of other systems and of earlier versions, and the key or word that Havenwacht uses.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("fps", "detect_fps"),
    ("looks_per_second", "detect_fps"),
    ("silence", "inactivity"),
    ("frame_rate", "detect_fps"),
    ("uri", "url"),
    ("source", "url"),
    ("stream", "url"),
    ("timezone", "time_zone"),
    ("tz", "time_zone"),
    ("mask", "privacy_masks"),
    ("masks", "privacy_masks"),
    ("roi", "regions"),
    ("tiles", "regions"),
    ("points", "polygon"),
    ("corners", "polygon"),
    ("type", "kind"),
    ("level", "severity"),
    ("user", "username"),
    ("address", "listen"),
    ("bind", "listen"),
    ("alarm", "alert"),
    ("critical", "alert"),
    ("loiter", "loitering"),
    ("speed", "speeding"),
    ("sts", "rendezvous"),
    ("intrusion", "entry"),
    ("avc", "h264"),
    ("hevc", "h265"),
];

/// The word of `known` that is nearest to `word`, if one is near.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase().replace(['-', ' '], "_");
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == lower).map(|(_, here)| *here);
    known
        .into_iter()
        .map(|candidate| {
            let plain = candidate.to_lowercase().replace('-', "_");
            // The beginning or the end of a known word counts as one typing error.
            let part = lower.len() >= 3 && (plain.starts_with(&lower) || plain.ends_with(&lower));
            let whole = plain.len() >= 3 && lower.starts_with(&plain);
            let distance = match () {
                () if other == Some(candidate) || lower == plain => 0,
                () if part || whole => 1,
                () => strsim::osa_distance(&lower, &plain),
            };
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean "x"?`, or the known words when none is near.
pub(super) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("did you mean \"{near}\"?");
    }
    let all: Vec<_> = known.into_iter().map(|k| format!("\"{k}\"")).collect();
    match all.len() {
        0 => "this file has none".to_owned(),
        1..=12 => format!("there is {}", all.join(", ")),
        more => format!("there are {more}, among them {}", all[..6].join(", ")),
    }
}

/// The words as alternatives: "dwell, stop or overstay".
pub(super) fn or(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_known_word() {
        let known = ["detect_fps", "url", "codec", "privacy_masks", "time_zone", "id"];
        for (word, meant) in [
            ("detect_fs", "detect_fps"),
            ("looks_per_second", "detect_fps"),
            ("fps", "detect_fps"),
            ("ulr", "url"),
            ("Codec", "codec"),
            ("timezone", "time_zone"),
            ("privacy_mask", "privacy_masks"),
        ] {
            assert_eq!(nearest(word, known), Some(meant), "{word}");
        }
        assert_eq!(nearest("H265", ["h264", "h265"]), Some("h265"));
        assert_eq!(nearest("H.264", ["h264", "h265"]), Some("h264"));
        assert_eq!(nearest("brightness", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
