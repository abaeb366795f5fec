//! Fetches pixels: through memory shared with the server (MIT-SHM) where both are on one computer, else over the
//! connection.
//!
//! ```text
//!            the server makes a segment (1.2)               it does not, or cannot any more
//!   Untried ──────────────────────────────────▶ Shared ──────────────────────────────────────▶ Sent
//!      └──────────────────────────────────────────────────────────────────────────────────────▲
//! ```
//!
//! The segment is a file the server has made and both hold open. It is read like any other file, not mapped: a copy of
//! a picture costs less than half a millisecond, and no server can pull memory away from under us.

use std::fs::File;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::shm::{ConnectionExt as _, Seg, X11_EXTENSION_NAME};
use x11rb::protocol::xproto::{ConnectionExt as _, Drawable, ImageFormat};
use x11rb::rust_connection::RustConnection;

use super::ScreenError;
use super::pixels::BYTES;
use crate::video::frame::Size;

/// Segments can be files from here on.
const VERSION: (u16, u16) = (1, 2);
/// Pixels that are wanted of every plane.
const ALL_PLANES: u32 = u32::MAX;

/// How pixels come.
#[derive(Debug, Default)]
pub(super) enum Grabber {
    /// To be found out.
    #[default]
    Untried,
    /// In a segment.
    Shared(Segment),
    /// As the answer itself.
    Sent,
}

/// Memory that the server writes and we read.
#[derive(Debug)]
pub(super) struct Segment {
    number: Seg,
    file: File,
    bytes: usize,
}

impl Grabber {
    /// Puts the pixels of all of a drawable of this size in place of those that are there.
    pub(super) fn grab(
        &mut self,
        connection: &RustConnection,
        drawable: Drawable,
        size: Size,
        pixels: &mut Vec<u8>,
    ) -> Result<(), ScreenError> {
        self.prepare(connection, size)?;
        let (width, height) = (size.width() as u16, size.height() as u16);
        match self {
            Self::Shared(segment) => {
                let (format, number) = (ImageFormat::Z_PIXMAP.into(), segment.number);
                connection
                    .shm_get_image(drawable, 0, 0, width, height, ALL_PLANES, format, number, 0)?
                    .reply()?;
                pixels.resize(bytes(size), 0);
                if let Err(why) = read(&segment.file, pixels) {
                    tracing::debug!(%why, "memory shared with the X11 server cannot be read");
                    segment.give_back(connection)?;
                    *self = Self::Sent;
                    return self.grab(connection, drawable, size, pixels);
                }
            }
            Self::Untried | Self::Sent => {
                let format = ImageFormat::Z_PIXMAP;
                *pixels =
                    connection.get_image(format, drawable, 0, 0, width, height, ALL_PLANES)?.reply()?.data;
            }
        }
        Ok(())
    }

    /// Sees to a segment that is large enough.
    fn prepare(&mut self, connection: &RustConnection, size: Size) -> Result<(), ScreenError> {
        match self {
            Self::Untried if !can_share(connection)? => *self = Self::Sent,
            Self::Shared(segment) if segment.bytes < bytes(size) => {
                segment.give_back(connection)?;
                *self = Self::share(connection, size)?;
            }
            Self::Untried => *self = Self::share(connection, size)?,
            Self::Shared(_) | Self::Sent => {}
        }
        Ok(())
    }

    fn share(connection: &RustConnection, size: Size) -> Result<Self, ScreenError> {
        let number = connection.generate_id().map_err(|_| ScreenError::Exhausted)?;
        let bytes = bytes(size);
        let Ok(length) = u32::try_from(bytes) else { return Ok(Self::Sent) };
        // A server far away refuses.
        Ok(match connection.shm_create_segment(number, length, false)?.reply() {
            Ok(made) => {
                open(made.shm_fd).map_or(Self::Sent, |file| Self::Shared(Segment { number, file, bytes }))
            }
            Err(why) => {
                tracing::debug!(%why, "the X11 server shares no memory");
                Self::Sent
            }
        })
    }
}

impl Segment {
    fn give_back(&self, connection: &RustConnection) -> Result<(), ScreenError> {
        connection.shm_detach(self.number)?.ignore_error();
        Ok(())
    }
}

fn can_share(connection: &RustConnection) -> Result<bool, ScreenError> {
    if connection.extension_information(X11_EXTENSION_NAME)?.is_none() {
        return Ok(false);
    }
    let version = connection.shm_query_version()?.reply()?;
    Ok((version.major_version, version.minor_version) >= VERSION)
}

fn bytes(size: Size) -> usize {
    size.pixels() * BYTES
}

#[cfg(unix)]
mod file {
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::FileExt as _;

    pub(super) fn open(made: OwnedFd) -> Option<File> {
        Some(File::from(made))
    }

    pub(super) fn read(file: &File, pixels: &mut [u8]) -> io::Result<()> {
        file.read_exact_at(pixels, 0)
    }
}

/// There are no descriptors to hand over.
#[cfg(not(unix))]
mod file {
    use std::fs::File;
    use std::io;
    use x11rb::utils::RawFdContainer;

    pub(super) fn open(_: RawFdContainer) -> Option<File> {
        None
    }

    pub(super) fn read(_: &File, _: &mut [u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

use file::{open, read};
