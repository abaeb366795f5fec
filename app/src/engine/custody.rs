//! Keeping who we are: backups and recovery words, for the window and the command line alike.
//!
//! ```text
//!   before an engine runs   import, import_words: into an empty profile
//!   beside one              export, RecoveryWords::of, TypedWords::check, Lock::of
//!   in one                  ShowWords, HideWords, CheckWords, Seal, Export ─▶ CustodyView
//! ```
//! [`seal`], [`export`] and [`import`] take a moment, for a passphrase is made costly to guess: not on a thread that others wait for.
//! Nothing here stops two computers from being the same person at once, and nothing supports it: each would take the
//! other's calls.

use super::{
    actor::{Actor, Done},
    words::{RecoveryWords, TypedWords, WordsError},
};
use crate::{
    reason::{Custody, Reason},
    storage::{Backup, Lock, Overwrite, Passphrase, Profile, Storage, identity_of, write_key},
};
use overlay::{Identity, PublicKey};
use std::path::{Path, PathBuf};

/// How much of a person is in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Who.
    pub key: PublicKey,
    /// The username claimed, if any.
    pub name: Option<String>,
    /// Contacts.
    pub contacts: usize,
    /// Past calls.
    pub calls: usize,
}

/// What the window shows of keeping who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyView {
    /// Whether the key is sealed.
    pub lock: Lock,
    /// The recovery words, while somebody wants to see them.
    pub words: Option<RecoveryWords>,
    /// Whether words that were typed are the right ones.
    pub check: WordsCheck,
    /// How the last change of the passphrase went.
    pub sealing: Sealing,
    /// How the last export went.
    pub export: Export,
    /// Where the next one may go, once somebody asked: a file that is not there.
    pub backup_file: Option<PathBuf>,
}

/// How sealing the key, or opening it for good, goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// Nobody asked for it.
    Idle,
    /// The key is being written.
    Working,
    /// It is as it was wanted.
    Done,
    /// It is as it was before.
    Failed(Reason),
}

/// Whether words that were typed are the right ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WordsCheck {
    /// None were.
    Idle,
    /// They are.
    Right,
    /// They are not, for this reason.
    Wrong(WordsError),
}

/// How an export goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Export {
    /// Nobody asked for one.
    Idle,
    /// It is being written.
    Writing,
    /// It is there.
    Done {
        /// Where.
        file: PathBuf,
        /// What is in it.
        kept: Kept,
    },
    /// It was not written.
    Failed(Reason),
}

impl CustodyView {
    /// Before anybody asked for anything.
    pub const fn new(lock: Lock) -> Self {
        Self {
            lock,
            words: None,
            check: WordsCheck::Idle,
            sealing: Sealing::Idle,
            export: Export::Idle,
            backup_file: None,
        }
    }
}

/// Seals the key of the profile in a folder with another passphrase, or leaves it open without one. A sealed key asks for
/// its present passphrase, also where its identity is known: not everybody who finds a window open may change it.
pub fn seal(
    folder: &Path,
    present: Option<&Passphrase>,
    wanted: Option<&Passphrase>,
) -> Result<Lock, Reason> {
    let identity = identity_of(folder, present)?;
    write_key(folder, &identity, wanted)?;
    Ok(wanted.map_or(Lock::Open, |_| Lock::Sealed))
}

/// Writes everything into one file, sealed with a passphrase that must be strong enough.
pub fn export(
    storage: &Storage,
    identity: &Identity,
    file: &Path,
    passphrase: &Passphrase,
    overwrite: Overwrite,
) -> Result<Kept, Reason> {
    let backup = storage.backup(identity)?;
    backup.save(file, passphrase, overwrite)?;
    Ok(Kept::of(&backup))
}

/// Makes an empty profile the one in a file, whole or not at all. Its key is sealed if there is a passphrase for it.
pub fn import(
    profile: &Profile,
    file: &Path,
    passphrase: &Passphrase,
    seal_with: Option<&Passphrase>,
) -> Result<Kept, Reason> {
    let backup = Backup::load(file, passphrase)?;
    profile.import(&backup, seal_with)?;
    Ok(Kept::of(&backup))
}

/// Gives an empty profile the identity of recovery words, and nothing else.
pub fn import_words(
    profile: &Profile,
    words: &TypedWords,
    seal_with: Option<&Passphrase>,
) -> Result<Kept, Reason> {
    let backup = Backup::bare(words.identity()?);
    profile.import(&backup, seal_with)?;
    Ok(Kept::of(&backup))
}

impl Actor {
    pub(super) fn show_words(&mut self) {
        let custody = &mut self.picture.view.custody;
        // Whoever looks at them again has not passed any check.
        (custody.words, custody.check) = (Some(RecoveryWords::of(&self.identity)), WordsCheck::Idle);
    }

    pub(super) fn hide_words(&mut self) {
        let custody = &mut self.picture.view.custody;
        (custody.words, custody.check) = (None, WordsCheck::Idle);
    }

    /// The page says what is wrong.
    pub(super) fn check_words(&mut self, words: &TypedWords) {
        self.picture.view.custody.check = match words.check(&self.identity) {
            Ok(()) => WordsCheck::Right,
            Err(why) => WordsCheck::Wrong(why),
        };
    }

    /// Writes the key on a thread of its own, one change at a time.
    pub(super) fn seal(&mut self, present: Option<Passphrase>, wanted: Option<Passphrase>) {
        if self.picture.view.custody.sealing == Sealing::Working {
            return;
        }
        self.picture.view.custody.sealing = Sealing::Working;
        let folder = self.profile.folder().to_owned();
        self.farewells.spawn_blocking(move || Done::Sealed(seal(&folder, present.as_ref(), wanted.as_ref())));
    }

    pub(super) fn sealed(&mut self, result: Result<Lock, Reason>) {
        let custody = &mut self.picture.view.custody;
        match result {
            Ok(lock) => (custody.lock, custody.sealing) = (lock, Sealing::Done),
            Err(reason) => custody.sealing = Sealing::Failed(reason),
        }
    }

    pub(super) fn name_backup(&mut self) -> Result<(), Reason> {
        let today = self.storage.today(self.now().unix)?;
        self.picture.view.custody.backup_file = backup_folder().map(|folder| unused(&folder, &today));
        Ok(())
    }

    /// Writes the file on a thread of its own, one at a time.
    pub(super) fn export(&mut self, file: PathBuf, passphrase: Passphrase, overwrite: Overwrite) {
        if self.picture.view.custody.export == Export::Writing {
            return;
        }
        self.picture.view.custody.export = Export::Writing;
        let (folder, identity) = (self.profile.folder().to_owned(), self.identity.clone());
        self.farewells.spawn_blocking(move || {
            let storage = Storage::beside(&folder).map_err(Reason::from);
            let kept = storage.and_then(|storage| export(&storage, &identity, &file, &passphrase, overwrite));
            Done::Exported(file, kept)
        });
    }

    pub(super) fn exported(&mut self, file: PathBuf, result: Result<Kept, Reason>) {
        self.picture.view.custody.export = match result {
            Ok(kept) => Export::Done { file, kept },
            Err(reason) => Export::Failed(reason),
        };
    }
}

/// Where people look for what they made.
fn backup_folder() -> Option<PathBuf> {
    let documents = directories::UserDirs::new()
        .and_then(|user| user.document_dir().map(Path::to_owned))
        .filter(|folder| folder.is_dir());
    documents.or_else(|| directories::BaseDirs::new().map(|base| base.home_dir().to_owned()))
}

/// The name of a backup of that day which no file has.
fn unused(folder: &Path, day: &str) -> PathBuf {
    let name = |nth: u32| match nth {
        1 => format!("silbo-backup-{day}.silbo"),
        nth => format!("silbo-backup-{day}-{nth}.silbo"),
    };
    // Whoever makes more in a day finds out when it is written: nothing is overwritten.
    let free = (1..=MOST_A_DAY).map(|nth| folder.join(name(nth))).find(|path| !path.exists());
    free.unwrap_or_else(|| folder.join(name(MOST_A_DAY + 1)))
}

/// Names looked at, at most.
const MOST_A_DAY: u32 = 99;

impl Kept {
    fn of(backup: &Backup) -> Self {
        Self {
            key: backup.identity().public_key(),
            name: backup.name().map(str::to_owned),
            contacts: backup.contacts(),
            calls: backup.calls(),
        }
    }
}

impl From<WordsError> for Reason {
    fn from(why: WordsError) -> Self {
        Self::Custody(Custody::Words(why))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::engine::{
        AutoAnswer, Config, EngineHandle, OwnName, Portmap, command::Command, helping::Helping, start,
        view::View,
    };
    use media::{
        process::Processing,
        session::PathPolicy,
        video::driver::{VideoConfig, VideoSink, VideoSource},
        voice::driver::VoiceConfig,
    };
    use overlay::{
        Network,
        driver::{Mainline, Mdns, RoleWish},
    };
    use std::{sync::Arc, time::Duration};
    use tokio::time::timeout;

    /// An engine that meets nobody.
    pub(in crate::engine) fn alone() -> Config {
        Config {
            network: Network::Lab,
            listen: None,
            role: RoleWish::Leaf,
            helping: Helping::Never,
            bootstrap: Vec::new(),
            mdns: Mdns::Off,
            mainline: Mainline::Off,
            portmap: Portmap::Off,
            voice: VoiceConfig {
                source: media::device::AudioSource::Silence,
                sink: media::device::AudioSink::Null,
                processing: Processing::Off,
                frames: media::voice::Frames::default(),
                trace: None,
            },
            video: VideoConfig { source: VideoSource::None, sink: VideoSink::Null },
            auto_answer: AutoAnswer::Nobody,
            ring_timeout: Duration::from_secs(45),
            path: PathPolicy::Any,
            own_name: OwnName::Leave,
            greeting: None,
        }
    }

    /// The first view of which that is so.
    pub(in crate::engine) async fn seen(engine: &mut EngineHandle, so: impl Fn(&View) -> bool) -> Arc<View> {
        let view = timeout(Duration::from_secs(60), engine.view.wait_for(|view| so(view))).await;
        Arc::clone(&view.unwrap().unwrap())
    }

    #[test]
    fn a_backup_is_named_after_its_day_and_never_like_a_file_that_is_there() {
        let folder = tempfile::TempDir::new().unwrap();
        let named = |name: &str| folder.path().join(name);
        let first = unused(folder.path(), "2026-11-29");
        assert_eq!(first, named("silbo-backup-2026-11-29.silbo"));
        std::fs::write(&first, b"somebody's").unwrap();
        assert_eq!(unused(folder.path(), "2026-11-29"), named("silbo-backup-2026-11-29-2.silbo"));
    }

    #[tokio::test]
    async fn a_window_sees_and_checks_the_words_and_exports_the_profile() {
        let folder = tempfile::TempDir::new().unwrap();
        let profile = Profile::take(&folder.path().join("a")).unwrap();
        let (identity, _) = profile.identity([7; 32], None).unwrap();
        let storage = Storage::open(profile.folder(), relay::driver::now().unix).unwrap();
        let (mut engine, _events, running) =
            start(alone(), profile, storage, identity.clone()).await.unwrap();
        let commands = engine.commands.clone();

        commands.send(Command::ShowWords).await.unwrap();
        let view = seen(&mut engine, |view| view.custody.words.is_some()).await;
        let words = view.custody.words.clone().unwrap();
        assert_eq!((&words, view.custody.lock), (&RecoveryWords::of(&identity), Lock::Open));
        for (text, right) in [(words.words().join(" "), true), ("abandon".into(), false)] {
            commands.send(Command::CheckWords(TypedWords::new(text))).await.unwrap();
            let check = |view: &View| match &view.custody.check {
                WordsCheck::Idle => false,
                WordsCheck::Right => right,
                WordsCheck::Wrong(_) => !right,
            };
            seen(&mut engine, check).await;
        }
        commands.send(Command::HideWords).await.unwrap();
        seen(&mut engine, |view| view.custody.words.is_none()).await;

        let (file, strong) = (folder.path().join("file"), Passphrase::new("a long passphrase").unwrap());
        let export = |passphrase: &str, overwrite| Command::Export {
            file: file.clone(),
            passphrase: Passphrase::new(passphrase).unwrap(),
            overwrite,
        };
        commands.send(export("weak", Overwrite::Never)).await.unwrap();
        seen(&mut engine, |view| matches!(view.custody.export, Export::Failed(_))).await;
        commands.send(export("a long passphrase", Overwrite::Never)).await.unwrap();
        seen(&mut engine, |view| matches!(view.custody.export, Export::Done { .. })).await;
        commands.send(Command::Quit).await.unwrap();
        running.finished().await;

        let other = Profile::take(&folder.path().join("b")).unwrap();
        let kept = import(&other, &file, &strong, None).unwrap();
        assert_eq!(kept.key, identity.public_key());
    }

    #[tokio::test]
    async fn a_window_seals_the_key_changes_the_passphrase_and_takes_it_away() {
        let folder = tempfile::TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, _) = profile.identity([7; 32], None).unwrap();
        let storage = Storage::open(profile.folder(), relay::driver::now().unix).unwrap();
        let (mut engine, _events, running) =
            start(alone(), profile, storage, identity.clone()).await.unwrap();
        let commands = engine.commands.clone();
        let phrase = |text: &str| Passphrase::new(text).unwrap();
        let (first, second) = ("a long passphrase", "another long one");
        let failed = |why: fn(&Custody) -> bool| move |view: &View| matches!(&view.custody.sealing, Sealing::Failed(Reason::Custody(custody)) if why(custody));
        let done =
            |lock| move |view: &View| (view.custody.sealing == Sealing::Done) && view.custody.lock == lock;
        let seal = |present: Option<&str>, wanted: Option<&str>| Command::Seal {
            present: present.map(phrase),
            wanted: wanted.map(phrase),
        };
        let key = |passphrase: Option<&str>| {
            identity_of(folder.path(), passphrase.map(phrase).as_ref()).map(|found| found.public_key()).ok()
        };
        let own = Some(identity.public_key());

        commands.send(seal(None, Some("weak"))).await.unwrap();
        seen(&mut engine, failed(|why| matches!(why, Custody::Passphrase(_)))).await;
        assert_eq!(key(None), own, "nothing was sealed");
        commands.send(seal(None, Some(first))).await.unwrap();
        seen(&mut engine, done(Lock::Sealed)).await;
        assert_eq!((key(None), key(Some(first))), (None, own));
        commands.send(seal(None, Some(second))).await.unwrap();
        seen(&mut engine, failed(|why| matches!(why, Custody::Sealed(_)))).await;
        commands.send(seal(Some(second), None)).await.unwrap();
        seen(&mut engine, failed(|why| matches!(why, Custody::WrongPassphrase(_)))).await;
        assert_eq!(key(Some(first)), own, "who does not know it changes nothing");
        commands.send(seal(Some(first), Some(second))).await.unwrap();
        seen(&mut engine, done(Lock::Sealed)).await;
        assert_eq!((key(Some(first)), key(Some(second))), (None, own));
        commands.send(seal(Some(second), None)).await.unwrap();
        seen(&mut engine, done(Lock::Open)).await;
        assert_eq!(key(None), own);
        commands.send(Command::Quit).await.unwrap();
        running.finished().await;
    }
}
