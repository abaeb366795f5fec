//! The process that asks: writes its command line, prints what comes back.

use super::wire::{Line, MAX_ANSWER, Request};
use crate::{
    cli::print::{Printed, Printer, complaint, line},
    reason::Reason,
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

/// Longest silence of the owner; an errand in the network ends sooner.
const SILENCE: Duration = Duration::from_secs(60);

/// The exit status, or nothing when nobody listens.
pub(super) fn ask(socket: &Path, printer: &Printer) -> Result<Option<u8>, Reason> {
    let Ok(mut stream) = UnixStream::connect(socket) else { return Ok(None) };
    let words = std::env::args_os().skip(1).map(|word| word.into_string()).collect::<Result<_, _>>();
    let words = words.map_err(|_| Reason::Usage("The command line is not Unicode.".into()))?;
    let request = Request { words, age: printer.age() };
    let broken = || Reason::Internal("the Silbo that owns this profile did not answer".into());
    stream.set_read_timeout(Some(SILENCE)).map_err(|_| broken())?;
    // An owner that refuses us answers without reading.
    let _ = stream.write_all(request.to_line().as_bytes());
    let mut answer = BufReader::new(stream);
    loop {
        let mut text = String::new();
        answer.by_ref().take(MAX_ANSWER).read_line(&mut text).map_err(|_| broken())?;
        match Line::parse(&text).ok_or_else(broken)? {
            Line::Print(Printed::Out(text)) => line(&text),
            Line::Print(Printed::Err(text)) => complaint(&text),
            Line::Busy => return Err(Reason::TooManyAttached),
            Line::Exit(status) => return Ok(Some(status)),
        }
    }
}
