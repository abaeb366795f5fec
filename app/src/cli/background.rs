//! The engine beside a window: a window needs the main thread, so the engine gets one of its own, and so does the gate
//! before it.
//!
//! ```text
//!   sealed key ──▶ gate ──opened──▶ engine ──closed──▶ end
//!                                    ▲  │
//!                                    └──┴── somebody came back, or wants it anew: another engine
//! ```

use super::{attach, print::Printer, serve::runtime, stop::Stop};
use crate::{
    engine::{
        self, Config,
        command::Command,
        gate::{Another, Gate, GateHandle, Opened},
    },
    reason::Reason,
};
use std::{
    path::PathBuf,
    sync::mpsc::{self, SyncSender},
    thread::{self, JoinHandle},
};

/// What the window begins with.
pub(super) enum Begin {
    /// The profile is open: an engine runs before the window is there.
    Opened(Box<Opened>),
    /// The key of the profile in this folder is sealed: the window asks for the passphrase.
    Sealed(PathBuf),
}

/// What is said to each start of an engine.
pub(super) struct Wishes {
    /// How engines are made.
    pub(super) config: Config,
    /// An invite to be shown once the first one runs.
    pub(super) link: Option<String>,
    /// Where events go, if a program is listening.
    pub(super) printer: Option<Printer>,
}

/// Runs an engine on a thread of its own, for a window that needs the main thread. The window shows the view; the
/// events go to the printer.
pub(super) fn start(begin: Begin, wishes: Wishes) -> Result<(GateHandle, JoinHandle<()>), Reason> {
    let folder = match &begin {
        Begin::Opened(opened) => opened.profile.folder().to_owned(),
        Begin::Sealed(folder) => folder.clone(),
    };
    let (gate, handle) = Gate::new(folder, &wishes.config.voice);
    let (started, start) = mpsc::sync_channel(1);
    let engine = move || match runtime() {
        Ok(runtime) => runtime.block_on(keep(begin, wishes, gate, started)),
        Err(reason) => drop(started.send(Err(reason))),
    };
    let thread = thread::Builder::new().name("silbo-engine".into()).spawn(engine);
    let thread = thread.map_err(|error| Reason::Internal(format!("no thread for the engine: {error}")))?;
    start.recv().map_err(|_| Reason::Internal("the engine did not start".into()))??;
    Ok((handle, thread))
}

/// Runs the gate where there is one, then one engine after the other, until the window is closed.
async fn keep(begin: Begin, mut wishes: Wishes, mut gate: Gate, started: SyncSender<Result<(), Reason>>) {
    let mut stop = Stop::listen();
    let (mut opened, mut first) = match begin {
        Begin::Opened(opened) => (*opened, Some(started)),
        Begin::Sealed(_) => {
            let _ = started.send(Ok(()));
            let opened = tokio::select! {
                biased;
                // The window has the main thread and knows nothing of signals.
                () = stop.asked() => std::process::exit(0),
                opened = gate.opened() => opened,
            };
            let Some((opened, greeting)) = opened else { return };
            wishes.config.greeting = greeting.or(wishes.config.greeting);
            (opened, None)
        }
    };
    loop {
        let identity = opened.identity.clone();
        let another = match run(opened, &mut wishes, &mut gate, &mut stop, first.take()).await {
            Ok(Some(another)) => another,
            Ok(None) => return,
            Err(reason) => return broken(&mut gate, &mut stop, reason).await,
        };
        let reopened = match another {
            Another::Returned(backup) => gate.take_in(&backup),
            Another::Restart => gate.reopen(identity),
        };
        opened = match reopened {
            Ok(opened) => opened,
            Err(reason) => return broken(&mut gate, &mut stop, reason).await,
        };
    }
}

/// Runs one engine to its end; why another one is to follow.
async fn run(
    opened: Opened,
    wishes: &mut Wishes,
    gate: &mut Gate,
    stop: &mut Stop,
    started: Option<SyncSender<Result<(), Reason>>>,
) -> Result<Option<Another>, Reason> {
    let Opened { profile, storage, identity } = opened;
    let folder = profile.folder().to_owned();
    let (handle, mut events, running) =
        match engine::start(wishes.config.clone(), profile, storage, identity).await {
            Ok(running) => running,
            Err(reason) => {
                // Whoever waits for the first one has no window yet, and hears of it there.
                let waits = started.is_some_and(|started| started.send(Err(reason.clone())).is_ok());
                return if waits { Ok(None) } else { Err(reason) };
            }
        };
    let _attached = attach::listen(&folder, wishes.config.network, running.desk());
    let commands = handle.commands.clone();
    gate.show(handle);
    if let Some(started) = started {
        let _ = started.send(Ok(()));
    }
    // Said once.
    wishes.config.greeting = None;
    if let Some(link) = wishes.link.take() {
        // An engine that is gone already says so by itself.
        let _ = commands.send(Command::OfferInvite(link)).await;
    }
    let finished = running.finished();
    let wanted = gate.another();
    tokio::pin!(finished, wanted);
    let (mut watched, mut another) = (true, None);
    loop {
        tokio::select! {
            biased;
            // Priority 1: whoever started us wants us to end.
            () = stop.asked() => {
                let _ = commands.send(Command::Quit).await;
                finished.await;
                // The window has the main thread and knows nothing of signals.
                std::process::exit(0);
            }
            // Priority 2: what the engine reports; its end comes after its last report.
            Some(event) = events.recv() => {
                if let Some(printer) = wishes.printer {
                    printer.event(&event);
                }
            }
            // Priority 3: the window was closed, or another engine is wanted, and this one has finished.
            () = &mut finished => return Ok(another),
            // Priority 4: another one is wanted, or the window is gone.
            wished = &mut wanted, if watched => {
                watched = false;
                if wished.is_some() {
                    another = wished;
                    let _ = commands.send(Command::Quit).await;
                }
            }
        }
    }
}

/// The window says why there is no engine, until it is closed.
async fn broken(gate: &mut Gate, stop: &mut Stop, reason: Reason) {
    tokio::select! {
        biased;
        () = stop.asked() => std::process::exit(0),
        () = gate.broken(reason) => {}
    }
}
