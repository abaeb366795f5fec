//! What is shown of us in a call: a camera, the screen, a window or nothing.
//!
//! ```text
//!   Off ◀── camera off, lost ──┐      with --camera a call begins in On, else in Off
//!    └── camera on ──▶ On ─────┘      Echo sees nothing
//!    ▲                 ▲
//!    └─ stop, lost ─ Shared ◀─ share   back to what it was before; another share takes its place
//! ```

use super::{
    actor::{Actor, Done, Wait},
    calls::MediaSession,
    command::{Command, Sharing, Who},
    event::EventBody,
    reasons,
    view::{CallPhase, CallView, ContactId},
};
use crate::{call::CallId, reason::Reason};
use media::session::{Camera, SessionError, driver::Session};
use media::video::{
    driver::{ScreenError, VideoError, VideoSource, open_windows},
    window::OpenWindow,
};
use overlay::PublicKey;

/// Where the pictures of one call come from.
pub(super) struct Filming {
    /// What the camera button takes.
    camera: VideoSource,
    /// What is taken, unless it is off.
    source: VideoSource,
    /// What the camera was before something was shared.
    before: Camera,
}

impl Filming {
    /// As a session does that was told of this source, where the camera button takes that one.
    pub(super) fn new(camera: VideoSource, source: VideoSource) -> Self {
        let camera = if camera == VideoSource::None { source.clone() } else { camera };
        Self { camera, source, before: Camera::Off }
    }

    /// Whether we are seen once somebody has picked up; nothing is opened before.
    fn begin(&mut self, session: &Session, camera: Camera) -> Result<(), SessionError> {
        match (camera, self.at_first()) {
            (Camera::On, Camera::Off) => self.switch(session, Camera::On),
            (Camera::Off, Camera::On) => self.take(session, VideoSource::None),
            (Camera::On, Camera::On) | (Camera::Off, Camera::Off) => Ok(()),
        }
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

    /// Nothing is shared any more: what was before is again.
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
    /// Calls somebody who is to see us.
    pub(super) fn call_with_video(&mut self, key: PublicKey) -> Result<(), Reason> {
        if self.line.current().is_some() {
            return Err(Reason::AlreadyInCall);
        }
        if self.wait_for_network(Command::CallWithVideo(key))? == Wait::Later {
            return Ok(());
        }
        self.seen = Some(Camera::On);
        // Nobody is seen in another call because this one was refused.
        let dialled = self.dial(Who::Key(key));
        if dialled.is_err() {
            self.seen = None;
        }
        dialled
    }

    /// Answers the call that rings here, seen or not.
    pub(super) fn answer_with(&mut self, camera: Camera) -> Result<(), Reason> {
        if self.picture.view.call.as_ref().is_none_or(|call| call.phase != CallPhase::Incoming) {
            return Err(Reason::NoCall);
        }
        self.seen = Some(camera);
        // Before it is picked up: what is not to be seen is not opened at all.
        self.begin_as_wished()?;
        self.line.answer(self.now())
    }

    /// Has a session that runs begin as the person wants.
    pub(super) fn begin_as_wished(&mut self) -> Result<(), Reason> {
        if let (Some(camera), Some(MediaSession { session, filming, .. })) = (self.seen, &mut self.session) {
            filming.begin(session, camera)?;
        }
        Ok(())
    }

    /// What a session that is started now is told to take.
    pub(super) fn first_source(&self) -> VideoSource {
        match (self.seen, &self.config.video.source) {
            (Some(Camera::On), VideoSource::None) => VideoSource::Default,
            (Some(Camera::Off), _) => VideoSource::None,
            (Some(Camera::On) | None, source) => source.clone(),
        }
    }

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
        if sharing == shown.sharing {
            return Ok(());
        }
        let source = match &sharing {
            Sharing::Off => {
                filming.resume(session)?;
                (shown.sharing, shown.camera) = (Sharing::Off, Some(filming.before));
                return Ok(());
            }
            Sharing::Screen => VideoSource::Screen,
            Sharing::Window(name) => VideoSource::Window(name.clone()),
        };
        if shown.sharing == Sharing::Off {
            filming.before = shown.camera.unwrap_or(Camera::Off);
        }
        filming.take(session, source)?;
        (shown.sharing, shown.camera) = (sharing, None);
        Ok(())
    }

    /// Asks the desktop, which may take its time.
    pub(super) fn list_windows(&mut self) -> Result<(), Reason> {
        let (_, shown) = self.filmed()?;
        shown.windows = None;
        self.jobs.spawn_blocking(|| Done::Windows(open_windows()));
        Ok(())
    }

    pub(super) fn windows_listed(&mut self, found: Result<Vec<OpenWindow>, ScreenError>) {
        let Ok((_, shown)) = self.filmed() else { return };
        match found {
            Ok(windows) => shown.windows = Some(windows),
            Err(error) => {
                shown.windows = Some(Vec::new());
                self.refuse(None, reasons::of_pictures(&error.into()));
            }
        }
    }

    /// The call is made without the camera that was wished for.
    pub(super) fn goes_unseen(&mut self, call: CallId, error: &VideoError) {
        self.seen = None;
        let reason = reasons::of_pictures(error);
        self.picture.notice(&reason);
        self.tell(Some(call), EventBody::DeviceLost(reason));
    }

    /// A camera, a screen or a file of pictures works no more; the call goes on.
    pub(super) fn pictures_lost(&mut self, call: CallId, error: &VideoError) {
        if let Ok((MediaSession { session, filming, .. }, shown)) = self.filmed() {
            match (error, &shown.sharing) {
                // Theirs are not written; ours go on.
                (VideoError::Unwritable { .. }, _) => {}
                (_, Sharing::Off) => {
                    // To be opened anew when it is switched on again.
                    filming.source = VideoSource::None;
                    shown.camera = Some(Camera::Off);
                }
                (VideoError::Screen(_), Sharing::Screen | Sharing::Window(_)) => {
                    // The session may be over already.
                    let _ = filming.resume(session);
                    (shown.sharing, shown.camera) = (Sharing::Off, Some(filming.before));
                }
                (_, Sharing::Screen | Sharing::Window(_)) => {}
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
