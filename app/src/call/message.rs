//! The signal messages of a call, as they travel inside sealed envelopes and on a call's control channel.
//!
//! CBOR (RFC 8949), one array: `[version, call id (16 bytes), kind, body]`
//!
//! ```text
//!   kind  name        body
//!   0     Offer       [description, name, ? kind]
//!                                            caller -> callee; the name is a claim, not a proof; kind = 0 voice / 1 video
//!   1     Ringing     [description] or []      callee -> caller; what the answer will hold, if it is known already
//!   2     Answer      [description]            callee -> caller
//!   3     Candidates  [[candidate, ..]]        both ways, any time after the offer left
//!   4     HangUp      [why]                    both ways, ends the call in any phase
//!   5     Busy        []                       callee -> caller
//!   6     Decline     [] or [reply]            callee -> caller; what they say to it, in at most 200 bytes
//! ```
//!
//! Descriptions and candidates are opaque here: `media::session` writes and reads them. Fields added later go to
//! the end of a body, where older readers skip them; a change that older readers must not skip gets a new version.

use super::Reply;
use minicbor::{Decoder, Encoder, data::Type};
use overlay::{Username, username::USERNAME_MAX};
use std::fmt;

/// The version this build writes, and the only one it reads.
pub const VERSION: u8 = 1;
/// Longest description; a longer one is malformed.
pub const MAX_DESCRIPTION: usize = 700;
/// Longest candidate; a longer one is malformed.
pub const MAX_CANDIDATE: usize = 64;
/// Most candidates in one message; more are malformed. A sender with more sends several messages.
pub const MAX_CANDIDATES: usize = 12;

/// How [`CallKind::Video`] is written.
const VIDEO: u8 = 1;

/// Names one call; drawn by the caller, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub [u8; 16]);

/// What the machine of the other side reads: which call, and what about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The call it belongs to.
    pub call: CallId,
    /// What it says.
    pub body: Body,
}

/// The seven things the two sides of a call can say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Let us talk; this is how I can be reached.
    Offer {
        /// The caller's session description.
        description: Vec<u8>,
        /// The username the caller says they have; empty if none.
        name: String,
        /// Whether the caller wants to be seen.
        kind: CallKind,
    },
    /// It rings here.
    Ringing {
        /// The callee's session description, so that a way is found meanwhile.
        description: Option<Vec<u8>>,
    },
    /// Picked up; this is how I can be reached.
    Answer {
        /// The callee's session description.
        description: Vec<u8>,
    },
    /// More ways to reach me.
    Candidates {
        /// One opaque candidate each.
        candidates: Vec<Vec<u8>>,
    },
    /// It is over.
    HangUp {
        /// Why.
        why: HangUp,
    },
    /// In another call.
    Busy,
    /// No, thank you.
    Decline {
        /// And this.
        reply: Option<Reply>,
    },
}

/// What whoever calls begins with; cameras go on and off in every call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallKind {
    /// With the voice alone.
    #[default]
    Voice,
    /// The caller is seen.
    Video,
}

/// Why a side hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// The person ended the call, or gave up ringing.
    Person,
    /// Nobody answered in time.
    TimedOut,
    /// No path was found, or it was lost.
    NoPath,
    /// This side cannot go on (a device failed, or it stops).
    Failed,
}

/// Why bytes are not a signal message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignalError {
    /// Not what the module documentation draws.
    #[error("malformed signal message")]
    Malformed,
    /// Well formed, but longer than allowed.
    #[error("signal message over its limit")]
    Limit,
    /// Written by a version this build does not speak.
    #[error("signal message of version {0}, this build speaks {VERSION}")]
    Incompatible(u8),
}

impl Signal {
    /// The bytes that go into an envelope.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::new());
        // Writing into a Vec cannot fail.
        let _ = self.write(&mut out);
        out.into_writer()
    }

    /// Reads what [`Signal::encode`] wrote. Trailing bytes are malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, SignalError> {
        let mut read = Decoder::new(bytes);
        let fields = array(&mut read)?;
        let version = read.u8()?;
        if version != VERSION {
            return Err(SignalError::Incompatible(version));
        }
        if fields != 4 {
            return Err(SignalError::Malformed);
        }
        let call = CallId(read.bytes()?.try_into().map_err(|_| SignalError::Malformed)?);
        let kind = read.u8()?;
        let items = array(&mut read)?;
        let body = Body::read(kind, items, &mut read)?;
        if read.position() != bytes.len() {
            return Err(SignalError::Malformed);
        }
        Ok(Self { call, body })
    }

    fn write(
        &self,
        out: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        out.array(4)?.u8(VERSION)?.bytes(&self.call.0)?.u8(self.body.kind())?;
        match &self.body {
            Body::Offer { description, name, kind: CallKind::Voice } => {
                out.array(2)?.bytes(description)?.str(name)?;
            }
            Body::Offer { description, name, kind: CallKind::Video } => {
                out.array(3)?.bytes(description)?.str(name)?.u8(VIDEO)?;
            }
            Body::Answer { description } | Body::Ringing { description: Some(description) } => {
                out.array(1)?.bytes(description)?;
            }
            Body::Candidates { candidates } => {
                out.array(1)?.array(candidates.len() as u64)?;
                for candidate in candidates {
                    out.bytes(candidate)?;
                }
            }
            Body::HangUp { why } => {
                out.array(1)?.u8(why.code())?;
            }
            Body::Decline { reply: Some(reply) } => {
                out.array(1)?.str(reply.as_str())?;
            }
            Body::Ringing { description: None } | Body::Busy | Body::Decline { reply: None } => {
                out.array(0)?;
            }
        }
        Ok(())
    }
}

impl Body {
    fn kind(&self) -> u8 {
        match self {
            Self::Offer { .. } => 0,
            Self::Ringing { .. } => 1,
            Self::Answer { .. } => 2,
            Self::Candidates { .. } => 3,
            Self::HangUp { .. } => 4,
            Self::Busy => 5,
            Self::Decline { .. } => 6,
        }
    }

    fn read(kind: u8, items: u64, read: &mut Decoder<'_>) -> Result<Self, SignalError> {
        let known = match kind {
            0 => items.clamp(2, 3),
            1 | 6 => items.min(1),
            2..=4 => 1,
            5 => 0,
            _ => return Err(SignalError::Malformed),
        };
        if items < known {
            return Err(SignalError::Malformed);
        }
        let body = match kind {
            0 => {
                let (description, name) = (bounded(read, MAX_DESCRIPTION)?, name(read)?);
                // A kind of a later build is a call all the same.
                let kind = match known {
                    3 if read.u8()? == VIDEO => CallKind::Video,
                    _ => CallKind::Voice,
                };
                Self::Offer { description, name, kind }
            }
            1 if known == 0 => Self::Ringing { description: None },
            1 => Self::Ringing { description: Some(bounded(read, MAX_DESCRIPTION)?) },
            2 => Self::Answer { description: bounded(read, MAX_DESCRIPTION)? },
            3 => {
                let count = array(read)?;
                if count > MAX_CANDIDATES as u64 {
                    return Err(SignalError::Limit);
                }
                let candidates =
                    (0..count).map(|_| bounded(read, MAX_CANDIDATE)).collect::<Result<_, _>>()?;
                Self::Candidates { candidates }
            }
            4 => Self::HangUp { why: HangUp::from_code(read.u8()?) },
            5 => Self::Busy,
            _ if known == 0 => Self::Decline { reply: None },
            _ => Self::Decline { reply: reply(read)? },
        };
        for _ in known..items {
            read.skip()?;
        }
        Ok(body)
    }
}

impl HangUp {
    fn code(self) -> u8 {
        match self {
            Self::Person => 0,
            Self::TimedOut => 1,
            Self::NoPath => 2,
            Self::Failed => 3,
        }
    }

    /// A code of a later build reads as the plainest reason.
    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::TimedOut,
            2 => Self::NoPath,
            3 => Self::Failed,
            _ => Self::Person,
        }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl From<minicbor::decode::Error> for SignalError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

/// The length of a definite array; indefinite ones are not canonical and refused.
fn array(read: &mut Decoder<'_>) -> Result<u64, SignalError> {
    if read.datatype()? != Type::Array {
        return Err(SignalError::Malformed);
    }
    read.array()?.ok_or(SignalError::Malformed)
}

fn bounded(read: &mut Decoder<'_>, most: usize) -> Result<Vec<u8>, SignalError> {
    let bytes = read.bytes()?;
    if bytes.len() > most {
        return Err(SignalError::Limit);
    }
    Ok(bytes.to_vec())
}

/// Nothing for one that this build would not send: whoever says no has said no all the same.
fn reply(read: &mut Decoder<'_>) -> Result<Option<Reply>, SignalError> {
    let parsed = Reply::parse(read.str()?);
    if let Err(error) = &parsed {
        tracing::debug!(%error, "what was said to a call was left out");
    }
    Ok(parsed.ok())
}

/// A claimed username: short, and nothing that could pretend to be something else on a screen.
fn name(read: &mut Decoder<'_>) -> Result<String, SignalError> {
    let name = read.str()?;
    if name.len() > USERNAME_MAX {
        return Err(SignalError::Limit);
    }
    if name.is_empty() {
        return Ok(String::new());
    }
    let name = Username::parse(name).map_err(|_| SignalError::Malformed)?;
    Ok(name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::LONGEST_REPLY;

    fn every_body() -> Vec<Body> {
        vec![
            Body::Offer {
                description: vec![1; MAX_DESCRIPTION],
                name: "a".repeat(USERNAME_MAX),
                kind: CallKind::Voice,
            },
            Body::Offer {
                description: vec![1; MAX_DESCRIPTION],
                name: "a".repeat(USERNAME_MAX),
                kind: CallKind::Video,
            },
            Body::Ringing { description: None },
            Body::Ringing { description: Some(vec![3; MAX_DESCRIPTION]) },
            Body::Answer { description: vec![] },
            Body::Candidates { candidates: vec![vec![2; MAX_CANDIDATE]; MAX_CANDIDATES] },
            Body::HangUp { why: HangUp::NoPath },
            Body::Busy,
            Body::Decline { reply: None },
            Body::Decline { reply: Reply::parse(&"r".repeat(LONGEST_REPLY)).ok() },
        ]
    }

    /// A refusal as somebody may write it.
    fn decline(items: u64, said: impl FnOnce(&mut Encoder<Vec<u8>>)) -> Result<Body, SignalError> {
        let mut out = Encoder::new(Vec::new());
        out.array(4).unwrap().u8(1).unwrap().bytes(&[3; 16]).unwrap().u8(6).unwrap().array(items).unwrap();
        said(&mut out);
        Signal::decode(&out.into_writer()).map(|signal| signal.body)
    }

    #[test]
    fn whoever_says_no_in_words_that_nobody_may_say_has_said_no() {
        for text in ["", "  ", "two\nlines", "\u{202e}turned", "\u{1b}[2J", &"r".repeat(LONGEST_REPLY + 1)] {
            let said = decline(1, |out| {
                out.str(text).unwrap();
            });
            assert_eq!(said, Ok(Body::Decline { reply: None }), "{text:?}");
        }
        let later = decline(2, |out| {
            out.str("later").unwrap().u8(7).unwrap();
        });
        assert_eq!(
            later,
            Ok(Body::Decline { reply: Reply::parse("later").ok() }),
            "and more of a later build"
        );
    }

    #[test]
    fn words_that_are_no_text_are_malformed() {
        let number = decline(1, |out| {
            out.u8(7).unwrap();
        });
        let bytes = decline(1, |out| {
            out.bytes(b"no text").unwrap();
        });
        let none = decline(1, |_| ());
        assert_eq!([number, bytes, none], [const { Err(SignalError::Malformed) }; 3]);
    }

    #[test]
    fn every_message_reads_back_as_it_was_written() {
        for body in every_body() {
            let signal = Signal { call: CallId([9; 16]), body };
            assert_eq!(Signal::decode(&signal.encode()), Ok(signal));
        }
    }

    #[test]
    fn a_full_message_fits_an_envelope() {
        for body in every_body() {
            assert!(Signal { call: CallId([255; 16]), body }.encode().len() <= 900);
        }
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_refused_or_read_without_panic() {
        for body in every_body() {
            let whole = Signal { call: CallId([9; 16]), body }.encode();
            for cut in 0..whole.len() {
                assert!(Signal::decode(&whole[..cut]).is_err());
            }
            for at in 0..whole.len().min(64) {
                for bits in 1..=255u8 {
                    let mut bent = whole.clone();
                    bent[at] ^= bits;
                    let _ = Signal::decode(&bent);
                }
            }
        }
    }

    #[test]
    fn trailing_bytes_are_malformed() {
        let mut bytes = Signal { call: CallId([9; 16]), body: Body::Ringing { description: None } }.encode();
        bytes.push(0);
        assert_eq!(Signal::decode(&bytes), Err(SignalError::Malformed));
    }

    #[test]
    fn another_version_is_named_not_guessed_at() {
        let mut bytes = Signal { call: CallId([9; 16]), body: Body::Ringing { description: None } }.encode();
        bytes[1] = 2;
        assert_eq!(Signal::decode(&bytes), Err(SignalError::Incompatible(2)));
    }

    #[test]
    fn too_long_descriptions_and_too_many_candidates_are_over_the_limit() {
        let (name, kind) = (String::new(), CallKind::Voice);
        let long = Body::Offer { description: vec![0; MAX_DESCRIPTION + 1], name, kind };
        let many = Body::Candidates { candidates: vec![vec![0]; MAX_CANDIDATES + 1] };
        let fat = Body::Candidates { candidates: vec![vec![0; MAX_CANDIDATE + 1]] };
        for body in [long, many, fat] {
            let bytes = Signal { call: CallId([1; 16]), body }.encode();
            assert_eq!(Signal::decode(&bytes), Err(SignalError::Limit));
        }
    }

    #[test]
    fn an_offer_of_an_earlier_build_and_one_of_a_later_kind_are_calls_with_the_voice() {
        let offer = |kind: Option<u8>| {
            let mut out = Encoder::new(Vec::new());
            out.array(4).unwrap().u8(1).unwrap().bytes(&[3; 16]).unwrap().u8(0).unwrap();
            out.array(2 + u64::from(kind.is_some())).unwrap().bytes(&[7]).unwrap().str("ada").unwrap();
            if let Some(kind) = kind {
                out.u8(kind).unwrap();
            }
            match Signal::decode(&out.into_writer()).map(|signal| signal.body) {
                Ok(Body::Offer { kind, .. }) => kind,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([None, Some(0), Some(2)].map(offer), [CallKind::Voice; 3]);
        assert_eq!(offer(Some(1)), CallKind::Video);
    }

    #[test]
    fn fields_added_by_later_builds_are_skipped() {
        let mut out = Encoder::new(Vec::new());
        out.array(4).unwrap().u8(1).unwrap().bytes(&[3; 16]).unwrap().u8(5).unwrap();
        out.array(2).unwrap().str("news").unwrap().u8(7).unwrap();
        let expected = Signal { call: CallId([3; 16]), body: Body::Busy };
        assert_eq!(Signal::decode(&out.into_writer()), Ok(expected));
    }
}
