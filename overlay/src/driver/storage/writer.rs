//! The thread that writes: whatever waits goes into one transaction, which costs one sync of the disk, and is reported
//! when that is done.
//!
//! ```text
//!   node's task ─Persist─▶ queue (WRITE_QUEUE) ─▶ one transaction of all that waits ─▶ outcomes back to the node's task
//! ```

use std::time::Duration;

use relay::UnixTime;
use tokio::sync::mpsc;

use super::database::Database;
use crate::{claim::Claim, node::PersistId};

/// Claims waiting to be written; when full, the node's task keeps further ones until there is room.
pub(in crate::driver) const WRITE_QUEUE: usize = 1_024;

/// How often claims that ended long ago are deleted.
const TIDY: Duration = Duration::from_secs(3600);

/// What became of a claim that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Outcome {
    /// It is on the disk.
    Written(PersistId),
    /// The disk took it not; a warning was logged.
    Failed(PersistId),
}

/// Owns the database.
#[derive(Debug)]
pub(in crate::driver) struct Writer {
    database: Database,
    tidied: UnixTime,
}

impl Writer {
    pub(super) fn new(database: Database) -> Self {
        Self { database, tidied: UnixTime::EPOCH }
    }

    /// Writes what comes until the sender is gone. Runs on a thread that may block.
    pub(in crate::driver) fn run(
        mut self,
        mut claims: mpsc::Receiver<(PersistId, Box<Claim>)>,
        outcomes: &mpsc::Sender<Outcome>,
    ) {
        while let Some(first) = claims.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < WRITE_QUEUE
                && let Ok(next) = claims.try_recv()
            {
                batch.push(next);
            }
            let kept = self.database.keep(batch.iter().map(|(_, claim)| claim.as_ref()));
            if let Err(error) = &kept {
                tracing::warn!(%error, "cannot write claims to disk");
            }
            for (id, _) in batch {
                let outcome = if kept.is_ok() { Outcome::Written(id) } else { Outcome::Failed(id) };
                if outcomes.blocking_send(outcome).is_err() {
                    return;
                }
            }
            self.tidy(relay::driver::now().unix);
        }
    }

    fn tidy(&mut self, now: UnixTime) {
        if now.saturating_duration_since(self.tidied) < TIDY {
            return;
        }
        self.tidied = now;
        if let Err(error) = self.database.forget_ended(now) {
            tracing::warn!(%error, "cannot delete old claims");
        }
    }
}
