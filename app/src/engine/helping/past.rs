//! What the profile remembers of this computer from one start to the next: how long it was on, where it is reached, and
//! what it passed on for others, day by day.

use super::json_of;
use crate::{
    engine::view::Totals,
    storage::{Setting, Storage, StorageError},
};
use overlay::volunteer::History;
use relay::UnixTime;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

/// What lasts from one start to the next. Days are counted since 1970, in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// Seconds this program ran, of the last [`DAYS_UP`].
    up: BTreeMap<u64, u64>,
    /// Connections and bytes of others, of the last [`DAYS_PASSED_ON`].
    passed_on: BTreeMap<u64, Totals>,
    pub(super) address: Option<(IpAddr, UnixTime)>,
}

/// Days on which it counts how long it was on, and what was passed on.
const DAYS_UP: u64 = 7;
const DAYS_PASSED_ON: u64 = 30;
const DAY_SECONDS: u64 = 24 * 3600;

impl Past {
    pub(super) fn read(storage: &Storage) -> Result<Self, StorageError> {
        let kept = json_of(storage, Setting::Past)?;
        let up = days(&kept["up"], |seconds| Some(seconds.as_u64()?.min(DAY_SECONDS)));
        let passed_on = days(&kept["passed_on"], |day| {
            Some(Totals { connections: day["connections"].as_u64()?, bytes: day["bytes"].as_u64()? })
        });
        let address = kept["address"].as_str().and_then(|ip| ip.parse().ok());
        let since = kept["since_ms"].as_u64().map(UnixTime::from_millis);
        Ok(Self { up, passed_on, address: address.zip(since) })
    }

    pub(super) fn keep(&self, storage: &mut Storage) -> Result<(), StorageError> {
        let up: Map<String, Value> =
            self.up.iter().map(|(day, seconds)| (day.to_string(), json!(seconds))).collect();
        let passed_on = self.passed_on.iter().map(|(day, Totals { connections, bytes })| {
            (day.to_string(), json!({ "connections": connections, "bytes": bytes }))
        });
        let kept = json!({
            "up": up, "passed_on": passed_on.collect::<Map<String, Value>>(),
            "address": self.address.map(|(ip, _)| ip.to_string()),
            "since_ms": self.address.map(|(_, since)| since.as_millis()),
        });
        storage.set(Setting::Past, kept.to_string().as_bytes())
    }

    /// It ran for so long until now.
    pub(super) fn ran(&mut self, now: UnixTime, lasted: Duration) {
        let today = day_of(now);
        let seconds = self.up.entry(today).or_default();
        *seconds = (*seconds + lasted.as_secs()).min(DAY_SECONDS);
        self.forget_old(today);
    }

    /// So much more was passed on until now.
    pub(super) fn passed_on(&mut self, now: UnixTime, more: Totals) {
        let today = day_of(now);
        self.passed_on.entry(today).or_default().add(more);
        self.forget_old(today);
    }

    fn forget_old(&mut self, today: u64) {
        // A clock that was wrong may have left days that are still to come.
        let lately = |day: u64, days: u64| day <= today && day + days > today;
        self.up.retain(|day, _| lately(*day, DAYS_UP));
        self.passed_on.retain(|day, _| lately(*day, DAYS_PASSED_ON));
    }

    pub(super) fn history(&self, now: UnixTime) -> History {
        let past = self.lately(now);
        History { up_this_week: Duration::from_secs(past.up.values().sum()), address: past.address }
    }

    /// What was passed on in the last [`DAYS_PASSED_ON`].
    pub(super) fn totals(&self, now: UnixTime) -> Totals {
        self.lately(now).passed_on.values().fold(Totals::default(), |mut all, day| {
            all.add(*day);
            all
        })
    }

    fn lately(&self, now: UnixTime) -> Self {
        let mut past = self.clone();
        past.forget_old(day_of(now));
        past
    }
}

impl Totals {
    fn add(&mut self, more: Self) {
        self.connections = self.connections.saturating_add(more.connections);
        self.bytes = self.bytes.saturating_add(more.bytes);
    }
}

const fn day_of(now: UnixTime) -> u64 {
    now.as_secs() / DAY_SECONDS
}

/// Those days that can be read.
fn days<T>(kept: &Value, read: impl Fn(&Value) -> Option<T>) -> BTreeMap<u64, T> {
    let days = kept.as_object().into_iter().flatten();
    days.filter_map(|(day, kept)| Some((day.parse().ok()?, read(kept)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::storage, *};

    const fn day(n: u64) -> UnixTime {
        UnixTime::from_secs(n * DAY_SECONDS + 5)
    }

    #[test]
    fn seven_days_count_and_the_address_keeps_its_date() {
        let (_folder, mut storage) = storage();
        let mut past = Past { address: Some(("9.9.9.9".parse().unwrap(), day(90))), ..Past::default() };
        for n in 90..110 {
            past.ran(day(n), Duration::from_secs(3600));
        }
        past.keep(&mut storage).unwrap();
        let read = Past::read(&storage).unwrap();
        assert_eq!(read, past);
        let history = read.history(day(110));
        assert_eq!((history.up_this_week, history.address), (Duration::from_secs(6 * 3600), past.address));
        // A day has no more than its hours, and a clock set back forgets what has not been yet.
        past.ran(day(109), Duration::from_secs(100 * 3600));
        assert_eq!(past.up[&109], DAY_SECONDS);
        assert_eq!(past.history(day(50)).up_this_week, Duration::ZERO);
    }

    #[test]
    fn what_was_passed_on_counts_for_thirty_days_and_lasts_from_one_start_to_the_next() {
        let (_folder, mut storage) = storage();
        let mut past = Past::default();
        for n in 100..140 {
            past.passed_on(day(n), Totals { connections: 1, bytes: 1000 });
            past.passed_on(day(n), Totals { connections: 1, bytes: 500 });
        }
        assert_eq!(past.passed_on.len(), 30, "no more than that is kept");
        past.keep(&mut storage).unwrap();
        let read = Past::read(&storage).unwrap();
        assert_eq!(read, past);
        let totals = |n| (read.totals(day(n)).connections, read.totals(day(n)).bytes);
        assert_eq!((totals(139), totals(168), totals(169)), ((60, 45_000), (2, 1500), (0, 0)));
    }

    #[test]
    fn a_profile_of_before_has_passed_nothing_on_and_what_cannot_be_read_of_a_day_is_left_out() {
        let (_folder, mut storage) = storage();
        storage.set(Setting::Past, br#"{"up": {"109": 3600}}"#).unwrap();
        let past = Past::read(&storage).unwrap();
        assert_eq!((past.totals(day(109)), past.up[&109]), (Totals::default(), 3600));
        let odd = br#"{"passed_on": {"109": {"connections": 2, "bytes": 7}, "108": 4, "x": {}}}"#;
        storage.set(Setting::Past, odd).unwrap();
        let totals = Past::read(&storage).unwrap().totals(day(109));
        assert_eq!(totals, Totals { connections: 2, bytes: 7 });
    }
}
