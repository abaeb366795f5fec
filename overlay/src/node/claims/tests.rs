use super::*;
use crate::{
    config::Network,
    identity::{Identity, LinkSecret},
    wire,
};

#[test]
fn a_receipt_its_holder_has_not_signed_is_dropped_before_a_claim_carries_it() {
    let (now, name) = (UnixTime::from_secs(1_800_000_000), Username::parse("ada-lovelace").unwrap());
    let claim = Claim::proven(&Identity::from_secret([1; 32]), name, now, 1, now);
    let receipts = (0..3).map(|n| {
        let holder = LinkSecret::from_secret([n; 32]);
        let mut bytes = wire::to_bytes(&Receipt::sign(&holder, Network::Lab, claim.id(), now, now));
        // The last byte belongs to the signature.
        bytes.last_mut().into_iter().for_each(|byte| *byte ^= u8::from(n == 1));
        let receipt: Receipt = wire::from_bytes(&bytes).unwrap();
        assert!(receipt.answers(&claim, &holder.public_key(), now), "all else is right");
        (holder.public_key(), Box::new(receipt))
    });
    let receipts: BTreeMap<LinkKey, Box<Receipt>> = receipts.collect();
    let due = crate::sim::origin();
    let mut own = OwnName { claim, held: None, receipts, due, told: None };
    assert!(own.lacks_receipts(3));
    assert_eq!(own.drop_unsigned(), 1);
    assert!(!own.lacks_receipts(3) && own.lacks_receipts(2));
}
