//! Time receipts: a holder's signed word since when it has held a claim without a gap. They are what a claim's age is
//! believed by; the claimant's own date is not.
//!
//! ```text
//! claim id = SHA-256("silbo claim id 1" ‖ 0x00 ‖ CBOR [network, name, identity, claimed_at])
//! receipt  = [[1, network, claim id, since, time, node key of the holder], signature by the node key]
//! ```
//! A holder that takes a claim over from others goes on from the median of the receipts it came with, if there are
//! enough; otherwise from now. So a claim's age outlives its first holders.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use minicbor::{Decode, Encode};
use relay::UnixTime;
use sha2::{Digest as _, Sha256};

use super::{CLAIM_LIFETIME, Claim, RECOVERY_DELAY, Standing};
use crate::{
    config::Network,
    identity::{Domain, LinkKey, LinkSecret, PublicKey, Signature},
    record::CLOCK_TOLERANCE,
    username::Username,
    wire,
};

const VERSION: u8 = 1;

/// Receipts a claim carries at most.
pub const MAX_RECEIPTS: usize = 12;

/// Receipts from this many subnets are as good as any more.
pub const RECEIPTS: usize = 8;

/// A receipt counts this long: as long as a lease, so that what was not renewed loses its age.
pub const RECEIPT_LIFETIME: Duration = CLAIM_LIFETIME;

/// Held for this long, and renewed after it, a claim is established.
pub const ESTABLISHED_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// How many receipts in as many subnets are needed where `live` supernodes are known: [`RECEIPTS`], but never more
/// than two thirds of them, and at least one.
pub fn receipts_needed(live: usize) -> usize {
    RECEIPTS.min((live * 2).div_ceil(3)).max(1)
}

/// Names what a receipt is about: a name of a key at a date, the same for all renewals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct ClaimId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl ClaimId {
    /// The claim of `identity` to `name` from `claimed_at` on.
    pub fn of(network: Network, name: &Username, identity: PublicKey, claimed_at: UnixTime) -> Self {
        let about = wire::to_bytes(&(network, name.as_str(), identity, claimed_at.as_millis()));
        let hash = Sha256::new_with_prefix("silbo claim id 1").chain_update([0]).chain_update(about);
        Self(hash.finalize().into())
    }
}

/// A part of the address space that is taken for one holder: /24 (IPv4) or /48 (IPv6), in a lab one IP:PORT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subnet {
    /// The first three bytes of an IPv4 address.
    V4([u8; 3]),
    /// The first three groups of an IPv6 address.
    V6([u16; 3]),
    /// A lab node.
    Lab(SocketAddr),
}

impl Subnet {
    /// The subnet of an address.
    pub fn of(network: Network, address: SocketAddr) -> Self {
        match (network, address.ip().to_canonical()) {
            (Network::Lab, _) => Self::Lab(address),
            (Network::Main, IpAddr::V4(ip)) => {
                let [a, b, c, _] = ip.octets();
                Self::V4([a, b, c])
            }
            (Network::Main, IpAddr::V6(ip)) => {
                let [a, b, c, ..] = ip.segments();
                Self::V6([a, b, c])
            }
        }
    }
}

/// A holder's signed word: `[body, signature]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    #[n(0)]
    body: ReceiptBody,
    #[n(1)]
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct ReceiptBody {
    #[n(0)]
    version: u8,
    #[n(1)]
    network: Network,
    #[n(2)]
    claim: ClaimId,
    #[cbor(n(3), with = "wire::unix_time")]
    since: UnixTime,
    #[cbor(n(4), with = "wire::unix_time")]
    time: UnixTime,
    #[n(5)]
    holder: LinkKey,
}

impl Receipt {
    /// "I have held this claim since then, and now."
    pub fn sign(
        holder: &LinkSecret,
        network: Network,
        claim: ClaimId,
        since: UnixTime,
        now: UnixTime,
    ) -> Self {
        let since = since.min(now);
        let body =
            ReceiptBody { version: VERSION, network, claim, since, time: now, holder: holder.public_key() };
        let signature = holder.sign(Domain::Receipt, &wire::to_bytes(&body));
        Self { body, signature }
    }

    /// Whether it may count for a claim, as far as that is to be seen without looking at the signature.
    fn speaks_of(&self, network: Network, claim: ClaimId, now: UnixTime) -> bool {
        let body = &self.body;
        body.version == VERSION
            && body.network == network
            && body.claim == claim
            && body.since <= body.time
            && body.time <= now.saturating_add(CLOCK_TOLERANCE)
            && body.time.saturating_add(RECEIPT_LIFETIME) > now
    }

    /// Whether its holder has signed it.
    pub(crate) fn is_signed(&self) -> bool {
        self.body.holder.verify(Domain::Receipt, &wire::to_bytes(&self.body), &self.signature).is_ok()
    }

    /// Whether a holder we asked gave us what it was asked for, as far as that is to be seen without looking at the
    /// signature.
    pub(crate) fn answers(&self, claim: &Claim, holder: &LinkKey, now: UnixTime) -> bool {
        self.body.holder == *holder && self.speaks_of(claim.network(), claim.id(), now)
    }

    /// Who gave it.
    pub fn holder(&self) -> LinkKey {
        self.body.holder
    }

    /// Since when it has held the claim.
    pub fn since(&self) -> UnixTime {
        self.body.since
    }

    /// When it said so.
    pub fn time(&self) -> UnixTime {
        self.body.time
    }
}

/// What receipts are worth to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Subnets of supernodes known to the reader that have given one.
    pub subnets: usize,
    /// The median of when those first held the claim.
    pub since: Option<UnixTime>,
    /// How many would be enough.
    pub needed: usize,
}

/// What somebody knows about supernodes: a receipt by anybody else says nothing, as whoever invents it invents its
/// holder too.
pub struct Witnesses<'a> {
    /// Where a supernode is, if it is known.
    pub subnet: &'a dyn Fn(&LinkKey) -> Option<Subnet>,
    /// Receipts that are enough: see [`receipts_needed`].
    pub needed: usize,
}

impl fmt::Debug for Witnesses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witnesses").field("needed", &self.needed).finish_non_exhaustive()
    }
}

impl Evidence {
    /// Weighs receipts for a claim: those of one subnet count as one, the one that claims least.
    pub fn of<'r>(
        claim: &Claim,
        receipts: impl IntoIterator<Item = &'r Receipt>,
        now: UnixTime,
        witnesses: &Witnesses<'_>,
    ) -> Self {
        let (network, id) = (claim.network(), claim.id());
        let mut since: BTreeMap<Subnet, UnixTime> = BTreeMap::new();
        for receipt in receipts {
            let Some(subnet) = (witnesses.subnet)(&receipt.holder()) else { continue };
            let new = since.get(&subnet).is_none_or(|known| *known < receipt.since());
            if new && receipt.speaks_of(network, id, now) && receipt.is_signed() {
                since.insert(subnet, receipt.since());
            }
        }
        let mut times: Vec<UnixTime> = since.into_values().collect();
        times.sort_unstable();
        Self { subnets: times.len(), since: times.get(times.len() / 2).copied(), needed: witnesses.needed }
    }

    /// Whether so many independent holders granted it that it is nobody's invention.
    pub fn suffices(&self) -> bool {
        self.subnets >= self.needed.max(1)
    }

    /// What a claim with this evidence is worth.
    pub fn standing(&self, claim: &Claim) -> Standing {
        let renewed = claim.not_after().saturating_sub(CLAIM_LIFETIME);
        let held_for = |delay| self.since.is_some_and(|since| renewed >= since.saturating_add(delay));
        if claim.was_recovered() && !(self.suffices() && held_for(RECOVERY_DELAY)) {
            return Standing::Pending;
        }
        match (claim.standing(), self.since) {
            (Standing::Proven, Some(_)) if self.suffices() && held_for(ESTABLISHED_AFTER) => {
                Standing::Established
            }
            (standing, _) => standing,
        }
    }
}

/// At most [`MAX_RECEIPTS`] to be carried by a claim, of holders in different subnets. `receipts`: one of each holder, in
/// the order of their keys.
pub(crate) fn choose<'a>(
    receipts: impl Iterator<Item = &'a Receipt>,
    subnet: impl Fn(&LinkKey) -> Option<Subnet>,
) -> Vec<Receipt> {
    let mut seen = std::collections::BTreeSet::new();
    let of_own_subnet =
        |receipt: &&Receipt| subnet(&receipt.holder()).is_some_and(|subnet| seen.insert(subnet));
    receipts.filter(of_own_subnet).take(MAX_RECEIPTS).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Identity;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn claim(signed: UnixTime) -> Claim {
        Claim::proven(&Identity::from_secret([1; 32]), Username::parse("ada").unwrap(), NOW, 1, signed)
    }

    fn holder(n: u8) -> LinkSecret {
        LinkSecret::from_secret([n; 32])
    }

    fn receipt(n: u8, since: UnixTime, now: UnixTime) -> Receipt {
        Receipt::sign(&holder(n), Network::Lab, claim(NOW).id(), since, now)
    }

    /// Supernodes 1 to 9, two and two in one subnet.
    fn subnet(key: &LinkKey) -> Option<Subnet> {
        (1..10).find(|n| holder(*n).public_key() == *key).map(|n| Subnet::V4([9, 9, n / 2]))
    }

    fn weigh(receipts: &[Receipt], now: UnixTime, needed: usize) -> Evidence {
        Evidence::of(&claim(NOW), receipts, now, &Witnesses { subnet: &subnet, needed })
    }

    #[test]
    fn needed_receipts_fit_small_networks() {
        assert_eq!([0, 1, 2, 3, 6, 12, 3_000].map(receipts_needed), [1, 1, 2, 2, 4, 8, 8]);
    }

    #[test]
    fn receipts_of_one_subnet_and_of_strangers_are_worth_no_more() {
        let later = NOW.saturating_add(DAY);
        let given = [receipt(2, NOW, later), receipt(3, later, later), receipt(99, NOW, later)];
        let evidence = weigh(&given, later, 2);
        // Of the two in one subnet the one that claims less counts.
        assert_eq!((evidence.subnets, evidence.since, evidence.suffices()), (1, Some(later), false));
    }

    #[test]
    fn fewer_than_half_cannot_make_a_claim_older() {
        let later = NOW.saturating_add(DAY * 9);
        let liars = [2, 4].map(|n| receipt(n, UnixTime::from_secs(1), later));
        let honest = [6, 8].map(|n| receipt(n, NOW.saturating_add(DAY), later));
        let evidence = weigh(&[liars, honest].concat(), later, 3);
        assert_eq!(evidence.since, Some(NOW.saturating_add(DAY)));
    }

    #[test]
    fn a_receipt_counts_for_its_claim_signed_and_as_long_as_a_lease() {
        let old = receipt(2, NOW, NOW);
        let end = NOW.saturating_add(RECEIPT_LIFETIME);
        assert_eq!(weigh(std::slice::from_ref(&old), end.saturating_sub(DAY), 1).subnets, 1);
        assert_eq!(weigh(std::slice::from_ref(&old), end, 1).subnets, 0);
        assert_eq!(weigh(std::slice::from_ref(&old), NOW.saturating_sub(DAY), 1).subnets, 0);
        let other = ClaimId::of(Network::Lab, &Username::parse("bob").unwrap(), claim(NOW).identity(), NOW);
        assert_eq!(weigh(&[Receipt::sign(&holder(2), Network::Lab, other, NOW, NOW)], NOW, 1).subnets, 0);
        let bytes = wire::to_bytes(&old);
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            if let Ok(receipt) = wire::from_bytes::<Receipt>(&bent) {
                assert_eq!(weigh(&[receipt], NOW, 1).subnets, 0, "bit {bit}");
            }
        }
    }

    #[test]
    fn a_claim_is_established_when_it_was_renewed_a_week_after_its_holders_first_held_it() {
        let week = NOW.saturating_add(ESTABLISHED_AFTER);
        let evidence = weigh(&[receipt(2, NOW, week), receipt(4, NOW, week)], week, 2);
        assert_eq!(evidence.standing(&claim(NOW)), Standing::Proven);
        assert_eq!(evidence.standing(&claim(week)), Standing::Established);
        let too_few = Evidence { needed: 3, ..evidence };
        assert_eq!(too_few.standing(&claim(week)), Standing::Proven);
    }

    #[test]
    fn a_claim_carries_one_receipt_for_each_subnet_and_not_too_many() {
        let all: BTreeMap<LinkKey, Receipt> =
            (1..10).map(|n| receipt(n, NOW, NOW)).map(|r| (r.holder(), r)).collect();
        let chosen = choose(all.values(), subnet);
        assert_eq!(chosen.len(), 5);
        let many: BTreeMap<LinkKey, Receipt> =
            (1..30).map(|n| receipt(n, NOW, NOW)).map(|r| (r.holder(), r)).collect();
        let everywhere = |key: &LinkKey| Some(Subnet::V4([key.bytes()[0], key.bytes()[1], 0]));
        assert_eq!(choose(many.values(), everywhere).len(), MAX_RECEIPTS);
    }
}
