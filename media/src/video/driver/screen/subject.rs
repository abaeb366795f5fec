//! What is looked at: the whole screen, or one window.
//!
//! ```text
//!            nothing of it is on the screen: minimised, another desktop
//!   At ◀────────────────────────────────────────────────────────────────▶ Hidden
//!    └────────────────────── closed: an error, for good ───────────────────┘
//! ```
//!
//! The memory a redirected window is drawn into is replaced when its size changes or it comes back, so it is named anew
//! for each picture; that costs nothing beside the picture.

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::ReplyError;
use x11rb::protocol::ErrorKind;
use x11rb::protocol::composite::{ConnectionExt as _, Redirect, X11_EXTENSION_NAME};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, Drawable, EventMask, MapState, Pixmap, QueryPointerReply,
    Window,
};
use x11rb::rust_connection::RustConnection;

use super::grab::Grabber;
use super::{ScreenError, check_layout};
use crate::video::frame::Size;
use crate::video::window::WindowId;

/// COMPOSITE names the memory of a window from here on.
const VERSION: (u32, u32) = (0, 2);

/// A drawable that is shared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    /// All of a screen.
    Screen(Window),
    /// One window, and the name its memory gets.
    Window(Window, Pixmap),
}

/// How it stands.
#[derive(Debug)]
pub(super) enum Seen {
    /// It can be looked at.
    At(View),
    /// It cannot, for now.
    Hidden,
}

/// Where it is.
#[derive(Debug)]
pub(super) struct View {
    /// With its border.
    pub(super) size: Size,
    /// In pixels.
    pub(super) border: u16,
    /// Seen from it.
    pub(super) pointer: QueryPointerReply,
}

impl Subject {
    /// All of it.
    pub(super) fn screen(connection: &RustConnection, root: Window) -> Result<Self, ScreenError> {
        check_layout(connection, connection.get_geometry(root)?.reply()?.depth)?;
        Ok(Self::Screen(root))
    }

    /// Has it drawn into memory of its own from now on, until we hang up.
    pub(super) fn window(connection: &RustConnection, id: WindowId) -> Result<Self, ScreenError> {
        if connection.extension_information(X11_EXTENSION_NAME)?.is_none() {
            return Err(ScreenError::NoWindows);
        }
        let version = connection.composite_query_version(VERSION.0, VERSION.1)?.reply()?;
        if (version.major_version, version.minor_version) < VERSION {
            return Err(ScreenError::NoWindows);
        }
        let geometry = connection.get_geometry(id.get())?.reply().map_err(gone)?;
        check_layout(connection, geometry.depth)?;
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(id.get(), &events)?.check().map_err(gone)?;
        connection.composite_redirect_window(id.get(), Redirect::AUTOMATIC)?.check().map_err(gone)?;
        let memory = connection.generate_id().map_err(|_| ScreenError::Exhausted)?;
        Ok(Self::Window(id.get(), memory))
    }

    /// What the server knows it by.
    pub(super) const fn id(self) -> Window {
        match self {
            Self::Screen(window) | Self::Window(window, _) => window,
        }
    }

    /// Where it is now, in one round trip.
    pub(super) fn look(self, connection: &RustConnection) -> Result<Seen, ScreenError> {
        let attributes = connection.get_window_attributes(self.id())?;
        let geometry = connection.get_geometry(self.id())?;
        let pointer = connection.query_pointer(self.id())?;
        let attributes = attributes.reply().map_err(|error| self.blame(error))?;
        let geometry = geometry.reply().map_err(|error| self.blame(error))?;
        let pointer = pointer.reply().map_err(|error| self.blame(error))?;
        if attributes.map_state != MapState::VIEWABLE {
            return Ok(Seen::Hidden);
        }
        let border = geometry.border_width;
        let side = |length: u16| u32::from(length) + 2 * u32::from(border);
        let size = Size::new(side(geometry.width), side(geometry.height))?;
        Ok(Seen::At(View { size, border, pointer }))
    }

    /// Its pixels and their size, which may have changed meanwhile; none when it is hidden now.
    pub(super) fn grab(
        self,
        connection: &RustConnection,
        grabber: &mut Grabber,
        size: Size,
        pixels: &mut Vec<u8>,
    ) -> Result<Option<Size>, ScreenError> {
        let memory = match self {
            Self::Screen(root) => {
                grabber.grab(connection, root, size, pixels)?;
                return Ok(Some(size));
            }
            Self::Window(window, memory) => {
                connection.composite_name_window_pixmap(window, memory)?.ignore_error();
                memory
            }
        };
        // It has a size if it could be named.
        let Some(size) = size_of(connection, memory)? else { return Ok(None) };
        let grabbed = grabber.grab(connection, memory, size, pixels);
        connection.free_pixmap(memory)?.ignore_error();
        grabbed.map(|()| Some(size))
    }

    fn blame(self, error: ReplyError) -> ScreenError {
        match self {
            Self::Screen(_) => error.into(),
            Self::Window(..) => gone(error),
        }
    }
}

fn size_of(connection: &RustConnection, memory: Drawable) -> Result<Option<Size>, ScreenError> {
    match connection.get_geometry(memory)?.reply() {
        Ok(geometry) => Ok(Some(Size::new(geometry.width.into(), geometry.height.into())?)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the server does not know any more is closed.
fn gone(error: ReplyError) -> ScreenError {
    match &error {
        ReplyError::X11Error(why) if matches!(why.error_kind, ErrorKind::Window | ErrorKind::Drawable) => {
            ScreenError::Closed
        }
        _ => error.into(),
    }
}
