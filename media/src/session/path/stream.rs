//! The stream under an allocation reached over TCP or TLS (RFC 8656 §2.1): bytes in, messages out, and the other way.
//!
//! ```text
//!   Dialling ── opened ──▶ Open ── closed, no TURN in it, nothing taken for 3 s ──▶ lost
//!      └──────── not opened within 5 s, or refused ──────────────────────────────▶ lost
//! ```
//!
//! A network that stalls makes a stream wait and then delivers everything, late. Voice has no use for that: what is
//! relayed leaves within [`STALE`] or is dropped, the oldest first. Requests to the relay wait, since a stream that
//! repeats by itself repeats nothing that was not put into it (RFC 8489 §6.2.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use relay::wire::{ChannelData, StreamError, StreamReader};

/// Relayed packets wait no longer for the stream to take them: the other end has made up its sound by then.
pub(super) const STALE: Duration = Duration::from_millis(200);
/// Messages that wait; a further one makes room by dropping the oldest relayed packet.
pub(super) const MAX_WAITING: usize = 64;
/// A connection takes three round trips at most.
const OPENED_WITHIN: Duration = Duration::from_secs(5);
/// A stream that takes nothing for so long is taken for dead, long before the system does.
const STALLED: Duration = Duration::from_secs(3);

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum StreamKind {
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// Why a stream is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StreamFault {
    #[error("the relay's stream has {0} in it")]
    NotTurn(#[from] StreamError),
    #[error("the connection to the relay does not come about")]
    NotOpened,
    #[error("the connection to the relay takes nothing any more")]
    Stalled,
    #[error("the connection to the relay was refused or closed")]
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Dialling { until: Instant },
    Open,
}

/// One stream.
pub(super) struct Stream {
    kind: StreamKind,
    state: State,
    reader: StreamReader,
    /// Since when they wait, and the messages.
    waiting: VecDeque<(Instant, Vec<u8>)>,
    /// Since when something waits and nothing is taken.
    stalled: Option<Instant>,
}

impl Stream {
    pub(super) fn new(now: Instant, kind: StreamKind) -> Self {
        Self {
            kind,
            state: State::Dialling { until: now + OPENED_WITHIN },
            reader: StreamReader::default(),
            waiting: VecDeque::new(),
            stalled: None,
        }
    }

    pub(super) const fn kind(&self) -> StreamKind {
        self.kind
    }

    pub(super) fn opened(&mut self, now: Instant) {
        self.state = State::Open;
        self.stalled = self.stalled.map(|_| now);
    }

    /// A message for the relay.
    pub(super) fn push(&mut self, now: Instant, message: Vec<u8>) {
        self.drop_stale(now);
        if self.waiting.len() == MAX_WAITING {
            let oldest = self.waiting.iter().position(|(_, message)| ChannelData::matches(message));
            self.waiting.remove(oldest.unwrap_or(0));
        }
        self.stalled.get_or_insert(now);
        self.waiting.push_back((now, message));
    }

    /// The next message, for a connection that takes one now.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.state != State::Open {
            return None;
        }
        self.drop_stale(now);
        let next = self.waiting.pop_front();
        self.stalled = (!self.waiting.is_empty()).then_some(now);
        next.map(|(_, message)| message)
    }

    /// Bytes that came.
    pub(super) fn read(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// The next whole message of the relay's.
    pub(super) fn message(&mut self) -> Result<Option<Vec<u8>>, StreamFault> {
        Ok(self.reader.message()?)
    }

    pub(super) fn handle_timeout(&self, now: Instant) -> Result<(), StreamFault> {
        match (self.poll_timeout(), self.state) {
            (Some((due, _)), State::Dialling { .. }) if due <= now => Err(StreamFault::NotOpened),
            (Some((due, _)), State::Open) if due <= now => Err(StreamFault::Stalled),
            _ => Ok(()),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        match self.state {
            State::Dialling { until } => Some((until, "connection to a relay")),
            State::Open => self.stalled.map(|since| (since + STALLED, "stalled stream")),
        }
    }

    fn drop_stale(&mut self, now: Instant) {
        self.waiting.retain(|(since, message)| *since + STALE > now || !ChannelData::matches(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture::origin;
    use relay::wire::{ChannelNumber, Class, Fingerprint, MessageBuilder, Method, TransactionId};

    const MS: Duration = Duration::from_millis(1);

    fn sound(number: u8) -> Vec<u8> {
        ChannelData { channel: ChannelNumber::FIRST, payload: &[number; 120] }.encode().unwrap()
    }

    fn request() -> Vec<u8> {
        let message = MessageBuilder::new(Class::Request, Method::Refresh, TransactionId([5; 12]));
        message.finish(Fingerprint::Without)
    }

    fn open(start: Instant) -> Stream {
        let mut stream = Stream::new(start, StreamKind::Tcp);
        stream.opened(start);
        stream
    }

    #[test]
    fn a_stalled_stream_keeps_a_fifth_of_a_second_of_sound_and_every_request() {
        let start = origin();
        let mut stream = open(start);
        stream.push(start, request());
        for number in 0..100 {
            stream.push(start + 20 * MS * u32::from(number), sound(number));
        }
        let now = start + 2000 * MS;
        assert_eq!(stream.poll(now), Some(request()));
        let left: Vec<_> = std::iter::from_fn(|| stream.poll(now)).collect();
        assert_eq!(left, (91..100).map(sound).collect::<Vec<_>>(), "what is younger than 200 ms");
        assert_eq!(stream.poll_timeout(), None);
    }

    #[test]
    fn however_much_is_sent_at_once_what_waits_is_bounded_and_the_oldest_goes() {
        let start = origin();
        let mut stream = open(start);
        stream.push(start, request());
        for number in 0..=255 {
            stream.push(start, sound(number));
        }
        assert_eq!(stream.poll(start), Some(request()));
        let left: Vec<_> = std::iter::from_fn(|| stream.poll(start)).collect();
        assert_eq!(left.len(), MAX_WAITING - 1);
        assert_eq!(left.last(), Some(&sound(255)));
    }

    #[test]
    fn nothing_leaves_before_the_connection_stands_and_one_that_never_does_is_lost() {
        let start = origin();
        let mut stream = Stream::new(start, StreamKind::Tls);
        stream.push(start, request());
        assert_eq!(stream.poll(start + 10 * MS), None);
        assert_eq!(stream.handle_timeout(start + 4999 * MS), Ok(()));
        assert_eq!(stream.handle_timeout(start + 5000 * MS), Err(StreamFault::NotOpened));
        stream.opened(start + 4000 * MS);
        assert_eq!(stream.poll(start + 4000 * MS), Some(request()));
    }

    #[test]
    fn a_stream_that_takes_nothing_for_three_seconds_is_lost_and_a_quiet_one_is_not() {
        let start = origin();
        let mut stream = open(start);
        assert_eq!(stream.handle_timeout(start + 60_000 * MS), Ok(()));
        for tick in 0..150 {
            stream.push(start + 20 * MS * tick, sound(1));
        }
        assert_eq!(stream.handle_timeout(start + 2999 * MS), Ok(()));
        assert_eq!(stream.handle_timeout(start + 3000 * MS), Err(StreamFault::Stalled));
    }

    #[test]
    fn bytes_that_are_no_turn_are_named() {
        let mut stream = open(origin());
        stream.read(b"\xFFHTTP/1.1 400");
        assert_eq!(stream.message(), Err(StreamFault::NotTurn(StreamError::NotTurn)));
    }
}
