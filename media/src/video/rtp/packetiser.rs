//! Cuts coded pictures into payloads of even length, and numbers them.

use super::{PictureId, vp8, vp9};
use crate::video::vpx::{Codec, Encoded, Kind};

/// The most bytes a descriptor takes.
const LONGEST_DESCRIPTOR: usize = 6;

/// One RTP payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Descriptor and piece.
    pub data: Vec<u8>,
    /// Whether it is the last of its picture: the marker bit of RTP.
    pub last: bool,
}

/// Makes payloads of coded pictures.
#[derive(Debug, Clone)]
pub struct Packetiser {
    codec: Codec,
    picture: PictureId,
    base: u8,
    keyframe: u8,
}

impl Packetiser {
    /// Numbers pictures from the lower 15 bits of `first` on (RFC 7741 §4.2 asks for a random one).
    pub fn new(codec: Codec, first: u16) -> Self {
        Self { codec, picture: PictureId::Long(first & 0x7fff), base: 0, keyframe: 0 }
    }

    /// Cuts a picture into payloads of at most `room` bytes, all about as long as each other.
    pub fn packetise(&mut self, coded: &Encoded, room: usize) -> Vec<Payload> {
        if coded.kind == Kind::Key {
            self.keyframe = self.keyframe.wrapping_add(1) & 0x1f;
        }
        if coded.layer.is_none_or(|layer| layer.id == 0) {
            self.base = self.base.wrapping_add(1);
        }
        let room = room.saturating_sub(LONGEST_DESCRIPTOR).max(1);
        let pieces = coded.data.len().div_ceil(room);
        let payloads = (0..pieces).map(|at| {
            let (from, to) = (at * coded.data.len() / pieces, (at + 1) * coded.data.len() / pieces);
            let last = at + 1 == pieces;
            let mut data = Vec::with_capacity(LONGEST_DESCRIPTOR + to - from);
            self.describe(coded, at == 0, last, &mut data);
            data.extend_from_slice(&coded.data[from..to]);
            Payload { data, last }
        });
        let payloads = payloads.collect();
        self.picture = self.picture.next();
        payloads
    }

    fn describe(&self, coded: &Encoded, begins: bool, ends: bool, out: &mut Vec<u8>) {
        let (picture, layer) = (Some(self.picture), coded.layer);
        let base = layer.map(|_| self.base);
        match self.codec {
            Codec::Vp8 => {
                let keyframe = layer.map(|_| self.keyframe);
                let partition = 0;
                // Nothing is known to be discardable, so nothing is called so.
                let discardable = false;
                vp8::Descriptor { discardable, begins, partition, picture, base, layer, keyframe }.write(out);
            }
            Codec::Vp9 => {
                let (predicted, spatial) = (coded.kind == Kind::Delta, 0);
                vp9::Descriptor { picture, predicted, begins, ends, layer, spatial, base }.write(out);
            }
        }
    }
}
