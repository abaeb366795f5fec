//! What our camera takes, small, for whoever looks: a slot of one, filled only while it is emptied.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::lock;
use crate::video::frame::I420;

/// Pictures are made smaller as long as they are at least so high.
const HEIGHT: u32 = 180;

/// Looks at what our camera takes, from wherever it is wanted.
#[derive(Debug, Clone, Default)]
pub struct Viewfinder(Arc<Slot>);

#[derive(Debug, Default)]
struct Slot {
    /// Whether somebody has looked since the last picture.
    wanted: AtomicBool,
    /// The newest picture and its number.
    latest: Mutex<(u64, Option<I420>)>,
}

impl Viewfinder {
    /// One in which there is this, and nothing else ever.
    pub fn still(picture: I420) -> Self {
        Self(Arc::new(Slot { wanted: AtomicBool::new(false), latest: Mutex::new((1, Some(picture))) }))
    }

    /// The newest picture and its number: the same number means the same picture. None while no pictures are taken.
    /// Asking is what makes the next one be there.
    pub fn latest(&self) -> Option<(u64, I420)> {
        self.0.wanted.store(true, Ordering::Relaxed);
        let (number, picture) = lock(&self.0.latest).clone();
        picture.map(|picture| (number, picture))
    }

    /// A picture was taken. Costs nothing while nobody looks.
    pub(super) fn offer(&self, picture: &I420) {
        if self.0.wanted.swap(false, Ordering::Relaxed) {
            let small = picture.shrunk(HEIGHT);
            let mut latest = lock(&self.0.latest);
            *latest = (latest.0 + 1, Some(small));
        }
    }

    /// No more are taken.
    pub(super) fn clear(&self) {
        lock(&self.0.latest).1 = None;
    }
}

impl PartialEq for Viewfinder {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::frame::{Size, Taken};

    #[test]
    fn a_picture_is_handed_out_only_to_who_looks_and_small() {
        let camera = Viewfinder::default();
        let finder = camera.clone();
        let picture = I420::plain(Size::new(1280, 720).unwrap(), Taken::Media(0), [1, 2, 3]);
        camera.offer(&picture);
        assert!(finder.latest().is_none(), "nobody had looked");
        camera.offer(&picture);
        camera.offer(&picture);
        let (number, small) = finder.latest().unwrap();
        assert_eq!((number, small.size().height()), (1, 180));
        camera.clear();
        assert!(finder.latest().is_none(), "the camera is off");
        camera.offer(&picture);
        assert_eq!(finder.latest().map(|(number, _)| number), Some(2));
    }
}
