//! What a camera offers, which of it is taken, and its pictures as [`I420`]. Opens no device.
//!
//! ```text
//! offers ─▶ choice::choose ─▶ the driver sets it ─▶ Layout::new ─▶ Developer
//!                                    bytes of each picture ─▶ Developer::develop ─▶ I420
//! ```
//! Read are YUYV (4:2:2, packed), NV12 (4:2:0, two planes) and MJPEG (one JPEG a picture).

pub mod choice;
mod huffman;
mod mjpeg;
mod raw;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::frame::{FrameError, I420, Size, Taken};
use mjpeg::Mjpeg;

/// A picture that is said to be older than this, or of the future, counts as taken now: its clock is another.
pub const OLDEST: Duration = Duration::from_secs(1);

/// How a camera lays its pictures out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// 4:2:2 in one plane: Y U Y V.
    Yuyv,
    /// 4:2:0 in two planes: Y, then U V U V.
    Nv12,
    /// One JPEG a picture, often without its Huffman tables.
    Mjpeg,
}

impl PixelFormat {
    const ALL: [Self; 3] = [Self::Yuyv, Self::Nv12, Self::Mjpeg];

    /// What it is called everywhere.
    pub const fn code(self) -> FourCc {
        FourCc(match self {
            Self::Yuyv => *b"YUYV",
            Self::Nv12 => *b"NV12",
            Self::Mjpeg => *b"MJPG",
        })
    }

    /// The one of this code, if it is read.
    pub fn of_code(code: FourCc) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }
}

/// What names a format of pictures everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

/// Which values of a byte are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 16 to 235 for brightness, 16 to 240 for colour: that of video.
    Limited,
    /// 0 to 255: that of JPEG.
    Full,
}

/// How the pictures that come are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Where each sample stands.
    pub format: PixelFormat,
    /// At most, where a picture tells its own size.
    pub size: Size,
    /// Bytes from the start of one row to the next; means nothing for MJPEG.
    pub stride: usize,
    /// Of the samples.
    pub range: Range,
}

/// Why bytes are no picture; the camera is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PixelError {
    /// Bytes are missing, or a row is longer than the distance between rows.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It is no JPEG, or a damaged one.
    #[error("a JPEG is damaged: {0}")]
    Jpeg(String),
    /// It is a JPEG of something else than Y, Cb and Cr.
    #[error("a JPEG has other colours than those of cameras")]
    Colours,
}

/// Why a camera gives no pictures; each is a sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// There is none.
    #[error("no camera was found on this computer")]
    NoneFound,
    /// The one asked for is not there.
    #[error("there is no camera {}", .0.display())]
    Absent(PathBuf),
    /// That is none.
    #[error("{} is not a camera", .0.display())]
    NotCamera(PathBuf),
    /// Another program has it.
    #[error("the camera {} is used by another program", .0.display())]
    Busy(PathBuf),
    /// It belongs to others.
    #[error("the system does not let this program use the camera {}", .0.display())]
    Denied(PathBuf),
    /// It was there, and is no more.
    #[error("the camera {} was unplugged or has failed", .0.display())]
    Unplugged(PathBuf),
    /// It gives nothing.
    #[error("the camera {} gives no pictures", .0.display())]
    Silent(PathBuf),
    /// It offers nothing that is read.
    #[error("the camera {} offers no format that can be read (YUYV, NV12 or MJPEG)", .0.display())]
    NoFormat(PathBuf),
    /// What it gives is none of what it said.
    #[error("the pictures of the camera {} cannot be read: {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong with the last of them.
        #[source]
        why: PixelError,
    },
    /// The system says something else.
    #[error("the camera {} cannot be used: {why}", path.display())]
    System {
        /// Which.
        path: PathBuf,
        /// What it says.
        #[source]
        why: std::io::Error,
    },
    /// This system is not Linux.
    #[error("cameras can be used on Linux only so far")]
    NotHere,
}

impl CameraError {
    /// How much it tells whoever asked for any camera: of one that is busy more than of one that cannot be read.
    fn weight(&self) -> u8 {
        match self {
            Self::NoneFound | Self::Absent(_) | Self::NotCamera(_) | Self::NotHere => 0,
            Self::NoFormat(_) => 1,
            Self::Unplugged(_) | Self::Silent(_) | Self::Damaged { .. } | Self::System { .. } => 2,
            Self::Denied(_) => 3,
            Self::Busy(_) => 4,
        }
    }
}

/// The first of all cameras that works. If none does: why not the one of which there is most to say.
pub fn first<T>(tried: impl IntoIterator<Item = Result<T, CameraError>>) -> Result<T, CameraError> {
    let mut failed = CameraError::NoneFound;
    for tried in tried {
        match tried {
            Ok(camera) => return Ok(camera),
            Err(error) if error.weight() > failed.weight() => failed = error,
            Err(_) => {}
        }
    }
    Err(failed)
}

/// Makes pictures of what a camera gives.
pub struct Developer {
    layout: Layout,
    mjpeg: Mjpeg,
}

impl Developer {
    /// For pictures laid out so.
    pub fn new(layout: Layout) -> Self {
        Self { layout, mjpeg: Mjpeg::new(layout.size) }
    }

    /// The picture in these bytes; there may be more than it takes. After an error the next one may do.
    pub fn develop(&mut self, bytes: &[u8], taken: Taken) -> Result<I420, PixelError> {
        let Layout { format, size, stride, range } = self.layout;
        let data = match format {
            PixelFormat::Yuyv => raw::yuyv(bytes, size, stride)?,
            PixelFormat::Nv12 => raw::nv12(bytes, size, stride)?,
            // Always of full range, and made narrow on the way.
            PixelFormat::Mjpeg => return self.mjpeg.decode(bytes, taken),
        };
        Ok(I420::packed(size, taken, raw::in_range(data, size, range))?)
    }
}

/// When a picture was taken that the camera stamped with `stamp`, while its clock shows `clock` now.
pub fn taken_at(now: Instant, clock: Duration, stamp: Duration) -> Instant {
    let age = clock.checked_sub(stamp).filter(|age| *age <= OLDEST);
    age.and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
