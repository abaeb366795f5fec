//! What is written is there again, whatever happened to the files in between.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{database::KEPT_AFTER_END, *};
use crate::{identity::Identity, node::PersistId, username::Username};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn claim(name: &str, who: u8, seq: u64) -> Claim {
    let name = Username::parse(name).unwrap();
    Claim::proven(&Identity::from_secret([who; 32]), name, NOW, seq, NOW)
}

fn entry(claim: &Claim) -> Vec<u8> {
    let bytes = wire::to_bytes(claim);
    [u32::try_from(bytes.len()).unwrap().to_be_bytes().as_slice(), &bytes].concat()
}

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(line: u32) -> Self {
        let path = std::env::temp_dir().join(format!("silbo-storage-{}-{line}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn load(&self) -> Vec<Claim> {
        load_claims(&self.0, NOW).unwrap().0
    }

    /// Writes through the writer, as the node does; how many were reported as written.
    fn write(&self, claims: &[Claim]) -> usize {
        self.outcomes(claims).iter().filter(|outcome| matches!(outcome, Outcome::Written(_))).count()
    }

    fn outcomes(&self, claims: &[Claim]) -> Vec<Outcome> {
        let (_, writer) = load_claims(&self.0, NOW).unwrap();
        let (send, queue) = mpsc::channel(WRITE_QUEUE);
        let (report, mut outcomes) = mpsc::channel(WRITE_QUEUE);
        for claim in claims {
            send.try_send((PersistId::first(), Box::new(claim.clone()))).unwrap();
        }
        drop(send);
        writer.run(queue, &report);
        std::iter::from_fn(|| outcomes.try_recv().ok()).collect()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn what_was_reported_is_there_again_the_newest_of_each_name_and_person() {
    let folder = Folder::new(line!());
    assert_eq!(folder.load(), []);
    let claims = [claim("ada", 1, 1), claim("bob", 2, 1), claim("ada", 1, 2), claim("ada", 3, 1)];
    assert_eq!(folder.write(&claims), 4);
    let mut expected = vec![claim("ada", 1, 2), claim("ada", 3, 1), claim("bob", 2, 1)];
    expected.sort_by_key(|claim| (claim.name().clone(), claim.identity()));
    assert_eq!(folder.load(), expected);
}

#[test]
fn what_the_disk_does_not_take_is_reported_as_failed() {
    let folder = Folder::new(line!());
    assert_eq!(folder.write(&[claim("ada", 1, 1)]), 1);
    let db = rusqlite::Connection::open(folder.0.join("claims.db")).unwrap();
    db.execute_batch("CREATE TRIGGER full BEFORE INSERT ON claims BEGIN SELECT RAISE(FAIL, 'full'); END")
        .unwrap();
    drop(db);
    let failed = Outcome::Failed(PersistId::first());
    assert_eq!(folder.outcomes(&[claim("bob", 2, 1), claim("eve", 3, 1)]), [failed, failed]);
    assert_eq!(folder.load(), [claim("ada", 1, 1)]);
}

#[test]
fn claims_that_ended_long_ago_are_forgotten_and_others_are_not() {
    let folder = Folder::new(line!());
    folder.write(&[claim("ada", 1, 1)]);
    let end = claim("ada", 1, 1).not_after();
    let later = end.saturating_add(KEPT_AFTER_END);
    assert_eq!(load_claims(&folder.0, later).unwrap().0.len(), 1);
    assert_eq!(load_claims(&folder.0, later.saturating_add(Duration::from_secs(1))).unwrap().0.len(), 0);
}

#[test]
fn an_old_log_is_taken_over_once_and_kept() {
    let folder = Folder::new(line!());
    let log: Vec<u8> =
        [claim("ada", 1, 1), claim("bob", 2, 1), claim("ada", 1, 2)].iter().flat_map(entry).collect();
    fs::write(folder.0.join(LOG_FILE), &log).unwrap();
    assert_eq!(folder.load(), [claim("ada", 1, 2), claim("bob", 2, 1)]);
    assert_eq!(fs::read(folder.0.join("claims.cbor.imported")).unwrap(), log);
    assert!(!folder.0.join(LOG_FILE).exists());
    // Power was cut between taking over and renaming, and something newer came.
    folder.write(&[claim("ada", 1, 3)]);
    fs::write(folder.0.join(LOG_FILE), [log, vec![0, 0, 1, 0, 42]].concat()).unwrap();
    assert_eq!(folder.load(), [claim("ada", 1, 3), claim("bob", 2, 1)]);
}

#[test]
fn a_damaged_database_is_set_aside_and_what_can_be_read_is_kept() {
    let folder = Folder::new(line!());
    let names: Vec<String> = (0..300).map(|n| format!("name{n:04}")).collect();
    let claims: Vec<Claim> = names.iter().map(|name| claim(name, 1, 1)).collect();
    assert_eq!(folder.write(&claims), 300);
    assert_eq!(folder.load().len(), 300);
    let path = folder.0.join("claims.db");
    let sound = fs::read(&path).unwrap();

    // A page in the middle.
    let mut bent = sound.clone();
    let middle = bent.len() / 8192 * 4096;
    bent[middle..middle + 4096].fill(0xee);
    fs::write(&path, &bent).unwrap();
    let kept = folder.load();
    assert!((150..300).contains(&kept.len()), "{} kept", kept.len());
    assert!(kept.iter().all(|claim| claims.contains(claim)));
    assert_eq!(folder.load(), kept, "the new database is sound");
    assert!(folder.names().contains(&"claims.db.damaged-1".to_owned()));

    // No database at all.
    fs::write(&path, vec![7; 10_000]).unwrap();
    assert_eq!(folder.load(), []);
    assert_eq!(folder.write(&claims[..1]), 1);
    assert_eq!(folder.load().len(), 1);
    assert!(folder.names().contains(&"claims.db.damaged-2".to_owned()));

    // Cut short.
    fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    assert!(folder.load().len() < 300);
    assert!(folder.names().contains(&"claims.db.damaged-3".to_owned()));
}

#[test]
fn a_database_of_a_later_version_is_refused_and_left_alone() {
    let folder = Folder::new(line!());
    folder.write(&[claim("ada", 1, 1)]);
    let db = rusqlite::Connection::open(folder.0.join("claims.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = load_claims(&folder.0, NOW).unwrap_err();
    assert!(error.to_string().contains("later version"), "{error}");
    assert_eq!(folder.names().iter().filter(|name| name.contains("damaged")).count(), 0);
}

#[test]
fn a_log_cut_or_bent_anywhere_gives_what_precedes_the_damage() {
    let (first, second) = (entry(&claim("ada", 1, 1)), entry(&claim("bob", 1, 1)));
    let log = [first.clone(), second].concat();
    assert_eq!(read_log(&log), (vec![claim("ada", 1, 1), claim("bob", 1, 1)], true));
    for cut in 0..log.len() {
        let (claims, intact) = read_log(&log[..cut]);
        assert_eq!(claims.len(), usize::from(cut >= first.len()), "cut at {cut}");
        assert_eq!(intact, cut == 0 || cut == first.len(), "cut at {cut}");
    }
    let mut bent = log;
    bent[first.len()] = 0xff;
    assert_eq!(read_log(&bent), (vec![claim("ada", 1, 1)], false));
}
