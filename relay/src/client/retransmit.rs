//! Retransmission of requests over UDP (RFC 8489 §6.2.1), and how long one over a stream waits (§6.2.2).

use std::time::{Duration, Instant};

use crate::wire::TransactionId;

/// The first retransmission timeout. RFC 8489 says 500 ms *or greater unless the path is known to be faster*; callers
/// wait for this answer while somebody waits for a ring tone, so we ask again after a quarter of a second.
const FIRST_TIMEOUT: Duration = Duration::from_millis(250);
/// Rc: how often a request is sent.
const MAX_SENDS: u32 = 7;
/// Rm: how many first timeouts we wait after the last send.
const LAST_WAIT: u32 = 16;

/// One request that waits for its response.
#[derive(Debug)]
pub(super) struct Retransmit {
    transaction: TransactionId,
    bytes: Vec<u8>,
    sends: u32,
    due: Instant,
}

/// Ti of RFC 8489 §6.2.2: as long as seven datagrams would wait, since whoever waits is no more patient for the stream.
const RELIABLY_WITHIN: Duration = Duration::from_millis(19_750);

/// What is to be done about a request now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    NotYet,
    Send(Vec<u8>),
    GiveUp,
}

impl Retransmit {
    /// A request that is sent right now by the caller.
    pub(super) fn sent(now: Instant, transaction: TransactionId, bytes: Vec<u8>) -> Self {
        Self { transaction, bytes, sends: 1, due: now + FIRST_TIMEOUT }
    }

    /// The same over a stream, which repeats by itself.
    pub(super) fn sent_reliably(now: Instant, transaction: TransactionId) -> Self {
        Self { transaction, bytes: Vec::new(), sends: MAX_SENDS, due: now + RELIABLY_WITHIN }
    }

    pub(super) fn transaction(&self) -> TransactionId {
        self.transaction
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        if now < self.due {
            return Due::NotYet;
        }
        if self.sends == MAX_SENDS {
            return Due::GiveUp;
        }
        // Waits double: 250, 500, 1000 ... and 16 x 250 after the last.
        let wait = if self.sends + 1 == MAX_SENDS {
            FIRST_TIMEOUT * LAST_WAIT
        } else {
            FIRST_TIMEOUT * (1 << self.sends)
        };
        self.sends += 1;
        self.due = now + wait;
        Due::Send(self.bytes.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_sent_seven_times_and_given_up_as_rfc_8489_6_2_1_says() {
        let start = crate::fixture::now().instant;
        let mut request = Retransmit::sent(start, TransactionId([0; 12]), vec![1]);
        let mut sent_after = vec![0];
        let gave_up = loop {
            let now = request.due();
            match request.handle_timeout(now) {
                Due::Send(_) => sent_after.push((now - start).as_millis()),
                Due::GiveUp => break (now - start).as_millis(),
                Due::NotYet => unreachable!("asked when due"),
            }
        };
        assert_eq!(sent_after, [0, 250, 750, 1750, 3750, 7750, 15750]);
        assert_eq!(gave_up, 19750);
    }

    #[test]
    fn a_request_over_a_stream_is_sent_once() {
        let start = crate::fixture::now().instant;
        let mut request = Retransmit::sent_reliably(start, TransactionId([0; 12]));
        assert_eq!(request.handle_timeout(start + Duration::from_secs(19)), Due::NotYet);
        assert_eq!(request.handle_timeout(request.due()), Due::GiveUp);
    }
}
