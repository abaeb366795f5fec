//! One client's relayed address with its permissions and channels (RFC 8656 §3.2, §9, §12).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::Limits;
use super::gate::SourcePrefix;
use crate::wire::{ChannelNumber, ErrorCode, TransactionId};

/// RFC 8656 §9.
pub(super) const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// RFC 8656 §12.
pub(super) const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Names an allocation between the server and its driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AllocationId(pub(super) u64);

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: SocketAddr,
    pub(super) prefix: SourcePrefix,
    pub(super) username: String,
    pub(super) key: [u8; 16],
    pub(super) state: State,
    pub(super) expires: Instant,
    pub(super) lifetime: Duration,
    /// The Allocate request that made it: its retransmission is answered again (RFC 8656 §7.2).
    pub(super) transaction: TransactionId,
    permissions: BTreeMap<IpAddr, Instant>,
    channels: BTreeMap<ChannelNumber, (SocketAddr, Instant)>,
}

/// A relayed port is asked for, then there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Opening,
    Open { relayed: SocketAddr },
}

impl Allocation {
    pub(super) fn new(
        client: SocketAddr,
        prefix: SourcePrefix,
        (username, key): (String, [u8; 16]),
        transaction: TransactionId,
        (now, lifetime): (Instant, Duration),
    ) -> Self {
        Self {
            client,
            prefix,
            username,
            key,
            state: State::Opening,
            expires: now + lifetime,
            lifetime,
            transaction,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
        }
    }

    pub(super) fn relayed(&self) -> Option<SocketAddr> {
        match self.state {
            State::Opening => None,
            State::Open { relayed } => Some(relayed),
        }
    }

    pub(super) fn permits(&self, now: Instant, ip: IpAddr) -> bool {
        self.permissions.get(&ip).is_some_and(|expires| now < *expires)
    }

    /// Installs or renews permissions, all of them or none.
    pub(super) fn permit(&mut self, now: Instant, ips: &[IpAddr], limits: &Limits) -> Result<(), ErrorCode> {
        self.permissions.retain(|_, expires| now < *expires);
        let new = ips.iter().filter(|ip| !self.permissions.contains_key(ip)).count();
        if self.permissions.len() + new > limits.permissions {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        self.permissions.extend(ips.iter().map(|ip| (*ip, now + PERMISSION_LIFETIME)));
        Ok(())
    }

    /// The peer a live channel leads to.
    pub(super) fn peer_of(&self, now: Instant, channel: ChannelNumber) -> Option<SocketAddr> {
        let (peer, expires) = self.channels.get(&channel)?;
        (now < *expires).then_some(*peer)
    }

    /// The live channel that leads to `peer`.
    pub(super) fn channel_to(&self, now: Instant, peer: SocketAddr) -> Option<ChannelNumber> {
        let mut channels = self.channels.iter();
        channels.find(|(_, (bound, expires))| *bound == peer && now < *expires).map(|(channel, _)| *channel)
    }

    /// Binds or renews a channel and the permission that goes with it (RFC 8656 §12.2).
    pub(super) fn bind(
        &mut self,
        now: Instant,
        channel: ChannelNumber,
        peer: SocketAddr,
        limits: &Limits,
    ) -> Result<(), ErrorCode> {
        self.channels.retain(|_, (_, expires)| now < *expires);
        let leads_elsewhere = self.peer_of(now, channel).is_some_and(|bound| bound != peer);
        let has_another = self.channel_to(now, peer).is_some_and(|bound| bound != channel);
        if leads_elsewhere || has_another {
            return Err(ErrorCode::BAD_REQUEST);
        }
        if self.channels.len() >= limits.channels && !self.channels.contains_key(&channel) {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        self.permit(now, &[peer.ip()], limits)?;
        self.channels.insert(channel, (peer, now + CHANNEL_LIFETIME));
        Ok(())
    }
}
