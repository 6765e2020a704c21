//! The connection as the MQTT library sees it. Looks at the first bytes of the broker: some answers are not MQTT 5, and the
//! library cannot name them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::causes::DialError;

trait ByteStream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> ByteStream for T {}

/// A stream whose first bytes are checked.
pub(super) struct FirstBytes {
    stream: Box<dyn ByteStream>,
    checked: bool,
}

impl FirstBytes {
    pub(super) fn new(stream: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static) -> Self {
        Self { stream: Box::new(stream), checked: false }
    }
}

/// What is wrong with a broker that begins with these bytes.
fn fault(first: &[u8]) -> Option<DialError> {
    match first {
        // A TLS record (alert or handshake) of any version.
        [0x15 | 0x16, 0x03, ..] => Some(DialError::NeedsTls),
        // The CONNACK of MQTT 3.1.1, "unacceptable protocol version".
        [0x20, 0x02, _, 0x01, ..] => Some(DialError::NoMqtt5),
        _ => None,
    }
}

impl AsyncRead for FirstBytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if !std::mem::replace(&mut self.checked, true)
            && let Some(fault) = buffer.filled().get(before..).and_then(fault)
        {
            return Poll::Ready(Err(io::Error::other(fault)));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for FirstBytes {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_are_not_mqtt_5_are_named() {
        assert_eq!(fault(b"\x15\x03\x03\x00\x02\x02\x46"), Some(DialError::NeedsTls));
        assert_eq!(fault(b"\x20\x02\x00\x01"), Some(DialError::NoMqtt5));
        for good in [&b"\x20\x03\x00\x00\x00"[..], b"\x20\x03\x00\x87\x00", b"\x20", b""] {
            assert_eq!(fault(good), None, "{good:?}");
        }
    }
}
