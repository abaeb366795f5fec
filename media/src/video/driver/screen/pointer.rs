//! The mouse pointer: where it is, and what it looks like (XFIXES).

use x11rb::connection::RequestConnection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xfixes::{
    ConnectionExt as _, CursorNotifyMask, GetCursorImageReply, X11_EXTENSION_NAME,
};
use x11rb::protocol::xproto::{QueryPointerReply, Window};
use x11rb::rust_connection::RustConnection;

use super::ScreenError;
use super::pixels::{Overlay, draw};
use crate::video::frame::Size;

/// XFIXES 4 and later tell the pointer as we read it.
const VERSION: (u32, u32) = (4, 0);

/// Watches the pointer over one drawable.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    /// None until it is wanted, and again when it has changed.
    shape: Option<GetCursorImageReply>,
    spot: Option<Spot>,
}

/// Where its hot spot is, in pixels from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spot {
    x: i16,
    y: i16,
}

impl Pointer {
    /// None where the server does not tell about it.
    pub(super) fn open(connection: &RustConnection, root: Window) -> Result<Option<Self>, ScreenError> {
        if connection.extension_information(X11_EXTENSION_NAME)?.is_none()
            || connection.xfixes_query_version(VERSION.0, VERSION.1)?.reply().is_err()
        {
            return Ok(None);
        }
        connection.xfixes_select_cursor_input(root, CursorNotifyMask::DISPLAY_CURSOR)?;
        Ok(Some(Self::default()))
    }

    /// It is there, of a window of this size whose border is so wide; whether it has to be drawn elsewhere than before.
    pub(super) fn moved(&mut self, at: &QueryPointerReply, size: Size, border: u16) -> bool {
        let inside = |at: i16, length: u32| {
            let at = i32::from(at) + i32::from(border);
            i16::try_from(at).ok().filter(|_| (0..length as i32).contains(&at))
        };
        let spot = inside(at.win_x, size.width())
            .zip(inside(at.win_y, size.height()))
            .filter(|_| at.same_screen)
            .map(|(x, y)| Spot { x, y });
        std::mem::replace(&mut self.spot, spot) != spot
    }

    /// It looks different now; whether that is to be seen.
    pub(super) fn reshaped(&mut self) -> bool {
        self.shape = None;
        self.spot.is_some()
    }

    /// Draws it where it is.
    pub(super) fn draw(
        &mut self,
        connection: &RustConnection,
        pixels: &mut [u8],
        size: Size,
    ) -> Result<(), ScreenError> {
        let Some(Spot { x, y }) = self.spot else { return Ok(()) };
        if self.shape.is_none() {
            self.shape = match connection.xfixes_get_cursor_image()?.reply() {
                Ok(shape) => Some(shape),
                // There is none at the moment.
                Err(ReplyError::X11Error(_)) => None,
                Err(error) => return Err(error.into()),
            };
        }
        let Some(shape) = &self.shape else { return Ok(()) };
        let corner = |at: i16, hot: u16| i32::from(at) - i32::from(hot);
        let corner = (corner(x, shape.xhot), corner(y, shape.yhot));
        draw(Overlay { pixels: &shape.cursor_image, width: shape.width, corner }, pixels, size);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(win_x: i16, win_y: i16) -> QueryPointerReply {
        QueryPointerReply { same_screen: true, win_x, win_y, ..QueryPointerReply::default() }
    }

    #[test]
    fn only_what_is_seen_of_its_moves_counts() {
        let size = Size::new(100, 50).unwrap();
        let mut pointer = Pointer::default();
        assert!(pointer.moved(&at(10, 10), size, 0), "it is seen now");
        assert!(!pointer.moved(&at(10, 10), size, 0));
        assert!(pointer.moved(&at(11, 10), size, 0));
        assert!(pointer.reshaped());
        assert!(pointer.moved(&at(100, 10), size, 0), "it went out");
        assert!(!pointer.moved(&at(-1, 10), size, 0) && !pointer.moved(&at(10, 50), size, 0));
        assert!(!pointer.reshaped(), "nobody sees it");
        assert!(pointer.moved(&at(-1, 0), size, 1), "a border belongs to the window");
        let elsewhere = QueryPointerReply { same_screen: false, ..at(5, 5) };
        assert!(pointer.moved(&elsewhere, size, 0) && !pointer.moved(&elsewhere, size, 0));
    }
}
