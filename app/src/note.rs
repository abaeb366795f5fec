//! Notes: what two people's programs tell each other beside calls, in sealed envelopes or in letters left for later.
//!
//! CBOR (RFC 8949), one array: `[version, kind, body]`
//!
//! ```text
//!   kind  name      body
//!   0     Called    [name]                       I called and could not reach you; the name is a claim, not a proof
//!   1     Presence  [secret, knows yours]        this is how you see that I am there; I know yours, or not yet
//! ```
//! Signals of calls are arrays of four: see [`crate::call::message`]. Fields added later go to the end of a body.

use minicbor::{Decoder, Encoder, data::Type};
use overlay::{PresenceSecret, Username, username::USERNAME_MAX};

/// The version this build writes, and the only one it reads.
const VERSION: u8 = 1;

/// One note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Somebody called in vain.
    Called {
        /// The username they say they have; empty if none.
        name: String,
    },
    /// A contact hands over its presence secret.
    Presence {
        /// Theirs.
        secret: PresenceSecret,
        /// Whether they have ours.
        knows_yours: bool,
    },
}

/// Why bytes are not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not what the module documentation draws.
    #[error("malformed note")]
    Malformed,
    /// Written by a version this build does not speak.
    #[error("note of version {0}, this build speaks {VERSION}")]
    Incompatible(u8),
}

impl Note {
    /// The bytes that go into an envelope.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::new());
        // Writing into a Vec cannot fail.
        let _ = self.write(&mut out);
        out.into_writer()
    }

    /// Reads what [`Note::encode`] wrote; nothing when the bytes are no array of three, and so something else.
    pub fn decode(bytes: &[u8]) -> Option<Result<Self, NoteError>> {
        let mut read = Decoder::new(bytes);
        let three = array(&mut read).is_ok_and(|fields| fields == 3);
        three.then(|| Self::read(&mut read, bytes.len()))
    }

    fn read(read: &mut Decoder<'_>, length: usize) -> Result<Self, NoteError> {
        let version = read.u8()?;
        if version != VERSION {
            return Err(NoteError::Incompatible(version));
        }
        let kind = read.u8()?;
        let items = array(read)?;
        let (note, known) = match kind {
            0 => (Self::Called { name: name(read)? }, 1),
            1 => {
                let secret = read.bytes()?.try_into().map_err(|_| NoteError::Malformed)?;
                let secret = PresenceSecret::from_bytes(secret);
                (Self::Presence { secret, knows_yours: read.bool()? }, 2)
            }
            _ => return Err(NoteError::Malformed),
        };
        for _ in known..items {
            read.skip()?;
        }
        if items < known || read.position() != length {
            return Err(NoteError::Malformed);
        }
        Ok(note)
    }

    fn write(
        &self,
        out: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        out.array(3)?.u8(VERSION)?;
        match self {
            Self::Called { name } => out.u8(0)?.array(1)?.str(name)?,
            Self::Presence { secret, knows_yours } => {
                out.u8(1)?.array(2)?.bytes(secret.bytes())?.bool(*knows_yours)?
            }
        };
        Ok(())
    }
}

impl From<minicbor::decode::Error> for NoteError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

/// The length of a definite array; indefinite ones are not canonical and refused.
fn array(read: &mut Decoder<'_>) -> Result<u64, NoteError> {
    if read.datatype()? != Type::Array {
        return Err(NoteError::Malformed);
    }
    read.array()?.ok_or(NoteError::Malformed)
}

/// A claimed username, or nothing.
fn name(read: &mut Decoder<'_>) -> Result<String, NoteError> {
    let name = read.str()?;
    if name.is_empty() {
        return Ok(String::new());
    }
    if name.len() > USERNAME_MAX {
        return Err(NoteError::Malformed);
    }
    Ok(Username::parse(name).map_err(|_| NoteError::Malformed)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{
        CallId,
        message::{Body, Signal},
    };

    fn notes() -> [Note; 4] {
        let secret = PresenceSecret::from_bytes([7; 32]);
        [
            Note::Called { name: String::new() },
            Note::Called { name: "ada".into() },
            Note::Presence { secret, knows_yours: true },
            Note::Presence { secret, knows_yours: false },
        ]
    }

    #[test]
    fn a_note_is_read_as_it_was_written_and_no_cut_one_is() {
        for note in notes() {
            let bytes = note.encode();
            assert_eq!(Note::decode(&bytes), Some(Ok(note)));
            for cut in 0..bytes.len() {
                assert!(Note::decode(&bytes[..cut]).is_none_or(|read| read.is_err()));
            }
        }
    }

    #[test]
    fn notes_and_signals_are_never_taken_for_each_other() {
        for note in notes() {
            assert!(Signal::decode(&note.encode()).is_err());
        }
        let signal = Signal { call: CallId([1; 16]), body: Body::Ringing { description: None } };
        assert_eq!(Note::decode(&signal.encode()), None);
    }

    #[test]
    fn strange_names_kinds_and_versions_are_refused() {
        let bytes = |name: &str| Note::Called { name: name.into() }.encode();
        for name in ["Not A Name", "x", &"a".repeat(33)] {
            assert_eq!(Note::decode(&bytes(name)), Some(Err(NoteError::Malformed)), "{name}");
        }
        let mut later = bytes("ada");
        later[1] = 2;
        assert_eq!(Note::decode(&later), Some(Err(NoteError::Incompatible(2))));
        let mut unknown = bytes("ada");
        unknown[2] = 9;
        assert_eq!(Note::decode(&unknown), Some(Err(NoteError::Malformed)));
    }

    #[test]
    fn fields_of_later_versions_are_skipped() {
        let mut out = Encoder::new(Vec::new());
        let secret = [7; 32];
        out.array(3).unwrap().u8(1).unwrap().u8(1).unwrap().array(3).unwrap();
        out.bytes(&secret).unwrap().bool(true).unwrap().str("more").unwrap();
        let secret = PresenceSecret::from_bytes(secret);
        assert_eq!(Note::decode(&out.into_writer()), Some(Ok(Note::Presence { secret, knows_yours: true })));
    }
}
