//! Making an even stream of sound out of packets that arrive unevenly, late, twice or never.
//!
//! The parts know neither codec nor clock: [`packets`] puts packets in order, [`delay`] learns how long to
//! wait for them, [`stretch`] changes how long one waits,
//! [`losses`] learns how packets are lost. `voice::VoiceReceiver` joins them to the decoder.

use std::time::{Duration, Instant};

pub mod delay;
pub mod losses;
pub mod packets;
pub mod stretch;

/// What play-out did so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PlayoutStats {
    /// How long a packet on the fastest path waits before it is heard.
    pub playout_delay: Duration,
    /// How much slower than the fastest, which waits longest, packets were lately on average.
    pub lateness: Duration,
    /// How long it should wait, given how unevenly packets arrive.
    pub target_delay: Duration,
    /// Unevenness of arrival (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// How long the frame is that is heard.
    pub frame: Duration,
    /// Packets accepted.
    pub received: u64,
    /// Packets that never came, or came too late.
    pub lost: u64,
    /// Packets that came after their time to be heard.
    pub late: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that are not Opus, or that the bounded buffer had no room for.
    pub discarded: u64,
    /// Lost frames of which a later packet held a copy.
    pub recovered: u64,
    /// Samples played since the first packet.
    pub played: u64,
    /// Samples invented because nothing was there to play.
    pub concealed: u64,
    /// Samples added by stretching, to wait longer for packets.
    pub stretched: u64,
    /// Samples removed by squeezing, to wait less.
    pub squeezed: u64,
    /// What is heard; none before the first packet.
    pub playing: Option<Playing>,
}

/// What left for the loudspeaker last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Playing {
    /// When.
    pub at: Instant,
    /// RTP timestamp of the sample that left then.
    pub timestamp: u32,
}

impl PlayoutStats {
    /// Share of the played samples that were invented, 0 to 1.
    pub fn concealed_ratio(&self) -> f32 {
        self.concealed as f32 / self.played.max(1) as f32
    }

    /// Share of the packets that were lost or late, 0 to 1.
    pub fn loss_ratio(&self) -> f32 {
        self.lost as f32 / (self.received + self.lost).max(1) as f32
    }
}
