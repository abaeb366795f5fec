//! What the person agreed to do for others, and what the profile remembers for it: how long this computer was on in the
//! last days, and since when it has its public address.

use super::{
    actor::{Actor, Done},
    event::EventBody,
    power,
    view::{Counts, HelpView, Helped},
};
use crate::{
    reason::Reason,
    storage::{Setting, Storage, StorageError},
};
use overlay::{
    Report,
    driver::Volunteering,
    record::Offers,
    volunteer::{Candidacy, Conditions, History, Metering, Unfit},
};
use relay::{UnixTime, server::BitRate};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// The roles one can agree to, by their names on the command line.
pub const ROLES: [(&str, Offers); 3] =
    [("directory", Offers::DIRECTORY), ("introducer", Offers::INTRODUCER), ("relay", Offers::RELAY)];

/// Whether this process helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Helping {
    /// It only does one thing.
    Never,
    /// As far as the person agreed.
    AsAgreed {
        /// Where the relay listens.
        relay_listen: Option<SocketAddr>,
    },
}

/// What the person agreed to; nothing until asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// In which roles this computer may help.
    pub roles: Offers,
    /// Whether traffic costs money.
    pub metering: Metering,
    /// What the line can send.
    pub upload_kbps: Option<u32>,
    /// Most traffic relayed.
    pub max_kbps: Option<u64>,
}

impl Default for Agreed {
    fn default() -> Self {
        Self { roles: Offers::NONE, metering: Metering::Unmetered, upload_kbps: None, max_kbps: None }
    }
}

impl Agreed {
    /// As kept in the profile. What cannot be read counts as nothing agreed to.
    pub fn read(storage: &Storage) -> Result<Self, StorageError> {
        let kept = json_of(storage, Setting::Helping)?;
        let roles = kept["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Self {
            roles: roles.filter_map(role).fold(Offers::NONE, Offers::and),
            metering: if kept["metered"] == true { Metering::Metered } else { Metering::Unmetered },
            upload_kbps: kept["upload_kbps"].as_u64().and_then(|kbps| u32::try_from(kbps).ok()),
            max_kbps: kept["max_kbps"].as_u64(),
        })
    }

    /// Keeps it in the profile.
    pub fn keep(&self, storage: &mut Storage) -> Result<(), StorageError> {
        let roles: Vec<&str> =
            ROLES.iter().filter(|(_, role)| self.roles.contains(*role)).map(|(name, _)| *name).collect();
        let kept = json!({
            "roles": roles, "metered": self.metering == Metering::Metered,
            "upload_kbps": self.upload_kbps, "max_kbps": self.max_kbps,
        });
        storage.set(Setting::Helping, kept.to_string().as_bytes())
    }

    /// Who takes their word back ceases to help as where traffic costs money: at once, and nobody is cut off.
    fn conditions(&self) -> Conditions {
        let metering = if self.roles == Offers::NONE { Metering::Metered } else { self.metering };
        Conditions { power: power::now(), metering, upload_kbps: self.upload_kbps }
    }
}

/// The role of this name.
pub fn role(name: &str) -> Option<Offers> {
    ROLES.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
}

/// How far this computer is on its way to help others, for a person and for programs.
pub(super) fn in_words(candidacy: Candidacy) -> (&'static str, &'static str, Option<&'static str>) {
    match candidacy {
        Candidacy::None => ("none", "This computer does not offer to help others.", None),
        Candidacy::Proving => {
            ("proving", "Fit to help; strangers try whether they reach this computer.", None)
        }
        Candidacy::StandBy => {
            ("stand_by", "Fit to help and reachable; it will serve when it is needed.", None)
        }
        Candidacy::Serving => ("serving", "This computer serves others.", None),
        Candidacy::Draining => ("draining", "This computer ceases to serve; whom it serves moves on.", None),
        Candidacy::CoolingDown => ("cooling_down", "This computer has served, and rests.", None),
        Candidacy::Unfit(why) => {
            let (message, advice) = lacking(why);
            ("unfit", message, Some(advice))
        }
    }
}

/// The word for what a volunteer lacks.
pub(super) fn unfit_word(candidacy: Candidacy) -> Option<&'static str> {
    let Candidacy::Unfit(why) = candidacy else { return None };
    Some(match why {
        Unfit::OnBattery => "on_battery",
        Unfit::Metered => "metered",
        Unfit::NoAddress => "no_address",
        Unfit::Uptime => "uptime",
        Unfit::AddressAge => "address_age",
        Unfit::Upload => "upload",
        Unfit::Unreachable => "unreachable",
    })
}

fn lacking(why: Unfit) -> (&'static str, &'static str) {
    match why {
        Unfit::OnBattery => {
            ("It does not help while it runs on its battery.", "Plug it in; it goes on by itself.")
        }
        Unfit::Metered => (
            "It does not help because its traffic costs money.",
            "Say `silbo online --metered no` on a line that costs nothing.",
        ),
        Unfit::NoAddress => {
            ("It does not help yet: supernodes do not agree at which address they see it.", "Wait a minute.")
        }
        Unfit::Uptime => (
            "It does not help yet: that takes two hours without a break, and 84 hours in a week.",
            "Leave it on; it begins by itself.",
        ),
        Unfit::AddressAge => (
            "It does not help yet: its public address must have been the same for a day.",
            "Leave it on; it begins by itself.",
        ),
        Unfit::Upload => (
            "It does not help: its line is too slow, or nobody said how fast it is, for what was agreed to.",
            "Say how much it can send, under Help others or with `silbo online --upload-kbps N`: 2000 (kbit/s) for the directory, 10000 for the relay.",
        ),
        Unfit::Unreachable => (
            "It does not help: strangers do not reach this computer.",
            "Let the router open ports (UPnP, NAT-PMP or PCP), or forward a UDP port to it, and name it with `silbo online --listen 0.0.0.0:PORT`.",
        ),
    }
}

/// What lasts from one start to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Past {
    /// Seconds this program ran, by day since 1970; of the last [`DAYS`].
    up: BTreeMap<u64, u64>,
    address: Option<(IpAddr, UnixTime)>,
}

/// Days that count.
const DAYS: u64 = 7;
const DAY_SECONDS: u64 = 24 * 3600;

impl Past {
    fn read(storage: &Storage) -> Result<Self, StorageError> {
        let kept = json_of(storage, Setting::Past)?;
        let days = kept["up"].as_object().into_iter().flatten();
        let up =
            days.filter_map(|(day, seconds)| Some((day.parse().ok()?, seconds.as_u64()?.min(DAY_SECONDS))));
        let address = kept["address"].as_str().and_then(|ip| ip.parse().ok());
        let since = kept["since_ms"].as_u64().map(UnixTime::from_millis);
        Ok(Self { up: up.collect(), address: address.zip(since) })
    }

    fn keep(&self, storage: &mut Storage) -> Result<(), StorageError> {
        let up: serde_json::Map<String, Value> =
            self.up.iter().map(|(day, seconds)| (day.to_string(), json!(seconds))).collect();
        let kept = json!({
            "up": up, "address": self.address.map(|(ip, _)| ip.to_string()),
            "since_ms": self.address.map(|(_, since)| since.as_millis()),
        });
        storage.set(Setting::Past, kept.to_string().as_bytes())
    }

    /// It ran for so long until now.
    fn ran(&mut self, now: UnixTime, lasted: Duration) {
        let today = now.as_secs() / DAY_SECONDS;
        let seconds = self.up.entry(today).or_default();
        *seconds = (*seconds + lasted.as_secs()).min(DAY_SECONDS);
        self.forget_old(today);
    }

    fn forget_old(&mut self, today: u64) {
        // A clock that was wrong may have left days that are still to come.
        self.up.retain(|day, _| *day <= today && *day + DAYS > today);
    }

    fn history(&self, now: UnixTime) -> History {
        let mut past = self.clone();
        past.forget_old(now.as_secs() / DAY_SECONDS);
        History { up_this_week: Duration::from_secs(past.up.values().sum()), address: past.address }
    }
}

fn json_of(storage: &Storage, setting: Setting) -> Result<Value, StorageError> {
    let kept = storage.setting(setting)?.unwrap_or_default();
    Ok(serde_json::from_slice(&kept).unwrap_or_default())
}

/// How often a volunteer looks after itself, and how often what lasts is written down.
const LOOK: Duration = Duration::from_secs(5);
const WRITE_DOWN: Duration = Duration::from_secs(300);

/// A volunteer's engine at work.
#[derive(Debug)]
pub(super) struct Volunteer {
    agreed: Agreed,
    /// What the node was started with; its roles and its cap are changed by another start alone.
    began_with: Agreed,
    conditions: Conditions,
    candidacy: Candidacy,
    past: Past,
    look_at: Instant,
    written: Instant,
}

impl Volunteer {
    /// What to start the node with; nothing when nothing was agreed to.
    pub(super) fn begin(
        storage: &Storage,
        relay_listen: Option<SocketAddr>,
    ) -> Result<Option<(Self, Volunteering)>, Reason> {
        let agreed = Agreed::read(storage)?;
        if agreed.roles == Offers::NONE {
            return Ok(None);
        }
        let (past, now) = (Past::read(storage)?, relay::driver::now());
        let conditions = agreed.conditions();
        let wish = Volunteering {
            consent: agreed.roles,
            conditions,
            history: past.history(now.unix),
            relay_listen,
            relay_rate: agreed.max_kbps.map(|kbps| BitRate(kbps.saturating_mul(1000))),
        };
        let (look_at, written) = (now.instant, now.instant);
        let (began_with, candidacy) = (agreed, Candidacy::None);
        Ok(Some((Self { agreed, began_with, conditions, candidacy, past, look_at, written }, wish)))
    }

    pub(super) fn look_at(&self) -> Instant {
        self.look_at
    }
}

impl Actor {
    /// Keeps what the person says, and does at once what can be done at once.
    pub(super) fn agree_to_help(&mut self, agreed: Agreed) -> Result<(), Reason> {
        agreed.keep(&mut self.storage)?;
        let now = self.now().instant;
        if let Some(volunteer) = &mut self.volunteer {
            volunteer.agreed = agreed;
            volunteer.look_at = now;
        }
        self.show_helping(agreed);
        Ok(())
    }

    /// Counts whom this computer helps.
    pub(super) fn count_helped(&mut self) {
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move {
            let helped = overlay.report().await.map(|Report { kept, relay, .. }| Helped {
                leaves: kept.leaves,
                relayed: relay.map_or(0, |relay| relay.bytes),
            });
            Done::HelpedCounted(helped)
        });
    }

    pub(super) fn helped_counted(&mut self, helped: Option<Helped>) {
        self.picture.view.help.helped = helped.unwrap_or_default();
    }

    /// What the window says about it.
    pub(super) fn show_helping(&mut self, agreed: Agreed) {
        let counts = match &self.volunteer {
            None if agreed.roles == Offers::NONE => Counts::Now,
            None => Counts::NextStart,
            Some(_) if agreed.roles == Offers::NONE => Counts::Now,
            Some(volunteer) => {
                let same = |agreed: &Agreed| (agreed.roles, agreed.max_kbps);
                match same(&volunteer.began_with) == same(&agreed) {
                    true => Counts::Now,
                    false => Counts::NextStart,
                }
            }
        };
        let candidacy = self.volunteer.as_ref().map(|volunteer| volunteer.candidacy);
        let standing = candidacy.filter(|_| agreed.roles != Offers::NONE);
        let helped = self.picture.view.help.helped;
        self.picture.view.help = HelpView { agreed, counts, standing, helped };
    }

    /// Tells the node when the plug was pulled, the person when something has changed, and the profile how long we ran.
    pub(super) fn look_after_helping(&mut self) {
        let (now, status) = (self.now(), self.overlay.status());
        let Some(volunteer) = &mut self.volunteer else { return };
        if now.instant < volunteer.look_at {
            return;
        }
        volunteer.look_at = now.instant + LOOK;
        let conditions = volunteer.agreed.conditions();
        let changed = std::mem::replace(&mut volunteer.conditions, conditions) != conditions;
        let before = std::mem::replace(&mut volunteer.candidacy, status.candidacy);
        if now.instant >= volunteer.written + WRITE_DOWN {
            self.write_down_past();
        }
        if changed {
            self.tell_conditions(conditions);
        }
        if before != status.candidacy {
            let (state, message, advice) = in_words(status.candidacy);
            let reason = unfit_word(status.candidacy);
            self.tell(None, EventBody::Helping { state, reason, message, advice });
            self.show_helping(self.picture.view.help.agreed);
        }
    }

    /// The public address is another one.
    pub(super) fn note_address(&mut self, ip: IpAddr, since: UnixTime) {
        let Some(volunteer) = &mut self.volunteer else { return };
        volunteer.past.address = Some((ip, since));
        self.write_down_past();
    }

    /// Keeps in the profile how long we ran, and where.
    pub(super) fn write_down_past(&mut self) {
        let now = relay::driver::now();
        let Some(volunteer) = &mut self.volunteer else { return };
        let lasted = now.instant.saturating_duration_since(volunteer.written);
        volunteer.past.ran(now.unix, lasted);
        // Whole seconds only were counted.
        volunteer.written += Duration::from_secs(lasted.as_secs());
        let kept = volunteer.past.clone().keep(&mut self.storage);
        self.kept(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn storage() -> (TempDir, Storage) {
        let folder = TempDir::new().unwrap();
        let storage = Storage::open(folder.path(), UnixTime::from_secs(1)).unwrap();
        (folder, storage)
    }

    #[test]
    fn nobody_helps_unasked_and_what_was_agreed_to_is_kept() {
        let (_folder, mut storage) = storage();
        let nothing = Agreed::read(&storage).unwrap();
        assert_eq!((nothing.roles, nothing.metering), (Offers::NONE, Metering::Unmetered));
        assert!(Volunteer::begin(&storage, None).unwrap().is_none());
        let agreed = Agreed {
            roles: Offers::DIRECTORY.and(Offers::RELAY),
            metering: Metering::Metered,
            upload_kbps: Some(12_000),
            max_kbps: Some(5_000),
        };
        agreed.keep(&mut storage).unwrap();
        assert_eq!(Agreed::read(&storage).unwrap(), agreed);
        let (_, wish) = Volunteer::begin(&storage, None).unwrap().unwrap();
        assert_eq!((wish.consent, wish.relay_rate), (agreed.roles, Some(BitRate(5_000_000))));
        storage.set(Setting::Helping, b"{ not json").unwrap();
        assert_eq!(Agreed::read(&storage).unwrap(), nothing);
    }

    #[test]
    fn seven_days_count_and_the_address_keeps_its_date() {
        let (_folder, mut storage) = storage();
        let day = |n: u64| UnixTime::from_secs(n * DAY_SECONDS + 5);
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
}
