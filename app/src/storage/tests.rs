//! Storage keeps what it is told, through crashes, damage and versions.

use super::*;
use crate::call::Reply;
use crate::engine::view::{ContactId, HistoryOutcome};
use std::io::Write;
use tempfile::TempDir;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn key(seed: u8) -> PublicKey {
    PublicKey::from_bytes([seed; 32])
}

fn open(folder: &TempDir) -> Storage {
    Storage::open(folder.path(), NOW).unwrap()
}

#[test]
fn contacts_come_back_by_name_after_opening_again() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    storage.add_contact(key(2), "zoe", NOW).unwrap();
    storage.add_contact(key(1), "Ada", NOW).unwrap();
    drop(storage);
    let names: Vec<_> = open(&folder).contacts().unwrap().into_iter().map(|contact| contact.name).collect();
    assert_eq!(names, ["Ada", "zoe"]);
}

#[test]
fn a_pin_is_never_moved_by_adding_again() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    storage.add_contact(key(1), "ada", NOW).unwrap();
    storage.add_contact(key(1), "mallory", NOW).unwrap();
    let contacts = storage.contacts().unwrap();
    assert_eq!((contacts.len(), contacts[0].name.as_str()), (1, "ada"));
}

#[test]
fn a_compared_key_stays_verified_until_it_is_forgotten() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    assert!(!storage.set_verified(key(1), Verified::Yes).unwrap(), "there is nobody");
    storage.add_contact(key(1), "ada", NOW).unwrap();
    for verified in [Verified::Yes, Verified::No] {
        assert!(storage.set_verified(key(1), verified).unwrap());
        storage = open(&folder);
        assert_eq!(storage.contacts().unwrap()[0].verified, verified);
    }
}

#[test]
fn adding_a_stranger_clears_their_request() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    storage.add_request(key(1), "ada", NOW).unwrap();
    storage.add_contact(key(1), "ada", NOW).unwrap();
    assert!(storage.requests().unwrap().is_empty());
    assert!(storage.remove_contact(key(1)).unwrap());
    assert!(!storage.remove_contact(key(1)).unwrap());
}

#[test]
fn a_contact_keeps_what_it_is_seen_by_and_a_removed_one_ends_what_it_saw_us_by() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    let (theirs, ours) = (PresenceSecret::from_bytes([1; 32]), PresenceSecret::from_bytes([2; 32]));
    storage.set(Setting::PresenceSecret, ours.bytes()).unwrap();
    for seed in [1, 2] {
        storage.add_contact(key(seed), "", NOW).unwrap();
        storage.set_presence_secret(key(seed), theirs).unwrap();
        storage.set_told(key(seed), ours).unwrap();
    }
    storage.set_seen(key(1), Some(NOW)).unwrap();
    storage.forget_told(key(2)).unwrap();
    let contacts = open(&folder).contacts().unwrap();
    assert_eq!((contacts[0].presence, contacts[0].told), (Some(theirs), Some(ours)));
    assert_eq!((contacts[0].here, contacts[0].seen), (true, Some(NOW)));
    assert_eq!((contacts[1].told, contacts[1].here, contacts[1].seen), (None, false, None));
    storage.set_seen(key(1), None).unwrap();
    assert_eq!(storage.contacts().unwrap()[0].seen, Some(NOW), "when they were seen last is kept");
    assert!(!storage.contacts().unwrap()[0].here);

    assert!(!storage.remove_contact(key(9)).unwrap());
    assert_eq!(storage.setting(Setting::PresenceSecret).unwrap(), Some(ours.bytes().to_vec()));
    assert!(storage.remove_contact(key(1)).unwrap());
    assert_eq!(storage.setting(Setting::PresenceSecret).unwrap(), None);
}

#[test]
fn a_profile_of_the_first_version_keeps_its_contacts() {
    let folder = TempDir::new().unwrap();
    let db = Connection::open(folder.path().join(DATABASE)).unwrap();
    db.execute_batch(MIGRATIONS[0]).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    db.execute("INSERT INTO contacts (key, name, added) VALUES (?1, 'ada', 1)", [key(1).bytes().as_slice()])
        .unwrap();
    drop(db);
    let contacts = open(&folder).contacts().unwrap();
    assert_eq!((contacts[0].name.as_str(), contacts[0].presence, contacts[0].here), ("ada", None, false));
}

#[test]
fn requests_are_bounded_and_the_oldest_gives_way() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    for seed in 0..=MAX_REQUESTS as u8 {
        let at = NOW.saturating_add(Duration::from_secs(u64::from(seed)));
        storage.add_request(key(seed), "", at).unwrap();
    }
    let requests = storage.requests().unwrap();
    assert_eq!(requests.len(), MAX_REQUESTS as usize);
    assert!(requests.iter().all(|request| request.key != key(0)));
}

#[test]
fn history_comes_back_newest_first() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    let echo = PastCall {
        with: ContactId::Echo,
        name: "Echo".into(),
        outcome: HistoryOutcome::Placed,
        began: NOW,
        lasted: Some(Duration::from_millis(1500)),
        receipt: sample().history[0].receipt,
        reply: None,
    };
    let declined = PastCall {
        with: ContactId::Person(key(1)),
        name: "ada".into(),
        outcome: HistoryOutcome::Unanswered,
        began: NOW.saturating_add(Duration::from_secs(1)),
        lasted: None,
        receipt: None,
        reply: Reply::parse("I will call you back").ok(),
    };
    storage.add_call(&echo).unwrap();
    storage.add_call(&declined).unwrap();
    assert_eq!(storage.history(10).unwrap(), [declined.clone(), echo]);
    assert_eq!(storage.history(1).unwrap(), [declined]);
}

#[test]
fn settings_are_replaced() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    assert_eq!(storage.setting(Setting::Name).unwrap(), None);
    storage.set(Setting::Name, b"ada").unwrap();
    storage.set(Setting::Name, b"bob").unwrap();
    assert_eq!(storage.setting(Setting::Name).unwrap(), Some(b"bob".to_vec()));
}

#[test]
fn what_was_committed_survives_a_crash() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    storage.add_contact(key(1), "ada", NOW).unwrap();
    // A crash: the files as they are on the disk now, without an orderly close, and half a change on top.
    storage.db.execute_batch("BEGIN; DELETE FROM contacts;").unwrap();
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    assert_eq!(open(&copy).contacts().unwrap().len(), 1);
}

#[test]
fn a_torn_end_of_the_journal_loses_nothing_committed_before() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    storage.add_contact(key(1), "ada", NOW).unwrap();
    let copy = TempDir::new().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let mut journal = fs::OpenOptions::new().append(true).open(copy.path().join("silbo.db-wal")).unwrap();
    journal.write_all(&[0xAA; 777]).unwrap();
    assert_eq!(open(&copy).contacts().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_never_deleted() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(DATABASE), b"this is not a database, but somebody's only copy of it")
        .unwrap();
    let Err(StorageError::Damaged { moved_to }) = Storage::open(folder.path(), NOW) else { panic!() };
    assert_eq!(moved_to, folder.path().join("silbo.db.damaged-1800000000"));
    assert!(fs::read(&moved_to).unwrap().starts_with(b"this is not"));
    assert!(open(&folder).contacts().unwrap().is_empty());
}

#[test]
fn a_database_damaged_in_the_middle_is_set_aside() {
    let folder = TempDir::new().unwrap();
    let mut storage = open(&folder);
    for seed in 0..200 {
        storage.add_contact(key(seed), &"a long name ".repeat(20), NOW).unwrap();
    }
    drop(storage);
    let path = folder.path().join(DATABASE);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0x5A);
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(Storage::open(folder.path(), NOW), Err(StorageError::Damaged { .. })));
}

#[test]
fn a_second_damage_in_the_same_second_does_not_overwrite_the_first() {
    let folder = TempDir::new().unwrap();
    let mut seen = Vec::new();
    for text in ["first damaged database, long enough", "second damaged database, long enough"] {
        fs::write(folder.path().join(DATABASE), text).unwrap();
        let Err(StorageError::Damaged { moved_to }) = Storage::open(folder.path(), NOW) else { panic!() };
        seen.push((moved_to, text));
    }
    for (path, text) in seen {
        assert_eq!(fs::read_to_string(path).unwrap(), text);
    }
}

#[test]
fn a_database_of_a_later_version_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let storage = open(&folder);
    storage.db.pragma_update(None, "user_version", 999).unwrap();
    drop(storage);
    assert!(matches!(Storage::open(folder.path(), NOW), Err(StorageError::TooNew(_))));
    assert!(folder.path().join(DATABASE).exists());
}

#[test]
fn opening_an_empty_file_does_every_migration_once() {
    let folder = TempDir::new().unwrap();
    drop(open(&folder));
    let storage = open(&folder);
    let version: u32 = storage.db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version as usize, MIGRATIONS.len());
}

#[test]
fn points_in_time_read_as_words() {
    let folder = TempDir::new().unwrap();
    let storage = open(&folder);
    let when = |at| storage.when(at, NOW).unwrap().to_string();
    assert!(when(NOW).starts_with("today "));
    let before = NOW.saturating_sub(Duration::from_secs(24 * 3600));
    assert!(when(before).starts_with("yesterday "));
    let long_ago = NOW.saturating_sub(Duration::from_secs(10 * 24 * 3600));
    assert!(when(long_ago).starts_with("2027-01-0"));
    // The same day everywhere but for the hours around midnight, and noon is far from it.
    let noon = UnixTime::from_secs(1_800_014_400);
    assert!(storage.today(noon).unwrap().starts_with("2027-01-1"));
}

#[test]
fn one_instance_owns_a_profile() {
    let folder = TempDir::new().unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    assert!(matches!(Profile::take(folder.path()), Err(StorageError::Locked(_))));
    drop(profile);
    assert!(Profile::take(folder.path()).is_ok());
}

#[test]
fn a_profile_that_is_no_folder_is_a_sentence() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(Profile::take(&file), Err(StorageError::Io { .. })));
}

#[test]
fn the_identity_is_made_once_and_only_the_owner_can_read_it() {
    let folder = TempDir::new().unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    let (made, origin) = profile.identity(fresh(1), None).unwrap();
    assert_eq!(origin, IdentityOrigin::Made(Lock::Open));
    let (found, origin) = profile.identity(fresh(2), None).unwrap();
    assert_eq!(origin, IdentityOrigin::Found);
    assert_eq!(made.public_key(), found.public_key());
    assert_private(&folder.path().join("identity.key"));
}

#[test]
fn a_damaged_identity_is_reported_and_left_alone() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("identity.key"), "not a key\n").unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    assert!(matches!(profile.identity(fresh(1), None), Err(StorageError::NotOpened { .. })));
    assert_eq!(fs::read_to_string(folder.path().join("identity.key")).unwrap(), "not a key\n");
}

#[test]
fn a_profile_begun_with_a_passphrase_is_sealed_and_opens_with_it_alone() {
    let folder = TempDir::new().unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    let right = Passphrase::new("a long passphrase").unwrap();
    let (made, origin) = profile.identity(fresh(1), Some(&right)).unwrap();
    assert_eq!(origin, IdentityOrigin::Made(Lock::Sealed));
    assert_eq!(Lock::of(folder.path()).unwrap(), Some(Lock::Sealed));
    assert_private(&folder.path().join("identity.key"));
    assert!(matches!(profile.identity(fresh(2), None), Err(StorageError::Sealed(_))));
    let wrong = Passphrase::new("another passphrase").unwrap();
    let refused = profile.identity(fresh(2), Some(&wrong));
    assert!(matches!(refused, Err(StorageError::NotOpened { why: seal::SealError::Refused, .. })));
    let (found, origin) = profile.identity(fresh(2), Some(&right)).unwrap();
    assert_eq!((found.public_key(), origin), (made.public_key(), IdentityOrigin::Found));
}

#[test]
fn an_open_profile_started_with_a_passphrase_is_sealed_and_leaves_no_copy() {
    let folder = TempDir::new().unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    let (made, _) = profile.identity(fresh(1), None).unwrap();
    let text = fs::read(folder.path().join("identity.key")).unwrap();
    let weak = Passphrase::new("weak").unwrap();
    assert!(matches!(profile.identity(fresh(2), Some(&weak)), Err(StorageError::Passphrase(_))));
    assert_eq!(Lock::of(folder.path()).unwrap(), Some(Lock::Open), "nothing was done");
    let right = Passphrase::new("a long passphrase").unwrap();
    let (found, origin) = profile.identity(fresh(2), Some(&right)).unwrap();
    assert_eq!((found.public_key(), origin), (made.public_key(), IdentityOrigin::Sealed));
    for entry in fs::read_dir(folder.path()).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap();
        assert!(!content.windows(text.len()).any(|bytes| bytes == text), "a copy is left");
    }
    profile.write_key(&found, None).unwrap();
    assert_eq!(fs::read(folder.path().join("identity.key")).unwrap(), text, "and open again");
}

#[test]
fn what_a_crash_left_of_writing_a_key_is_gone_at_the_next_start() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("identity.new"), "half of an open ke").unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    assert!(!folder.path().join("identity.new").exists());
    drop(profile);
}

#[test]
fn a_sealed_key_that_was_cut_off_or_altered_is_reported_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let profile = Profile::take(folder.path()).unwrap();
    let right = Passphrase::new("a long passphrase").unwrap();
    profile.identity(fresh(1), Some(&right)).unwrap();
    let path = folder.path().join("identity.key");
    let whole = fs::read(&path).unwrap();
    for cut in [13, 20, 62, 70, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(matches!(profile.identity(fresh(2), Some(&right)), Err(StorageError::NotOpened { .. })));
        assert_eq!(fs::read(&path).unwrap(), &whole[..cut]);
    }
    fs::write(&path, vec![b'a'; 100_000]).unwrap();
    assert!(matches!(profile.identity(fresh(2), Some(&right)), Err(StorageError::NotOpened { .. })));
}

fn fresh(seed: u8) -> [u8; 32] {
    [seed; 32]
}

#[cfg(unix)]
fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(not(unix))]
fn assert_private(_: &Path) {}
