//! The pictures of an X11 screen, with the mouse pointer.
//!
//! ```text
//!         nothing was drawn (DAMAGE), and the pointer rests (XFIXES)
//!   take ────────────────────────────────────────────────────────────▶ the last picture again
//!     └── else ─▶ grab (MIT-SHM, or GetImage) ─▶ draw the pointer ─▶ as video
//! ```
//!
//! What comes is 32 bits a pixel, blue first; X servers of this century have no other layout.

mod grab;
mod pixels;
mod pointer;

use std::time::{Duration, Instant};

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _, Damage, ReportLevel};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageOrder, Window};
use x11rb::rust_connection::RustConnection;

use crate::video::frame::{FrameError, I420, Size, Taken};
use crate::video::glances::{Change, Glances};
use grab::Grabber;
use pixels::{BYTES, in_video};
use pointer::Pointer;

/// DAMAGE in the version we speak.
const DAMAGE: (u32, u32) = (1, 1);
/// What nobody says was drawn on is looked at again after so long all the same, for some drivers draw without a word.
const TRUSTED: Duration = Duration::from_secs(2);

/// Why a screen cannot be shared; each is a sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScreenError {
    /// There is no X11 here, or it does not let us in.
    #[error("there is no X11 screen to share here: {0}")]
    Unreachable(#[from] ConnectError),
    /// It hung up.
    #[error("the X11 server hung up: {0}")]
    HungUp(#[from] ConnectionError),
    /// It refused.
    #[error("the X11 server gave no picture of the screen: {0}")]
    Refused(#[from] ReplyError),
    /// It has no numbers left to name things by.
    #[error("the X11 server can name no more resources")]
    Exhausted,
    /// A layout that is not read.
    #[error(
        "the screen has {bits} bits a pixel, or the wrong order of bytes; only 32 bits, lowest first, can be shared"
    )]
    Layout {
        /// Bits a pixel.
        bits: u8,
    },
    /// Its size is impossible.
    #[error(transparent)]
    Size(#[from] FrameError),
}

/// An X11 screen.
pub(super) struct Screen {
    connection: RustConnection,
    root: Window,
    grabber: Grabber,
    /// None where the server does not tell about it.
    pointer: Option<Pointer>,
    /// What tells that something was drawn; none where nothing does.
    damage: Option<Damage>,
    pixels: Vec<u8>,
    last: Option<Grabbed>,
    glances: Glances,
    /// What was told since the last look.
    told: Change,
}

struct Grabbed {
    frame: I420,
    at: Instant,
}

impl Screen {
    /// The one that `DISPLAY` names.
    pub(super) fn open() -> Result<Self, ScreenError> {
        Self::of(None)
    }

    fn of(display: Option<&str>) -> Result<Self, ScreenError> {
        let (connection, number) = x11rb::connect(display)?;
        let setup = connection.setup();
        let Some(screen) = setup.roots.get(number) else { return Err(ScreenError::Layout { bits: 0 }) };
        let (root, depth) = (screen.root, screen.root_depth);
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth);
        let bits = format.map_or(0, |format| format.bits_per_pixel);
        if usize::from(bits) != 8 * BYTES || setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(ScreenError::Layout { bits });
        }
        let pointer = Pointer::open(&connection, root)?;
        let damage = watch(&connection, root)?;
        let (grabber, pixels) = (Grabber::default(), Vec::new());
        let (glances, told) = (Glances::default(), Change::None);
        Ok(Self { connection, root, grabber, pointer, damage, pixels, last: None, glances, told })
    }

    /// Whether to look now; to be asked often.
    pub(super) fn is_due(&mut self, now: Instant) -> Result<bool, ScreenError> {
        self.listen()?;
        Ok(self.glances.is_due(now, self.told))
    }

    /// Nobody has a use for this look.
    pub(super) fn pass_over(&mut self, now: Instant) {
        self.glances.handle_glance(now, self.told);
    }

    /// How it looks now.
    pub(super) fn take(&mut self, now: Instant) -> Result<I420, ScreenError> {
        let taken = Taken::At(now);
        let geometry = self.connection.get_geometry(self.root)?;
        let at = self.connection.query_pointer(self.root)?;
        let geometry = geometry.reply()?;
        let size = Size::new(geometry.width.into(), geometry.height.into())?;
        let at = at.reply()?;
        let moved =
            self.pointer.as_mut().is_some_and(|pointer| pointer.moved(&at, size, geometry.border_width));
        // After the answers: of all that was drawn before them is told by now.
        self.listen()?;
        let told = std::mem::replace(&mut self.told, Change::None);
        let change = if moved { Change::Drawn } else { told };
        self.glances.handle_glance(now, change);
        let last = self.last.as_ref().filter(|last| {
            change == Change::None
                && last.frame.size() == size
                && now.saturating_duration_since(last.at) < TRUSTED
        });
        if let Some(last) = last {
            return Ok(last.frame.retaken(taken));
        }
        let frame = self.grab(size, taken)?;
        self.last = Some(Grabbed { frame: frame.clone(), at: now });
        Ok(frame)
    }

    /// Hears whether something was drawn, or the pointer looks different.
    fn listen(&mut self) -> Result<(), ScreenError> {
        let mut changed = self.damage.is_none();
        while let Some(event) = self.connection.poll_for_event()? {
            changed |= match event {
                Event::DamageNotify(_) => true,
                Event::XfixesCursorNotify(_) => self.pointer.as_mut().is_some_and(Pointer::reshaped),
                _ => false,
            };
        }
        if changed {
            self.told = Change::Drawn;
        }
        Ok(())
    }

    fn grab(&mut self, size: Size, taken: Taken) -> Result<I420, ScreenError> {
        // Before the picture: what is drawn meanwhile is told anew.
        if let Some(damage) = self.damage {
            self.connection.damage_subtract(damage, x11rb::NONE, x11rb::NONE)?;
        }
        self.grabber.grab(&self.connection, self.root, size, &mut self.pixels)?;
        if let Some(pointer) = &mut self.pointer {
            pointer.draw(&self.connection, &mut self.pixels, size)?;
        }
        Ok(in_video(&self.pixels, size, taken)?)
    }
}

/// Has the server tell once when something is drawn there, and again after each look.
fn watch(connection: &RustConnection, window: Window) -> Result<Option<Damage>, ScreenError> {
    if connection.extension_information(damage::X11_EXTENSION_NAME)?.is_none()
        || connection.damage_query_version(DAMAGE.0, DAMAGE.1)?.reply().is_err()
    {
        return Ok(None);
    }
    let damage = connection.generate_id().map_err(|_| ScreenError::Exhausted)?;
    connection.damage_create(damage, window, ReportLevel::NON_EMPTY)?.check()?;
    Ok(Some(damage))
}

#[cfg(all(test, unix))]
mod tests;
