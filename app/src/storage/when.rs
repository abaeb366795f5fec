//! Points in time as people tell them: by the calendar and the clock of this computer.

use super::{Storage, StorageError, seconds};
use relay::UnixTime;
use rusqlite::params;
use std::fmt;

/// A point in time, near or far from now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Today.
    Today {
        /// As `14:05`.
        time: String,
    },
    /// The day before.
    Yesterday {
        /// As `14:05`.
        time: String,
    },
    /// Another day.
    On {
        /// As `2026-11-20`.
        date: String,
        /// As `14:05`.
        time: String,
    },
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Today { time } => write!(out, "today {time}"),
            Self::Yesterday { time } => write!(out, "yesterday {time}"),
            Self::On { date, time } => write!(out, "{date} {time}"),
        }
    }
}

impl Storage {
    /// The day it is, as `2026-11-20`.
    pub fn today(&self, now: UnixTime) -> Result<String, StorageError> {
        let day = "SELECT date(?1, 'unixepoch', 'localtime')";
        Ok(self.db.query_row(day, [seconds(now)], |row| row.get(0))?)
    }

    /// The hour on the clock on the wall, from 0 to 23.
    pub fn hour_of_day(&self, now: UnixTime) -> Result<u8, StorageError> {
        let hour = "SELECT CAST(strftime('%H', ?1, 'unixepoch', 'localtime') AS INTEGER)";
        Ok(self.db.query_row(hour, [seconds(now)], |row| row.get(0))?)
    }

    /// When something was, seen from now; the database knows the time zone.
    pub fn when(&self, at: UnixTime, now: UnixTime) -> Result<When, StorageError> {
        let days =
            "SELECT date(?1, 'unixepoch', 'localtime'), strftime('%H:%M', ?1, 'unixepoch', 'localtime'),
                           date(?2, 'unixepoch', 'localtime'), date(?2, 'unixepoch', 'localtime', '-1 day')";
        Ok(self.db.query_row(days, params![seconds(at), seconds(now)], |row| {
            let (date, time): (String, String) = (row.get(0)?, row.get(1)?);
            let (today, yesterday): (String, String) = (row.get(2)?, row.get(3)?);
            Ok(match date {
                date if date == today => When::Today { time },
                date if date == yesterday => When::Yesterday { time },
                date => When::On { date, time },
            })
        })?)
    }
}
