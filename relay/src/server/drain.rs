//! Going away without cutting calls.
//!
//! ```text
//!   Serving ──drain──► Draining ──last allocation gone, or time is up──► empty
//!              new allocations: 300 with another server, or 508
//!              refreshes: granted until the time is up, which tells clients when to be elsewhere
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Server;
use crate::Now;
use crate::wire::{AttributeType, ErrorCode, MessageBuilder};

/// Whether new allocations are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drain {
    Serving,
    Draining { until: Instant, alternate: Option<SocketAddr> },
}

impl Server {
    /// Makes no new allocations from now on, and ends those that are left when `within` has passed. Clients that ask are
    /// sent to `alternate` (RFC 8489 §10), if there is one.
    pub fn drain(&mut self, now: Now, within: Duration, alternate: Option<SocketAddr>) {
        let until = now.instant + within;
        self.drain = Drain::Draining { until, alternate };
        let late: Vec<_> = self.expiries.iter().filter(|(expires, _)| *expires > until).copied().collect();
        for (expires, id) in late {
            self.expiries.remove(&(expires, id));
            self.expiries.insert((until, id));
            if let Some(allocation) = self.allocations.get_mut(id) {
                allocation.expires = until;
            }
        }
    }

    pub(super) fn check_open(&self) -> Result<(), ErrorCode> {
        match self.drain {
            Drain::Serving => Ok(()),
            Drain::Draining { alternate: Some(_), .. } => Err(ErrorCode::TRY_ALTERNATE),
            Drain::Draining { alternate: None, .. } => Err(ErrorCode::INSUFFICIENT_CAPACITY),
        }
    }

    /// The lifetime that can still be had.
    pub(super) fn left(&self, now: Instant, lifetime: Duration) -> Duration {
        match self.drain {
            Drain::Serving => lifetime,
            Drain::Draining { until, .. } => lifetime.min(until.saturating_duration_since(now)),
        }
    }

    pub(super) fn with_alternate(&self, reply: MessageBuilder) -> MessageBuilder {
        match self.drain {
            Drain::Draining { alternate: Some(alternate), .. } => {
                reply.plain_address(AttributeType::ALTERNATE_SERVER, alternate)
            }
            Drain::Draining { alternate: None, .. } | Drain::Serving => reply,
        }
    }
}
