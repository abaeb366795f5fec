//! What two Silbo ends say to each other on the control channel, beside signals.
//!
//! ```text
//!   ┌ kind (u8) ┬ rest ┐
//!   0  bye                                 nothing
//!   1  a message of the owner              its bytes
//!   2  how large pictures are shown here   see `Viewing`
//!   3  payload types taken beside those    a byte each
//!      that every end takes
//!   4  whether our microphone is muted     0 heard / 1 muted; what follows is of a later build
//!   5  our pictures have ended             RTP timestamp (u32, big endian) of the last one; as above
//! ```

use super::MAX_MESSAGE;
use crate::video::viewing::Viewing;
use crate::voice::Mute;

const BYE: u8 = 0;
const MESSAGE: u8 = 1;
const VIEWING: u8 = 2;
const TAKES: u8 = 3;
const MICROPHONE: u8 = 4;
const PICTURES_END: u8 = 5;

/// One thing that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control<'a> {
    /// It is over.
    Bye,
    /// For whoever owns the session.
    Message(&'a [u8]),
    /// The other end's pictures are shown so large.
    Viewing(Viewing),
    /// These are taken, too.
    Takes(&'a [u8]),
    /// Whether the microphone is muted.
    Microphone(Mute),
    /// Pictures up to this RTP timestamp are over: none of them is to be seen any more.
    PicturesEnd(u32),
}

/// Why bytes say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ControlError {
    /// Longer than anything that is said.
    #[error("longer than a control message may be")]
    TooLong,
    /// Said by a later build, or nothing at all.
    #[error("a control message of an unknown kind")]
    Unknown,
    /// The kind is known, and the rest makes no sense.
    #[error("a control message that makes no sense")]
    Malformed,
}

impl<'a> Control<'a> {
    /// As it is sent.
    pub(super) fn encode(self) -> Vec<u8> {
        let said = |kind, rest: &[u8]| [&[kind], rest].concat();
        match self {
            Self::Bye => said(BYE, &[]),
            Self::Message(message) => said(MESSAGE, message),
            Self::Viewing(viewing) => said(VIEWING, &viewing.encode()),
            Self::Takes(payload_types) => said(TAKES, payload_types),
            Self::Microphone(Mute::Off) => said(MICROPHONE, &[0]),
            Self::Microphone(Mute::On) => said(MICROPHONE, &[1]),
            Self::PicturesEnd(last) => said(PICTURES_END, &last.to_be_bytes()),
        }
    }

    /// What came.
    pub(super) fn decode(said: &'a [u8]) -> Result<Self, ControlError> {
        if said.len() > MAX_MESSAGE + 1 {
            return Err(ControlError::TooLong);
        }
        match said.split_first() {
            Some((&BYE, [])) => Ok(Self::Bye),
            Some((&MESSAGE, message)) => Ok(Self::Message(message)),
            Some((&VIEWING, rest)) => Viewing::decode(rest).map(Self::Viewing).ok_or(ControlError::Malformed),
            Some((&TAKES, payload_types)) => Ok(Self::Takes(payload_types)),
            Some((&MICROPHONE, [0, ..])) => Ok(Self::Microphone(Mute::Off)),
            Some((&MICROPHONE, [1, ..])) => Ok(Self::Microphone(Mute::On)),
            Some((&PICTURES_END, &[a, b, c, d, ..])) => {
                Ok(Self::PicturesEnd(u32::from_be_bytes([a, b, c, d])))
            }
            Some((&(BYE | MICROPHONE | PICTURES_END), _)) => Err(ControlError::Malformed),
            Some(_) | None => Err(ControlError::Unknown),
        }
    }
}

/// What a fuzzer calls.
#[cfg(any(test, feature = "fuzz"))]
pub(super) mod fuzz {
    use super::*;

    pub(in crate::session) fn check(input: &[u8]) {
        let Ok(read) = Control::decode(input) else { return };
        let written = read.encode();
        assert!(written.len() <= input.len(), "what is understood is not said in more bytes");
        assert_eq!(Control::decode(&written), Ok(read));
    }

    pub(in crate::session) fn seeds() -> Vec<Vec<u8>> {
        let said = [
            Control::Bye,
            Control::Message(b"hello"),
            Control::Viewing(Viewing::of(1280, 720)),
            Control::Takes(&[62]),
            Control::Microphone(Mute::On),
            Control::Microphone(Mute::Off),
            Control::PicturesEnd(0x0102_0304),
        ];
        said.map(Control::encode).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        fuzz::seeds().iter().for_each(|said| {
            assert_eq!(Control::decode(said).map(Control::encode).as_ref(), Ok(said));
        });
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_so_is_what_a_later_build_says() {
        let long = vec![MESSAGE; MAX_MESSAGE + 2];
        for (said, why) in [
            (&[][..], ControlError::Unknown),
            (&[6], ControlError::Unknown),
            (&[255, 1], ControlError::Unknown),
            (&[BYE, 0], ControlError::Malformed),
            (&[VIEWING, 0, 0, 0], ControlError::Malformed),
            (&[MICROPHONE], ControlError::Malformed),
            (&[MICROPHONE, 2], ControlError::Malformed),
            (&[PICTURES_END, 0, 0, 0], ControlError::Malformed),
            (&long, ControlError::TooLong),
        ] {
            assert_eq!(Control::decode(said), Err(why), "{:?}", said.get(..8));
        }
    }

    #[test]
    fn what_a_later_build_adds_is_skipped() {
        assert_eq!(Control::decode(&[MICROPHONE, 1, 7, 7]), Ok(Control::Microphone(Mute::On)));
        assert_eq!(Control::decode(&[PICTURES_END, 0, 0, 0, 9, 7]), Ok(Control::PicturesEnd(9)));
    }
}
