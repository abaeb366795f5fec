//! The process that owns the profile: listens, and runs the errands of others.

use super::wire::{Line, MAX_REQUEST, Request};
use crate::{
    cli::{
        args::Cli,
        lists,
        print::{Format, Printer},
    },
    engine::{
        errand::{Desk, Errand},
        event::{Event, EventBody},
    },
    reason::Reason,
};
use clap::Parser;
use overlay::Network;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

/// Errands run at once; one more is told so at once.
const ATTACHED: usize = 8;
/// How long a request may take to arrive, and an answer to be taken.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after the system refused a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// A listening socket; dropping it ends the listening and removes it.
pub(in crate::cli) struct Listening {
    task: JoinHandle<()>,
    socket: PathBuf,
    inode: u64,
}

impl Listening {
    /// Listens at `socket`. The profile is ours, so whatever is there was left behind.
    pub(super) fn start(socket: &Path, network: Network, desk: Desk) -> io::Result<Self> {
        match fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(socket)?;
        fs::set_permissions(socket, Permissions::from_mode(0o600))?;
        let inode = fs::symlink_metadata(socket)?.ino();
        let task = tokio::spawn(accept(listener, network, desk));
        Ok(Self { task, socket: socket.to_owned(), inode })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        // The profile may have a new owner already, with a socket of its own.
        if fs::symlink_metadata(&self.socket).is_ok_and(|found| found.ino() == self.inode) {
            let _ = fs::remove_file(&self.socket);
        }
    }
}

async fn accept(listener: UnixListener, network: Network, desk: Desk) {
    let places = Arc::new(Semaphore::new(ATTACHED));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a command could not attach");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let place = Arc::clone(&places).try_acquire_owned().ok();
        let desk = desk.clone();
        // Ends by itself: reading, the errand and writing are all bounded in time.
        tokio::spawn(async move {
            attend(stream, network, place.is_some().then_some(&desk)).await;
            drop(place);
        });
    }
}

/// Answers one connection; without a desk, that there is no room.
async fn attend(mut stream: UnixStream, network: Network, desk: Option<&Desk>) {
    let mut text = String::new();
    let (reading, mut writing) = stream.split();
    let mut request = BufReader::new(reading.take(MAX_REQUEST));
    let answer = match desk {
        None => vec![Line::Busy],
        Some(desk) => match timeout(PATIENCE, request.read_line(&mut text)).await {
            Ok(Ok(_)) => answer(&text, network, desk).await,
            // Not even text, or nothing at all.
            Ok(Err(_)) => answer("", network, desk).await,
            Err(_) => return,
        },
    };
    let answer: String = answer.iter().map(Line::to_line).collect();
    if !matches!(timeout(PATIENCE, writing.write_all(answer.as_bytes())).await, Ok(Ok(()))) {
        tracing::debug!("a command went away before it was answered");
    }
}

async fn answer(text: &str, network: Network, desk: &Desk) -> Vec<Line> {
    let (printer, errand) = match understand(text, network) {
        Ok(understood) => understood,
        Err((printer, reason)) => return refusal(&printer, reason),
    };
    let (told, failed) = desk.run(errand).await;
    let mut lines: Vec<_> = told.into_iter().filter_map(|body| print(&printer, body)).collect();
    match failed {
        None => lines.push(Line::Exit(0)),
        Some(reason) => lines.extend(refusal(&printer, reason)),
    }
    lines
}

/// What is asked, and how the answer is to be printed.
fn understand(text: &str, network: Network) -> Result<(Printer, Errand), (Printer, Reason)> {
    let request = Request::parse(text).map_err(|reason| (Printer::new(Format::Text), reason))?;
    let plain = Printer::began(Format::Text, request.age);
    let words = std::iter::once("silbo".to_owned()).chain(request.words);
    let cli = Cli::try_parse_from(words).map_err(|error| (plain, Reason::Usage(error.to_string())))?;
    let format = if cli.global.json { Format::Json } else { Format::Text };
    let printer = Printer::began(format, request.age);
    let wanted = crate::cli::network(&cli.global);
    if wanted != network {
        let other = "The Silbo that owns this profile is in the other network (with or without --lab).";
        return Err((printer, Reason::Usage(other.into())));
    }
    let errand = lists::errand(cli.verb.as_ref(), network).map_err(|reason| (printer, reason))?;
    let no_errand = || (printer, Reason::Usage("A running Silbo does not do this for others.".into()));
    Ok((printer, errand.ok_or_else(no_errand)?))
}

fn refusal(printer: &Printer, reason: Reason) -> Vec<Line> {
    let status = reason.exit_status();
    print(printer, EventBody::Error(reason)).into_iter().chain([Line::Exit(status)]).collect()
}

fn print(printer: &Printer, body: EventBody) -> Option<Line> {
    let event = Event { at: relay::driver::now().unix, call: None, body };
    printer.render(&event).map(Line::Print)
}
