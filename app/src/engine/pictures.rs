//! What is shown of us in a call: a camera, the screen or nothing.
//!
//! ```text
//!   Off ◀── camera off, lost ──┐      with --camera a call begins in On, else in Off
//!    └── camera on ──▶ On ─────┘      Echo sees nothing
//!    ▲                 ▲
//!    └─ stop, lost ─ Screen ◀─ share   back to what it was before
//! ```

use super::{
    actor::Actor,
    calls::MediaSession,
    command::Sharing,
    event::EventBody,
    reasons,
    view::{CallView, ContactId},
};
use crate::{call::CallId, reason::Reason};
use media::session::{Camera, SessionError, driver::Session};
use media::video::driver::{VideoError, VideoSource};

/// Where the pictures of one call come from.
pub(super) struct Filming {
    /// What the camera button takes.
    camera: VideoSource,
    /// What is taken, unless it is off.
    source: VideoSource,
    /// What the camera was before the screen was shown.
    before: Camera,
}

impl Filming {
    /// As a session does that was told of this source.
    pub(super) fn new(source: VideoSource) -> Self {
        Self { camera: source.clone(), source, before: Camera::Off }
    }

    /// The camera before anybody touches it.
    fn at_first(&self) -> Camera {
        if self.source == VideoSource::None { Camera::Off } else { Camera::On }
    }

    fn switch(&mut self, session: &Session, camera: Camera) -> Result<(), SessionError> {
        match (camera, &self.source) {
            (Camera::On, VideoSource::None) => {
                if self.camera == VideoSource::None {
                    self.camera = VideoSource::Default;
                }
                self.take(session, self.camera.clone())
            }
            _ => session.set_camera(camera),
        }
    }

    /// A screen is no longer shown: what was before is again.
    fn resume(&mut self, session: &Session) -> Result<(), SessionError> {
        let source = if self.before == Camera::On { self.camera.clone() } else { VideoSource::None };
        self.take(session, source)
    }

    fn take(&mut self, session: &Session, source: VideoSource) -> Result<(), SessionError> {
        session.set_source(source.clone())?;
        self.source = source;
        Ok(())
    }
}

impl Actor {
    /// The call is connected: there is something to show.
    pub(super) fn begin_filming(&mut self) {
        if let Ok((running, shown)) = self.filmed() {
            shown.camera = Some(running.filming.at_first());
        }
    }

    pub(super) fn set_camera(&mut self, camera: Camera) -> Result<(), Reason> {
        let (running, shown) = self.filmed()?;
        running.filming.switch(&running.session, camera)?;
        if shown.sharing == Sharing::Off {
            shown.camera = Some(camera);
        }
        Ok(())
    }

    pub(super) fn share(&mut self, sharing: Sharing) -> Result<(), Reason> {
        let (running, shown) = self.filmed()?;
        let MediaSession { session, filming, .. } = running;
        match (sharing, shown.sharing) {
            (Sharing::On, Sharing::Off) => {
                filming.before = shown.camera.unwrap_or(Camera::Off);
                filming.take(session, VideoSource::Screen)?;
                (shown.sharing, shown.camera) = (Sharing::On, None);
            }
            (Sharing::Off, Sharing::On) => {
                filming.resume(session)?;
                (shown.sharing, shown.camera) = (Sharing::Off, Some(filming.before));
            }
            (Sharing::On, Sharing::On) | (Sharing::Off, Sharing::Off) => {}
        }
        Ok(())
    }

    /// A camera, a screen or a file of pictures works no more; the call goes on.
    pub(super) fn pictures_lost(&mut self, call: CallId, error: &VideoError) {
        if let Ok((MediaSession { session, filming, .. }, shown)) = self.filmed() {
            match (error, shown.sharing) {
                // Theirs are not written; ours go on.
                (VideoError::Unwritable { .. }, _) => {}
                (VideoError::Screen(_), Sharing::On) => {
                    // The session may be over already.
                    let _ = filming.resume(session);
                    (shown.sharing, shown.camera) = (Sharing::Off, Some(filming.before));
                }
                (_, Sharing::On) => {}
                (_, Sharing::Off) => {
                    // To be opened anew when it is switched on again.
                    filming.source = VideoSource::None;
                    shown.camera = Some(Camera::Off);
                }
            }
        }
        let reason = reasons::of_pictures(error);
        self.picture.notice(&reason);
        self.tell(Some(call), EventBody::DeviceLost(reason));
    }

    /// The session and the call as it is shown, if there is somebody to see us.
    fn filmed(&mut self) -> Result<(&mut MediaSession, &mut CallView), Reason> {
        let (Some(running), Some(shown)) = (&mut self.session, &mut self.picture.view.call) else {
            return Err(Reason::NoCall);
        };
        match shown.with {
            ContactId::Person(_) => Ok((running, shown)),
            ContactId::Echo => Err(Reason::NoCamera),
        }
    }
}
