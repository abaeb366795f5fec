//! Which size and how many pictures per second: as much as link, processor and viewer can use, changed seldom.
//!
//! ```text
//!              the rate or the processor does not suffice, too many pictures find no room, or it is shown smaller
//!   Step n ──────────────────────────────────────────────────────────────────────▶ Step n - 1 or lower, at once
//!   Step n ◀────────────────────────────────────────────────────────────────────── Step n - 1
//!              all of them have sufficed for the next step during CALM
//! ```
//! A camera keeps its rate and gives up size; a screen keeps its size, for text must be read, and gives up rate. Where the
//! viewer's window was all that kept a step small, a larger window is followed at once, too.

use std::time::{Duration, Instant};

use super::frame::Size;
use super::viewing::Viewing;
use super::vpx::Content;
use crate::bitrate::Bitrate;

/// How long a larger step must have been possible before it is taken.
pub const CALM: Duration = Duration::from_secs(3);

/// After the processor was too slow, or too many pictures found no room, more is not tried for so long.
const REST: Duration = Duration::from_secs(15);

/// A viewer's window that changes all the time changes the step only so often: each change costs a keyframe.
pub const STEADY: Duration = Duration::from_millis(500);

/// A larger step needs so many percent of its least rate, so that it is not left again at once.
const HEADROOM: u64 = 120;

/// Encoding may take so many percent of the interval between pictures; a larger step may be tried below the second.
const BUSY: u32 = 70;
const EASY: u32 = 35;

/// What one picture counts in how long encoding usually takes, as a divisor: one that takes long, as a keyframe does, keeps
/// nobody from a larger step.
const MEMORY: u32 = 8;

/// The processor counts as too slow after so many pictures in a row.
const SLOW_IN_A_ROW: u32 = 5;

/// Of so many pictures in a row, about a second and a half, so many percent must have been sent: what is too much for the
/// rate at the encoder's coarsest steps stands still now and then.
const JUDGED: u32 = 45;
const SENT: u32 = 75;

/// Which of [`STEPS`] fits whatever it shows: what is left out there makes room for what was lost, and smaller is no help.
const FITS: usize = 2;

/// Pictures per second of a camera.
const CAMERA_RATE: u32 = 30;

/// Pictures per second of a screen: from, and up to.
const SCREEN_RATES: (u32, u32) = (5, 15);

/// A screen is given a picture per second for each so many bits of rate.
const SCREEN_BITS: u64 = 80_000;

/// The highest picture of a screen.
const SCREEN_HEIGHT: u32 = 1080;

/// Heights of the camera's steps and the least rate of each, in kbit/s.
const STEPS: [(u32, u64); 6] = [(180, 0), (270, 200), (360, 350), (540, 700), (720, 1_100), (1080, 2_200)];

/// What is known when the next picture comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// What video may send.
    pub target: Bitrate,
    /// How long the last picture took to encode; zero when none was.
    pub encoding: Duration,
    /// How large the far end shows the picture; none when unknown.
    pub shown: Option<Viewing>,
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The picture.
    pub size: Size,
    /// Pictures per second at most.
    pub frame_rate: u32,
}

/// Chooses the step of one source.
#[derive(Debug)]
pub struct Ladder {
    content: Content,
    source: Size,
    /// Which step of [`STEPS`] (camera), or how many pictures per second (screen).
    at: usize,
    /// Since when more has been possible.
    calm_since: Option<Instant>,
    /// The largest step the viewer had a use for.
    widest: usize,
    /// When the step changed.
    changed: Option<Instant>,
    /// How long encoding usually takes at this step.
    usual: Duration,
    slow: u32,
    resting_until: Option<Instant>,
    /// Of pictures that are judged together: all, and those sent.
    judged: (u32, u32),
}

/// What became of a picture that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way.
    Sent,
    /// There was no room for it.
    LeftOut,
}

impl Ladder {
    /// For pictures of that size; begins with what the rate allows.
    pub fn new(content: Content, source: Size, target: Bitrate) -> Self {
        let mut ladder = Self {
            content,
            source,
            at: 0,
            calm_since: None,
            widest: 0,
            changed: None,
            usual: Duration::ZERO,
            slow: 0,
            resting_until: None,
            judged: (0, 0),
        };
        ladder.at = ladder.allowed(target, 100, None);
        ladder.widest = ladder.highest(None);
        ladder
    }

    /// Tells what was measured with a picture; gives what to do from the next one on.
    pub fn measured(&mut self, now: Instant, measured: Measured) -> Step {
        self.watch_processor(now, measured.encoding);
        let most = self.allowed(measured.target, 100, measured.shown);
        if most < self.at {
            self.change(now, most);
        }
        self.follow_window(now, measured);
        let next = self.at + 1;
        if self.may_rise(now) && self.allowed(measured.target, HEADROOM, measured.shown) >= next {
            if now >= *self.calm_since.get_or_insert(now) + CALM {
                self.change(now, next);
            }
        } else {
            self.calm_since = None;
        }
        self.step()
    }

    /// A picture was due. A camera whose pictures are left out too often gives up size.
    pub fn handle_picture(&mut self, now: Instant, fate: Fate) {
        self.judged.0 += 1;
        self.judged.1 += u32::from(fate == Fate::Sent);
        let (all, sent) = self.judged;
        if all < JUDGED {
            return;
        }
        self.judged = (0, 0);
        if self.content == Content::Camera && self.at > FITS && sent * 100 < SENT * all {
            self.retreat(now);
        }
    }

    /// What to do now.
    pub fn step(&self) -> Step {
        match self.content {
            Content::Camera => Step { size: self.source.fitted(STEPS[self.at].0), frame_rate: CAMERA_RATE },
            Content::Screen => Step { size: self.source.fitted(SCREEN_HEIGHT), frame_rate: self.at as u32 },
        }
    }

    /// The source has another size now.
    pub fn set_source(&mut self, source: Size) {
        self.source = source;
        self.at = self.at.min(self.highest(None));
    }

    /// A larger window, where the smaller one was what kept the step small.
    fn follow_window(&mut self, now: Instant, measured: Measured) {
        let widest = self.highest(measured.shown);
        let was_the_limit = self.at >= self.widest;
        if widest > self.widest && was_the_limit {
            if self.changed.is_some_and(|changed| now < changed + STEADY) {
                return;
            }
            let most = self.allowed(measured.target, HEADROOM, measured.shown);
            if most > self.at && self.may_rise(now) {
                self.change(now, most);
            }
        }
        self.widest = widest;
    }

    fn change(&mut self, now: Instant, step: usize) {
        self.at = step;
        self.changed = Some(now);
        self.calm_since = None;
    }

    /// The largest step for that rate, were `percent` of its least rate needed.
    fn allowed(&self, target: Bitrate, percent: u64, shown: Option<Viewing>) -> usize {
        match self.content {
            Content::Camera => {
                let enough = |&(_, least): &(u32, u64)| least * 1_000 * percent / 100 <= target.bps();
                let most = STEPS.iter().take_while(|step| enough(step)).count().saturating_sub(1);
                most.min(self.highest(shown))
            }
            Content::Screen => {
                let rate = target.bps() * 100 / percent / SCREEN_BITS;
                (rate.max(u64::from(SCREEN_RATES.0)) as usize).min(self.highest(shown))
            }
        }
    }

    /// The first step that is as high as what is shown, and as the source.
    fn highest(&self, shown: Option<Viewing>) -> usize {
        match self.content {
            Content::Camera => {
                let height =
                    shown.map_or(self.source.height(), |shown| shown.height().min(self.source.height()));
                STEPS.iter().take_while(|(step, _)| *step < height).count().min(STEPS.len() - 1)
            }
            Content::Screen if shown == Some(Viewing::Hidden) => SCREEN_RATES.0 as usize,
            Content::Screen => SCREEN_RATES.1 as usize,
        }
    }

    fn watch_processor(&mut self, now: Instant, encoding: Duration) {
        self.usual = (self.usual * (MEMORY - 1) + encoding) / MEMORY;
        self.slow = if encoding > self.interval() * BUSY / 100 { self.slow + 1 } else { 0 };
        if self.slow >= SLOW_IN_A_ROW {
            self.slow = 0;
            self.retreat(now);
        }
    }

    /// A step lower, and no higher one for a while.
    fn retreat(&mut self, now: Instant) {
        self.at = self.at.saturating_sub(1).max(self.lowest());
        self.calm_since = None;
        self.resting_until = Some(now + REST);
    }

    fn may_rise(&self, now: Instant) -> bool {
        let rested = self.resting_until.is_none_or(|until| now >= until);
        rested && self.usual <= self.interval() * EASY / 100
    }

    fn lowest(&self) -> usize {
        match self.content {
            Content::Camera => 0,
            Content::Screen => SCREEN_RATES.0 as usize,
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.step().frame_rate.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::fixture::origin;

    const HD: (u32, u32) = (1280, 720);
    const QUICK: Duration = Duration::from_millis(3);

    fn size((width, height): (u32, u32)) -> Size {
        Size::new(width, height).unwrap()
    }

    fn kbps(target: u64) -> Measured {
        Measured { target: Bitrate::from_kbps(target), encoding: QUICK, shown: None }
    }

    /// Heights and rates after each of so many tenths of a second, from `begin` on.
    fn run(ladder: &mut Ladder, begin: Instant, tenths: u32, measured: Measured) -> Vec<(u32, u32)> {
        let steps = (0..tenths).map(|at| {
            let step = ladder.measured(begin + Duration::from_millis(100) * at, measured);
            (step.size.height(), step.frame_rate)
        });
        steps.collect()
    }

    fn camera(target: u64) -> Ladder {
        Ladder::new(Content::Camera, size(HD), Bitrate::from_kbps(target))
    }

    #[test]
    fn the_beginning_fits_the_rate() {
        let heights = [50, 200, 349, 400, 1_099, 1_100, 9_000].map(|kbps| camera(kbps).step().size.height());
        assert_eq!(heights, [180, 270, 270, 360, 540, 720, 720]);
    }

    #[test]
    fn too_little_rate_costs_size_at_once_and_comes_back_step_by_step() {
        let (start, mut ladder) = (origin(), camera(2_000));
        assert_eq!(run(&mut ladder, start, 1, kbps(250)), [(270, 30)]);
        let back = run(&mut ladder, start + CALM, 100, kbps(2_000));
        assert_eq!((back[29], back[30], back[99]), ((270, 30), (360, 30), (720, 30)));
        assert!(back.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn a_rate_that_wavers_around_a_step_does_not_make_it_flap() {
        let (start, mut ladder) = (origin(), camera(2_000));
        let mut changes = 0;
        let mut before = 720;
        for at in 0..600u32 {
            let rate = if at / 7 % 2 == 0 { 1_050 } else { 1_250 };
            let now = start + Duration::from_millis(100) * at;
            let height = ladder.measured(now, kbps(rate)).size.height();
            changes += u32::from(height != before);
            before = height;
        }
        assert_eq!((changes, before), (1, 540));
    }

    #[test]
    fn a_slow_processor_costs_size_and_rests() {
        let (start, mut ladder) = (origin(), camera(2_000));
        let slow = Measured { encoding: Duration::from_millis(30), ..kbps(2_000) };
        let steps = run(&mut ladder, start, 10, slow);
        assert_eq!((steps[3].0, steps[4].0, steps[9].0), (720, 540, 360));
        let rested = run(&mut ladder, start + Duration::from_secs(1), 300, kbps(2_000));
        assert_eq!((rested[139].0, rested[299].0), (360, 720));
        let one = Measured { encoding: Duration::from_millis(60), ..kbps(2_000) };
        assert_eq!(run(&mut ladder, start + Duration::from_secs(60), 1, one), [(720, 30)]);
    }

    #[test]
    fn now_and_then_a_picture_that_takes_long_keeps_nobody_from_a_larger_step() {
        let (start, mut ladder) = (origin(), camera(400));
        assert_eq!(ladder.step().size.height(), 360);
        for nth in 0..200u32 {
            let took = Duration::from_millis(if nth % 10 == 0 { 20 } else { 9 });
            let now = start + Duration::from_millis(33) * nth;
            ladder.measured(now, Measured { encoding: took, ..kbps(2_000) });
        }
        assert_eq!(ladder.step().size.height(), 720);
        let (start, mut ladder) = (origin(), camera(400));
        for nth in 0..200u32 {
            let now = start + Duration::from_millis(33) * nth;
            ladder.measured(now, Measured { encoding: Duration::from_millis(13), ..kbps(2_000) });
        }
        assert_eq!(ladder.step().size.height(), 360, "it always takes long");
    }

    #[test]
    fn pictures_that_are_left_out_too_often_become_smaller_and_stay_so_for_a_while() {
        let (start, mut ladder) = (origin(), camera(2_000));
        let before = ladder.step().size.height();
        for nth in 0..JUDGED {
            ladder.handle_picture(start, if nth % 5 == 0 { Fate::LeftOut } else { Fate::Sent });
        }
        assert_eq!(ladder.step().size.height(), before, "one in five");
        for nth in 0..JUDGED {
            ladder.handle_picture(start, if nth % 3 == 0 { Fate::LeftOut } else { Fate::Sent });
        }
        let after = ladder.step().size.height();
        assert!(after < before, "one in three");
        let later = start + REST - Duration::from_millis(1);
        for now in [start, later] {
            assert_eq!(ladder.measured(now, kbps(2_000)).size.height(), after);
        }
        ladder.measured(start + REST, kbps(2_000));
        assert_eq!(ladder.measured(start + REST + CALM, kbps(2_000)).size.height(), before);
    }

    #[test]
    fn nothing_larger_is_sent_than_is_shown() {
        let (start, mut ladder) = (origin(), camera(2_000));
        let small = Measured { shown: Some(Viewing::of(320, 200)), ..kbps(2_000) };
        assert_eq!(run(&mut ladder, start, 1, small), [(270, 30)]);
        assert_eq!(run(&mut ladder, start, 100, small).last(), Some(&(270, 30)));
        let hidden = Measured { shown: Some(Viewing::Hidden), ..small };
        assert_eq!(run(&mut ladder, start, 1, hidden), [(180, 30)]);
    }

    #[test]
    fn a_window_that_grows_is_followed_at_once_as_far_as_the_rate_goes() {
        let (start, mut ladder) = (origin(), camera(2_000));
        let at = |height, target| Measured { shown: Some(Viewing::of(1280, height)), ..kbps(target) };
        assert_eq!(run(&mut ladder, start, 1, at(180, 2_000)), [(180, 30)]);
        let later = start + Duration::from_secs(5);
        assert_eq!(run(&mut ladder, later, 1, at(720, 500)), [(360, 30)]);
        // What the rate had kept small comes back slowly, however large the window.
        let grown = run(&mut ladder, later, 31, at(1080, 2_000));
        assert_eq!((grown[29], grown[30]), ((360, 30), (540, 30)));
    }

    #[test]
    fn a_window_that_changes_all_the_time_does_not_make_it_flap() {
        let (start, mut ladder) = (origin(), camera(2_000));
        let steps = (0..100).map(|at: u32| {
            let viewing = if at.is_multiple_of(2) { Viewing::Hidden } else { Viewing::of(1280, 720) };
            let now = start + Duration::from_millis(30) * at;
            ladder.measured(now, Measured { shown: Some(viewing), ..kbps(2_000) }).size.height()
        });
        let steps: Vec<u32> = steps.collect();
        let changes = steps.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!((2..=12).contains(&changes), "{changes} changes in three seconds");
    }

    #[test]
    fn a_screen_keeps_its_size_and_gives_up_rate() {
        let start = origin();
        let mut ladder = Ladder::new(Content::Screen, size(HD), Bitrate::from_kbps(1_000));
        assert_eq!(ladder.step(), Step { size: size(HD), frame_rate: 12 });
        assert_eq!(run(&mut ladder, start, 1, kbps(100)), [(720, 5)]);
        assert_eq!(run(&mut ladder, start, 600, kbps(3_000)).last(), Some(&(720, 15)));
        let hidden = Measured { shown: Some(Viewing::Hidden), ..kbps(3_000) };
        assert_eq!(run(&mut ladder, start, 1, hidden), [(720, 5)]);
        let seen_again = run(&mut ladder, start + CALM, 1, kbps(3_000));
        assert_eq!(seen_again, [(720, 15)]);
        let slow = Measured { encoding: Duration::from_millis(300), ..kbps(3_000) };
        assert_eq!(run(&mut ladder, start, 100, slow).last(), Some(&(720, 5)));
    }

    #[test]
    fn another_source_is_never_enlarged() {
        let mut ladder = camera(9_000);
        ladder.set_source(size((640, 480)));
        assert_eq!(ladder.step().size, size((640, 480)));
    }
}
