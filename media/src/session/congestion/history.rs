//! What was sent and what became of it.
//!
//! On the wire packets have 16-bit numbers (transport-wide congestion control, draft-holmer-rmcat-transport-wide-cc-
//! extensions-01 §3); here they are unwrapped, so that a number means one packet only. Feedback is believed about
//! packets that were sent, and about each of them once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{PacketSent, ProbeId};

/// Packets remembered: two seconds of the fastest probes, and less than half of all numbers, so that none is ambiguous.
pub(super) const CAPACITY: usize = 16_384;

/// After this nobody tells any more: longer than any way there and back.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// Half of all 16-bit numbers: what is further ahead lies behind (RFC 1982).
const HALF: u16 = 0x8000;

#[derive(Debug, Default)]
pub(super) struct History {
    sent: VecDeque<Entry>,
    newest: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    packet: Sent,
    fate: Fate,
}

/// A packet as it left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) size: usize,
    pub(super) probe: Option<ProbeId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Lost,
    Arrived,
}

/// What feedback says that was not known.
#[derive(Clone, Copy, Debug)]
pub(super) enum News {
    Arrived(Sent),
    /// It was thought lost and has arrived after all.
    ArrivedLate(Sent),
    Lost(Sent),
}

/// What feedback says of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Arrived,
    Lost,
}

impl History {
    /// Remembers a packet; one whose number does not lie ahead of the last one's is refused.
    pub(super) fn remember(&mut self, now: Instant, packet: PacketSent) {
        let ahead = packet.number.wrapping_sub(self.newest as u16);
        let first = self.sent.is_empty() && self.newest == 0;
        if !first && (ahead == 0 || ahead >= HALF) {
            return;
        }
        self.newest += u64::from(ahead);
        let known = |entry: &Entry| now.saturating_duration_since(entry.packet.at) <= FORGOTTEN;
        while self.sent.len() >= CAPACITY || self.sent.front().is_some_and(|entry| !known(entry)) {
            self.sent.pop_front();
        }
        let sent = Sent { at: now, size: packet.size, probe: packet.probe };
        self.sent.push_back(Entry { number: self.newest, packet: sent, fate: Fate::Unknown });
    }

    /// What `said` of a number is news; nothing if it was never sent, is forgotten, or is known already.
    pub(super) fn learn(&mut self, number: u16, said: Said) -> Option<News> {
        let behind = u64::from((self.newest as u16).wrapping_sub(number));
        let number = self.newest.checked_sub(behind)?;
        let place = self.sent.binary_search_by_key(&number, |entry| entry.number).ok()?;
        let entry = self.sent.get_mut(place)?;
        let (fate, news) = match (entry.fate, said) {
            (Fate::Unknown, Said::Arrived) => (Fate::Arrived, News::Arrived(entry.packet)),
            (Fate::Lost, Said::Arrived) => (Fate::Arrived, News::ArrivedLate(entry.packet)),
            (Fate::Unknown, Said::Lost) => (Fate::Lost, News::Lost(entry.packet)),
            (Fate::Lost | Fate::Arrived, Said::Lost) | (Fate::Arrived, Said::Arrived) => return None,
        };
        entry.fate = fate;
        Some(news)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::PacketKind;
    use super::*;
    use crate::session::fixture::origin;

    fn packet(number: u16) -> PacketSent {
        PacketSent { number, size: usize::from(number), kind: PacketKind::Video, probe: None }
    }

    #[test]
    fn numbers_wrap_and_still_mean_one_packet() {
        let (mut history, now) = (History::default(), origin());
        for number in 65_000..70_000_u32 {
            history.remember(now, packet(number as u16));
        }
        for number in [65_000_u32, 65_535, 65_536, 69_999] {
            let news = history.learn(number as u16, Said::Arrived);
            assert!(matches!(news, Some(News::Arrived(sent)) if sent.size == usize::from(number as u16)));
        }
        assert!(history.learn(4464, Said::Arrived).is_none(), "not sent yet");
        assert!(history.learn(64_999, Said::Arrived).is_none(), "never sent");
    }

    #[test]
    fn everything_is_news_once() {
        let (mut history, now) = (History::default(), origin());
        history.remember(now, packet(7));
        assert!(matches!(history.learn(7, Said::Lost), Some(News::Lost(_))));
        assert!(history.learn(7, Said::Lost).is_none());
        assert!(matches!(history.learn(7, Said::Arrived), Some(News::ArrivedLate(_))));
        assert!(history.learn(7, Said::Arrived).is_none() && history.learn(7, Said::Lost).is_none());
    }

    #[test]
    fn a_number_that_goes_back_is_refused_and_memory_is_bounded() {
        let (mut history, now) = (History::default(), origin());
        for number in 0..3 * CAPACITY {
            history.remember(now, packet(number as u16));
            history.remember(now, packet(number as u16));
            history.remember(now, packet((number as u16).wrapping_sub(9)));
        }
        assert_eq!(history.len(), CAPACITY);
        history.remember(now + 2 * FORGOTTEN, packet((3 * CAPACITY) as u16));
        assert_eq!(history.len(), 1);
    }
}
