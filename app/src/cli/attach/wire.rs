//! The lines of the control socket.

use crate::{cli::print::Printed, reason::Reason};
use serde_json::{Value, json};
use std::time::Duration;

/// Longest request; a longer one is refused.
pub(super) const MAX_REQUEST: u64 = 16 * 1024;
/// Longest line of an answer; a longer one is refused.
pub(super) const MAX_ANSWER: u64 = 1024 * 1024;

/// What another process asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Its command line, without the program's name.
    pub(super) words: Vec<String>,
    /// For how long it has been running.
    pub(super) age: Duration,
}

/// One line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// To print.
    Print(Printed),
    /// The last one: the exit status.
    Exit(u8),
    /// The only one: too many ask at once.
    Busy,
}

impl Request {
    /// Reads a request.
    pub(super) fn parse(line: &str) -> Result<Self, Reason> {
        let malformed = || Reason::Usage("That is no request to a running Silbo.".into());
        let value: Value = serde_json::from_str(line).map_err(|_| malformed())?;
        let words = value.get("argv").and_then(Value::as_array).ok_or_else(malformed)?;
        let words = words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<_>>();
        let age = value.get("t_ms").and_then(Value::as_u64).map(Duration::from_millis);
        Ok(Self { words: words.ok_or_else(malformed)?, age: age.unwrap_or_default() })
    }

    /// Writes it, with the end of the line.
    pub(super) fn to_line(&self) -> String {
        format!("{}\n", json!({ "argv": self.words, "t_ms": self.age.as_millis() as u64 }))
    }
}

impl Line {
    /// Reads a line of an answer.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(text) = text("out") {
            return Some(Self::Print(Printed::Out(text)));
        }
        if let Some(text) = text("err") {
            return Some(Self::Print(Printed::Err(text)));
        }
        if value.get("busy").is_some() {
            return Some(Self::Busy);
        }
        value.get("exit")?.as_u64()?.try_into().ok().map(Self::Exit)
    }

    /// Writes it, with the end of the line.
    pub(super) fn to_line(&self) -> String {
        let value = match self {
            Self::Print(Printed::Out(text)) => json!({ "out": text }),
            Self::Print(Printed::Err(text)) => json!({ "err": text }),
            Self::Exit(status) => json!({ "exit": status }),
            Self::Busy => json!({ "busy": true }),
        };
        format!("{value}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let words = vec!["lookup".to_owned(), "a \"b\"\n".to_owned()];
        let request = Request { words, age: Duration::from_millis(7) };
        assert_eq!(Request::parse(&request.to_line()), Ok(request));
        for line in [
            Line::Print(Printed::Out("a\nb".into())),
            Line::Print(Printed::Err("silbo: no".into())),
            Line::Exit(3),
            Line::Busy,
        ] {
            assert_eq!(Line::parse(&line.to_line()), Some(line));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let deep = "[".repeat(10_000);
        for line in ["", "\u{0}", "{}", "[]", r#"{"argv":7}"#, r#"{"argv":["a",7]}"#, r#"{"argv":{}}"#, &deep]
        {
            assert!(matches!(Request::parse(line), Err(Reason::Usage(_))), "{line}");
            assert_eq!(Line::parse(line), None);
        }
        for line in [r#"{"exit":256}"#, r#"{"exit":-1}"#, r#"{"exit":"0"}"#, r#"{"out":1}"#] {
            assert_eq!(Line::parse(line), None, "{line}");
        }
        let odd = Request::parse(r#"{"argv":[],"t_ms":"x"}"#);
        assert_eq!(odd, Ok(Request { words: Vec::new(), age: Duration::ZERO }));
    }
}
