//! What the person agreed to do for others, and what the profile remembers for it: how long this computer was on in the
//! last days, since when it has its public address, and what it passed on.

pub mod hours;
mod past;

use self::{
    hours::{HelpHours, NoHours},
    past::Past,
};
use super::{
    actor::{Actor, Done},
    event::EventBody,
    power,
    view::{Counts, HelpView, Helped, Totals},
};
use crate::{
    reason::Reason,
    storage::{Setting, Storage, StorageError},
};
use overlay::{
    Report,
    driver::Volunteering,
    outcome::Stats,
    record::Offers,
    volunteer::{Candidacy, Conditions, Hours, Metering, Unfit},
};
use relay::{UnixTime, server::BitRate};
use serde_json::{Value, json};
use std::{
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
    /// At which hours of the day.
    pub hours: HelpHours,
    /// What the line can send.
    pub upload_kbps: Option<u32>,
    /// Most traffic relayed.
    pub max_kbps: Option<u64>,
}

impl Default for Agreed {
    fn default() -> Self {
        Self {
            roles: Offers::NONE,
            metering: Metering::Unmetered,
            hours: HelpHours::Always,
            upload_kbps: None,
            max_kbps: None,
        }
    }
}

impl Agreed {
    /// As kept in the profile. What cannot be read counts as nothing agreed to.
    pub fn read(storage: &Storage) -> Result<Self, StorageError> {
        let kept = json_of(storage, Setting::Helping)?;
        // Who named hours that we do not understand did not agree to all of them.
        let Ok(hours) = hours_of(&kept["hours"]) else { return Ok(Self::default()) };
        let roles = kept["roles"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Self {
            roles: roles.filter_map(role).fold(Offers::NONE, Offers::and),
            metering: if kept["metered"] == true { Metering::Metered } else { Metering::Unmetered },
            hours,
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
            "hours": self.hours.to_string(), "upload_kbps": self.upload_kbps, "max_kbps": self.max_kbps,
        });
        storage.set(Setting::Helping, kept.to_string().as_bytes())
    }

    /// Who takes their word back ceases to help as where traffic costs money: at once, and nobody is cut off.
    fn conditions(&self, hours: Hours) -> Conditions {
        let metering = if self.roles == Offers::NONE { Metering::Metered } else { self.metering };
        Conditions { power: power::now(), metering, hours, upload_kbps: self.upload_kbps }
    }

    /// Whether this is one of the hours, by the clock on the wall.
    fn hours_now(&self, storage: &Storage, now: UnixTime) -> Hours {
        let hour = match self.hours {
            HelpHours::Always => None,
            HelpHours::Daily(_) => storage
                .hour_of_day(now)
                .inspect_err(|error| tracing::warn!(%error, "nobody knows what time it is"))
                .ok(),
        };
        self.hours.at(hour)
    }
}

/// As in the profile; those of before name none.
fn hours_of(kept: &Value) -> Result<HelpHours, NoHours> {
    match kept {
        Value::Null => Ok(HelpHours::Always),
        Value::String(hours) => hours.parse(),
        _ => Err(NoHours),
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
        Unfit::Hours => "hours",
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
        Unfit::Hours => (
            "It does not help now: this is none of the hours that were chosen for it.",
            "Leave it on; it begins by itself. `silbo online --help-hours always` lets it help at any time.",
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

/// What to do about it, for who reads that in the window: no commands.
pub(super) fn advice_in_window(why: Unfit) -> &'static str {
    match why {
        Unfit::Metered => "Say under Helping that the traffic costs nothing, on a line where it does not.",
        Unfit::Hours => "Leave it on; it begins by itself.",
        Unfit::Upload => {
            "Say under Helping how much it can send: 2 Mbit/s for keeping names, 10 Mbit/s for passing calls on."
        }
        Unfit::Unreachable => {
            "Let the router open ports (UPnP, NAT-PMP or PCP), or forward a UDP port to this computer."
        }
        Unfit::OnBattery | Unfit::NoAddress | Unfit::Uptime | Unfit::AddressAge => lacking(why).1,
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
    /// What the node said that it passed on, as far as `past` has it.
    counted: Totals,
    look_at: Instant,
    written: Instant,
    /// When the relay's bytes were counted last, and how many there were.
    flow: Option<(Instant, u64)>,
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
        let conditions = agreed.conditions(agreed.hours_now(storage, now.unix));
        let wish = Volunteering {
            consent: agreed.roles,
            conditions,
            history: past.history(now.unix),
            relay_listen,
            relay_rate: agreed.max_kbps.map(|kbps| BitRate(kbps.saturating_mul(1000))),
        };
        let volunteer = Self {
            agreed,
            began_with: agreed,
            conditions,
            candidacy: Candidacy::None,
            past,
            counted: Totals::default(),
            look_at: now.instant,
            written: now.instant,
            flow: None,
        };
        Ok(Some((volunteer, wish)))
    }

    /// Counts what the node passed on since the last time.
    fn count(&mut self, now: UnixTime, said: &Stats) {
        let said = Totals { connections: said.passed_on, bytes: said.bytes_passed_on };
        let before = std::mem::replace(&mut self.counted, said);
        let more = Totals {
            connections: said.connections.saturating_sub(before.connections),
            bytes: said.bytes.saturating_sub(before.bytes),
        };
        if more != Totals::default() {
            self.past.passed_on(now, more);
        }
    }

    /// How many kbit/s flow through the relay now, once it was counted twice.
    fn kbps(&mut self, now: Instant, bytes: u64) -> Option<u64> {
        let (at, before) = self.flow.replace((now, bytes))?;
        let millis = u64::try_from(now.saturating_duration_since(at).as_millis()).ok()?;
        // Another relay begins at nothing.
        bytes.checked_sub(before)?.saturating_mul(8).checked_div(millis)
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
                connections: relay.map_or(0, |relay| relay.allocations),
                kbps: None,
            });
            Done::HelpedCounted(helped)
        });
    }

    pub(super) fn helped_counted(&mut self, helped: Option<Helped>) {
        let now = self.now().instant;
        let mut helped = helped.unwrap_or_default();
        helped.kbps = self.volunteer.as_mut().and_then(|volunteer| volunteer.kbps(now, helped.relayed));
        let help = &mut self.picture.view.help;
        help.helped = helped;
        if let Some(volunteer) = &self.volunteer {
            help.totals = volunteer.past.totals(relay::driver::now().unix);
        }
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
        let now = relay::driver::now().unix;
        let totals = match &self.volunteer {
            Some(volunteer) => volunteer.past.totals(now),
            None => Past::read(&self.storage).map(|past| past.totals(now)).unwrap_or_default(),
        };
        let helped = self.picture.view.help.helped;
        self.picture.view.help = HelpView { agreed, counts, standing, helped, totals };
    }

    /// Tells the node when the plug was pulled or its hours are over, the person when something has changed, and the profile
    /// how long we ran.
    pub(super) fn look_after_helping(&mut self) {
        let (now, status) = (self.now(), self.overlay.status());
        let Some(volunteer) = &mut self.volunteer else { return };
        if now.instant < volunteer.look_at {
            return;
        }
        volunteer.look_at = now.instant + LOOK;
        let wall = relay::driver::now().unix;
        volunteer.count(wall, &status.stats);
        let hours = volunteer.agreed.hours_now(&self.storage, wall);
        let conditions = volunteer.agreed.conditions(hours);
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

    /// Keeps in the profile how long we ran, where, and what we passed on.
    pub(super) fn write_down_past(&mut self) {
        let (now, status) = (relay::driver::now(), self.overlay.status());
        let Some(volunteer) = &mut self.volunteer else { return };
        volunteer.count(now.unix, &status.stats);
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
    use super::{hours::Span, *};
    use tempfile::TempDir;

    pub(super) fn storage() -> (TempDir, Storage) {
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
            hours: HelpHours::Daily(Span::NIGHT),
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
    fn old_profiles_help_at_any_time_and_hours_that_cannot_be_read_are_no_consent() {
        let (_folder, mut storage) = storage();
        let mut read = |kept: &str| {
            storage.set(Setting::Helping, kept.as_bytes()).unwrap();
            Agreed::read(&storage).unwrap()
        };
        let old = read(r#"{"roles": ["relay"], "metered": false}"#);
        assert_eq!((old.roles, old.hours), (Offers::RELAY, HelpHours::Always));
        for hours in [r#""25-7""#, r#""""#, "22", r#"["22-7"]"#, "false"] {
            let odd = read(&format!(r#"{{"roles": ["relay"], "hours": {hours}}}"#));
            assert_eq!(odd, Agreed::default(), "{hours}");
        }
    }

    #[test]
    fn the_clock_on_the_wall_says_whether_these_are_the_hours() {
        let (_folder, storage) = storage();
        let noon = UnixTime::from_secs(1_800_000_000);
        let hour = storage.hour_of_day(noon).unwrap();
        let chosen = |from, to| Agreed {
            hours: HelpHours::Daily(Span::new(from % 24, to % 24).unwrap()),
            ..Agreed::default()
        };
        assert_eq!(chosen(hour, hour + 1).hours_now(&storage, noon), Hours::Within);
        assert_eq!(chosen(hour + 1, hour).hours_now(&storage, noon), Hours::Outside);
        assert_eq!(Agreed::default().hours_now(&storage, noon), Hours::Within);
        let told = chosen(hour + 1, hour).conditions(Hours::Outside);
        assert_eq!(told.hours, Hours::Outside);
    }

    fn volunteer() -> Volunteer {
        let (_folder, mut storage) = storage();
        Agreed { roles: Offers::RELAY, ..Agreed::default() }.keep(&mut storage).unwrap();
        Volunteer::begin(&storage, None).unwrap().unwrap().0
    }

    #[test]
    fn what_the_node_passed_on_is_counted_once_however_often_it_is_looked_at() {
        let mut volunteer = volunteer();
        let now = UnixTime::from_secs(1_800_000_000);
        for (connections, bytes) in [(0, 0), (1, 500), (1, 500), (3, 900)] {
            volunteer
                .count(now, &Stats { passed_on: connections, bytes_passed_on: bytes, ..Stats::default() });
            assert_eq!(volunteer.past.totals(now), Totals { connections, bytes });
        }
    }

    #[test]
    fn the_rate_is_what_came_between_two_counts_and_unknown_when_the_relay_is_another_one() {
        let mut volunteer = volunteer();
        let began = volunteer.look_at;
        let mut rate = |seconds, bytes| volunteer.kbps(began + Duration::from_secs(seconds), bytes);
        assert_eq!(rate(0, 1_000), None);
        assert_eq!(rate(10, 501_000), Some(400));
        assert_eq!(rate(10, 501_000), None, "no time has passed");
        assert_eq!(rate(20, 100), None);
        assert_eq!(rate(30, 100), Some(0));
    }
}
