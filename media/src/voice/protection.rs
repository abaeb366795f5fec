//! What is sent twice: how the voice is made robust against the loss that the other end reports.
//!
//! ```text
//!   loss     under 1 %     1 to 6 %       6 to 20 %           over 20 %               in bursts
//!   repeats  nothing       1 back         1 and 2 back        repeated, and 1 back    3 back
//!   RED      nothing       1 back         1 and 2 back        1 back from 30 % on     3 back
//!   stock    coarse copies of the frame before (LBRR), which Opus takes from the frame's own bits
//! ```
//!
//! A copy is the frame itself once more, in a later packet (RED, RFC 2198): where one of them arrives nothing is missing.
//! Each costs as much as the frame, so two are paid for with a coarser voice; 110 kbit/s are never passed. In a burst the
//! packets just behind are lost as well: the copy comes later, and leaves room for a finer voice, for what it cannot mend is
//! heard all the same. How long the other end waits for copies is its own choice.
//!
//! A repeat is the frame once more in a packet of its own, half a frame later. Its headers cost as much as a voice of 22
//! kbit/s, so it is paid for with the band above 8 kHz; but three transmissions are over after 20 ms, where two copies take
//! 40. Repeats come at [`MOST`] and stay until less than [`MUCH_LESS`] is lost: to change between the two is heard, too.
//!
//! Where a link does not carry the voice at all, it is made thin instead ([`thrift`](super::thrift)); where it is near and
//! nothing is lost, frames are short ([`brevity`](super::brevity)).
//!
//! What is lost because a link is too full would only become more: while packets stand in a queue ([`QUEUED`]) nothing is sent
//! twice, and nothing for a while ([`TRY_AGAIN`]) where far more is lost since copies are sent.

use std::time::Duration;

use super::brevity::{Brevity, Frames};
use super::thrift::{Fare, Thrift};
use crate::bitrate::Bitrate;
use crate::codec::{CoarseCopies, FrameLength};

/// What the other end takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Supported {
    /// Opus alone.
    #[default]
    Opus,
    /// RED with Opus inside.
    Red,
    /// The same, and frames that are repeated in packets of their own.
    Repeats,
}

/// Which frames the way and the other end have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Room {
    /// Short ones, too, as far as is known.
    #[default]
    Any,
    /// None below 20 ms: the other end asks for that, or what more of them take is wanted for something else.
    Usual,
}

/// What is known of the way our packets take, mostly by what the other end says of those it got.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reported {
    /// Share that was lost since the report before, 0 to 1.
    pub loss: f32,
    /// How much of what is sent during bursts of losses is lost, 0 to 1 (RFC 3611 §4.7.2); none: there are none, or it does
    /// not say.
    pub burst_density: Option<f32>,
    /// How long packets take there and back, where it is known.
    pub round_trip: Option<Duration>,
    /// How unevenly packets arrive (RFC 3550 §6.4.1), where it is known.
    pub jitter: Option<Duration>,
    /// Which frames there is room for.
    pub room: Room,
}

/// How many frames later a copy is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Distance(u8);

impl Distance {
    /// The farthest of any plan.
    pub(super) const MOST: Self = Self(3);

    /// At least one.
    pub(super) const fn frames(self) -> usize {
        self.0 as usize
    }
}

/// Whether each frame is sent in a packet of its own again, half a frame later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Repeats {
    #[default]
    Off,
    On,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Plan {
    /// How far behind copies of each frame follow, nearest first.
    pub(super) copies: &'static [Distance],
    /// Whether each frame leaves in a packet of its own again.
    pub(super) repeats: Repeats,
    /// Whether Opus adds coarse copies of its own.
    pub(super) coarse: CoarseCopies,
    /// Of each frame, where it is not what it is without loss.
    pub(super) bitrate: Option<Bitrate>,
    /// How long each is.
    pub(super) length: FrameLength,
}

/// Makes plans of reports: believes the first loss, follows more at once, and less when it has stayed less.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Protector {
    supported: Supported,
    loss: f32,
    burst_density: f32,
    /// Whether so much is lost that frames are repeated.
    repeats: Repeats,
    /// The shortest round trip of the last minute or so, and the present one, smoothed; none before one is told.
    round_trip: Option<(Duration, Duration)>,
    trial: Trial,
    thrift: Thrift,
    brevity: Brevity,
}

/// Whether copies help or harm.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Trial {
    /// None are sent.
    #[default]
    None,
    /// Some are, since so many reports; there was this loss before.
    Running { reports: u32, before: f32 },
    /// They did harm; so many reports until they are tried again.
    Failed { wait: u32 },
}

impl Protector {
    /// Tells what the other end takes.
    pub(super) fn set_supported(&mut self, supported: Supported) {
        self.supported = supported;
    }

    /// Frames may be so short.
    pub(super) fn set_frames(&mut self, frames: Frames) {
        self.brevity.set_frames(frames);
    }

    /// Takes a report into account, to be called once a second.
    pub(super) fn handle_report(&mut self, reported: Reported) {
        let loss = if reported.loss.is_finite() { reported.loss.clamp(0.0, 1.0) } else { 0.0 };
        self.thrift.handle_report(loss);
        self.brevity.handle_report(&Reported { loss, ..reported });
        let before = self.loss;
        self.loss += (loss - self.loss)
            * match loss > self.loss {
                true if self.loss < SOME => 1.0,
                true => RISE,
                false => FALL,
            };
        self.repeats = match self.repeats {
            Repeats::Off if self.loss >= MOST => Repeats::On,
            Repeats::On if self.loss < MUCH_LESS => Repeats::Off,
            as_before => as_before,
        };
        self.burst_density = reported.burst_density.filter(|density| density.is_finite()).unwrap_or(0.0);
        if let Some(now) = reported.round_trip {
            let (least, smooth) = self.round_trip.unwrap_or((now, now));
            let smooth = (smooth * 3 + now) / 4;
            // A longer way looks like a queue, but stays.
            let least = smooth.min(least + smooth.saturating_sub(least) / FORGETS);
            self.round_trip = Some((least, smooth));
        }
        self.trial = match self.trial {
            // It is tried again.
            Trial::Failed { wait: 0 } => Trial::Running { reports: 0, before: self.loss },
            Trial::Failed { wait } => Trial::Failed { wait: wait - 1 },
            _ if self.loss < SOME => Trial::None,
            Trial::None => Trial::Running { reports: 0, before: before.max(loss) },
            Trial::Running { reports, before } if reports < TRIED && self.loss > 2.0 * before + HARM => {
                Trial::Failed { wait: TRY_AGAIN }
            }
            Trial::Running { reports, before } => {
                Trial::Running { reports: reports.saturating_add(1), before }
            }
        };
    }

    /// A probe came back after so long.
    pub(super) fn handle_round_trip(&mut self, latest: Duration) {
        self.thrift.handle_round_trip(latest);
        self.brevity.handle_round_trip(latest);
    }

    /// Packets take another way.
    pub(super) fn handle_new_way(&mut self) {
        self.thrift.handle_new_way();
        self.brevity.handle_new_way();
    }

    /// How long what was sent last waits on the way.
    pub(super) fn queue(&self) -> Duration {
        self.thrift.queue()
    }

    /// What is to be sent.
    pub(super) fn plan(&self) -> Plan {
        let saved = match self.thrift.fare() {
            Fare::Usual => None,
            Fare::Thin => Some(THIN),
            Fare::Lean => Some(LEAN),
        };
        if saved.is_some() {
            return Plan { bitrate: saved, length: FrameLength::Ms120, ..Plan::default() };
        }
        match (self.supported, self.loss) {
            (_, loss) if loss < SOME => match self.brevity.length() {
                FrameLength::Ms10 => {
                    Plan { bitrate: Some(SHORT), length: FrameLength::Ms10, ..Plan::default() }
                }
                FrameLength::Ms20 | FrameLength::Ms120 => Plan::default(),
            },
            (Supported::Opus, loss) => {
                let bitrate = (!self.is_full()).then_some(BESIDE_COARSE);
                Plan { coarse: CoarseCopies::For(loss), bitrate, ..Plan::default() }
            }
            (Supported::Red | Supported::Repeats, _)
                if self.is_full() || matches!(self.trial, Trial::Failed { .. }) =>
            {
                Plan::default()
            }
            (Supported::Red | Supported::Repeats, loss) if self.burst_density >= DENSE.max(2.0 * loss) => {
                Plan { copies: LATE, bitrate: Some(BESIDE_LATE), ..Plan::default() }
            }
            (Supported::Repeats, _) if self.repeats == Repeats::On => {
                Plan { copies: ONE, repeats: Repeats::On, bitrate: Some(BESIDE_REPEATS), ..Plan::default() }
            }
            (Supported::Red | Supported::Repeats, loss) if (MUCH..HEAVY).contains(&loss) => {
                Plan { copies: TWO, bitrate: Some(BESIDE_TWO), ..Plan::default() }
            }
            (Supported::Red | Supported::Repeats, _) => {
                Plan { copies: ONE, bitrate: Some(BESIDE_ONE), ..Plan::default() }
            }
        }
    }

    fn is_full(&self) -> bool {
        self.round_trip.is_some_and(|(least, smooth)| smooth > least + QUEUED)
    }
}

const ONE: &[Distance] = &[Distance(1)];
const TWO: &[Distance] = &[Distance(1), Distance(2)];
const LATE: &[Distance] = &[Distance(3)];
/// Each of two frames in a packet, of three, of two that are far apart, and of two in every second packet: 110 kbit/s at most,
/// with headers.
const BESIDE_ONE: Bitrate = Bitrate::from_kbps(40);
const BESIDE_TWO: Bitrate = Bitrate::from_kbps(28);
const BESIDE_LATE: Bitrate = Bitrate::from_kbps(43);
const BESIDE_REPEATS: Bitrate = Bitrate::from_kbps(20);
/// Of frames of 10 ms, which are harder to encode, and of which headers take 45 kbit/s: 89 together. With 36, PESQ-WB falls by
/// 0.15, with this by 0.02.
const SHORT: Bitrate = Bitrate::from_kbps(44);
/// Where nothing else fits.
const THIN: Bitrate = Bitrate::from_kbps(12);
const LEAN: Bitrate = Bitrate::from_kbps(8);
/// The coarse copy takes its bits from the frame.
const BESIDE_COARSE: Bitrate = Bitrate::from_kbps(48);
/// Loss from which on anything is sent twice.
const SOME: f32 = 0.01;
/// Loss from which on it is sent three times.
const MUCH: f32 = 0.065;
/// Loss from which on it is sent twice again: three times hardly helps, and whatever loses so much is in need.
const HEAVY: f32 = 0.30;
/// Loss from which on frames are repeated, and below which they no longer are. What is followed here is more than what is lost,
/// for more is followed faster than less: 0.13 on average of 0.10 (0.16 once in twenty reports), 0.24 of 0.20.
const MOST: f32 = 0.20;
const MUCH_LESS: f32 = 0.15;
/// Of packets that are lost independently bursts are as thin as the loss; where a link is gone for a while, nearly nothing
/// gets through.
const DENSE: f32 = 0.4;
/// How much longer than the shortest one a round trip takes where packets stand in a queue.
const QUEUED: Duration = Duration::from_millis(100);
/// Reports after which a shorter round trip is forgotten by two thirds.
const FORGETS: u32 = 60;
/// More loss than twice that of before: less is chance.
const HARM: f32 = 0.2;
/// Reports during which more loss is blamed on copies, and those until they are tried again.
const TRIED: u32 = 5;
const TRY_AGAIN: u32 = 30;
/// How much of the way to the loss reported is gone with each report.
const RISE: f32 = 0.5;
const FALL: f32 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent after so many reports of this loss.
    fn after(reports: usize, supported: Supported, loss: f32, burst_density: Option<f32>) -> Plan {
        let mut protector = Protector::default();
        protector.set_supported(supported);
        (0..reports)
            .for_each(|_| protector.handle_report(Reported { loss, burst_density, ..Reported::default() }));
        protector.plan()
    }

    #[test]
    fn nothing_is_spent_where_nothing_is_lost() {
        for supported in [Supported::Opus, Supported::Red] {
            assert_eq!(after(10, supported, 0.0, None), Plan::default());
            assert_eq!(after(10, supported, f32::NAN, Some(f32::NAN)), Plan::default());
        }
    }

    #[test]
    fn no_frame_is_short_where_the_voice_is_thin_or_anything_is_sent_twice() {
        let near = Reported {
            round_trip: Some(Duration::from_millis(2)),
            jitter: Some(Duration::ZERO),
            ..Reported::default()
        };
        let mut protector = Protector::default();
        protector.set_supported(Supported::Red);
        protector.handle_round_trip(Duration::from_millis(2));
        (0..20).for_each(|_| protector.handle_report(near));
        assert_eq!((protector.plan().length, protector.plan().bitrate), (FrameLength::Ms10, Some(SHORT)));
        let mut lossy = protector;
        lossy.handle_report(Reported { loss: 0.05, ..near });
        assert_eq!((lossy.plan().length, lossy.plan().copies), (FrameLength::Ms20, ONE));
        (0..2).for_each(|_| protector.handle_round_trip(Duration::from_millis(700)));
        assert_eq!(protector.plan().length, FrameLength::Ms120);
        // Whatever reports say: probes are still slow.
        (0..20).for_each(|_| protector.handle_report(near));
        assert_eq!(protector.plan().length, FrameLength::Ms120);
    }

    #[test]
    fn more_loss_buys_more_copies_until_they_hardly_help() {
        let copies = |loss| after(10, Supported::Red, loss, Some(loss)).copies;
        assert_eq!([0.05, 0.1, 0.2, 0.4].map(copies), [ONE, TWO, TWO, ONE]);
    }

    #[test]
    fn copies_keep_out_of_the_bursts() {
        assert_eq!(after(10, Supported::Red, 0.06, Some(0.8)).copies, LATE);
        let plan = after(10, Supported::Repeats, 0.25, Some(0.8));
        assert_eq!((plan.copies, plan.repeats), (LATE, Repeats::Off));
    }

    #[test]
    fn much_loss_has_frames_repeated_where_that_is_understood_and_no_other_does() {
        let repeats = |supported, loss| after(10, supported, loss, Some(loss)).repeats;
        assert_eq!([0.0, 0.05, 0.15].map(|loss| repeats(Supported::Repeats, loss)), [Repeats::Off; 3]);
        assert_eq!([0.25, 0.5].map(|loss| repeats(Supported::Repeats, loss)), [Repeats::On; 2]);
        assert_eq!([Supported::Opus, Supported::Red].map(|end| repeats(end, 0.25)), [Repeats::Off; 2]);
    }

    #[test]
    fn repeats_stay_until_clearly_less_is_lost() {
        let mut protector = Protector::default();
        protector.set_supported(Supported::Repeats);
        let report = |loss| Reported { loss, ..Reported::default() };
        (0..10).for_each(|_| protector.handle_report(report(0.25)));
        (0..60).for_each(|_| protector.handle_report(report(0.17)));
        assert_eq!(protector.plan().repeats, Repeats::On);
        (0..60).for_each(|_| protector.handle_report(report(0.1)));
        assert_eq!((protector.plan().repeats, protector.plan().copies), (Repeats::Off, TWO));
    }

    #[test]
    fn nothing_is_sent_twice_into_a_queue() {
        let mut protector = Protector::default();
        protector.set_supported(Supported::Red);
        let report = |milliseconds| Reported {
            loss: 0.1,
            round_trip: Some(Duration::from_millis(milliseconds)),
            ..Reported::default()
        };
        (0..10).for_each(|_| protector.handle_report(report(60)));
        assert_eq!(protector.plan().copies, TWO);
        (0..10).for_each(|_| protector.handle_report(report(360)));
        assert_eq!(protector.plan(), Plan::default());
        (0..10).for_each(|_| protector.handle_report(report(60)));
        assert_eq!(protector.plan().copies, TWO);
    }

    #[test]
    fn a_way_that_has_become_longer_is_no_queue_for_ever() {
        let mut protector = Protector::default();
        protector.set_supported(Supported::Red);
        for (reports, milliseconds) in [(10, 60), (120, 250)] {
            let round_trip = Some(Duration::from_millis(milliseconds));
            let reported = Reported { loss: 0.1, round_trip, ..Reported::default() };
            (0..reports).for_each(|_| protector.handle_report(reported));
        }
        assert_eq!(protector.plan().copies, TWO);
    }

    #[test]
    fn where_copies_make_it_worse_they_are_left_out_for_a_while() {
        let mut protector = Protector::default();
        protector.set_supported(Supported::Red);
        let mut with_copies = 0;
        for _ in 0..120 {
            // A link with a short queue that carries the voice once.
            let loss = if protector.plan().copies.is_empty() { 0.03 } else { 0.5 };
            with_copies += u32::from(loss > 0.1);
            protector.handle_report(Reported { loss, ..Reported::default() });
        }
        assert!((1..20).contains(&with_copies), "{with_copies}");
    }

    #[test]
    fn who_takes_opus_alone_gets_coarse_copies() {
        let plan = after(20, Supported::Opus, 0.1, Some(0.8));
        assert!(plan.copies.is_empty());
        assert!(matches!(plan.coarse, CoarseCopies::For(loss) if loss > 0.09));
    }

    #[test]
    fn protection_comes_with_the_second_report_at_the_latest_and_goes_slowly() {
        let mut protector = Protector::default();
        protector.set_supported(Supported::Red);
        let lossy = Reported { loss: 0.05, ..Reported::default() };
        (0..2).for_each(|_| protector.handle_report(lossy));
        assert_eq!(protector.plan().copies, ONE);
        protector.handle_report(Reported::default());
        assert_eq!(protector.plan().copies, ONE);
        (0..30).for_each(|_| protector.handle_report(Reported::default()));
        assert_eq!(protector.plan(), Plan::default());
    }
}
