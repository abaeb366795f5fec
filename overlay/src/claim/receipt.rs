//! Time receipts: a holder's signed word since when it has held a claim without a gap. They are what a claim's age is
//! believed by; the claimant's own date is not.
//!
//! ```text
//! claim id = SHA-256("silbo claim id 1" ‖ 0x00 ‖ CBOR [network, name, identity, claimed_at])
//! receipt  = [[1, network, claim id, since, time, node key of the holder], signature by the node key]
//! ```
//! A holder that takes a claim over from others goes on from the median of the receipts it came with, if there are
//! enough; otherwise from now. So a claim's age outlives its first holders.
//!
//! ```text
//!            name
//!   ◀──────────┼──────────▶ distance     holders: the 20 closest; most of them make a claim established
//!   ··oooooHHHH│HHHHooooo··              neighbours: the 20 after them; they count, for holders come and go
//! ```
//! A fifth of all supernodes has enough friends around every other name, but most of the holders of hardly any.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    routing::{Distance, Key, REPLICATION},
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

/// How many of a name's holders are most of them where `live` supernodes are known; never fewer than are needed.
fn most_of(live: usize) -> usize {
    receipts_needed(live).max(live.min(REPLICATION) / 2 + 1)
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
    /// Those of them that should hold the claim now.
    pub holders: usize,
    /// The median of when those in all subnets first held the claim.
    pub since: Option<UnixTime>,
    /// How many subnets would be enough.
    pub needed: usize,
    /// How many holders are most of them.
    pub most: usize,
}

/// What somebody knows about the supernodes around a name: a receipt by anybody else says nothing, as whoever invents
/// it invents its holder too.
#[derive(Debug, Clone)]
pub struct Witnesses {
    name: Key,
    around: BTreeMap<LinkKey, Witness>,
    needed: usize,
    most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Witness {
    subnet: Subnet,
    place: Place,
}

/// Where a witness stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the [`REPLICATION`] closest to the name.
    Holder,
    /// Beyond them.
    Neighbour,
}

impl Witnesses {
    /// For claims to be kept at `name`: the supernodes around it, of `live` in all.
    pub fn new(name: Key, around: impl IntoIterator<Item = (LinkKey, Subnet)>, live: usize) -> Self {
        let mut sorted: Vec<(Distance, LinkKey, Subnet)> = around
            .into_iter()
            .map(|(node, subnet)| (Key::of_node(&node).distance(&name), node, subnet))
            .collect();
        sorted.sort_unstable();
        sorted.dedup_by_key(|(_, node, _)| *node);
        let place = |rank| if rank < REPLICATION { Place::Holder } else { Place::Neighbour };
        let around = sorted.into_iter().enumerate();
        let around =
            around.map(|(rank, (_, node, subnet))| (node, Witness { subnet, place: place(rank) })).collect();
        Self { name, around, needed: receipts_needed(live), most: most_of(live) }
    }

    /// For claims without receipts.
    pub fn nobody() -> Self {
        Self::new(Key::default(), [], 0)
    }

    /// And these: whoever answered us over a link was not invented.
    #[must_use]
    pub fn and(&self, answered: &BTreeMap<LinkKey, Subnet>) -> Self {
        let known = self.around.iter().map(|(node, witness)| (*node, witness.subnet));
        let all: BTreeMap<LinkKey, Subnet> = known.chain(answered.iter().map(|(n, s)| (*n, *s))).collect();
        let Self { needed, most, .. } = *self;
        Self { needed, most, ..Self::new(self.name, all, needed) }
    }

    #[cfg(test)]
    pub(crate) fn needing(self, needed: usize) -> Self {
        Self { needed, most: needed, ..self }
    }
}

impl Evidence {
    /// Weighs receipts for a claim: those of one subnet count as one, the one that claims least.
    pub fn of<'r>(
        claim: &Claim,
        receipts: impl IntoIterator<Item = &'r Receipt>,
        now: UnixTime,
        witnesses: &Witnesses,
    ) -> Self {
        let (network, id) = (claim.network(), claim.id());
        let mut since: BTreeMap<Subnet, (UnixTime, Place)> = BTreeMap::new();
        for receipt in receipts {
            let Some(Witness { subnet, place }) = witnesses.around.get(&receipt.holder()) else { continue };
            let new = since.get(subnet).is_none_or(|(known, _)| *known < receipt.since());
            if new && receipt.speaks_of(network, id, now) && receipt.is_signed() {
                since.insert(*subnet, (receipt.since(), *place));
            }
        }
        let holders = since.values().filter(|(_, place)| *place == Place::Holder).count();
        let mut times: Vec<UnixTime> = since.into_values().map(|(since, _)| since).collect();
        times.sort_unstable();
        Self {
            subnets: times.len(),
            holders,
            since: times.get(times.len() / 2).copied(),
            needed: witnesses.needed,
            most: witnesses.most,
        }
    }

    /// Whether so many independent holders granted it that it is nobody's invention.
    pub fn suffices(&self) -> bool {
        self.subnets >= self.needed.max(1)
    }

    /// Whether most of those that should hold it say that they do.
    fn is_of_most(&self) -> bool {
        self.suffices() && self.holders >= self.most
    }

    /// What a claim with this evidence is worth.
    pub fn standing(&self, claim: &Claim) -> Standing {
        let renewed = claim.not_after().saturating_sub(CLAIM_LIFETIME);
        let held_for = |delay| self.since.is_some_and(|since| renewed >= since.saturating_add(delay));
        if claim.was_recovered() && !(self.suffices() && held_for(RECOVERY_DELAY)) {
            return Standing::Pending;
        }
        match (claim.standing(), self.since) {
            (Standing::Proven, Some(_)) if self.is_of_most() && held_for(ESTABLISHED_AFTER) => {
                Standing::Established
            }
            (standing, _) => standing,
        }
    }
}

/// At most [`MAX_RECEIPTS`] to be carried by a claim kept at `name`: those of the closest holders, in different subnets.
/// So readers count the same although they are not answered by the same.
pub(crate) fn choose<'a>(
    receipts: impl Iterator<Item = &'a Receipt>,
    name: &Key,
    subnet: impl Fn(&LinkKey) -> Option<Subnet>,
) -> Vec<Receipt> {
    let mut receipts: Vec<&Receipt> = receipts.collect();
    receipts.sort_by_cached_key(|receipt| Key::of_node(&receipt.holder()).distance(name));
    let mut seen = BTreeSet::new();
    let of_own_subnet =
        |receipt: &&Receipt| subnet(&receipt.holder()).is_some_and(|subnet| seen.insert(subnet));
    receipts.into_iter().filter(of_own_subnet).take(MAX_RECEIPTS).cloned().collect()
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

    fn name() -> Key {
        Key::of_name(claim(NOW).name())
    }

    fn weigh(receipts: &[Receipt], now: UnixTime, needed: usize) -> Evidence {
        let known = (1..10).map(|n| holder(n).public_key()).filter_map(|key| Some((key, subnet(&key)?)));
        Evidence::of(&claim(NOW), receipts, now, &Witnesses::new(name(), known, 9).needing(needed))
    }

    /// `count` supernodes, each in a subnet of its own, the closest to the name first.
    fn closest_first(count: u8) -> Vec<LinkSecret> {
        let mut all: Vec<LinkSecret> = (1..=count).map(holder).collect();
        all.sort_by_cached_key(|node| Key::of_node(&node.public_key()).distance(&name()));
        all
    }

    fn own_subnet(key: &LinkKey) -> Subnet {
        Subnet::V4([key.bytes()[0], key.bytes()[1], key.bytes()[2]])
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
        let chosen = choose(all.values(), &name(), subnet);
        assert_eq!(chosen.len(), 5);
        let many: BTreeMap<LinkKey, Receipt> =
            (1..30).map(|n| receipt(n, NOW, NOW)).map(|r| (r.holder(), r)).collect();
        let chosen = choose(many.values(), &name(), |key| Some(own_subnet(key)));
        let closest: Vec<LinkKey> =
            closest_first(29).iter().take(MAX_RECEIPTS).map(LinkSecret::public_key).collect();
        assert_eq!(chosen.iter().map(Receipt::holder).collect::<Vec<_>>(), closest);
    }

    #[test]
    fn most_of_its_holders_establish_a_claim_and_neighbours_however_many_do_not() {
        let all = closest_first(40);
        let week = NOW.saturating_add(ESTABLISHED_AFTER);
        let known = all.iter().map(|node| (node.public_key(), own_subnet(&node.public_key())));
        let known = Witnesses::new(name(), known, 200);
        let standing = |by: &[LinkSecret]| {
            let given = by.iter().map(|node| Receipt::sign(node, Network::Lab, claim(NOW).id(), NOW, week));
            Evidence::of(&claim(week), &given.collect::<Vec<_>>(), week, &known).standing(&claim(week))
        };
        assert_eq!(standing(&all[..11]), Standing::Established);
        assert_eq!(standing(&all[10..]), Standing::Proven, "ten holders and all neighbours");
        assert_eq!(standing(&all[9..]), Standing::Established);
    }

    #[test]
    fn most_of_few_holders_are_never_fewer_than_are_needed() {
        assert_eq!([1, 2, 3, 6, 12, 15, 16, 20, 3_000].map(most_of), [1, 2, 2, 4, 8, 8, 9, 11, 11]);
    }

    #[test]
    fn whoever_answered_stands_where_it_is_and_moves_those_behind() {
        let all = closest_first(21);
        let of = |node: &LinkSecret| (node.public_key(), own_subnet(&node.public_key()));
        let known = Witnesses::new(name(), all[1..].iter().map(of), 21);
        let place = |known: &Witnesses| known.around[&all[20].public_key()].place;
        assert_eq!(place(&known), Place::Holder);
        assert_eq!(place(&known.and(&BTreeMap::from([of(&all[0])]))), Place::Neighbour);
    }
}
