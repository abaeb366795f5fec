//! Which frames can be shown: those that are whole, with all they are made from.

use std::collections::BTreeMap;
use std::time::Duration;

use super::flow::Piece;
use super::source::Kind;

/// A picture that stands longer than this is frozen, besides what is usual between two frames (W3C webrtc-stats,
/// freezeCount: the average of 30 frames and 150 ms).
const FREEZE: Duration = Duration::from_millis(150);
/// How long after it was taken a frame is shown, if it is whole by then: jitter and one retransmission pass unseen.
const PLAYOUT: Duration = Duration::from_millis(150);
/// Frames that may be incomplete at a time.
const FRAMES: usize = 300;

#[derive(Debug, Default)]
pub(super) struct Viewer {
    open: BTreeMap<u64, Open>,
    /// The next frame to be shown, unless a keyframe is whole.
    next: u64,
    last: Option<Duration>,
    usual: Duration,
    /// Every time a picture stood too long: when it ended and how long it had taken.
    pub(super) freezes: Vec<(Duration, Duration)>,
    pub(super) shown: u64,
    /// From the camera until whole with all they are made from.
    pub(super) delays: Vec<Duration>,
}

#[derive(Debug)]
struct Open {
    pieces: Vec<u16>,
    of: usize,
    first: u16,
    key: Kind,
    taken: Duration,
}

impl Viewer {
    /// A packet arrived; the first number of a keyframe if that is shown now.
    pub(super) fn arrived(&mut self, at: Duration, piece: Piece) -> Option<u16> {
        if piece.frame < self.next {
            return None;
        }
        let open = self.open.entry(piece.frame).or_insert_with(|| Open {
            pieces: Vec::new(),
            of: piece.pieces,
            first: piece.first,
            key: piece.key,
            taken: piece.taken,
        });
        if !open.pieces.contains(&piece.sequence) {
            open.pieces.push(piece.sequence);
        }
        while self.open.len() > FRAMES {
            self.open.pop_first();
        }
        let key = self.open.iter().rev().find(|(_, open)| open.key == Kind::Key && open.is_whole());
        let key = key.map(|(frame, open)| (*frame, open.first));
        if let Some((frame, _)) = key {
            self.next = frame;
            self.open = self.open.split_off(&frame);
        }
        while self.open.get(&self.next).is_some_and(Open::is_whole) {
            let taken = self.open.remove(&self.next).map_or(at, |open| open.taken);
            self.next += 1;
            self.delays.push(at.saturating_sub(taken));
            self.show(at.max(taken + PLAYOUT));
        }
        key.map(|(_, first)| first)
    }

    /// The longest time a picture stood, and all time pictures stood too long.
    pub(super) fn frozen(&self, from: Duration) -> (Duration, Duration) {
        let froze = self.freezes.iter().filter(|(at, _)| *at >= from).map(|(_, took)| *took);
        (froze.clone().max().unwrap_or_default(), froze.sum())
    }

    fn show(&mut self, at: Duration) {
        self.shown += 1;
        if let Some(last) = self.last.replace(at) {
            let took = at - last;
            if took > (3 * self.usual).max(self.usual + FREEZE) {
                self.freezes.push((at, took));
            }
            self.usual = (self.usual * 29 + took) / 30;
        }
    }
}

impl Open {
    fn is_whole(&self) -> bool {
        self.pieces.len() == self.of
    }
}
