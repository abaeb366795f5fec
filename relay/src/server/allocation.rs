//! One client's relayed address with its permissions and channels (RFC 8656 §3.2, §9, §12).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Limits;
use super::client::Client;
use super::gate::SourcePrefix;
use super::meter::Meter;
use super::party::Parties;
use super::shaping::Purse;
use crate::wire::{AddressFamily, ChannelNumber, ErrorCode, TransactionId};

/// RFC 8656 §9.
pub(super) const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// RFC 8656 §12.
pub(super) const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Names an allocation between the server and its driver; never used twice while anybody may remember it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllocationId(pub(super) u64);

impl AllocationId {
    pub(super) const fn new(index: u32, generation: u32) -> Self {
        Self((generation as u64) << 32 | index as u64)
    }

    /// A number from 0 up that no two living allocations share: an index for the driver's own tables.
    pub const fn slot(self) -> usize {
        self.index() as usize
    }

    pub(super) const fn index(self) -> u32 {
        self.0 as u32
    }

    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What every packet needs comes first and lies together: with thousands of allocations each packet finds its own in no
/// cache, and pays for every line it touches.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Allocation {
    pub(super) expires: Instant,
    channel: Option<Channel>,
    pub(super) meter: Meter,
    pub(super) purse: Purse,
    pub(super) client: Client,
    pub(super) state: State,
    pub(super) parties: Parties,
    permissions: Vec<Permission>,
    /// Channels past the first one.
    channels: Vec<Channel>,
    pub(super) prefix: SourcePrefix,
    pub(super) username: Arc<str>,
    pub(super) key: [u8; 16],
    /// The family of the relayed address.
    pub(super) family: AddressFamily,
    pub(super) second: Second,
    pub(super) began: Instant,
    pub(super) lifetime: Duration,
    /// The Allocate request that made it: its retransmission is answered again (RFC 8656 §7.2).
    pub(super) transaction: TransactionId,
}

/// A relayed port is asked for, then there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Opening,
    Open { relayed: SocketAddr },
}

/// The relayed IPv6 address beside an IPv4 one (RFC 8656 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Second {
    Unwanted,
    Wanted,
    Open(SocketAddr),
    Refused,
}

impl Second {
    pub(super) const fn open(self) -> Option<SocketAddr> {
        match self {
            Self::Open(relayed) => Some(relayed),
            Self::Unwanted | Self::Wanted | Self::Refused => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Permission {
    ip: IpAddr,
    expires: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    number: ChannelNumber,
    peer: SocketAddr,
    expires: Instant,
    /// When the permission for the peer's address ends, said again here.
    permitted: Instant,
}

/// Whose an allocation is.
pub(super) struct Holder {
    pub(super) client: Client,
    pub(super) prefix: SourcePrefix,
    pub(super) username: Arc<str>,
    pub(super) key: [u8; 16],
    pub(super) purse: Purse,
    pub(super) families: (AddressFamily, Second),
}

impl Allocation {
    pub(super) fn new(
        holder: Holder,
        transaction: TransactionId,
        (now, lifetime): (Instant, Duration),
    ) -> Self {
        let Holder { client, prefix, username, key, purse, families: (family, second) } = holder;
        Self {
            client,
            prefix,
            username,
            key,
            state: State::Opening,
            family,
            second,
            began: now,
            expires: now + lifetime,
            lifetime,
            transaction,
            meter: Meter::default(),
            purse,
            parties: Parties::default(),
            permissions: Vec::new(),
            channel: None,
            channels: Vec::new(),
        }
    }

    /// Reads something of each of its first lines of memory, where lies what a packet needs.
    pub(super) fn touch(&self) -> (Instant, (u64, u64), u16, bool) {
        let is_open = matches!(self.state, State::Open { .. });
        (self.expires, self.meter.read(), self.client.address.port(), is_open)
    }

    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Opening => None,
            State::Open { relayed } => Some(relayed),
        }
    }

    /// The relayed address that packets to `peer` leave from.
    pub(super) fn relayed_to(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let of_family = |relayed: &SocketAddr| relayed.is_ipv4() == peer.is_ipv4();
        self.relayed().filter(of_family).or(self.second.open().filter(of_family))
    }

    /// Whether it has, or will have, a relayed address of this family.
    pub(super) fn has_family(&self, family: AddressFamily) -> bool {
        let second = self.second.open().map(|second| AddressFamily::of(second.ip()));
        self.family == family || second == Some(family)
    }

    /// The channel packets from `peer` take to the client, if there is one, and whether they may.
    pub(super) fn way_from(&self, now: Instant, peer: SocketAddr) -> (Option<ChannelNumber>, Permitted) {
        match self.channel_to(now, peer) {
            Some((number, permitted)) => (Some(number), permitted),
            None => (None, self.permits(now, peer.ip())),
        }
    }

    pub(super) fn permits(&self, now: Instant, ip: IpAddr) -> Permitted {
        let permits = |permission: &Permission| permission.ip == ip && now < permission.expires;
        if self.permissions.iter().any(permits) { Permitted::Yes } else { Permitted::No }
    }

    /// Installs or renews permissions, all of them or none.
    pub(super) fn permit(&mut self, now: Instant, ips: &[IpAddr], limits: &Limits) -> Result<(), ErrorCode> {
        self.permissions.retain(|permission| now < permission.expires);
        let is_new = |ip: &&IpAddr| !self.permissions.iter().any(|permission| permission.ip == **ip);
        if self.permissions.len() + ips.iter().filter(is_new).count() > limits.permissions {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        let expires = now + PERMISSION_LIFETIME;
        for ip in ips {
            match self.permissions.iter_mut().find(|permission| permission.ip == *ip) {
                Some(permission) => permission.expires = expires,
                None => self.permissions.push(Permission { ip: *ip, expires }),
            }
        }
        let of_ips = |channel: &&mut Channel| ips.contains(&channel.peer.ip());
        let channels = self.channel.iter_mut().chain(&mut self.channels);
        channels.filter(of_ips).for_each(|channel| channel.permitted = expires);
        Ok(())
    }

    /// The peer a live channel leads to, and whether it is permitted now.
    pub(super) fn peer_of(&self, now: Instant, number: ChannelNumber) -> Option<(SocketAddr, Permitted)> {
        let channel = self.bound().find(|channel| channel.number == number)?;
        (now < channel.expires).then_some((channel.peer, channel.permitted(now)))
    }

    /// The live channel that leads to `peer`, and whether that is permitted now.
    pub(super) fn channel_to(&self, now: Instant, peer: SocketAddr) -> Option<(ChannelNumber, Permitted)> {
        let channel = self.bound().find(|channel| channel.peer == peer && now < channel.expires)?;
        Some((channel.number, channel.permitted(now)))
    }

    fn bound(&self) -> impl Iterator<Item = &Channel> {
        self.channel.iter().chain(&self.channels)
    }

    /// Binds or renews a channel and the permission that goes with it (RFC 8656 §12.2).
    pub(super) fn bind(
        &mut self,
        now: Instant,
        number: ChannelNumber,
        peer: SocketAddr,
        limits: &Limits,
    ) -> Result<(), ErrorCode> {
        self.channel = self.channel.filter(|channel| now < channel.expires);
        self.channels.retain(|channel| now < channel.expires);
        let leads_elsewhere = self.peer_of(now, number).is_some_and(|(bound, _)| bound != peer);
        let has_another = self.channel_to(now, peer).is_some_and(|(bound, _)| bound != number);
        if leads_elsewhere || has_another {
            return Err(ErrorCode::BAD_REQUEST);
        }
        let is_new = !self.bound().any(|channel| channel.number == number);
        if is_new && self.bound().count() >= limits.channels {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        self.permit(now, &[peer.ip()], limits)?;
        let (permitted, is_first) = (now + PERMISSION_LIFETIME, self.channel.is_none());
        let channel = Channel { number, peer, expires: now + CHANNEL_LIFETIME, permitted };
        match self.channel.iter_mut().chain(&mut self.channels).find(|known| known.number == number) {
            Some(known) => *known = channel,
            None if is_first => self.channel = Some(channel),
            None => self.channels.push(channel),
        }
        Ok(())
    }
}

/// Whether packets to and from a peer may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permitted {
    Yes,
    No,
}

impl Channel {
    fn permitted(&self, now: Instant) -> Permitted {
        if now < self.permitted { Permitted::Yes } else { Permitted::No }
    }
}
