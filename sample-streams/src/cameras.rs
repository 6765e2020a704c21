//! Serves clips as RTSP cameras: encoded once, looped without end, sent in real time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, ensure};
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::prelude::*;

use crate::clip::Clip;
use crate::corruption::Corruption;

/// The role of clients that gave the user name and the password.
const VIEWER: &str = "viewer";

/// A listening RTSP server; it serves while the default main loop runs.
#[derive(Debug)]
pub struct Cameras {
    /// The TCP port.
    pub port: u16,
    server: rtsp::RTSPServer,
    source: Option<glib::SourceId>,
}

impl Cameras {
    /// Serves each clip under its mount point (without a slash) at `address`:`port`; port 0 takes a free port.
    ///
    /// With `credentials`, a user name and a password, clients must give them. With `corruption`, packets are corrupted.
    pub fn serve(
        (address, port): (&str, u16),
        clips: Vec<(String, Clip)>,
        credentials: Option<(&str, &str)>,
        corruption: Option<Corruption>,
    ) -> Result<Self> {
        gst::init()?;
        let server = rtsp::RTSPServer::new();
        server.set_address(address);
        server.set_service(&port.to_string());
        let mounts = server.mount_points().context("the RTSP server has no mount points")?;
        for (mount, clip) in clips {
            let factory = factory(clip, corruption);
            if credentials.is_some() {
                let role = gst::Structure::builder(VIEWER)
                    .field("media.factory.access", true)
                    .field("media.factory.construct", true)
                    .build();
                factory.add_role_from_structure(&role);
            }
            mounts.add_factory(&format!("/{mount}"), factory);
        }
        if let Some((user, password)) = credentials {
            let auth = rtsp::RTSPAuth::new();
            let token = rtsp::RTSPToken::builder().field("media.factory.role", VIEWER).build();
            auth.add_basic(&rtsp::RTSPAuth::make_basic(user, password), &token);
            server.set_auth(Some(&auth));
        }
        let source = server
            .attach(None)
            .map_err(|e| anyhow!("cannot listen on {address}:{port}, is it in use? ({e})"))?;
        let bound = u16::try_from(server.bound_port()).context("the RTSP server has no port")?;
        Ok(Self { port: bound, server, source: Some(source) })
    }
}

impl Drop for Cameras {
    fn drop(&mut self) {
        if let Some(source) = self.source.take() {
            source.remove();
        }
        self.server.set_mount_points(None::<&rtsp::RTSPMountPoints>);
    }
}

/// Makes the media of one camera. All clients share it; the first one starts it at the beginning of the clip.
fn factory(clip: Clip, corruption: Option<Corruption>) -> rtsp::RTSPMediaFactory {
    let factory = rtsp::RTSPMediaFactory::new();
    factory.set_shared(true);
    factory.set_launch(&format!(
        "( appsrc name=clip format=time max-bytes=400000 ! {} name=pay0 pt=96 mtu=1400 )",
        clip.payloader
    ));
    let clip = Arc::new(clip);
    factory.connect_media_configure(move |_, media| {
        let bin = media.element().downcast::<gst::Bin>().ok();
        let source = bin.and_then(|b| b.by_name("clip")).and_then(|e| e.downcast::<gst_app::AppSrc>().ok());
        let Some(source) = source else { return };
        if let Some(corruption) = corruption {
            corruption.apply(&media.element());
        }
        source.set_caps(Some(&clip.caps));
        let (clip, next) = (clip.clone(), AtomicU64::new(0));
        // The sinks keep the time and ask the source for more: nothing has to wait here.
        source.set_callbacks(
            gst_app::AppSrcCallbacks::builder()
                .need_data(move |source, _| {
                    // Fails only while the media is being stopped.
                    let _sent = source.push_buffer(clip.unit(next.fetch_add(1, Ordering::Relaxed)));
                })
                .build(),
        );
    });
    factory
}

/// Reads a user name and a password, as `name:password`, from the first line of a file.
pub fn credentials(path: &Path) -> Result<(String, String)> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = text.lines().next().unwrap_or_default();
    let (user, password) =
        line.split_once(':').with_context(|| format!("{}: name:password expected", path.display()))?;
    ensure!(!user.is_empty(), "{}: the name is empty", path.display());
    Ok((user.to_owned(), password.to_owned()))
}
