//! What is made of it that nothing comes from the other end.
//!
//! ```text
//!   Fine ── 2.5 s of nothing ──▶ Silence ── 15 s in all ──▶ Lost
//!    ▲                              │
//!    └───────── anything ───────────┘
//! ```
//! Between Silbos alone: what a stock end's silence means is ICE's business. An end that lives is asked every 1.2 s whether it
//! does, and says so; nobody is silent by saying nothing.

use std::time::{Duration, Instant};

use super::{Line, LineEvent, PeerKind, Phase};
use crate::session::Reception;

/// Silence from the other end that is worth a word.
pub(in crate::session) const SILENT_AFTER: Duration = Duration::from_millis(2500);

/// That which ends the call.
const LOST_AFTER: Duration = Duration::from_secs(15);

impl Line {
    /// When the other end counts as gone, be it that no way was ever proven.
    pub(super) fn lost_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Ready | Phase::Talking => Some(self.last_heard()? + LOST_AFTER),
            _ => None,
        }
    }

    /// When its silence is told, unless it is already.
    pub(super) fn silent_at(&self) -> Option<Instant> {
        match (self.phase, self.reception) {
            (Phase::Talking, Reception::Fine) => Some(self.last_heard()? + SILENT_AFTER),
            _ => None,
        }
    }

    /// Tells of silence, and of its end.
    pub(super) fn follow_reception(&mut self, now: Instant) {
        let Some(heard) = self.last_heard().filter(|_| self.phase == Phase::Talking) else { return };
        let reception = if heard + SILENT_AFTER <= now { Reception::Silence } else { Reception::Fine };
        if std::mem::replace(&mut self.reception, reception) != reception {
            self.events.push_back(LineEvent::Reception(reception));
        }
    }

    fn last_heard(&self) -> Option<Instant> {
        match self.peer {
            PeerKind::Silbo => self.path.last_heard().max(self.secured),
            PeerKind::Stock => None,
        }
    }
}
