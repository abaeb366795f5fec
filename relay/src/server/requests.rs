//! Requests from clients: Binding, and the authenticated ones of TURN, in the order RFC 8656 checks them.

use std::hash::BuildHasher as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::allocation::{Allocation, Holder, Second};
use super::client::Client;
use super::{AllocationId, Effect, PortParity, Server, UNDERSTOOD};
use crate::wire::{
    AddressFamily, AttributeType, Class, ErrorCode, EvenPort, Fingerprint, Integrity, Malformed, Message,
    MessageBuilder, Method, TransactionId, long_term_key,
};
use crate::{Now, Priority, credentials};

/// RFC 8656 §7.2: what an allocation gets when it does not ask for more.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);
/// REQUESTED-TRANSPORT of UDP.
const UDP: u8 = 17;

/// A request whose sender proved who it is.
struct Proven<'a> {
    now: Now,
    from: Client,
    message: &'a Message<'a>,
    username: &'a str,
    key: [u8; 16],
}

impl Server {
    /// RFC 8489 §12: the reply carries XOR-MAPPED-ADDRESS and nothing that would make it longer.
    pub(super) fn binding(&mut self, now: Now, from: Client, message: &Message<'_>, length: usize) {
        let transaction = message.transaction();
        let unknown = message.not_understood(&UNDERSTOOD);
        if unknown == [AttributeType::CHANGE_REQUEST]
            && self.change_request(now, from, message, length).is_ok()
        {
            return;
        }
        let reply = if unknown.is_empty() {
            let reply = MessageBuilder::new(Class::Success, Method::Binding, transaction)
                .xor_address(AttributeType::XOR_MAPPED_ADDRESS, from.address);
            self.with_other_address(reply, length)
        } else {
            self.error(Method::Binding, transaction, ErrorCode::UNKNOWN_ATTRIBUTE)
                .unknown_attributes(&unknown)
        };
        if self.reply_to_stranger(now, from, length, reply.finish(ending(message))) {
            self.stats.bindings += 1;
        }
    }

    /// RFC 8489 §9.2.4, then the method.
    pub(super) fn authenticated_request(
        &mut self,
        now: Now,
        from: Client,
        message: &Message<'_>,
        length: usize,
    ) {
        let (username, key) = match self.authenticate(now, from, message) {
            Ok(proven) => proven,
            Err(code) => return self.challenge(now, from, message, length, code),
        };
        let request = Proven { now, from, message, username, key };
        let outcome = match self.check_attributes(&request) {
            Err(code) => Err(code),
            Ok(()) if message.method() == Method::Allocate => match self.allocate(&request) {
                Ok(()) => return,
                Err(code) => Err(code),
            },
            Ok(()) => self.request_on_allocation(&request),
        };
        let reply = match outcome {
            Ok(reply) => reply,
            Err(code) => {
                let reply = self.error(message.method(), message.transaction(), code);
                match code {
                    ErrorCode::UNKNOWN_ATTRIBUTE => {
                        reply.unknown_attributes(&message.not_understood(&UNDERSTOOD))
                    }
                    ErrorCode::TRY_ALTERNATE => self.with_alternate(reply),
                    _ => reply,
                }
            }
        };
        self.reply(from, reply.seal(&key, ending(message)));
    }

    /// Whose request this is. Errors are those of RFC 8489 §9.2.4.
    fn authenticate<'a>(
        &self,
        now: Now,
        from: Client,
        message: &Message<'a>,
    ) -> Result<(&'a str, [u8; 16]), ErrorCode> {
        if message.attribute(AttributeType::MESSAGE_INTEGRITY).is_none() {
            return Err(ErrorCode::UNAUTHENTICATED);
        }
        let username = message.text(AttributeType::USERNAME);
        let realm = message.text(AttributeType::REALM);
        let (Ok(Some(username)), Ok(Some(realm)), Some(nonce)) =
            (username, realm, message.attribute(AttributeType::NONCE))
        else {
            return Err(ErrorCode::BAD_REQUEST);
        };
        if !self.nonces.accepts(now.instant, from.address, nonce.value) {
            return Err(ErrorCode::STALE_NONCE);
        }
        let Some(expiry) = credentials::expiry(username).filter(|_| realm == self.config.realm) else {
            return Err(ErrorCode::UNAUTHENTICATED);
        };
        let has_allocation = self.allocation_of(now.instant, from).is_some();
        if expiry <= now.unix && !has_allocation {
            return Err(ErrorCode::UNAUTHENTICATED);
        }
        let key = long_term_key(username, realm, &self.issuer.password(username));
        match message.integrity(&key) {
            Integrity::Valid => Ok((username, key)),
            Integrity::Missing | Integrity::Wrong => Err(ErrorCode::UNAUTHENTICATED),
        }
    }

    /// Tells a stranger how to authenticate.
    fn challenge(&mut self, now: Now, from: Client, message: &Message<'_>, length: usize, code: ErrorCode) {
        let reply = self.error(message.method(), message.transaction(), code);
        let reply = match code {
            ErrorCode::BAD_REQUEST => reply,
            _ => reply
                .text(AttributeType::REALM, &self.config.realm)
                .text(AttributeType::NONCE, &self.nonces.make(now.instant, from.address)),
        };
        self.reply_to_stranger(now, from, length, reply.finish(ending(message)));
    }

    fn reply_to_stranger(&mut self, now: Now, from: Client, length: usize, reply: Vec<u8>) -> bool {
        let prefix = self.prefix(from.address);
        let admitted = self.gate.admits(now.instant, prefix, length, reply.len());
        if admitted {
            self.reply(from, reply);
        } else {
            self.stats.rate_limited += 1;
        }
        admitted
    }

    fn check_attributes(&self, request: &Proven<'_>) -> Result<(), ErrorCode> {
        if request.message.not_understood(&UNDERSTOOD).is_empty() {
            Ok(())
        } else {
            Err(ErrorCode::UNKNOWN_ATTRIBUTE)
        }
    }

    /// RFC 8656 §7.2. The answer follows when the driver has a port.
    fn allocate(&mut self, request: &Proven<'_>) -> Result<(), ErrorCode> {
        let Proven { now, from, message, username, key } = *request;
        let transaction = message.transaction();
        if let Some((id, made)) = self.allocation_of(now.instant, from) {
            // The same request again: our answer was lost, or is not there yet.
            if made.transaction != transaction || *made.username != *username {
                return Err(ErrorCode::ALLOCATION_MISMATCH);
            }
            self.answer_allocate(id);
            return Ok(());
        }
        self.check_open()?;
        match message.requested_transport() {
            Ok(Some(UDP)) => {}
            Ok(Some(_)) => return Err(ErrorCode::UNSUPPORTED_TRANSPORT),
            Ok(None) | Err(_) => return Err(ErrorCode::BAD_REQUEST),
        }
        let family = match message.requested_family().map_err(bad_request)? {
            Some(Some(family)) => family,
            Some(None) => return Err(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED),
            None => AddressFamily::Ipv4,
        };
        if self.ip_of(family).is_none() {
            return Err(ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED);
        }
        let second = match message.additional_family().map_err(bad_request)? {
            None => Second::Unwanted,
            // Only IPv6 beside IPv4, and nothing that says what the first one shall be.
            Some(Some(AddressFamily::Ipv6)) if has_no_wish(message) => Second::Wanted,
            Some(_) => return Err(ErrorCode::BAD_REQUEST),
        };
        let parity = match message.even_port().map_err(bad_request)? {
            None => PortParity::Any,
            Some(EvenPort::Alone) => PortParity::Even,
            // Pairs of ports are for RTP without multiplexing: none are kept, as if all were taken.
            Some(EvenPort::ReserveNext) => return Err(ErrorCode::INSUFFICIENT_CAPACITY),
        };
        let lifetime = self.granted(message.lifetime().map_err(bad_request)?);
        // An expired one of the same client that no timeout has collected yet must not be counted or found again.
        self.handle_timeout(now);
        let prefix = self.prefix(from.address);
        if self.shaper.day_is_spent() {
            return Err(ErrorCode::INSUFFICIENT_CAPACITY);
        }
        let username: Arc<str> = username.into();
        // A new credential every second buys no more than one does.
        let identity: Arc<str> = credentials::identity(&username).into();
        self.quota.enter(&identity, prefix, &self.config.limits)?;
        let purse = self.shaper.purse(&identity, prefix, Priority::of(&username));
        let families = (family, second);
        let holder = Holder { client: from, prefix, username, key, purse, families };
        let allocation = Allocation::new(holder, transaction, (now.instant, lifetime));
        let expires = allocation.expires;
        let id = self.allocations.insert(allocation);
        self.expiries.insert((expires, id));
        self.by_client.insert(self.hash.hash_one(from), id.index());
        self.effects.push_back(Effect::OpenRelayPort(id, parity));
        Ok(())
    }

    /// RFC 8656 §7.2: success, once the relayed port is there.
    pub(super) fn answer_allocate(&mut self, id: AllocationId) {
        let Some(allocation) = self.allocations.get(id) else { return };
        let Some(relayed) = allocation.relayed() else { return };
        let client = allocation.client;
        let reply = success(Method::Allocate, allocation.transaction)
            .xor_address(AttributeType::XOR_RELAYED_ADDRESS, relayed);
        let reply = match allocation.second {
            Second::Unwanted => reply,
            Second::Open(second) => reply.xor_address(AttributeType::XOR_RELAYED_ADDRESS, second),
            Second::Wanted => {
                reply.address_error(AddressFamily::Ipv6, ErrorCode::ADDRESS_FAMILY_NOT_SUPPORTED)
            }
            Second::Refused => reply.address_error(AddressFamily::Ipv6, ErrorCode::INSUFFICIENT_CAPACITY),
        };
        let reply = reply
            .lifetime(allocation.lifetime)
            .xor_address(AttributeType::XOR_MAPPED_ADDRESS, client.address)
            .seal(&allocation.key, Fingerprint::Without);
        self.reply(client, reply);
    }

    /// Requests that need an allocation, made by the same user (RFC 8656 §5).
    fn request_on_allocation(&mut self, request: &Proven<'_>) -> Result<MessageBuilder, ErrorCode> {
        let (id, allocation) =
            self.allocation_of(request.now.instant, request.from).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        if *allocation.username != *request.username {
            return Err(ErrorCode::WRONG_CREDENTIALS);
        }
        match request.message.method() {
            Method::Refresh => self.refresh(request, id),
            Method::CreatePermission => self.create_permission(request, id),
            Method::ChannelBind => self.channel_bind(request, id),
            Method::Binding | Method::Allocate | Method::Send | Method::Data | Method::Other(_) => {
                Err(ErrorCode::BAD_REQUEST)
            }
        }
    }

    /// RFC 8656 §8.2.
    fn refresh(&mut self, request: &Proven<'_>, id: AllocationId) -> Result<MessageBuilder, ErrorCode> {
        match request.message.requested_family().map_err(bad_request)? {
            None => {}
            Some(Some(family)) if self.allocations.get(id).is_some_and(|made| made.has_family(family)) => {}
            Some(_) => return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH),
        }
        let asked = request.message.lifetime().map_err(bad_request)?;
        let reply = success(Method::Refresh, request.message.transaction());
        if asked == Some(Duration::ZERO) {
            self.remove(request.now.instant, id);
            return Ok(reply.lifetime(Duration::ZERO));
        }
        let lifetime = self.left(request.now.instant, self.granted(asked));
        let Some(allocation) = self.allocations.get_mut(id) else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        self.expiries.remove(&(allocation.expires, id));
        allocation.expires = request.now.instant + lifetime;
        allocation.lifetime = lifetime;
        self.expiries.insert((allocation.expires, id));
        Ok(reply.lifetime(lifetime))
    }

    /// RFC 8656 §10.2: all addresses or none.
    fn create_permission(
        &mut self,
        request: &Proven<'_>,
        id: AllocationId,
    ) -> Result<MessageBuilder, ErrorCode> {
        let peers: Result<Vec<SocketAddr>, Malformed> = request.message.peer_addresses().collect();
        let peers = peers.map_err(bad_request)?;
        if peers.is_empty() {
            return Err(ErrorCode::BAD_REQUEST);
        }
        for peer in &peers {
            self.check_peer_ip(id, peer.ip())?;
        }
        let mut ips: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
        ips.sort_unstable();
        ips.dedup();
        let allocation = self.allocations.get_mut(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        allocation.permit(request.now.instant, &ips, &self.config.limits)?;
        Ok(success(Method::CreatePermission, request.message.transaction()))
    }

    /// RFC 8656 §12.2.
    fn channel_bind(&mut self, request: &Proven<'_>, id: AllocationId) -> Result<MessageBuilder, ErrorCode> {
        let channel = request.message.channel_number().map_err(bad_request)?;
        let peer = request.message.xor_address(AttributeType::XOR_PEER_ADDRESS).map_err(bad_request)?;
        let (Some(channel), Some(peer)) = (channel, peer) else { return Err(ErrorCode::BAD_REQUEST) };
        self.check_peer_ip(id, peer.ip())?;
        if self.allocation_at(peer).is_none() && !self.may_send_to(peer) {
            return Err(ErrorCode::FORBIDDEN);
        }
        let allocation = self.allocations.get_mut(id).ok_or(ErrorCode::ALLOCATION_MISMATCH)?;
        allocation.bind(request.now.instant, channel, peer, &self.config.limits)?;
        Ok(success(Method::ChannelBind, request.message.transaction()))
    }

    fn check_peer_ip(&self, id: AllocationId, ip: IpAddr) -> Result<(), ErrorCode> {
        let family = AddressFamily::of(ip);
        if !self.allocations.get(id).is_some_and(|made| made.has_family(family)) {
            return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
        }
        if self.may_permit(ip) { Ok(()) } else { Err(ErrorCode::FORBIDDEN) }
    }

    /// RFC 8656 §7.2: never less than the default, never more than the owner allows.
    fn granted(&self, asked: Option<Duration>) -> Duration {
        asked.unwrap_or(DEFAULT_LIFETIME).max(DEFAULT_LIFETIME).min(self.config.limits.max_lifetime)
    }
}

fn success(method: Method, transaction: TransactionId) -> MessageBuilder {
    MessageBuilder::new(Class::Success, method, transaction)
}

/// RFC 8656 §7.2: ADDITIONAL-ADDRESS-FAMILY excludes REQUESTED-ADDRESS-FAMILY and reserved ports.
fn has_no_wish(message: &Message<'_>) -> bool {
    message.attribute(AttributeType::REQUESTED_ADDRESS_FAMILY).is_none()
        && !matches!(message.even_port(), Ok(Some(EvenPort::ReserveNext)) | Err(_))
}

fn bad_request(_: Malformed) -> ErrorCode {
    ErrorCode::BAD_REQUEST
}

/// Who fingerprints a request gets a fingerprint back.
fn ending(message: &Message<'_>) -> Fingerprint {
    match message.attribute(AttributeType::FINGERPRINT) {
        Some(_) => Fingerprint::With,
        None => Fingerprint::Without,
    }
}
