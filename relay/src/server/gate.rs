//! How much is answered to strangers: token buckets per source prefix and in total. Past them we are silent, and when
//! half of the total is gone only requests at least as long as their reply are answered, so that a flood with forged
//! sources cannot use us to hurt anybody.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Limits, PeerPolicy};

/// Prefixes watched at one time. When there are more, those that were quiet for a second are forgotten, and if none was,
/// newcomers get no reply.
const MAX_PREFIXES: usize = 4096;

/// The part of a source address that quotas and rate limits count by: /24, /56, or in a lab the whole IP:PORT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SourcePrefix(IpAddr, u16);

impl SourcePrefix {
    pub(crate) fn of(policy: PeerPolicy, source: SocketAddr) -> Self {
        match (policy, super::policy::canonical(source.ip())) {
            (PeerPolicy::Lab, ip) => Self(ip, source.port()),
            (PeerPolicy::Public, IpAddr::V4(ip)) => {
                let [a, b, c, _] = ip.octets();
                Self(IpAddr::from([a, b, c, 0]), 0)
            }
            (PeerPolicy::Public, IpAddr::V6(ip)) => {
                let mut octets = ip.octets();
                octets[7..].fill(0);
                Self(IpAddr::from(octets), 0)
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    per_prefix: u32,
    total: Bucket,
    total_rate: u32,
    prefixes: BTreeMap<SourcePrefix, Bucket>,
}

impl Gate {
    pub(super) const fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            per_prefix: limits.replies_per_prefix,
            total: Bucket::full(limits.replies, now),
            total_rate: limits.replies,
            prefixes: BTreeMap::new(),
        }
    }

    /// Whether a reply of `reply` bytes may go to an unauthenticated request of `request` bytes.
    pub(super) fn admits(&mut self, now: Instant, from: SourcePrefix, request: usize, reply: usize) -> bool {
        self.total.refill(self.total_rate, now);
        let under_pressure = self.total.tokens < f64::from(self.total_rate) / 2.0;
        if under_pressure && reply > request {
            return false;
        }
        if !self.prefixes.contains_key(&from) && self.prefixes.len() >= MAX_PREFIXES {
            self.prefixes
                .retain(|_, bucket| now.saturating_duration_since(bucket.at) < Duration::from_secs(1));
            if self.prefixes.len() >= MAX_PREFIXES {
                return false;
            }
        }
        let rate = self.per_prefix;
        let bucket = self.prefixes.entry(from).or_insert(Bucket::full(rate, now));
        bucket.refill(rate, now);
        bucket.take() && self.total.take()
    }
}

/// Holds one second's worth of tokens.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    const fn full(rate: u32, now: Instant) -> Self {
        Self { tokens: rate as f64, at: now }
    }

    fn refill(&mut self, rate: u32, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * f64::from(rate)).min(f64::from(rate));
        self.at = now;
    }

    fn take(&mut self) -> bool {
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_asks_too_often_is_met_with_silence_and_others_are_not() {
        let now = crate::fixture::now().instant;
        let mut gate = gate(now, 10, 1000);
        let answered = (0..100).filter(|_| gate.admits(now, prefix("192.0.2.1:1"), 100, 50)).count();
        assert_eq!(answered, 10);
        assert!(!gate.admits(now, prefix("192.0.2.200:9"), 100, 50), "same /24");
        assert!(gate.admits(now, prefix("198.51.100.1:1"), 100, 50), "another /24");
        assert!(gate.admits(now + Duration::from_secs(1), prefix("192.0.2.1:1"), 100, 50), "a second later");
    }

    #[test]
    fn under_a_flood_only_who_pays_for_the_reply_gets_one() {
        let now = crate::fixture::now().instant;
        let mut gate = gate(now, 10, 100);
        for source in 0..6 {
            for _ in 0..10 {
                gate.admits(now, prefix(&format!("10.0.{source}.1:1")), 20, 32);
            }
        }
        assert!(!gate.admits(now, prefix("192.0.2.1:1"), 20, 32));
        assert!(gate.admits(now, prefix("192.0.2.1:1"), 44, 32));
    }

    #[test]
    fn the_table_of_prefixes_does_not_grow_without_bound() {
        let now = crate::fixture::now().instant;
        let mut gate = gate(now, 10, 1_000_000);
        for source in 0..u32::try_from(MAX_PREFIXES).unwrap() + 100 {
            let ip = IpAddr::from((source << 8).to_be_bytes());
            gate.admits(now, SourcePrefix::of(PeerPolicy::Public, SocketAddr::new(ip, 1)), 100, 50);
        }
        assert_eq!(gate.prefixes.len(), MAX_PREFIXES);
    }

    #[test]
    fn ipv6_sources_count_by_56_bits() {
        assert_eq!(prefix("[2001:db8:1:2ff::1]:1"), prefix("[2001:db8:1:200::9]:7"));
        assert_ne!(prefix("[2001:db8:1:200::1]:1"), prefix("[2001:db8:1:300::1]:1"));
        assert_eq!(prefix("[::ffff:192.0.2.1]:1"), prefix("192.0.2.77:2"));
    }

    fn gate(now: Instant, replies_per_prefix: u32, replies: u32) -> Gate {
        Gate::new(&Limits { replies_per_prefix, replies, ..Limits::default() }, now)
    }

    fn prefix(source: &str) -> SourcePrefix {
        SourcePrefix::of(PeerPolicy::Public, source.parse().unwrap())
    }
}
