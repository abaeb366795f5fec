//! What a peer and whoever drives it say to each other: one JSON object a line, told apart by `t`.
//!
//! ```text
//!   in and out  offer {sdp}   answer {sdp}   cand {c: {candidate, sdpMid, sdpMLineIndex}}   bye
//!   in          call   start   restart   stats   ice {servers: [{urls, username, credential}], policy}
//!   out         ready   connected   stats {...}   error {message}
//! ```

use media::session::{Candidate, PathPolicy};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest line: descriptions of browsers take some thousand bytes.
pub(super) const MAX_LINE: usize = 128 * 1024;

/// Servers taken from one line; further ones are left out.
const MAX_SERVERS: usize = 8;

/// What is said to the peer.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Offer(String),
    Answer(String),
    Candidate(Candidate),
    /// One that is not for us: TCP, a name in place of an address, or the end of the list.
    OtherCandidate,
    Call,
    Start,
    Restart,
    Stats,
    Ice(Vec<Server>, PathPolicy),
    Bye,
}

impl Heard {
    /// The `t` of its line: what may be said of it, for its content is long, and may hold passwords.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Answer(_) => "answer",
            Self::Candidate(_) | Self::OtherCandidate => "cand",
            Self::Call => "call",
            Self::Start => "start",
            Self::Restart => "restart",
            Self::Stats => "stats",
            Self::Ice(..) => "ice",
            Self::Bye => "bye",
        }
    }
}

/// A server of the `ice` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// `HOST:PORT`
    pub(super) address: String,
    /// User name and password; none: it only tells us our address.
    pub(super) credentials: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Line {
    Offer {
        sdp: String,
    },
    Answer {
        sdp: String,
    },
    Cand {
        c: IceCandidate,
    },
    Call {},
    Start {},
    Restart {},
    Stats {},
    Ice {
        servers: Vec<IceServer>,
        #[serde(default)]
        policy: Policy,
    },
    Bye {},
}

#[derive(Deserialize)]
struct IceCandidate {
    candidate: String,
}

#[derive(Deserialize)]
struct IceServer {
    urls: Urls,
    username: Option<String>,
    credential: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Urls {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Policy {
    #[default]
    All,
    Relay,
}

/// Reads one line; the error is a sentence.
pub(super) fn parse(line: &str) -> Result<Heard, String> {
    if line.len() > MAX_LINE {
        return Err(format!("a line is longer than {MAX_LINE} bytes"));
    }
    let line = serde_json::from_str(line).map_err(|error| format!("not a line of this protocol: {error}"))?;
    Ok(match line {
        Line::Offer { sdp } => Heard::Offer(sdp),
        Line::Answer { sdp } => Heard::Answer(sdp),
        Line::Cand { c } => Candidate::from_sdp(&c.candidate).map_or(Heard::OtherCandidate, Heard::Candidate),
        Line::Call {} => Heard::Call,
        Line::Start {} => Heard::Start,
        Line::Restart {} => Heard::Restart,
        Line::Stats {} => Heard::Stats,
        Line::Ice { servers, policy } => {
            let servers: Result<Vec<Vec<Server>>, String> = servers.into_iter().map(servers_of).collect();
            let policy = match policy {
                Policy::All => PathPolicy::Any,
                Policy::Relay => PathPolicy::Relay,
            };
            Heard::Ice(servers?.into_iter().flatten().take(MAX_SERVERS).collect(), policy)
        }
        Line::Bye {} => Heard::Bye,
    })
}

fn servers_of(server: IceServer) -> Result<Vec<Server>, String> {
    let IceServer { urls, username, credential } = server;
    let credentials = username.zip(credential);
    let urls = match urls {
        Urls::One(url) => vec![url],
        Urls::Many(urls) => urls,
    };
    urls.iter().map(|url| read_url(url, credentials.clone())).collect()
}

/// `stun:HOST[:PORT]` or `turn:HOST[:PORT][?transport=udp]` (RFC 7064, RFC 7065).
fn read_url(url: &str, credentials: Option<(String, String)>) -> Result<Server, String> {
    let (scheme, rest) = url.split_once(':').ok_or_else(|| format!("{url} is no address of a server"))?;
    let (address, transport) = rest.split_once("?transport=").unwrap_or((rest, "udp"));
    let credentials = match scheme {
        "stun" => None,
        "turn" if transport == "udp" => {
            Some(credentials.ok_or_else(|| format!("{url} needs username and credential"))?)
        }
        _ => return Err(format!("{url}: only stun: and turn: over UDP are spoken")),
    };
    let has_port = address.rsplit_once(':').is_some_and(|(host, port)| {
        port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']'))
    });
    let address = if has_port { address.to_owned() } else { format!("{address}:{STUN_PORT}") };
    Ok(Server { address, credentials })
}

const STUN_PORT: u16 = 3478;

/// A candidate of ours.
pub(super) fn candidate(candidate: &Candidate) -> Value {
    json!({ "t": "cand", "c": { "candidate": candidate.to_sdp(), "sdpMid": "0", "sdpMLineIndex": 0 } })
}

pub(super) fn error(message: &str) -> Value {
    json!({ "t": "error", "message": message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_contract_is_understood() {
        let cand = r#"{"t":"cand","c":{"candidate":"candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host","sdpMid":"0","sdpMLineIndex":0}}"#;
        assert!(matches!(parse(cand), Ok(heard @ Heard::Candidate(_)) if heard.kind() == "cand"));
        for (line, heard) in [
            (r#"{"t":"offer","sdp":"v=0"}"#, Heard::Offer("v=0".to_owned())),
            (r#"{"t":"answer","sdp":"v=0","more":1}"#, Heard::Answer("v=0".to_owned())),
            (r#"{"t":"cand","c":{"candidate":""}}"#, Heard::OtherCandidate),
            (r#"{"t":"call"}"#, Heard::Call),
            (r#"{"t":"start"}"#, Heard::Start),
            (r#"{"t":"restart"}"#, Heard::Restart),
            (r#"{"t":"stats"}"#, Heard::Stats),
            (r#"{"t":"bye"}"#, Heard::Bye),
            (r#"{"t":"ice","servers":[]}"#, Heard::Ice(vec![], PathPolicy::Any)),
        ] {
            assert!(line.contains(&format!(r#""t":"{}""#, heard.kind())), "{line}");
            assert_eq!(parse(line), Ok(heard), "{line}");
        }
    }

    #[test]
    fn servers_are_read_as_browsers_write_them() {
        let line = r#"{"t":"ice","policy":"relay","servers":[{"urls":"stun:192.0.2.1"},
            {"urls":["turn:192.0.2.2:5000?transport=udp","turn:[2001:db8::1]"],"username":"u","credential":"c"}]}"#;
        let credentials = Some(("u".to_owned(), "c".to_owned()));
        let server = |address: &str, credentials| Server { address: address.to_owned(), credentials };
        let servers = vec![
            server("192.0.2.1:3478", None),
            server("192.0.2.2:5000", credentials.clone()),
            server("[2001:db8::1]:3478", credentials),
        ];
        assert_eq!(parse(&line.replace('\n', " ")), Ok(Heard::Ice(servers, PathPolicy::Relay)));
    }

    #[test]
    fn what_makes_no_sense_gets_a_sentence() {
        for line in [
            "",
            "hello",
            "{}",
            r#"{"t":"dance"}"#,
            r#"{"t":"offer"}"#,
            r#"{"t":"offer","sdp":7}"#,
            r#"{"t":"cand","c":{}}"#,
            r#"{"t":"ice","servers":[{"urls":"turn:192.0.2.1"}]}"#,
            r#"{"t":"ice","servers":[{"urls":"turns:192.0.2.1","username":"u","credential":"c"}]}"#,
            r#"{"t":"ice","servers":[],"policy":"none"}"#,
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse(&"x".repeat(MAX_LINE + 1)).is_err());
    }
}
