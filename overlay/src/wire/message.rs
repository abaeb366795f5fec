//! The messages of a link.

use std::net::SocketAddr;

use minicbor::{Decode, Encode, Encoder, encode};
use relay::UnixTime;

use super::{Alive, Bounded, DialBack, DialBackFor, Later, Load, Nonce, unix_time};
use crate::{
    claim::{Claim, Receipt},
    config::{Network, Role},
    credit::{Shown, Voucher},
    directory::letters::{MAX_LETTERS, SealedLetter},
    envelope::Token,
    identity::PublicKey,
    record::{BlindedKey, Collection, Introduction, MailboxId, SealedPresence, SupernodeRecord},
    routing::Key,
    username::Username,
};

/// The protocol version this code speaks.
pub const PROTOCOL_VERSION: u16 = 1;

/// Supernode records in one gossip message.
pub const MAX_GOSSIP: usize = 64;

/// Conflicting claims one holder may return.
pub const MAX_CLAIMS: usize = 8;

/// Presence records asked for and answered at once: as many as fit a frame.
pub const MAX_PRESENCES: usize = 48;

/// One frame's content.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// Who speaks; the first frame of each side.
    #[n(0)]
    Hello(#[n(0)] Box<Hello>),
    /// The link ends, and why.
    #[n(1)]
    Refuse(#[n(0)] RefuseReason),
    /// Supernodes the sender knows.
    #[n(2)]
    Supernodes(#[n(0)] Bounded<SupernodeRecord, MAX_GOSSIP>),
    /// Something is asked.
    #[n(3)]
    Request {
        /// Chosen by the asker, returned in the response.
        #[n(0)]
        id: u32,
        /// What.
        #[n(1)]
        body: Request,
    },
    /// The answer to a request.
    #[n(4)]
    Response {
        /// The request's id.
        #[n(0)]
        id: u32,
        /// The answer.
        #[n(1)]
        body: Response,
    },
    /// An envelope for a mailbox registered over this link.
    #[n(5)]
    Ring {
        /// Which mailbox.
        #[n(0)]
        mailbox: MailboxId,
        /// The sealed envelope.
        #[cbor(n(1), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// A home to a leaf: somebody without a home needs the place of this mailbox, so leave if you have another home.
    #[n(40)]
    MakeRoom(#[n(0)] MailboxId),
    /// A home to its leaves: it stops serving soon, so find another.
    #[n(41)]
    Leaving,
    /// A leaf to the supernodes it is linked to: it serves from now on.
    #[n(42)]
    Serving(#[n(0)] Box<SupernodeRecord>),
    /// Over a link opened for that: a stranger reached you, as asked by this number.
    #[n(43)]
    DialBack(#[n(0)] Nonce),
    /// A supernode to a client of its relay: so much was relayed for it. Sign for it, if that is right.
    #[n(50)]
    Relayed(#[n(0)] RelayUsage),
    /// One who was helped to the helper: so much it did.
    #[n(51)]
    Thanks(#[n(0)] Box<Voucher>),
}

/// A [`Message::Request`] of which the question is somebody else's: what is asked of twenty is not copied for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) id: u32,
    pub(crate) body: &'a Request,
}

/// [`Message::Request`] among the messages.
const REQUEST: u32 = 3;

impl<C> Encode<C> for Asked<'_> {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.u32(REQUEST)?.array(2)?.u32(self.id)?.encode_with(self.body, ctx)?.ok()
    }
}

/// Who speaks, and how it sees the other side.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// Versions the speaker understands.
    #[n(0)]
    pub versions: VersionRange,
    /// The speaker's network; must equal ours.
    #[n(1)]
    pub network: Network,
    /// What the speaker does.
    #[n(2)]
    pub role: Role,
    /// The other side's address as the speaker sees it.
    #[n(3)]
    pub observed: SocketAddr,
    /// A supernode's own record.
    #[n(4)]
    pub record: Option<SupernodeRecord>,
    /// How full a supernode is.
    #[n(5)]
    pub load: Option<Load>,
    /// A supernode's clock.
    #[n(6)]
    pub time: Option<Timestamp>,
}

/// A [`UnixTime`] that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[cbor(n(0), with = "unix_time")] UnixTime);

impl From<UnixTime> for Timestamp {
    fn from(time: UnixTime) -> Self {
        Self(time)
    }
}

impl From<Timestamp> for UnixTime {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

/// Protocol versions understood, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct VersionRange {
    /// The oldest.
    #[n(0)]
    pub min: u16,
    /// The newest.
    #[n(1)]
    pub max: u16,
}

impl VersionRange {
    /// What this code speaks.
    pub const OURS: Self = Self { min: PROTOCOL_VERSION, max: PROTOCOL_VERSION };

    /// The newest version both understand.
    pub fn common(self, other: Self) -> Option<u16> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min <= max).then_some(max)
    }
}

/// Why a link ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RefuseReason {
    /// The other side belongs to another network.
    #[n(0)]
    Network,
    /// No common protocol version.
    #[n(1)]
    Version,
    /// No room for another link.
    #[n(2)]
    Busy,
    /// The other side broke the protocol.
    #[n(3)]
    Protocol,
    /// The speaker is going away.
    #[n(4)]
    Closing,
}

/// What can be asked of a supernode.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Request {
    /// Are you there?
    #[n(0)]
    Ping,
    /// Be my home: envelopes for this mailbox go to this link.
    #[n(1)]
    OpenMailbox {
        /// A random number the asker made up.
        #[n(0)]
        mailbox: MailboxId,
        /// How badly the asker needs it.
        #[n(1)]
        need: Need,
    },
    /// Hold this claim.
    #[n(2)]
    PutClaim(#[n(0)] Box<Claim>),
    /// Who has this name?
    #[n(3)]
    GetClaims(#[n(0)] Username),
    /// Hold this introduction record.
    #[n(4)]
    PutIntroduction(#[n(0)] Box<Introduction>),
    /// How is this person reached?
    #[n(5)]
    GetIntroduction(#[n(0)] PublicKey),
    /// Pass this envelope on to the leaf with this mailbox.
    #[n(6)]
    Deliver {
        /// The mailbox its owner told.
        #[n(0)]
        mailbox: MailboxId,
        /// The sealed envelope.
        #[cbor(n(1), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// May I use your relay?
    #[n(7)]
    RelayCredentials,
    /// Which supernodes do you know that I do not?
    #[n(8)]
    Reconcile(#[n(0)] Summary),
    /// Pass this envelope on to the leaf behind this door.
    #[n(34)]
    Introduce {
        /// The door named in the introduction record.
        #[n(0)]
        door: MailboxId,
        /// What the caller worked for.
        #[n(1)]
        token: Token,
        /// The sealed envelope.
        #[cbor(n(2), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// Keep this letter for somebody who is away, and whose introduction record you hold.
    #[n(35)]
    Leave {
        /// For whom.
        #[n(0)]
        reader: PublicKey,
        /// What the sender worked for.
        #[n(1)]
        token: Token,
        /// The sealed letter.
        #[cbor(n(2), with = "minicbor::bytes")]
        sealed: Vec<u8>,
    },
    /// Which letters do you keep for me?
    #[n(36)]
    Collect(#[n(0)] Box<Collection>),
    /// Hold this presence record.
    #[n(30)]
    PutPresence(#[n(0)] Box<SealedPresence>),
    /// Put this presence record where it belongs; asked of a home.
    #[n(31)]
    SpreadPresence(#[n(0)] Box<SealedPresence>),
    /// Which of these presence records do you hold?
    #[n(32)]
    GetPresences(#[n(0)] Bounded<BlindedKey, MAX_PRESENCES>),
    /// Ask those who hold them for these presence records; asked of a home.
    #[n(33)]
    GatherPresences(#[n(0)] Bounded<BlindedKey, MAX_PRESENCES>),
    /// Do strangers reach me?
    #[n(40)]
    DialBack(#[n(0)] Box<DialBack>),
    /// Does this one reach you, who are a stranger to it?
    #[n(41)]
    DialBackFor(#[n(0)] Box<DialBackFor>),
    /// I helped you, as you said yourself: let me wait less.
    #[n(50)]
    ShowCredit(#[n(0)] Shown),
    /// Who is closest to this key?
    #[n(10)]
    Find {
        /// The key.
        #[n(0)]
        key: Key,
        /// How many of the closest, at most.
        #[n(1)]
        most: u8,
    },
}

/// Whether a leaf that wants a home has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Need {
    /// Nobody can ring it until it gets this one.
    #[n(0)]
    Homeless,
    /// It wants a spare.
    #[n(1)]
    Spare,
}

/// Which supernode records somebody has: four bytes for each, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Summary {
    #[cbor(n(0), with = "minicbor::bytes")]
    marks: Vec<u8>,
}

/// Records in one summary; those beyond it may be sent although they are known.
const MAX_MARKS: usize = 4_096;

impl Summary {
    /// Of the records with these marks.
    pub fn of(marks: impl IntoIterator<Item = u32>) -> Self {
        let mut marks: Vec<u32> = marks.into_iter().take(MAX_MARKS).collect();
        marks.sort_unstable();
        Self { marks: marks.into_iter().flat_map(u32::to_be_bytes).collect() }
    }

    /// Whether a record is among them.
    pub fn lists(&self, mark: u32) -> bool {
        // A list out of order only costs the asker what it has already.
        self.marks.as_chunks::<4>().0.binary_search_by_key(&mark, |bytes| u32::from_be_bytes(*bytes)).is_ok()
    }
}

/// What a supernode answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Response {
    /// Yes: it is there, opened, stored (and will survive a restart), passed on.
    #[n(0)]
    Done,
    /// Somebody else holds a live claim to that name: this one.
    #[n(1)]
    Taken(#[n(0)] Box<Claim>),
    /// The claims held for that name.
    #[n(2)]
    Claims(#[n(0)] Bounded<Claim, MAX_CLAIMS>),
    /// The introduction record held for that person.
    #[n(3)]
    Introduction(#[n(0)] Option<Box<Introduction>>),
    /// Relay credentials.
    #[n(4)]
    Relay(#[n(0)] RelayGrant),
    /// Not now: a limit is reached.
    #[n(5)]
    Busy,
    /// No, and asking again will not help.
    #[n(6)]
    Refused(#[n(0)] Refusal),
    /// Supernodes the asker did not list.
    #[n(7)]
    Supernodes(#[n(0)] Bounded<SupernodeRecord, MAX_GOSSIP>),
    /// Supernodes close to the key, the answering one among them.
    #[n(10)]
    Closest {
        /// How many the answering one knows.
        #[n(0)]
        known: u32,
        /// The closest, and some that surely live.
        #[n(1)]
        records: Bounded<SupernodeRecord, MAX_GOSSIP>,
    },
    /// Not now: there is no room. Ask again after this time.
    #[n(40)]
    Later(#[n(0)] Later),
    /// It is there, and so full.
    #[n(41)]
    Alive(#[n(0)] Alive),
    /// Presence records that were asked for, as far as they are known.
    #[n(30)]
    Presences(#[n(0)] Bounded<SealedPresence, MAX_PRESENCES>),
    /// Letters kept for the person who asks.
    #[n(31)]
    Letters(#[n(0)] Bounded<SealedLetter, MAX_LETTERS>),
    /// The proven claim is held (and will survive a restart): since when.
    #[n(20)]
    Receipt(#[n(0)] Box<Receipt>),
}

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Refusal {
    /// The record or claim does not verify.
    #[n(0)]
    Invalid,
    /// A newer one is held.
    #[n(1)]
    Stale,
    /// No such mailbox here.
    #[n(2)]
    UnknownMailbox,
    /// Not a service of this node.
    #[n(3)]
    NotOffered,
}

/// Short-lived relay credentials.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RelayGrant {
    /// Where the relay serves TURN and STUN over UDP.
    #[n(0)]
    pub udp: SocketAddr,
    /// TURN username.
    #[n(1)]
    pub username: String,
    /// TURN password.
    #[n(2)]
    pub password: String,
    /// When they end.
    #[cbor(n(3), with = "unix_time")]
    pub expires: UnixTime,
}

/// What a relay carried in one allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RelayUsage {
    /// How long it lasted.
    #[n(0)]
    pub seconds: u32,
    /// Bytes of payload, both ways.
    #[n(1)]
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::to_bytes;

    #[test]
    fn what_is_asked_of_many_reads_like_what_is_asked_of_one() {
        for body in
            [Request::Ping, Request::RelayCredentials, Request::Find { key: Key::default(), most: 20 }]
        {
            let asked = to_bytes(&Asked { id: 7_000, body: &body });
            assert_eq!(asked, to_bytes(&Message::Request { id: 7_000, body }));
        }
    }
}
