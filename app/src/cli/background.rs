//! The engine beside a window: a window needs the main thread, so the engine gets one of its own.

use super::{
    Opened,
    serve::{asked_to_stop, runtime},
};
use crate::{
    engine::{self, Config, EngineHandle, command::Command},
    reason::Reason,
};
use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
};

/// Runs an engine on a thread of its own, for a window that needs the main thread.
pub(super) fn start(config: Config, opened: Opened) -> Result<(EngineHandle, JoinHandle<()>), Reason> {
    let (started, start) = mpsc::sync_channel(1);
    let engine = move || {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(reason) => return drop(started.send(Err(reason))),
        };
        runtime.block_on(async {
            let Opened { profile, storage, identity } = opened;
            match engine::start(config, profile, storage, identity).await {
                // A window shows the view; nobody reads the events.
                Ok((handle, _, running)) => {
                    let commands = handle.commands.clone();
                    let _ = started.send(Ok(handle));
                    let finished = running.finished();
                    tokio::pin!(finished);
                    tokio::select! {
                        () = &mut finished => {}
                        () = asked_to_stop() => {
                            let _ = commands.send(Command::Quit).await;
                            finished.await;
                            // The window has the main thread and knows nothing of signals.
                            std::process::exit(0);
                        }
                    }
                }
                Err(reason) => drop(started.send(Err(reason))),
            }
        });
    };
    let thread = thread::Builder::new().name("silbo-engine".into()).spawn(engine);
    let thread = thread.map_err(|error| Reason::Internal(format!("no thread for the engine: {error}")))?;
    let handle = start.recv().map_err(|_| Reason::Internal("the engine did not start".into()))??;
    Ok((handle, thread))
}
