//! What stands before an engine at the window: a sealed key that somebody opens, and people who come back.
//!
//! ```text
//!   sealed ──Open──▶ (Argon2) ──▶ an engine runs ──ComeBack, while nobody lives here──▶ (read and judged)
//!     ▲                 │              ▲                                                   │ it stops, and the
//!     └──── wrong ──────┘              └─────────────────── another engine ◀───────────────┘ profile is theirs
//! ```
//! The same way another engine follows for the same person, where something counts from its start alone (Restart).
//!
//! What is typed is judged on a thread of its own, and the engine goes on until it is known to be good. Nothing is held
//! while the key is sealed: other programs may use the profile meanwhile.

use super::{
    EngineHandle, Wake, WakeSlot,
    view::{Appearance, Language, Settings},
    words::TypedWords,
};
use crate::{
    reason::Reason,
    storage::{Backup, Passphrase, Profile, Setting, Storage, StorageError, identity_of},
};
use media::voice::driver::VoiceConfig;
use overlay::Identity;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};
use tokio::sync::{mpsc, watch};

/// Wishes that may wait: a person presses one button after the other.
const WISH_QUEUE: usize = 4;

/// What a person wants before an engine, or of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateWish {
    /// Open the sealed key.
    Open(Passphrase),
    /// Be who they were elsewhere.
    ComeBack(ComeBack),
    /// Start the engine anew: what was chosen for its next start counts then.
    Restart,
}

/// Why another engine follows one that runs.
#[derive(Debug)]
pub enum Another {
    /// Somebody has come back, and what they brought is good.
    Returned(Box<Backup>),
    /// The person wants what they have chosen to count.
    Restart,
}

/// What somebody brings who was here before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComeBack {
    /// The recovery words: who they are, and nothing else.
    Words(TypedWords),
    /// A backup, and what it is sealed with: everything.
    Backup {
        /// Where.
        file: PathBuf,
        /// What opens it.
        passphrase: Passphrase,
    },
}

/// What the window shows before an engine runs.
#[derive(Clone)]
pub struct GateView {
    /// How far it is open.
    pub door: Door,
    /// What became of the last wish.
    pub trial: Trial,
    /// The username of whoever lives here.
    pub name: Option<String>,
    /// What they want the window to speak.
    pub language: Language,
    /// Dark or light, as they like it.
    pub appearance: Appearance,
}

/// How far the way to an engine is open.
#[derive(Clone)]
pub enum Door {
    /// The key is sealed.
    Sealed,
    /// This engine runs.
    Open(EngineHandle),
    /// No engine could be started.
    Broken(Reason),
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trial {
    /// There was none.
    #[default]
    Idle,
    /// It is being found out.
    Running,
    /// It did not work.
    Failed(Reason),
    /// Somebody came back, with these words or that file.
    Returned,
}

/// An owned and opened profile.
#[derive(Debug)]
pub struct Opened {
    /// Its folder.
    pub profile: Profile,
    /// Its database.
    pub storage: Storage,
    /// Whose it is.
    pub identity: Identity,
}

/// How the window speaks to a gate.
#[derive(Clone)]
pub struct GateHandle {
    /// Wishes in; use `try_send`.
    pub wishes: mpsc::Sender<GateWish>,
    /// How things stand.
    pub view: watch::Receiver<Arc<GateView>>,
    wake: WakeSlot,
}

/// The gate of one profile.
pub struct Gate {
    folder: PathBuf,
    wishes: mpsc::Receiver<GateWish>,
    show: watch::Sender<Arc<GateView>>,
    wake: WakeSlot,
}

impl Gate {
    /// That of the profile in a folder: sealed until an engine is shown.
    pub fn new(folder: PathBuf, voice: &VoiceConfig) -> (Self, GateHandle) {
        // The database is not sealed. One that cannot be read is complained of when it is opened.
        let storage = Storage::beside(&folder).ok();
        let settings = storage.as_ref().and_then(|storage| Settings::read(storage, voice).ok());
        let settings = settings.unwrap_or_default();
        let name = storage.and_then(|storage| storage.setting(Setting::Name).ok().flatten());
        let (send, wishes) = mpsc::channel(WISH_QUEUE);
        let (show, view) = watch::channel(Arc::new(GateView {
            door: Door::Sealed,
            trial: Trial::Idle,
            name: name.and_then(|name| String::from_utf8(name).ok()),
            language: settings.language,
            appearance: settings.appearance,
        }));
        let wake = WakeSlot::default();
        let handle = GateHandle { wishes: send, view, wake: wake.clone() };
        (Self { folder, wishes, show, wake }, handle)
    }

    /// Returns when somebody has opened the key, with what there is to tell them first; nothing when the window is gone.
    pub async fn opened(&mut self) -> Option<(Opened, Option<Reason>)> {
        loop {
            let GateWish::Open(passphrase) = self.wishes.recv().await? else { continue };
            self.change(|view| view.trial = Trial::Running);
            let folder = self.folder.clone();
            match apart(move || open(&folder, &passphrase)).await {
                Ok(opened) => return Some(opened),
                Err(reason) => self.change(|view| view.trial = Trial::Failed(reason)),
            }
        }
    }

    /// Returns when another engine is to follow the one that runs; nothing when the window is gone. Who comes back does so
    /// to a profile in which nobody lives.
    pub async fn another(&mut self) -> Option<Another> {
        loop {
            let brought = match self.wishes.recv().await? {
                GateWish::ComeBack(brought) => brought,
                GateWish::Restart => return Some(Another::Restart),
                GateWish::Open(_) => continue,
            };
            self.change(|view| view.trial = Trial::Running);
            let folder = self.folder.clone();
            match apart(move || judge(&folder, &brought)).await {
                Ok(backup) => return Some(Another::Returned(Box::new(backup))),
                Err(reason) => self.change(|view| view.trial = Trial::Failed(reason)),
            }
        }
    }

    /// Opens the profile again, which nobody owns now, for whom it was open: sealed or not, its key is known.
    pub fn reopen(&self, identity: Identity) -> Result<Opened, Reason> {
        let profile = Profile::take(&self.folder)?;
        let storage = Storage::open(profile.folder(), relay::driver::now().unix)?;
        Ok(Opened { profile, storage, identity })
    }

    /// Makes the profile, which nobody owns now, that of who came back. If that cannot be, it is opened as it was.
    pub fn take_in(&self, backup: &Backup) -> Result<Opened, Reason> {
        let profile = Profile::take(&self.folder)?;
        let taken = profile.replace_unused(backup, relay::driver::now().unix);
        self.change(|view| {
            view.trial = match taken {
                Ok(()) => Trial::Returned,
                Err(error) => Trial::Failed(error.into()),
            }
        });
        let (identity, _) = profile.identity(rand::random(), None)?;
        let storage = Storage::open(profile.folder(), relay::driver::now().unix)?;
        Ok(Opened { profile, storage, identity })
    }

    /// This engine runs from now on.
    pub fn show(&self, engine: EngineHandle) {
        self.change(|view| {
            view.door = Door::Open(engine);
            if view.trial == Trial::Running {
                view.trial = Trial::Idle;
            }
        });
    }

    /// No engine can be started, for this reason. Returns when the window is gone.
    pub async fn broken(&mut self, reason: Reason) {
        self.change(|view| view.door = Door::Broken(reason));
        while self.wishes.recv().await.is_some() {}
    }

    fn change(&self, change: impl FnOnce(&mut GateView)) {
        self.show.send_modify(|view| change(Arc::make_mut(view)));
        self.wake.call();
    }
}

impl GateHandle {
    /// A gate of which nothing is behind, for tests of the window: see [`EngineHandle::fake`].
    pub fn fake(door: Door) -> (Self, mpsc::Receiver<GateWish>, watch::Sender<Arc<GateView>>) {
        let (wishes, received) = mpsc::channel(WISH_QUEUE);
        let (show, view) = watch::channel(Arc::new(GateView {
            door,
            trial: Trial::Idle,
            name: None,
            language: Language::System,
            appearance: Appearance::System,
        }));
        (Self { wishes, view, wake: WakeSlot::default() }, received, show)
    }

    /// Installs what is called after each change; replaces an earlier one.
    pub fn set_wake(&self, wake: Wake) {
        *self.wake.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wake);
    }
}

/// Opens the profile in a folder. A key that is not there, or open already, is nothing to seal here.
fn open(folder: &Path, passphrase: &Passphrase) -> Result<(Opened, Option<Reason>), Reason> {
    let profile = Profile::take(folder)?;
    let identity = identity_of(folder, Some(passphrase))?;
    let now = relay::driver::now().unix;
    let (storage, greeting) = match Storage::open(folder, now) {
        // Set aside now: an empty one takes its place.
        Err(error @ StorageError::Damaged { .. }) => (Storage::open(folder, now)?, Some(error.into())),
        opened => (opened?, None),
    };
    Ok((Opened { profile, storage, identity }, greeting))
}

/// What somebody brought, if it is good and nobody lives here.
fn judge(folder: &Path, brought: &ComeBack) -> Result<Backup, Reason> {
    if Storage::beside(folder)?.is_lived_in()? {
        return Err(StorageError::NotEmpty(folder.to_owned()).into());
    }
    match brought {
        ComeBack::Words(words) => Ok(Backup::bare(words.identity()?)),
        ComeBack::Backup { file, passphrase } => Ok(Backup::load(file, passphrase)?),
    }
}

/// Does on another thread what takes a moment.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    let stopped = |_| Reason::Internal("a thread stopped in an unplanned way".into());
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::words::RecoveryWords,
        reason::Custody,
        storage::{Lock, Overwrite, sample},
    };
    use std::fs;
    use tempfile::TempDir;

    fn phrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    fn gate(folder: &TempDir) -> (Gate, GateHandle) {
        let voice = VoiceConfig {
            source: media::device::AudioSource::Silence,
            sink: media::device::AudioSink::Null,
            processing: media::process::Processing::Off,
            frames: media::voice::Frames::default(),
            trace: None,
        };
        Gate::new(folder.path().to_owned(), &voice)
    }

    /// A profile that was just made: a key, an empty database, nobody in it.
    fn fresh() -> TempDir {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        profile.identity([9; 32], None).unwrap();
        Storage::open(folder.path(), relay::driver::now().unix).unwrap();
        folder
    }

    async fn failed(handle: &mut GateHandle) -> Reason {
        let view = handle.view.wait_for(|view| matches!(view.trial, Trial::Failed(_))).await.unwrap();
        let Trial::Failed(reason) = &view.trial else { unreachable!() };
        reason.clone()
    }

    #[tokio::test]
    async fn a_sealed_profile_is_opened_by_its_passphrase_after_a_wrong_one() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        profile.identity([7; 32], Some(&phrase("a long passphrase"))).unwrap();
        let mut storage = Storage::open(folder.path(), relay::driver::now().unix).unwrap();
        storage.set(Setting::Name, b"alice").unwrap();
        storage.set(Setting::Language, b"es").unwrap();
        drop((profile, storage));
        let (mut gate, mut handle) = gate(&folder);
        assert_eq!(handle.view.borrow().name.as_deref(), Some("alice"), "it says whom it waits for");
        assert_eq!(handle.view.borrow().language, Language::Spanish);
        let opening = tokio::spawn(async move { gate.opened().await });
        handle.wishes.send(GateWish::Open(phrase("another one"))).await.unwrap();
        assert!(matches!(failed(&mut handle).await, Reason::Custody(Custody::WrongPassphrase(_))));
        assert!(Profile::take(folder.path()).is_ok(), "nothing is held meanwhile");
        handle.wishes.send(GateWish::Open(phrase("a long passphrase"))).await.unwrap();
        let (opened, greeting) = opening.await.unwrap().unwrap();
        assert_eq!(opened.identity.public_key(), Identity::from_secret([7; 32]).public_key());
        assert_eq!(greeting, None);
    }

    #[tokio::test]
    async fn a_gate_that_nobody_stands_at_opens_nothing() {
        let folder = fresh();
        let (mut gate, handle) = gate(&folder);
        drop(handle);
        assert!(gate.opened().await.is_none());
    }

    #[tokio::test]
    async fn who_brings_their_words_or_a_backup_is_who_they_were() {
        let elsewhere = TempDir::new().unwrap();
        let (file, right) = (elsewhere.path().join("backup"), phrase("a long passphrase"));
        sample().save(&file, &right, Overwrite::Never).unwrap();
        let words = RecoveryWords::of(sample().identity()).words().join(" ");
        let backup = |passphrase| ComeBack::Backup { file: file.clone(), passphrase };
        for (bad, good) in [
            (ComeBack::Words(TypedWords::new("abandon ability")), ComeBack::Words(TypedWords::new(words))),
            (backup(phrase("another one")), backup(right.clone())),
        ] {
            let folder = fresh();
            let (mut gate, mut handle) = gate(&folder);
            let judging = tokio::spawn(async move { (gate.another().await, gate) });
            handle.wishes.send(GateWish::ComeBack(bad)).await.unwrap();
            assert!(matches!(failed(&mut handle).await, Reason::Custody(_)));
            handle.wishes.send(GateWish::ComeBack(good)).await.unwrap();
            let (brought, gate) = judging.await.unwrap();
            let Some(Another::Returned(brought)) = brought else { panic!("{brought:?}") };
            let opened = gate.take_in(&brought).unwrap();
            assert_eq!(opened.identity.public_key(), sample().identity().public_key());
            assert_eq!(opened.storage.contacts().unwrap().len(), brought.contacts());
            assert_eq!(handle.view.borrow().trial, Trial::Returned);
            assert_eq!(Lock::of(folder.path()).unwrap(), Some(Lock::Open));
            let aside: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            let kept = |start: &str| aside.iter().any(|name| name.to_string_lossy().starts_with(start));
            assert!(
                kept("identity.key.unused-") && kept("silbo.db.unused-"),
                "nothing is deleted: {aside:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_profile_is_opened_again_for_the_same_person_without_their_passphrase() {
        let folder = TempDir::new().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, _) = profile.identity([7; 32], Some(&phrase("a long passphrase"))).unwrap();
        let (mut gate, handle) = gate(&folder);
        handle.wishes.send(GateWish::Restart).await.unwrap();
        assert!(matches!(gate.another().await, Some(Another::Restart)));
        assert!(gate.reopen(identity.clone()).is_err(), "an engine owns it still");
        drop(profile);
        let opened = gate.reopen(identity.clone()).unwrap();
        assert_eq!(opened.identity.public_key(), identity.public_key());
    }

    #[tokio::test]
    async fn nobody_comes_back_over_somebody_who_lives_there() {
        let folder = fresh();
        let mut storage = Storage::open(folder.path(), relay::driver::now().unix).unwrap();
        storage.set(Setting::Name, b"alice").unwrap();
        drop(storage);
        let (mut gate, mut handle) = gate(&folder);
        let words = RecoveryWords::of(sample().identity()).words().join(" ");
        let judging = tokio::spawn(async move { gate.another().await.is_some() });
        handle.wishes.send(GateWish::ComeBack(ComeBack::Words(TypedWords::new(words)))).await.unwrap();
        assert!(matches!(failed(&mut handle).await, Reason::Custody(Custody::NotEmpty(_))));
        drop(handle);
        assert!(!judging.await.unwrap());
    }
}
