//! Cameras where none can be read: every attempt says so.

use std::path::Path;
use std::time::Instant;

use crate::video::camera::CameraError;
use crate::video::frame::I420;

/// There is none.
pub(super) enum Webcam {}

impl Webcam {
    pub(super) fn first() -> Result<Self, CameraError> {
        Err(CameraError::NotHere)
    }

    pub(super) fn open(_: &Path) -> Result<Self, CameraError> {
        Err(CameraError::NotHere)
    }

    pub(super) fn wait(&mut self) -> Result<bool, CameraError> {
        match *self {}
    }

    pub(super) fn take(&mut self, _: Instant) -> Result<Option<I420>, CameraError> {
        match *self {}
    }

    pub(super) fn pass_over(&mut self, _: Instant) -> Result<(), CameraError> {
        match *self {}
    }
}
