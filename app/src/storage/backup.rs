//! A whole profile as bytes: what `silbo export` seals and `silbo import` reads.
//!
//! CBOR (RFC 8949), definite lengths only; times are milliseconds since 1970:
//!
//! ```text
//!   backup   [1, secret (32 bytes), [contact ..], [blocked ..], [request ..], [call ..], [setting ..]]
//!   contact  [key, name, added, verified, presence secret | null, told secret | null, seen | null,
//!             nickname, if there is one]
//!   blocked  [key, name, since]
//!   request  [key, name, last]
//!   call     [key | null (echo), name, outcome (0 received, 1 missed, 2 placed, 3 unanswered), began, lasted | null,
//!             receipt, if there is one (JSON, see `call/receipt`), reply, if there is one (after a receipt, which may be ""),
//!             the word of an outcome without a number, which counts as 1 or 3 for who does not know it (after a reply, which
//!             may be "")]
//!   setting  [word, bytes]
//! ```
//! Calls stand newest first. Fields added later go to the end of their array and are skipped here, like settings that
//! this build does not know. What belongs to a computer and not to a person is left out: whether it helps others.

mod codec;

use super::history::insert_call;
use super::{Blocked, Contact, Nickname, PastCall, Request, Setting, Storage, StorageError, millis};
use overlay::Identity;
use rusqlite::params;

/// Bytes of a backup, at most: what all lists hold when they are full, and half as much again.
pub const MAX_BACKUP: usize = 16 * 1024 * 1024;

/// Everything a profile is.
#[derive(Debug, Clone)]
pub struct Backup {
    pub(super) identity: Identity,
    pub(super) contacts: Vec<Contact>,
    pub(super) blocked: Vec<Blocked>,
    pub(super) requests: Vec<Request>,
    pub(super) history: Vec<PastCall>,
    pub(super) settings: Vec<(Setting, Vec<u8>)>,
}

/// Why bytes are no backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BackupError {
    /// Not what the module documentation draws, or it contradicts itself.
    #[error("it is not a backup of Silbo, or damaged")]
    Malformed,
    /// A later version wrote it.
    #[error("it was written by a later version")]
    Incompatible,
    /// It is longer than any profile.
    #[error("it is larger than any backup of Silbo")]
    TooLarge,
}

impl Backup {
    /// An identity without anything else, as recovery words give it back.
    pub fn bare(identity: Identity) -> Self {
        Self {
            identity,
            contacts: Vec::new(),
            blocked: Vec::new(),
            requests: Vec::new(),
            history: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// Whose it is.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The username claimed, if any.
    pub fn name(&self) -> Option<&str> {
        let (_, name) = self.settings.iter().find(|(setting, _)| *setting == Setting::Name)?;
        std::str::from_utf8(name).ok()
    }

    /// How many contacts are in it.
    pub const fn contacts(&self) -> usize {
        self.contacts.len()
    }

    /// How many past calls are in it.
    pub const fn calls(&self) -> usize {
        self.history.len()
    }
}

/// Settings that belong to the person. Consent to help others, and what that computer was like, stay where they are.
const CARRIED: [Setting; 9] = [
    Setting::Name,
    Setting::OverlayCache,
    Setting::Invites,
    Setting::PresenceSecret,
    Setting::Microphone,
    Setting::Loudspeaker,
    Setting::Ringtone,
    Setting::Appearance,
    Setting::Language,
];

impl Storage {
    /// Everything in it, as it is at one moment.
    pub fn backup(&self, identity: &Identity) -> Result<Backup, StorageError> {
        // Readers of a journal in WAL mode see one moment for as long as their transaction lasts.
        let moment = self.db.unchecked_transaction()?;
        let mut settings = Vec::new();
        for setting in CARRIED {
            if let Some(value) = self.setting(setting)? {
                settings.push((setting, value));
            }
        }
        let backup = Backup {
            identity: identity.clone(),
            contacts: self.contacts()?,
            blocked: self.blocked()?,
            requests: self.requests()?,
            history: self.history(super::MAX_HISTORY)?,
            settings,
        };
        moment.commit()?;
        Ok(backup)
    }

    /// Fills an empty database, in one transaction.
    pub(super) fn restore(&mut self, backup: &Backup) -> Result<(), StorageError> {
        let change = self.db.transaction()?;
        for contact in &backup.contacts {
            change.execute(
                "INSERT INTO contacts (key, name, added, verified, presence, told, seen, nickname)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    contact.key.bytes(),
                    contact.name,
                    millis(contact.added),
                    contact.verified.is_yes(),
                    contact.presence.map(|secret| *secret.bytes()),
                    contact.told.map(|secret| *secret.bytes()),
                    contact.seen.map(millis),
                    contact.nickname.as_ref().map(Nickname::as_str),
                ],
            )?;
        }
        for Blocked { key, name, since } in &backup.blocked {
            let row = params![key.bytes(), name, millis(*since)];
            change.execute("INSERT INTO blocked (key, name, since) VALUES (?1, ?2, ?3)", row)?;
        }
        for Request { key, name, last } in &backup.requests {
            let row = params![key.bytes(), name, millis(*last)];
            change.execute("INSERT INTO requests (key, name, last) VALUES (?1, ?2, ?3)", row)?;
        }
        for call in backup.history.iter().rev() {
            insert_call(&change, call)?;
        }
        for (setting, value) in &backup.settings {
            let row = params![setting.word(), value];
            change.execute("INSERT INTO settings (name, value) VALUES (?1, ?2)", row)?;
        }
        Ok(change.commit()?)
    }
}

/// One of each, for tests and fuzzers.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn sample() -> Backup {
    use super::Verified;
    use crate::{
        call::{
            Reply,
            receipt::{PathTaken, PicturesSeen, Receipt},
        },
        engine::view::{ContactId, HistoryOutcome},
    };
    use overlay::{PresenceSecret, PublicKey};
    use relay::UnixTime;
    use std::time::Duration;

    let key = |seed| PublicKey::from_bytes([seed; 32]);
    let at = UnixTime::from_secs(1_800_000_000);
    let secret = |seed| Some(PresenceSecret::from_bytes([seed; 32]));
    let contact = |seed, name: &str| Contact {
        key: key(seed),
        name: name.into(),
        added: at,
        verified: Verified::No,
        presence: None,
        told: None,
        seen: None,
        here: false,
        nickname: None,
    };
    let call = |with, name: &str, outcome, lasted| PastCall {
        with,
        name: name.into(),
        outcome,
        began: at,
        lasted,
        receipt: None,
        reply: None,
    };
    let receipt = Receipt {
        path: PathTaken::Mixed,
        seconds: 1,
        mos: 4.25,
        worst_mos: 3.5,
        mouth_to_ear: Duration::from_millis(90),
        made_up: Duration::from_millis(20),
        loss: 0.25,
        pictures: Some(PicturesSeen { height: 720, frame_rate: 29.5, frozen: Duration::ZERO }),
    };
    let talked = Some(Duration::from_millis(1500));
    Backup {
        identity: Identity::from_secret([42; 32]),
        contacts: vec![
            Contact {
                verified: Verified::Yes,
                presence: secret(5),
                told: secret(6),
                seen: Some(at),
                nickname: Nickname::parse("Mum").ok(),
                ..contact(1, "ada")
            },
            contact(2, "eve"),
        ],
        blocked: vec![Blocked { key: key(2), name: "eve".into(), since: at }],
        requests: vec![Request { key: key(3), name: String::new(), last: at }],
        history: vec![
            PastCall {
                receipt: Some(receipt),
                ..call(ContactId::Person(key(1)), "ada", HistoryOutcome::Received, talked)
            },
            call(ContactId::Person(key(1)), "ada", HistoryOutcome::Missed, None),
            PastCall {
                reply: Reply::parse("I will call you back").ok(),
                ..call(ContactId::Person(key(2)), "eve", HistoryOutcome::Unanswered, None)
            },
            call(ContactId::Echo, "Echo", HistoryOutcome::Placed, talked),
            call(ContactId::Person(key(2)), "eve", HistoryOutcome::Refused, None),
            call(ContactId::Person(key(2)), "eve", HistoryOutcome::Busy, None),
        ],
        settings: vec![
            (Setting::Name, b"bob".to_vec()),
            (Setting::Invites, b"x".to_vec()),
            (Setting::PresenceSecret, vec![6; 32]),
        ],
    }
}
