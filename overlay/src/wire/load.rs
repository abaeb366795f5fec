//! How much of what a supernode can take is taken, as it tells others.
//!
//! ```text
//! load    = 0..=100                    ; percent of its places, or of the messages it can handle; more reads as 100
//! later   = [seconds, load]            ; the answer to what it has no room for now: ask again after that time
//! alive   = [load, ? load around]      ; the answer to a ping: its own, and the mean of the supernodes it hears
//! ```

use std::time::Duration;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

/// A share of what there is, in percent. Somebody's word: it steers choices, it excludes nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Load(u8);

impl Load {
    /// Nothing more fits.
    pub const FULL: Self = Self(100);
    /// Half of the places are taken: what supernodes are meant to run at.
    pub const HALF: Self = Self(50);

    /// `used` of `cap`; of no places at all, full.
    pub fn of(used: usize, cap: usize) -> Self {
        let percent = used.saturating_mul(100).checked_div(cap).unwrap_or(100);
        Self::percent(u8::try_from(percent).unwrap_or(100))
    }

    /// This many percent, at most 100.
    pub const fn percent(percent: u8) -> Self {
        Self(if percent > 100 { 100 } else { percent })
    }

    /// In percent.
    pub const fn as_percent(self) -> u8 {
        self.0
    }
}

impl<C> Encode<C> for Load {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.u8(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Load {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.u8().map(Self::percent)
    }
}

/// Not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Later {
    #[n(0)]
    seconds: u16,
    /// How full the speaker is.
    #[n(1)]
    pub load: Load,
}

/// However long a supernode asks others to wait, they come back within this time.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

impl Later {
    /// Come back after `wait`.
    pub fn after(wait: Duration, load: Load) -> Self {
        Self { seconds: u16::try_from(wait.as_secs()).unwrap_or(u16::MAX), load }
    }

    /// How long to wait: at least a second, never longer than two minutes.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.seconds.into()).clamp(Duration::from_secs(1), LONGEST_WAIT)
    }
}

/// The answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Alive {
    /// How full the speaker is.
    #[n(0)]
    pub load: Load,
    /// How full the supernodes are that it hears, on average.
    #[n(1)]
    pub around: Option<Load>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{from_bytes, to_bytes};

    #[test]
    fn a_share_never_exceeds_the_whole_and_no_places_are_full() {
        assert_eq!(Load::of(1, 2), Load::HALF);
        assert_eq!([Load::of(9, 3), Load::of(0, 0), Load::of(usize::MAX, 1)], [Load::FULL; 3]);
        assert_eq!(from_bytes::<Load>(&to_bytes(&250_u8)), Ok(Load::FULL));
    }

    #[test]
    fn nobody_can_be_asked_to_wait_for_ever_or_not_at_all() {
        let wait = |seconds| Later::after(Duration::from_secs(seconds), Load::FULL).wait();
        assert_eq!([wait(0), wait(7), wait(1_000_000)].map(|w| w.as_secs()), [1, 7, 120]);
        let later = Later::after(Duration::from_secs(7), Load::HALF);
        assert_eq!(from_bytes::<Later>(&to_bytes(&later)), Ok(later));
    }
}
