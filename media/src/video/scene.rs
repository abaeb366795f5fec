//! A screen that shows something else altogether: a coarse picture at once, the sharp one when that is through.
//!
//! ```text
//!            much has changed, and all of it would be too long on its way
//!   Sharp ──────────────────────────────────────────────────────────────────▶ Coarse ◀─┐ it goes on changing
//!     ▲                     it has rested for CALM                              │  │   │
//!     └─────────────────────────────────────────────────────────────────────────┘  └───┘
//! ```
//!
//! A page of text takes 60 kB as a keyframe of the coarsest steps, and 130 to 200 kB as a picture that builds on the page
//! before, for the encoder does not know beforehand how much of it is new: on 1 Mbit/s half a second, and more than one.

use std::time::{Duration, Instant};

use super::frame::I420;
use crate::bitrate::Bitrate;

/// What to make of a picture of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All of it, building on what was before.
    Sharp,
    /// All of it, building on nothing.
    SharpAnew,
    /// Half the width and height.
    Coarse,
    /// The same, building on nothing.
    CoarseAnew,
}

/// So much of a picture is much, however fast the way is.
const MUCH: f64 = 0.25;
/// And so little is rest: a pointer that moves, a line that is typed.
const LITTLE: f64 = 0.05;
/// How long a coarse picture must have rested.
const CALM: Duration = Duration::from_millis(120);
/// A picture may be on its way for so long.
const SOON: Duration = Duration::from_millis(200);
/// Bits that a pixel of text takes in the coarsest keyframe, and in a picture that builds on the one before.
const TEXT: f64 = 0.5;
const NEW_TEXT: f64 = 1.5;
/// Side of the blocks that have changed or not, and which of their rows are looked at.
const BLOCK: usize = 16;
const ROW: usize = 4;

/// Watches the pictures of one screen.
#[derive(Debug, Default)]
pub struct Scene {
    last: Option<I420>,
    state: State,
    /// What was asked for in vain.
    owed: Option<Detail>,
    motion: Motion,
}

/// What the last picture showed of the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Motion {
    /// Nothing else.
    #[default]
    None,
    /// Something else, and so did that one.
    Goes,
    /// Something else, for the first time after a rest.
    Begins,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Sharp,
    Coarse {
        /// Since when it rests.
        rests: Option<Instant>,
        /// Whether the picture before this one was another one, too.
        moves: bool,
    },
}

impl Scene {
    /// What to make of the next picture, on a way of this rate.
    pub fn detail(&mut self, now: Instant, frame: &I420, rate: Bitrate) -> Detail {
        let detail = self.judge(now, frame, rate);
        match (detail, self.owed.take()) {
            (Detail::Sharp, Some(Detail::SharpAnew)) => Detail::SharpAnew,
            (Detail::Coarse, Some(Detail::CoarseAnew)) => Detail::CoarseAnew,
            (detail, _) => detail,
        }
    }

    /// Whether the last picture was another one.
    pub fn motion(&self) -> Motion {
        self.motion
    }

    /// The picture before was left out, and with it what was to begin anew.
    pub fn handle_left_out(&mut self, detail: Detail) {
        self.owed = Some(detail);
    }

    fn judge(&mut self, now: Instant, frame: &I420, rate: Bitrate) -> Detail {
        let last = self.last.replace(frame.clone()).filter(|last| last.size() == frame.size());
        let Some(last) = last else {
            self.motion = Motion::Begins;
            // The first picture of all comes as what is new does.
            return self.begin(frame, rate);
        };
        let changed = changed(&last, frame);
        self.motion = match (changed > 0.0, self.motion) {
            (false, _) => Motion::None,
            (true, Motion::None) => Motion::Begins,
            (true, _) => Motion::Goes,
        };
        match self.state {
            State::Sharp if changed >= much(frame, rate) => self.begin(frame, rate),
            State::Sharp => Detail::Sharp,
            State::Coarse { moves, .. } if changed >= LITTLE => {
                self.state = State::Coarse { rests: None, moves: true };
                // What moves all the time, like a film, builds on what was before.
                if changed >= MUCH && !moves { Detail::CoarseAnew } else { Detail::Coarse }
            }
            State::Coarse { rests, .. } => {
                let since = rests.unwrap_or(now);
                if now.saturating_duration_since(since) >= CALM {
                    self.state = State::Sharp;
                    return Detail::SharpAnew;
                }
                self.state = State::Coarse { rests: Some(since), moves: false };
                Detail::Coarse
            }
        }
    }

    fn begin(&mut self, frame: &I420, rate: Bitrate) -> Detail {
        if pixels(frame) * TEXT <= rate.bps() as f64 * SOON.as_secs_f64() {
            self.state = State::Sharp;
            return Detail::SharpAnew;
        }
        self.state = State::Coarse { rests: None, moves: false };
        Detail::CoarseAnew
    }
}

/// The share of a picture that takes too long to build on the one before, as where half a page was drawn when it was
/// looked at.
fn much(frame: &I420, rate: Bitrate) -> f64 {
    let soon = rate.bps() as f64 * SOON.as_secs_f64() / (pixels(frame) * NEW_TEXT);
    soon.clamp(LITTLE, MUCH)
}

fn pixels(frame: &I420) -> f64 {
    f64::from(frame.size().width()) * f64::from(frame.size().height())
}

/// The share of blocks whose luma is not the same.
fn changed(before: &I420, after: &I420) -> f64 {
    if before.is_same(after) {
        return 0.0;
    }
    let (before, after) = (before.planes()[0], after.planes()[0]);
    let width = after.stride;
    let columns = width.div_ceil(BLOCK);
    let (mut blocks, mut changed) = (0, 0);
    let bands = before.data.chunks(BLOCK * before.stride).zip(after.data.chunks(BLOCK * after.stride));
    for (old, new) in bands {
        let mut differs = vec![false; columns];
        let rows = old.chunks(before.stride).zip(new.chunks(after.stride)).step_by(ROW);
        for (old, new) in rows {
            let pieces = old.chunks(BLOCK).zip(new.chunks(BLOCK));
            differs.iter_mut().zip(pieces).for_each(|(differs, (old, new))| *differs |= old != new);
        }
        blocks += columns;
        changed += differs.into_iter().filter(|differs| *differs).count();
    }
    changed as f64 / blocks.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::fixture::origin;
    use crate::video::frame::{Size, Taken};

    const MS: Duration = Duration::from_millis(1);
    const SLOW: Bitrate = Bitrate::from_kbps(1_000);
    const FAST: Bitrate = Bitrate::from_kbps(5_000);

    /// A page that differs from those of other numbers in its first lines, of 45.
    fn page(number: u8, lines: usize) -> I420 {
        let size = Size::new(1280, 720).unwrap();
        let mut data = vec![200; size.bytes()];
        data[..1280 * BLOCK * lines].fill(number);
        I420::packed(size, Taken::Media(0), data).unwrap()
    }

    #[test]
    fn a_new_page_is_coarse_first_and_sharp_when_it_rests() {
        let (mut scene, now) = (Scene::default(), origin());
        assert_eq!(scene.detail(now, &page(1, 45), SLOW), Detail::CoarseAnew);
        assert_eq!(scene.detail(now + 67 * MS, &page(1, 45), SLOW), Detail::Coarse);
        assert_eq!(scene.detail(now + 133 * MS, &page(1, 45), SLOW), Detail::Coarse);
        assert_eq!(scene.detail(now + 200 * MS, &page(1, 45), SLOW), Detail::SharpAnew);
        assert_eq!(scene.detail(now + 267 * MS, &page(1, 45), SLOW), Detail::Sharp);
        assert_eq!(scene.detail(now + 333 * MS, &page(2, 45), SLOW), Detail::CoarseAnew);
    }

    #[test]
    fn a_line_that_is_typed_leaves_it_sharp() {
        let (mut scene, now) = (Scene::default(), origin());
        scene.detail(now, &page(200, 45), FAST);
        assert_eq!(scene.detail(now + 67 * MS, &page(1, 1), SLOW), Detail::Sharp);
        assert_eq!(scene.detail(now + 133 * MS, &page(1, 2), SLOW), Detail::Sharp);
        assert_eq!(scene.detail(now + 200 * MS, &page(1, 30), SLOW), Detail::CoarseAnew);
    }

    #[test]
    fn what_changes_after_a_rest_is_told_from_what_goes_on() {
        let (mut scene, now) = (Scene::default(), origin());
        let motions = [1, 1, 2, 3, 3, 4].map(|number| {
            scene.detail(now, &page(number, 1), FAST);
            scene.motion()
        });
        let [first, rests, begins, goes, rests_again, begins_again] = motions;
        assert_eq!([first, begins, begins_again], [Motion::Begins; 3]);
        assert_eq!([rests, rests_again], [Motion::None; 2]);
        assert_eq!(goes, Motion::Goes);
    }

    #[test]
    fn a_fifth_of_a_page_is_much_on_a_slow_way() {
        for (rate, expected) in [(SLOW, Detail::CoarseAnew), (FAST, Detail::Sharp)] {
            let (mut scene, now) = (Scene::default(), origin());
            scene.detail(now, &page(200, 45), FAST);
            assert_eq!(scene.detail(now + 67 * MS, &page(1, 9), rate), expected, "{rate}");
        }
    }

    #[test]
    fn what_moves_all_the_time_stays_coarse_and_builds_on_what_was_before() {
        let (mut scene, now) = (Scene::default(), origin());
        scene.detail(now, &page(0, 45), SLOW);
        let details: Vec<Detail> =
            (1..50).map(|nth| scene.detail(now + 67 * MS * nth, &page(nth as u8, 45), SLOW)).collect();
        assert_eq!(details[0], Detail::CoarseAnew);
        assert!(details[1..].iter().all(|detail| *detail == Detail::Coarse), "{details:?}");
    }

    #[test]
    fn where_there_is_room_it_is_sharp_at_once() {
        let (mut scene, now) = (Scene::default(), origin());
        assert_eq!(scene.detail(now, &page(1, 45), FAST), Detail::SharpAnew);
        assert_eq!(scene.detail(now + 67 * MS, &page(2, 45), FAST), Detail::SharpAnew);
    }

    #[test]
    fn what_was_to_begin_anew_and_was_left_out_does_so_next_time() {
        let (mut scene, now) = (Scene::default(), origin());
        let detail = scene.detail(now, &page(1, 45), SLOW);
        scene.handle_left_out(detail);
        assert_eq!(scene.detail(now + 67 * MS, &page(1, 45), SLOW), Detail::CoarseAnew);
        assert_eq!(scene.detail(now + 133 * MS, &page(1, 45), SLOW), Detail::Coarse);
    }

    #[test]
    fn a_screen_of_another_size_is_new() {
        let (mut scene, now) = (Scene::default(), origin());
        scene.detail(now, &page(1, 45), FAST);
        let small = I420::plain(Size::new(640, 360).unwrap(), Taken::Media(0), [16, 128, 128]);
        assert_eq!(scene.detail(now + 67 * MS, &small, FAST), Detail::SharpAnew);
    }
}
