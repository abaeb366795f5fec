//! Lines on standard input. Commands are JSON:
//! `{"do":"call|answer|decline|hangup|mute|unmute|volume|camera|share|device|words|network_changed|accept_request|block|unblock", ...}`.

use super::args::who;
use crate::{
    call::Reply,
    engine::{
        command::{Command, Sharing},
        view::ContactId,
    },
    reason::{Reason, capitalised},
};
use media::{device::EndpointError, mix::Volume, session::Camera};
use overlay::PublicKey;
use serde_json::Value;
use std::{io, thread};
use tokio::sync::mpsc;

/// Lines that may wait; when full, the reader waits, and so does whoever writes.
const LINES: usize = 16;
/// Longest command; a longer one is refused.
const MAX_LINE: usize = 4096;

/// Reads standard input on a thread of its own until it ends; what `parse` makes of each line that is not empty.
pub(super) fn lines<T: Send + 'static>(parse: impl Fn(&str) -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (lines, inbox) = mpsc::channel(LINES);
    let reader = move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if !line.trim().is_empty() && lines.blocking_send(parse(&line)).is_err() {
                return;
            }
        }
    };
    // The thread blocks in a read that nothing can end: it ends with the process.
    if let Err(error) = thread::Builder::new().name("silbo-stdin".into()).spawn(reader) {
        tracing::warn!(%error, "standard input is not read");
    }
    inbox
}

/// One command.
pub(super) fn parse(line: &str) -> Result<Command, Reason> {
    if line.len() > MAX_LINE {
        return Err(Reason::Usage("A command line on standard input is too long.".into()));
    }
    let malformed =
        || Reason::Usage("A line on standard input is not a command like {\"do\":\"hangup\"}.".into());
    let value: Value = serde_json::from_str(line).map_err(|_| malformed())?;
    let what = value.get("do").and_then(Value::as_str).ok_or_else(malformed)?;
    match what {
        "call" => {
            let whom = value.get("who").and_then(Value::as_str);
            let whom = whom.ok_or_else(|| Reason::Usage("call needs \"who\": a name or a key.".into()))?;
            Ok(Command::Dial(who(whom)?))
        }
        "answer" => match value.get("camera").map(Value::as_bool) {
            None => Ok(Command::Answer),
            Some(Some(true)) => Ok(Command::AnswerWith(Camera::On)),
            Some(Some(false)) => Ok(Command::AnswerWith(Camera::Off)),
            Some(None) => Err(Reason::Usage("answer takes as \"camera\" true or false.".into())),
        },
        "decline" => match value.get("reply").map(|reply| reply.as_str().map(Reply::parse)) {
            None => Ok(Command::Decline),
            Some(Some(Ok(reply))) => Ok(Command::DeclineWith(reply)),
            Some(Some(Err(why))) => Err(Reason::Usage(capitalised(&why.to_string()))),
            Some(None) => Err(Reason::Usage("decline takes as \"reply\" a text.".into())),
        },
        "hangup" => Ok(Command::HangUp),
        "mute" => Ok(Command::SetMuted(true)),
        "unmute" => Ok(Command::SetMuted(false)),
        "words" => Ok(Command::ShowCallWords),
        "network_changed" => Ok(Command::NetworkChanged),
        "accept_request" | "block" | "unblock" => {
            let key = value.get("key").and_then(Value::as_str).and_then(|key| key.parse::<PublicKey>().ok());
            let key = key.ok_or_else(|| Reason::Usage(format!("{what} needs \"key\": a public key.")))?;
            Ok(match what {
                "block" => Command::Block(key),
                "unblock" => Command::Unblock(key),
                _ => Command::AcceptRequest(key),
            })
        }
        "camera" | "share" => {
            let on = value.get("on").and_then(Value::as_bool);
            let on = on.ok_or_else(|| Reason::Usage(format!("{what} needs \"on\": true or false.")))?;
            Ok(match (what, on) {
                ("camera", true) => Command::SetCamera(Camera::On),
                ("camera", false) => Command::SetCamera(Camera::Off),
                (_, true) => Command::Share(shared(value.get("window"))?),
                (_, false) => Command::Share(Sharing::Off),
            })
        }
        "volume" => volume(&value),
        "device" => device(&value),
        unknown => Err(Reason::Usage(format!("There is no command \"{unknown}\"."))),
    }
}

/// How loud whoever has this key is heard, or Echo without one.
fn volume(value: &Value) -> Result<Command, Reason> {
    let usage = |text: &str| Reason::Usage(format!("volume needs {text}."));
    let of = match value.get("key") {
        None => ContactId::Echo,
        Some(key) => {
            let key = key.as_str().and_then(|key| key.parse().ok());
            ContactId::Person(key.ok_or_else(|| usage("as \"key\" a public key"))?)
        }
    };
    let percent = value.get("percent").and_then(Value::as_u64).and_then(|percent| u8::try_from(percent).ok());
    let percent = percent.filter(|percent| *percent <= Volume::MOST.percent());
    let percent = percent.ok_or_else(|| usage("\"percent\": a number from 0 to 200"))?;
    Ok(Command::SetVolume(of, Volume::from_percent(percent)))
}

/// A microphone or a loudspeaker, named as on the command line.
fn device(value: &Value) -> Result<Command, Reason> {
    let named = |key: &str| value.get(key).and_then(Value::as_str);
    let usage = |error: EndpointError| Reason::Usage(format!("{error}."));
    match (named("mic"), named("speaker")) {
        (Some(mic), None) => mic.parse().map(Command::SetMicrophone).map_err(usage),
        (None, Some(speaker)) => speaker.parse().map(Command::SetLoudspeaker).map_err(usage),
        _ => Err(Reason::Usage("device needs either \"mic\" or \"speaker\", such as \"default\".".into())),
    }
}

/// All of the screen, unless a window is named.
fn shared(window: Option<&Value>) -> Result<Sharing, Reason> {
    let Some(window) = window else { return Ok(Sharing::Screen) };
    let name = window.as_str().and_then(|name| name.parse().ok());
    name.map(Sharing::Window).ok_or_else(|| {
        Reason::Usage("share needs as \"window\" a title, or a number like \"0x3a00007\".".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::command::Who;
    use media::device::{AudioSink, AudioSource};
    use media::video::window::WindowName;

    #[test]
    fn every_built_command_parses() {
        let key = overlay::Identity::from_secret([1; 32]).public_key();
        for (line, command) in [
            (format!(r#"{{"do":"call","who":"{key}"}}"#), Command::Dial(Who::Key(key))),
            (r#"{"do":"call","who":"echo"}"#.to_owned(), Command::Dial(Who::Echo)),
            (r#"{"do":"answer"}"#.to_owned(), Command::Answer),
            (r#"{"do":"answer","camera":true}"#.to_owned(), Command::AnswerWith(Camera::On)),
            (r#"{"do":"answer","camera":false}"#.to_owned(), Command::AnswerWith(Camera::Off)),
            (r#"{"do":"decline"}"#.to_owned(), Command::Decline),
            (
                r#"{"do":"decline","reply":"not now"}"#.to_owned(),
                Command::DeclineWith(Reply::parse("not now").unwrap()),
            ),
            (r#"{"do":"hangup","more":1}"#.to_owned(), Command::HangUp),
            (r#"{"do":"mute"}"#.to_owned(), Command::SetMuted(true)),
            (r#"{"do":"unmute"}"#.to_owned(), Command::SetMuted(false)),
            (r#"{"do":"camera","on":true}"#.to_owned(), Command::SetCamera(Camera::On)),
            (r#"{"do":"camera","on":false}"#.to_owned(), Command::SetCamera(Camera::Off)),
            (r#"{"do":"share","on":true}"#.to_owned(), Command::Share(Sharing::Screen)),
            (
                r#"{"do":"share","on":true,"window":"notes - Editor"}"#.to_owned(),
                Command::Share(Sharing::Window(WindowName::Title("notes - Editor".to_owned()))),
            ),
            (r#"{"do":"share","on":false}"#.to_owned(), Command::Share(Sharing::Off)),
            (
                r#"{"do":"device","mic":"device:usb"}"#.to_owned(),
                Command::SetMicrophone(AudioSource::Device("usb".to_owned())),
            ),
            (r#"{"do":"device","speaker":"null"}"#.to_owned(), Command::SetLoudspeaker(AudioSink::Null)),
            (
                r#"{"do":"volume","percent":150}"#.to_owned(),
                Command::SetVolume(ContactId::Echo, Volume::from_percent(150)),
            ),
            (
                format!(r#"{{"do":"volume","key":"{key}","percent":0}}"#),
                Command::SetVolume(ContactId::Person(key), Volume::from_percent(0)),
            ),
            (r#"{"do":"words"}"#.to_owned(), Command::ShowCallWords),
            (r#"{"do":"network_changed"}"#.to_owned(), Command::NetworkChanged),
            (format!(r#"{{"do":"accept_request","key":"{key}"}}"#), Command::AcceptRequest(key)),
            (format!(r#"{{"do":"block","key":"{key}"}}"#), Command::Block(key)),
            (format!(r#"{{"do":"unblock","key":"{key}"}}"#), Command::Unblock(key)),
        ] {
            assert_eq!(parse(&line), Ok(command));
        }
    }

    #[test]
    fn what_makes_no_sense_gets_a_sentence() {
        for line in [
            "",
            "hangup",
            "{}",
            "[1]",
            r#"{"do":7}"#,
            r#"{"do":"dance"}"#,
            r#"{"do":"answer","camera":"on"}"#,
            r#"{"do":"decline","reply":7}"#,
            r#"{"do":"decline","reply":"two\nlines"}"#,
            r#"{"do":"device"}"#,
            r#"{"do":"device","mic":"null"}"#,
            r#"{"do":"device","mic":"default","speaker":"default"}"#,
            r#"{"do":"accept_request"}"#,
            r#"{"do":"block","key":"ada"}"#,
            r#"{"do":"call"}"#,
            r#"{"do":"call","who":"?"}"#,
            r#"{"do":"volume"}"#,
            r#"{"do":"volume","percent":201}"#,
            r#"{"do":"volume","key":"ada","percent":100}"#,
            r#"{"do":"share","on":true,"window":""}"#,
            r#"{"do":"share","on":true,"window":7}"#,
        ] {
            assert!(matches!(parse(line), Err(Reason::Usage(_))), "{line}");
        }
        assert!(matches!(parse(&"x".repeat(MAX_LINE + 1)), Err(Reason::Usage(_))));
    }
}
