//! Where pictures come from and where they go: what the command line calls `--camera` and `--display`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::camera::CameraError;
use super::driver::ScreenError;
use super::frame::Size;
use super::window::WindowName;
use super::y4m::Y4mError;

/// Where pictures to send come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum VideoSource {
    /// There are none.
    #[default]
    None,
    /// The first camera of this computer that gives pictures we read.
    Default,
    /// The camera of this device file.
    Device(PathBuf),
    /// A moving pattern of 1280x720 that carries a number ([`super::pattern`]).
    Pattern,
    /// A Y4M file, again and again.
    File(PathBuf),
    /// The X11 screen, with the mouse pointer.
    Screen,
    /// One window on it, whatever covers it.
    Window(WindowName),
}

/// Where received pictures go, beside the window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum VideoSink {
    /// Nowhere.
    #[default]
    Null,
    /// A Y4M file: every picture as it is shown, in the size of the first.
    File(PathBuf),
    /// The same in this size.
    Sized(Size, PathBuf),
}

/// Whether our pictures are taken and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Camera {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// Where pictures come from and go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VideoConfig {
    /// Where pictures to send come from.
    pub source: VideoSource,
    /// Where received pictures go.
    pub sink: VideoSink,
}

/// Why text names neither a source nor a sink.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoEndError {
    /// It is no source.
    #[error(
        "{0:?} is no camera: say none, default, device:PATH, screen, window:TITLE, pattern or file:PATH.y4m"
    )]
    UnknownSource(String),
    /// It is no sink.
    #[error("{0:?} is nowhere to show pictures: say null, file:PATH.y4m or 1280x720:PATH.y4m")]
    UnknownSink(String),
}

/// Why there are no pictures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The file of a source cannot be read.
    #[error("the pictures in {} cannot be read: {why}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        why: Y4mError,
    },
    /// The file of a sink cannot be written.
    #[error("pictures cannot be written to {}: {why}", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        why: std::io::Error,
    },
    /// The camera gives no pictures.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The screen cannot be shared.
    #[error(transparent)]
    Screen(#[from] ScreenError),
    /// This machine has no threads or no memory left.
    #[error("the video engine cannot run: {0}")]
    Internal(String),
}

impl VideoSource {
    /// Whether it is a camera, of which there is one for all who want it.
    pub fn is_camera(&self) -> bool {
        matches!(self, Self::Default | Self::Device(_))
    }
}

impl FromStr for VideoSource {
    type Err = VideoEndError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || VideoEndError::UnknownSource(text.to_owned());
        match text.split_once(':').unwrap_or((text, "")) {
            ("none", "") => Ok(Self::None),
            ("default", "") => Ok(Self::Default),
            ("device", path) if !path.is_empty() => Ok(Self::Device(PathBuf::from(path))),
            ("pattern", "") => Ok(Self::Pattern),
            ("file", path) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            ("screen", "") => Ok(Self::Screen),
            ("window", name) => name.parse().map(Self::Window).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

impl FromStr for VideoSink {
    type Err = VideoEndError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("null", "") => Ok(Self::Null),
            ("file", path) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            (size, path) if !path.is_empty() => {
                let size = size
                    .split_once('x')
                    .and_then(|(width, height)| Size::new(width.parse().ok()?, height.parse().ok()?).ok());
                let size = size.ok_or_else(|| VideoEndError::UnknownSink(text.to_owned()))?;
                Ok(Self::Sized(size, PathBuf::from(path)))
            }
            _ => Err(VideoEndError::UnknownSink(text.to_owned())),
        }
    }
}

impl fmt::Display for VideoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Default => f.write_str("default"),
            Self::Device(path) => write!(f, "device:{}", path.display()),
            Self::Pattern => f.write_str("pattern"),
            Self::Screen => f.write_str("screen"),
            Self::Window(name) => write!(f, "window:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Display for VideoSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Sized(size, path) => write!(f, "{}x{}:{}", size.width(), size.height(), path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood_and_said_again_the_same() {
        for text in [
            "none",
            "default",
            "device:/dev/video2",
            "pattern",
            "screen",
            "window:notes: a - Editor",
            "window:0x3a00007",
            "file:a b.y4m",
            "file:C:\\clip.y4m",
        ] {
            assert_eq!(text.parse::<VideoSource>().map(|source| source.to_string()), Ok(text.to_owned()));
        }
        for text in ["null", "file:out.y4m", "640x360:out.y4m"] {
            assert_eq!(text.parse::<VideoSink>().map(|sink| sink.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "file",
            "file:",
            "device",
            "device:",
            "default:1",
            "pattern:3",
            "nowhere",
            "window",
            "window:",
            "window:0x0",
        ] {
            assert_eq!(text.parse::<VideoSource>(), Err(VideoEndError::UnknownSource(text.to_owned())));
            assert!(text.parse::<VideoSink>().is_err());
        }
        for text in ["0x5:a.y4m", "640:a.y4m", "640x360:", "99999x9:a.y4m", "-1x5:a.y4m"] {
            assert_eq!(text.parse::<VideoSink>(), Err(VideoEndError::UnknownSink(text.to_owned())));
        }
    }
}
