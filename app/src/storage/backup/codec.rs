//! The bytes of a backup; what they are is drawn in [the parent module](super).

use super::{Backup, BackupError, CARRIED, MAX_BACKUP};
use crate::{
    call::{Receipt, Reply},
    engine::view::{ContactId, HistoryOutcome},
    storage::{
        Blocked, Contact, MAX_BLOCKED, MAX_CONTACTS, MAX_HISTORY, MAX_REQUESTS, Nickname, PastCall, Request,
        Setting, Verified,
    },
};
use minicbor::{Decoder, Encoder, data::Type};
use overlay::{Identity, PresenceSecret, PublicKey, Username};
use relay::UnixTime;
use std::{collections::BTreeSet, convert::Infallible, time::Duration};
use zeroize::Zeroizing;

/// The version this build writes, and the only one it reads.
const VERSION: u8 = 1;
/// Bytes of a name, at most; those of contacts are usernames or fingerprints, and shorter.
const LONGEST_NAME: usize = 256;
/// Bytes of a receipt, at most.
const LONGEST_RECEIPT: usize = 1024;
/// Settings, and bytes of one, at most.
const MOST_SETTINGS: u32 = 64;
const LONGEST_SETTING: usize = 256 * 1024;

type Written = Result<(), minicbor::encode::Error<Infallible>>;

impl Backup {
    /// The bytes to seal. They are read again before they are believed: a backup that nobody can read is none.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let mut out = Encoder::new(Vec::new());
        // Writing into a Vec cannot fail.
        let _ = self.write(&mut out);
        let bytes = Zeroizing::new(out.into_writer());
        Self::decode(&bytes).map(|_| bytes)
    }

    /// Reads what [`Backup::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BackupError> {
        if bytes.len() > MAX_BACKUP {
            return Err(BackupError::TooLarge);
        }
        let mut read = Decoder::new(bytes);
        let fields = array(&mut read)?;
        if read.u8()? != VERSION {
            return Err(BackupError::Incompatible);
        }
        let identity = Identity::from_secret(*Zeroizing::new(bytes32(&mut read)?));
        let contacts = list(&mut read, MAX_CONTACTS, contact)?;
        let blocked = list(&mut read, MAX_BLOCKED, |read, items| {
            let (key, name, since) = stranger(read, items)?;
            Ok(Blocked { key, name, since })
        })?;
        let requests = list(&mut read, MAX_REQUESTS, |read, items| {
            let (key, name, last) = stranger(read, items)?;
            Ok(Request { key, name, last })
        })?;
        let history = list(&mut read, MAX_HISTORY, call)?;
        let settings = list(&mut read, MOST_SETTINGS, setting)?.into_iter().flatten().collect();
        skip(&mut read, fields, 7)?;
        let backup = Self { identity, contacts, blocked, requests, history, settings };
        if read.position() == bytes.len() && backup.agrees() {
            Ok(backup)
        } else {
            Err(BackupError::Malformed)
        }
    }

    /// Nobody stands twice in a list, nobody is their own contact, and the name can be one.
    fn agrees(&self) -> bool {
        let own = self.identity.public_key();
        let name = self.settings.iter().find(|(setting, _)| *setting == Setting::Name);
        let named = name.is_none_or(|(_, name)| {
            std::str::from_utf8(name)
                .is_ok_and(|name| Username::parse(name).is_ok_and(|parsed| parsed.as_str() == name))
        });
        named
            && once(self.contacts.iter().map(|contact| contact.key).chain([own]))
            && once(self.blocked.iter().map(|blocked| blocked.key).chain([own]))
            && once(self.requests.iter().map(|request| request.key).chain([own]))
            && once(self.settings.iter().map(|(setting, _)| setting.word()))
    }

    fn write(&self, out: &mut Encoder<Vec<u8>>) -> Written {
        out.array(7)?.u8(VERSION)?.bytes(Zeroizing::new(self.identity.secret()).as_ref())?;
        out.array(self.contacts.len() as u64)?;
        for contact in &self.contacts {
            out.array(if contact.nickname.is_some() { 8 } else { 7 })?;
            out.bytes(contact.key.bytes())?.str(&contact.name)?;
            out.u64(contact.added.as_millis())?.bool(contact.verified.is_yes())?;
            write_secret(out, contact.presence)?;
            write_secret(out, contact.told)?;
            write_number(out, contact.seen.map(UnixTime::as_millis))?;
            if let Some(nickname) = &contact.nickname {
                out.str(nickname.as_str())?;
            }
        }
        out.array(self.blocked.len() as u64)?;
        for Blocked { key, name, since } in &self.blocked {
            out.array(3)?.bytes(key.bytes())?.str(name)?.u64(since.as_millis())?;
        }
        out.array(self.requests.len() as u64)?;
        for Request { key, name, last } in &self.requests {
            out.array(3)?.bytes(key.bytes())?.str(name)?.u64(last.as_millis())?;
        }
        out.array(self.history.len() as u64)?;
        for call in &self.history {
            let (outcome, word) = match OUTCOMES.iter().position(|outcome| *outcome == call.outcome) {
                Some(number) => (number as u8, None),
                None if call.outcome == HistoryOutcome::Refused => (1, Some(call.outcome.word())),
                None => (3, Some(call.outcome.word())),
            };
            let items = match (word, &call.reply, call.receipt) {
                (Some(_), ..) => 8,
                (None, Some(_), _) => 7,
                (None, None, Some(_)) => 6,
                (None, None, None) => 5,
            };
            out.array(items)?;
            match call.with {
                ContactId::Echo => out.null()?,
                ContactId::Person(key) => out.bytes(key.bytes())?,
            };
            out.str(&call.name)?.u8(outcome)?.u64(call.began.as_millis())?;
            let lasted = call.lasted.map(|lasted| u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX));
            write_number(out, lasted)?;
            if items > 5 {
                out.str(&call.receipt.map(Receipt::to_json).unwrap_or_default())?;
            }
            if items > 6 {
                out.str(call.reply.as_ref().map_or("", Reply::as_str))?;
            }
            if let Some(word) = word {
                out.str(word)?;
            }
        }
        out.array(self.settings.len() as u64)?;
        for (setting, value) in &self.settings {
            out.array(2)?.str(setting.word())?.bytes(value)?;
        }
        Ok(())
    }
}

/// By their numbers; others have words.
const OUTCOMES: [HistoryOutcome; 4] =
    [HistoryOutcome::Received, HistoryOutcome::Missed, HistoryOutcome::Placed, HistoryOutcome::Unanswered];

fn contact(read: &mut Decoder<'_>, items: u64) -> Result<Contact, BackupError> {
    let contact = Contact {
        key: PublicKey::from_bytes(bytes32(read)?),
        name: name(read)?,
        added: time(read)?,
        verified: if read.bool()? { Verified::Yes } else { Verified::No },
        presence: or_null(read, bytes32)?.map(PresenceSecret::from_bytes),
        told: or_null(read, bytes32)?.map(PresenceSecret::from_bytes),
        seen: or_null(read, time)?,
        here: false,
        nickname: if items > 7 { nickname(read)? } else { None },
    };
    skip(read, items, items.clamp(7, 8))?;
    Ok(contact)
}

/// Nothing for one that this build would not take: what somebody is called is no reason to refuse all the rest.
fn nickname(read: &mut Decoder<'_>) -> Result<Option<Nickname>, BackupError> {
    let text = read.str()?;
    if text.len() > LONGEST_NAME {
        return Err(BackupError::Malformed);
    }
    Ok(Nickname::parse(text).ok().filter(|nickname| nickname.as_str() == text))
}

fn stranger(read: &mut Decoder<'_>, items: u64) -> Result<(PublicKey, String, UnixTime), BackupError> {
    let stranger = (PublicKey::from_bytes(bytes32(read)?), name(read)?, time(read)?);
    skip(read, items, 3)?;
    Ok(stranger)
}

fn call(read: &mut Decoder<'_>, items: u64) -> Result<PastCall, BackupError> {
    let with = or_null(read, bytes32)?;
    let mut call = PastCall {
        with: with.map_or(ContactId::Echo, |key| ContactId::Person(PublicKey::from_bytes(key))),
        name: name(read)?,
        outcome: *OUTCOMES.get(usize::from(read.u8()?)).ok_or(BackupError::Malformed)?,
        began: time(read)?,
        lasted: or_null(read, number)?.map(Duration::from_millis),
        receipt: if items > 5 { receipt(read)? } else { None },
        reply: if items > 6 { reply(read)? } else { None },
    };
    if items > 7 {
        // One of a later version counts as what its number says.
        call.outcome = HistoryOutcome::of_word(&name(read)?).unwrap_or(call.outcome);
    }
    skip(read, items, items.clamp(5, 8))?;
    Ok(call)
}

/// Nothing for one that this build would write otherwise: what a call was like is no reason to refuse all the rest.
fn receipt(read: &mut Decoder<'_>) -> Result<Option<Receipt>, BackupError> {
    let json = read.str()?;
    if json.len() > LONGEST_RECEIPT {
        return Err(BackupError::Malformed);
    }
    Ok(Receipt::from_json(json).filter(|receipt| receipt.to_json() == json))
}

/// Nothing for one that this build would not take.
fn reply(read: &mut Decoder<'_>) -> Result<Option<Reply>, BackupError> {
    let text = read.str()?;
    if text.len() > LONGEST_NAME {
        return Err(BackupError::Malformed);
    }
    Ok(Reply::parse(text).ok().filter(|reply| reply.as_str() == text))
}

/// Nothing for one that this build does not know, or that stays with its computer.
fn setting(read: &mut Decoder<'_>, items: u64) -> Result<Option<(Setting, Vec<u8>)>, BackupError> {
    let word = name(read)?;
    let value = read.bytes()?;
    if value.len() > LONGEST_SETTING {
        return Err(BackupError::Malformed);
    }
    let known = CARRIED.into_iter().find(|setting| setting.word() == word);
    let setting = known.map(|setting| (setting, value.to_vec()));
    skip(read, items, 2)?;
    Ok(setting)
}

/// A list of arrays, none of them longer than it may be.
fn list<T>(
    read: &mut Decoder<'_>,
    most: u32,
    mut entry: impl FnMut(&mut Decoder<'_>, u64) -> Result<T, BackupError>,
) -> Result<Vec<T>, BackupError> {
    let length = array(read)?;
    if length > u64::from(most) {
        return Err(BackupError::Malformed);
    }
    let mut entries = Vec::new();
    for _ in 0..length {
        let items = array(read)?;
        entries.push(entry(read, items)?);
    }
    Ok(entries)
}

/// The length of a definite array.
fn array(read: &mut Decoder<'_>) -> Result<u64, BackupError> {
    if read.datatype()? != Type::Array {
        return Err(BackupError::Malformed);
    }
    read.array()?.ok_or(BackupError::Malformed)
}

/// Fields that a later version added; fewer than known are too few.
fn skip(read: &mut Decoder<'_>, items: u64, known: u64) -> Result<(), BackupError> {
    if items < known {
        return Err(BackupError::Malformed);
    }
    for _ in known..items {
        read.skip()?;
    }
    Ok(())
}

fn bytes32(read: &mut Decoder<'_>) -> Result<[u8; 32], BackupError> {
    read.bytes()?.try_into().map_err(|_| BackupError::Malformed)
}

/// A name may stand on a terminal: nothing in it steers one.
fn name(read: &mut Decoder<'_>) -> Result<String, BackupError> {
    let name = read.str()?;
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(BackupError::Malformed);
    }
    Ok(name.to_owned())
}

fn time(read: &mut Decoder<'_>) -> Result<UnixTime, BackupError> {
    number(read).map(UnixTime::from_millis)
}

/// A number that the database can hold.
fn number(read: &mut Decoder<'_>) -> Result<u64, BackupError> {
    let number = read.u64()?;
    if i64::try_from(number).is_ok() { Ok(number) } else { Err(BackupError::Malformed) }
}

fn or_null<T>(
    read: &mut Decoder<'_>,
    value: impl FnOnce(&mut Decoder<'_>) -> Result<T, BackupError>,
) -> Result<Option<T>, BackupError> {
    if read.datatype()? == Type::Null {
        read.null()?;
        return Ok(None);
    }
    value(read).map(Some)
}

fn write_secret(out: &mut Encoder<Vec<u8>>, secret: Option<PresenceSecret>) -> Written {
    match secret {
        Some(secret) => out.bytes(secret.bytes())?,
        None => out.null()?,
    };
    Ok(())
}

fn write_number(out: &mut Encoder<Vec<u8>>, number: Option<u64>) -> Written {
    match number {
        Some(number) => out.u64(number)?,
        None => out.null()?,
    };
    Ok(())
}

fn once<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

impl From<minicbor::decode::Error> for BackupError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};
    use crate::call::LONGEST_REPLY;

    fn refused(change: impl FnOnce(&mut Backup)) -> BackupError {
        let mut backup = sample();
        change(&mut backup);
        backup.encode().unwrap_err()
    }

    #[test]
    fn a_backup_is_read_as_it_was_written_and_no_cut_one_is() {
        let bytes = sample().encode().unwrap();
        let (read, written) = (Backup::decode(&bytes).unwrap(), sample());
        assert_eq!(read.identity.secret(), written.identity.secret());
        assert_eq!((read.contacts, read.blocked), (written.contacts, written.blocked));
        assert_eq!((read.requests, read.history), (written.requests, written.history));
        assert_eq!(read.settings, written.settings);
        for cut in 0..bytes.len() {
            assert!(Backup::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(Backup::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_bare_identity_is_a_backup() {
        let bytes = Backup::bare(Identity::from_secret([1; 32])).encode().unwrap();
        assert_eq!(Backup::decode(&bytes).unwrap().identity.secret(), [1; 32]);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let own = sample().identity.public_key();
        for error in [
            refused(|backup| backup.contacts[1].key = backup.contacts[0].key),
            refused(|backup| backup.contacts[0].key = own),
            refused(|backup| backup.contacts[0].name = "ada\u{1b}[2J".into()),
            refused(|backup| backup.contacts[0].name = "a".repeat(257)),
            refused(|backup| backup.contacts[0].added = UnixTime::from_millis(u64::MAX)),
            refused(|backup| backup.blocked.push(backup.blocked[0].clone())),
            refused(|backup| backup.requests = vec![backup.requests[0].clone(); 101]),
            refused(|backup| backup.settings[0].1 = b"Not A Name".to_vec()),
            refused(|backup| backup.settings.push(backup.settings[0].clone())),
        ] {
            assert_eq!(error, BackupError::Malformed);
        }
    }

    #[test]
    fn a_later_version_is_said_to_be_one_and_what_is_too_large_is_not_read() {
        let mut bytes = sample().encode().unwrap().to_vec();
        bytes[1] = 2;
        assert_eq!(Backup::decode(&bytes).unwrap_err(), BackupError::Incompatible);
        assert_eq!(Backup::decode(&vec![0; MAX_BACKUP + 1]).unwrap_err(), BackupError::TooLarge);
    }

    #[test]
    fn a_receipt_written_otherwise_is_left_out_and_its_call_stays() {
        let bytes = sample().encode().unwrap();
        let at = bytes.windows(4).position(|four| four == b"4.25").unwrap();
        let mut other = bytes.to_vec();
        other[at..at + 4].copy_from_slice(b"4.20");
        let read = Backup::decode(&other).unwrap();
        assert_eq!((read.history.len(), read.history[0].receipt), (sample().history.len(), None));
        assert!(read.encode().unwrap().len() < bytes.len());
    }

    #[test]
    fn a_nickname_that_is_none_is_left_out_and_one_that_is_too_long_is_malformed() {
        let bytes = sample().encode().unwrap();
        let at = bytes.windows(3).position(|three| three == b"Mum").unwrap();
        let mut other = bytes.to_vec();
        other[at] = 0x1b;
        let read = Backup::decode(&other).unwrap();
        assert_eq!((read.contacts.len(), &read.contacts[0].nickname), (sample().contacts.len(), &None));
        let long = [&bytes[..at - 1], &[0x79, 0x01, 0x01], &[b'm'; 257], &bytes[at + 3..]].concat();
        assert_eq!(Backup::decode(&long).unwrap_err(), BackupError::Malformed);
    }

    #[test]
    fn a_reply_that_is_none_is_left_out_and_one_that_is_too_long_is_malformed() {
        let bytes = sample().encode().unwrap();
        let said = b"I will call you back";
        let at = bytes.windows(said.len()).position(|part| part == said).unwrap();
        let mut other = bytes.to_vec();
        other[at] = 0x1b;
        let read = Backup::decode(&other).unwrap();
        assert!(read.history.len() == sample().history.len() && read.history[2].reply.is_none());
        let long = [&bytes[..at - 1], &[0x79, 0x01, 0x01], &[b'm'; 257], &bytes[at + said.len()..]].concat();
        assert_eq!(Backup::decode(&long).unwrap_err(), BackupError::Malformed);
    }

    #[test]
    fn an_outcome_of_a_later_version_counts_as_what_its_number_says() {
        let mut bytes = sample().encode().unwrap().to_vec();
        let outcomes = |bytes: &[u8]| -> Vec<HistoryOutcome> {
            Backup::decode(bytes).unwrap().history.iter().skip(4).map(|call| call.outcome).collect()
        };
        assert_eq!(outcomes(&bytes), [HistoryOutcome::Refused, HistoryOutcome::Busy]);
        for word in ["refused", "busy"] {
            let at = bytes.windows(word.len()).position(|part| part == word.as_bytes()).unwrap();
            bytes[at] = b'z';
        }
        assert_eq!(outcomes(&bytes), [HistoryOutcome::Missed, HistoryOutcome::Unanswered]);
    }

    #[test]
    fn full_lists_fit() {
        let mut full = sample();
        let key = |number: u32, list: u8| {
            let mut bytes = [list; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            PublicKey::from_bytes(bytes)
        };
        let (contact, blocked, call) = (&full.contacts[0], &full.blocked[0], &full.history[0]);
        let name = "n".repeat(32);
        full.contacts = (0..MAX_CONTACTS)
            .map(|n| Contact { key: key(n, 1), name: name.clone(), ..contact.clone() })
            .collect();
        full.blocked = (0..MAX_BLOCKED)
            .map(|n| Blocked { key: key(n, 2), name: name.clone(), ..blocked.clone() })
            .collect();
        let reply = Reply::parse(&"r".repeat(LONGEST_REPLY)).ok();
        let outcome = HistoryOutcome::NotOnline;
        full.history = vec![PastCall { name, reply, outcome, ..call.clone() }; MAX_HISTORY as usize];
        assert!(full.encode().is_ok());
    }

    #[test]
    fn fields_and_settings_of_later_versions_are_skipped() {
        let mut out = Encoder::new(Vec::new());
        out.array(8).unwrap().u8(1).unwrap().bytes(&[9; 32]).unwrap();
        out.array(0).unwrap();
        out.array(1).unwrap().array(4).unwrap().bytes(&[2; 32]).unwrap().str("eve").unwrap();
        out.u64(7).unwrap().str("why").unwrap();
        out.array(0).unwrap().array(0).unwrap();
        out.array(2).unwrap();
        for word in ["helping", "colour of the future"] {
            out.array(2).unwrap().str(word).unwrap().bytes(b"x").unwrap();
        }
        out.str("more").unwrap();
        let read = Backup::decode(&out.into_writer()).unwrap();
        assert_eq!((read.blocked.len(), read.settings.len()), (1, 0));
    }
}
