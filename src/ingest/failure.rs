//! From GStreamer's errors to causes that a person can act on. The original text goes to the debug log.

use gstreamer as gst;

/// Parts of GStreamer's and the system's messages, in lower case, and what each means.
const CAUSES: [(&[&str], &str); 6] = [
    (&["connection refused"], "nothing listens on that port: enable RTSP on the camera and check the port"),
    (
        &["no route to host", "unreachable"],
        "there is no way to it: check power, cable, and the network settings of both",
    ),
    (&["timed out", "timeout"], "it does not answer in time: check power, cable and address"),
    (
        &["error resolving", "name or service not known", "name resolution"],
        "its host name is unknown: give its IP address, or check the DNS server",
    ),
    (&["tls", "certificate"], "the encrypted connection failed: check the certificate, or use rtsp://"),
    (&["failed to connect"], "the connection failed: check power, cable, address and port"),
];

/// An error as one sentence: a known cause with what to do about it, else GStreamer's own text.
pub(super) fn describe(error: &gst::message::Error) -> String {
    let raw = raw_text(error);
    tracing::debug!(raw, "GStreamer reported an error");
    if let Some(gst::CoreError::MissingPlugin) = error.error().kind() {
        return format!("a GStreamer plugin is missing, install the package that brings it ({raw})");
    }
    known_cause(&raw).map_or(raw, str::to_owned)
}

fn known_cause(raw: &str) -> Option<&'static str> {
    let raw = raw.to_lowercase();
    let means = |(parts, _): &&(&[&str], &str)| parts.iter().any(|part| raw.contains(part));
    CAUSES.iter().find(means).map(|(_, cause)| *cause)
}

/// GStreamer's text and the last line of its debug text, which names the cause.
fn raw_text(error: &gst::message::Error) -> String {
    let text = error.error().message().trim_end_matches('.').to_owned();
    let debug = error.debug();
    let cause = debug.as_deref().and_then(|debug| debug.lines().last()).map(str::trim).unwrap_or_default();
    if cause.is_empty() || cause.contains(&text) || cause.contains("():") {
        text
    } else {
        format!("{text}: {}", cause.trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: gst::ResourceError, debug: &str) -> gst::Message {
        gst::init().unwrap();
        let text = "Could not open resource for reading and writing.";
        gst::message::Error::builder(kind, text).debug(debug).build()
    }

    fn described(debug: &str) -> String {
        let message = error(gst::ResourceError::OpenReadWrite, debug);
        let gst::MessageView::Error(error) = message.view() else { panic!("{message:?}") };
        describe(error)
    }

    #[test]
    fn known_errors_say_what_to_do() {
        let refused =
            described("gstrtspsrc.c(9): open ():\nCould not connect to 192.0.2.1: Connection refused");
        assert!(refused.contains("enable RTSP"), "{refused}");
        let nowhere = described("open ():\nFailed to connect. (No route to host)");
        assert!(nowhere.contains("check power, cable"), "{nowhere}");
        let unnamed = described("open ():\nError resolving 'quay.local': Name or service not known");
        assert!(unnamed.contains("IP address"), "{unnamed}");
    }

    #[test]
    fn an_unknown_error_keeps_its_own_text() {
        let text = described("open ():\nThe moon is in the wrong house.");
        assert_eq!(text, "Could not open resource for reading and writing: The moon is in the wrong house");
    }
}
