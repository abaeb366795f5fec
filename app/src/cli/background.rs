//! The engine beside a window: a window needs the main thread, so the engine gets one of its own.

use super::{Opened, attach, print::Printer, serve::runtime, stop::Stop};
use crate::{
    engine::{self, Config, EngineHandle, command::Command},
    reason::Reason,
};
use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
};

/// Runs an engine on a thread of its own, for a window that needs the main thread. The window shows the view; the
/// events go to `printer`, if a program is listening.
pub(super) fn start(
    config: Config,
    opened: Opened,
    printer: Option<Printer>,
) -> Result<(EngineHandle, JoinHandle<()>), Reason> {
    let (started, start) = mpsc::sync_channel(1);
    let engine = move || {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(reason) => return drop(started.send(Err(reason))),
        };
        runtime.block_on(async {
            let Opened { profile, storage, identity } = opened;
            let (folder, network) = (profile.folder().to_owned(), config.network);
            match engine::start(config, profile, storage, identity).await {
                Ok((handle, mut events, running)) => {
                    let _attached = attach::listen(&folder, network, running.desk());
                    let commands = handle.commands.clone();
                    let _ = started.send(Ok(handle));
                    let finished = running.finished();
                    let mut stop = Stop::listen();
                    tokio::pin!(finished);
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
                                if let Some(printer) = printer {
                                    printer.event(&event);
                                }
                            }
                            // Priority 3: the window was closed and the engine has finished.
                            () = &mut finished => break,
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
