//! An invite read off a code: one that somebody holds before the camera, or a picture of one.
//!
//! ```text
//!   camera ─▶ Preview ─▶ newest picture ─┐
//!   file ─▶ image ───────────────────────┴─▶ brightness ─▶ the first code that is an invite ─▶ whom it invites to, and the question
//! ```
//! A code says whatever its maker likes: nobody is added by it before the person says so.

use super::actor::{Actor, Done};
use super::lookout::{LONGEST, Turn};
use super::reasons::of_pictures;
use crate::reason::Reason;
use image::{ImageReader, Limits};
use media::video::driver::{VideoError, VideoSource, Viewfinder};
use media::video::frame::I420;
use overlay::hint::INVITE_SCHEME;
use rxing::helpers::detect_in_luma_slice_with_hints;
use rxing::{BarcodeFormat, DecodeHints};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Pictures that are wider or higher are not read.
const MOST_PIXELS: u32 = 8192;
/// Nor those that take more memory.
const MOST_MEMORY: u64 = 256 << 20;

/// How reading a code goes.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scan {
    /// Nobody wants it.
    #[default]
    Idle,
    /// The camera is open.
    Looking(Viewfinder),
    /// A picture is read.
    Reading,
    /// There was no code with an invite.
    NoInvite,
    /// The file is no picture that can be read.
    NoPicture,
    /// There is no such file, or it may not be read.
    NoFile,
    /// The camera gives no pictures.
    Failed(Reason),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Scanned {
    Invite(String),
    NoInvite,
    NoPicture,
    NoFile,
    Lost(VideoError),
    /// The person had enough.
    Stopped,
}

impl Actor {
    /// Opens the camera until an invite is seen.
    pub(super) fn scan_camera(&mut self) {
        // Whatever was looked through before is closed by this.
        self.stop_preview();
        let (turn, finder, source) = (self.lookout.next(), Viewfinder::default(), self.camera_source());
        self.picture.view.scan = Scan::Looking(finder.clone());
        self.jobs.spawn_blocking(move || Done::Scanned(look(&turn, source, finder)));
    }

    /// Reads a picture of a code.
    pub(super) fn scan_picture(&mut self, path: PathBuf) {
        self.stop_scanning();
        self.picture.view.scan = Scan::Reading;
        self.jobs.spawn_blocking(move || Done::Scanned(read(&path)));
    }

    pub(super) fn stop_scanning(&mut self) {
        if matches!(self.picture.view.scan, Scan::Looking(_)) {
            self.lookout.close();
        }
        self.picture.view.scan = Scan::Idle;
    }

    pub(super) fn scanned(&mut self, found: Scanned) {
        if matches!(found, Scanned::Stopped) || self.picture.view.scan == Scan::Idle {
            return;
        }
        self.lookout.close();
        self.picture.view.scan = match found {
            Scanned::Invite(link) => {
                self.offer_invite(&link);
                Scan::Idle
            }
            Scanned::NoInvite => Scan::NoInvite,
            Scanned::NoPicture => Scan::NoPicture,
            Scanned::NoFile => Scan::NoFile,
            Scanned::Lost(error) => Scan::Failed(of_pictures(&error)),
            Scanned::Stopped => return,
        };
    }
}

/// Looks through a camera until there is an invite, or nobody waits for one.
fn look(turn: &Turn, source: VideoSource, finder: Viewfinder) -> Scanned {
    let until = Instant::now() + LONGEST;
    let mut seen = None;
    let looked = turn.look(source, finder, |preview| {
        if Instant::now() > until {
            return Some(Scanned::NoInvite);
        }
        let (number, picture) = preview.newest().filter(|(number, _)| seen != Some(*number))?;
        seen = Some(number);
        invite_in(&picture).map(Scanned::Invite)
    });
    match looked {
        Ok(found) => found.unwrap_or(Scanned::Stopped),
        Err(error) => Scanned::Lost(error),
    }
}

fn read(path: &Path) -> Scanned {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_MEMORY);
    let opened = match ImageReader::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::info!(%error, path = %path.display(), "no file to read a code from");
            return Scanned::NoFile;
        }
    };
    let decoded = opened.with_guessed_format().map_err(Into::into).and_then(|mut reader| {
        reader.limits(limits);
        reader.decode()
    });
    match decoded {
        Ok(picture) => {
            let luma = picture.into_luma8();
            let link = invite_of(luma.as_raw(), luma.width(), luma.height());
            link.map_or(Scanned::NoInvite, Scanned::Invite)
        }
        Err(error) => {
            tracing::info!(%error, path = %path.display(), "no picture to read a code from");
            Scanned::NoPicture
        }
    }
}

fn invite_in(picture: &I420) -> Option<String> {
    let [luma, ..] = picture.planes();
    let (width, height) = (picture.size().width(), picture.size().height());
    let rows = luma.data.chunks(luma.stride.max(1)).take(height as usize);
    let luma: Vec<u8> = rows.flat_map(|row| row.iter().take(width as usize).copied()).collect();
    invite_of(&luma, width, height)
}

/// The code in a picture of this brightness (0 to 255, row by row), if it is an invite.
fn invite_of(luma: &[u8], width: u32, height: u32) -> Option<String> {
    let mut hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    let code = detect_in_luma_slice_with_hints(luma, width, height, Some(BarcodeFormat::QR_CODE), &mut hints);
    let text = code.ok()?.getText().trim().to_owned();
    let scheme = text.get(..INVITE_SCHEME.len())?;
    scheme.eq_ignore_ascii_case(INVITE_SCHEME).then_some(text)
}

#[cfg(all(test, feature = "ui"))]
mod tests;
