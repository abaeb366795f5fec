//! The pictures of an X11 screen or of one window on it, with the mouse pointer.
//!
//! ```text
//!         nothing was drawn (DAMAGE), and the pointer rests (XFIXES), or the window is hidden
//!   take ─────────────────────────────────────────────────────────────────────────────────────▶ the last picture again
//!     └── else ─▶ grab (MIT-SHM, or GetImage) ─▶ draw the pointer ─▶ as video
//! ```
//!
//! A window is drawn into memory of its own (COMPOSITE), so that what covers it is not seen. What comes is 32 bits a
//! pixel, blue first; X servers of this century have no other layout.

mod grab;
mod pixels;
mod pointer;
mod subject;
mod windows;

use std::env;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _, Damage, ReportLevel};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ImageOrder, Window};
use x11rb::rust_connection::RustConnection;

use crate::video::frame::{FrameError, I420, Taken};
use crate::video::glances::{Change, Glances};
use crate::video::window::{ChoiceError, OpenWindow, WindowName, choose};
use grab::Grabber;
use pixels::{BYTES, in_video};
use pointer::Pointer;
use subject::{Seen, Subject};
use windows::Standing;

/// DAMAGE in the version we speak.
const DAMAGE: (u32, u32) = (1, 1);
/// RANDR from where it tells outputs at once.
const RANDR: (u32, u32) = (1, 3);
const XWAYLAND: &str = "XWAYLAND";
/// What nobody says was drawn on is looked at again after so long all the same, for some drivers draw without a word.
const TRUSTED: Duration = Duration::from_secs(2);

/// Why a screen or a window cannot be shared; each is a sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScreenError {
    /// There is no X11 here, or it does not let us in.
    #[error("there is no X11 screen to share here: {0}")]
    Unreachable(#[source] ConnectError),
    /// The screen is not X11's.
    #[error("this desktop is Wayland, and only the screens of X11 can be shared so far")]
    Wayland,
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
    /// The server draws all windows into one picture.
    #[error("the X11 server cannot show a window alone")]
    NoWindows,
    /// A name stands for no window.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Nothing of the window was to be seen yet.
    #[error("the window is minimised or on another desktop")]
    Hidden,
    /// The window is gone.
    #[error("the window that was shared is closed")]
    Closed,
}

/// An X11 screen, or one window on it.
pub(super) struct Screen {
    connection: RustConnection,
    subject: Subject,
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
    /// None when it is no longer how it looks, whatever was drawn.
    at: Option<Instant>,
}

/// The windows of other programs that can be shared now. Asks the X11 server, which may take its time.
pub fn open_windows() -> Result<Vec<OpenWindow>, ScreenError> {
    let (connection, root) = connect(None)?;
    let shown =
        windows::list(&connection, root)?.into_iter().filter(|(_, stands)| *stands == Standing::Shown);
    Ok(shown.map(|(window, _)| window).collect())
}

impl Screen {
    /// The one that `DISPLAY` names.
    pub(super) fn open() -> Result<Self, ScreenError> {
        Self::at(None)
    }

    /// A window on it.
    pub(super) fn open_window(name: &WindowName) -> Result<Self, ScreenError> {
        Self::window_at(None, name)
    }

    fn at(display: Option<&str>) -> Result<Self, ScreenError> {
        let (connection, root) = connect(display)?;
        if is_guest(&connection, root)? {
            return Err(ScreenError::Wayland);
        }
        let subject = Subject::screen(&connection, root)?;
        Self::of(connection, root, subject)
    }

    fn window_at(display: Option<&str>, name: &WindowName) -> Result<Self, ScreenError> {
        let (connection, root) = connect(display)?;
        let id = match name {
            WindowName::Id(id) => *id,
            WindowName::Title(title) => {
                let open: Vec<_> =
                    windows::list(&connection, root)?.into_iter().map(|(window, _)| window).collect();
                choose(title, &open)?
            }
        };
        let subject = Subject::window(&connection, id)?;
        Self::of(connection, root, subject)
    }

    fn of(connection: RustConnection, root: Window, subject: Subject) -> Result<Self, ScreenError> {
        let pointer = Pointer::open(&connection, root)?;
        let damage = watch(&connection, subject.id())?;
        let (grabber, pixels) = (Grabber::default(), Vec::new());
        let (glances, told) = (Glances::default(), Change::None);
        Ok(Self { connection, subject, grabber, pointer, damage, pixels, last: None, glances, told })
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
        let seen = self.subject.look(&self.connection)?;
        // After the answers: of all that happened before them is told by now.
        self.listen()?;
        let told = std::mem::replace(&mut self.told, Change::None);
        let Seen::At(view) = seen else {
            self.glances.handle_glance(now, told);
            return self.hidden(taken);
        };
        let moved =
            self.pointer.as_mut().is_some_and(|pointer| pointer.moved(&view.pointer, view.size, view.border));
        let resized = self.last.as_ref().is_some_and(|last| last.frame.size() != view.size);
        let change = if moved || resized { Change::Drawn } else { told };
        self.glances.handle_glance(now, change);
        let fresh = |at: &Instant| now.saturating_duration_since(*at) < TRUSTED;
        let last =
            self.last.as_ref().filter(|last| change == Change::None && last.at.as_ref().is_some_and(fresh));
        if let Some(last) = last {
            return Ok(last.frame.retaken(taken));
        }
        // Before the picture: what is drawn meanwhile is told anew.
        if let Some(damage) = self.damage {
            self.connection.damage_subtract(damage, x11rb::NONE, x11rb::NONE)?;
        }
        let Some(size) =
            self.subject.grab(&self.connection, &mut self.grabber, view.size, &mut self.pixels)?
        else {
            return self.hidden(taken);
        };
        if let Some(pointer) = &mut self.pointer {
            pointer.draw(&self.connection, &mut self.pixels, size)?;
        }
        let frame = in_video(&self.pixels, size, taken)?;
        self.last = Some(Grabbed { frame: frame.clone(), at: Some(now) });
        Ok(frame)
    }

    /// What was seen last stays, until there is something to be seen again.
    fn hidden(&mut self, taken: Taken) -> Result<I420, ScreenError> {
        let last = self.last.as_mut().ok_or(ScreenError::Hidden)?;
        last.at = None;
        Ok(last.frame.retaken(taken))
    }

    /// Hears whether something was drawn, or the pointer looks different.
    fn listen(&mut self) -> Result<(), ScreenError> {
        let mut changed = self.damage.is_none();
        while let Some(event) = self.connection.poll_for_event()? {
            changed |= match event {
                Event::DamageNotify(_) => true,
                Event::XfixesCursorNotify(_) => self.pointer.as_mut().is_some_and(Pointer::reshaped),
                // Another one may have its number by now.
                Event::DestroyNotify(gone) if gone.window == self.subject.id() => {
                    return Err(ScreenError::Closed);
                }
                _ => false,
            };
        }
        if changed {
            self.told = Change::Drawn;
        }
        Ok(())
    }
}

/// The server, and the root window of its screen.
fn connect(display: Option<&str>) -> Result<(RustConnection, Window), ScreenError> {
    let connected = x11rb::connect(display);
    let (connection, number) = connected.map_err(|why| unreachable(why, env::var_os("WAYLAND_DISPLAY")))?;
    let setup = connection.setup();
    let Some(screen) = setup.roots.get(number) else { return Err(ScreenError::Layout { bits: 0 }) };
    let root = screen.root;
    if setup.image_byte_order != ImageOrder::LSB_FIRST {
        return Err(ScreenError::Layout { bits: bits(&connection, screen.root_depth) });
    }
    Ok((connection, root))
}

/// Where there is Wayland instead, that is the reason.
fn unreachable(why: ConnectError, wayland: Option<OsString>) -> ScreenError {
    match wayland {
        Some(name) if !name.is_empty() => ScreenError::Wayland,
        _ => ScreenError::Unreachable(why),
    }
}

/// Whether it is a guest of Wayland (Xwayland), who has windows but whose screen is black. Since 23.1 it says so itself;
/// before, its outputs did.
fn is_guest(connection: &RustConnection, root: Window) -> Result<bool, ScreenError> {
    if connection.extension_information(XWAYLAND)?.is_some() {
        return Ok(true);
    }
    if connection.extension_information(randr::X11_EXTENSION_NAME)?.is_none() {
        return Ok(false);
    }
    connection.randr_query_version(RANDR.0, RANDR.1)?.reply()?;
    let outputs = connection.randr_get_screen_resources_current(root)?.reply()?;
    let Some(first) = outputs.outputs.first() else { return Ok(false) };
    let first = connection.randr_get_output_info(*first, outputs.config_timestamp)?.reply()?;
    Ok(first.name.starts_with(XWAYLAND.as_bytes()))
}

/// How many bits a pixel of this depth takes.
fn bits(connection: &RustConnection, depth: u8) -> u8 {
    let format = connection.setup().pixmap_formats.iter().find(|format| format.depth == depth);
    format.map_or(0, |format| format.bits_per_pixel)
}

/// Fails unless pixels of this depth are as we read them.
fn check_layout(connection: &RustConnection, depth: u8) -> Result<(), ScreenError> {
    match bits(connection, depth) {
        bits if usize::from(bits) == 8 * BYTES => Ok(()),
        bits => Err(ScreenError::Layout { bits }),
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

#[cfg(test)]
mod tests;
