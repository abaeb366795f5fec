//! What claims are believed, and in which order they are shown.

use super::*;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn ada() -> Username {
    Username::parse("ada").unwrap()
}

fn claim(secret: u8, claimed_at: UnixTime, seq: u64) -> Claim {
    Claim::proven(&Identity::from_secret([secret; 32]), ada(), claimed_at, seq, NOW)
}

fn provisional(secret: u8, claimed_at: UnixTime, now: UnixTime) -> Claim {
    Claim::sign(&Identity::from_secret([secret; 32]), Network::Lab, ada(), claimed_at, None, 1, now)
}

#[test]
fn a_provisional_claim_ends_with_its_quarter_of_an_hour_however_often_it_is_signed() {
    let claim = provisional(1, NOW, NOW);
    assert_eq!((claim.verify(Network::Lab, NOW), claim.standing()), (Ok(()), Standing::Provisional));
    let later = NOW.saturating_add(PROVISIONAL_LIFETIME);
    assert_eq!(provisional(1, NOW, later).verify(Network::Lab, later), Err(RecordError::Expired));
    // The lease of a proven claim, without the proof.
    let mut greedy = claim_body(&self::claim(1, NOW, 1));
    greedy.proof = None;
    assert_eq!(signed(greedy).verify(Network::Lab, NOW), Err(RecordError::Dates));
}

#[test]
fn a_proof_serves_every_renewal_and_no_other_date() {
    let first = claim(1, NOW, 1);
    let later = NOW.saturating_add(CLAIM_LIFETIME / 2);
    let (me, proof) = (Identity::from_secret([1; 32]), first.proof());
    let renewal = Claim::sign(&me, Network::Lab, ada(), NOW, proof, 2, later);
    assert_eq!((renewal.verify(Network::Lab, later), renewal.verify_work()), (Ok(()), Ok(())));
    assert_eq!(renewal.work_id(), first.work_id());
    let earlier = NOW.saturating_sub(CLAIM_LIFETIME);
    let backdated = Claim::sign(&me, Network::Lab, ada(), earlier, proof, 2, NOW);
    assert_eq!(backdated.verify_work(), Err(RecordError::Work));
    assert_ne!(backdated.work_id(), first.work_id());
}

#[test]
fn without_its_seal_a_proof_is_refused_before_anybody_works_it_out() {
    let lab = claim(1, NOW, 1);
    let (me, name) = (Identity::from_secret([1; 32]), Username::parse("lovelace").unwrap());
    let unsealed = Claim::sign(&me, Network::Main, name, NOW, lab.proof(), 1, NOW);
    assert_eq!(unsealed.verify(Network::Main, NOW), Err(RecordError::Work));
}

fn claim_body(claim: &Claim) -> ClaimBody {
    claim.body.clone()
}

fn signed(body: ClaimBody) -> Claim {
    let signature = Identity::from_secret([1; 32]).sign(Domain::Claim, &wire::to_bytes(&body));
    Claim { body, signature, witness: None }
}

#[test]
fn a_claim_is_believed_in_its_network_and_time_only() {
    let claim = claim(1, NOW, 1);
    assert_eq!(claim.verify(Network::Lab, NOW), Ok(()));
    assert_eq!(claim.verify(Network::Main, NOW), Err(RecordError::Network));
    assert_eq!(claim.verify(Network::Lab, NOW.saturating_add(CLAIM_LIFETIME)), Err(RecordError::Expired));
    assert_eq!(claim.verify(Network::Lab, NOW.saturating_sub(CLOCK_TOLERANCE * 2)), Err(RecordError::Dates));
}

#[test]
fn no_bent_bit_is_believed() {
    let bytes = wire::to_bytes(&claim(1, NOW, 1));
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        if let Ok(claim) = wire::from_bytes::<Claim>(&bent) {
            assert!(claim.verify(Network::Lab, NOW).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_name_in_another_form_is_no_claim() {
    let bytes = wire::to_bytes(&claim(1, NOW, 1));
    let at = bytes.windows(3).position(|window| window == b"ada").unwrap();
    let mut upper = bytes.clone();
    upper[at] = b'A';
    assert!(wire::from_bytes::<Claim>(&upper).is_err());
}
