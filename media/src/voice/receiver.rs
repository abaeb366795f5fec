//! Packets in, played blocks out.

use std::collections::VecDeque;
use std::time::Instant;

use crate::codec::{CodecError, Decoder, MAX_DECODED};
use crate::frame::Block;
use crate::jitter::PlayoutStats;

/// How voice is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VoiceReceiverConfig {}

/// Makes played blocks of packets, whatever the network does to them.
pub struct VoiceReceiver {
    decoder: Decoder,
    ready: VecDeque<f32>,
    stats: PlayoutStats,
}

impl VoiceReceiver {
    /// A receiver that has heard nothing yet; it plays silence until the first packet.
    pub fn new(config: VoiceReceiverConfig, now: Instant) -> Result<Self, CodecError> {
        let _ = (config, now);
        Ok(Self { decoder: Decoder::new()?, ready: VecDeque::new(), stats: PlayoutStats::default() })
    }

    /// Takes one packet that arrived at `now`; anything malformed is counted and dropped.
    pub fn insert(&mut self, now: Instant, sequence: u16, timestamp: u32, payload: &[u8]) {
        let _ = (now, sequence, timestamp);
        let mut samples = [0.0; MAX_DECODED];
        match self.decoder.decode(payload, &mut samples) {
            Ok(count) => {
                self.stats.received += 1;
                self.ready.extend(&samples[..count]);
            }
            Err(_) => self.stats.discarded += 1,
        }
    }

    /// Fills the next 10 ms to play, to be called every 10 ms.
    pub fn play(&mut self, now: Instant, out: &mut Block) {
        let _ = now;
        out.iter_mut().for_each(|sample| *sample = self.ready.pop_front().unwrap_or(0.0));
    }

    /// What play-out did so far.
    pub fn stats(&self) -> PlayoutStats {
        self.stats
    }

    /// Whether at least one packet was decoded and heard.
    pub fn has_played(&self) -> bool {
        self.stats.received > 0
    }
}
