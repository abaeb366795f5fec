//! The volunteer's caps: token buckets in total, per source prefix and per identity, and a volume per day.
//!
//! ```text
//!   bucket:   |<------- voice may use ------->|
//!             |<--- the rest of helpers' calls --->|         a quarter of it is kept for voice
//!             |<--- all other rest --->|                     and another one for helpers; depth 200 ms
//!   spent  ==>|########################|...
//! ```
//!
//! A relay sees sizes, nothing else. What is small enough to be a voice packet counts as voice, up to the rate one call's
//! voice can need; the rest is everything else. When a bucket runs low everything else is dropped first, so voice loses
//! nothing while it fits under the cap by itself. Of everything else that of helpers goes last: who issues the
//! credentials says who that is ([`Priority`]). Counted are the bytes that leave this machine, IP and UDP headers
//! included: what the volunteer pays for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::gate::SourcePrefix;
use super::{Bandwidth, BitRate};
use crate::{Priority, UnixTime};

/// The longest payload that counts as voice: 20 ms of Opus at 96 kbit/s, with RTP and SRTP around it.
const LONGEST_VOICE: usize = 300;
/// Voice of one allocation, both ways; small packets past it count as everything else.
const VOICE_RATE: BitRate = BitRate(256_000);
/// IPv4, UDP and ChannelData headers of a relayed packet.
const OVERHEAD: usize = 32;
/// How much may be sent at once, as time at the full rate; half of it for everything but voice.
const DEPTH: Duration = Duration::from_millis(200);
/// However slow the rate, this much fits into half of a bucket.
const LEAST_DEPTH_BYTES: u64 = 4 * 1500;
const DAY_SECONDS: u64 = 24 * 3600;

/// One rate, shared by whoever shares it. The level is the time at which the bucket will be full again.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Nanoseconds a byte takes, in units of 2^-24: a packet costs a multiplication, not a division.
    per_byte: u64,
    full_at: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Voice,
    RestOfHelpers,
    Rest,
}

impl Bucket {
    const fn new(rate: BitRate) -> Self {
        let rate = if rate.0 == 0 { 1 } else { rate.0 };
        Self { per_byte: (8_000_000_000 << 24) / rate, full_at: AtomicU64::new(0) }
    }

    const fn cost(&self, bytes: u64) -> u64 {
        ((bytes as u128 * self.per_byte as u128) >> 24) as u64
    }

    fn has(&self, now: u64, bytes: u64, class: Class) -> bool {
        let half = (DEPTH.as_nanos() as u64 / 2).max(self.cost(LEAST_DEPTH_BYTES));
        let depth = match class {
            Class::Voice => half * 2,
            Class::RestOfHelpers => half + half / 2,
            Class::Rest => half,
        };
        self.full_at.load(Relaxed).max(now) + self.cost(bytes) <= now + depth
    }

    fn take(&self, now: u64, bytes: u64) {
        let cost = self.cost(bytes);
        // Cannot fail: the closure always gives a value.
        let _ = self.full_at.fetch_update(Relaxed, Relaxed, |full_at| Some(full_at.max(now) + cost));
    }
}

/// The buckets an allocation pays from, besides the total.
#[derive(Debug)]
pub(super) struct Purse {
    identity: Option<Arc<Bucket>>,
    prefix: Option<Arc<Bucket>>,
    voice: Bucket,
    /// What everything but voice counts as.
    rest: Class,
}

/// All caps of one server.
#[derive(Debug)]
pub(super) struct Shaper {
    epoch: Instant,
    limits: Bandwidth,
    total: Option<Bucket>,
    identities: BTreeMap<Arc<str>, Arc<Bucket>>,
    prefixes: BTreeMap<SourcePrefix, Arc<Bucket>>,
    day: u64,
    used_today: AtomicU64,
}

impl Shaper {
    pub(super) fn new(limits: Bandwidth, now: Instant, unix: UnixTime) -> Self {
        Self {
            epoch: now,
            total: limits.total.map(Bucket::new),
            limits,
            identities: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            day: unix.as_secs() / DAY_SECONDS,
            used_today: AtomicU64::new(0),
        }
    }

    /// The buckets of a new allocation: those of its name and its prefix are shared with the ones that are there.
    pub(super) fn purse(&mut self, identity: &Arc<str>, prefix: SourcePrefix, priority: Priority) -> Purse {
        let share = |rate| Arc::new(Bucket::new(rate));
        Purse {
            identity: self.limits.per_username.map(|rate| {
                Arc::clone(self.identities.entry(Arc::clone(identity)).or_insert_with(|| share(rate)))
            }),
            prefix: self
                .limits
                .per_prefix
                .map(|rate| Arc::clone(self.prefixes.entry(prefix).or_insert_with(|| share(rate)))),
            voice: Bucket::new(VOICE_RATE),
            rest: match priority {
                Priority::Usual => Class::Rest,
                Priority::Helper => Class::RestOfHelpers,
            },
        }
    }

    /// Forgets the buckets of a name and a prefix that hold no allocation any more and owe nothing. What still owes is
    /// kept until the next one leaves: giving back and asking again does not fill a bucket.
    pub(super) fn forget_unused(&mut self, now: Instant) {
        let now = self.nanos(now);
        let in_use =
            |bucket: &Arc<Bucket>| Arc::strong_count(bucket) > 1 || bucket.full_at.load(Relaxed) > now;
        self.identities.retain(|_, bucket| in_use(bucket));
        self.prefixes.retain(|_, bucket| in_use(bucket));
    }

    /// Whether a payload of `length` bytes may be relayed now; counts it when it may.
    pub(super) fn admits(&self, now: Instant, purse: &Purse, length: usize) -> bool {
        let (now, bytes) = (self.nanos(now), (length + OVERHEAD) as u64);
        let is_spent = self.day_is_spent();
        self.used_today.fetch_add(bytes, Relaxed);
        if self.limits.is_unlimited() {
            return true;
        }
        let is_voice = length <= LONGEST_VOICE && purse.voice.has(now, bytes, Class::Rest);
        let class = if is_voice {
            purse.voice.take(now, bytes);
            Class::Voice
        } else {
            purse.rest
        };
        let buckets = || {
            let shared = [purse.identity.as_deref(), purse.prefix.as_deref(), self.total.as_ref()];
            shared.into_iter().flatten()
        };
        let admitted =
            !(is_spent && class != Class::Voice) && buckets().all(|bucket| bucket.has(now, bytes, class));
        if admitted {
            buckets().for_each(|bucket| bucket.take(now, bytes));
        } else {
            self.used_today.fetch_sub(bytes, Relaxed);
        }
        admitted
    }

    /// Whether the day's volume is used up: no new allocations then, and those that are there keep voice only.
    pub(super) fn day_is_spent(&self) -> bool {
        self.limits.bytes_per_day.is_some_and(|most| self.used_today.load(Relaxed) >= most)
    }

    /// A new day begins at midnight UTC.
    pub(super) fn handle_timeout(&mut self, unix: UnixTime) {
        let day = unix.as_secs() / DAY_SECONDS;
        if day != self.day {
            self.day = day;
            self.used_today = AtomicU64::new(0);
        }
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials;
    use crate::server::PeerPolicy;

    const VOICE: usize = 172;
    const VIDEO: usize = 1100;

    #[test]
    fn a_cap_of_1_mbit_under_5_mbit_of_demand_is_kept_within_5_percent_and_voice_loses_nothing() {
        let (mut shaper, start) = shaper(Bandwidth { total: Some(BitRate(1_000_000)), ..unlimited() });
        let purses: Vec<Purse> = (0..5).map(|user| purse(&mut shaper, &user.to_string())).collect();
        let (mut out, mut voice_lost, mut video_sent, mut video_kept) = (0, 0, 0, 0);
        // Each of five calls: 50 voice packets a second, and 900 kbit/s of video in bursts of ten packets.
        for millis in 0..20_000u64 {
            let now = start + Duration::from_millis(millis);
            for purse in &purses {
                if millis % 20 == 0 {
                    if shaper.admits(now, purse, VOICE) {
                        out += VOICE + OVERHEAD;
                    } else {
                        voice_lost += 1;
                    }
                }
                if millis % 100 == 7 {
                    for _ in 0..10 {
                        video_sent += 1;
                        if shaper.admits(now, purse, VIDEO) {
                            out += VIDEO + OVERHEAD;
                            video_kept += 1;
                        }
                    }
                }
            }
        }
        let rate = out as f64 * 8.0 / 20.0;
        assert!((950_000.0..=1_050_000.0).contains(&rate), "{rate}");
        assert_eq!(voice_lost, 0);
        assert!(video_kept > 0 && video_kept < video_sent / 4, "{video_kept} of {video_sent}");
    }

    #[test]
    fn when_it_is_scarce_pictures_of_helpers_are_cut_last_and_nobodys_voice_is() {
        let (mut shaper, start) = shaper(Bandwidth { total: Some(BitRate(2_000_000)), ..unlimited() });
        let names = ["1600:+ada", "1600:bob", "1600:eve", "1600:joe"];
        let purses: Vec<Purse> = names.iter().map(|name| purse(&mut shaper, name)).collect();
        let (mut voice_lost, mut kept, mut sent) = (0, [0; 4], 0);
        // Each: voice, and 1 Mbit/s of video, one packet after the other; first come those who have no credit, in turn.
        for millis in 0..20_000u64 {
            let now = start + Duration::from_millis(millis);
            let others = (0..3).map(|nth| 1 + (nth + millis as usize / 9) % 3);
            for who in others.chain([0]) {
                let purse = &purses[who];
                if millis % 20 == 0 && !shaper.admits(now, purse, VOICE) {
                    voice_lost += 1;
                }
                if millis % 9 == 0 {
                    kept[who] += usize::from(shaper.admits(now, purse, VIDEO));
                }
            }
            sent += usize::from(millis % 9 == 0);
        }
        assert_eq!(voice_lost, 0);
        assert!(kept[0] * 100 >= sent * 95, "the helper keeps {} of {sent}", kept[0]);
        assert!(kept[1..].iter().all(|kept| *kept < sent / 2 && *kept > 0), "{kept:?} of {sent}");
    }

    #[test]
    fn small_packets_past_what_a_voice_needs_are_not_voice() {
        let (mut shaper, start) = shaper(Bandwidth { total: Some(BitRate(1_000_000)), ..unlimited() });
        let (greedy, honest) = (purse(&mut shaper, "greedy"), purse(&mut shaper, "honest"));
        let mut lost = 0;
        for tick in 0..10_000u64 {
            let now = start + Duration::from_millis(tick);
            let _ = (0..3).filter(|_| shaper.admits(now, &greedy, VOICE)).count();
            if tick % 20 == 0 && !shaper.admits(now, &honest, VOICE) {
                lost += 1;
            }
        }
        assert_eq!(lost, 0, "5 Mbit/s of small packets do not starve another's voice");
    }

    #[test]
    fn one_name_and_one_prefix_have_their_own_caps_however_many_allocations_they_hold() {
        let caps = Bandwidth {
            per_username: Some(BitRate(500_000)),
            per_prefix: Some(BitRate(800_000)),
            ..unlimited()
        };
        let (mut shaper, start) = shaper(caps);
        let mut measure = |names: &[&str], from: u64| {
            let purses: Vec<Purse> = names.iter().map(|name| purse(&mut shaper, name)).collect();
            let mut bytes = 0;
            for millis in from..from + 10_000 {
                for purse in &purses {
                    if shaper.admits(start + Duration::from_millis(millis), purse, VIDEO) {
                        bytes += VIDEO + OVERHEAD;
                    }
                }
            }
            bytes as f64 * 8.0 / 10.0
        };
        let one = measure(&["ada", "ada"], 0);
        assert!((475_000.0..=525_000.0).contains(&one), "{one}");
        let three = measure(&["bob", "dan", "eve"], 60_000);
        assert!((760_000.0..=840_000.0).contains(&three), "{three}");
    }

    #[test]
    fn when_the_days_volume_is_used_up_only_voice_goes_on_until_midnight() {
        let (mut shaper, start) = shaper(Bandwidth { bytes_per_day: Some(10_000), ..unlimited() });
        let purse = purse(&mut shaper, "ada");
        let admitted = (0..20).filter(|_| shaper.admits(start, &purse, VIDEO)).count();
        assert_eq!(admitted, 9);
        assert!(shaper.day_is_spent() && shaper.admits(start, &purse, VOICE));
        let tomorrow = crate::fixture::now().unix.saturating_add(Duration::from_secs(DAY_SECONDS));
        shaper.handle_timeout(tomorrow);
        assert!(!shaper.day_is_spent() && shaper.admits(start, &purse, VIDEO));
    }

    #[test]
    fn coming_back_does_not_fill_a_bucket_and_unused_ones_are_forgotten() {
        let (mut shaper, start) = shaper(Bandwidth { per_username: Some(BitRate(100_000)), ..unlimited() });
        let first = purse(&mut shaper, "ada");
        while shaper.admits(start, &first, VIDEO) {}
        drop(first);
        shaper.forget_unused(start);
        let second = purse(&mut shaper, "ada");
        assert!(!shaper.admits(start, &second, VIDEO));
        drop(second);
        shaper.forget_unused(start + Duration::from_secs(60));
        assert!(shaper.identities.is_empty());
    }

    fn shaper(limits: Bandwidth) -> (Shaper, Instant) {
        let now = crate::fixture::now();
        (Shaper::new(limits, now.instant, now.unix), now.instant)
    }

    fn purse(shaper: &mut Shaper, username: &str) -> Purse {
        let source = "192.0.2.1:1".parse().unwrap();
        let identity = credentials::identity(username).into();
        shaper.purse(&identity, SourcePrefix::of(PeerPolicy::Public, source), Priority::of(username))
    }

    const fn unlimited() -> Bandwidth {
        Bandwidth { total: None, per_username: None, per_prefix: None, bytes_per_day: None }
    }
}
