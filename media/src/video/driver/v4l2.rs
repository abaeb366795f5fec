//! The pictures of a camera on Linux (Video4Linux2).
//!
//! ```text
//! open ─▶ Ready ── first picture wanted ──▶ Taking ── dropped ──▶ the light is out, others may have it
//! ```
//! A camera that is ready is ours already, so that it is known before a call whether another program has it; but it takes
//! no pictures, and its light is out.

mod abi;
mod sys;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::video::camera::choice::{Interval, Mode, WANTED, WANTED_RATE, choose};
use crate::video::camera::{
    CameraError, Developer, FourCc, Layout, PixelError, PixelFormat, Range, first, taken_at,
};
use crate::video::frame::{I420, Size, Taken};
use abi::{COLOURS_JPEG, FIELD_ANY, FIELD_NONE, FIELDS_WOVEN, PixFormat, RANGE_FULL, RANGE_USUAL};
use sys::{Ability, Device, Stream};

/// Numbers of `/dev/video` that are tried.
const MOST_DEVICES: u32 = 64;
/// Formats, sizes and intervals of which a driver is asked; what it offers beyond is passed over.
const MOST_FORMATS: u32 = 32;
const MOST_SIZES: u32 = 64;
const MOST_INTERVALS: u32 = 32;
/// Buffers: one that is read, one that is filled, and two for when we are late.
const BUFFERS: u32 = 4;
/// How long we wait for a picture before we look whether any are wanted still.
const WAIT: Duration = Duration::from_millis(50);
/// A camera that gives no picture for so long has failed; some take two seconds to begin.
const SILENCE: Duration = Duration::from_secs(6);
/// So many damaged pictures one after another are no accident.
const MOST_DAMAGED: u32 = 90;

/// A camera that is ours.
pub(super) struct Webcam {
    path: PathBuf,
    stream: Stream,
    developer: Developer,
    phase: Phase,
    damaged: u32,
}

/// As drawn above.
enum Phase {
    Ready,
    Taking {
        /// When the last picture came, or the camera began.
        heard: Instant,
    },
}

impl Webcam {
    /// The first that works.
    pub(super) fn first() -> Result<Self, CameraError> {
        first((0..MOST_DEVICES).map(|number| Self::open(&PathBuf::from(format!("/dev/video{number}")))))
    }

    /// The one of this path.
    pub(super) fn open(path: &Path) -> Result<Self, CameraError> {
        let blamed = |error| blame(path, error);
        let device = Device::open(path).map_err(blamed)?;
        if device.ability().map_err(blamed)? == Ability::Other {
            return Err(CameraError::NotCamera(path.to_owned()));
        }
        let no_format = || CameraError::NoFormat(path.to_owned());
        let mode = choose(modes(&device).map_err(blamed)?).ok_or_else(no_format)?;
        let size = (mode.size.width(), mode.size.height());
        let granted = device.set_format(mode.format.code(), size).map_err(blamed)?;
        let layout = layout(&granted).ok_or_else(no_format)?;
        if let Err(error) = device.set_interval(Interval { numerator: 1, denominator: WANTED_RATE }) {
            tracing::debug!(%error, "the camera keeps its own pace");
        }
        tracing::info!(?layout, rate = mode.rate, "a camera is open");
        let stream = device.map(BUFFERS).map_err(blamed)?;
        let (developer, phase) = (Developer::new(layout), Phase::Ready);
        Ok(Self { path: path.to_owned(), stream, developer, phase, damaged: 0 })
    }

    /// Whether there is a picture; waits for one, but not for long.
    pub(super) fn wait(&mut self) -> Result<bool, CameraError> {
        let heard = match self.phase {
            Phase::Taking { heard } => heard,
            Phase::Ready => {
                self.stream.start().map_err(|error| blame(&self.path, error))?;
                let heard = Instant::now();
                self.phase = Phase::Taking { heard };
                heard
            }
        };
        if heard.elapsed() > SILENCE {
            return Err(CameraError::Silent(self.path.clone()));
        }
        self.stream.wait(WAIT).map_err(|error| blame(&self.path, error))
    }

    /// The newest picture; none if there is none that is whole.
    pub(super) fn take(&mut self, now: Instant) -> Result<Option<I420>, CameraError> {
        let clock = sys::monotonic().map_err(|error| blame(&self.path, error))?;
        let Self { stream, developer, .. } = self;
        let taken = stream.newest(|bytes, stamp| {
            let taken = stamp.map_or(now, |stamp| taken_at(now, clock, stamp));
            developer.develop(bytes, Taken::At(taken))
        });
        match taken.map_err(|error| blame(&self.path, error))? {
            None => Ok(None),
            Some(developed) => {
                self.phase = Phase::Taking { heard: now };
                self.judge(developed)
            }
        }
    }

    /// Lets the newest picture go unread.
    pub(super) fn pass_over(&mut self, now: Instant) -> Result<(), CameraError> {
        let passed = self.stream.newest(|_, _| ()).map_err(|error| blame(&self.path, error))?;
        if passed.is_some() {
            self.phase = Phase::Taking { heard: now };
        }
        Ok(())
    }

    /// Cables lose bytes; but not of every picture.
    fn judge(&mut self, developed: Result<I420, PixelError>) -> Result<Option<I420>, CameraError> {
        match developed {
            Ok(frame) => {
                self.damaged = 0;
                Ok(Some(frame))
            }
            Err(why) => {
                self.damaged += 1;
                tracing::debug!(%why, "a picture of the camera is damaged");
                if self.damaged < MOST_DAMAGED {
                    return Ok(None);
                }
                Err(CameraError::Damaged { path: self.path.clone(), why })
            }
        }
    }
}

/// All that it offers and we read.
fn modes(device: &Device) -> io::Result<Vec<Mode>> {
    let mut modes = Vec::new();
    for index in 0..MOST_FORMATS {
        let Some(code) = device.format(index)? else { break };
        let Some(format) = PixelFormat::of_code(code) else { continue };
        for size in sizes(device, code)? {
            modes.push(Mode { format, size, rate: rate(device, code, size)? });
        }
    }
    Ok(modes)
}

/// Old drivers tell no sizes; they are asked for the one we want, and say what they make of it.
fn sizes(device: &Device, code: FourCc) -> io::Result<Vec<Size>> {
    let mut sizes = Vec::new();
    for index in 0..MOST_SIZES {
        match device.sizes(index, code) {
            Ok(Some((widths, heights))) => {
                sizes.extend(Size::new(widths.nearest(WANTED.0), heights.nearest(WANTED.1)));
            }
            Ok(None) => break,
            Err(error) if is_unknown(&error) => break,
            Err(error) => return Err(error),
        }
    }
    if sizes.is_empty() {
        sizes.extend(Size::new(WANTED.0, WANTED.1));
    }
    Ok(sizes)
}

/// Drivers that tell no intervals are taken to be fast enough.
fn rate(device: &Device, code: FourCc, size: Size) -> io::Result<u32> {
    let mut best = None;
    for index in 0..MOST_INTERVALS {
        match device.interval(index, code, (size.width(), size.height())) {
            Ok(Some(interval)) => best = best.max(Some(interval.rate())),
            Ok(None) => break,
            Err(error) if is_unknown(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(best.unwrap_or(WANTED_RATE))
}

/// What was granted, if we can read it.
fn layout(granted: &PixFormat) -> Option<Layout> {
    let format = PixelFormat::of_code(FourCc(granted.code.to_le_bytes()))?;
    let whole = [FIELD_ANY, FIELD_NONE].contains(&granted.field) || FIELDS_WOVEN.contains(&granted.field);
    let size = Size::new(granted.width, granted.height).ok().filter(|_| whole)?;
    let stride = match (granted.bytes_per_line as usize, format) {
        (0, PixelFormat::Yuyv) => 2 * size.width() as usize,
        (0, PixelFormat::Nv12 | PixelFormat::Mjpeg) => size.width() as usize,
        (stride, _) => stride,
    };
    let range = match (granted.quantization, granted.colour_space) {
        (RANGE_FULL, _) | (RANGE_USUAL, COLOURS_JPEG) => Range::Full,
        _ => Range::Limited,
    };
    Some(Layout { format, size, stride, range })
}

/// Whether a driver does not know the request at all.
fn is_unknown(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOTTY)
}

fn blame(path: &Path, error: io::Error) -> CameraError {
    let path = path.to_owned();
    match error.raw_os_error() {
        Some(libc::ENOENT) => CameraError::Absent(path),
        Some(libc::EACCES | libc::EPERM) => CameraError::Denied(path),
        Some(libc::EBUSY) => CameraError::Busy(path),
        Some(libc::ENODEV | libc::ENXIO | libc::EIO | libc::ESHUTDOWN) => CameraError::Unplugged(path),
        Some(libc::ENOTTY) => CameraError::NotCamera(path),
        _ => CameraError::System { path, why: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(code: &[u8; 4]) -> PixFormat {
        let code = u32::from_le_bytes(*code);
        PixFormat {
            width: 640,
            height: 480,
            code,
            field: FIELD_NONE,
            bytes_per_line: 1280,
            ..PixFormat::default()
        }
    }

    #[test]
    fn what_the_system_says_becomes_a_sentence_about_the_camera() {
        let said = |number| {
            let error = blame(Path::new("/dev/video7"), io::Error::from_raw_os_error(number)).to_string();
            assert!(error.contains("/dev/video7"), "{error}");
            error
        };
        assert!(said(libc::ENOENT).contains("there is no camera"));
        assert!(said(libc::EACCES).contains("does not let"));
        assert!(said(libc::EBUSY).contains("another program"));
        for gone in [libc::ENODEV, libc::ENXIO, libc::EIO] {
            assert!(said(gone).contains("unplugged"));
        }
        assert!(said(libc::ENOTTY).contains("not a camera"));
        assert!(said(libc::ENOMEM).contains("cannot be used"));
    }

    #[test]
    fn what_is_no_camera_is_told_from_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        std::fs::write(&text, "no camera").unwrap();
        for path in [Path::new("/dev/null"), &text] {
            assert!(matches!(Webcam::open(path), Err(CameraError::NotCamera(_))), "{}", path.display());
        }
        assert!(matches!(Webcam::open(&folder.path().join("absent")), Err(CameraError::Absent(_))));
    }

    #[test]
    fn what_is_granted_is_read_only_if_it_can_be() {
        let yuyv = layout(&granted(b"YUYV")).unwrap();
        let size = Size::new(640, 480).unwrap();
        let (format, range) = (PixelFormat::Yuyv, Range::Limited);
        assert_eq!(yuyv, Layout { format, size, stride: 1280, range });
        assert_eq!(layout(&PixFormat { bytes_per_line: 0, ..granted(b"YUYV") }).unwrap().stride, 1280);
        assert_eq!(layout(&PixFormat { bytes_per_line: 0, ..granted(b"NV12") }).unwrap().stride, 640);
        for (quantization, colour_space, range) in [
            (RANGE_USUAL, 8, Range::Limited),
            (RANGE_USUAL, COLOURS_JPEG, Range::Full),
            (RANGE_FULL, 8, Range::Full),
            (2, COLOURS_JPEG, Range::Limited),
        ] {
            let granted = PixFormat { quantization, colour_space, ..granted(b"NV12") };
            assert_eq!(layout(&granted).unwrap().range, range, "{quantization}, {colour_space}");
        }
        // Something else, nothing at all, too large, one field after the other.
        assert_eq!(layout(&granted(b"H264")), None);
        assert_eq!(layout(&PixFormat { width: 0, ..granted(b"YUYV") }), None);
        assert_eq!(layout(&PixFormat { height: 5000, ..granted(b"YUYV") }), None);
        assert_eq!(layout(&PixFormat { field: 7, ..granted(b"YUYV") }), None);
        assert!(layout(&PixFormat { field: FIELDS_WOVEN[0], ..granted(b"YUYV") }).is_some());
    }

    #[test]
    fn the_clock_of_stamps_goes_forward() {
        let before = sys::monotonic().unwrap();
        assert!(sys::monotonic().unwrap() >= before && before > Duration::ZERO);
    }
}
