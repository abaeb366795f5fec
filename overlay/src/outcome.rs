//! What commands answer and what a node reports: the vocabulary shared by the core, the driver and the application.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use relay::{Credentials, UnixTime};

use crate::{
    claim::{RankReason, Standing},
    config::{NatKind, Role},
    identity::{LinkKey, PublicKey},
    record::CertificateHash,
    routing::Place,
    username::Username,
    volunteer::{Candidacy, Filtering},
    wire::Load,
};

/// A username held for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The name.
    pub name: Username,
    /// How firmly.
    pub state: NameState,
    /// Supernodes that hold the claim.
    pub held_by: usize,
    /// Supernodes that were asked to.
    pub of: usize,
}

/// How firmly a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameState {
    /// It came by the recovery key; the old key may still object.
    Pending,
    /// It works, while the work for it is being done; somebody who is done earlier may still take it.
    Provisional,
    /// Enough supernodes hold a proven claim.
    Held,
    /// And enough independent ones have held it for a week.
    Established,
}

impl NameState {
    /// A stable word for events and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            // The contract knows no other word for what may still be taken away.
            Self::Pending | Self::Provisional => "provisional",
            Self::Held => "held",
            Self::Established => "established",
        }
    }
}

/// What a directory lookup found. The caller decides: nothing is chosen silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Every valid claim to the name, one per key, in the order of [`rank`](crate::claim::rank).
    /// Empty: nobody has the name, as far as those who answered know.
    pub claims: Vec<FoundClaim>,
    /// Every valid claim to another name that looks like it, in the same order.
    pub lookalikes: Vec<FoundClaim>,
    /// Supernodes that were asked.
    pub asked: usize,
    /// Supernodes that answered.
    pub answered: usize,
}

/// One claim to a username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundClaim {
    /// The name, to the letter.
    pub name: Username,
    /// Whose.
    pub key: PublicKey,
    /// How many of those asked hold it.
    pub holders: usize,
    /// The claim's number: every renewal has a higher one.
    pub seq: u64,
    /// Since when, as the claimant says.
    pub claimed_at: UnixTime,
    /// Since when, as independent holders say: the median of their receipts.
    pub since: Option<UnixTime>,
    /// What it is worth.
    pub standing: Standing,
    /// Why it stands where it does among all claims to the name and to those that look like it.
    pub why: RankReason,
}

/// Whose relays are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RelayWish {
    /// Whichever are near.
    #[default]
    Any,
    /// These supernodes'.
    Of(Vec<LinkKey>),
    /// Others than these, as long as there are any.
    Besides(Vec<LinkKey>),
}

/// A relay this node may use for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayOffer {
    /// The supernode that offers it.
    pub node: LinkKey,
    /// Where TURN and STUN over UDP are served.
    pub udp: SocketAddr,
    /// Where TURN over TCP and over TLS is served, and the certificate shown there, when the supernode says so.
    pub streams: Option<(SocketAddr, CertificateHash)>,
    /// Short-lived credentials.
    pub credentials: Credentials,
    /// When they end.
    pub expires: UnixTime,
}

/// What carries a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// QUIC over UDP.
    Quic,
    /// TLS over TCP.
    Tcp,
}

/// Between whom a link runs, and over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The key the other side has proven.
    pub peer: LinkKey,
    /// Where we see it.
    pub remote: SocketAddr,
    /// What carries the link.
    pub carrier: Carrier,
}

/// Whether UDP gets through the network we are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UdpState {
    /// Nobody answered yet, over whatever.
    #[default]
    Unknown,
    /// Somebody answers over it.
    Works,
    /// Nobody answers over it, although somebody does over TCP.
    Blocked,
}

/// A snapshot of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Home supernodes that can ring us now.
    pub homes: usize,
    /// Supernodes known by a valid record, itself not counted.
    pub supernodes_known: usize,
    /// What this node does.
    pub role: Role,
    /// What homes saw of our address translation.
    pub nat: NatKind,
    /// Our address as a home sees it.
    pub observed: Option<SocketAddr>,
    /// Where its record says that it serves others.
    pub serves_at: Option<SocketAddr>,
    /// How far a volunteer is on its way to serve.
    pub candidacy: Candidacy,
    /// Whether strangers reach a volunteer, or others an operator's supernode.
    pub filtering: Filtering,
    /// How full it is, as a supernode; of a leaf, nothing.
    pub load: Load,
    /// What is added to this machine's clock.
    pub clock: Skew,
    /// What the node did and dropped so far.
    pub stats: Stats,
}

/// What a node tells about itself when it is asked.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it is.
    pub status: Status,
    /// Ready links to supernodes.
    pub supernodes: Vec<SupernodeLink>,
    /// Whether UDP gets through.
    pub udp: UdpState,
    /// The addresses of this machine.
    pub addresses: Vec<IpAddr>,
    /// By how much this machine's clock is behind those of supernodes, when enough of them spoke.
    pub clock_behind: Option<Skew>,
    /// What it keeps for others.
    pub kept: Kept,
    /// What went over its links.
    pub traffic: Traffic,
    /// What the relay beside it did.
    pub relay: Option<relay::server::Stats>,
}

/// A link to a supernode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupernodeLink {
    /// Where it is.
    pub remote: SocketAddr,
    /// What carries the link.
    pub carrier: Carrier,
    /// Whether it is a home: it can ring us.
    pub rings: bool,
    /// Our address as it sees us over this link.
    pub observed: Option<SocketAddr>,
}

/// The supernodes a node knows, and where they stand on the circle of all keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Where this node stands; a leaf stands elsewhere whenever it is started.
    pub own: Place,
    /// How many it knows, itself not counted.
    pub known: usize,
    /// At most [`RING`] of them, in the order of their places: homes first of all, then those with a link; of the others
    /// the same ones each time, from all around.
    pub supernodes: Vec<OnRing>,
}

/// Supernodes shown of a ring; beyond it, some are left out.
pub const RING: usize = 200;

/// One supernode on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnRing {
    /// Its key.
    pub node: LinkKey,
    /// Where it stands.
    pub place: Place,
    /// Where it accepts links.
    pub address: SocketAddr,
    /// What we have to do with it.
    pub ties: Ties,
}

/// What a node has to do with a supernode, the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// It is a home: it can ring us.
    Home(Linked),
    /// There is a link to it.
    Linked(Linked),
    /// It has answered since this node was started, and was not needed lately.
    Answered,
    /// Others told of it; it was not tried since this node was started.
    HeardOf,
    /// It did not answer when a link to it was last tried.
    Silent,
}

/// A link that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linked {
    /// What carries it.
    pub carrier: Carrier,
    /// For how long it has been there.
    pub lasted: Duration,
    /// How long a packet takes there and back lately; over TCP nobody measures it.
    pub round_trip: Option<Duration>,
}

/// How much a supernode keeps for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Links whose other end it can ring.
    pub leaves: usize,
    /// Username claims.
    pub claims: usize,
    /// Introduction records.
    pub introductions: usize,
    /// Letters to people who are away.
    pub letters: usize,
    /// Vouchers of those it helped.
    pub vouchers: usize,
}

/// What went over the links of a node since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Links that are up now over QUIC.
    pub quic_links: usize,
    /// Links that are up now over TCP.
    pub tcp_links: usize,
    /// Links that ever came up.
    pub opened: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Bytes of frames received.
    pub bytes_in: u64,
    /// Frames handed to links.
    pub frames_out: u64,
    /// Bytes of frames handed to links.
    pub bytes_out: u64,
}

/// How far one clock is ahead of another; negative: behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Skew(i64);

impl Skew {
    /// Ahead by so many milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How far `other` is ahead of `own`.
    pub fn between(own: UnixTime, other: UnixTime) -> Self {
        let difference = i128::from(other.as_millis()) - i128::from(own.as_millis());
        // Half the range, so that two of them can be subtracted.
        let most = i128::from(i64::MAX / 2);
        Self(i64::try_from(difference.clamp(-most, most)).unwrap_or_default())
    }

    /// The time of the other clock when ours shows `own`.
    pub fn added_to(self, own: UnixTime) -> UnixTime {
        let by = Duration::from_millis(self.0.unsigned_abs());
        if self.0 < 0 { own.saturating_sub(by) } else { own.saturating_add(by) }
    }

    /// The time of our clock when the other one shows `other`.
    pub fn taken_from(self, other: UnixTime) -> UnixTime {
        Self(self.0.saturating_neg()).added_to(other)
    }
}

/// Plain counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Messages received and understood.
    pub messages: u64,
    /// Messages dropped because they were malformed or out of place.
    pub malformed: u64,
    /// Messages dropped or answered "busy" because a limit was reached.
    pub limited: u64,
    /// Records and claims refused: bad signature, expired, wrong network, stale.
    pub refused_records: u64,
    /// Links refused or closed for belonging to another network or version.
    pub incompatible: u64,
    /// Envelopes opened and delivered.
    pub envelopes: u64,
    /// Envelopes dropped because they could not be opened or verified.
    pub envelopes_bad: u64,
    /// Envelopes dropped as seen before (replayed, or the same one through another home) or out of time.
    pub envelopes_replayed: u64,
    /// Envelopes passed on to leaves.
    pub envelopes_forwarded: u64,
    /// Leaves with another home that were asked to make room for some without.
    pub spares_shed: u64,
    /// Links opened to see whether strangers reach somebody.
    pub dialled_back: u64,
    /// Connections of others through our relay that are over and carried more than the checks that keep one ready. A
    /// call has one or more.
    pub passed_on: u64,
    /// Bytes of all connections of others that are over.
    pub bytes_passed_on: u64,
    /// Calls' ends that signed for what our relay carried.
    pub calls_vouched: u64,
    /// Bytes they signed for.
    pub bytes_vouched: u64,
    /// Helpers that showed what we owe them while there was no room.
    pub credit_honoured: u64,
}
