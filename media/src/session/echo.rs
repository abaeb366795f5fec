//! The Echo contact: a far end inside this machine that gives every voice packet back after a while.
//!
//! Packets take the same way as in a call, through the codec and the jitter buffer, so that what is heard is what the
//! other end of a perfect line would hear.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::SessionEnd;
use super::line::LineEvent;
use crate::voice::{FrameNumber, VoicePacket};

/// How long the Echo contact waits before it answers.
const DELAY: Duration = Duration::from_secs(2);

/// Packets on their way back; more than two seconds of them cannot be, the oldest is dropped if they are.
const IN_FLIGHT: usize = 256;

/// The far end that repeats.
pub(super) struct Echo {
    sequence: u16,
    in_flight: VecDeque<(Instant, VoicePacket)>,
    events: VecDeque<LineEvent>,
    over: bool,
}

impl Echo {
    pub(super) fn new() -> Self {
        let events = VecDeque::from([LineEvent::Connected]);
        Self { sequence: 0, in_flight: VecDeque::new(), events, over: false }
    }

    pub(super) fn send_voice(&mut self, now: Instant, packet: VoicePacket) -> bool {
        if self.in_flight.len() == IN_FLIGHT {
            self.in_flight.pop_front();
        }
        self.in_flight.push_back((now + DELAY, packet));
        !self.over
    }

    pub(super) fn hang_up(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            self.in_flight.clear();
            self.events.push_back(LineEvent::Ended(SessionEnd::Closed));
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some((_, packet)) = self.in_flight.pop_front_if(|(due, _)| *due <= now) {
            let VoicePacket { payload, timestamp, copies, transmission } = packet;
            self.events.push_back(LineEvent::Voice {
                number: FrameNumber::OfPacket(self.sequence),
                timestamp,
                payload: payload.into(),
                copies,
                transmission,
            });
            self.sequence = self.sequence.wrapping_add(1);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        Some((self.in_flight.front()?.0, "echo"))
    }

    pub(super) fn poll_event(&mut self) -> Option<LineEvent> {
        self.events.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;
    use crate::voice::Transmission;

    fn packet(timestamp: u32) -> VoicePacket {
        VoicePacket {
            payload: vec![timestamp as u8; 40],
            timestamp,
            copies: Vec::new(),
            transmission: Transmission::First,
        }
    }

    #[test]
    fn what_was_said_comes_back_in_order_after_two_seconds() {
        let start = origin();
        let mut echo = Echo::new();
        assert!(matches!(echo.poll_event(), Some(LineEvent::Connected)));
        for n in 0..3 {
            echo.send_voice(start + n * Duration::from_millis(20), packet(960 * n));
        }
        assert_eq!(echo.poll_timeout(), Some((start + DELAY, "echo")));
        echo.handle_timeout(start + DELAY + Duration::from_millis(25));
        for n in 0..2 {
            let Some(LineEvent::Voice { number, timestamp, .. }) = echo.poll_event() else {
                panic!("nothing")
            };
            assert_eq!((number, timestamp), (FrameNumber::OfPacket(n), 960 * u32::from(n)));
        }
        assert!(echo.poll_event().is_none());
    }

    #[test]
    fn it_ends_once_and_says_nothing_more() {
        let start = origin();
        let mut echo = Echo::new();
        echo.poll_event();
        echo.send_voice(start, packet(0));
        echo.hang_up();
        echo.hang_up();
        echo.handle_timeout(start + 2 * DELAY);
        assert!(matches!(echo.poll_event(), Some(LineEvent::Ended(SessionEnd::Closed))));
        assert!(echo.poll_event().is_none());
    }
}
