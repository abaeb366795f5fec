//! Drops what has expired, now and then.

use std::time::Duration;

use relay::Now;

use super::{Node, Timer};

/// How often expired things are dropped.
pub(super) const INTERVAL: Duration = Duration::from_secs(300);

impl Node {
    pub(super) fn sweep_later(&mut self, now: Now) {
        self.timers.set(Timer::Sweep, now.instant + INTERVAL);
    }

    pub(super) fn sweep(&mut self, now: Now) {
        self.table.expire(now.unix);
        self.directory.expire(now.unix);
        self.expire_writes();
        self.replay.expire(now.unix);
        self.expire_presence(now);
        self.expire_ringing(now);
        self.expire_credit(now);
        self.introductions.retain(|_, record| record.not_after() > now.unix);
        self.fill(now);
        self.sweep_later(now);
    }
}
